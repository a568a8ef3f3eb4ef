"""Real question-answer files: counts that their publishers or others give, and traps that the files hold."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from switchrank.collections.afriqa import reader as afriqa
from switchrank.collections.afriqa.names import AFRIQA_NAMES, afriqa_pivot
from switchrank.collections.bipar import reader as bipar
from switchrank.collections.questions.reader import read_questions
from switchrank.collections.spec import CollectionSpec, Parsed
from switchrank.collections.squad import reader as squad
from switchrank.formats.tables import DOCUMENTS, read_table

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
XQUAD = ["ar", "de", "el", "en", "es", "ru", "tr", "zh"]


def read(folder: Path, files: dict[str, str], *languages: str, unit: str = "paragraphs", **options: Any) -> Parsed:
    """A test collection of SQuAD-like files below the data folder; the first language is the source."""
    spec = CollectionSpec("squad", languages, ("test",), documents_as=unit, source=languages[0])
    return squad.read_collection(spec, {role: str(DATA / path) for role, path in files.items()}, folder, **options)


@pytest.mark.parametrize(
    ("language", "path", "articles", "paragraphs", "questions"),
    [
        ("en", "squad-v1.1-dev/dev-v1.1.json.gz", 48, 2067, 10570),
        ("en", "squad-v1.1-dev/dev-v1.1.minus-xquad.json.gz", 48, 1827, 9380),
        ("it", "squad-it/SQuAD_it-test.json.gz", 48, 2010, 7609),
        ("tr", "tquad/train-v0.1.json.gz", 680, 2232, 8308),  # and one title without a paragraph
        ("ar", "arcd/arcd-train.json.gz", 77, 231, 693),
        ("zh", "cmrc2018/cmrc2018_dev.json.gz", 848, 848, 3219),
    ],
)
def test_squad_like_files_have_their_published_counts(
    tmp_path, language, path, articles, paragraphs, questions
) -> None:
    parsed = read(tmp_path, {f"test/{language}": path}, language)
    documents = read_table(tmp_path / f"documents-{language}.parquet", DOCUMENTS)
    judged = parsed.judgements["test", language]

    assert parsed.documents == {language: paragraphs}
    assert documents["docid"].str.split("-").list.get(1).n_unique() == articles
    assert parsed.queries["test", language].height == judged.height == questions


def test_xquad_r_is_parallel_in_eight_languages(tmp_path) -> None:
    files = {f"test/{language}": f"xquad-r/{language}.json.gz" for language in XQUAD}
    parsed = read(tmp_path, files, *XQUAD)

    assert parsed.documents == dict.fromkeys(XQUAD, 240)
    ids = [parsed.queries["test", language]["qid"].to_list() for language in XQUAD]
    assert len(ids[0]) == 1190
    assert all(other == ids[0] for other in ids)


def test_answers_at_wrong_offsets_are_found_where_they_stand(tmp_path, capsys) -> None:
    read(tmp_path, {"test/it": "squad-it/SQuAD_it-test.json.gz"}, "it", unit="sentences")
    read(tmp_path, {"test/zh": "cmrc2018/cmrc2018_dev.json.gz"}, "zh", unit="sentences")
    messages = capsys.readouterr().err

    assert "SQuAD_it-test.json.gz: warning: 98 answers do not stand at their answer_start; the nearest" in messages
    assert "cmrc2018_dev.json.gz: warning: 7 answers do not stand at their answer_start; the nearest" in messages
    assert "cmrc2018_dev.json.gz: warning: 193 answers left out: they stand nowhere" in messages


def test_squad_and_squad_it_are_joined_by_question_ids(tmp_path) -> None:
    files = {"test/en": "squad-v1.1-dev/dev-v1.1.json.gz", "test/it": "squad-it/SQuAD_it-test.json.gz"}
    parsed = read(tmp_path, files, "en", "it", parallel=False)

    # 714 of the 7,609 Italian questions have no id of the English file; three Italian paragraphs come twice
    assert parsed.documents == {"en": 2067, "it": 2007}
    assert parsed.queries["test", "it"].height == parsed.queries["test", "en"].height == 6895


@pytest.mark.parametrize(
    "files",
    [
        {"test/en/en": "Monolingual_EN", "test/zh/zh": "Monolingual_ZH"},
        {"test/en/zh": "Crosslingual_QEN", "test/zh/en": "Crosslingual_QZH"},
    ],
)
def test_bipar_is_parallel_whichever_two_files_are_given(tmp_path, files) -> None:
    paths = {role: str(DATA / "bipar" / f"{name}_test.json.gz") for role, name in files.items()}
    parsed = bipar.read_collection(CollectionSpec("bipar", ("en", "zh"), ("test",)), paths, tmp_path)
    english, chinese = (parsed.queries["test", language] for language in ("en", "zh"))

    assert parsed.documents == {"en": 375, "zh": 375}
    assert english["qid"].to_list() == chinese["qid"].to_list()
    assert english.height == parsed.judgements["test", "zh"].height == 1500
    assert english.row(0)[1].isascii()
    assert not chinese.row(0)[1].isascii()


AFRIQA = {"bem": (234, 235, 309), "fon": (289, 289, 386), "ha": (225, 225, 300), "ig": (306, 307, 409)}
AFRIQA |= {"rw": (259, 260, 347), "sw": (0, 0, 295), "tw": (367, 368, 486)}
SPLITS = ("train", "dev", "test")


def afriqa_file(kind: str, file: str, language: str, split: str) -> str:
    """A file under the name that the repository gives it below ``data``."""
    name, pivot = AFRIQA_NAMES[language], afriqa_pivot(language)
    return str(DATA / "afriqa" / kind / name / f"{file}.afriqa.{name}.{pivot}.{split}.json.gz")


def afriqa_files(split: str, *languages: str) -> dict[str, str]:
    return {
        f"{split}/{language}/{afriqa_pivot(language)}": afriqa_file(
            "gold_passages", "gold_span_passages", language, split
        )
        for language in languages
    }


def test_every_record_of_afriqa_is_read_or_counted(capsys) -> None:
    kept = {}
    for language, counts in AFRIQA.items():
        for split, count in zip(SPLITS, counts, strict=True):
            if count:
                (path,) = afriqa_files(split, language).values()
                kept[split, language] = sum(1 for _ in afriqa.read_records(path))
    lost = sum(int(line.split("warning: ")[1].split()[0]) for line in capsys.readouterr().err.splitlines())

    assert sum(kept.values()) + lost == sum(map(sum, AFRIQA.values())) == 5896
    assert lost == 151
    assert kept["test", "sw"] == 295


def test_afriqa_asks_in_swahili_about_english_passages(tmp_path) -> None:
    spec = CollectionSpec("afriqa", ("en",), ("test",))
    parsed = afriqa.read_collection(spec, afriqa_files("test", "sw"), tmp_path)
    swahili, english = (parsed.queries["test", language] for language in ("sw", "en"))

    assert swahili["qid"].to_list() == english["qid"].to_list()
    assert swahili.height == parsed.judgements["test", "en"].height == 295
    assert parsed.documents == {"en": 289}


def test_the_english_sides_of_afriqa_are_training_text(tmp_path) -> None:
    english = [language for language, counts in AFRIQA.items() if counts[0] and afriqa_pivot(language) == "en"]
    files = {role: path for split in ("train", "dev") for role, path in afriqa_files(split, *english).items()}
    parsed = afriqa.read_collection(CollectionSpec("afriqa", ("en",), ("train", "dev")), files, tmp_path)

    # 1,391 and 1,395 records, of which 70 and 53 have no context
    assert parsed.queries["train", "en"].height == 1391 - 70
    assert parsed.queries["dev", "en"].height == 1395 - 53
    assert pl.read_parquet(tmp_path / "documents-en.parquet").select("docid", "text").is_unique().all()


def test_afriqa_questions_bring_answers_in_both_languages() -> None:
    counts = {}
    for language in [*AFRIQA, "wo"]:
        assert language in AFRIQA_NAMES
        path = afriqa_file("queries", "queries", language, "test")
        questions = [question for _, question in read_questions(path, "test", [language])]
        counts[language] = len(questions)
        assert all(question.texts[language] for question in questions)
        assert sum(bool(question.answers.get(afriqa_pivot(language))) for question in questions) > 100
    assert counts["sw"] == 302
    assert counts["ha"] == 300
