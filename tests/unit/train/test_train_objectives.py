"""Objectives: losses as torch and pencil have them, whole however a step is split, each of which learns to rank."""

from __future__ import annotations

import math
import os
import signal
import typing

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from train_world import corpus_frame, same, strike, train_record

from switchrank.config.systems import Optimisation
from switchrank.core.errors import UserError
from switchrank.formats.tables import CORPUS, write_table
from switchrank.train.batches import Batcher
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.objectives import OBJECTIVES, binary_cross_entropy, listwise_softmax, pairwise_logistic
from switchrank.train.settings import parse_settings

GROUPED = ["pairwise", "listwise"]
SCORES = torch.tensor([0.3, -1.2, 2.0, 1.5, 1.5, -0.7, 4.0])
LABELS = torch.tensor([1.0, 0, 0, 1, 0, 1, 0])
SHAPES = [slice(0, 3), slice(3, 5), slice(5, 7)]


def test_pairwise_is_the_softplus_of_each_negative_over_its_positive():
    margins = [-1.2 - 0.3, 2.0 - 0.3, 1.5 - 1.5, 4.0 + 0.7]
    by_hand = sum(math.log1p(math.exp(margin)) for margin in margins)
    assert pairwise_logistic(SCORES, LABELS).item() == pytest.approx(by_hand, rel=1e-6)
    assert OBJECTIVES["pairwise"].terms(LABELS) == 4


def test_pairwise_is_the_soft_margin_loss_of_score_differences():
    positive, negative = SCORES[[0, 0, 3, 5]], SCORES[[1, 2, 4, 6]]
    peer = torch.nn.functional.soft_margin_loss(positive - negative, torch.ones(4), reduction="mean")
    torch.testing.assert_close(pairwise_logistic(SCORES, LABELS) / 4, peer)


def test_listwise_is_the_cross_entropy_of_the_positive_in_each_group():
    first = torch.tensor(0)
    peer = torch.stack([torch.nn.functional.cross_entropy(SCORES[shape], first) for shape in SHAPES]).mean()
    terms = OBJECTIVES["listwise"].terms(LABELS)
    assert terms == 3
    torch.testing.assert_close(listwise_softmax(SCORES, LABELS) / terms, peer)


def test_a_group_of_one_negative_costs_the_same_in_both_losses():
    pair = torch.tensor([0.4, 1.1]), torch.tensor([1.0, 0.0])
    torch.testing.assert_close(pairwise_logistic(*pair), listwise_softmax(*pair))


def test_bce_is_the_mean_of_torchs_own_over_the_pairs():
    peer = torch.nn.BCEWithLogitsLoss()(SCORES, LABELS)
    torch.testing.assert_close(binary_cross_entropy(SCORES, LABELS) / OBJECTIVES["bce"].terms(LABELS), peer)


@pytest.mark.parametrize("loss", [pairwise_logistic, listwise_softmax])
def test_gradients_are_right_where_groups_differ_in_size(loss):
    scores = SCORES.double().requires_grad_()
    assert torch.autograd.gradcheck(lambda values: loss(values, LABELS), scores)


@pytest.mark.parametrize("loss", [pairwise_logistic, listwise_softmax])
def test_extreme_scores_give_finite_gradients(loss):
    scores = (1e4 * SCORES).requires_grad_()
    loss(scores, LABELS).backward()
    assert torch.isfinite(scores.grad).all()


groups = st.lists(st.lists(st.floats(-20, 20, width=32), min_size=2, max_size=6), min_size=1, max_size=6)


def flat(some):
    labels = [float(place == 0) for group in some for place in range(len(group))]
    return torch.tensor([score for group in some for score in group], dtype=torch.float64), torch.tensor(labels)


@pytest.mark.parametrize("name", GROUPED)
@given(some=groups, cut=st.integers(0, 6), shift=st.floats(-5, 5))
def test_a_loss_over_groups_adds_up_over_any_split_and_sees_only_differences_of_scores(name, some, cut, shift):
    objective = OBJECTIVES[name]
    parts = [part for part in (some[:cut], some[cut:]) if part]
    scores, labels = flat(some)
    whole = objective.loss(scores, labels)
    torch.testing.assert_close(whole, sum(objective.loss(*flat(part)) for part in parts))
    assert objective.terms(labels) == sum(objective.terms(flat(part)[1]) for part in parts)
    torch.testing.assert_close(objective.loss(scores + shift, labels), whole)
    assert whole >= 0


def test_settings_configuration_and_objectives_know_the_same_names():
    assert list(OBJECTIVES) == list(typing.get_args(Optimisation.model_fields["objective"].annotation))
    for name in OBJECTIVES:
        assert parse_settings({"objective": name}, CrossEncoderSettings).objective == name
    with pytest.raises(UserError, match="objective: 'hinge' is not known: choose bce or pairwise or listwise"):
        parse_settings({"objective": "hinge"}, CrossEncoderSettings)


