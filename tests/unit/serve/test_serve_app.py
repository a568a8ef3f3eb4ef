"""The application in this process: what it answers, what it refuses, and how many at once."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from base64 import b64encode
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from switchrank.core.errors import UserError
from switchrank.serve import cli
from switchrank.serve.app import WAITING, make_app
from switchrank.serve.options import Searched
from switchrank.serve.searcher import Found, Hit, open_searcher

HOSTS = ["localhost", "127.0.0.1", "[::1]", "search.example.org"]


@pytest.fixture(scope="module")
def searcher(encoder_folder, bert_folder, docs, lexicon, tmp_path_factory):
    index = tmp_path_factory.mktemp("app") / "index"
    searched = Searched(str(encoder_folder), docs, ranker=str(bert_folder), index=index, lexicon=[str(lexicon)])
    return open_searcher(searched)


@pytest.fixture(scope="module")
def app(searcher):
    return make_app(searcher, hosts=HOSTS, depth=7)


def ask(app: Any, path: str, *, method: str = "GET", host: str = "127.0.0.1:8765", **params: str) -> httpx2.Response:
    """One request to an application in this process."""

    async def asked() -> httpx2.Response:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://127.0.0.1") as client:
            return await client.request(method, path, params=params or None, headers={"Host": host})

    return asyncio.run(asked())


def test_a_search_gives_what_the_library_finds(app, searcher):
    answer = ask(app, "/api/search", query="ein Fuchs", top="3", depth="4")
    expected = json.loads(json.dumps(searcher.search("ein Fuchs", top=3, depth=4).plain()))
    assert answer.status_code == 200
    told = answer.json()
    assert set(told.pop("seconds")) == set(expected.pop("seconds"))
    assert told == expected
    assert [hit["links"] for hit in told["reranked"]].count([]) < 3


def test_what_may_be_asked_for_is_told(app):
    told = ask(app, "/api/about").json()
    assert (told["documents"], told["depth"]) == (8, 7)
    assert told["limits"] == {"query": 1000, "top": 100, "depth": 1000}
    assert told["encoder"]
    assert told["ranker"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "query: empty: type some words"),
        ({"query": " "}, "query: empty"),
        ({"query": "x" * 1001}, "query: 1,001 characters: shorten it to 1,000"),
        ({"query": "x" * 60_000}, "query: 60,000 characters"),
        ({"query": "fox", "top": "0"}, "search: top: 0 documents: give 1 to 100"),
        ({"query": "fox", "top": "101"}, "search: top: 101 documents"),
        ({"query": "fox", "depth": "1001"}, "search: depth: 1001 documents: give 1 to 1,000"),
        *(
            ({"query": "fox", "top": typed}, "give a whole number")
            for typed in ("ten", "-1", "1.5", "٣", "9" * 5000, "")
        ),
    ],
)
def test_a_mistake_is_one_line(app, params, message):
    answer = ask(app, "/api/search", **params)
    assert answer.status_code == 400
    assert message in answer.json()["error"]
    assert len(answer.json()["error"]) < 200


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1:8765", "[::1]:8765", "search.example.org"])
def test_it_may_be_asked_for_by_its_names(app, host):
    assert ask(app, "/api/about", host=host).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "localhost.evil.example", "192.0.2.1", "", "["])
@pytest.mark.parametrize("path", ["/", "/api/search?query=fox", "/api/about", "/nowhere"])
def test_another_host_is_refused(app, host, path):
    answer = ask(app, path, host=host)
    assert answer.status_code == 400
    assert "fox" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_can_be_sent_to_it(app, method):
    assert ask(app, "/api/search", method=method, query="fox").status_code == 405


def test_markup_in_queries_and_documents_stays_data(app):
    answer = ask(app, "/api/search", query="<script>alert(1)</script> fox")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    told = answer.json()
    assert told["query"] == "<script>alert(1)</script> fox"
    assert any(hit["text"].startswith("<script>") for hit in told["retrieved"])


def test_the_page_runs_its_own_script_and_nothing_else(app):
    answer = ask(app, "/")
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["connect-src"] == "'self'"
    for tag in ("style", "script"):
        (inside,) = re.findall(rf"<{tag}[^>]*>(.*?)</{tag}>", answer.text, re.DOTALL)
        assert policy[f"{tag}-src"] == f"'sha256-{b64encode(sha256(inside.encode()).digest()).decode()}'"
    assert not re.search(
        r"(https?:)?//\w|\son\w+=|\sstyle=|innerHTML|insertAdjacentHTML|document\.write|eval\(", answer.text
    )
    assert len(answer.content) < 20_000


@pytest.mark.parametrize("path", ["/", "/api/search?query=", "/nowhere"])
def test_every_answer_is_protected(app, path):
    headers = ask(app, path).headers
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in headers


class Slow:
    """A searcher that answers when it may, and knows how many it served at a time."""

    names = ("slow", None)

    def __init__(self) -> None:
        self.may, self.running, self.most, self.served = threading.Event(), 0, 0, list[str]()

    def __len__(self) -> int:
        return 1

    def search(self, query: str, **_: int) -> Found:
        self.running += 1
        self.most = max(self.most, self.running)
        assert self.may.wait(30)
        self.running -= 1
        self.served.append(query)
        return Found(query, [Hit(1, "d", 1.0, "text", 1)])


def test_searches_run_one_by_one_and_too_many_are_told_to_come_again():
    slow = Slow()
    app = make_app(slow, hosts=HOSTS)
    names = [str(number) for number in range(WAITING + 3)]

    async def asked() -> list[httpx2.Response]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost") as client:
            tasks = []
            for name in names:
                tasks.append(asyncio.create_task(client.get("/api/search", params={"query": name})))
                await asyncio.sleep(0.02)
            about = await client.get("/api/about")
            slow.may.set()
            return [about, *await asyncio.gather(*tasks)]

    about, *answers = asyncio.run(asked())
    assert about.status_code == 200
    assert [answer.status_code for answer in answers] == [200] * (WAITING + 1) + [503] * 2
    assert answers[-1].json()["error"].startswith("search: too many at once")
    assert answers[-1].headers["retry-after"] == "1"
    assert slow.most == 1
    assert slow.served == names[: WAITING + 1]


def test_without_the_extra_it_is_told_what_to_install(monkeypatch, docs):
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == "uvicorn" else object())
    with pytest.raises(
        UserError, match=r"^serve: uvicorn must be installed for it: pip install 'switchrank\[serve\]'$"
    ):
        cli.serve(searched=Searched("encoder", docs))


def test_a_pattern_is_no_name(docs):
    with pytest.raises(UserError, match=r"^command line: --name: '\*' is no name: write each name out$"):
        cli.serve(searched=Searched("encoder", docs), name=["here", "*"])


def test_an_address_that_is_taken_is_told_before_anything_is_opened(docs):
    with cli._listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=rf"^serve: 127\.0\.0\.1:{port}: cannot be had \(.*in use\): give another"):
            cli.serve(searched=Searched("nowhere", docs), port=port)
    for host, port in (("127.0.0.1", 70_000), ("192.0.2.1", 0)):
        with pytest.raises(UserError, match="cannot be had"):
            cli.serve(searched=Searched("nowhere", docs), host=host, port=port)


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False)]
)
def test_only_loopback_is_this_machine_alone(host, loopback):
    assert cli._is_loopback(host) is loopback
