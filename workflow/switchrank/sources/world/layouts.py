"""The files of the made-up search task: plainly named, or named and cut as MS MARCO and mMARCO are.

Ids are counted through, so that a query keeps its id in all languages: passages from 0, which is line 1 of every
collection, training queries from 1, test queries after them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.core.seeds import generator
from switchrank.search.bm25 import Bm25, best
from switchrank.sources.world.files import MMARCO_SPLITS
from switchrank.sources.world.grammar import Grammar
from switchrank.sources.world.languages import Language
from switchrank.sources.world.rows import write_rows
from switchrank.sources.world.search import Query, Search
from switchrank.text.splitting import language_splitter

Text = tuple[int, str]
"""An id and what it says."""


def _passages(search: Search, language: Language) -> Iterator[Text]:
    grammar = Grammar(language)
    return ((number, grammar.passage(passage.clauses)) for number, passage in enumerate(search.passages))


def _numbered(search: Search, split: str) -> Iterator[tuple[int, Query]]:
    """The queries of a split with their ids."""
    return enumerate(search.queries[split], 1 if split == "train" else 1 + len(search.queries["train"]))


def _questions(search: Search, split: str, language: Language) -> Iterator[Text]:
    grammar = Grammar(language)
    return ((qid, grammar.question(query.clause, query.asked)) for qid, query in _numbered(search, split))


def _judged(search: Search, split: str) -> Iterator[tuple[int, int, int, int]]:
    return ((qid, 0, query.passage, 1) for qid, query in _numbered(search, split))


def write_plain(folder: Path, search: Search, languages: list[Language]) -> None:
    """Write ``msmarco/``: collections, queries, judgements, and topics (the noun each passage is about)."""
    for language in languages:
        write_rows(folder / f"msmarco/collection.{language.code}.tsv", _passages(search, language))
        for split in search.queries:
            write_rows(folder / f"msmarco/queries.{split}.{language.code}.tsv", _questions(search, split, language))
    for split in search.queries:
        write_rows(folder / f"msmarco/qrels.{split}.tsv", _judged(search, split))
    english = languages[0].words
    topics = ((number, english[passage.topic][0]["sg"]) for number, passage in enumerate(search.passages))
    write_rows(folder / "msmarco/topics.tsv", topics)


def write_mmarco(
    folder: Path, search: Search, languages: list[Language], *, seed: int, triples: int, candidates: int
) -> None:
    """Write ``mmarco/``, as MS MARCO and mMARCO name and fill it; ``languages`` has English first.

    ``triples`` are the negatives of each training query in ``triples.train.ids.small.tsv``, ``candidates`` the
    passages of each test query in the run and in ``top1000.dev``: the best by BM25 over English words.
    """
    for language in languages:
        name = MMARCO_NAMES[language.code]
        write_rows(folder / f"mmarco/collections/{name}_collection.tsv", _passages(search, language))
        for split, (place, called) in MMARCO_SPLITS.items():
            path = folder / f"mmarco/queries/{place}/{name}_queries.{called}.tsv"
            write_rows(path, _questions(search, split, language))
    for split, (_, called) in MMARCO_SPLITS.items():
        write_rows(folder / f"mmarco/qrels.{called}.tsv", _judged(search, split))
    write_rows(folder / "mmarco/triples.train.ids.small.tsv", _triples(search, seed, triples))
    _write_first_stage(folder, search, languages[0], candidates)


def _triples(search: Search, seed: int, negatives: int) -> list[tuple[int, int, int]]:
    """Query, positive, negative in a random order. Negatives say something of what the query asks, as BM25's do."""
    random = generator(seed, "world", "triples")
    speaking: defaultdict[int, set[int]] = defaultdict(set)
    for number, passage in enumerate(search.passages):
        for concept in passage.concepts:
            speaking[concept].add(number)
    rows = []
    for qid, query in _numbered(search, "train"):
        near = sorted(set().union(*(speaking[concept] for concept in query.concepts)) - {query.passage})
        drawn = random.permutation(near).tolist()[:negatives]
        have = {query.passage, *drawn}
        if len(drawn) < negatives:
            others = random.permutation([number for number in range(len(search.passages)) if number not in have])
            drawn += others.tolist()[: negatives - len(drawn)]
        rows += [(qid, query.passage, negative) for negative in drawn]
    return [rows[place] for place in random.permutation(len(rows)).tolist()]


def _write_first_stage(folder: Path, search: Search, english: Language, candidates: int) -> None:
    """The English BM25 ranking of each test query, in MS MARCO's two shapes."""
    passages = [text for _, text in _passages(search, english)]
    questions = list(_questions(search, "test", english))
    index = Bm25(passages, [text for _, text in questions], split=language_splitter(None))
    found = [
        (qid, int(number), rank, question, passages[number])
        for place, (qid, question) in enumerate(questions)
        for rank, number in enumerate(best(index.scores(place), candidates).tolist(), 1)
    ]
    write_rows(folder / "mmarco/runs/run.bm25_english-msmarco.txt", (row[:3] for row in found))
    write_rows(folder / "mmarco/top1000.dev", ((*row[:2], *row[3:]) for row in found))