@pytest.fixture
def steps_seen(monkeypatch):
    """The rows of every optimiser step, in order."""
    seen, whole = [], Batcher.split

    def split(self, rows, sizes=None):
        if sizes is not None:
            seen.append(rows.tolist())
        return whole(self, rows, sizes)

    monkeypatch.setattr(Batcher, "split", split)
    return seen


@pytest.mark.parametrize("objective", GROUPED)
def test_a_step_is_as_many_whole_groups_as_fit_and_a_pass_sees_each_once(run, steps_seen, objective):
    run(objective=objective, batch_size=11, dev=False)
    assert {len(rows) for rows in steps_seen} == {8}
    firsts = [row for rows in steps_seen for row in rows[::4]]
    assert [row for rows in steps_seen for row in rows] == [row + place for row in firsts for place in range(4)]
    assert sorted(firsts[:10]) == sorted(firsts[10:]) == list(range(0, 40, 4))
    assert firsts[:10] != firsts[10:]


def test_a_batch_smaller_than_a_group_is_one_group(run, steps_seen):
    run(objective="listwise", batch_size=2, dev=False)
    assert {len(rows) for rows in steps_seen} == {4}


def test_the_order_of_groups_depends_on_the_seed_and_their_number_only(run, steps_seen, tmp_path):
    other = corpus_frame().with_columns(query=pl.lit("sun moon"), passage=pl.col("passage").str.to_uppercase())
    write_table(other, tmp_path / "other.parquet", CORPUS)
    run("a", objective="pairwise", dev=False)
    run("b", objective="listwise", dev=False, corpus=[tmp_path / "other.parquet"])
    assert steps_seen[:10] == steps_seen[10:]
    run("c", objective="pairwise", dev=False, seed=2)
    assert steps_seen[:10] != steps_seen[20:]


@pytest.mark.parametrize("objective", list(OBJECTIVES))
def test_splitting_a_step_changes_nothing_but_rounding(run, objective):
    options = {"objective": objective, "dropout": 0.0, "dev": False, "lr": 1e-3, "log_every": 1}
    whole, split = (train_record(run(str(budget), token_budget=budget, **options))[0] for budget in (5000, 40))
    np.testing.assert_allclose(whole["loss"], split["loss"], rtol=1e-4)


@pytest.mark.parametrize("objective", list(OBJECTIVES))
def test_the_loss_falls_and_the_ranking_of_the_development_set_rises(run, objective):
    record = train_record(run(objective=objective, steps=50, dropout=0.0, log_every=10, eval_every=1))[0]
    loss, ranking = [mean for _, mean in record["loss"]], [row["mrr@10"] for row in record["dev"]]
    assert loss[-1] < 0.5 * loss[0]
    assert ranking[0] < 0.8
    assert ranking[-1] > 0.9


@pytest.mark.parametrize("objective", GROUPED)
def test_a_run_over_groups_that_was_ended_goes_on_to_the_bytes_of_an_undisturbed_one(run, monkeypatch, objective):
    options = {"objective": objective, "token_budget": 60, "eval_every": 2, "keep": "best"}
    straight = run("straight", **options)
    with monkeypatch.context() as patch:
        strike(patch, 6, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("resumed", **options)
    resumed = run("resumed", **options)
    same(straight, resumed)
    assert train_record(resumed)[0]["timing"]["stops"] == 1


def test_a_checkpoint_of_another_objective_is_never_resumed(run, monkeypatch):
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run(objective="pairwise")
    assert train_record(run(objective="listwise"))[0]["timing"]["stops"] == 0


def test_the_record_and_the_card_name_the_objective(run):
    folder = run(objective="listwise", dev=False)
    record = train_record(folder)[0]
    assert record["params"]["objective"] == "listwise"
    assert record["groups"] == {"count": 10, "size": 4, "pairs_left_out": 0}
    assert "10 steps of 2 groups (learning rate 0.01, fp32, seed 1, listwise objective)" in (
        folder / "README.md"
    ).read_text(encoding="utf-8")
    plain = run("plain", dev=False)
    assert "10 steps of 8 pairs (learning rate 0.01, fp32, seed 1) from" in (plain / "README.md").read_text("utf-8")
    assert "groups" not in train_record(plain)[0]


@pytest.mark.parametrize("objective", GROUPED)
def test_a_corpus_without_groups_is_refused_before_training(run, tmp_path, objective):
    frame = corpus_frame().with_columns(qid=pl.format("q{}", pl.int_range(pl.len())))
    write_table(frame, tmp_path / "triples.parquet", CORPUS)
    with pytest.raises(UserError, match="no query has both a positive and a negative"):
        run(objective=objective, corpus=[tmp_path / "triples.parquet"])


def test_pairs_without_a_group_are_left_out_of_training_and_named(run, steps_seen, tmp_path, capsys):
    frame = pl.concat([corpus_frame(), corpus_frame(3).filter(label=0).with_columns(qid=pl.lit("lost"))])
    write_table(frame, tmp_path / "some.parquet", CORPUS)
    run(objective="pairwise", corpus=[tmp_path / "some.parquet"], dev=False)
    assert "some.parquet: 2 of 42 pairs left out" in capsys.readouterr().err
    assert max(row for rows in steps_seen for row in rows) == 39
