"""The error a user reads: one line whatever it repeats, and lines of its own for what it lists."""

import copy

import numpy as np
import pyarrow as pa
import pytest
import torch

from switchrank import cli
from switchrank.core.errors import NoGpuError, UserError, in_one_line


def test_what_is_repeated_of_a_file_breaks_no_line_and_commands_no_terminal():
    error = UserError("a\r\nb.tsv", "line 7", "unknown word 'x\u2028\x1b[31my'", "spell\tit")
    assert str(error) == "a b.tsv: line 7: unknown word 'x [31my': spell it"


def test_each_thing_listed_has_one_line_of_its_own():
    error = UserError("my.yaml", "", "2 files are missing", "put them there:", ["a.tsv", "b\n.tsv"])
    assert str(error).splitlines() == ["my.yaml: 2 files are missing: put them there:", "  a.tsv", "  b .tsv"]


def test_an_error_is_rebuilt_whole_from_its_parts():
    error = NoGpuError("my.yaml", "train.device", "no GPU is free", "wait:", ["cuda:0"])
    twin = copy.copy(error)
    assert (type(twin), str(twin), twin.listed) == (NoGpuError, str(error), ("cuda:0",))


PETABYTE = 1 << 50
ASKING = {
    "numpy": lambda: np.empty(PETABYTE, dtype=np.uint8),
    "torch": lambda: torch.empty(PETABYTE, dtype=torch.uint8),
    "arrow": lambda: pa.allocate_buffer(PETABYTE),
}


@pytest.mark.parametrize("library", ASKING)
def test_less_memory_than_asked_for_is_one_line_whoever_asks(library):
    with pytest.raises((MemoryError, RuntimeError)) as raised:
        ASKING[library]()
    told = in_one_line(raised.value)
    assert told.exit_code == 1
    assert str(told).startswith("memory: out of memory (")
    assert str(told).endswith("): give the job more (mem_mb), or take a machine with more of it")


def test_memory_of_a_gpu_that_runs_out_is_one_line_too():
    assert "CUDA out of memory" in str(in_one_line(torch.OutOfMemoryError("CUDA out of memory. Tried to\nallocate")))


def test_what_nobody_foresaw_is_not_made_one_line():
    assert in_one_line(RuntimeError("shapes differ")) is None


def test_a_command_that_runs_out_of_memory_says_so_and_fails(monkeypatch, capsys):
    def read(_file):
        raise MemoryError

    monkeypatch.setattr("switchrank.config.load.read_yaml", read)
    assert cli.main(["config", "check", "config/demo.yaml"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "memory: out of memory: give the job more (mem_mb), or take a machine with more of it"
    ]
