"""Reads a collection from AfriQA: questions in an African language, their translation, English or French passages.

Format: one JSON object a line, ``id``, ``question_lang``, ``question_translated``, ``title``, ``context`` (null where
no passage was found), ``answer_pivot`` with the lists ``text`` and ``answer_start`` (Ogundepo et al. 2023, arXiv
2305.06897; repository masakhane-io/afriqa, ``data/gold_passages``). What is missing is ``null`` or ``NaN``.

A role ``<split>/<query>/<document>`` is a file of questions with their passages; a role ``documents/<document>/<name>``
is another such file of which only the passages are taken, as more to search in. Equal title and text are one document,
named after the first question that it was found for: ``<split>-<query>-<id>`` or ``<name>-<id>``. A question's id is
``<split>-<query>-<id>``; its translation, a query in the document language, goes by the same id. Groups are titles.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.collections.answers import judge_by_answers
from switchrank.collections.notes import Skipped, left_out
from switchrank.collections.spec import CollectionSpec, Parsed, Relevance, refuse_triples
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.json_values import Place, read_json_lines
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, write_table

_WANTED = "give AfriQA's gold passages, one JSON object a line"


@dataclass(frozen=True)
class Record:
    """One line: the id, both questions, the passage and its title (empty where missing), the answers."""

    name: str
    question: str
    translation: str
    title: str
    context: str
    answers: list[str]


def check_roles(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError for a language without a file, or test questions that are no translations of each other.

    Those would count as each other's failures.
    """
    refuse_triples(spec, files)
    for role in files:
        if role.count("/") != 2:
            raise UserError("collection", f"files.{role}", "unknown role", "write split/query/document languages")
    roles = [role.split("/") for role in files]
    asked = sorted({query for split, query, _ in roles if split == "test"})
    if len(asked) > 1:
        problem = f"test questions in {' and '.join(asked)}, which are not translations of each other"
        raise UserError("collection", "files", problem, "declare a collection for each language")
    found = {(f"{split} questions", language) for split, *sides in roles for language in sides}
    found |= {("passages", first if split == "documents" else second) for split, first, second in roles}
    needed = [(f"{split} questions", language) for split in spec.splits for language in spec.query_languages(split)]
    for what, language in [*needed, *(("passages", language) for language in spec.languages)]:
        if (what, language) not in found:
            raise UserError("collection", "files", f"no file with {what} in {language}", "add one or drop the language")


def read_collection(
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    relevance: Relevance = "gold",
    titles: bool = False,
) -> Parsed:
    """Read a collection; relevant is the passage of a question, or every passage that holds one of its answers.

    ``titles`` puts the title and a space before the text of a passage.
    """
    check_roles(spec, files)
    rows = AfriqaRows(spec.max_skipped)
    for split in [*spec.splits, "documents"]:
        for role, path in files.items():
            kind, first, second = role.split("/")
            if kind == split == "documents":
                for record in read_records(path, spec.max_skipped):
                    rows.docid(record, first, f"{second}-{record.name}")
            elif kind == split:
                rows.add_questions(path, split, first, second)
    parsed = Parsed({}, {}, {}, relevance=relevance)
    for language in spec.languages:
        out = folder / f"documents-{language}.parquet"
        table = [  # a passage without a title is a group of its own
            (docid, f"{title} {context}" if titles and title else context, title or docid)
            for (title, context), docid in rows.passages[language].items()
        ]
        write_table(pl.DataFrame(table, schema=DOCUMENTS, orient="row"), out, DOCUMENTS)
        parsed.documents[language] = len(table)
    for side, asked in rows.queries.items():
        parsed.queries[side] = pl.DataFrame(asked, schema=QUERIES, orient="row")
    for (split, language), judged in rows.judged.items():
        if relevance == "answer":
            documents, answers = folder / f"documents-{language}.parquet", rows.answers[split, language]
            found = judge_by_answers(documents, answers, what=f"answers {split} {language}")
        else:
            found = pl.DataFrame(judged, schema=JUDGEMENTS, orient="row")
        parsed.judgements[split, language] = found
    return parsed


def read_records(path: str | Path, max_skipped: float = 1.0) -> Iterator[Record]:
    """Yield the records that have a passage; the others, at most a share ``max_skipped``, are counted at the end."""
    lost = total = 0
    for _, record in all_records(path):
        total += 1
        if record.context:
            yield record
        else:
            lost += 1
    if lost == total:
        raise UserError(path, "", "holds no passage", _WANTED)
    left_out(path, lost, total, "records left out: they have no passage", max_skipped)


def all_records(path: str | Path, defect: Defect = refuse) -> Iterator[tuple[str, Record]]:
    """Yield ``(place, record)`` of all lines, with or without a passage; one that is no record goes to ``defect``."""
    sieve, seen = Sieve(defect), dict[str, str]()
    for place, given in read_json_lines(path, _WANTED, defect):
        with sieve:
            record = _record(given, place)
            place.once(record.name, seen)
            yield place.place, record


def _record(given: dict[str, Any], place: Place) -> Record:
    name = place.identifier(given)
    keys = ("question_lang", "question_translated", "title", "context")
    question, translation, title, context = (_text(given.get(key), place.at(repr(key))) for key in keys)
    answers: list[str] = []
    if context:
        pivot = place.member(given, "answer_pivot", dict)
        answers = [_text(text, place) for text in place.member(pivot, "text", list)]
    return Record(name, question, translation, title, context, [*filter(None, answers)])


def _text(value: Any, place: Place) -> str:
    """A text; empty if it is null, NaN or nothing but white space."""
    if value is None or value != value:
        return ""
    if not isinstance(value, str):
        raise place.error("not a text")
    return value if value.strip() else ""


class AfriqaRows:
    """The rows of a collection, gathered file by file; a file may lack ``max_skipped`` of its passages or questions.

    Attributes:
        passages: ids of documents by language, then title and text.
        queries: rows of QUERIES by split and query language.
        judged: rows of JUDGEMENTS by split and document language.
        answers: answers by split and document language, then question id.
    """

    def __init__(self, max_skipped: float) -> None:
        self.max_skipped = max_skipped
        self.passages = defaultdict[str, dict[tuple[str, str], str]](dict)
        self.queries = defaultdict[tuple[str, str], list[tuple[str, str, str]]](list)
        self.judged = defaultdict[tuple[str, str], list[tuple[str, str, int]]](list)
        self.answers = defaultdict[tuple[str, str], dict[str, list[str]]](dict)

    def add_questions(self, path: str, split: str, query: str, document: str) -> None:
        """Take the questions of one file, their translations and their passages."""
        skipped = Skipped(path, self.max_skipped)
        for record in read_records(path, self.max_skipped):
            skipped.rows["records"] += 1
            qid = f"{split}-{query}-{record.name}"
            docid = self.docid(record, document, qid)
            self.judged[split, document].append((qid, docid, 1))
            self.answers[split, document][qid] = record.answers
            for language, text in ((query, record.question), (document, record.translation)):
                asked = self.queries[split, language]
                if text:
                    asked.append((qid, text, record.title or docid))
                skipped.lose("records", f"records without a question in {language}", not text)
        skipped.tell()

    def docid(self, record: Record, language: str, name: str) -> str:
        return self.passages[language].setdefault((record.title, record.context), name)
