"""What every method has to keep to, and that the loop knows nothing of what it trains.

A new method is right if it has an entry in ``WORLDS`` and this file passes: it resumes to the same bytes, and neither
how a step is split, nor how many processes share it, nor judging changes what is learned.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from matching import Matching, MatchingSettings, matching_loss
from train_world import bytes_of, same, strike, train_record

from switchrank.core import digest
from switchrank.core.errors import UserError
from switchrank.train.method import Data, Method, find_method, known_methods, training_code
from switchrank.train.training import train_model

MATCHING = "matching:Matching"
STEPS = {"steps": 8, "batch_size": 8, "warmup": 0, "lr": 1e-2, "log_every": 1}


@pytest.fixture(scope="session")
def views(tmp_path_factory) -> Path:
    """Two views of 60 rows, which differ in half of their numbers; others to judge by; a teacher."""
    folder, rng = tmp_path_factory.mktemp("views"), np.random.default_rng(1)
    for name, rows in (("views", 60), ("dev", 20)):
        shared, own = rng.normal(size=(rows, 4)), rng.normal(size=(2, rows, 4))
        np.save(folder / f"{name}.npy", np.concatenate([np.stack([shared] * 2), own], axis=2).astype(np.float32))
    np.save(folder / "teacher.npy", rng.normal(size=(8, 8)).astype(np.float32))
    return folder


@pytest.fixture
def worlds(world, start_folder, deep_folder, parallel, bilingual, views, bitext, lexicon):
    """Per method its files, and settings: common ones, such as draw by chance, and such as split a step finely."""
    pairs = {"corpus": [world / "train.parquet"], "dev": world / "dev.parquet", "start": start_folder}
    texts = {"start": deep_folder, "texts": [world / "en.txt", world / "qaa.txt"]}
    both = {"corpus": parallel, "dev": world / "dev.parquet", "start": start_folder}
    told = {"start": start_folder, "texts": [bilingual / "en/train.parquet", bilingual / "qaa/train.parquet"]}
    told |= {"bitext": [bilingual / "en-qaa/train.parquet"], "lexicon": [bilingual / "en-qaa.parquet"]}
    every = dict.fromkeys(["mlm", "mlm-cs", "tlm", "cs", "translation", "crop"], 1.0)
    hybrid = {"batches": "hybrid", "align": 0.5, "negatives": 2, "query_length": 12}
    lines, words = {"start": deep_folder, "bitext": [bitext]}, {"start": deep_folder, "lexicon": [lexicon]}
    arrays = {role: views / f"{role}.npy" for role in ("views", "dev", "teacher")}
    plain = {"max_length": 24, "dropout": 0.0, "lr": 1e-3}
    return {
        "contrastive": (both, plain | hybrid, {"dropout": 0.3, "token_budget": 90}, {"token_budget": 40}),
        "cross-encoder": (pairs, plain, {"dropout": 0.3}, {"token_budget": 40}),
        "distil": (texts, plain | {"layers": [1]}, {"dropout": 0.3}, {"token_budget": 40}),
        "late-interaction": (both, plain | hybrid | {"dim": 8}, {"dropout": 0.3}, {"token_budget": 40}),
        "pretrain": (told, plain | {"objectives": every}, {"dropout": 0.3, "token_budget": 90}, {"token_budget": 40}),
        "distil/bitext": (lines, plain | {"loss": "transport"}, {"dropout": 0.3}, {"token_budget": 60}),
        "inject": (words, plain | {"layer": 2}, {"dropout": 0.3}, {"token_budget": 20}),
        MATCHING: (arrays, {}, {"noise": 0.3}, {"rows_at_once": 3}),
    }


WORLDS = ["contrastive", "cross-encoder", "distil", "distil/bitext", "inject", "late-interaction", "pretrain", MATCHING]
"""Methods; after a stroke what else one of them learns from."""
every_method = pytest.mark.parametrize("method", WORLDS)


@pytest.fixture
def learn(worlds, tmp_path, monkeypatch):
    """Train by a method into ``tmp_path/<name>``; returns the folder. ``kind`` is ``chance``, ``split`` or nothing."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))

    def learn(method, name, *, kind="", dev=True, processes=1, **changes):
        files, plain, chance, split = worlds[method]
        files = files if dev else {role: file for role, file in files.items() if role != "dev"}
        settings = STEPS | plain | {"chance": chance, "split": split, "": {}}[kind] | changes
        places = {"out": tmp_path / name, "work": tmp_path / "work"}
        named = method.partition("/")[0]
        learn.summary = train_model(Data(files), method=named, **places, settings=settings, seed=1, processes=processes)
        return tmp_path / name

    return learn


