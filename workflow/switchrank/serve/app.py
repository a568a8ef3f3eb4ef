"""The application that answers browsers: the page, and ``/api/search`` for programs.

Searches run one at a time, in the order they came; a few may wait, and more are told to try again. A request is
answered where it asks for this server by a name that it has: so no page from elsewhere reads what is searched here, by
a name of its own that leads to this machine (DNS rebinding).
"""

import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.serve.options import DEEPEST, LONGEST_QUERY, MOST
from switchrank.serve.searcher import Searcher

WAITING = 8
"""Searches that may wait for the one that runs."""
_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]


def make_app(searcher: Searcher, *, hosts: Sequence[str], depth: int = 100) -> Any:
    """A Starlette application.

    ``GET /api/search?query=...`` may have ``top`` and ``depth``, and gives the fields of
    :class:`switchrank.serve.searcher.Found`; a mistake is ``{"error": "..."}`` with status 400, and 503 says that too
    many searches wait. ``GET /api/about`` names the models and the bounds.

    Args:
        hosts: names by which it may be asked for, without a port.
        depth: documents that are re-ranked where a request does not say how many.
    """
    from anyio import CapacityLimiter
    from anyio.to_thread import run_sync
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse
    from starlette.routing import Route

    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    encoder, ranker = searcher.names
    limits = {"query": LONGEST_QUERY, "top": MOST, "depth": DEEPEST}
    about = {"documents": len(searcher), "encoder": encoder, "ranker": ranker, "depth": depth, "limits": limits}
    one_at_a_time = CapacityLimiter(1)

    async def show_page(request: Request) -> HTMLResponse:  # noqa: ARG001
        return HTMLResponse(page)

    async def tell(request: Request) -> JSONResponse:  # noqa: ARG001
        return JSONResponse(about)

    async def search(request: Request) -> JSONResponse:
        given = request.query_params
        if one_at_a_time.statistics().tasks_waiting >= WAITING:
            todo = {"error": "search: too many at once: try again in a moment"}
            return JSONResponse(todo, 503, {"Retry-After": "1"})
        try:
            numbers = {"top": _number(given, "top", 10), "depth": _number(given, "depth", depth)}
            asked = partial(searcher.search, given.get("query", ""), **numbers)
            found = await run_sync(asked, limiter=one_at_a_time)
        except UserError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse(found.plain())

    return Starlette(
        routes=[Route("/", show_page), Route("/api/about", tell), Route("/api/search", search)],
        middleware=[
            Middleware(_Headers, headers=_headers(page)),
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
        ],
    )


def _number(given: Mapping[str, str], name: str, usual: int) -> int:
    typed = given.get(name, str(usual))
    if not (typed.isascii() and typed.isdigit()) or len(typed) > len(str(DEEPEST)):
        raise UserError("search", name, f"{typed[:20]!r}", "give a whole number")
    return int(typed)


def _headers(page: str) -> dict[str, str]:
    """Of every answer: the one style and the one script of the page may be used, and nothing from elsewhere."""
    ours = {
        tag: " ".join(_source(text) for text in re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL))
        for tag in ("style", "script")
    }
    policy = [
        "default-src 'none'",
        f"style-src {ours['style']}",
        f"script-src {ours['script']}",
        "connect-src 'self'",
        "img-src data:",
        *("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"),
    ]
    return {
        "content-security-policy": "; ".join(policy),
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


class _Headers:
    """Adds headers to every answer."""

    def __init__(self, app: Any, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = [(name.encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        async def told(message: _Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *self._headers]
            await send(message)

        await self._app(scope, receive, told)
