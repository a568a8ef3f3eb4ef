from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from switchrank.collections.pairs.reader import TSV, Names, text_rows
from switchrank.identify.kinds import IDS, Look, Row, Rows, Sign, json_lines
from switchrank.identify.source import Source, words_in

ASKED = ("question", "query", "anchor")
ANSWERED = ("answer", "positive", "passage", "context", "document", "text")
_FEW_WORDS = 4
_NO_PASSAGES = (
    "answers of few words are no passages to rank: for open questions (format: questions) write each as a list of texts"
)
_LONG = 12
"""Words of what is a passage and no name."""


def pair_of(names: Sequence[str]) -> tuple[str, str] | None:
    """The columns that hold a query and its passage, where both are there."""
    called = {name.strip().lower(): name for name in names}
    asked = next((called[name] for name in ASKED if name in called), None)
    answered = next((called[name] for name in ANSWERED if name in called), None)
    return (asked, answered) if asked and answered else None


def _read(names: Names, negatives: bool, **layout: Any) -> Rows:
    def rows(path: str, look: Look) -> Iterator[Row]:
        short = 0
        read = text_rows(path, names, negatives=negatives, defect=look.problems.take, **layout)
        for number, (place, (query, positive, others)) in enumerate(read, 1):
            short += len(positive.split()) if number <= 200 else 0
            yield place, None, (query, positive, *others)
        if not negatives and short < _FEW_WORDS * min(200, max(1, look.found.rows)):
            look.found.notes.append(_NO_PASSAGES)
        look.found.values |= {"asked": names.query, "answered": names.positive, "negative": names.negative}

    return rows


def _are_triples(source: Source) -> bool:
    table = source.columns
    return table.width == 3 and not table.of_ids and min(table.mean(1, words_in), table.mean(2, words_in)) > _LONG


def _one_of(signs: Sequence[Sign]) -> Sign:
    """Signs of equal rank as one."""

    def rows(path: str, look: Look) -> Iterable[Row]:
        return next(sign for sign in signs if sign.fits(look.source)).rows(path, look)

    return Sign(signs[0].sure, lambda source: any(sign.fits(source) for sign in signs), rows)


_TRIPLES = (("query", "doc_pos", "doc_neg"), ("query", "pos", "neg"), ("query", "positive", "negative"))
_PAIRS = tuple(product(ASKED, ANSWERED[:4]))
KINDS = {
    "msmarco-triples-text": Sign(IDS + 3, _are_triples, _read(Names(), True, **TSV)),
    "text-triples": _one_of([json_lines(names, _read(Names(*names), True)) for names in _TRIPLES]),
    "text-pairs": _one_of([json_lines(names, _read(Names(*names), False), strings=names) for names in _PAIRS]),
}
