"""Training: the same bytes however often it is killed, a batch that can be split freely, a folder any tool loads."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
import torch
import yaml
from train_world import same, strike, train_record, weights

from switchrank.core.errors import NoGpuError, UserError
from switchrank.formats.tables import CORPUS, LEXICON, read_table, write_table
from switchrank.train import objectives, units
from switchrank.train.batches import Pairs
from switchrank.train.objectives import mean_reciprocal_rank
from switchrank.train.settings import Settings, parse_settings
from switchrank.train.transplant import transplant_embeddings


def test_a_run_ended_by_sigterm_goes_on_to_the_bytes_of_an_undisturbed_one(run, monkeypatch, tmp_path):
    straight = run("straight", eval_every=2, keep="best")
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit) as ended:
            run("resumed", eval_every=2, keep="best")
    assert ended.value.code == 143
    assert not (tmp_path / "resumed").exists()
    assert [folder.name for folder in (tmp_path / "work").glob("*/step-*")] == ["step-000000004"]
    resumed = run("resumed", eval_every=2, keep="best")
    same(straight, resumed)
    assert train_record(resumed)[0]["timing"]["stops"] == 1
    assert not (tmp_path / "work").exists()


def test_a_run_killed_between_checkpoints_repeats_the_lost_steps_exactly(run, monkeypatch, tmp_path):
    straight = run("straight", checkpoint_every=3)

    def die():
        raise MemoryError

    with monkeypatch.context() as patch:
        strike(patch, 7, die)
        with pytest.raises(MemoryError):
            run("killed", checkpoint_every=3)
    saved = sorted(folder.name for folder in (tmp_path / "work").glob("*/step-*"))
    assert saved == ["step-000000003", "step-000000006"]
    same(straight, run("killed", checkpoint_every=3))


def test_what_torch_itself_draws_is_drawn_again_after_a_kill(run, monkeypatch):
    """As on a GPU, and in models that take the stock forward pass."""
    from switchrank.models import packed

    make = packed.training_forward
    monkeypatch.setattr(packed, "training_forward", lambda model: lambda inputs, _draw=None: make(model)(inputs))
    straight = run("straight", checkpoint_every=3)
    with monkeypatch.context() as patch:
        strike(patch, 7, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("killed", checkpoint_every=3)
    same(straight, run("killed", checkpoint_every=3))


def test_a_checkpoint_of_other_settings_is_never_resumed(run, monkeypatch, tmp_path):
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        with pytest.raises(SystemExit):
            run("a")
    fresh = run("b", lr=5e-3)
    assert train_record(fresh)[0]["timing"]["stops"] == 0
    assert len(list((tmp_path / "work").iterdir())) == 1


HOLDER = """
import sys
from switchrank.core.locks import hold_folder
with hold_folder(sys.argv[1]) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def test_a_model_that_another_process_trains_is_left_to_it_in_one_line(run, monkeypatch, tmp_path):
    straight = run("straight")
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("resumed")
    (checkpoints,) = (tmp_path / "work").iterdir()
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    other = subprocess.Popen([sys.executable, "-c", HOLDER, str(checkpoints)], **pipes)
    try:
        assert other.stdout.readline() == "True\n"
        with pytest.raises(UserError, match="another process trains this model") as told:
            run("resumed")
        assert "\n" not in str(told.value)
        assert [folder.name for folder in checkpoints.iterdir()] == ["step-000000004"]
    finally:
        other.kill()
        other.communicate()
    same(straight, run("resumed"))
    assert not (tmp_path / "work").exists()


def test_the_seed_decides_the_weights(run):
    assert not torch.equal(
        weights(run("a", steps=2))["classifier.weight"], weights(run("b", steps=2, seed=2))["classifier.weight"]
    )


def test_splitting_a_batch_changes_nothing_but_rounding(run):
    # Losses, not weights: Adam turns the rounding noise of gradients that are zero (key biases) into whole steps.
    options = {"dropout": 0.2, "dev": False, "lr": 1e-3, "log_every": 1}
    whole, split = (train_record(run(str(budget), token_budget=budget, **options))[0] for budget in (5000, 40))
    np.testing.assert_allclose(whole["loss"], split["loss"], rtol=1e-4)


def first_loss(folder):
    return train_record(folder)[0]["loss"][0]


def test_dropout_is_on_from_the_first_step(run):
    options = {"steps": 1, "warmup": 0, "log_every": 1, "dev": False}
    assert first_loss(run("some", dropout=0.5, **options)) != first_loss(run("none", dropout=0.0, **options))


