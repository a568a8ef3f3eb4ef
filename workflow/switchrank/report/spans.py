"""Which words of a switched text were switched, and into which language.

English and switched words are aligned at least cost, left to right: a kept word costs nothing, a lexicon entry (of a
phrase, too) almost nothing, anything else a lot. What is not kept is switched; a word that was replaced by the same
string cannot be told from one that was kept. The language of a switched word is that of its side where the side has
one; in a mixed side it is the language whose lexicon holds the entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.formats.tables import LEXICON, read_table
from switchrank.text.words import join_words, key, split_words

MIXED = "xx"
LONGEST_PHRASE = 3
LONGEST_TARGET = 8
"""Words of a translation; a character counts as a word where text has no spaces."""
ENTRY, OTHER_CASE, UNEXPLAINED, ONE_SIDED = 0.1, 0.2, 1.0, 1.5
GROWTH = 3
"""How many times longer than the English the switched words may be, when only the beginning of a text is shown."""
Lexicon = Mapping[str, Mapping[str, Sequence[str]]]
"""English key to target key to the languages whose lexicon holds that translation."""


@dataclass(frozen=True)
class Span:
    """A stretch of switched text. ``languages`` is None for kept text; a switched span has one language, several when
    lexicons agree on the string, or none when no lexicon explains it. ``original`` is the English behind it."""

    text: str
    languages: tuple[str, ...] | None = None
    original: str = ""


@dataclass(frozen=True)
class Step:
    """``size`` English words become ``width`` switched words; ``languages`` as in :class:`Span`."""

    size: int
    width: int
    cost: float
    languages: tuple[str, ...] | None


def read_lexicons(lexicons: Mapping[str, str | Path], texts: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The entries of ``lexicons`` (language to LEXICON file) whose source occurs in ``texts``.

    Raises:
        UserError: a file is missing or no lexicon.
    """
    wanted = sorted({phrase for text in texts for phrase in _phrases(split_words(text)[0])})
    found: dict[str, dict[str, list[str]]] = {}
    for language, path in lexicons.items():
        entries = read_table(path, LEXICON).filter(pl.col("source").is_in(wanted))
        for source, target in entries.select("source", "target").iter_rows():
            languages = found.setdefault(source, {}).setdefault(key(target), [])
            if language not in languages:
                languages.append(language)
    return found


def switched_spans(
    original: str, switched: str, language: str, lexicon: Lexicon, words: int | None = None
) -> list[Span]:
    """``switched`` cut into spans; their texts joined are ``switched``.

    Args:
        original: the English text.
        switched: its switched version.
        language: language of the whole side, or ``xx``.
        lexicon: from :func:`read_lexicons`; it also helps to align sides of one language.
        words: only what became of the first ``words`` English words, then an ellipsis.
    """
    before = split_words(original)[0]
    after, gaps = split_words(switched)
    cut = words is not None and len(before) > words
    if cut:
        before, after = before[:words], after[: GROWTH * (words or 0)]
    spans, here, start = [Span(gaps[0])], 0, 0
    for step in _alignment(before, after, gaps, lexicon, whole=not cut):
        end = start + step.width
        text = join_words(after[start:end], ["", *gaps[start + 1 : end], ""]) if step.width else ""
        known = None if step.languages is None else step.languages if language == MIXED else (language,)
        spans += [Span(text, known, " ".join(before[here : here + step.size])), Span(gaps[end] if step.width else "")]
        here, start = here + step.size, end
    return _merged([*spans[: -1 if cut else None], *([Span(" …")] if cut else [])])


def shorten(text: str, words: int) -> str:
    """``text`` up to its first ``words`` words, with an ellipsis where something was left out."""
    inside, gaps = split_words(text)
    return text if len(inside) <= words else join_words(inside[:words], [*gaps[:words], ""]) + " …"


def _phrases(words: Sequence[str]) -> Iterator[str]:
    keys = [key(word) for word in words]
    for size in range(1, LONGEST_PHRASE + 1):
        for start in range(len(keys) - size + 1):
            yield " ".join(keys[start : start + size])


def _alignment(
    before: Sequence[str], after: Sequence[str], gaps: Sequence[str], lexicon: Lexicon, *, whole: bool
) -> list[Step]:
    """The cheapest steps through all of ``before`` and, if ``whole``, all of ``after`` (else its best beginning)."""
    best: dict[tuple[int, int], tuple[float, Step | None]] = {(0, 0): (0.0, None)}
    # Keys of the 1, 2, ... switched words that begin at each place.
    targets = [
        [
            key(join_words(list(after[start:end]), ["", *gaps[start + 1 : end], ""]))
            for end in range(start + 1, min(start + LONGEST_TARGET, len(after)) + 1)
        ]
        for start in range(len(after) + 1)
    ]
    for here in range(len(before) + 1):
        entries = _entries(before, here, lexicon)
        for start in range(len(after) + 1):
            if (here, start) not in best:
                continue
            for step in _steps(before[here : here + 1], after[start : start + 1], entries, targets[start]):
                place, cost = (here + step.size, start + step.width), best[here, start][0] + step.cost
                if place not in best or cost < best[place][0] - 1e-9:
                    best[place] = (cost, step)
    ends = [len(after)] if whole else range(len(after) + 1)
    place = (len(before), min(ends, key=lambda end: best[len(before), end][0]))
    steps: list[Step] = []
    while (step_here := best[place][1]) is not None:
        steps.append(step_here)
        place = (place[0] - step_here.size, place[1] - step_here.width)
    return steps[::-1]


def _entries(before: Sequence[str], here: int, lexicon: Lexicon) -> list[tuple[int, Mapping[str, Sequence[str]]]]:
    """Translations of the phrases that begin at ``here``, by their size in words."""
    keys = [key(word) for word in before[here : here + LONGEST_PHRASE]]
    phrases = [(size, " ".join(keys[:size])) for size in range(1, len(keys) + 1)]
    return [(size, lexicon[phrase]) for size, phrase in phrases if phrase in lexicon]


def _steps(
    english: Sequence[str],
    switched: Sequence[str],
    entries: Sequence[tuple[int, Mapping[str, Sequence[str]]]],
    targets: Sequence[str],
) -> Iterator[Step]:
    """The steps from one place: keep, translate by an entry, translate somehow, drop a word, add a word."""
    if english and switched:
        if english[0] == switched[0]:
            yield Step(1, 1, 0.0, None)
        elif key(english[0]) == key(switched[0]):
            yield Step(1, 1, OTHER_CASE, None)
        else:
            yield Step(1, 1, UNEXPLAINED, ())
    for size, translations in entries:
        for width, target in enumerate(targets, start=1):
            if target in translations:
                yield Step(size, width, ENTRY, tuple(translations[target]))
    if english:
        yield Step(1, 0, ONE_SIDED, None)
    if switched:
        yield Step(0, 1, ONE_SIDED, ())


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if span.languages is None and merged and merged[-1].languages is None:
            merged[-1] = Span(merged[-1].text + span.text)
        elif span.text:
            merged.append(Span(span.text) if span.languages is None else span)
    return merged
