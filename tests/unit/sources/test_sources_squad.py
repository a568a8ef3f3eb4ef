"""SQuAD-style JSON: paragraphs or sentences as documents, parallel ids, relevance at the answer's place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.collections.spec import CollectionSpec
from switchrank.collections.squad.reader import read_collection, sentence_spans
from switchrank.core.errors import UserError
from switchrank.sources.build import build_collection

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
    return {path.stem: pl.read_parquet(path) for path in out.glob("[!.]*")}


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


def named(qid: str, text: str, answer: str, start: int) -> dict[str, Any]:
    return {"id": qid, "question": text, "answers": [{"answer_start": start, "text": answer}]}


@pytest.mark.parametrize(
    ("answer", "given", "sentence"),
    [("mill", 60, 2), ("mill", 31, 2), ("mill", 30, 0), ("Lee", 60, 0), ("mill", 5000, 2), ("burned", -1, 1)],
)
def test_a_wrong_offset_gives_way_to_the_nearest_place_that_holds_the_answer(
    write, tmp_path, answer, given, sentence
) -> None:
    # "mill" stands at 16 and at 45; 30 is nearer to the first, 31 to the second
    file = write("en.json", squad([paragraph(CONTEXT, named("a", "?", answer, given))]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["judgements-test-en"].rows() == [("a", f"test-0-0-{sentence}", 1)]


def test_an_answer_that_differs_in_white_space_only_is_at_its_offset(write, tmp_path, capsys) -> None:
    file = write("ar.json", squad([paragraph("Built by\n Ada  Lee.", named("a", "?", "by Ada Lee", 6))]))
    build(tmp_path / "out", {"test/ar": file}, source="ar")

    assert "answers" not in capsys.readouterr().err


def test_an_answer_that_stands_nowhere_is_where_its_offset_says(write, tmp_path, capsys) -> None:
    file = write("en.json", squad([paragraph(CONTEXT, named("a", "?", "factory", 45))]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["judgements-test-en"].rows() == [("a", "test-0-0-2", 1)]
    assert "1 answers stand nowhere in their paragraph; their answer_start is trusted" in capsys.readouterr().err


def test_questions_marked_impossible_are_left_out_and_counted(write, tmp_path, capsys) -> None:
    impossible = {
        "id": "no",
        "question": "?",
        "is_impossible": True,
        "answers": [],
        "plausible_answers": [{"text": "mill", "answer_start": 16}],
    }
    asked = [question("yes", 4) | {"is_impossible": False}, impossible]
    tables = build(tmp_path / "out", {"test/en": write("en.json", squad([paragraph(CONTEXT, *asked)]))})

    assert tables["queries-test-en"]["qid"].to_list() == ["yes"]
    assert "1 questions left out: they are marked is_impossible" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("lost", "problem"),
    [
        (paragraph(" ", question("x", text=" ")), "1 of 4 rows: empty documents left out"),
        (paragraph("More.", question("x", text=" ")), "1 of 4 rows: empty questions left out"),
        (paragraph(" ", question("x", 0)), "1 of 4 rows: empty documents left out"),
    ],
)
def test_more_empty_rows_than_max_skipped_allows_stop_the_run(write, tmp_path, lost, problem) -> None:
    sound = [paragraph(f"{CONTEXT} {name}", question(name, 4)) for name in "abc"]
    files = {"test/en": write("en.json", squad([*sound, lost]))}

    with pytest.raises(UserError, match=rf"en\.json: {problem}; that is above max_skipped 0\.2"):
        build(tmp_path / "out", files, max_skipped=0.2)
    assert len(build(tmp_path / "out", files, max_skipped=0.25)["queries-test-en"]) == 3


def test_answers_that_stand_in_no_sentence_count_against_max_skipped(write, tmp_path) -> None:
    nowhere = {"id": "b", "question": "?", "answers": [{"answer_start": -1, "text": "boat"}]}
    files = {"test/en": write("en.json", squad([paragraph(CONTEXT, question("a", 4), nowhere)]))}

    with pytest.raises(UserError, match=r"1 of 2 rows: answers left out: .* above max_skipped 0\.4"):
        build(tmp_path / "out", files, documents_as="sentences", max_skipped=0.4)
    assert len(build(tmp_path / "out", files, documents_as="paragraphs", max_skipped=0)["queries-test-en"]) == 2


def test_questions_marked_impossible_do_not_count_against_max_skipped(write, tmp_path) -> None:
    impossible = {"id": "no", "question": "?", "is_impossible": True, "answers": []}
    file = write("en.json", squad([paragraph(CONTEXT, question("yes", 4), impossible)]))

    assert len(build(tmp_path / "out", {"test/en": file}, max_skipped=0)["queries-test-en"]) == 1


def test_answers_may_be_two_lists(write, tmp_path) -> None:
    given = {"id": "a", "question": "?", "answers": {"text": ["It", "The"], "answer_start": [22, 41]}}
    file = write("en.json", squad([paragraph(CONTEXT, given)]))
    tables = build(tmp_path / "out", {"test/en": file}, documents_as="sentences")

    assert tables["judgements-test-en"]["docid"].to_list() == ["test-0-0-1", "test-0-0-2"]


def test_a_byte_order_mark_is_no_part_of_the_json(write, tmp_path) -> None:
    content = json.dumps(squad([paragraph(CONTEXT, question("a", 4))]))
    tables = build(tmp_path / "out", {"test/en": write("en.json", b"\xef\xbb\xbf" + content.encode())})

    assert len(tables["documents-en"]) == 1


def spec(*languages: str, **more: Any) -> CollectionSpec:
    return CollectionSpec("squad", languages, ("test",), **more)


def read(folder: Path, spec: CollectionSpec, files: dict[str, str], **options: Any) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of everything that a reader gives, by table and language."""
    folder.mkdir()
    parsed = read_collection(spec, files, folder, **options)
    tables = {f"queries-{language}": frame for (_, language), frame in parsed.queries.items()}
    tables |= {f"judgements-{language}": frame for (_, language), frame in parsed.judgements.items()}
    tables |= {path.stem: pl.read_parquet(path) for path in folder.iterdir()}
    assert parsed.documents == {name: len(tables[f"documents-{name}"]) for name in spec.languages}
    return {name: frame.rows() for name, frame in tables.items()}


