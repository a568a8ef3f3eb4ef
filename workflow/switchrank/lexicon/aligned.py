"""Lexicons from parallel text: which words translate each other in lines that do (:mod:`switchrank.lexicon.ibm`)."""

import re
import sys
from array import array
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, read_table
from switchrank.lexicon.derived import write_ranked
from switchrank.lexicon.ibm import Links, Side, link_words
from switchrank.text.equality import lower
from switchrank.text.splitting import language_splitter
from switchrank.text.words import Splitter, key

LONGEST = 200
"""Words of a side; longer lines are left out, since an alignment takes the product of both lengths."""
STRONGEST = 50.0
"""The strongest positional prior; beyond it single precision loses words that are far from the diagonal."""
_PAIR = re.compile(r"([a-z]{2,3})-([a-z]{2,3})")


def induce_from_bitext(
    *,
    bitext: Sequence[str | Path],
    source: str,
    target: str,
    out: str | Path,
    iterations: int = 5,
    k: int = 5,
    min_count: int = 2,
    threshold: float = 0.01,
    prior: float = 4.0,
    source_vocabulary: str | Path | None = None,
    target_vocabulary: str | Path | None = None,
) -> dict[str, int]:
    """Write the lexicon ``out`` (``LEXICON``) of the words that are aligned in lines that translate each other.

    Words are aligned in both directions by IBM model 1 with the positional prior of fast_align
    (:func:`switchrank.lexicon.ibm.link_words`); where both agree they are linked. The score of a translation is the
    share of the links of its source that lead to it. Sources are look-up keys by falling frequency, targets lower-case
    words; of equal scores the more frequent target comes first. Words rarer than ``min_count``, which no pair of the
    lexicon can have, are one word of their language, so that they do not draw what is left of a line to themselves.

    Args:
        bitext: tables of parallel text (``BITEXT``). The name of a table, or of its folder, says which languages its
            sides are in, as in ``de-en/train.parquet``; sides are turned where they are the other way round.
        source: language of the first side.
        target: language of the second.
        out: lexicon to write (.parquet).
        iterations: rounds of expectation maximisation.
        k: translations kept per word.
        min_count: links that a pair of words needs.
        threshold: smallest score kept.
        prior: strength of the positional prior, 0 to 50; 0: words are aligned wherever they stand.
        source_vocabulary: words of the source language: prefix of a vector store for longest matches, or
            segmenter:NAME; default: by Unicode rules.
        target_vocabulary: the same of the target language.

    Returns:
        ``lines`` used, those ``left_out`` because a side has no word or more than 200, ``words`` with a translation,
        ``rows`` written.

    Raises:
        UserError: a table is missing, or of other languages; a setting is out of bounds; nothing is left.

    Example:
        ``induce_from_bitext(bitext=["tatoeba/en-de/train.parquet"], source="en", target="de", out="en-de.parquet")``
    """
    _check(bitext, iterations=iterations, k=k, min_count=min_count, threshold=threshold, prior=prior)
    words = (
        _Words(language_splitter(source_vocabulary), key),
        _Words(language_splitter(target_vocabulary), partial(lower, language=target)),
    )
    left_out = sum(_read(path, (source, target), words) for path in bitext)
    lines = len(words[0].lengths)
    told = f"{lines:,} lines, {left_out:,} left out: a side has no word, or more than {LONGEST}"
    if not lines:
        raise UserError(bitext[0], "", f"nothing to align in {told}", "give parallel text with words on both sides")
    print(f"{source}-{target}: {told}", file=sys.stderr)
    (left, sources), (right, targets) = (side.numbered(min_count) for side in words)
    links = link_words(left, right, iterations=iterations, prior=prior, what="aligning words")
    table = _table(links, sources, targets, k=k, min_count=min_count, threshold=threshold)
    if table.is_empty():
        problem = f"no pair passes (threshold {threshold:g}, min_count {min_count})"
        raise UserError(out, "", problem, "ask for less, or give more lines")
    return {"lines": lines, "left_out": left_out, **write_ranked(table, out)}


