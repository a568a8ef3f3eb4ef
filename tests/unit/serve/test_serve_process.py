"""``switchrank serve`` as a process: requests over a socket, and how it ends."""

from __future__ import annotations

import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest


@pytest.fixture(scope="module")
def server(serving):
    with serving() as (process, address):
        yield process, address


@pytest.fixture
def address(server):
    return server[1]


def said(address: str, head: str) -> str:
    """The first line that is answered to bytes on the wire."""
    place = urlsplit(address)
    with socket.create_connection((place.hostname, place.port), timeout=30) as wire:
        wire.settimeout(30)
        try:
            wire.sendall(head.encode())
            return wire.recv(4096).decode().partition("\r\n")[0]
        except (BrokenPipeError, ConnectionResetError):
            return "closed"


def test_two_at_once_are_both_answered(address):
    def search(query):
        return httpx2.get(f"{address}api/search", params={"query": query}, timeout=60).json()

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(search, ["fuchs", "wal"]))
    assert [found["query"] for found in both] == ["fuchs", "wal"]
    assert both == [
        found | {"seconds": mine["seconds"]} for found, mine in zip(map(search, ["fuchs", "wal"]), both, strict=True)
    ]


def test_a_query_of_a_megabyte_is_refused_and_the_server_goes_on(address):
    line = f"GET /api/search?query={'x' * (1 << 20)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    assert said(address, line) in ("HTTP/1.1 400 Bad Request", "HTTP/1.1 400 ", "closed")
    assert httpx2.get(address, timeout=60).status_code == 200


def test_a_foreign_host_is_refused_on_the_wire(address):
    assert said(address, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").split()[1] == "400"
    assert said(address, "GET / HTTP/1.1\r\n\r\n").split()[1] == "400"


def test_sigterm_ends_it(server):
    process, address = server
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == -signal.SIGTERM
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(address, timeout=5)


@pytest.mark.long
def test_ctrl_c_ends_it_quietly(serving):
    with serving() as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
