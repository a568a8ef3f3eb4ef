"""The error a user reads: one line whatever it repeats, and lines of its own for what it lists."""

import copy

from switchrank.errors import NoGpuError, UserError


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
