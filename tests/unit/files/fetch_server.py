"""A web server on this machine that answers as badly as it is told, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from switchrank.files.transfer import Patience

BODY = "".join(f"d{number}\tpassage {number}\n" for number in range(6000)).encode()
QUICK = Patience(tries=3, first_pause=0.001, longest_pause=0.002, connect_timeout=2, read_timeout=2)


def digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@dataclass
class File:
    """What stands at a path.

    ``piece``: bytes after which the connection breaks; ``ranges``: ``honoured`` with If-Range, ``blind`` to If-Range,
    ``shifted`` by a byte, or ``ignored``; ``status``: another answer, without a body; ``steps``: what is different at
    the first, second, ... request.
    """

    body: bytes = BODY
    etag: str | None = '"v1"'
    headers: dict[str, str] = field(default_factory=dict)
    piece: int | None = None
    ranges: str = "honoured"
    length: bool = True
    chunked: bool = False
    status: int = 200
    steps: list[dict[str, Any]] = field(default_factory=list)


class Server:
    """``server.files[path] = File(...)``; ``server.asked`` holds the method, path and headers of every request."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.port = port
        self.files: dict[str, File] = {}
        self.asked: list[tuple[str, str, dict[str, str]]] = []

    def headers(self, name: str) -> list[str | None]:
        """A header of every request."""
        return [headers.get(name) for _, _, headers in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def _serve(self) -> None:
        room: Server = self.server.room  # type: ignore[attr-defined]
        room.asked.append((self.command, self.path, dict(self.headers)))
        file = room.files.get(self.path, File(status=404, body=b""))
        if file.steps:
            file = replace(file, **file.steps.pop(0))
        start = self._start(file)
        if file.status != 200:
            self._answer(file.status, file.headers, b"")
        elif start is not None and start >= len(file.body):
            self._answer(416, {"Content-Range": f"bytes */{len(file.body)}"}, b"")
        else:
            self._send(file, start)

    def _send(self, file: File, start: int | None) -> None:
        rest = file.body[start or 0 :]
        headers = dict(file.headers) | ({"ETag": file.etag} if file.etag else {})
        if file.chunked:
            headers["Transfer-Encoding"] = "chunked"
        elif file.length:
            headers["Content-Length"] = str(len(rest))
        if start is not None:
            headers["Content-Range"] = f"bytes {start}-{len(file.body) - 1}/{len(file.body)}"
        sent = rest[: file.piece]
        if file.chunked:
            sent = f"{len(sent):x}\r\n".encode() + sent + (b"\r\n0\r\n\r\n" if file.piece is None else b"")
        self._answer(200 if start is None else 206, headers, sent if self.command == "GET" else b"")

    def _start(self, file: File) -> int | None:
        wanted, condition = self.headers.get("Range"), self.headers.get("If-Range")
        if wanted is None or file.ranges == "ignored":
            return None
        if file.ranges == "honoured" and condition and condition not in {file.etag, file.headers.get("Last-Modified")}:
            return None
        return int(wanted.removeprefix("bytes=").rstrip("-")) + (file.ranges == "shifted")

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.close_connection = True
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def running() -> Iterator[Server]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    http.room = Server(http.server_port)  # type: ignore[attr-defined]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield http.room  # type: ignore[attr-defined]
    http.shutdown()
    http.server_close()
    thread.join(5)
