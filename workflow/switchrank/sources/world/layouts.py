"""The files of the made-up search task, named plainly, or named and cut as those of MS MARCO and mMARCO are.

Ids are counted through, so that a query keeps its id in all languages: passages from 0, which is line 1 of every
collection, training queries from 1, test queries after them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.core.seeds import generator
from switchrank.search.bm25 import Bm25, best
from switchrank.sources.world.files import search_files
from switchrank.sources.world.grammar import Grammar
from switchrank.sources.world.languages import Language
from switchrank.sources.world.search import Query, Search
from switchrank.text.splitting import language_splitter

Text = tuple[int, str]
"""An id and what it says."""


def write_rows(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    r"""Write ``rows`` as UTF-8 lines, fields between tabs, ``\n`` at the end of each line."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8", newline="\n")


def write_search(folder: Path, search: Search, languages: list[Language], spec: dict[str, Any]) -> None:
    """Write what :func:`switchrank.sources.world.files.search_files` names; ``languages`` has English first."""
    contents = _Contents(search, languages, spec)
    for (kind, *which), name in search_files(spec["layout"], spec["languages"]).items():
        write_rows(folder / name, getattr(contents, kind)(*which))


class _Contents:
    """The rows of each kind of file."""

    def __init__(self, search: Search, languages: list[Language], spec: dict[str, Any]) -> None:
        self._search, self._spec = search, spec
        self._english = languages[0]
        self._grammars = {language.code: Grammar(language) for language in languages}

    def _numbered(self, split: str) -> Iterator[tuple[int, Query]]:
        """The queries of a split with their ids."""
        queries = self._search.queries
        return enumerate(queries[split], 1 if split == "train" else 1 + len(queries["train"]))

    def documents(self, language: str) -> Iterator[Text]:
        """Every passage in a language."""
        say = self._grammars[language].passage
        return ((number, say(passage.clauses)) for number, passage in enumerate(self._search.passages))

    def queries(self, split: str, language: str) -> Iterator[Text]:
        """The queries of a split in a language."""
        say = self._grammars[language].question
        return ((qid, say(query.clause, query.asked)) for qid, query in self._numbered(split))

    def judgements(self, split: str) -> Iterator[tuple[int, int, int, int]]:
        """Query, 0, relevant passage, 1."""
        return ((qid, 0, query.passage, 1) for qid, query in self._numbered(split))

    def topics(self) -> Iterator[Text]:
        """The noun that each passage is about."""
        words = self._english.words
        return ((number, words[passage.topic][0]["sg"]) for number, passage in enumerate(self._search.passages))

    def triples(self) -> list[tuple[int, int, int]]:
        """Query, positive, negative in a random order. Negatives say something of what the query asks, as BM25's do."""
        random, negatives = generator(self._spec["seed"], "world", "triples"), self._spec["triples"]
        speaking: defaultdict[int, set[int]] = defaultdict(set)
        for number, passage in enumerate(self._search.passages):
            for concept in passage.concepts:
                speaking[concept].add(number)
        rows = []
        for qid, query in self._numbered("train"):
            near = sorted(set().union(*(speaking[concept] for concept in query.concepts)) - {query.passage})
            drawn = random.permutation(near).tolist()[:negatives]
            if len(drawn) < negatives:
                others = sorted(set(range(len(self._search.passages))) - {query.passage, *drawn})
                drawn += random.permutation(others).tolist()[: negatives - len(drawn)]
            rows += [(qid, query.passage, negative) for negative in drawn]
        return [rows[place] for place in random.permutation(len(rows)).tolist()]

    @cached_property
    def _first_stage(self) -> list[tuple[int, int, int, str, str]]:
        """The best of each test query by BM25 over English words: query, passage, rank, and both texts."""
        passages = [text for _, text in self.documents("en")]
        questions = list(self.queries("test", "en"))
        index = Bm25(passages, [text for _, text in questions], split=language_splitter(None))
        return [
            (qid, int(number), rank, question, passages[number])
            for place, (qid, question) in enumerate(questions)
            for rank, number in enumerate(best(index.scores(place), self._spec["candidates"]).tolist(), 1)
        ]

    def run(self) -> Iterator[tuple[int, int, int]]:
        """The English first stage as query, passage, rank."""
        return (row[:3] for row in self._first_stage)

    def candidates(self) -> Iterator[tuple[int, int, str, str]]:
        """The English first stage as query, passage, and the text of each."""
        return ((qid, number, question, passage) for qid, number, _, question, passage in self._first_stage)
