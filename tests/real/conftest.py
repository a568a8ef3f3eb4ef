"""Skips all tests where there is no real data, and tells at the end of a session how much of it was read."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

READ = pytest.StashKey[dict[str, list[bool]]]()
"""By folder, whether each of its rows was read as the table says."""


def pytest_configure(config: pytest.Config) -> None:
    """Start with no folder read."""
    config.stash[READ] = defaultdict(list)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip where SWITCHRANK_DATA is not set; a folder that it names and that is missing makes the tests fail."""
    if "SWITCHRANK_DATA" not in os.environ:
        skip = pytest.mark.skip(reason="SWITCHRANK_DATA names no folder with the real data")
        for item in items:
            if item.get_closest_marker("real"):
                item.add_marker(skip)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Note whether a row of the table was read."""
    report: Any = yield
    folder = dict(item.user_properties).get("folder")
    if folder and (report.when == "call" or report.failed):
        item.config.stash[READ][str(folder)].append(report.passed)
    return report


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line: how many folders were read, of those that hold more than text."""
    rows = config.stash[READ]
    if rows:
        terminalreporter.write_line(f"real data: read {sum(map(all, rows.values()))} of {len(rows)} folders")
