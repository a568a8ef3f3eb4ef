"""Distillation on bitext: what is compared with what, which lines are judged, and what a run tells of it."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import torch
from test_train_distil import stock_vectors
from train_world import train_record

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.formats.tables import BITEXT, write_table
from switchrank.models.encode import Texts
from switchrank.train.bitext_lines import draw_lines
from switchrank.train.method import Data
from switchrank.train.pair_measures import pair_measures
from switchrank.train.taught_lines import piece_weights
from switchrank.train.token_alignment import Transport, direction_errors, greedy_errors, max_sim_errors
from switchrank.train.training import train_model

SETTINGS = {"steps": 1, "batch_size": 8, "lr": 1e-30, "warmup": 0, "max_length": 24, "eval_every": 0}
LOSSES = {
    "transport": Transport("sinkhorn", 0.05, 30).errors,
    "greedy": greedy_errors,
    "max-sim": max_sim_errors,
}


@pytest.fixture
def distil(deep_folder, bitext, tmp_path):
    """Distil into ``tmp_path/<name>``; returns the folder."""

    def distil(name="model", files=None, **changes):
        data = Data({"start": deep_folder, "bitext": [bitext], **(files or {})})
        train_model(data, method="distil", out=tmp_path / name, settings=SETTINGS | changes)
        return tmp_path / name

    return distil


@pytest.fixture
def held_out(bitext):
    """The lines that a run of seed 1 holds out."""
    return draw_lines([bitext], lines=0, held_out=500, seed=1).held_out


@pytest.fixture
def more_lines(tmp_path):
    """Write a table of some lines in a folder of two languages; returns it."""

    def more(name, lines):
        (tmp_path / name).mkdir()
        rows = [(number, *line) for number, line in enumerate(lines, start=1)]
        write_table(pl.DataFrame(rows, schema=BITEXT, orient="row"), tmp_path / name / "train.parquet", BITEXT)
        return tmp_path / name / "train.parquet"

    return more


def tokens(vectors):
    """The vectors of a text's own tokens, and equal weights of them."""
    return vectors[None, 1:-1], torch.full((1, len(vectors) - 2), 1 / (len(vectors) - 2))


def apart(loss, theirs, ours):
    """The loss between what two models make of a text, all tokens with special ones."""
    if loss == "mse":
        return (theirs.mean(0) - ours.mean(0)).square().mean().item()
    (one, of_one), (other, of_other) = tokens(theirs), tokens(ours)
    return LOSSES[loss](one, other, of_one, of_other).item()


@pytest.mark.parametrize("loss", ["transport", "greedy", "mse", "max-sim"])
def test_the_teacher_reads_the_source_and_the_student_both_sides(distil, deep_folder, held_out, loss):
    source, target = (stock_vectors(deep_folder, held_out[side].to_list()) for side in ("source", "target"))
    lines = zip(source, target, strict=True)
    expected = [apart(loss, one, other) + 0.5 * apart(loss, one, one) for one, other in lines]
    before = train_record(distil(loss=loss))[0]["before"]
    assert before["loss"] == pytest.approx(np.mean(expected), rel=1e-3)


def test_a_teacher_may_have_pieces_of_its_own(distil, deep_folder, other_teacher, held_out):
    theirs = stock_vectors(other_teacher, held_out["source"].to_list())
    ours = stock_vectors(deep_folder, held_out["target"].to_list())
    expected = []
    for one, other in zip(theirs, ours, strict=True):
        sides = [tokens(one), tokens(other)]
        given = sides[0][0], sides[1][0], sides[0][1], sides[1][1]
        expected.append(max_sim_errors(*given).item() + 2 * direction_errors(*given).item())
    folder = distil(files={"teacher": other_teacher}, loss="max-sim", english=0, pooled=2.0)
    assert train_record(folder)[0]["before"]["loss"] == pytest.approx(np.mean(expected), rel=1e-3)


