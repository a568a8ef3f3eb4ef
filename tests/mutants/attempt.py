"""One run of some tests against a copy of the library, in this process: how each of them ended, as JSON.

A script, ``attempt.py PACKAGE MODULE OUT TEST ...``, whose PYTHONPATH has the copy first. ``OUT`` gets
``{test: [how it ended, detail]}``; what pytest prints goes to standard output. See :data:`End`.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import pytest

End = Literal["passed", "assertion", "error", "skipped", "missing"]
"""``assertion``: the test itself said that a result is not what it should be. ``error``: anything else that raised, in
the test or on the way to it, so that nothing is known about results."""


class Ends:
    """A pytest plugin that keeps the end of every test: of one with parameters, the first end that is no pass."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._tests = tests
        self.of_item: dict[str, tuple[End, str]] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Of the files that are collected, the tests alone: one that is not there then hinders no other."""
        items[:] = [item for item in items if any(_is_of(item.nodeid, test) for test in self._tests)]

    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> None:
        self.of_item.setdefault(item.nodeid, ("passed", ""))
        if call.excinfo is not None and self.of_item[item.nodeid][0] == "passed":
            self.of_item[item.nodeid] = (_end(call), call.excinfo.exconly(tryshort=True).partition("\n")[0])

    def of(self, test: str) -> tuple[End, str]:
        """The end of a test with all its parameters, if it has some."""
        ends = [end for item, end in self.of_item.items() if _is_of(item, test)]
        return next((end for end in ends if end[0] != "passed"), ends[0] if ends else ("missing", "no such test"))


def _is_of(item: str, test: str) -> bool:
    return item == test or item.startswith(f"{test}[")


def _end(call: pytest.CallInfo[None]) -> End:
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, pytest.skip.Exception):
        return "skipped"
    return "assertion" if call.when == "call" and _is_assertion(error) else "error"


def _is_assertion(error: BaseException | None) -> bool:
    """Hypothesis raises a group where examples fail in several ways."""
    if isinstance(error, BaseExceptionGroup):
        return all(map(_is_assertion, error.exceptions))
    return isinstance(error, AssertionError | pytest.fail.Exception)


def main(package: str, module: str, out: str, *tests: str) -> None:
    """Import the module, which must be one of the copy, run the tests, and write how they ended."""
    ends = Ends(tests)
    try:
        found = importlib.import_module(module).__file__
        if found is None or not Path(found).is_relative_to(package):
            raise ImportError(f"{module} was imported from {found}, not from {package}")
    except Exception as error:
        written = {test: ("error", f"{type(error).__name__}: {error}") for test in tests}
    else:
        files = [file for file in dict.fromkeys(test.partition("::")[0] for test in tests) if Path(file).is_file()]
        options = ["-q", "--tb=short", "-p", "no:cacheprovider", "--rootdir=.", "--continue-on-collection-errors"]
        pytest.main([*options, *files], plugins=[ends])
        written = {test: ends.of(test) for test in tests}
    Path(out).write_text(json.dumps(written), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