def losses(folder):
    """The loss of every step."""
    return [loss for _, loss in train_record(folder)[0]["loss"]]


def test_every_method_has_an_entry_here():
    assert [*known_methods(), MATCHING] == [name for name in WORLDS if "/" not in name]


@every_method
def test_a_method_that_is_stopped_goes_on_to_the_bytes_of_an_undisturbed_run(learn, method, monkeypatch):
    changes = {"kind": "chance", "eval_every": 2, "keep": "best"}
    straight = learn(method, "straight", **changes)
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit) as ended:
            learn(method, "resumed", **changes)
    assert ended.value.code == 143
    resumed = learn(method, "resumed", **changes)
    same(straight, resumed)
    assert train_record(resumed)[0]["timing"]["stops"] == 1


@every_method
def test_a_method_that_is_killed_repeats_the_lost_steps_exactly(learn, method, monkeypatch):
    def die():
        raise MemoryError

    straight = learn(method, "straight", kind="chance", checkpoint_every=3)
    with monkeypatch.context() as patch:
        strike(patch, 5, die)
        with pytest.raises(MemoryError):
            learn(method, "killed", kind="chance", checkpoint_every=3)
    same(straight, learn(method, "killed", kind="chance", checkpoint_every=3))


@every_method
def test_how_a_step_is_split_changes_nothing_but_rounding(learn, method):
    np.testing.assert_allclose(losses(learn(method, "whole")), losses(learn(method, "split", kind="split")), rtol=1e-4)


@every_method
def test_several_processes_take_the_steps_of_one(learn, method):
    one, three = (learn(method, str(number), processes=number) for number in (1, 3))
    np.testing.assert_allclose(losses(one), losses(three), rtol=1e-4)
    first, second = ([list(row.values()) for row in train_record(folder)[0]["dev"]] for folder in (one, three))
    np.testing.assert_allclose(first, second, rtol=1e-4)


@every_method
def test_judging_changes_nothing_about_what_is_learned(learn, method):
    often = learn(method, "often", kind="chance", eval_every=1)
    never = learn(method, "never", kind="chance", dev=False)
    assert losses(often) == losses(never)
    one, other = (bytes_of(folder, "train.json", "README.md") for folder in (often, never))
    assert one == other


