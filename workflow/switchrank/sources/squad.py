"""A collection from SQuAD-style JSON: SQuAD v1.1, and XQuAD-R whose paragraphs bring their own sentences.

Formats: Rajpurkar et al. 2016 (arXiv 1606.05250); Roy et al. 2020, LAReQA (arXiv 2004.05484, repository
google-research-datasets/lareqa). Ids are made from positions, so files that are parallel give parallel ids:
``<split>-<article>-<paragraph>``, counted from 0, and ``<split>-<article>-<paragraph>-<sentence>`` for sentences. A
query's group, and a document's, is the title of its article in the source language.

Relevant is the paragraph a question belongs to, or the sentences in which its answers start. Documents with equal text
stay separate, and only the one at the answer's place is relevant.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, write_table
from switchrank.reading import read_text
from switchrank.sources.notes import note
from switchrank.sources.sentences import sentence_spans
from switchrank.sources.spec import CollectionSpec
from switchrank.sources.tables import Parsed

Json = dict[str, Any]
_NOWHERE = -1
"""The answer_start that CMRC 2018 gives an answer that its paragraph does not hold word by word."""


@dataclass(frozen=True)
class Unit:
    """A stretch of a paragraph that is one document: its id, its text, and where in the paragraph it ends."""

    docid: str
    text: str
    end: int


def read_collection(spec: CollectionSpec, files: Mapping[str, str], folder: Path) -> Parsed:
    """Read a collection; its DOCUMENTS are written into ``folder`` on the way.

    Raises:
        UserError: a defect of a file, or files of one split that are not parallel.
    """
    read: dict[tuple[str, str], SquadFile] = {}
    for split in spec.splits:
        titles: list[str] = []
        for language in sorted(spec.languages, key=lambda language: language != spec.source):
            if f"{split}/{language}" in files:
                file = SquadFile(files[f"{split}/{language}"], language, split, spec.documents_as)
                titles = titles or file.titles
                file.read(titles)
                read[split, language] = file
        _check_parallel([file for (name, _), file in read.items() if name == split])
    documents = {language: _write_documents(language, spec, read, folder) for language in spec.languages}
    asked = [(split, language) for split in spec.splits for language in spec.query_languages(split)]
    return Parsed(
        queries={role: pl.DataFrame(read[role].queries, schema=QUERIES, orient="row") for role in asked},
        judgements={role: pl.DataFrame(read[role].judgements, schema=JUDGEMENTS, orient="row") for role in asked},
        documents=documents,
    )


def _write_documents(
    language: str, spec: CollectionSpec, read: Mapping[tuple[str, str], SquadFile], folder: Path
) -> int:
    rows = [row for split in spec.splits if (split, language) in read for row in read[split, language].documents]
    write_table(pl.DataFrame(rows, schema=DOCUMENTS, orient="row"), folder / f"documents-{language}.parquet", DOCUMENTS)
    return len(rows)


def _check_parallel(files: list[SquadFile]) -> None:
    """Ids are positions: a question that two languages share must belong to the same paragraph number in both."""
    for file in files[1:]:
        for qid, paragraph in file.home.items():
            expected = files[0].home.get(qid, paragraph)
            if paragraph != expected:
                problem = f"belongs to paragraph {paragraph} here and to {expected} in {files[0].path}"
                raise UserError(file.path, f"question {qid}", problem, "give files with equal paragraph order")


@dataclass
class SquadFile:
    """One file, read into rows of the three tables.

    Attributes:
        path, language, split, documents_as: where the rows come from and what a document is.
        documents, queries, judgements: rows in file order, after :meth:`read`.
        home: the paragraph id of each question.
        lost: counts of what was left out or is doubtful, by reason.
    """

    path: str
    language: str
    split: str
    documents_as: str
    documents: list[tuple[str, str, str]] = field(default_factory=list)
    queries: list[tuple[str, str, str]] = field(default_factory=list)
    judgements: list[tuple[str, str, int]] = field(default_factory=list)
    home: dict[str, str] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        try:
            content = json.loads(read_text(self.path))
        except json.JSONDecodeError as error:
            place = f"line {error.lineno} column {error.colno}"
            raise UserError(self.path, place, f"not JSON ({error.msg})", "give SQuAD-style JSON") from error
        self.articles: list[Json] = self._member(content, "data", list, "top level")

    @property
    def titles(self) -> list[str]:
        """Titles of the articles; an article without one is called by its number."""
        found = [article.get("title") if isinstance(article, dict) else None for article in self.articles]
        return [str(title or f"article {number}") for number, title in enumerate(found)]

    def read(self, titles: list[str]) -> None:
        """Fill the rows; ``titles`` (the source language's) name the groups.

        Raises:
            UserError: a missing or wrong member, a question id twice, an answer outside its paragraph, no document.
        """
        for number, article in enumerate(self.articles):
            group = titles[number] if number < len(titles) else self.titles[number]
            paragraphs = self._member(article, "paragraphs", list, f"data[{number}]")
            for index, paragraph in enumerate(paragraphs):
                place = f"data[{number}].paragraphs[{index}]"
                self._read_paragraph(f"{self.split}-{number}-{index}", group, paragraph, place)
        if not self.documents:
            raise UserError(self.path, "", "holds no document", "give a file with paragraphs")
        for reason, count in self.lost.items():
            note(self.path, count, reason)

    def _read_paragraph(self, paragraph_id: str, group: str, paragraph: Json, place: str) -> None:
        context = self._member(paragraph, "context", str, place)
        units = list(self._units(paragraph_id, context, paragraph, place))
        kept = {unit.docid for unit in units if unit.text.strip()}
        self._lose("empty documents left out", len(units) - len(kept))
        self.documents += [(unit.docid, unit.text, group) for unit in units if unit.docid in kept]
        for index, question in enumerate(self._member(paragraph, "qas", list, place)):
            qid = self._identifier(question, f"{place}.qas[{index}]")
            if qid in self.home:
                problem = f"id twice, in paragraphs {self.home[qid]} and {paragraph_id}"
                raise UserError(self.path, f"question {qid}", problem, "keep one question of each id")
            if qid.split() != [qid]:
                raise UserError(self.path, f"{place}.qas[{index}]", f"id {qid!r}", "write an id without white space")
            self.home[qid] = paragraph_id
            text = self._member(question, "question", str, f"question {qid}")
            if not text.strip():
                self._lose("empty questions left out")
                continue
            self.queries.append((qid, text, group))
            relevant = self._relevant(qid, question, context, units)
            self.judgements += [(qid, docid, 1) for docid in relevant if docid in kept]
            self._lose("judgements left out: their document is empty", sum(docid not in kept for docid in relevant))

    def _units(self, paragraph_id: str, context: str, paragraph: Json, place: str) -> Iterator[Unit]:
        """The documents of a paragraph; a blank one is an empty document that holds every answer."""
        if not context.strip():
            yield Unit(paragraph_id, "", sys.maxsize)
        elif self.documents_as == "paragraphs":
            yield Unit(paragraph_id, context, len(context))
        elif "sentences" in paragraph:
            sentences = self._member(paragraph, "sentences", list, place)
            breaks = self._member(paragraph, "sentence_breaks", list, place)
            pairs = all(isinstance(pair, list) and [type(end) for end in pair] == [int, int] for pair in breaks)
            if len(sentences) != len(breaks) or not pairs:
                problem = f"sentence_breaks do not fit the {len(sentences)} sentences"
                raise UserError(self.path, place, problem, "give one [start, end] pair per sentence")
            for number, (sentence, (_, end)) in enumerate(zip(sentences, breaks, strict=True)):
                yield Unit(f"{paragraph_id}-{number}", str(sentence), end)
        else:
            for number, (start, end) in enumerate(sentence_spans(context, self.language)):
                yield Unit(f"{paragraph_id}-{number}", context[start:end], end)

    def _relevant(self, qid: str, question: Json, context: str, units: list[Unit]) -> list[str]:
        """Ids of the relevant units, without repetition, in order of the answers."""
        relevant: dict[str, None] = {}
        for answer in self._member(question, "answers", list, f"question {qid}"):
            start = self._offset(answer, f"question {qid}")
            text = self._member(answer, "text", str, f"question {qid}")
            if start == _NOWHERE and self.documents_as == "sentences":
                self._lose("answers left out: they stand nowhere in their paragraph (answer_start -1)")
                continue
            start = 0 if start == _NOWHERE else start
            if not context.startswith(text, start):
                self._lose("answers do not stand at their answer_start; the offset is trusted")
            holder = next((unit.docid for unit in units if 0 <= start < unit.end), None)
            if holder is None:
                problem = f"answer_start {start} is outside the paragraph's {len(context)} characters"
                raise UserError(self.path, f"question {qid}", problem, "correct the offset")
            relevant[holder] = None
        return list(relevant)

    def _lose(self, reason: str, count: int = 1) -> None:
        self.lost[reason] = self.lost.get(reason, 0) + count

    def _identifier(self, question: Any, place: str) -> str:
        """A question's id: a string, or a whole number as in TQuAD."""
        found = question.get("id") if isinstance(question, dict) else None
        return str(found) if type(found) is int else str(self._member(question, "id", str, place))

    def _offset(self, answer: Any, place: str) -> int:
        """Where an answer starts: a whole number, or one written as a string as in TQuAD."""
        found = answer.get("answer_start") if isinstance(answer, dict) else None
        if isinstance(found, str) and found.isascii() and found.isdigit():
            return int(found)
        return int(self._member(answer, "answer_start", int, place))

    def _member(self, value: Any, key: str, kind: type[Any], place: str) -> Any:
        found = value.get(key) if isinstance(value, dict) else None
        if not isinstance(found, kind):
            problem = f"no member {key!r} that is a {kind.__name__}"
            raise UserError(self.path, place, problem, "give SQuAD-style JSON")
        return found