def test_it_is_judged_by_how_the_student_reads_both_sides(distil, deep_folder, held_out):
    sides = [
        torch.stack([vectors.mean(0) for vectors in stock_vectors(deep_folder, held_out[side].to_list())])
        for side in ("source", "target")
    ]
    ids = np.arange(len(held_out)), np.arange(len(held_out))
    expected = pair_measures(*sides, ids, "sentence_acc_at_1")
    before = train_record(distil(loss="mse"))[0]["before"]
    assert {name: before[name] for name in expected} == pytest.approx(expected, rel=1e-3, abs=1e-4)
    assert before["random_cosine"] < before["pair_cosine"]


@pytest.mark.parametrize("changes", [{"loss": "transport", "marginals": "idf"}, {"loss": "greedy", "english": 1.0}])
def test_it_comes_closer_to_the_teacher_and_texts_that_become_alike_are_seen(distil, changes):
    record = train_record(distil(steps=30, lr=1e-3, log_every=1, **changes))[0]
    losses = [loss for _, loss in record["loss"]]
    assert losses[-1] < 0.7 * losses[0]
    assert (
        record["dev"][-1]["random_cosine"] > record["before"]["random_cosine"] + 0.2
    )  # 54 lines teach a model no more


def test_what_was_done_is_told_beside_the_model(distil):
    folder = distil(loss="transport", steps=2)
    record, start = train_record(folder)[0], json.loads((folder / "start.json").read_text())
    assert record["bitext"]["pairs"] == {"en-qaa": record["bitext"]["trained_on"]}
    assert record["dev"][-1].keys() >= {"loss", "sentence_acc_at_1", "random_cosine", "plan_entropy", "marginal_error"}
    (learned,) = start["learned"]
    assert start["trained"]
    assert (learned["method"], learned["loss"], learned["before"]) == ("distil", "transport", record["before"])
    told = " ".join((folder / "README.md").read_text().split())
    assert f"further trained on {record['bitext']['trained_on']} lines of bitext (distil)" in told
    again = distil("again", files={"start": folder}, loss="mse", layers=[0, 2])
    assert [one["loss"] for one in json.loads((again / "start.json").read_text())["learned"]] == ["transport", "mse"]
    assert train_record(again)[0]["layers"] == {"kept": [0, 2], "of": 3}


def test_plans_that_miss_their_marginals_are_told_once(distil, capsys):
    distil("few", loss="transport", eps=0.01, iterations=1)
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train: eps")]
    assert len(told) == 1
    assert told[0].startswith("train: eps: after 1 iterations at 0.01 plans miss their marginals by ")
    distil("many", loss="transport", eps=0.2, iterations=100)
    distil("unbalanced", loss="transport", eps=0.01, iterations=1, marginals="unbalanced")
    assert "train: eps" not in capsys.readouterr().err


def test_rare_pieces_weigh_more():
    ids: Numbers = np.array([0, 1, 0, 2, 2, 0, 3, 3, 3])
    texts = Texts(ids.astype(np.int32), np.array([0, 2, 5, 6, 8]), np.array([2, 3, 1, 2, 1]))
    weights = piece_weights(texts, np.array([0, 0, 0, 1, 0]), count=4, pieces=5)
    idf = lambda count, frequency: np.log(1 + (count - frequency + 0.5) / (frequency + 0.5))  # noqa: E731
    np.testing.assert_allclose(weights[0], [idf(3, n) for n in (3, 1, 1, 0, 0)], rtol=1e-6)
    np.testing.assert_allclose(weights[1], [idf(1, n) for n in (0, 0, 0, 1, 0)], rtol=1e-6)
    assert (weights > 0).all()


