"""The table of changes is well formed and up to date, and its runner tells tests that notice from those that do not."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import Counter

import pytest
from tests.conftest import ROOT
from tests.mutants.table import Mutant, StaleError, read_mutants

from switchrank.core.digest import PACKAGE

MUTANTS = read_mutants()


def test_there_are_forty_changes_or_more_each_with_a_name_of_its_own():
    assert len(MUTANTS) >= 40
    assert not {name: count for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1}
    assert len({(mutant.file, mutant.line, mutant.instead) for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_change_finds_its_line_once_and_leaves_a_module_that_parses(mutant):
    changed = ast.parse(mutant.applied(PACKAGE))
    assert ast.dump(changed) != ast.dump(ast.parse((PACKAGE / mutant.file).read_text(encoding="utf-8")))
    assert mutant.harm.endswith(".")


def test_the_tests_named_are_there():
    functions = {
        file: {node.name for node in ast.parse((ROOT / file).read_text(encoding="utf-8")).body if hasattr(node, "name")}
        for file in {mutant.test.partition("::")[0] for mutant in MUTANTS}
    }
    named = [(mutant.name, *mutant.test.split("::")) for mutant in MUTANTS]
    assert not [(name, test) for name, file, test in named if test not in functions[file]]


ONE = Mutant(name="one", file="sums.py", line="a = 1", instead="a = 2", test="", harm="")


def test_a_whole_line_is_changed_and_its_indentation_stays(tmp_path):
    (tmp_path / "sums.py").write_text("if b:\n    a = 1\nb = a = 1\n")
    assert ONE.applied(tmp_path) == "if b:\n    a = 2\nb = a = 1\n"


@pytest.mark.parametrize(("text", "times"), [("b = a = 1\n", 0), ("a = 1\n  a = 1\n", 2)])
def test_a_line_that_is_not_there_once_is_stale(tmp_path, text, times):
    (tmp_path / "sums.py").write_text(text)
    with pytest.raises(StaleError, match=f"sums.py has the line {times} times, not once: a = 1"):
        ONE.applied(tmp_path)


def test_a_file_that_is_not_there_is_stale(tmp_path):
    with pytest.raises(StaleError, match=r"there is no sums\.py"):
        ONE.applied(tmp_path)


SUMS = """
def add(a, b):
    total = a + b
    return total
"""
TESTS = """
import pytest

@pytest.mark.parametrize("b", [0, 1])
def test_sums(b):
    from lib.sums import add
    assert add(1, b) == 1 + b

def test_nothing():
    assert True

def test_that_fails():
    assert False
"""
CHANGES = {
    "noticed": ("total = a + b", "total = a - b", "test_sums"),
    "unnoticed": ("total = a + b", "total = a - b", "test_nothing"),
    "stale": ("total = b + a", "total = a - b", "test_sums"),
    "unparsable": ("total = a + b", "total = a +", "test_sums"),
    "unnamed": ("total = a + b", "total = a + c", "test_sums"),
    "useless": ("total = a + b", "total = a - b", "test_that_fails"),
    "missing": ("total = a + b", "total = a - b", "test_of_no_name"),
}


@pytest.fixture
def tried(tmp_path):
    """Runs changes of a made-up library by name; the exit code and what was printed."""
    for name, text in (("lib/__init__.py", ""), ("lib/sums.py", SUMS), ("test_sums.py", TESTS)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    entries = [
        f"[[mutant]]\nname = '{name}'\nfile = 'sums.py'\nline = '{line}'\ninstead = '{instead}'\n"
        f"test = 'test_sums.py::{test}'\nharm = 'Sums are wrong.'\n"
        for name, (line, instead, test) in CHANGES.items()
    ]
    (tmp_path / "mutants.toml").write_text("".join(entries))

    def tried(*names):
        places = ["--root", tmp_path, "--package", "lib", "--table", tmp_path / "mutants.toml"]
        done = subprocess.run(
            [sys.executable, "-m", "tests.mutants.run", *places, *names],
            cwd=ROOT,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert (tmp_path / "lib/sums.py").read_text() == SUMS
        return done.returncode, done.stdout

    return tried


def test_a_change_that_its_test_notices_is_told_with_exit_code_0(tried):
    code, printed = tried("noticed")
    assert code == 0, printed
    assert "1 of 1 tests pass without a change\n  1/1 killed    noticed (" in printed
    assert "1 of 1 changes noticed" in printed


def test_whatever_shows_nothing_about_results_is_told_with_exit_code_1(tried):
    code, printed = tried()
    assert code == 1
    for line in (
        "SURVIVED  unnoticed: test_sums.py::test_nothing passes, and yet: Sums are wrong.",
        "STALE     stale: sums.py has the line 0 times, not once: total = b + a; write in the table",
        "BROKEN    unparsable: test_sums.py::test_sums ends by no assertion: SyntaxError",
        "BROKEN    unnamed: test_sums.py::test_sums ends by no assertion: NameError",
        "UNUSABLE  test_sums.py::test_that_fails: assertion without any change",
        "UNUSABLE  test_sums.py::test_of_no_name: missing without any change: no such test",
        "1 of 7 changes noticed",
    ):
        assert line in printed


def test_a_name_that_no_change_has_is_exit_code_2(tried):
    code, printed = tried("noticed", "other")
    assert (code, printed.partition(";")[0]) == (2, "no change is named other")
