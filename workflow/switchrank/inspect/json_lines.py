"""JSON lines: corpora, queries and topics of many collections, told by the members of their records."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import Identities, closed
from switchrank.inspect.separated import ASKED
from switchrank.inspect.source import Source

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """A format of JSON lines.

    Attributes:
        format, title, unit: as :class:`~switchrank.inspect.found.Found` has them.
        needs: members that every record of it has.
        identity: the member that may occur once, if any.
        texts: members that should hold text; ``long``: their mean length in letters must reach this; ``strings``:
            they must be text, not lists of it.
        languages: members that hold a language code, or a mapping by language.
    """

    format: str
    title: str
    unit: str
    needs: tuple[str, ...]
    identity: str = ""
    texts: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    long: int = 0
    strings: bool = False


SHAPES = (
    Shape(
        "clirmatrix",
        "CLIRMatrix queries with graded documents",
        "queries",
        ("src_id", "src_query", "tgt_results"),
        "src_id",
        ("src_query",),
    ),
    Shape(
        "mkqa",
        "MKQA: questions in 26 languages with answers, no passages",
        "questions",
        ("example_id", "queries", "answers"),
        "example_id",
        ("query",),
        ("queries",),
    ),
    Shape(
        "tevatron-queries",
        "queries with passages that answer and that do not (Tevatron, MLDR)",
        "queries",
        ("query_id", "query", "positive_passages"),
        "query_id",
        ("query",),
    ),
    Shape(
        "afriqa-passages",
        "AfriQA gold passages: question, its translation, passage, answer",
        "questions",
        ("question_lang", "question_translated", "context", "answer_pivot"),
        "",
        ("question_lang", "question_translated"),
    ),
    Shape(
        "afriqa-queries",
        "AfriQA questions with human translations, no passages",
        "questions",
        ("question", "translated_question", "answers", "lang"),
        "id",
        ("question", "translated_question"),
        ("lang",),
    ),
    Shape(
        "hc4-topics",
        "topics in several languages (HC4, Patapsco)",
        "topics",
        ("topic_id", "topics"),
        "topic_id",
    ),
    Shape(
        "patapsco-queries",
        "queries as JSON lines (Patapsco)",
        "queries",
        ("id", "lang", "text", "query"),
        "id",
        ("text",),
        ("lang",),
    ),
    Shape(
        "text-triples",
        "training triples by text",
        "triples",
        ("query", "doc_pos", "doc_neg"),
        "",
        ("query", "doc_pos", "doc_neg"),
    ),
    Shape("text-triples", "training triples by text", "triples", ("query", "pos", "neg"), "", ("query",)),
    Shape("text-triples", "training triples by text", "triples", ("query", "positive", "negative"), "", ("query",)),
    *(
        Shape("text-pairs", "questions with answers or passages", "pairs", pair, "", pair, strings=True)
        for pair in product(ASKED, ("answer", "positive", "passage", "context"))
    ),
    Shape(
        "nq-open",
        "questions with answer strings, no passages (NQ-Open)",
        "questions",
        ("question", "answer"),
        "",
        ("question",),
    ),
    Shape(
        "xnli",
        "sentence pairs of XNLI, no retrieval data",
        "pairs",
        ("gold_label", "sentence1", "sentence2"),
        "",
        ("sentence1", "sentence2"),
        ("language",),
    ),
    Shape("beir-corpus", "BEIR corpus: _id, title, text", "documents", ("_id", "title", "text"), "_id", ("text",)),
    Shape(
        "beir-corpus", "BEIR corpus without titles: _id, text", "documents", ("_id", "text"), "_id", ("text",), long=200
    ),
    Shape("beir-queries", "BEIR queries: _id, text", "queries", ("_id", "text"), "_id", ("text",)),
    Shape(
        "documents-jsonl",
        "documents as JSON lines: docid, title, text (MIRACL, CIRAL, MLDR, Tevatron)",
        "documents",
        ("docid", "text"),
        "docid",
        ("text",),
    ),
    Shape(
        "documents-jsonl",
        "documents as JSON lines: id, title, text (Patapsco)",
        "documents",
        ("id", "text"),
        "id",
        ("text",),
        ("lang",),
    ),
    Shape(
        "documents-jsonl",
        "documents as JSON lines: id, contents (Anserini)",
        "documents",
        ("id", "contents"),
        "id",
        ("contents",),
    ),
    Shape("wikidata", "entities of Wikidata, one a line", "entities", ("id", "type", "labels"), "id", (), ("labels",)),
)


_FEW_WORDS = 4
_NO_PASSAGES = (
    "answers of few words are no passages to rank: for open questions (format: questions) write each as a list of texts"
)


def inspect(source: Source) -> Found | None:
    """What JSON lines are; nothing where the first lines are no JSON objects."""
    if not source.is_text:
        return None
    lines = source.head_lines(200)
    sample = [record for line in lines if (record := parsed(line)) is not None]
    if not sample or len(sample) < 0.8 * (len(lines) - lines.count(b"[") - lines.count(b"]")):
        return None
    shape = next((shape for shape in SHAPES if _fits(shape, sample)), None)
    if shape is None and len(lines) < 2:
        return None
    if shape is None:
        members = Counter(name for record in sample for name in record)
        shape = Shape("json-lines", "JSON lines of no known collection", "records", ())
        found = _count(source, shape)
        found.fields = [name for name, count in members.most_common(20) if count >= len(sample) / 2]
        return found
    found = _count(source, shape)
    if shape.format == "text-pairs" and _mean_words(sample, shape.needs[1]) < _FEW_WORDS:
        found.notes.append(_NO_PASSAGES)
    return found


def _mean_words(sample: Sequence[Record], name: str) -> float:
    return sum(len(str(record.get(name)).split()) for record in sample) / len(sample)


def parsed(line: bytes) -> Record | None:
    """The JSON object of a line (a comma behind it does not matter); nothing where there is none."""
    line = line.strip().removesuffix(b",")
    if not line.startswith(b"{"):
        return None
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _fits(shape: Shape, sample: Sequence[Record]) -> bool:
    if sum(all(name in record for name in shape.needs) for record in sample) < 0.9 * len(sample):
        return False
    texts = sum(all(isinstance(record.get(name), str) for name in shape.texts) for record in sample)
    if shape.strings and texts < 0.9 * len(sample):
        return False
    letters = [len(str(record.get(name) or "")) for record in sample for name in shape.texts]
    return not shape.long or sum(letters) / len(letters) >= shape.long


class _Tally:
    """What is gathered while records pass."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.problems, self.identities = Problems(), Identities()
        self.languages: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        self.texts: list[str] = []

    def take(self, record: Record, line: int) -> bool:
        """Whether a record is one of the format."""
        shape = self.shape
        for name in shape.needs:
            if name not in record:
                self.problems.add(f"lines without the member {name}", line)
                return False
        for name in shape.texts:
            if not record.get(name) or not str(record[name]).strip():
                self.problems.add(f"lines whose {name} is empty", line)
            elif len(self.texts) < 500:
                self.texts.append(str(record[name])[:2000])
        if shape.identity:
            self.identities.add(str(record.get(shape.identity)), line)
        self._languages(record)
        return True

    def _languages(self, record: Record) -> None:
        for name in self.shape.languages:
            value = record.get(name)
            if isinstance(value, str):
                self.languages[value] += 1
            elif isinstance(value, dict):
                self.languages.update(str(key) for key in value)

    def particular(self, record: Record, line: int) -> None:
        """What only some formats have."""
        match self.shape.format:
            case "afriqa-passages":
                self._passage(record)
            case "hc4-topics":
                topics = record["topics"] if isinstance(record["topics"], list) else []
                self.languages.update(str(topic.get("lang")) for topic in topics if isinstance(topic, dict))
            case "clirmatrix":
                self._list(record, "tgt_results", "judgements", line)
            case "tevatron-queries":
                self._list(record, "positive_passages", "relevant passages", line)
            case "mkqa":
                self._answers(record)

    def _passage(self, record: Record) -> None:
        """``question_lang`` and ``answer_lang`` are the question and the answer in that language, not its code."""
        if not record["context"]:
            self.counts["without a passage (context is null): skipped"] += 1

    def _list(self, record: Record, name: str, what: str, line: int) -> None:
        if isinstance(record[name], list):
            self.counts[what] += len(record[name])
        else:
            self.problems.add(f"lines whose {name} is no list", line)

    def _answers(self, record: Record) -> None:
        answers = record["answers"] if isinstance(record["answers"], dict) else {}
        english = answers.get("en")
        kinds = [part.get("type") for part in english if isinstance(part, dict)] if isinstance(english, list) else []
        for kind in ("unanswerable", "long_answer"):
            self.counts[kind.replace("_", " ")] += kind in kinds


