"""Words of languages written without spaces, cut by a library that knows the language.

Three are supported: ``icu`` (ICU's dictionaries for Chinese, Japanese, Thai, Lao, Khmer and Burmese), ``jieba``
(Chinese) and ``sudachi`` (Japanese, short units); ``pip install switchrank[segmenters]`` installs them.

A library is given only runs of characters that are written without spaces, in NFC and without invisible characters,
and its words are mapped back to pieces of the original text; the text between the runs is split by UAX 29.
"""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version

import regex

from switchrank.core.errors import UserError
from switchrank.text.words import Split, Splitter, split_again

PREFIX = "segmenter:"
LONGEST_RUN = 4096
"""Characters that a library is given at once; only runs without punctuation are longer."""

_UNSPACED = regex.compile(r"[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{LB=SA}]")
_INVISIBLE = regex.compile(r"\p{Default_Ignorable_Code_Point}+")
_UNIT = regex.compile(r"(?s:.)[\p{M}\p{Default_Ignorable_Code_Point}]*")
_ATTACHED = regex.compile(r"[\p{M}\p{Default_Ignorable_Code_Point}]")

Cut = Callable[[str], Iterable[str]]
"""From a run of unspaced characters to its words."""


@dataclass(frozen=True)
class _Library:
    packages: tuple[str, ...]
    languages: frozenset[str]
    load: Callable[[], Cut]


def _icu() -> Cut:
    from icu4py.breakers import WordBreaker

    return lambda run: [run[start:end] for start, end in WordBreaker(run, "en").segments()]


def _jieba() -> Cut:
    import rjieba

    return partial(rjieba.Jieba().cut, hmm=True)


def _sudachi() -> Cut:
    from sudachipy import Dictionary, SplitMode

    tokenizer = Dictionary(dict="small").tokenizer(mode=SplitMode.A)
    return lambda run: [morpheme.surface() for morpheme in tokenizer.tokenize(run)]


_CHINESE = frozenset({"zh", "zho", "cmn", "yue", "wuu", "lzh"})
_JAPANESE = frozenset({"ja", "jpn"})
_SOUTH_EAST = frozenset({"th", "tha", "lo", "lao", "km", "khm", "my", "mya"})
LIBRARIES = {
    "icu": _Library(("icu4py",), _CHINESE | _JAPANESE | _SOUTH_EAST, _icu),
    "jieba": _Library(("rjieba",), _CHINESE, _jieba),
    "sudachi": _Library(("SudachiPy", "sudachidict-small"), _JAPANESE, _sudachi),
}


def segmenter_spec(name: str) -> str:
    """``segmenter:NAME@VERSION`` as installed here (no version if it is not), for :func:`load_segmenter`.

    The version belongs to what decides whether a result is made again: another dictionary cuts other words.
    """
    installed = _installed(name)
    return f"{PREFIX}{name}@{installed}" if installed else f"{PREFIX}{name}"


def _installed(name: str) -> str:
    try:
        return "+".join(version(package) for package in LIBRARIES[name].packages)
    except PackageNotFoundError:
        return ""


def load_segmenter(spec: str) -> Splitter:
    """The splitter that ``segmenter:NAME`` or ``segmenter:NAME@VERSION`` names.

    UserError if there is no such segmenter, or it is not installed in this version.
    """
    name, _, wanted = spec.removeprefix(PREFIX).partition("@")
    if name not in LIBRARIES:
        raise UserError(f"{PREFIX}{name}", "", "no such segmenter", f"write one of {', '.join(LIBRARIES)}")
    packages = " and ".join(LIBRARIES[name].packages)
    installed = _installed(name)
    if not installed:
        todo = "pip install 'switchrank[segmenters]'"
        raise UserError(f"{PREFIX}{name}", "", f"{packages} must be installed for it", todo)
    if wanted not in ("", installed):
        problem = f"{packages} has version {installed} here, and {wanted} was asked for"
        raise UserError(f"{PREFIX}{name}", "", problem, "install that version, or plan the run anew here")
    try:
        return RunSegmenter(LIBRARIES[name].load())
    except ImportError as error:
        problem = f"{packages} cannot be used ({error})"
        raise UserError(f"{PREFIX}{name}", "", problem, "install the packages again") from error


@dataclass(frozen=True)
class RunSegmenter:
    """Splits text at UAX 29 boundaries, and runs of unspaced characters by ``cut``, if its words joined are the run."""

    cut: Cut

    def __call__(self, text: str) -> Split:
        return split_again(text, self._run, _UNSPACED.match)

    def _run(self, characters: list[str]) -> list[str]:
        run = "".join(characters)
        if len(run) == 1:
            return characters
        pieces: list[str] = []
        try:
            for start in range(0, len(run), LONGEST_RUN):
                for piece in self._pieces(run[start : start + LONGEST_RUN]):
                    if pieces and _ATTACHED.match(piece):
                        pieces[-1] += piece
                    elif piece:
                        pieces.append(piece)
        except UnicodeEncodeError:  # a lone surrogate, which no library takes
            return characters
        return pieces if "".join(pieces) == run else characters

    def _pieces(self, block: str) -> Iterable[str]:
        if unicodedata.is_normalized("NFC", block) and not _INVISIBLE.search(block):
            return self.cut(block)
        units = _UNIT.findall(block)
        shown = [unicodedata.normalize("NFC", _INVISIBLE.sub("", unit)) for unit in units]
        return _regrouped(units, shown, self.cut("".join(shown)))


def _regrouped(units: list[str], shown: list[str], pieces: Iterable[str]) -> list[str]:
    """``units`` joined to words as ``pieces`` joins their visible parts, ``shown``."""
    words = [""]
    ends = iter(pieces)
    left = len(next(ends, ""))
    for unit, visible in zip(units, shown, strict=True):
        if left <= 0:
            words.append("")
            left += len(next(ends, ""))
        words[-1] += unit
        left -= len(visible)
    return words
