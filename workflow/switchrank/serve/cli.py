"""``switchrank serve``: a page in the browser where one searches and sees what is found."""

import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any

from switchrank.core.command import Command
from switchrank.core.errors import UserError
from switchrank.serve.options import Searched, check_numbers

_PATIENCE = 5
"""Seconds that a search which runs is waited for when the server is to end."""
_CONNECTIONS = 64
_LONGEST_HEAD = 16_384
"""Bytes of the head of a request."""


def serve(
    *,
    searched: Searched,
    host: str = "127.0.0.1",
    port: int = 8765,
    name: Sequence[str] = (),
    depth: int = 100,
    open_page: bool = False,
) -> None:
    """Serve a page where one types a query in any language and sees what is found, before and after re-ranking.

    Words that a lexicon links between query and document are in colour. The page asks for nothing but this server, and
    /api/search?query=... answers programs with JSON. There is no password: whoever reaches the address may search.
    Ctrl-C ends it.

    Args:
        searched: what is searched, and by which models.
        host: address to listen on; the usual one is reached from this machine alone.
        port: port to listen on; 0: any that is free.
        name: further names by which browsers may ask for the server, such as that of this machine.
        depth: documents that are re-ranked.
        open_page: open the page in a browser.

    Raises:
        UserError: see :func:`switchrank.serve.searcher.open_searcher`; the extra is not installed; the address cannot
            be had.
    """
    check_numbers(1, depth)
    if wild := next((one for one in name if "*" in one), None):
        raise UserError("command line", "--name", f"'{wild}' is no name", "write each name out")
    missing = [package for package in ("starlette", "uvicorn") if find_spec(package) is None]
    if missing:
        problem = f"{' and '.join(missing)} must be installed for it"
        raise UserError("serve", "", problem, "pip install 'switchrank[serve]'")
    with _listening(host, port) as listening:
        from switchrank.serve.app import make_app
        from switchrank.serve.searcher import open_searcher

        searcher = open_searcher(searched)
        address = f"http://{_bracketed(host)}:{listening.getsockname()[1]}/"
        app = make_app(searcher, hosts=["localhost", "127.0.0.1", _bracketed(host), *name], depth=depth)
        if not _is_loopback(host):
            print(f"{address}: whoever reaches it may search: there is no password", file=sys.stderr)
        with suppress(KeyboardInterrupt):
            print(f"{len(searcher):,} documents at {address} (Ctrl-C ends it)", flush=True)
            if open_page:
                import webbrowser

                webbrowser.open(address)
            _run(app, listening)


def _run(app: Any, listening: socket.socket) -> None:
    """Answer until SIGTERM or Ctrl-C, which then ends the process as it does any other."""
    import uvicorn

    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        h11_max_incomplete_event_size=_LONGEST_HEAD,
        timeout_graceful_shutdown=_PATIENCE,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (while")[0]
        problem = f"cannot be had ({reason})"
        raise UserError("serve", f"{host}:{port}", problem, "give another --host or --port") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


COMMANDS = Command(
    serve,
    flags={"open_page": "open"},
    forms={"encoder": "MODEL", "ranker": "MODEL", "docs": "FILE", "index": "FOLDER", "host": "ADDRESS", "name": "NAME"},
)
