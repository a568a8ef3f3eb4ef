"""AfriQA and BiPaR: questions in one language, passages in another, and what their files leave out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from switchrank.collections.afriqa.reader import read_collection
from switchrank.collections.bipar import reader as bipar
from switchrank.collections.spec import CollectionSpec
from switchrank.core.errors import UserError

MILL = "Ada Lee built the mill in 1850."


def record(name: Any, context: Any = MILL, title: Any = "Mill", **more: Any) -> dict[str, Any]:
    plain = {
        "id": name,
        "question_lang": f"nani {name}",
        "question_translated": f"who {name}",
        "title": title,
        "context": context,
        "answer_pivot": {"text": ["Ada Lee"], "answer_start": [0]},
        "answer_lang": "Ada Lee",
    }
    return plain | more


def lines(*records: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in records)


def read(
    folder: Path, files: dict[str, str], *languages: str, max_skipped: float = 1.0, **options: Any
) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of everything that the reader gives, by table, split and language."""
    folder.mkdir(exist_ok=True)
    splits = tuple(dict.fromkeys(role.partition("/")[0] for role in files if not role.startswith("documents/")))
    spec = CollectionSpec("afriqa", languages or ("en",), splits, max_skipped=max_skipped)
    parsed = read_collection(spec, files, folder, **options)
    tables = {f"queries-{split}-{language}": frame for (split, language), frame in parsed.queries.items()}
    tables |= {f"judgements-{split}-{language}": frame for (split, language), frame in parsed.judgements.items()}
    tables |= {path.stem: pl.read_parquet(path) for path in folder.iterdir()}
    assert parsed.documents == {name: len(tables[f"documents-{name}"]) for name in languages or ("en",)}
    return {name: frame.rows() for name, frame in tables.items()}


def test_a_question_and_its_translation_share_an_id_and_equal_passages_are_one_document(write, tmp_path) -> None:
    content = lines(record("0"), record("1", "Boats float.", "Boat"), record("2"), record("3", title="Lee"))
    rows = read(tmp_path / "out", {"test/sw/en": write("swa.en.test.json.gz", content)})

    assert rows["documents-en"] == [
        ("test-sw-0", MILL, "Mill"),
        ("test-sw-1", "Boats float.", "Boat"),
        ("test-sw-3", MILL, "Lee"),
    ]
    assert rows["queries-test-sw"][:2] == [("test-sw-0", "nani 0", "Mill"), ("test-sw-1", "nani 1", "Boat")]
    assert rows["queries-test-en"][2:] == [("test-sw-2", "who 2", "Mill"), ("test-sw-3", "who 3", "Lee")]
    assert rows["judgements-test-en"] == [
        ("test-sw-0", "test-sw-0", 1),
        ("test-sw-1", "test-sw-1", 1),
        ("test-sw-2", "test-sw-0", 1),
        ("test-sw-3", "test-sw-3", 1),
    ]


def test_what_is_null_nan_or_blank_is_missing_and_counted(write, tmp_path, capsys) -> None:
    content = lines(
        record("0", None, None),
        record("1", "  "),
        record("2", title=None, question_lang=float("nan")),
        record("3", title=float("nan"), answer_pivot={"text": [float("nan")], "answer_start": []}),
    )
    rows = read(tmp_path / "out", {"test/tw/en": write("twi.json", content)})
    messages = capsys.readouterr().err

    assert rows["documents-en"] == [("test-tw-2", MILL, "test-tw-2")]
    assert [row[0] for row in rows["queries-test-tw"]] == ["test-tw-3"]
    assert [row[0] for row in rows["queries-test-en"]] == ["test-tw-2", "test-tw-3"]
    assert "warning: 2 records left out: they have no passage" in messages
    assert "warning: 1 records without a question in tw" in messages


@pytest.mark.parametrize(
    ("lost", "problem"),
    [
        (record(4, None), "1 of 5 rows: records left out: they have no passage"),
        (record(4, question_lang=None), "1 of 5 rows: records without a question in tw"),
        (record(4, question_translated=" "), "1 of 5 rows: records without a question in en"),
    ],
)
def test_more_records_without_a_part_than_max_skipped_allows_stop_the_run(write, tmp_path, lost, problem) -> None:
    files = {"test/tw/en": write("twi.json", lines(*map(record, range(4)), lost))}

    with pytest.raises(UserError, match=rf"twi\.json: {problem}; that is above max_skipped 0\.1"):
        read(tmp_path / "out", files, max_skipped=0.1)
    assert len(read(tmp_path / "out", files, max_skipped=0.2)["documents-en"]) == 1


def test_training_questions_of_many_languages_are_one_set_of_translations(write, tmp_path) -> None:
    files = {
        "train/ha/en": write("hau.json", lines(record(0))),
        "train/fon/fr": write("fon.json", lines(record(0, "Le moulin."))),
        "train/ig/en": write("ibo.json", lines(record(0), record(1, "Boats float."))),
    }
    rows = read(tmp_path / "out", files, "en", "fr")

    assert [row[:2] for row in rows["queries-train-en"]] == [
        ("train-ha-0", "who 0"),
        ("train-ig-0", "who 0"),
        ("train-ig-1", "who 1"),
    ]
    assert [row[0] for row in rows["documents-en"]] == ["train-ha-0", "train-ig-1"]
    assert rows["judgements-train-fr"] == [("train-fon-0", "train-fon-0", 1)]