def test_the_seed_decides_what_is_dropped(run, monkeypatch):
    usual = units.Order
    monkeypatch.setattr(units, "Order", lambda count, size, _: usual(count, size, seed=1))
    options = {"steps": 1, "warmup": 0, "log_every": 1, "dev": False}
    for dropout, alike in ((0.5, False), (0.0, True)):
        one, other = (first_loss(run(f"{dropout}-{seed}", seed=seed, dropout=dropout, **options)) for seed in (1, 2))
        assert (one == other) is alike


def test_judging_changes_nothing_about_training(run):
    often, once = weights(run("often", eval_every=1)), weights(run("once"))
    assert all(torch.equal(often[name], once[name]) for name in once)


def test_training_learns_to_tell_the_pairs_apart(run):
    loss = train_record(run(steps=120, dropout=0.0, log_every=10, dev=False))[0]["loss"]
    assert [step for step, _ in loss] == list(range(10, 121, 10))
    assert loss[-1][1] < 0.5 * loss[0][1]


def test_sentence_transformers_loads_the_folder_and_returns_the_logits(run, world):
    from sentence_transformers import CrossEncoder

    from switchrank.models.pretrained import open_both, open_tokenizer
    from switchrank.train.batches import Batcher
    from switchrank.train.objectives import logits

    folder = run(steps=60, dev=False)
    pairs = Pairs([world / "dev.parquet"])
    batcher = Batcher(pairs, open_tokenizer(folder), max_length=32, truncation="longest_first", token_budget=500)
    ours = logits(open_both(folder)[0], batcher, len(pairs))
    frame = read_table(world / "dev.parquet", CORPUS)
    theirs = CrossEncoder(str(folder), device="cpu").predict(list(zip(frame["query"], frame["passage"], strict=True)))
    np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert ours.std() > 0.01


def test_the_record_says_what_was_done_and_names_no_folder(run, tmp_path):
    folder = run(record={"code": "abc", "name": "ML-CS", "system": "ml-cs"}, eval_every=5)
    record = train_record(folder)[0]
    assert (record["code"], record["system"], record["seed"]) == ("abc", "ml-cs", 1)
    assert record["params"]["batch_size"] == 8
    assert record["start"]["init"] == ["mimetic"]
    assert set(record["inputs"]) >= {"corpus/00000", "dev", "start/model.safetensors"}
    assert [row["step"] for row in record["dev"]] == [5, 10]
    assert record["versions"]["torch"] == torch.__version__
    assert (record["device"], record["kept"]) == ("cpu", 10)
    card = (folder / "README.md").read_text()
    assert "# ML-CS" in card
    assert "MRR@10" in card
    for file in folder.iterdir():
        assert str(tmp_path).encode() not in file.read_bytes(), file.name


@pytest.mark.parametrize(
    ("licence", "stated", "told"),
    [
        ("Apache-2.0", "apache-2.0", "These weights are under the licence Apache-2.0.\n"),
        (
            "cc-by-nc-4.0",
            "cc-by-nc-4.0",
            "under the licence cc-by-nc-4.0, which forbids commercial use, of this model too",
        ),
        (
            "not stated",
            "unknown",
            "The licence of these weights is not known (not stated): ask their makers before you",
        ),
    ],
)
def test_card_and_record_tell_the_licence_of_the_start_over_any_number_of_steps(
    run, start_folder, tmp_path, licence, stated, told
):
    """A start from elsewhere, a model trained from it, its embeddings transplanted, and a model trained from those."""
    start = shutil.copytree(start_folder, tmp_path / "start")
    origin = {"model": "theirs", "licence": licence, "base_model": "owner/theirs"}
    (start / "start.json").write_text(json.dumps(origin))
    first = run("first", start=start, dev=False, steps=2)
    entries = pl.DataFrame([("sun", "sonne", None, 1)], schema=LEXICON, orient="row")
    write_table(entries, tmp_path / "lexicon.parquet", LEXICON)
    transplant_embeddings(model=first, lexicons={"qaa": tmp_path / "lexicon.parquet"}, out=tmp_path / "moved")
    last = run("last", start=tmp_path / "moved", dev=False, steps=2)
    for folder, earlier in ((first, ""), (last, "an earlier checkpoint of ")):
        assert origin.items() <= train_record(folder)[0]["start"].items()
        _, front_matter, text = (folder / "README.md").read_text().split("---\n", 2)
        assert yaml.safe_load(front_matter)["license"] == stated
        assert yaml.safe_load(front_matter)["base_model"] == "owner/theirs"
        assert f" from {earlier}the weights of theirs.\n" in text
        assert told in text


