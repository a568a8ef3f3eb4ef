"""The command line: three commands lead from text to a trained ranker."""

from __future__ import annotations

import json

import pytest

from switchrank.cli import main


def test_tokenizer_start_and_ranker_in_three_commands(world, tmp_path, capsys):
    texts = [f"{language}={world}/{language}.txt" for language in ("en", "qaa")]
    vectors = [f"{language}={world}/{language}" for language in ("en", "qaa")]
    tokenizer, start, model = (str(tmp_path / name) for name in ("tokenizer", "start", "model"))
    assert main(["train", "tokenizer", "--texts", *texts, "--size", "80", "--out", tokenizer]) == 0
    assert json.loads(capsys.readouterr().out)["pieces"] <= 80
    assert main(["train", "start", "--tokenizer", tokenizer, "--vectors", *vectors, "--out", start]) == 0
    corpus = ["--corpus", f"{world}/train.parquet", "--start", start, "--out", model]
    assert main(["train", "ranker", *corpus, "steps=2", "warmup=0", "lr=1.0e-3", "keep=last"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    assert (tmp_path / "model" / "train.json").is_file()


def test_an_encoder_is_trained_in_one_command(parallel, start_folder, tmp_path, capsys):
    files = ["--corpus", *map(str, parallel), "--start", str(start_folder), "--out", str(tmp_path / "model")]
    assert main(["train", "encoder", *files, "steps=2", "warmup=0", "batch_size=4", "batches=cross"]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    assert json.loads((tmp_path / "model" / "train.json").read_text())["params"]["batches"] == "cross"


@pytest.mark.parametrize(
    ("command", "files", "settings"),
    [
        ("distil", ["--bitext", "en-qaa/train.parquet"], ["loss=transport", "marginals=idf"]),
        ("distil", ["--texts", "en.txt", "qaa.txt"], ["layers=[1]"]),
        ("inject", ["--lexicon", "en-qaa.parquet"], ["layer=2"]),
    ],
)
@pytest.mark.usefixtures("bitext", "lexicon", "deep_folder")
def test_what_is_learned_before_ranking_is_learned_in_one_command(
    world, tmp_path, capsys, monkeypatch, command, files, settings
):
    monkeypatch.chdir(world)
    places = ["--start", "deep", "--out", str(tmp_path / "model")]
    assert main(["train", command, *files, *places, "steps=2", "warmup=0", "batch_size=4", *settings]) == 0
    assert json.loads(capsys.readouterr().out)["steps"] == 2
    assert (tmp_path / "model" / "start.json").is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["tokenizer", "--texts", "en.txt", "--out", "x"], "--texts: 'en.txt': write LANG=FILE[,FILE], each LANG once"),
        (["start", "--tokenizer", "/nowhere", "--out", "x"], "/nowhere: "),
        (
            ["ranker", "--corpus", "on-the-fly.json", "--start", "x", "--out", "y", "steps=1"],
            "on-the-fly.json: --corpus: the record of a corpus whose texts are not written: write it",
        ),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(words, line, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *words]) == 2
    assert line in capsys.readouterr().err


def test_help_names_every_command(capsys):
    assert main(["train", "--help"]) == 0
    text = capsys.readouterr().out
    assert all(name in text for name in ("tokenizer", "start", "transplant", "ranker", "Examples"))
