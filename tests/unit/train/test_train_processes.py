"""Several processes share a training: the same steps as one process, stopped and resumed by any number of them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import psutil
import pytest
import torch
from train_world import SETTINGS, same, strike, train_record

from switchrank.core.errors import EXIT_TERMINATED, NoGpuError, UserError
from switchrank.core.precision import find_devices
from switchrank.train.processes import Processes

PLAIN = {"dropout": 0.2, "lr": 1e-3, "log_every": 1, "warmup": 0}
LONG = SETTINGS | PLAIN | {"steps": 20_000, "checkpoint_every": 5}
PATIENCE = 240.0


def curves(folder):
    """The loss of every step and the development scores."""
    record = train_record(folder)[0]
    return record["loss"], [[row["step"], row["mrr@10"]] for row in record["dev"]]


def close(one, other):
    """Assert that two trainings went the same way, up to rounding."""
    for ours, theirs in zip(curves(one), curves(other), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


@pytest.mark.parametrize("objective", ["bce", "listwise"])
def test_two_processes_take_the_steps_of_one(run, objective):
    changes = PLAIN | {"objective": objective, "eval_every": 5}
    one, two = (run(f"{number}", processes=number, **changes) for number in (1, 2))
    close(one, two)
    assert train_record(one)[0]["processes"] == [{"after_step": 0, "count": 1}]
    assert train_record(two)[0]["processes"] == [{"after_step": 0, "count": 2}]


def test_equal_numbers_of_processes_give_equal_bytes_with_dropout_too(run):
    same(*(run(name, processes=2, steps=5, eval_every=2) for name in ("first", "second")))


def test_a_step_may_have_fewer_pairs_than_there_are_processes(run):
    changes = PLAIN | {"batch_size": 1, "steps": 4, "dev": False, "weight_decay": 0.5}
    close(run("one", **changes), run("two", processes=2, **changes))


def test_a_run_goes_on_with_another_number_of_processes_and_says_so(run, monkeypatch, tmp_path):
    straight = run("straight", **PLAIN)
    with monkeypatch.context() as patch:
        strike(patch, 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("resumed", **PLAIN)
    assert [folder.name for folder in (tmp_path / "work").glob("*/step-*")] == ["step-000000004"]
    resumed = run("resumed", processes=2, **PLAIN)
    close(straight, resumed)
    record = train_record(resumed)[0]
    assert record["processes"] == [{"after_step": 0, "count": 1}, {"after_step": 4, "count": 2}]
    assert record["timing"]["stops"] == 1
    assert not (tmp_path / "work").exists()


@pytest.fixture
def training(world, start_folder, tmp_path):
    """A command that trains in two processes, nearly for ever; a checkpoint is there."""
    settings = [f"{name}={json.dumps(value)}" for name, value in LONG.items()]
    files = ["--corpus", f"{world}/train.parquet", "--start", str(start_folder), "--out", f"{tmp_path}/model"]
    command = [sys.executable, "-m", "switchrank", "train", "ranker", *files, "--processes", "2", *settings]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    last = time.monotonic() + PATIENCE
    while not list(tmp_path.glob(".work/*/step-*/COMPLETE")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < last
        time.sleep(0.05)
    yield process
    process.kill()
    process.communicate()


def test_a_signal_stops_all_after_the_same_step_and_saves_it(training, tmp_path):
    processes = psutil.Process(training.pid).children()
    training.send_signal(signal.SIGUSR1)
    _, said = training.communicate(timeout=PATIENCE)
    assert training.returncode == EXIT_TERMINATED
    last = max(tmp_path.glob(".work/*/step-*"))
    assert [line for line in said.splitlines() if "stopped by a signal" in line] == [
        f"stopped by a signal, saved after step {int(last.name[5:])}"
    ]
    history = json.loads((last / "state.json").read_text())["history"]
    assert (history["stops"], history["processes"]) == (1, [{"after_step": 0, "count": 2}])
    assert len(processes) == 2
    assert not any(process.is_running() for process in processes)


def test_a_process_that_dies_in_training_ends_the_job_in_one_line(training):
    processes = psutil.Process(training.pid).children()
    processes[1].kill()
    _, said = training.communicate(timeout=PATIENCE)
    assert training.returncode == 2
    assert said.splitlines()[-1].startswith("train: process 2 was killed by SIGKILL, which is what happens when")
    assert not any(process.is_running() for process in processes)


def test_every_unit_of_a_step_has_one_process_and_shares_differ_by_one_at_most():
    units = np.arange(20)
    shares = [Processes(number, 3).share(units, per_step=10) for number in range(3)]
    assert sorted(np.concatenate(shares)) == list(range(20))
    assert shares[0].tolist() == [0, 3, 6, 9, 10, 13, 16, 19]
    assert [len(share) for share in shares] == [8, 6, 6]


@pytest.fixture
def three_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(
    ("names", "processes", "places"),
    [
        ("cpu", 2, ["cpu", "cpu"]),
        ("cuda", 1, ["cuda"]),
        ("cuda", 2, ["cuda:0", "cuda:1"]),
        ("cuda:0,cuda:2", 2, ["cuda:0", "cuda:2"]),
    ],
)
def test_each_process_has_a_device(names, processes, places):
    assert [str(place) for place in find_devices(names, processes)] == places


@pytest.mark.usefixtures("three_gpus")
@pytest.mark.parametrize(
    ("names", "processes", "problem"),
    [
        ("cuda", 4, "device: cuda: 4 processes need a GPU each, and 3 are visible: "),
        ("cuda:3", 1, "device: cuda:3: there is no such GPU, and 3 are visible: "),
        ("cuda:1", 2, "not a device of its own for each of 2 processes"),
        ("cuda:1,cuda:1", 2, "not a device of its own for each of 2 processes"),
        ("cuda:0,cpu", 2, "not a device of its own for each of 2 processes"),
        ("cuda:0,cuda:1", 1, "not a device of its own for each of 1 processes"),
        ("cuda:first", 1, "unknown device"),
        ("cpu", 0, "processes: 0 is not a whole number of at least 1"),
    ],
)
def test_too_few_devices_are_one_line(names, processes, problem):
    with pytest.raises(UserError, match=problem) as error:
        find_devices(names, processes)
    assert isinstance(error.value, NoGpuError) == ("are visible" in problem)
