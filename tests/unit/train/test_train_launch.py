"""The processes of a training end together, whatever happens to one of them, and the cause is told in one line."""

from __future__ import annotations

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from switchrank.core.errors import EXIT_TERMINATED, NoGpuError, UserError
from switchrank.train.launch import run_processes

WORKER = """
import os, sys, time
from switchrank.core.errors import NoGpuError, UserError
from switchrank.train.launch import ProcessLostError, stop_signals

def work(task, place):
    deed = task["deeds"][place.rank]
    with stop_signals() as stop:
        with open(os.path.join(task["folder"], f"rank{place.rank}"), "w") as file:
            print(os.getpid(), file=file)
        while deed == "wait" and not stop.asked:
            time.sleep(0.02)
    if deed == "wait":
        sys.exit(143)
    if deed == "lose another":
        raise ProcessLostError("Connection closed by peer")
    time.sleep(0.5)
    print("one of the last words", file=sys.stderr)
    if deed == "no gpu":
        raise NoGpuError("device", "cuda", "no GPU is visible", "look for one")
    if deed == "mistake":
        raise UserError("a.txt", "line 7", "wrong", "correct it")
    if deed == "error":
        return {}["missing"]
    print("not the answer")
    return {"rank": place.rank, "count": place.count, "threads": os.environ["OMP_NUM_THREADS"]}
"""
PARENT = """
import worker
from switchrank.train.launch import run_processes
run_processes(worker.work, {task!r}, count=2, threads=1)
"""
PATIENCE = 120.0


def wait_for(happened):
    """Wait until it has."""
    last = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < last
        time.sleep(0.02)


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where ``worker`` is found, and the files that say which processes are at work."""
    (tmp_path / "worker.py").write_text(WORKER)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "worker", raising=False)
    return tmp_path


def launch(folder, *deeds):
    """Run the worker, a deed for each process."""
    return run_processes(
        importlib.import_module("worker").work, {"deeds": deeds, "folder": str(folder)}, count=len(deeds), threads=3
    )


def processes_at_work(folder, count):
    """Their process numbers, once they are all there."""
    files = [Path(folder, f"rank{number}") for number in range(count)]
    wait_for(lambda: all(file.exists() and file.read_text().endswith("\n") for file in files))
    return [int(file.read_text()) for file in files]


def soon(folder, count, deed):
    """Do something to the process numbers of processes as soon as all are at work."""
    thread = threading.Thread(target=lambda: deed(processes_at_work(folder, count)))
    thread.start()
    return thread


def ended(pids):
    """Whether all of these have ended."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
                return False
    return True


def test_the_answer_of_the_first_is_returned_and_threads_are_told(folder):
    assert launch(folder, "finish", "finish", "finish") == {"rank": 0, "count": 3, "threads": "3"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_to_the_parent_reaches_all_and_they_end_by_themselves(folder, number):
    thread = soon(folder, 2, lambda _: os.kill(os.getpid(), number))
    with pytest.raises(SystemExit) as stopped:
        launch(folder, "wait", "wait")
    thread.join()
    assert stopped.value.code == EXIT_TERMINATED


@pytest.mark.parametrize("dying", [0, 1])
def test_a_process_that_is_killed_ends_the_others(folder, dying):
    thread = soon(folder, 2, lambda pids: os.kill(pids[dying], signal.SIGKILL))
    with pytest.raises(UserError) as error:
        launch(folder, "wait", "wait")
    thread.join()
    assert str(error.value) == (
        f"train: process {dying + 1} was killed by SIGKILL, which is what happens when memory runs out: "
        "start it again: it goes on from its last checkpoint"
    )
    assert ended(processes_at_work(folder, 2))


@pytest.mark.parametrize(
    ("deed", "line"),
    [
        ("mistake", "a.txt: line 7: wrong: correct it"),
        ("error", "train: process 2 failed: KeyError: 'missing': start it again: it goes on from its last checkpoint"),
        ("no gpu", "device: cuda: no GPU is visible: look for one"),
    ],
)
def test_the_cause_is_told_and_not_that_another_missed_it(folder, capsys, deed, line):
    with pytest.raises(UserError) as error:
        launch(folder, "lose another", deed)
    assert str(error.value) == line
    assert isinstance(error.value, NoGpuError) == (deed == "no gpu")
    said = capsys.readouterr().err
    assert ("one of the last words" in said and "Traceback" in said) == (deed == "error")


def test_processes_that_only_lost_each_other_say_so(folder):
    with pytest.raises(UserError, match="process 1 failed: ProcessLostError: Connection closed by peer"):
        launch(folder, "lose another", "lose another")


@pytest.mark.usefixtures("folder")
def test_a_process_that_cannot_even_start_is_one_line(monkeypatch, capfd):
    work = importlib.import_module("worker").work
    monkeypatch.setenv("PYTHONPATH", "")
    with pytest.raises(UserError, match=r"process [12] ended with exit code 1: start it again"):
        run_processes(work, {}, count=2, threads=1)
    assert "No module named 'worker'" in capfd.readouterr().err


def test_no_process_outlives_a_parent_that_is_killed(folder):
    task = {"deeds": ["wait", "wait"], "folder": str(folder)}
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(task=task)])
    pids = processes_at_work(folder, 2)
    parent.kill()
    parent.wait()
    wait_for(lambda: ended(pids))
