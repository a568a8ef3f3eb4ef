"""A folder from a stranger that is no model, or half of one: one line wherever it is given, and never a score."""

from __future__ import annotations

import json
import re
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from safetensors.torch import load_file, save_file
from tests.conftest import SMOKE, Workflow

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.models.folder import check_model
from switchrank.models.pretrained import open_both, open_tokenizer
from switchrank.train.start import build_start

Damage = Callable[[Path], object]


def without(*names: str) -> Damage:
    return lambda folder: [(folder / name).unlink() for name in names]


def holding(name: str, content: bytes) -> Damage:
    return lambda folder: (folder / name).write_bytes(content)


def cut(name: str, size: int) -> Damage:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes()[:size])


def config(**changes: object) -> Damage:
    """Changes of ``config.json``; None takes a key away."""

    def change(folder: Path) -> None:
        told = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps({key: value for key, value in told.items() if value}))

    return change


def tensors(change: Callable[[dict], dict]) -> Damage:
    def rewrite(folder: Path) -> None:
        file = folder / "model.safetensors"
        save_file(change(load_file(file)), file, metadata={"format": "pt"})

    return rewrite


def sharded(**index: object) -> Damage:
    """An index in place of the weights."""

    def split(folder: Path) -> None:
        (folder / "model.safetensors").unlink()
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return split


TWO = {"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}
NO_HEADER = struct.pack("<Q", 20) + b"this is not a header" + b"\0" * 100
OUTSIDE = {
    "no config": (without("config.json"), "no config.json: not a Hugging Face model folder"),
    "config is a list": (holding("config.json", b"[]"), "config.json: holds a list where an object belongs"),
    "config is null": (holding("config.json", b"null"), "config.json: holds null"),
    "config is no JSON": (holding("config.json", b"hello"), "config.json: not JSON"),
    "config is no UTF-8": (holding("config.json", b"\xff\xfe{\0}\0"), "config.json: not JSON"),
    "config names no model": (holding("config.json", b"{}"), "config.json: no model_type"),
    "config names two models": (config(model_type=["bert"]), "config.json: no model_type"),
    "two labels": (config(**TWO), "config.json: a classifier with 2 labels"),
    "two labels by default": (config(id2label=None, label2id=None), "config.json: a classifier with 2 labels"),
    "no weights": (without("model.safetensors"), "model.safetensors: no such file"),
    "empty weights": (holding("model.safetensors", b""), "model.safetensors: empty"),
    "weights cut short": (cut("model.safetensors", 9_000), "model.safetensors: truncated, or not a file of safetens"),
    "weights cut in their header": (cut("model.safetensors", 100), "model.safetensors: truncated, or not a file"),
    "weights with a bad header": (holding("model.safetensors", NO_HEADER), "model.safetensors: truncated, or not"),
    "a page in place of weights": (holding("model.safetensors", b"<html>" * 50), "model.safetensors: truncated, or"),
    "an index of nothing": (sharded(metadata={}), "model.safetensors.index.json: its weight_map names no file"),
    "an index without its files": (
        sharded(weight_map={"a": "model-1.safetensors"}),
        "model-1.safetensors: no such file",
    ),
    "no tokenizer": (without("tokenizer.json", "tokenizer_config.json"), "tokenizer.json: no such file, nor another"),
    "no vocabulary": (without("tokenizer.json"), "tokenizer.json: no such file, nor another vocabulary"),
    "an empty tokenizer": (holding("tokenizer.json", b""), "tokenizer.json: not JSON"),
    "a broken tokenizer": (cut("tokenizer.json", 500), "tokenizer.json: not JSON"),
    "a tokenizer that is a list": (holding("tokenizer.json", b"[]"), "tokenizer.json: holds a list"),
    "broken settings of the tokenizer": (holding("tokenizer_config.json", b"["), "tokenizer_config.json: not JSON"),
}
"""Defects that are seen without opening the model: what is done to a sound folder, and the line about it."""


def one_less(weights: dict) -> dict:
    return {name: tensor for name, tensor in weights.items() if ".layer.1." not in name}


def two_rows(weights: dict) -> dict:
    return weights | {name: weights[name].repeat_interleave(2, dim=0) for name in weights if "classifier." in name}


def settings_without_padding(folder: Path) -> None:
    told = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in told.items() if k != "pad_token"}))


def more_pieces(folder: Path) -> None:
    told = json.loads((folder / "tokenizer.json").read_text())
    told["model"]["vocab"] |= {"more": len(told["model"]["vocab"])}
    (folder / "tokenizer.json").write_text(json.dumps(told))