def test_other_files_give_passages_to_search_in(write, tmp_path) -> None:
    files = {
        "documents/en/train-ha": write("hau.json", lines(record(0), record(7, "Boats float."))),
        "test/sw/en": write("swa.json", lines(record(0))),
    }
    rows = read(tmp_path / "out", files)

    assert [row[0] for row in rows["documents-en"]] == ["test-sw-0", "train-ha-7"]
    assert set(rows) == {"documents-en", "queries-test-sw", "queries-test-en", "judgements-test-en"}


def test_the_title_stands_before_the_text_by_choice(write, tmp_path) -> None:
    file = write("swa.json", lines(record(0), record(1, title=None)))
    rows = read(tmp_path / "out", {"test/sw/en": file}, titles=True)

    assert [row[1] for row in rows["documents-en"]] == [f"Mill {MILL}", MILL]


def test_by_choice_every_passage_that_holds_the_answer_is_relevant(write, tmp_path) -> None:
    file = write(
        "swa.json", lines(record(0), record(1, "ADA LEE left."), record(2, "Boats", answer_pivot={"text": []}))
    )
    rows = read(tmp_path / "out", {"test/sw/en": file}, relevance="answer")

    assert rows["judgements-test-en"] == [
        ("test-sw-0", "test-sw-0", 1),
        ("test-sw-0", "test-sw-1", 1),
        ("test-sw-1", "test-sw-0", 1),
        ("test-sw-1", "test-sw-1", 1),
    ]


def test_test_questions_of_two_languages_need_two_collections(write, tmp_path) -> None:
    file = write("x.json", lines(record(0)))
    with pytest.raises(UserError, match="test questions in ha and sw, which are not translations of each other"):
        read(tmp_path / "out", {"test/sw/en": file, "test/ha/en": file})


@pytest.mark.parametrize(
    ("role", "languages", "message"),
    [
        ("test/sw/en", ("en", "fr"), "no file with test questions in fr"),
        ("documents/en/more", ("en",), "no file with test questions in en"),
        ("train/sw/en", ("en", "fr"), "no file with passages in fr"),
        ("test/sw", ("en",), "files.test/sw: unknown role: write split/query/document languages"),
    ],
)
def test_a_language_without_a_file_is_named(write, tmp_path, role, languages, message) -> None:
    file = write("x.json", lines(record(0)))
    spec = CollectionSpec("afriqa", languages, ("train",) if role.startswith("train") else ("test",))
    with pytest.raises(UserError, match=message):
        read_collection(spec, {role: file}, tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no line"),
        (lines(record(0, None)), "holds no passage"),
        ("\n[1]\n", "line 2: not a JSON object"),
        ('{"id": 1', "line 1 column 9: not JSON"),
        ("{}", "line 1: no member 'id' that is a str"),
        ('{"id": "a b"}', "line 1: id 'a b'"),
        ('{"id": 1, "context": 3}', "line 1 'context': not a text"),
        ('{"id": 1, "context": "\\ud800"}', "line 1 'context': half of a surrogate pair"),
        ('{"id": 1, "context": "c"}', "line 1: no member 'answer_pivot' that is a dict"),
        ('{"id": 1, "context": "c", "answer_pivot": {}}', "line 1: no member 'text' that is a list"),
        (lines(record(1), record("1")), "lines 1 and 2: id 1 twice"),
    ],
)
def test_a_defect_is_named_by_its_line(write, tmp_path, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read(tmp_path / "out", {"test/sw/en": write("swa.json", content)})


def squad(language: str, *questions: tuple[str, str], context: str) -> dict[str, Any]:
    asked = [{"id": qid, "question": text, "answers": []} for qid, text in questions]
    return {"data": [{"title": f"novel {language}", "paragraphs": [{"context": context, "qas": asked}]}]}


@pytest.mark.parametrize("files", [("EN", "ZH"), ("QEN", "QZH"), ("EN", "ZH", "QEN", "QZH")])
def test_either_two_files_of_bipar_give_questions_and_paragraphs_in_both_languages(write, tmp_path, files) -> None:
    sides = {"EN": ("en", "en"), "ZH": ("zh", "zh"), "QEN": ("en", "zh"), "QZH": ("zh", "en")}
    texts = {"en": ("What burned?", "The mill."), "zh": ("什么烧了？", "磨坊。")}
    roles = {}
    for name in files:
        query, document = sides[name]
        qid = "TEST_n_1_QUERY_0" + (f"_CROSS_{name}" if name.startswith("Q") else f"_{name}")
        content = squad(document, (qid, texts[query][0]), context=texts[document][1])
        roles[f"test/{query}/{document}"] = write(f"{name}.json", content)
    (tmp_path / "out").mkdir()
    parsed = bipar.read_collection(CollectionSpec("bipar", ("en", "zh"), ("test",)), roles, tmp_path / "out")

    assert {key: frame.rows()[0][:2] for key, frame in parsed.queries.items()} == {
        ("test", "en"): ("TEST_n_1_QUERY_0", "What burned?"),
        ("test", "zh"): ("TEST_n_1_QUERY_0", "什么烧了？"),
    }
    assert {
        language: pl.read_parquet(tmp_path / "out" / f"documents-{language}.parquet").row(0)[:2]
        for language in ("en", "zh")
    } == {
        "en": ("test-0-0", "The mill."),
        "zh": ("test-0-0", "磨坊。"),
    }