def _count(source: Source, shape: Shape) -> Found:
    tally = _Tally(shape)
    found = Found(shape.format, shape.title, shape.unit)
    for number, line in source.lines():
        if line.strip() in {b"", b"[", b"]"}:
            continue
        record = parsed(line)
        if record is None:
            tally.problems.add("lines that are no JSON object", number)
            continue
        if not tally.take(record, number):
            continue
        tally.particular(record, number)
        found.rows += 1
        found.fields = found.fields or list(record)[:20]
        if found.rows <= SAMPLES:
            found.samples.append(shorten(_sample(record, shape)))
    again, lines = tally.identities.repeats()
    found.problems += tally.problems.told()
    if again:
        found.problems.append(f"{again:,} lines repeat a {shape.identity} (line {', '.join(map(str, lines))})")
    found.counts |= {name: count for name, count in tally.counts.items() if count}
    found.languages = _told(tally.languages) or languages.from_name(source.path)
    found.scripts = languages.scripts(tally.texts)
    if shape.format == "text-pairs":
        found.values |= dict(zip(("asked", "answered"), shape.needs, strict=True))
    return closed(found, source)


def _told(counted: Counter[str]) -> list[str]:
    return languages.codes(name for name, _ in counted.most_common(60))


def _sample(record: Record, shape: Shape) -> str:
    names: Iterable[str] = [name for name in (shape.identity, *shape.texts) if name] or list(record)[:4]
    return " | ".join(str(record.get(name))[:80] for name in names)
