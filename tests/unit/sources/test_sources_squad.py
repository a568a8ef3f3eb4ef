"""SQuAD-style JSON: paragraphs or sentences as documents, parallel ids, relevance at the answer's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.errors import UserError
from switchrank.sources.build import build_collection
from switchrank.sources.sentences import sentence_spans

CONTEXT = "Dr. Lee built a mill. It burned in 1850. The mill was built again."


def question(qid: str, *starts: int, text: str = "?", context: str = CONTEXT) -> dict[str, Any]:
    answers = [{"answer_start": start, "text": context[start : start + 3]} for start in starts]
    return {"id": qid, "question": text, "answers": answers}


def squad(*articles: list[dict[str, Any]], titles: tuple[str, ...] = ("Mills", "Boats", "Wells")) -> dict[str, Any]:
    data = [{"title": title, "paragraphs": list(article)} for title, article in zip(titles, articles, strict=False)]
    return {"version": "1.1", "data": data}


def paragraph(context: str, *questions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"context": context, "qas": list(questions), **more}


def build(out: Path, files: dict[str, str], **more: Any) -> dict[str, pl.DataFrame]:
    languages = list(dict.fromkeys(role.partition("/")[2] for role in files))
    splits = list(dict.fromkeys(role.partition("/")[0] for role in files))
    spec = {"format": "squad", "languages": languages, "splits": splits, **more}
    build_collection(spec=spec, files=files, out=out)
    return {path.stem: pl.read_parquet(path) for path in out.iterdir()}


def test_paragraphs_are_numbered_by_article_and_place(write, tmp_path) -> None:
    file = write(
        "en.json",
        squad(
            [paragraph(CONTEXT, question("a", 4)), paragraph("Two.", question("b", 0, context="Two."))],
            [paragraph("Three.", question("c", 0, context="Three."))],
        ),
    )
    tables = build(tmp_path / "out", {"test/en": file})

    assert tables["documents-en"].rows() == [
        ("test-0-0", CONTEXT, "Mills"),
        ("test-0-1", "Two.", "Mills"),
        ("test-1-0", "Three.", "Boats"),
    ]
    assert tables["queries-test-en"].rows() == [("a", "?", "Mills"), ("b", "?", "Mills"), ("c", "?", "Boats")]
    assert tables["judgements-test-en"].rows() == [("a", "test-0-0", 1), ("b", "test-0-1", 1), ("c", "test-1-0", 1)]


def test_the_sentence_in_which_an_answer_starts_is_relevant(write, tmp_path) -> None:
    asked = [question("first", 0), question("last", len(CONTEXT) - 6), question("twice", 25, 45, 26)]
    file = write("en.json.gz", squad([paragraph(CONTEXT, *asked)]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["documents-en"].select("docid", "text").rows() == [
        ("test-0-0-0", "Dr. Lee built a mill."),
        ("test-0-0-1", "It burned in 1850."),
        ("test-0-0-2", "The mill was built again."),
    ]
    assert tables["judgements-test-en"].rows() == [
        ("first", "test-0-0-0", 1),
        ("last", "test-0-0-2", 1),
        ("twice", "test-0-0-1", 1),
        ("twice", "test-0-0-2", 1),
    ]


def test_sentences_of_the_data_are_taken_as_they_are(write, tmp_path) -> None:
    own = {
        "sentences": ["Dr. Lee built", "a mill. It burned in 1850.", "The rest."],
        "sentence_breaks": [[0, 13], [14, 40], [41, 66]],
    }
    file = write("en.json", squad([paragraph(CONTEXT, question("gap", 13), question("end", 65), **own)]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["documents-en"]["text"].to_list() == own["sentences"]
    assert tables["judgements-test-en"]["docid"].to_list() == ["test-0-0-1", "test-0-0-2"]


def test_languages_share_paragraph_ids_and_have_sentences_of_their_own(write, tmp_path) -> None:
    german = "Eine Mühle brannte 1850"
    files = {
        "test/de": write("de.json", squad([paragraph(german, question("a", 19, context=german))], titles=("Mühlen",))),
        "test/en": write("en.json", squad([paragraph(CONTEXT, question("a", 35))])),
    }
    sentences = build(tmp_path / "sentences", files, documents_as="sentences")
    paragraphs = build(tmp_path / "paragraphs", files)

    assert sentences["judgements-test-en"].rows() == [("a", "test-0-0-1", 1)]
    assert sentences["judgements-test-de"].rows() == [("a", "test-0-0-0", 1)]
    assert paragraphs["judgements-test-en"].rows() == paragraphs["judgements-test-de"].rows()
    assert sentences["queries-test-de"]["group"].to_list() == ["Mills"]
    assert sentences["documents-de"]["group"].to_list() == ["Mills"]


def test_files_in_another_order_are_not_parallel(write, tmp_path) -> None:
    one, two = paragraph(CONTEXT, question("a", 4)), paragraph(CONTEXT, question("b", 4))
    files = {"test/en": write("en.json", squad([one, two])), "test/de": write("de.json", squad([two, one]))}

    with pytest.raises(UserError, match=r"de\.json: question b: belongs to paragraph test-0-0 here and to test-0-1 in"):
        build(tmp_path / "out", files)


def test_the_development_cut_takes_whole_articles(write, tmp_path) -> None:
    articles = [[paragraph(CONTEXT, question(f"{a}{q}", 4)) for q in range(4)] for a in "xyz"]
    tables = build(tmp_path / "out", {"train/en": write("en.json", squad(*articles))}, dev=0.1)

    assert len(tables["queries-dev-en"]) == 4
    assert tables["queries-dev-en"]["group"].n_unique() == 1
    assert not set(tables["queries-dev-en"]["group"]) & set(tables["queries-train-en"]["group"])
    assert len(tables["documents-en"]) == 12


def test_training_and_test_documents_of_one_collection_have_different_ids(write, tmp_path) -> None:
    files = {
        "train/en": write("train.json", squad([paragraph(CONTEXT, question("a", 4))])),
        "test/en": write("test.json", squad([paragraph("Two.", question("b", 0, context="Two."))])),
        "test/de": write("de.json", squad([paragraph("Zwei.", question("b", 0, context="Zwei."))])),
    }
    tables = build(tmp_path / "out", files)

    assert tables["documents-en"]["docid"].to_list() == ["train-0-0", "test-0-0"]
    assert tables["documents-de"]["docid"].to_list() == ["test-0-0"]


def test_equal_sentences_stay_separate_and_only_the_one_at_the_answer_is_relevant(write, tmp_path) -> None:
    context = "It burned. It was built. It burned."
    file = write("en.json", squad([paragraph(context, question("a", 25, context=context))]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["documents-en"]["text"].to_list() == ["It burned.", "It was built.", "It burned."]
    assert tables["judgements-test-en"]["docid"].to_list() == ["test-0-0-2"]


@pytest.mark.parametrize("unit", ["paragraphs", "sentences"])
def test_an_empty_paragraph_goes_with_its_questions_and_keeps_the_others_numbers(write, tmp_path, capsys, unit) -> None:
    file = write(
        "en.json", squad([paragraph(" ", question("a", 0)), paragraph("Two.", question("b", 0, context="Two."))])
    )
    tables = build(tmp_path / "out", {"test/en": file}, documents_as=unit)
    messages = capsys.readouterr().err

    assert tables["documents-en"]["docid"].to_list() == ["test-0-1" + "-0" * (unit == "sentences")]
    assert tables["queries-test-en"]["qid"].to_list() == ["b"]
    assert "1 empty documents left out" in messages
    assert "1 judgements left out: their document is empty" in messages
    assert "1 queries left out: they have no relevant document" in messages


def test_questions_without_an_answer_or_text_are_left_out_and_counted(write, tmp_path, capsys) -> None:
    asked = [question("good", 4), question("unanswerable"), question("blank", 4, text=" ")]
    tables = build(tmp_path / "out", {"test/en": write("en.json", squad([paragraph(CONTEXT, *asked)]))})
    messages = capsys.readouterr().err

    assert tables["queries-test-en"]["qid"].to_list() == ["good"]
    assert tables["judgements-test-en"]["qid"].to_list() == ["good"]
    assert "1 queries left out: they have no relevant document" in messages
    assert "1 empty questions left out" in messages


def test_ids_that_are_numbers_and_offsets_that_are_strings_are_read(write, tmp_path) -> None:
    given = {"id": 7, "question": "?", "answers": [{"answer_start": "41", "text": "The"}]}
    file = write("tr.json", squad([paragraph(CONTEXT, given)]))
    tables = build(tmp_path / "out", {"test/tr": file}, source="tr", documents_as="sentences")

    assert tables["judgements-test-tr"].rows() == [("7", "test-0-0-2", 1)]


@pytest.mark.parametrize(("unit", "relevant"), [("sentences", {"test-0-0-1"}), ("paragraphs", {"test-0-0"})])
def test_an_answer_that_stands_nowhere_makes_its_paragraph_relevant_and_no_sentence(
    write, tmp_path, capsys, unit, relevant
) -> None:
    given = [{"answer_start": -1, "text": "of water"}, {"answer_start": 22, "text": "It"}]
    file = write("zh.json", squad([paragraph(CONTEXT, {"id": "a", "question": "?", "answers": given})]))
    tables = build(tmp_path / "out", {"test/zh": file}, source="zh", documents_as=unit)

    assert set(tables["judgements-test-zh"]["docid"]) == relevant
    assert ("1 answers left out" in capsys.readouterr().err) == (unit == "sentences")


def test_an_answer_that_is_not_at_its_offset_is_counted(write, tmp_path, capsys) -> None:
    wrong = {"id": "a", "question": "?", "answers": [{"answer_start": 3, "text": "mill"}]}
    build(tmp_path / "out", {"test/en": write("en.json", squad([paragraph(CONTEXT, wrong)]))})

    assert "1 answers do not stand at their answer_start" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"line 1 column 2: not JSON"),
        ("[]", "top level: no member 'data' that is a list"),
        ({"data": []}, "holds no document"),
        ({"data": [None]}, r"data\[0\]: no member 'paragraphs' that is a list"),
        (squad([{"qas": []}]), r"data\[0\].paragraphs\[0\]: no member 'context' that is a str"),
        (squad([paragraph("x", {"question": "?"})]), r"qas\[0\]: no member 'id'"),
        (squad([paragraph("x", {"id": "a"})]), "question a: no member 'question'"),
        (squad([paragraph("x", {"id": "a", "question": "?"})]), "question a: no member 'answers'"),
        (
            squad([paragraph("x", question("a", 1))]),
            "question a: answer_start 1 is outside the paragraph's 1 characters",
        ),
        (
            squad([paragraph("x", {"id": True, "question": "?", "answers": []})]),
            r"qas\[0\]: no member 'id' that is a str",
        ),
        (
            squad([paragraph("x", {"id": 1, "question": "?", "answers": [{"answer_start": "-1", "text": "x"}]})]),
            "question 1: no member 'answer_start' that is a int",
        ),
        (squad([paragraph("x", question("a", -2))]), "question a: answer_start -2 is outside"),
        (squad([paragraph("x", question("a b", 0))]), "id 'a b'"),
        (
            squad([paragraph("x", question("a", 0)), paragraph("y", question("a", 0))]),
            "question a: id twice, in paragraphs test-0-0 and test-0-1",
        ),
    ],
)
def test_a_defect_is_named_by_its_place(write, tmp_path, content, message) -> None:
    with pytest.raises(UserError, match=message):
        build(tmp_path / "out", {"test/en": write("en.json", content)})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("breaks", [[[0, 3]], [[0, 3], [4]], [[0, 3], None]])
def test_sentences_need_their_breaks(write, tmp_path, breaks) -> None:
    content = squad([paragraph("One two", question("a", 0), sentences=["One", "two"], sentence_breaks=breaks)])

    with pytest.raises(UserError, match="sentence_breaks do not fit the 2 sentences"):
        build(tmp_path / "out", {"test/en": write("en.json", content)}, documents_as="sentences")


@given(text=st.text(), language=st.sampled_from(["en", "de", "zh", "qaa"]))
def test_between_sentences_there_is_only_white_space(text, language) -> None:
    spans = sentence_spans(text, language)
    ends = [0, *(end for span in spans for end in span), len(text)]

    assert ends == sorted(ends)
    assert all(text[start:end].strip() == text[start:end] != "" for start, end in spans)
    assert "".join(text[start:end] for start, end in zip(ends[::2], ends[1::2], strict=True)).strip() == ""


def test_abbreviations_and_decimals_do_not_end_a_sentence() -> None:
    text = "Dr. Lee paid 3.50 dollars, i.e. too much. 😀 She left!\n\nA new paragraph?  Yes."

    assert [text[start:end] for start, end in sentence_spans(text, "en")] == [
        "Dr. Lee paid 3.50 dollars, i.e. too much.",
        "😀 She left!",
        "A new paragraph?",
        "Yes.",
    ]