def test_fewer_lines_are_among_more_and_none_shares_a_text_with_those_held_out(more_lines):
    lines = [(f"line {n % 70}", f"zeile {n}") for n in range(100)] + [("line 3", "zeile 3")]
    paths = [more_lines("en-de", lines), more_lines("en-nl", [(f"line {n}", f"lijn {n}") for n in range(40)])]
    every = draw_lines(paths, lines=0, held_out=10, seed=1)
    texts = {(row["target_language"], row["source"], row["target"]) for row in every.trained_on.to_dicts()}
    assert len(texts) == len(every.trained_on)
    for side in ("source", "target"):
        assert not {*every.trained_on[side]} & {*every.held_out[side]}
    assert len(every.held_out) == 10
    assert len(every.trained_on) + len(every.held_out) + every.left_out == 140
    assert every.left_out > 0
    some, more = (draw_lines(paths, lines=count, held_out=10, seed=1) for count in (5, 20))
    assert some.counts() == {"en-de": 5, "en-nl": 5}
    assert some.held_out.equals(every.held_out)
    assert {*some.trained_on.rows()} < {*more.trained_on.rows()} < {*every.trained_on.rows()}
    assert not draw_lines(paths, lines=5, held_out=10, seed=2).held_out.equals(every.held_out)


def test_lines_to_judge_by_may_be_given(distil, more_lines):
    dev = more_lines("en-qaa", [("sun sun moon sun", "one"), ("moon moon moon bird", "two"), ("wind salt", "three")])
    record = train_record(distil(files={"dev": [dev]}, loss="mse"))[0]
    assert (record["bitext"]["held_out"], record["bitext"]["left_out"]) == (3, 0)


def test_a_line_without_pieces_is_left_out(distil, more_lines):
    lines = [(f"sun moon {'bird ' * (n % 7)}{'wind ' * (n // 7)}", f"mus {'drib ' * n}") for n in range(20)]
    table = more_lines("en-qaa", [*lines, (" ", "mus mus")])
    record = train_record(distil(files={"bitext": [table]}, loss="mse"))[0]["bitext"]
    assert (record["trained_on"] + record["held_out"], record["left_out"]) == (20, 1)


@pytest.mark.parametrize(
    ("files", "changes", "problem"),
    [
        ({}, {}, "train: bitext: given, and loss: tokens does not read them: give texts, or a loss that reads them, "),
        ({"texts": "bitext"}, {"loss": "mse"}, "train: texts: given, and loss: mse does not read them: give bitext"),
        ({"bitext": None}, {"loss": "mse"}, "train: bitext: not given, and this method needs it: give bitext"),
        ({"dev": "bitext"}, {"loss": "mse"}, "train.parquet: 60 of the lines that are trained on have a text of these"),
        ({"bitext": "one"}, {"loss": "mse"}, "train: bitext: fewer than two lines to train on: give tables with more"),
        ({"teacher": "wide"}, {"loss": "mse"}, "wide: teacher: vectors of 32 numbers, where those of the student have"),
        (
            {},
            {"loss": "sinkhorn"},
            "loss: 'sinkhorn' is not known: choose tokens or transport or greedy or mse or",
        ),
        ({}, {"loss": "transport", "eps": 0}, "eps: 0 is not a number above 0: write one"),
        (
            {},
            {"loss": "transport", "solver": "ipot", "marginals": "unbalanced"},
            "train settings: solver: ipot meets all weights: write sinkhorn for unbalanced ones",
        ),
    ],
)
def test_a_mistake_is_one_line(distil, bitext, more_lines, tokenizer_folder, tmp_path, files, changes, problem):
    if "wide" in files.values():
        from train_world import MICRO

        from switchrank.train.start import build_start

        build_start(tokenizer=tokenizer_folder, preset=MICRO | {"hidden_size": 32}, out=tmp_path / "wide")
    made = {"bitext": lambda: [bitext], "one": lambda: [more_lines("en-xx", [("one", "eno")])]}
    made |= {"wide": lambda: tmp_path / "wide", None: lambda: None}
    with pytest.raises(UserError) as told:
        distil(files={role: made[name]() for role, name in files.items()}, **changes)
    assert problem in str(told.value)
    assert "\n" not in str(told.value)