@pytest.mark.parametrize("name", known_methods())
def test_a_method_says_what_it_is_and_its_settings_cost_nothing_to_read(name):
    kind = find_method(name)
    assert issubclass(kind, Method)
    assert kind.instances
    assert kind.measure
    assert all(field.metadata["meaning"] for field in dataclasses.fields(kind.Settings))
    module = kind.__module__
    heavy = (
        f"import sys, {module}; print({{'numpy', 'polars', 'torch', 'transformers', 'tokenizers'}} & {{*sys.modules}})"
    )
    done = subprocess.run([sys.executable, "-c", heavy], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_a_map_is_what_plain_torch_learns(learn, views):
    """Gradient caching, the loop and its schedule against autograd through the whole step and torch's own schedule."""
    folder = learn(MATCHING, "ours", kind="split", steps=6, clip=0.5, weight_decay=0.1, dev=False, batch_size=60)
    given, teacher = (torch.from_numpy(np.load(views / f"{name}.npy")) for name in ("views", "teacher"))
    start = learn(MATCHING, "start", steps=1, lr=1e-30, dev=False)
    weight = torch.nn.Parameter(torch.from_numpy(np.load(start / "map.npy")[0]))
    optimiser = torch.optim.AdamW([weight], lr=1e-2, eps=1e-6, weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, total_iters=6)
    expected, slow = [], torch.zeros(8, 8)
    for _ in range(6):
        loss = matching_loss(given @ weight.T, given[0] @ teacher, MatchingSettings())
        expected.append(loss.item())
        loss.backward()
        torch.nn.utils.clip_grad_norm_([weight], 0.5)
        optimiser.step()
        optimiser.zero_grad()
        schedule.step()
        slow = 0.9 * slow + 0.1 * weight.detach()
    np.testing.assert_allclose(losses(folder), expected, rtol=1e-5)
    learned = np.stack([weight.detach().numpy(), slow.numpy()])
    np.testing.assert_allclose(np.load(folder / "map.npy"), learned, rtol=1e-4, atol=1e-6)


def test_the_record_and_the_summary_speak_of_what_the_method_counts_and_measures(learn):
    folder = learn(MATCHING, "model", eval_every=4, title="two views")
    record = train_record(folder)[0]
    assert set(learn.summary) == {"steps", "loss", "distance", "rows_per_second"}
    assert learn.summary["distance"] == record["dev"][-1]["distance"] < record["dev"][0]["distance"]
    assert (record["rows"], record["params"]["title"], record["epochs"]) == (60, "two views", 64 / 60)
    assert set(record["inputs"]) == {"views", "dev", "teacher"}
    assert (folder / "title.txt").read_text() == "two views, 60 rows"
    assert sorted(bytes_of(folder)) == ["map.npy", "title.txt", "train.json"]


def test_the_best_of_a_measure_that_should_fall_is_the_earliest_smallest(learn, monkeypatch):
    scores = iter([0.5, 0.2, 0.2, 0.9])
    monkeypatch.setattr(Matching, "judge", lambda _: {"distance": next(scores)})
    best = learn(MATCHING, "best", eval_every=2, keep="best")
    assert train_record(best)[0]["kept"] == 4
    assert learn.summary["distance"] == 0.2
    maps = [np.load(folder / "map.npy") for folder in (best, learn(MATCHING, "last", dev=False))]
    assert not np.array_equal(*maps)


@pytest.mark.parametrize(("budgeted", "held"), [(True, " with 1 rows at a time"), (False, "")])
def test_memory_that_runs_out_whatever_is_split_is_one_line(learn, monkeypatch, capsys, budgeted, held):
    def losses(self, _):
        self.budget = self.budget if budgeted else None
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr(Matching, "losses", losses)
    with pytest.raises(UserError) as told:
        learn(MATCHING, "model", rows_at_once=5)
    assert str(told.value) == f"train: step 0: out of memory{held}: lower batch_size, or use a device with more memory"
    said = [line.rpartition("halved to ")[2] for line in capsys.readouterr().err.splitlines() if "rows at once" in line]
    assert said == (["2, going on", "1, going on"] if budgeted else [])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"bias": 1}, "bias: 1 is not true or false: write one"),
        ({"title": 3}, "title: 3 is not a text: write one"),
        ({"negatives": "all"}, "negatives: 'all' is not known: choose batch or none"),
        ({"noise": -1}, "noise: -1 is not a number of at least 0: write one"),
        ({"lr": 0}, "lr: 0 is not a number above 0: write one"),
        ({"rows_at_once": True}, "rows_at_once: True is not a whole number of at least 1"),
        ({"objective": "bce"}, "objective: unknown key: known keys are steps, "),
    ],
)
def test_a_method_has_settings_of_its_own(learn, changes, problem):
    with pytest.raises(UserError, match=problem):
        learn(MATCHING, "model", **changes)


