"""Web servers on this machine, a cache of its own for each test, no credentials."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fetch_server import Server, running


@pytest.fixture
def server() -> Iterator[Server]:
    yield from running()


@pytest.fixture
def other_server() -> Iterator[Server]:
    yield from running()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A cache of its own for each test, no credentials, and no proxy between the test and its server."""
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    for name in ("SWITCHRANK_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN", "HF_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"
