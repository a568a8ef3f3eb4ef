"""The HTTP client: which secrets go to which host, and what an answer or a broken connection means.

Secrets are those of the address (``${NAME}``), the hub's token and the passwords in ``~/.netrc``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import requests

from switchrank import __version__
from switchrank.files.addresses import hub_endpoint, is_private, request_url, variables

_SHORTEST = 4
"""Shorter values are no secrets, and would be found anywhere."""


class UnsafeRedirectError(requests.RequestException):
    """A redirect leads to a place that must not see what was sent."""


class Session(requests.Session):
    """A session for one address, whose redirects carry secrets only to the host they are meant for.

    ``requests`` itself takes the Authorization header off where the host changes, but adds the password that
    ``~/.netrc`` has for the new host, encrypted or not; and it repeats whatever the server writes into the new address.

    Args:
        url: the address, variables not filled in.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.max_redirects = 10
        self.headers.update({"User-Agent": f"switchrank/{__version__}", "Accept-Encoding": "identity"})
        values = [os.environ.get(name, "") for name in variables(url)]
        self._secrets = [value for value in values if len(value) >= _SHORTEST]

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Called for each redirect before it is followed.

        Raises:
            UnsafeRedirectError: the new address holds a secret, and has another host or no encryption.
        """
        super().rebuild_auth(prepared_request, response)
        new, old = str(prepared_request.url), str(response.request.url)
        if not is_private(new):
            prepared_request.headers.pop("Authorization", None)
        kept = is_private(new) and urlsplit(new).hostname == urlsplit(old).hostname
        if not kept and any(value in text for value in self._secrets for text in (new, unquote(new))):
            raise UnsafeRedirectError


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


@dataclass
class Record:
    """What is known of a partial file: from the headers of its first answer, and how many pieces it was received in.

    ``etag`` and ``modified`` are set only where they tell versions apart byte by byte; ``total`` is in bytes;
    ``sha256`` is what the Hugging Face hub says of large files.
    """

    etag: str | None = None
    modified: str | None = None
    total: int | None = None
    sha256: str | None = None
    pieces: int = 1


def record_of(response: requests.Response) -> Record:
    """Validators, length and checksum in the headers of an answer; weak validators do not count."""
    headers = response.headers
    etag = headers.get("ETag")
    linked = [each.headers.get("X-Linked-Etag", "").strip('"') for each in response.history]
    return Record(
        etag=etag if etag and etag.startswith('"') else None,
        modified=headers.get("Last-Modified") if _is_settled(headers) else None,
        total=_number(headers.get("Content-Length")),
        sha256=next((text for text in linked if re.fullmatch(r"[0-9a-f]{64}", text)), None),
    )


def _is_settled(headers: Mapping[str, str]) -> bool:
    """Whether Last-Modified is old enough to tell versions apart (RFC 9110, 8.8.2.2: a minute before Date)."""
    try:
        age = parsedate_to_datetime(headers["Date"]) - parsedate_to_datetime(headers["Last-Modified"])
        return age.total_seconds() >= 60
    except (KeyError, TypeError, ValueError):
        return False


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def length_of(url: str, *, timeout: float = 20.0) -> int | None:
    """The length of the file of an address, in bytes; None where the server does not say or cannot be asked."""
    try:
        address = request_url(url, os.environ)
        with Session(url) as session:
            response = session.head(address, allow_redirects=True, auth=credentials(address), timeout=timeout)
    except (requests.RequestException, ValueError):
        return None
    said = [*(each.headers.get("X-Linked-Size") for each in response.history), response.headers.get("Content-Length")]
    return next((size for size in map(_number, said) if size is not None), None) if response.ok else None


def retry_after(response: requests.Response) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    text = response.headers.get("Retry-After", "").strip()
    seconds = _number(text)
    if seconds is not None:
        return float(seconds)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def reason_of(error: BaseException) -> str:
    """Why a connection failed, without any address: messages of libraries repeat it with all its secrets."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    if any(isinstance(one, TimeoutError) or "Timeout" in type(one).__name__ for one in seen):
        return "timed out"
    reasons = [one.strerror for one in seen if isinstance(one, OSError) and one.errno and isinstance(one.strerror, str)]
    return reasons[-1] if reasons else "the connection broke"
