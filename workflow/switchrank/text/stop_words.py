"""Stop words: words of a language that say little by themselves."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path

from switchrank.text.equality import key


@cache
def stopwords(language: str) -> frozenset[str]:
    """Look-up keys of the stop words of ``language``: NLTK's list, as bm25s has it, for ``en``; none for others."""
    # The module is loaded alone: the package would load a compiler, which takes longer than switching a small corpus.
    if language != "en":
        return frozenset()
    package = find_spec("bm25s")
    if package is None or package.origin is None:
        raise ImportError("bm25s is not installed")
    module = run_path(str(Path(package.origin).with_name("stopwords.py")))
    return frozenset(map(key, module["STOPWORDS_EN_PLUS"]))