GERMAN = "Lee baute 1850 die Mühle."


def test_files_that_share_ids_only_keep_the_questions_of_all_languages_and_every_paragraph(
    write, tmp_path, capsys
) -> None:
    english = squad(
        [paragraph(CONTEXT, named("a", "Who?", "Lee", 4), named("b", "What?", "mill", 16))],
        [paragraph("Boats float.", named("c", "Float?", "Boats", 0))],
    )
    german = squad([paragraph("Holz schwimmt."), paragraph(GERMAN, named("a", "Wer?", "Lee", 0))], titles=("Mühlen",))
    files = {"test/en": write("en.json", english), "test/de": write("de.json", german)}
    rows = read(tmp_path / "out", spec("en", "de"), files, parallel=False)

    assert rows["documents-en"] == [("test-0", CONTEXT, "Mills"), ("test-1", "Boats float.", "Boats")]
    assert rows["documents-de"] == [("test-0", "Holz schwimmt.", "Mühlen"), ("test-1", GERMAN, "Mühlen")]
    assert (rows["queries-en"], rows["queries-de"]) == ([("a", "Who?", "Mills")], [("a", "Wer?", "Mühlen")])
    assert (rows["judgements-en"], rows["judgements-de"]) == ([("a", "test-0", 1)], [("a", "test-1", 1)])
    assert "queries test en: warning: 2 questions left out: they are not in all languages" in capsys.readouterr().err


@pytest.mark.parametrize("parallel", [True, False])
def test_questions_of_one_language_about_paragraphs_of_another_are_joined_by_id(write, tmp_path, parallel) -> None:
    files = {
        "test/de/en": write("context-en-question-de.json", squad([paragraph(CONTEXT, named("a", "Wer?", "Lee", 4))])),
        "test/en/de": write("context-de-question-en.json", squad([paragraph(GERMAN, named("a", "Who?", "Lee", 0))])),
        "test/en/en": write("context-en-question-en.json", squad([paragraph(CONTEXT, named("a", "Who?", "Lee", 4))])),
    }
    rows = read(tmp_path / "out", spec("en", "de"), files, parallel=parallel)
    docid = "test-0-0" if parallel else "test-0"

    assert rows["documents-en"] == [(docid, CONTEXT, "Mills")]
    assert rows["documents-de"] == [(docid, GERMAN, "Mills")]
    assert (rows["queries-en"], rows["queries-de"]) == ([("a", "Who?", "Mills")], [("a", "Wer?", "Mills")])
    assert rows["judgements-en"] == rows["judgements-de"] == [("a", docid, 1)]


def test_parallel_files_of_one_language_have_the_same_paragraphs(write, tmp_path) -> None:
    files = {
        "test/en": write("en.json", squad([paragraph(CONTEXT, question("a", 4))])),
        "test/de/en": write("x.json", squad([paragraph("Other.", question("a", 0, context="Other."))])),
    }
    with pytest.raises(UserError, match=r"x\.json: paragraph test-0-0 has another text than in the other file of en"):
        read(tmp_path / "out", spec("en", "de"), files)


def test_by_choice_every_document_that_holds_an_answer_is_relevant(write, tmp_path) -> None:
    content = squad(
        [paragraph(CONTEXT, named("a", "What?", "a mill", 14)), paragraph("A MILL. Ada.", named("b", "Who?", "Ada", 8))]
    )
    file = write("en.json", content)

    assert read(tmp_path / "gold", spec("en"), {"test/en": file})["judgements-en"] == [
        ("a", "test-0-0", 1),
        ("b", "test-0-1", 1),
    ]
    assert read(tmp_path / "any", spec("en"), {"test/en": file}, relevance="answer")["judgements-en"] == [
        ("a", "test-0-0", 1),
        ("a", "test-0-1", 1),
        ("b", "test-0-1", 1),
    ]


def test_half_a_surrogate_pair_is_named(write, tmp_path) -> None:
    content = json.dumps(squad([paragraph("x\ud83d", question("a", 0, context="x"))]))
    with pytest.raises(UserError, match=r"paragraphs\[0\] 'context': half of a surrogate pair"):
        build(tmp_path / "out", {"test/en": write("en.json", content)})


def test_json_nested_too_deeply_and_numbers_too_long_are_named(write, tmp_path) -> None:
    for content, message in (("[" * 100_000, "nested too deeply"), ("9" * 10_000, "number that is too long")):
        with pytest.raises(UserError, match=message):
            build(tmp_path / "out", {"test/en": write("en.json", content)})


def test_a_file_that_unpacks_beyond_measure_is_refused(write, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("switchrank.files.json_values.LARGEST", 1000)
    with pytest.raises(UserError, match="holds more than 1,000 bytes of JSON in one value"):
        build(tmp_path / "out", {"test/en": write("en.json.gz", " " * 1_000_000)})


def test_a_truncated_download_is_named(write, tmp_path) -> None:
    path = Path(write("en.json.gz", squad([paragraph(CONTEXT, question("a", 4))])))
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(UserError, match="truncated or corrupt gzip"):
        build(tmp_path / "out", {"test/en": str(path)})