def test_a_model_from_scratch_states_no_licence(run):
    first = run("first", dev=False, steps=2)
    later = run("later", start=first, dev=False, steps=2)
    assert train_record(later)[0]["start"] == {"preset": train_record(first)[0]["start"]["preset"], "trained": True}
    card = (later / "README.md").read_text()
    assert "licen" not in card
    assert " from an earlier checkpoint.\n" in card


def test_the_best_development_score_decides_what_is_kept(run, monkeypatch):
    scores = iter([0.2, 0.9, 0.9, 0.1, 0.3])
    monkeypatch.setattr(objectives, "mean_reciprocal_rank", lambda *_: next(scores))
    best = run("best", eval_every=2, keep="best")
    assert train_record(best)[0]["kept"] == 4
    monkeypatch.undo()
    assert not torch.equal(weights(best)["classifier.weight"], weights(run("last"))["classifier.weight"])


def test_mean_reciprocal_rank_by_hand(world):
    pairs = Pairs([world / "dev.parquet"])
    pairs.frame = pl.DataFrame(
        {"qid": ["a", "a", "a", "b", "b", "c", *["d"] * 12], "pid": ["3", "1", "2", "9", "8", "1", *"abcdefghijkl"]}
    )
    pairs.label = np.array([1, 0, 0, 1, 0, 0, *[0] * 11, 1], np.float32)
    scores = np.array([0.5, 0.7, 0.5, 0.1, 0.1, 9.0, *[1.0] * 11, 0.0], np.float32)
    assert mean_reciprocal_rank(pairs, scores) == pytest.approx((1 / 3 + 1 / 2 + 0) / 3)


def test_a_longer_schedule_trains_another_model(run):
    assert run("short").joinpath("model.safetensors").read_bytes() != (
        run("long", schedule_steps=100).joinpath("model.safetensors").read_bytes()
    )


def test_a_loss_that_is_not_finite_ends_the_run_with_advice(run, monkeypatch):
    nan = torch.tensor(float("nan"))
    monkeypatch.setattr(torch.nn.functional, "binary_cross_entropy_with_logits", lambda x, *_, **__: x.sum() * nan)
    with pytest.raises(UserError, match="step 3: the loss is nan: lower lr"):
        run()


def test_a_gpu_that_is_not_there_is_exit_code_75(run, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoGpuError) as error:
        run(device="cuda")
    assert error.value.exit_code == 75


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"learning_rate": 1}, "learning_rate: unknown key"),
        ({"batch_size": 0}, "batch_size: 0 is not a whole number of at least 1"),
        ({"steps": 2.5}, "steps: 2.5 is not a whole number"),
        ({"lr": "1e-5"}, "lr: '1e-5' is not a number"),
        ({"precision": "fp8"}, "choose fp32 or bf16"),
        ({"precision": "fp16"}, "fp16 needs a GPU"),
        ({"warmup": 11}, "11 of 10 steps"),
        ({"schedule_steps": 9}, "schedule_steps: the learning rate is 0 after 9 of 10 steps"),
        ({"schedule_steps": 0}, "schedule_steps: 0 is not a whole number of at least 1"),
        ({"keep": "best", "dev": False}, "'best' needs a development set"),
        ({"device": "tpu"}, "unknown device"),
    ],
)
def test_wrong_settings_are_named(run, changes, problem):
    with pytest.raises(UserError, match=problem):
        run(**changes)


def test_there_are_steps_or_epochs_and_not_both():
    assert (parse_settings({}, Settings).steps, parse_settings({"epochs": 2}, Settings).steps) == (200_000, 0)
    with pytest.raises(UserError, match="steps: 0: say how many optimiser steps or epochs to take"):
        parse_settings({"steps": 0}, Settings)
    with pytest.raises(UserError, match="epochs: 2 beside 3 steps: give one of the two"):
        parse_settings({"steps": 3, "epochs": 2}, Settings)


def test_an_epoch_takes_the_steps_that_show_every_pair(run):
    # 40 pairs, 8 to a step
    folder = run(steps=0, epochs=2, warmup=0.1)
    record = train_record(folder)[0]
    assert (record["params"]["steps"], record["params"]["epochs"], record["epochs"]) == (10, 2, 2.0)
    same_weights = weights(folder), weights(run("steps", steps=10, warmup=0.1))
    assert all(torch.equal(tensor, same_weights[1][name]) for name, tensor in same_weights[0].items())


