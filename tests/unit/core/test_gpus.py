"""Two jobs never share a GPU by accident."""

from types import SimpleNamespace

import pytest
import torch

from switchrank.errors import EXIT_NO_GPU, NoGpuError
from switchrank.gpus import gpu_for_job, hold_first


@pytest.fixture
def two_gpus(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda n: SimpleNamespace(uuid=f"GPU-{n}"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


@pytest.mark.usefixtures("two_gpus")
def test_each_job_gets_a_gpu_of_its_own_and_gives_it_back():
    with gpu_for_job(1) as first, gpu_for_job(1) as second:
        assert (first, second) == ("cuda:0", "cuda:1")
        with pytest.raises(NoGpuError, match="all 2 visible GPUs are held"), gpu_for_job(1):
            pass
    with gpu_for_job(1) as again:
        assert again == "cuda:0"


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
    lock.close()
    freed, third = hold_first(["b", "a"], tmp_path)
    assert freed == 1
    second.close()
    third.close()
