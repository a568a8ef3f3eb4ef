"""Layers that are repaired: which are kept, what they learn from whom, and what a run tells of it."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
import torch
from train_world import train_record, weights
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.train.method import Data
from switchrank.train.methods.distil import DistilSettings, RepairSettings, check_layers
from switchrank.train.repair import repair_layers
from switchrank.train.taught_texts import drawn_texts, token_errors
from switchrank.train.training import train_model

SETTINGS = {"steps": 30, "batch_size": 16, "lr": 1e-2, "max_length": 24, "eval_every": 15, "held_out": 8}


@pytest.fixture
def texts(world):
    return [world / "en.txt", world / "qaa.txt"]


@pytest.fixture
def repair(deep_folder, texts, tmp_path):
    """Repair into ``tmp_path/<name>``; returns the folder."""

    def repair(name="model", layers=(0, 2), **changes):
        repair_layers(model=deep_folder, layers=layers, texts=texts, out=tmp_path / name, settings=SETTINGS | changes)
        return tmp_path / name

    return repair


def stock_vectors(folder, texts):
    """Token vectors of each text alone, by transformers."""
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return [model.base_model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0] for text in texts]


def stock_error(folder, whole, texts):
    """The mean squared error of the token vectors of one model to those of another."""
    pairs = zip(stock_vectors(folder, texts), stock_vectors(whole, texts), strict=True)
    return float(np.mean([torch.nn.functional.mse_loss(*pair) for pair in pairs]))


def test_the_layers_named_are_kept_and_all_else_with_them(repair, deep_folder):
    kept, whole = weights(repair(steps=1, lr=1e-30, warmup=0)), weights(deep_folder)
    moved = {"layer.0.": "layer.0.", "layer.1.": "layer.2."}
    for name, tensor in kept.items():
        old = next((name.replace(new, old) for new, old in moved.items() if new in name), name)
        torch.testing.assert_close(tensor, whole[old], rtol=0, atol=1e-29, msg=name)
    assert not any("layer.2." in name for name in kept)
    assert len(whole) - len(kept) == sum("layer.1." in name for name in whole)


def test_it_comes_closer_to_the_whole_on_texts_that_it_was_not_trained_on(repair, deep_folder, texts):
    folder = repair()
    record = train_record(folder)[0]
    before, after = record["before"]["squared_error"], record["dev"][-1]["squared_error"]
    held_out = drawn_texts(texts, 20_000, 1)[-record["texts"]["held_out"] :]
    assert len(held_out) == 8
    assert after == pytest.approx(stock_error(folder, deep_folder, held_out), rel=1e-4)
    assert before == pytest.approx(stock_error(repair("start", steps=1, lr=1e-30), deep_folder, held_out), rel=1e-4)
    assert after < before / 2
    assert [row["step"] for row in record["dev"]] == [15, 30]


def test_what_was_done_is_told_beside_the_model_and_by_models_made_of_it(repair, world, tmp_path):
    folder = repair()
    told = json.loads((folder / "start.json").read_text())
    record = train_record(folder)[0]
    ends = {"before": record["before"]["squared_error"], "after": record["dev"][-1]["squared_error"]}
    assert told == record["start"] | {"layers": {"kept": [0, 2], "of": 3} | ends}
    assert record["layers"] == {"kept": [0, 2], "of": 3}
    assert record["params"]["layers"] == [0, 2]
    assert set(record["inputs"]) >= {"start/model.safetensors", "texts/00000", "texts/00001"}
    files = {"corpus": [world / "train.parquet"], "start": folder}
    train_model(Data(files), out=tmp_path / "ranker", settings={"steps": 1, "warmup": 0, "max_length": 24})
    for made in (folder, tmp_path / "ranker"):
        assert "2 of its 3 layers" in (made / "README.md").read_text().replace("\n", " ")


def test_a_student_may_learn_from_another_model(deep_folder, repair, texts, tmp_path):
    start = repair("start", steps=1, lr=1e-30)
    data = Data({"start": start, "teacher": deep_folder, "texts": texts})
    train_model(data, method="distil", out=tmp_path / "taught", settings=SETTINGS)
    same = repair(layers=[0, 2])
    one, other = (train_record(folder)[0] for folder in (tmp_path / "taught", same))
    assert one["loss"] == other["loss"]
    assert all(torch.equal(weights(tmp_path / "taught")[name], tensor) for name, tensor in weights(same).items())


def test_what_is_recorded_of_a_repair_are_the_settings_that_it_reads():
    names = {field.name for field in dataclasses.fields(RepairSettings)} - {"checkpoint_every"}
    assert DistilSettings(layers=[0]).plain().keys() == names
    assert DistilSettings(loss="mse").plain().keys() > names


def test_the_error_of_a_text_is_the_mean_over_its_own_tokens():
    ours = torch.tensor([[[1.0, 3.0], [0.0, 0.0]], [[2.0, 2.0], [4.0, 0.0]]])
    theirs = torch.tensor([[[0.0, 1.0], [0.0, 0.0]], [[2.0, 0.0], [0.0, 2.0]]])
    assert token_errors(ours, theirs, torch.tensor([1, 2])).tolist() == [2.5, 6.0]  # (1 + 4) / 2, (4 + 16 + 4) / 4


def test_texts_are_distinct_and_of_a_long_file_some_are_drawn(tmp_path):
    (tmp_path / "a.txt").write_text("\n".join(f"line {number}" for number in range(50)))
    (tmp_path / "b.txt").write_text("line 3\nother\nother")
    files = [tmp_path / "a.txt", tmp_path / "b.txt"]
    whole, some = drawn_texts(files, 100, 1), drawn_texts(files, 20, 1)
    assert sorted(whole) == sorted({f"line {number}" for number in range(50)} | {"other"})
    assert len(some) in (21, 22)
    assert {"line 3", "other"} <= set(some) < set(whole)
    assert whole == drawn_texts(files, 100, 1) != drawn_texts(files, 100, 2)


@pytest.mark.parametrize(
    ("layers", "problem"),
    [
        (
            [0, 3],
            r"deep: layers: no layer 3, as there are 3: list each layer once, in order, the first as 0, the last as 2",
        ),
        ([2, 0], r"train settings: layers: \[2, 0\] is not in order, or names one twice: list each layer once"),
        ([1, 1], r"layers: \[1, 1\] is not in order, or names one twice"),
        ([-1, 1], "layers: no layer -1: list"),
        (["1"], r"layers: \['1'\] is not a list of whole numbers: write one, such as \[1, 3, 5\]"),
        ([], "train: layers: none, so that nothing is left out: name those that are kept"),
    ],
)
def test_layers_that_there_are_not_are_one_line(repair, layers, problem):
    with pytest.raises(UserError, match=problem) as told:
        repair(layers=layers)
    assert "\n" not in str(told.value)


def test_layers_are_right_where_their_number_is_not_known():
    check_layers([1, 3, 11])
    check_layers([1, 3, 11], 12)


def test_too_little_text_is_one_line(deep_folder, tmp_path):
    (tmp_path / "one.txt").write_text("a line\na line\n")
    with pytest.raises(UserError, match="train: texts: fewer than two: give files with more"):
        repair_layers(model=deep_folder, layers=[0], texts=[tmp_path / "one.txt"], out=tmp_path / "out", settings={})


def test_a_model_whose_layers_lie_elsewhere_is_one_line(deep_folder, texts, tmp_path):
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    folder = tmp_path / "distilbert"
    config = DistilBertConfig(vocab_size=200, dim=16, n_layers=2, n_heads=2, hidden_dim=16, num_labels=1)
    DistilBertForSequenceClassification(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((deep_folder / name).read_bytes())
    with pytest.raises(
        UserError, match="distilbert: layers: a model of type distilbert cannot lose any: start from one"
    ):
        repair_layers(model=folder, layers=[0], texts=texts, out=tmp_path / "out", settings=SETTINGS)


def test_a_teacher_with_other_pieces_is_one_line(deep_folder, other_teacher, texts, tmp_path):
    data = Data({"start": deep_folder, "teacher": other_teacher, "texts": texts})
    with pytest.raises(UserError, match="other: tokenizer: not that of the student, so that tokens cannot be compared"):
        train_model(data, method="distil", out=tmp_path / "out", settings=SETTINGS)
