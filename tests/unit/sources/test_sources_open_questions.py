"""NQ-Open, MKQA and AfriQA's questions: no passages, so relevance is by answer string over other documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from switchrank.collections.questions.reader import read_collection, read_questions
from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import UserError

TEXTS = {"en": ["Ada Lee built it.", "In 1850 it burned."], "de": ["Ada Lee baute sie.", "1850 brannte sie."]}


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def documents(folder: Path, language: str) -> str:
    """A file of documents ``d0``, ``d1``, ... as a table with a header."""
    rows = "".join(f"d{number}\t{text}\n" for number, text in enumerate(TEXTS[language]))
    path = folder / f"documents.{language}.tsv"
    path.write_text(f"id\ttext\n{rows}")
    return str(path)


def read(
    folder: Path, files: dict[str, str], *languages: str, max_skipped: float = 1.0
) -> dict[str, list[tuple[Any, ...]]]:
    folder.mkdir(exist_ok=True)
    splits = tuple(role.partition("/")[2] for role in files)
    spec = CollectionSpec("open-questions", languages or ("en",), splits, max_skipped=max_skipped)
    files = files | {f"documents/{language}": documents(folder, language) for language in spec.languages}
    written = {"id": "id", "text": ["text"], "separator": "\t"}
    parsed = read_collection(spec, files, folder, documents=written)
    assert parsed.relevance == "answer"
    assert parsed.documents == dict.fromkeys(spec.languages, 2)
    tables = {f"queries-{split}-{language}": frame for (split, language), frame in parsed.queries.items()}
    tables |= {f"judgements-{split}-{language}": frame for (split, language), frame in parsed.judgements.items()}
    return {name: frame.rows() for name, frame in tables.items()}


def mkqa(number: int, *answers: dict[str, Any], **queries: str) -> dict[str, Any]:
    return {
        "example_id": number,
        "query": queries.get("en", ""),
        "queries": queries,
        "answers": {language: list(answers) for language in ("en", "de")},
    }


def answer(text: str | None, *aliases: str, kind: str = "entity") -> dict[str, Any]:
    return {"type": kind, "entity": "Q1", "text": text, "aliases": list(aliases)}


def test_questions_of_nq_open_are_known_by_their_line(write, tmp_path) -> None:
    content = lines(
        {"question": "who built it", "answer": ["Ada Lee", "Lee"]}, {"question": "when", "answer": ["1850"]}
    )
    rows = read(tmp_path / "out", {"questions/test": write("NQ-open.dev.jsonl", content)})

    assert rows["queries-test-en"] == [("test-1", "who built it", "test-1"), ("test-2", "when", "test-2")]
    assert rows["judgements-test-en"] == [("test-1", "d0", 1), ("test-2", "d1", 1)]


def test_questions_of_mkqa_are_parallel_and_judged_by_the_answers_of_each_document_language(write, tmp_path) -> None:
    who = mkqa(-7, answer("A. Lee", "Ada Lee"), en="who built it", de="wer baute sie", zh_cn="谁")
    when = mkqa(8, answer("1850", kind="date"), en="when", de="wann")
    rows = read(tmp_path / "out", {"questions/test": write("mkqa.jsonl.gz", lines(who, when))}, "en", "de")

    assert rows["queries-test-de"] == [("-7", "wer baute sie", "-7"), ("8", "wann", "8")]
    assert [row[0] for row in rows["queries-test-en"]] == ["-7", "8"]
    assert rows["judgements-test-de"] == rows["judgements-test-en"] == [("-7", "d0", 1), ("8", "d1", 1)]


@pytest.mark.parametrize("kind", ["unanswerable", "long_answer", "binary"])
def test_questions_of_mkqa_whose_answer_is_no_string_are_left_out_and_counted(write, tmp_path, capsys, kind) -> None:
    content = lines(mkqa(1, answer("yes", kind=kind), en="is it"), mkqa(2, answer("Lee"), en="who"))
    rows = read(tmp_path / "out", {"questions/test": write("mkqa.jsonl", content)})

    assert [row[0] for row in rows["queries-test-en"]] == ["2"]
    assert "1 questions left out: no answer string in a document language" in capsys.readouterr().err


def test_questions_that_a_language_does_not_have_are_left_out_and_counted(write, tmp_path, capsys) -> None:
    content = lines(mkqa(1, answer("Lee"), en="who", de=" "), mkqa(2, answer("Lee"), en="who", de="wer"))
    rows = read(tmp_path / "out", {"questions/test": write("mkqa.jsonl", content)}, "en", "de")

    assert [row[0] for row in rows["queries-test-en"]] == ["2"]
    assert "1 questions left out: not in en and de" in capsys.readouterr().err


def test_more_questions_without_a_text_than_max_skipped_allows_stop_the_run(write, tmp_path) -> None:
    unanswerable = mkqa(3, answer("", kind="unanswerable"), en="why", de="warum")
    content = lines(mkqa(1, answer("Lee"), en="who"), mkqa(2, answer("Lee"), en="who", de="wer"), unanswerable)
    files = {"questions/test": write("mkqa.jsonl", content)}

    with pytest.raises(UserError, match=r"1 of 3 rows: questions left out: not in en and de; .* max_skipped 0\.3"):
        read(tmp_path / "out", files, "en", "de", max_skipped=0.3)
    assert len(read(tmp_path / "out", files, "en", "de", max_skipped=0.34)["queries-test-en"]) == 1


def test_chinese_is_mkqas_mainland_chinese_unless_it_says_where(write) -> None:
    path = write("mkqa.jsonl", lines(mkqa(1, answer("Lee"), zh_cn="谁", zh_hk="誰", zh_tw="誰?")))
    ((_, question),) = read_questions(path, "test", ["zh", "zh-hk", "zh-TW", "fr"])

    assert question.texts == {"zh": "谁", "zh-hk": "誰", "zh-TW": "誰?"}


def test_training_questions_that_are_tested_on_are_left_out_and_counted(write, tmp_path, capsys) -> None:
    files = {
        "questions/train": write(
            "nq.jsonl",
            lines({"question": "Who built it?", "answer": ["Lee"]}, {"question": "when", "answer": ["1850"]}),
        ),
        "questions/test": write("mkqa.jsonl", lines(mkqa(1, answer("Lee"), en="who built it"))),
    }
    rows = read(tmp_path / "out", files)

    assert [row[0] for row in rows["queries-train-en"]] == ["train-2"]
    assert "1 training questions left out: they are tested on" in capsys.readouterr().err


def afriqa(number: int, answers: str, translated: str) -> dict[str, Any]:
    return {
        "id": number,
        "question": f"nani {number}",
        "translated_question": f"who {number}",
        "answers": answers,
        "lang": "swa",
        "split": "test",
        "translated_answer": translated,
        "translation_type": "human_translation",
    }


@pytest.mark.parametrize(
    ("written", "answers"),
    [
        ("['Lee']", ["Lee"]),
        ("[]", []),
        ("['Ada', \"Lee's mill\"]", ["Ada", "Lee's mill"]),
        ("['Lee's mill']", ["Lee's mill"]),
        ("['Lee\\'s mill']", ["Lee's mill"]),
        ("['']", []),
        ("['yes']", []),
        ("Ada Lee", ["Ada Lee"]),
        ("", []),
    ],
)
def test_answers_of_afriqa_are_lists_as_python_writes_them(write, written, answers) -> None:
    path = write("queries.afriqa.swa.en.test.json", lines(afriqa(3, "['jibu']", written)))
    ((_, question),) = read_questions(path, "test", ["sw", "en"])

    assert (question.qid, question.texts) == ("test-sw-3", {"sw": "nani 3", "en": "who 3"})
    assert question.answers.get("en", []) == answers


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no line"),
        ('"x"', "line 1: not a JSON object"),
        ("{}", "line 1: neither 'queries' nor 'translated_question' nor 'answer' among nothing"),
        ('{"answer": []}', "line 1: no member 'question' that is a str"),
        (lines(afriqa(1, "[]", "[]") | {"lang": "s w"}), "line 1: lang 's w'"),
        ('{"question": "who", "answer": "Lee"}', "line 1: no member 'answer' that is a list"),
        ('{"question": "who", "answer": []}', "no question in en with a usable answer"),
        ('{"queries": {}}', "line 1: no member 'example_id' that is a str"),
        (lines(mkqa(1, answer("Lee"), en="who")) * 2, "lines 1 and 2: id 1 twice"),
        ('{"question": "who", "answer": ["\\udc00"]}', "line 1 'answer': half of a surrogate pair"),
    ],
)
def test_a_defect_is_named_by_its_line(write, tmp_path, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path / "out", {"questions/test": write("nq.jsonl", content)})
