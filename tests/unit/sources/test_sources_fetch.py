"""Downloads from a server on this machine: whole, checked, or one line."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from switchrank.errors import UserError
from switchrank.sources.fetch import fetch_file

BODY = b"pid\ttext\n" * 1000


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/missing":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[: len(BODY) // 2] if self.path == "/cut" else BODY)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def server():
    running = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    running.server_close()
    thread.join(5)


def test_a_file_arrives_whole_and_checked(server, tmp_path):
    fetch_file(url=f"{server}/a.tsv", out=tmp_path / "deep" / "a.tsv", sha256=hashlib.sha256(BODY).hexdigest())
    assert (tmp_path / "deep" / "a.tsv").read_bytes() == BODY
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["a.tsv"]


@pytest.mark.parametrize(
    ("path", "sha256", "problem"),
    [("/a.tsv", "0" * 64, "hash"), ("/missing", None, "404"), ("/cut", None, "cannot be read")],
)
def test_what_goes_wrong_is_one_line_and_leaves_nothing(server, tmp_path, path, sha256, problem):
    with pytest.raises(UserError, match=problem) as caught:
        fetch_file(url=f"{server}{path}", out=tmp_path / "a.tsv", sha256=sha256)
    assert "\n" not in str(caught.value)
    assert path in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_is_not_there_says_where_to_put_the_file(tmp_path):
    with pytest.raises(UserError, match="put the file at"):
        fetch_file(url="http://127.0.0.1:9/a.tsv", out=tmp_path / "a.tsv")
    assert list(tmp_path.iterdir()) == []
