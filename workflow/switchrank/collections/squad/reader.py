"""Reads a collection from SQuAD-style JSON files: questions in one language, paragraphs in the same or another one.

A role ``<split>/<language>`` is a file of questions and paragraphs in one language; ``<split>/<query>/<document>`` one
whose questions are in one language and whose paragraphs are in another, as MLQA and BiPaR have them.

Two ways to know what belongs together:

- ``parallel``: files are translations of each other, paragraph by paragraph (XQuAD, XQuAD-R, BiPaR). Ids are places:
  ``<split>-<article>-<paragraph>``, counted from 0, and ``<split>-<article>-<paragraph>-<sentence>`` for sentences. A
  query's group, and a document's, is the title of its article in the source language. Documents with equal text stay
  separate, and only the one at the answer's place is relevant.
- not ``parallel``: files share question ids only (MLQA, MLQA-R, SQuAD beside SQuAD-it). Each language has documents of
  its own, ``<split>-<number>[-<sentence>]``, one for each different paragraph; a split keeps the questions that it has
  in all its languages.

Relevant is the paragraph a question belongs to, or the sentences in which its answers start; or, by choice, every
document that holds an answer (:mod:`switchrank.collections.answers`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from switchrank.collections.answers import judge_by_answers
from switchrank.collections.notes import note
from switchrank.collections.spec import CollectionSpec, Parsed, Relevance, check_sides
from switchrank.collections.squad.file import Paragraph, SquadFile
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, Schema, write_table

check_roles = check_sides
_NOT_PARALLEL = "give files with equal paragraph order, or set parallel: false"
_Rows = dict[str, dict[str, tuple[str, str]]]
"""Text and group by language and id."""


def read_collection(
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    parallel: bool = True,
    relevance: Relevance = "gold",
    question_id: Callable[[str], str] = str,
) -> Parsed:
    """Read a collection.

    Args:
        spec, files, folder: as :func:`switchrank.collections.formats.read_files` takes them.
        parallel: whether files are parallel paragraph by paragraph, or by question ids only.
        relevance: ``gold`` is the place of the answer, ``answer`` every document that holds an answer.
        question_id: makes the id that a question goes by from the one in its file.

    Raises:
        UserError: a defect of a file, or files of one split that are not parallel.
    """
    splits = {}
    for split in spec.splits:
        asked = spec.query_languages(split)
        splits[split] = rows = SplitRows(split, parallel, asked)
        for query, document, path in _sides(split, files, spec.source):
            read = SquadFile(path, document, split, spec.documents_as, question_id, spec.max_skipped).read()
            rows.add(path, query if query in asked else None, document, read)
        rows.finish()
    parsed = Parsed({}, {}, {}, relevance=relevance)
    for language in spec.languages:
        table = _frame([rows.documents.get(language, {}) for rows in splits.values()], DOCUMENTS)
        write_table(table, folder / f"documents-{language}.parquet", DOCUMENTS)
        parsed.documents[language] = len(table)
    for split, rows in splits.items():
        for language in rows.asked:
            parsed.queries[split, language] = _frame([rows.queries.get(language, {})], QUERIES)
        for language in spec.languages:
            parsed.judgements[split, language] = rows.judgements(language, relevance, folder)
    return parsed


def _frame(parts: list[dict[str, tuple[str, str]]], schema: Schema) -> pl.DataFrame:
    return pl.DataFrame([(name, *row) for part in parts for name, row in part.items()], schema=schema, orient="row")


@dataclass
class SplitRows:
    """The rows of one split, gathered file by file.

    Attributes:
        split, parallel: as in :func:`read_collection`.
        asked: languages whose questions are wanted.
        documents, queries: text and group by language and id.
        judged, answers: the relevant documents, and the answers, by document language and question id.
        home: the paragraph of each question, and the file that said so first (parallel files).
        titles: titles of the first file's articles, which name the groups (parallel files).
        names: ids by text of the paragraphs of each language (other files).
    """

    split: str
    parallel: bool
    asked: list[str]
    documents: _Rows = field(default_factory=dict)
    queries: _Rows = field(default_factory=dict)
    judged: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    answers: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    home: dict[str, tuple[str, str]] = field(default_factory=dict)
    titles: dict[int, str] = field(default_factory=dict)
    names: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, path: str, query: str | None, document: str, paragraphs: list[Paragraph]) -> None:
        """Take the rows of one file; ``query`` is None where its questions are not wanted."""
        first = not self.titles
        for paragraph in paragraphs:
            if first:
                self.titles[paragraph.article] = paragraph.title
            name = self._name(document, paragraph)
            group = self.titles.get(paragraph.article, paragraph.title) if self.parallel else paragraph.title
            docids = [name if unit.number is None else f"{name}-{unit.number}" for unit in paragraph.units]
            rows = self.documents.setdefault(document, {})
            for docid, unit in zip(docids, paragraph.units, strict=True):
                if unit.text and rows.setdefault(docid, (unit.text, group))[0] != unit.text:
                    problem = f"paragraph {name} has another text than in the other file of {document} paragraphs"
                    raise UserError(path, "", problem, _NOT_PARALLEL)
            for question in paragraph.questions:
                home, where = self.home.setdefault(question.qid, (name, path))
                if self.parallel and name != home:  # ids are places, in every file
                    problem = f"belongs to paragraph {name} here and to {home} in {where}"
                    raise UserError(path, f"question {question.qid}", problem, _NOT_PARALLEL)
                if query is not None:
                    self.queries.setdefault(query, {}).setdefault(question.qid, (question.text, group))
                found = self.judged.setdefault(document, {}).setdefault(question.qid, [])
                found += [docids[place] for place in question.relevant if docids[place] not in found]
                self.answers.setdefault(document, {}).setdefault(question.qid, []).extend(question.answers)

    def _name(self, document: str, paragraph: Paragraph) -> str:
        if self.parallel:
            return f"{self.split}-{paragraph.article}-{paragraph.index}"
        names = self.names.setdefault(document, {})
        return names.setdefault(paragraph.text, f"{self.split}-{len(names)}")

    def finish(self) -> None:
        """Keep, of files that share question ids only, the questions that all languages have."""
        if self.parallel:
            return
        sides = [self.queries.get(language, {}) for language in self.asked]
        common = set(self.home).intersection(*sides, *self.judged.values())
        for language, queries in self.queries.items():
            kept = {qid: row for qid, row in queries.items() if qid in common}
            reason = "questions left out: they are not in all languages of the collection"
            note(f"queries {self.split} {language}", len(queries) - len(kept), reason)
            self.queries[language] = kept
        for table in (self.judged, self.answers):
            for language, rows in table.items():
                table[language] = {qid: row for qid, row in rows.items() if qid in common}

    def judgements(self, language: str, relevance: Relevance, folder: Path) -> pl.DataFrame:
        """JUDGEMENTS over the documents of a language, which are in ``folder`` by now."""
        if relevance == "answer":
            path = folder / f"documents-{language}.parquet"
            return judge_by_answers(path, self.answers.get(language, {}), what=f"answers {self.split} {language}")
        rows = [(qid, docid, 1) for qid, docids in self.judged.get(language, {}).items() for docid in docids]
        return pl.DataFrame(rows, schema=JUDGEMENTS, orient="row")


def _sides(split: str, files: Mapping[str, str], source: str) -> list[tuple[str, str, str]]:
    """Files of a split as ``(query language, document language, path)``: all in the source language first."""
    found = []
    for role, path in files.items():
        name, *sides = role.split("/")
        if name == split:
            found.append((sides[0], sides[-1], path))
    return sorted(found, key=lambda side: (side[:2] != (source, source), side[1] != source, side[0] != side[1]))
