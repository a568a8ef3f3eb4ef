"""HTTP sessions and who is let in: tokens from the environment or ~/.netrc, each sent to its own host only."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from switchrank import __version__
from switchrank.files.addresses import hub_endpoint, is_private, request_url, variables

if TYPE_CHECKING:
    import requests


def new_session(url: str) -> requests.Session:
    """A session to ask for one address, in which variables are not filled in."""
    from switchrank.files.redirects import CarefulSession

    session = CarefulSession([os.environ.get(name, "") for name in variables(url)])
    session.headers.update({"User-Agent": f"switchrank/{__version__}", "Accept-Encoding": "identity"})
    return session


def credentials(url: str) -> Any:
    """The hub's token for the hub; None leaves it to ~/.netrc. Neither goes to a redirect's host, or unencrypted."""
    if not is_private(url):
        return lambda request: request
    token = os.environ.get("HF_TOKEN")
    if not token or not on_hub(url):
        return None

    def authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    return authorise


def on_hub(url: str) -> bool:
    """Whether an address is on the hub (or its mirror): the same scheme, host and port."""
    return urlsplit(url)[:2] == urlsplit(hub_endpoint(os.environ))[:2]


def length_of(url: str, *, timeout: float = 20.0) -> int | None:
    """The length that the server tells for an address, in bytes; None where it tells none or cannot be asked."""
    import requests

    try:
        address = request_url(url, os.environ)
        with new_session(url) as session:
            response = session.head(address, allow_redirects=True, auth=credentials(address), timeout=timeout)
    except (requests.RequestException, ValueError):
        return None
    told = [each.headers.get("X-Linked-Size") for each in response.history] + [response.headers.get("Content-Length")]
    found = next((text for text in told if text and text.isascii() and text.isdigit()), None)
    return int(found) if response.ok and found else None
