"""What the headers of an answer say of a file, and why a connection failed, in words without addresses."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import requests


@dataclass
class Record:
    """What is known of a partial file, from the answer it was begun with, and of how many pieces it is made.

    ``etag`` and ``modified`` are there only where they tell versions apart byte by byte; ``total`` is in bytes;
    ``sha256`` is what the Hugging Face hub says of large files.
    """

    etag: str | None = None
    modified: str | None = None
    total: int | None = None
    sha256: str | None = None
    pieces: int = 1


def record_of(response: requests.Response) -> Record:
    """Validators, length and checksum that an answer tells; weak validators do not count."""
    headers = response.headers
    etag = headers.get("ETag")
    length = headers.get("Content-Length", "")
    linked = [each.headers.get("X-Linked-Etag", "").strip('"') for each in response.history]
    return Record(
        etag=etag if etag and etag.startswith('"') else None,
        modified=headers.get("Last-Modified") if _settled(headers) else None,
        total=int(length) if length.isascii() and length.isdigit() else None,
        sha256=next((text for text in linked if re.fullmatch(r"[0-9a-f]{64}", text)), None),
    )


def _settled(headers: Any) -> bool:
    """Whether Last-Modified is old enough to tell versions apart (RFC 9110, 8.8.2.2: a minute before Date)."""
    try:
        age = parsedate_to_datetime(headers["Date"]) - parsedate_to_datetime(headers["Last-Modified"])
        return age.total_seconds() >= 60
    except (KeyError, TypeError, ValueError):
        return False


def retry_after(response: requests.Response) -> float | None:
    """Seconds of a Retry-After header, which is a number or a date."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return None


def reason_of(error: BaseException) -> str:
    """Why a connection failed, in words that hold no address: those of libraries repeat it with all its secrets."""
    seen: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    if any(isinstance(one, TimeoutError) or "Timeout" in type(one).__name__ for one in seen):
        return "timed out"
    told = [one.strerror for one in seen if isinstance(one, OSError) and one.errno and isinstance(one.strerror, str)]
    return told[-1] if told else "the connection broke"
