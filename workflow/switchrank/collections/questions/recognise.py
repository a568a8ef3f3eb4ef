from __future__ import annotations

from collections.abc import Iterable, Iterator

from switchrank.collections.questions.reader import file_language, read_questions
from switchrank.identify.entries import collection
from switchrank.identify.kinds import Look, Row, json_lines

_KEYS = {
    "files": "{$split: $path}",
    "documents": '{path: "documents.{lang}.tsv", id: id, text: text}  # TSV with a header',
    "languages": "[en]",
}
_ENTRY = collection("questions", **_KEYS, query_languages="[$language]")


def _rows(path: str, look: Look) -> Iterator[Row]:
    known = look.found.languages or ["en"]
    untold = 0
    for number, question in read_questions(path, "test", [*known, "en"], defect=look.problems.take):
        untold += not any(question.answers.values())
        yield f"line {number}", question.qid, list(question.texts.values())[:1]
    look.found.counts |= {"without an answer string": untold} if untold else {}


def _keys(record: dict[str, object]) -> Iterable[str]:
    asked = record.get("queries")
    return map(str, asked) if isinstance(asked, dict) else ()


KINDS = (
    json_lines(
        "mkqa",
        "MKQA: questions in 26 languages with answers, no passages",
        "questions",
        ("example_id", "queries", "answers"),
        _rows,
        told=_keys,
        same="example_id",
        entry=_ENTRY,
    ),
    json_lines(
        "afriqa-queries",
        "AfriQA questions with human translations, no passages",
        "questions",
        ("question", "translated_question", "answers", "lang"),
        _rows,
        told=lambda record: [file_language(str(record.get("lang")))],
        entry=_ENTRY,
    ),
    json_lines(
        "nq-open",
        "questions with answer strings, no passages (NQ-Open)",
        "questions",
        ("question", "answer"),
        _rows,
        entry=collection("questions", **_KEYS),
    ),
)