def _check(bitext: Sequence[str | Path], **settings: float) -> None:
    if not bitext:
        raise UserError("parallel text", "", "no table", "name one or more")
    bounds = {"threshold": (0, 1), "prior": (0, STRONGEST)}
    for name, value in settings.items():
        low, high = bounds.get(name, (1, np.inf))
        if not low <= value <= high:
            wanted = f"a number from {low} to {high:g}" if name in bounds else "1 or more"
            raise UserError(bitext[0], name, f"{value:g}", f"write {wanted}")


class _Words:
    """The words of lines in one language, numbered as they are met, and of how many words each line is."""

    def __init__(self, split: Splitter, form: Callable[[str], str]) -> None:
        self.split, self._form = split, form
        self._numbers: defaultdict[str, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__
        self._words, self.lengths = array("i"), array("i")

    def add(self, words: Sequence[str]) -> None:
        """Take the words of the next line."""
        self._words.extend(map(self._numbers.__getitem__, words))
        self.lengths.append(len(words))

    def numbered(self, min_count: int) -> tuple[Side, list[str]]:
        """All lines, and the words that occur ``min_count`` times, by falling frequency; others share a number."""
        written = [self._form(word) for word in self._numbers]
        forms = {form: number for number, form in enumerate(dict.fromkeys(written))}
        words = np.array([forms[form] for form in written], dtype=np.int32)[np.frombuffer(self._words, dtype=np.int32)]
        counts = np.bincount(words)
        order = np.argsort(-counts, kind="stable")
        kept = order[counts[order] >= min_count]
        number = np.full(len(counts), len(kept), dtype=np.int32)
        number[kept] = np.arange(len(kept), dtype=np.int32)
        lengths = np.array(self.lengths, dtype=np.int64)
        names = list(forms)
        return Side(number[words], lengths, len(kept) + 1), [names[place] for place in kept]


def _read(path: str | Path, languages: tuple[str, str], words: tuple[_Words, _Words]) -> int:
    """Add the lines of a table to the words of both languages; how many cannot be aligned."""
    table = read_table(path, BITEXT).select("source", "target")
    sides = tuple(reversed(words)) if _turned(path, languages) else words
    left_out = 0
    for texts in table.iter_rows():
        split = [side.split(text)[0] for side, text in zip(sides, texts, strict=True)]
        if all(0 < len(found) <= LONGEST for found in split):
            for side, found in zip(sides, split, strict=True):
                side.add(found)
        else:
            left_out += 1
    return left_out


def _turned(path: str | Path, languages: tuple[str, str]) -> bool:
    """Whether the name of a table, or of its folder, says that its first side is in the second language.

    UserError if it names another pair of languages.
    """
    names = Path(path).stem, Path(path).absolute().parent.name
    named = next(filter(None, map(_PAIR.fullmatch, names)), None)
    if not named or named.groups() == languages:
        return False
    if named.groups() != languages[::-1]:
        asked = "-".join(languages)
        problem = f"parallel text of {named[0]}, and words of {asked} are asked for"
        raise UserError(path, "", problem, f"give the lines of {asked}, or name them or their folder so")
    return True


def _table(
    links: Links, sources: list[str], targets: list[str], *, k: int, min_count: int, threshold: float
) -> pl.DataFrame:
    """Columns ``source``, ``target``, ``score`` of the pairs kept, the best of each source first."""
    every = np.bincount(links.source, links.times, minlength=len(sources) + 1)
    scores = links.times / every[links.source]
    known = (links.source < len(sources)) & (links.target < len(targets))
    kept = np.flatnonzero(known & (links.times >= min_count) & (scores >= threshold))
    kept = kept[np.lexsort((links.target[kept], -scores[kept], links.source[kept]))]
    frame = pl.DataFrame(
        {
            "source": pl.Series(sources, dtype=pl.String).gather(links.source[kept]),
            "target": pl.Series(targets, dtype=pl.String).gather(links.target[kept]),
            "score": scores[kept],
        }
    )
    return frame.filter(pl.int_range(pl.len()).over("source") < k)