INSIDE = {
    "an unknown kind of model": (config(model_type="strange"), "model: cannot be opened"),
    "a size that is no number": (config(hidden_size="x"), "model: cannot be opened"),
    "another size": (config(intermediate_size=32), r"weights: bert\.\S+ is \(64,\) where its config says \(32,\)"),
    "a layer without weights": (tensors(one_less), r"weights: no weights for bert\.encoder\.layer\.1\.\S+ and 15 more"),
    "weights of another kind": (config(model_type="distilbert"), "weights: no weights for distilbert"),
    "two labels in the weights alone": (tensors(two_rows), "weights: a classifier with 2 labels"),
    "a tokenizer of another file": (holding("tokenizer.json", b"{}"), "tokenizer: cannot be opened"),
    "a tokenizer of no pieces": (
        lambda folder: (OUTSIDE["no tokenizer"][0](folder), holding("vocab.txt", b"[PAD]\n[UNK]\n")(folder)),
        "tokenizer: no pieces but special tokens",
    ),
    "a tokenizer without padding": (settings_without_padding, "tokenizer: no padding token"),
    "more pieces than embeddings": (more_pieces, r"tokenizer: the tokenizer has 85 pieces, the model 84 embeddings"),
}
"""Defects that only opening tells."""


@pytest.fixture
def damaged(bert_folder, tmp_path) -> Callable[[Damage], Path]:
    def make(deed: Damage) -> Path:
        folder = shutil.copytree(bert_folder, tmp_path / "stranger")
        deed(folder)
        return folder

    return make


@pytest.mark.parametrize("name", OUTSIDE)
def test_defects_that_are_seen_from_outside_are_one_line_before_anything_is_opened(name, damaged):
    deed, line = OUTSIDE[name]
    folder = damaged(deed)
    with pytest.raises(UserError) as error:
        check_model(folder)
    assert str(error.value).startswith(f"{folder}: {line}")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", [*OUTSIDE, *INSIDE])
def test_ranking_and_starting_from_it_are_one_line_and_leave_nothing(name, damaged, tmp_path, capsys):
    deed, line = (OUTSIDE | INSIDE)[name]
    folder = damaged(deed)
    (tmp_path / "q.tsv").write_text("q1\tred fox\n")
    (tmp_path / "d.tsv").write_text("d1\tthe red fox\n")
    files = ["--queries", str(tmp_path / "q.tsv"), "--docs", str(tmp_path / "d.tsv")]
    for words in (["rank", *files, "--out", str(tmp_path / "run")], ["train", "start", "--out", str(tmp_path / "new")]):
        assert main([*words, "--model", str(folder)]) == 2
        told = capsys.readouterr().err.strip().splitlines()
        assert len(told) == 1, told
        assert re.match(f"{re.escape(str(folder))}: {line}", told[0]), told
    assert not (tmp_path / "run").exists()
    assert not (tmp_path / "new").exists()


def test_a_sound_folder_and_a_name_on_a_hub_pass(bert_folder, roberta_folder):
    check_model(bert_folder)
    check_model(roberta_folder)
    check_model("some/model")
    with pytest.raises(UserError, match="no such model folder"):
        check_model("./some/model")


def test_an_encoder_without_a_head_is_a_start_and_no_ranker(damaged, tmp_path):
    folder = damaged(tensors(lambda weights: {k: v for k, v in weights.items() if "classifier" not in k}))
    config(architectures=["BertModel"], id2label=None, label2id=None)(folder)
    check_model(folder)
    build_start(model=folder, out=tmp_path / "start")
    assert open_both(tmp_path / "start", new_head=False)[0].config.num_labels == 1
    with pytest.raises(UserError, match=r"no weights for classifier.bias and 1 more: give a trained cross-encoder"):
        open_both(folder, new_head=False)


def test_a_model_with_a_plain_vocabulary_becomes_a_start_with_a_fast_tokenizer(damaged, tmp_path):
    folder = damaged(without("tokenizer_config.json"))
    vocabulary = json.loads((folder / "tokenizer.json").read_text())["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n")
    build_start(model=folder, out=tmp_path / "start")
    assert {"tokenizer.json", "tokenizer_config.json"} <= {file.name for file in (tmp_path / "start").iterdir()}
    ours, theirs = (open_tokenizer(place).backend_tokenizer for place in (tmp_path / "start", folder))
    assert ours.encode("ab", "ba").ids == theirs.encode("ab", "ba").ids


@pytest.mark.parametrize("name", ["no tokenizer", "weights cut short", "two labels"])
def test_a_run_that_would_start_from_it_ends_before_its_first_job(name, damaged, tmp_path):
    deed, line = OUTSIDE[name]
    folder = damaged(deed)
    data = yaml.safe_load(SMOKE.read_text()) | {"start": {"model": str(folder)}}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(data))
    (tmp_path / "work").mkdir()
    done = Workflow(tmp_path / "work", tmp_path / "my.yaml").run("--dry-run", check=False)
    assert done.returncode == 2
    assert done.stdout.strip().splitlines()[-1].startswith(f"{folder}: {line}")
    assert "Traceback" not in done.stdout