@pytest.mark.parametrize(
    ("method", "problem"),
    [
        ("cross-encoders", "method: 'cross-encoders' is not known: did you mean cross-encoder?"),
        ("summaries", "method: 'summaries' is not known: known are contrastive, cross-encoder"),
        ("nowhere:Nothing", "method: 'nowhere:Nothing' cannot be had: No module named 'nowhere'"),
        ("matching:Nothing", "method: 'matching:Nothing' cannot be had: module 'matching' has no attribute 'Nothing'"),
    ],
)
def test_an_unknown_method_is_one_line(method, problem):
    with pytest.raises(UserError, match=problem) as told:
        find_method(method)
    assert "\n" not in str(told.value)


@every_method
def test_data_that_a_method_needs_and_is_not_given_are_one_line(worlds, tmp_path, monkeypatch, method):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    files, plain, *_ = worlds[method]
    method = method.partition("/")[0]
    reads = find_method(method).reads
    assert set(files) <= {"start", *reads}
    for role in (role for role, need in reads.items() if need == "needed"):
        data = Data({name: file for name, file in files.items() if name != role})
        with pytest.raises(UserError, match=f"train: {role}: not given, and this method needs it: give {role}"):
            train_model(data, method=method, out=tmp_path / "model", work=tmp_path / "work", settings=STEPS | plain)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the library with a second method in it, which digests are taken of."""
    copy = tmp_path / "switchrank"
    shutil.copytree(digest.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(Path(__file__).with_name("matching.py"), copy / "train" / "methods" / "matching.py")
    monkeypatch.setattr(digest, "PACKAGE", copy)
    return copy


@pytest.mark.parametrize(
    ("changed", "loop", "cross_encoder", "matching"),
    [
        ("train/methods/cross_encoder.py", False, True, False),
        ("train/methods/matching.py", False, False, True),
        ("train/objectives.py", False, True, False),
        ("models/packed.py", False, True, False),
        ("train/loop.py", True, True, True),
        ("train/training.py", True, True, True),
        ("train/checkpoint.py", True, True, True),
    ],
)
def test_a_changed_method_changes_the_digest_of_no_other(package, changed, loop, cross_encoder, matching):
    def digests():
        digest._parsed.cache_clear()
        others = ("train.methods.cross_encoder",), ("train.methods.matching",)
        return [digest.code_digest("train.training", *other) for other in ((), *others)]

    before = digests()
    with (package / changed).open("a") as file:
        file.write("\nCHANGED = True\n")
    assert [now != then for now, then in zip(digests(), before, strict=True)] == [loop, cross_encoder, matching]


def test_the_digest_of_a_method_from_elsewhere_covers_its_file(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    file, found = tmp_path / "own_method.py", []
    for line in ("", "CHANGED = True\n"):
        file.write_text(f"{line}class Own: pass\n")
        found.append(training_code("own_method:Own"))
    assert found[0] != found[1]
    assert training_code("cross-encoder") == digest.code_digest("train.training", "train.methods.cross_encoder")


def test_a_parameter_that_two_modules_share_is_saved_once_and_comes_back(tmp_path):
    from switchrank.train.checkpoint import load_checkpoint, save_checkpoint, state_of

    def tied(seed):
        torch.manual_seed(seed)
        model = torch.nn.ModuleDict({"embed": torch.nn.Embedding(5, 3), "head": torch.nn.Linear(3, 5, bias=False)})
        model["head"].weight = model["embed"].weight
        return model

    one, other = tied(1), tied(2)
    save_checkpoint(tmp_path, 1, {"model": state_of(one)}, {})
    tensors, state = load_checkpoint(tmp_path)
    assert (list(tensors["model"]), state["step"]) == (["embed.weight"], 1)
    other.load_state_dict(tensors["model"], strict=False)
    assert torch.equal(other["head"].weight, one["embed"].weight)
    assert json.loads((tmp_path / "step-000000001" / "state.json").read_text())["step"] == 1
