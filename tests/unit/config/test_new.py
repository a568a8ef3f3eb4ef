"""``switchrank new``: what it writes loads as it stands, and it never writes over a file or around a mistake."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from switchrank.cli import main

TEXTS = ["--documents", "d.{lang}.tsv", "--queries", "q.{split}.{lang}.tsv", "--judgements", "r.{split}.tsv"]
SQUAD = '{"data": [{"paragraphs": [{"context": "A cat.", "qas": [{"id": "1", "question": "Who?", "answers": []}]}]}]}'


@pytest.fixture
def files(tmp_path, monkeypatch) -> Path:
    """Files of a small collection in English and Swahili, in the working folder."""
    monkeypatch.chdir(tmp_path)
    long = "a passage that is long enough to be taken for one, " * 6
    for lang in ("en", "sw"):
        Path(f"d.{lang}.tsv").write_text("".join(f"d{n}\t{long}\n" for n in range(5)))
        Path(f"w.{lang}.vec").write_text("2 2\na 1 2\nb 3 4\n")
        for split in ("train", "test"):
            Path(f"q.{split}.{lang}.tsv").write_text("".join(f"{n}\twhat is it\n" for n in range(5)))
            Path(f"r.{split}.tsv").write_text("".join(f"{n} 0 d{n} 1\n" for n in range(5)))
        Path(f"{lang}.json").write_text(SQUAD)
    Path("page.sql").write_text("INSERT INTO `page` VALUES (1,0,'A');\n")
    Path("langlinks.sql").write_text("INSERT INTO `langlinks` VALUES (1,'sw','B');\n")
    Path("en-sw.txt").write_text("cat paka\ndog mbwa\nbird ndege\n")
    return tmp_path


def new(*words: str) -> int:
    return main(["new", "mine", "--target", "sw", *words])


def written() -> dict:
    return yaml.safe_load(Path("config/mine.yaml").read_text())


LEXICONS = {
    "nothing": ([], {"zero-shot"}),
    "vectors": (
        ["--vectors-source", "w.en.vec", "--vectors-target", "w.{lang}.vec", "--aligned"],
        {"zero-shot", "bl-cs", "ml-cs"},
    ),
    "titles": (
        ["--titles-page", "page.sql", "--titles-langlinks", "langlinks.sql"],
        {"zero-shot", "bl-cs", "ml-cs", "wiki-cs"},
    ),
    "a dictionary": (["--dictionary", "en-{lang}.txt"], {"zero-shot", "bl-cs", "ml-cs"}),
}


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("given", LEXICONS)
def test_what_is_written_loads_and_has_the_systems_that_its_lexicons_allow(given, capsys):
    words, systems = LEXICONS[given]
    assert new(*TEXTS, *words) == 0
    assert main(["config", "check", "config/mine.yaml"]) == 0, capsys.readouterr().err
    assert set(written()["systems"]) == systems


@pytest.mark.usefixtures("files")
def test_collections_of_squad_files_load_too():
    assert new("--train-questions", "en.json", "--test-questions", "{lang}.json") == 0
    assert main(["config", "check", "config/mine.yaml"]) == 0
    assert written()["collections"]["test-questions"]["files"] == {"en": "en.json", "sw": "sw.json"}


@pytest.mark.usefixtures("files")
def test_training_files_of_other_names_are_given_apart():
    Path("q.train.en.tsv").rename("queries.tsv")
    words = ["--documents", "d.{lang}.tsv", "--queries", "q.test.{lang}.tsv", "--judgements", "r.test.tsv"]
    assert new(*words, "--train-queries", "queries.tsv", "--train-judgements", "r.train.tsv") == 0
    assert written()["collections"]["mine"]["queries"] == {"train": "queries.tsv", "test": "q.test.{lang}.tsv"}
    assert main(["config", "check", "config/mine.yaml"]) == 0


@pytest.mark.usefixtures("files")
def test_what_was_not_given_stays_as_a_comment_that_says_what_to_put_there():
    new(*TEXTS)
    text = Path("config/mine.yaml").read_text()
    assert "# triples: triples.tsv" in text
    assert "# clwe: {kind: vectors}" in text
    assert "# ml-cs: {from: mine, lexicon: clwe" in text


@pytest.mark.usefixtures("files")
def test_norwegian_is_a_language_and_no_boolean():
    for name in ("d.{}.tsv", "q.test.{}.tsv"):
        Path(name.format("no")).write_text(Path(name.format("sw")).read_text())
    assert new(*TEXTS, "--target", "no") == 0
    assert written()["languages"]["seen"] == ["sw", "no"]


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize("name", ["config/mine.yaml", "config/mine-pairs.tsv"])
def test_no_file_is_overwritten(name, capsys):
    Path("config").mkdir()
    Path(name).write_text("kept")
    assert new(*TEXTS) == 2
    assert capsys.readouterr().err == f"{name}: exists already: give another name, or move it away\n"
    assert [file.name for file in Path("config").iterdir()] == [Path(name).name]
    assert Path(name).read_text() == "kept"


@pytest.mark.usefixtures("files")
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (TEXTS[:4], "no whole collection"),
        ([*TEXTS, "--train-questions", "en.json"], "no whole collection"),
        ([*TEXTS[:5], "r.tsv"], "--judgements: r.tsv has no {split}"),
        (["--documents", "d.en.tsv", *TEXTS[2:]], "--documents: d.en.tsv has no {lang}"),
        ([*TEXTS, "--target", "de"], "d.de.tsv: --documents: no such file: give docid TAB text"),
        ([*TEXTS, "--target", "sw"], "a language twice"),
        ([*TEXTS, "--target", "Swahili"], "'Swahili': write a code"),
        ([*TEXTS, "--vectors-source", "w.en.vec"], "one side only"),
        ([*TEXTS, "--vectors-source", "r.test.tsv", "--vectors-target", "w.sw.vec"], "is TREC judgements"),
        ([*TEXTS, "--titles-page", "page.sql"], "one dump only"),
        ([*TEXTS, "--titles-page", "langlinks.sql", "--titles-langlinks", "page.sql"], "is langlinks.sql"),
        ([*TEXTS, "--dictionary", "d.{lang}.tsv"], "is documents"),
    ],
)
def test_a_mistake_is_one_line_and_nothing_is_written(words, told, capsys):
    assert new(*words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1
    assert not Path("config").exists()


@pytest.mark.usefixtures("files")
def test_a_bad_name_of_a_run_is_one_line(capsys):
    assert main(["new", "My Run", "--target", "sw", *TEXTS]) == 2
    assert "RUN: 'My Run'" in capsys.readouterr().err


@pytest.mark.usefixtures("files")
def test_what_is_wrong_with_a_file_is_told_and_the_config_is_written(capsys):
    Path("w.sw.vec").write_text("3 2\na 1 2\nb 3 4\n")
    assert new(*TEXTS, "--vectors-source", "w.en.vec", "--vectors-target", "w.sw.vec") == 0
    assert "w.sw.vec: warning: the header promises 3 rows" in capsys.readouterr().err


def test_help_teaches_with_two_examples(capsys):
    assert main(["new", "--help"]) == 0
    assert capsys.readouterr().out.count("  switchrank new ") == 2