@pytest.mark.parametrize(("epochs", "units", "per_step", "steps"), [(3, 16, 5, 10), (1, 3, 8, 1), (4, 10, 5, 8)])
def test_the_last_pass_is_seen_to_its_end_where_steps_do_not_divide_it(epochs, units, per_step, steps):
    assert parse_settings({"epochs": epochs}, Settings).over(units, per_step).steps == steps


def test_passes_are_told_where_steps_are_given(run):
    assert train_record(run(steps=3, warmup=0))[0]["epochs"] == 3 * 8 / 40


def test_with_epochs_the_development_set_is_scored_at_the_end_of_each(run, monkeypatch):
    # 40 pairs, 12 to a step: passes end in steps 4, 7 and 10
    scores = iter([0.2, 0.9, 0.1])
    monkeypatch.setattr(objectives, "mean_reciprocal_rank", lambda *_: next(scores))
    record = train_record(run(steps=0, epochs=3, batch_size=12, warmup=0, keep="best"))[0]
    assert [row["step"] for row in record["dev"]] == [4, 7, 10]
    assert (record["kept"], record["epochs"]) == (7, 7 * 12 / 40)


def test_epochs_may_be_resumed(run, monkeypatch):
    changes = {"steps": 0, "epochs": 3, "batch_size": 12, "warmup": 0.2, "keep": "best"}
    straight = run("straight", **changes)
    with monkeypatch.context() as patch:
        strike(patch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("resumed", **changes)
    same(straight, run("resumed", **changes))


def test_warm_up_must_fit_into_the_steps_of_the_epochs(run):
    with pytest.raises(UserError, match=r"warmup: 6 of 5 steps: warm up for less, or for a share such as 0\.1"):
        run(steps=0, epochs=1, warmup=6)


def test_global_switches_are_put_back(run):
    before = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    run(steps=1, warmup=0)
    after = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads(), signal.getsignal(signal.SIGTERM)
    assert before == after


def _forgetful(monkeypatch, largest, message="CUDA out of memory. Tried to allocate 2.00 GiB"):
    """A device that holds ``largest`` padded tokens: a forward pass over more runs out of memory."""
    from switchrank.models import packed

    make = packed.training_forward

    def forgetful(model):
        forward = make(model)

        def call(inputs, draw=None):
            if inputs["input_ids"].numel() > largest:
                raise torch.OutOfMemoryError(message)
            return forward(inputs, draw)

        return call

    monkeypatch.setattr(packed, "training_forward", forgetful)


def test_memory_that_runs_out_halves_the_token_budget_and_training_goes_on(run, monkeypatch, capsys):
    options = {"dropout": 0.2, "dev": False, "lr": 1e-3, "log_every": 1}
    whole = train_record(run("whole", token_budget=160, **options))[0]["loss"]
    with monkeypatch.context() as patch:
        _forgetful(patch, largest=80)
        halved = train_record(run("halved", token_budget=160, **options))[0]["loss"]
    np.testing.assert_allclose(halved, whole, rtol=1e-4)
    told = [line for line in capsys.readouterr().err.splitlines() if "out of memory" in line]
    assert len(told) == 1
    assert told[0].endswith("train: step 0: out of memory: token budget halved to 80, going on")


def test_memory_that_runs_out_in_the_middle_of_a_step_leaves_nothing_of_its_first_part(run, monkeypatch, capsys):
    from switchrank.models import packed

    options = {"token_budget": 40, "dropout": 0.2, "dev": False, "lr": 1e-3, "log_every": 1}
    whole = train_record(run("whole", **options))[0]["loss"]
    make, parts = packed.training_forward, []

    def once(model):
        forward = make(model)

        def call(inputs, draw=None):
            parts.append(inputs)
            if len(parts) == 7:
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
            return forward(inputs, draw)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(packed, "training_forward", once)
        interrupted = train_record(run("interrupted", **options))[0]["loss"]
    np.testing.assert_allclose(interrupted, whole, rtol=1e-4)
    assert "train: step 1: out of memory: token budget halved to 20, going on" in capsys.readouterr().err


def test_memory_too_small_for_anything_is_one_line(run, monkeypatch):
    _forgetful(monkeypatch, largest=0)
    with pytest.raises(UserError, match="step 0: out of memory with 20 tokens at a time: lower max_length"):
        run(token_budget=160)


def test_precision_auto_is_what_the_cpu_has_and_is_said(run, monkeypatch, capsys):
    for capabilities, expected in (({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({}, "fp32")):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=capabilities: found)
        record = train_record(run(f"{len(capabilities)}{expected}", precision="auto", steps=2, dev=False))[0]
        assert record["precision"] == expected
        assert f"precision auto: {expected}, since this CPU has " in capsys.readouterr().err
