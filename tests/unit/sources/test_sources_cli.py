"""``switchrank sources`` builds the same tables as the library call, and says what is wrong with exit code 2."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from switchrank.cli import main
from switchrank.collections.spec import CollectionSpec
from switchrank.sources.build import build_collection
from switchrank.sources.world.generate import generate_world


def test_flags_and_library_give_the_same_bytes(tiny_msmarco, msmarco_spec, tmp_path, capsys) -> None:
    flags = {
        "--documents": [f"{language}={tiny_msmarco[f'documents/{language}']}" for language in ("en", "qaa")],
        "--queries": [f"{role}={tiny_msmarco[f'queries/{role}']}" for role in ("train/en", "test/en", "test/qaa")],
        "--judgements": [f"{split}={tiny_msmarco[f'judgements/{split}']}" for split in ("train", "test")],
        "--triples": [tiny_msmarco["triples/train"]],
        "--groups": [tiny_msmarco["groups"]],
        "--dev": ["0.25"],
        "--out": [str(tmp_path / "flags")],
    }
    words = ["sources", "build", "--format", "msmarco", *(word for flag in flags for word in [flag, *flags[flag]])]

    assert main(words) == 0
    assert "queries: train 6, dev 2, test 2" in capsys.readouterr().out
    build_collection(spec=msmarco_spec, files=tiny_msmarco, out=tmp_path / "library")
    for name in CollectionSpec.from_plain(msmarco_spec).outputs():
        assert (tmp_path / "flags" / name).read_bytes() == (tmp_path / "library" / name).read_bytes()


def test_a_spec_file_holds_specification_and_files(tiny_msmarco, msmarco_spec, tmp_path, write) -> None:
    file = write("mine.json", {"spec": msmarco_spec, "files": tiny_msmarco})

    assert main(["sources", "build", "--spec", file, "--out", str(tmp_path / "out")]) == 0
    assert sorted(path.name for path in (tmp_path / "out").glob("[!.]*")) == sorted(
        CollectionSpec.from_plain(msmarco_spec).outputs()
    )


def test_squad_files_are_named_by_split_and_language(write, tmp_path, capsys) -> None:
    paragraph = {
        "context": "One. Two.",
        "qas": [{"id": "a", "question": "?", "answers": [{"answer_start": 5, "text": "Two"}]}],
    }
    content = {"data": [{"title": "T", "paragraphs": [paragraph]}]}
    files = [f"test/{language}={write(f'{language}.json', content)}" for language in ("en", "de")]
    words = ["sources", "build", "--format", "squad", "--files", *files, "--documents-as", "sentences"]

    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    assert "documents: en 2, de 2" in capsys.readouterr().out


def test_files_of_questions_in_one_language_and_paragraphs_in_another_name_both(write, tmp_path, capsys) -> None:
    asked = {"id": "a", "question": "?", "answers": [{"answer_start": 0, "text": "One"}]}
    file = write("x.json", {"data": [{"title": "T", "paragraphs": [{"context": "One.", "qas": [asked]}]}]})
    words = ["sources", "build", "--format", "squad", "--files", f"test/de/en={file}", "--out", str(tmp_path / "out")]

    assert main(words) == 0
    assert capsys.readouterr().out.splitlines() == ["documents: en 1", "queries: test 1"]
    made = {path.name for path in (tmp_path / "out").glob("[!.]*")}
    assert made == {"documents-en.parquet", "queries-test-de.parquet", "judgements-test-en.parquet"}


def test_queries_may_be_in_another_language_than_the_documents(write, tmp_path) -> None:
    documents, queries = write("docs.tsv", "d\tone\n"), write("queries.tsv", "q\teins\n")
    words = ["--documents", f"en={documents}", "--queries", f"test/de={queries}"]
    words += ["--judgements", f"test={write('qrels.tsv', 'q 0 d 1')}", "--out", str(tmp_path / "out")]

    assert main(["sources", "build", "--format", "msmarco", *words]) == 0
    assert (tmp_path / "out" / "queries-test-de.parquet").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "command line: --format: missing"),
        (["--format", "squad", "--files", "test/en"], "--files: 'test/en': write SPLIT/LANG=FILE"),
        (["--format", "squad", "--files", "test/en=x", "test/en=y"], "each SPLIT/LANG once"),
        (["--format", "squad", "--files", "test/en=/nowhere.json"], "/nowhere.json: test/en: no such file"),
        (["--spec", "/nowhere.json"], "/nowhere.json: no such file"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(tmp_path, capsys, words, message) -> None:
    assert main(["sources", "build", *words, "--out", str(tmp_path / "out")]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    "content", ["{", "[]", {"spec": {}}, {"spec": [], "files": {}}, {"spec": {}, "files": {"a": 1}}]
)
def test_a_wrong_spec_file_is_named(write, tmp_path, capsys, content) -> None:
    file = write("mine.json", content)

    assert main(["sources", "build", "--spec", file, "--out", str(tmp_path / "out")]) == 2
    message = capsys.readouterr().err
    assert message.startswith(f"{file}: ")
    assert "see --help" in message


def test_help_shows_the_formats_and_a_spec_file_that_is_json(capsys) -> None:
    assert main(["sources", "build", "--help"]) == 0
    text = capsys.readouterr().out

    assert "docid TAB text" in text
    example, _ = json.JSONDecoder().raw_decode(text, text.index('{"spec"'))
    assert set(example) == {"spec", "files"}


def test_world_passes_on_what_was_named(monkeypatch, tmp_path) -> None:
    calls: list[dict[str, Any]] = []
    stand_in = functools.wraps(generate_world)(lambda **named: calls.append(named))
    monkeypatch.setattr("switchrank.sources.world.generate.generate_world", stand_in)

    assert main(["sources", "world", "--seed", "3", "--test-queries", "5", "--out", str(tmp_path / "out")]) == 0
    assert calls == [{"spec": {"seed": 3, "test_queries": 5}, "out": str(tmp_path / "out"), "overwrite": False}]
