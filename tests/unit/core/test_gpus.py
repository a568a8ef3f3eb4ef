"""Two jobs never share a GPU by accident."""

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch

from switchrank.core.errors import EXIT_NO_GPU, NoGpuError, UserError
from switchrank.core.job import gpu_for_job, hold_free

HOLDER = """
import sys
from switchrank.core.job import hold_free
[(number, lock)] = hold_free(["a", "b"], 1, sys.argv[1])
print(number, flush=True)
sys.stdin.read()
"""


def hold_first(names, folder=None):
    """The first of the names that nobody holds, and its lock."""
    return hold_free(names, 1, folder)[0]


@pytest.fixture
def two_gpus(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(uuid=f"GPU-{n}"))
    monkeypatch.setattr("switchrank.core.job._SHARED", tmp_path)


@pytest.mark.usefixtures("two_gpus")
def test_each_job_gets_a_gpu_of_its_own_and_gives_it_back():
    with gpu_for_job(1) as first, gpu_for_job(1) as second:
        assert (first, second) == ("cuda:0", "cuda:1")
        with pytest.raises(NoGpuError, match="all 2 visible GPUs are held"), gpu_for_job(1):
            pass
    with gpu_for_job(1) as again:
        assert again == "cuda:0"


@pytest.mark.usefixtures("two_gpus")
def test_a_job_of_several_processes_gets_a_gpu_for_each_or_none():
    with gpu_for_job(2, 2) as both:
        assert both == "cuda:0,cuda:1"
        with pytest.raises(NoGpuError, match="all 2 visible GPUs are held"), gpu_for_job(1):
            pass
    with gpu_for_job(1) as one:
        with pytest.raises(NoGpuError, match="all but 1 of 2 visible GPUs are held"), gpu_for_job(2, 2):
            pass
        with gpu_for_job(1) as other:
            assert (one, other) == ("cuda:0", "cuda:1")


@pytest.mark.usefixtures("two_gpus")
@pytest.mark.parametrize(("allowed", "problem"), [(3, "and 2 are visible"), (2, "and the job may use 2")])
def test_fewer_gpus_than_processes_are_one_line(allowed, problem):
    with pytest.raises(NoGpuError) as error, gpu_for_job(allowed, 3):
        pass
    assert str(error.value).startswith(f"train: processes: 3 processes need a GPU each, {problem}: ")


@pytest.mark.usefixtures("two_gpus")
def test_no_gpu_asked_for_is_the_cpu():
    with gpu_for_job(0) as device:
        assert device == "cpu"


def test_a_gpu_demanded_where_none_is_visible_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoGpuError, match="no GPU is visible") as caught, gpu_for_job(1):
        pass
    assert caught.value.exit_code == EXIT_NO_GPU


def test_the_same_name_is_held_once_whoever_asks(tmp_path):
    number, lock = hold_first(["a", "b"], tmp_path)
    assert number == 0
    with pytest.raises(NoGpuError):
        hold_first(["a"], tmp_path)
    other, second = hold_first(["a", "b"], tmp_path)
    assert other == 1
    lock.release()
    freed, third = hold_first(["b", "a"], tmp_path)
    assert freed == 1
    second.release()
    third.release()


def holder(folder):
    """A process that holds the first free of two names and says which."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen([sys.executable, "-c", HOLDER, str(folder)], **pipes)


def test_processes_get_names_of_their_own_and_a_killed_one_gives_its_name_back(tmp_path):
    first = holder(tmp_path)
    assert first.stdout.readline() == "0\n"
    second = holder(tmp_path)
    assert second.stdout.readline() == "1\n"
    first.send_signal(signal.SIGKILL)
    first.communicate()
    third = holder(tmp_path)
    assert third.stdout.readline() == "0\n"
    for process in (second, third):
        process.communicate()
        assert process.returncode == 0


def test_the_lock_files_are_in_one_place_whatever_the_temporary_folder_of_a_job(monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    name = f"test-{os.getpid()}"
    _, lock = hold_first([name])
    lock.release()
    os.unlink(f"/tmp/switchrank-gpu-{name}.lock")
    assert list(tmp_path.iterdir()) == []


def test_everybody_may_lock_a_lock_file(tmp_path):
    before = os.umask(0o077)
    try:
        hold_first(["a"], tmp_path)[1].release()
    finally:
        os.umask(before)
    assert (tmp_path / "switchrank-gpu-a.lock").stat().st_mode & 0o777 == 0o666


def test_a_link_that_somebody_planted_is_not_followed(tmp_path):
    private = tmp_path / "private"
    private.write_text("")
    private.chmod(0o600)
    (tmp_path / "switchrank-gpu-a.lock").symlink_to(private)
    with pytest.raises(UserError, match="symbolic links"):
        hold_first(["a"], tmp_path)
    assert private.stat().st_mode & 0o777 == 0o600
