from collections.abc import Iterable, Iterator

from switchrank.collections.afriqa.names import file_language
from switchrank.collections.questions.reader import read_questions
from switchrank.identify.kinds import Look, Row, json_lines


def _rows(path: str, look: Look) -> Iterator[Row]:
    known = look.found.languages or ["en"]
    untold = 0
    for place, question in read_questions(path, "test", [*known, "en"], defect=look.problems.take):
        untold += not any(question.answers.values())
        yield place, question.qid, list(question.texts.values())[:1]
    look.found.counts |= {"without an answer string": untold} if untold else {}


def _keys(record: dict[str, object]) -> Iterable[str]:
    asked = record.get("queries")
    return map(str, asked) if isinstance(asked, dict) else ()


KINDS = {
    "mkqa": json_lines(("example_id", "queries", "answers"), _rows, told=_keys),
    "afriqa-queries": json_lines(
        ("question", "translated_question", "answers", "lang"),
        _rows,
        told=lambda record: [file_language(str(record.get("lang")))],
    ),
    "nq-open": json_lines(("question", "answer"), _rows),
}
