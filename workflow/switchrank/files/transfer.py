"""One download over HTTP into a partial file: resumed where it broke, retried with pauses, never mixing two versions.

What has arrived stays in the partial file, and beside it a record of the server's validators (ETag, Last-Modified). The
next attempt, in this process or a later one, asks for the rest on condition that the file is still the same (RFC 9110,
``Range`` with ``If-Range``). Where the file has changed, or the server sent no validator, the download starts over.
"""

from __future__ import annotations

import errno
import json
import os
import random
import re
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import NoReturn

import requests
import urllib3

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.files.addresses import request_url, shown, split_advice
from switchrank.files.client import (
    Record,
    Session,
    UnsafeRedirectError,
    credentials,
    on_hub,
    reason_of,
    record_of,
    retry_after,
)
from switchrank.files.content import HEAD, PAGE, is_page

_CHUNK = 1 << 18
_LATER = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Status codes that may change a little later."""


@dataclass(frozen=True)
class Patience:
    """How long a download is tried: seconds, and attempts in a row that brought nothing new."""

    tries: int = 6
    first_pause: float = 1.0
    longest_pause: float = 60.0
    longest_wish: float = 600.0
    """The longest ``Retry-After`` that is obeyed; a longer one ends the download."""
    connect_timeout: float = 20.0
    read_timeout: float = 60.0
    attempts: int = 1000
    """Attempts in all."""


class _LaterError(Exception):
    """This attempt failed and the next may not; ``wish`` is the pause the server asks for."""

    def __init__(self, reason: str, wish: float | None = None) -> None:
        self.reason, self.wish = reason, wish
        super().__init__(reason)


class Transfer:
    """The download of one address into a partial file.

    Args:
        url: the address, variables not filled in.
        part: the partial file; it and its record are left in place after an error, for the next attempt.
        verified: whether the checksum is known, so that a file without validators may be resumed as well.
        patience: how long to try.
        name: what the progress bar shows.
    """

    def __init__(self, url: str, part: Path, *, verified: bool, patience: Patience, name: str) -> None:
        self.url, self.part, self.verified, self.patience, self.name = url, part, verified, patience, name
        self.address = shown(url)
        self._record_path = part.with_name(f"{part.name}.json")

    def run(self) -> Record:
        """Download to the end; after each failure in a row the pause doubles, unless the server asks for another.

        Raises:
            UserError: the file cannot be had, with the reason.
        """
        failures = 0
        for _ in range(self.patience.attempts):
            before = self._size()
            try:
                with Session(self.url) as session:
                    return self._attempt(session)
            except _LaterError as error:
                failures = 0 if self._size() > before else failures + 1
                if failures >= self.patience.tries:
                    self._give_up(error.reason)
                if error.wish is not None and error.wish > self.patience.longest_wish:
                    self._give_up(f"{error.reason} and asks to come back in {error.wish:.0f} seconds")
                usual = min(self.patience.longest_pause, self.patience.first_pause * 2 ** max(0, failures - 1))
                pause = usual * random.uniform(0.5, 1.0) if error.wish is None else error.wish
                print(f"{self.address}: warning: {error.reason}; again in {pause:.1f} s", file=sys.stderr, flush=True)
                time.sleep(pause)
        return self._give_up("the connection broke too often")

    def discard(self) -> None:
        """Remove the partial file and its record."""
        self.part.unlink(missing_ok=True)
        self._record_path.unlink(missing_ok=True)

    def _attempt(self, session: Session) -> Record:
        record, offset = self._resume_point()
        if record and record.total is not None and offset == record.total:
            return record
        headers = {"Range": f"bytes={offset}-", "If-Range": record.etag or record.modified or ""} if record else {}
        with self._answer(session, {name: value for name, value in headers.items() if value}) as response:
            if record and response.status_code == 416:
                self.discard()
                raise _LaterError("the server does not have the rest of the file")
            if response.status_code not in {200, 206} or (not record and response.status_code == 206):
                self._refused(response)
            if record and response.status_code == 206:
                self._check_range(response, record, offset)
            else:
                record, offset = record_of(response), 0
            self._receive(response, record, offset)
        return record

    def _resume_point(self) -> tuple[Record | None, int]:
        """The record and length of a partial file that may be continued, else None and 0."""
        try:
            record = Record(**json.loads(self._record_path.read_text(encoding="utf-8")))
            offset = self.part.stat().st_size
        except (OSError, ValueError, TypeError):
            return None, 0
        known = record.etag or record.modified or self.verified
        return (record, offset) if known and offset > 0 else (None, 0)

    @contextmanager
    def _answer(self, session: Session, headers: dict[str, str]) -> Iterator[requests.Response]:
        timeouts = (self.patience.connect_timeout, self.patience.read_timeout)
        url = self._request_url()
        try:
            with session.get(url, headers=headers, auth=credentials(url), stream=True, timeout=timeouts) as response:
                yield response
        except requests.TooManyRedirects:
            self._fail("redirected in a circle", "correct the address")
        except UnsafeRedirectError:
            problem = "redirected to where what was sent must not go: another host, or not encrypted"
            self._fail(problem, "ask whoever runs the server for an address that needs no redirect")
        except (requests.ConnectionError, requests.Timeout) as error:
            reason = reason_of(error)
            if "CERTIFICATE" in reason:
                self._fail(f"no safe connection ({reason})", "check the address, the clock and the certificates")
            raise _LaterError(reason) from None
        except requests.RequestException as error:
            self._fail(f"cannot be asked for ({type(error).__name__})", "correct the address")

    def _request_url(self) -> str:
        try:
            return request_url(self.url, os.environ)
        except ValueError as error:
            self._fail(*split_advice(error))

    def _check_range(self, response: requests.Response, record: Record, offset: int) -> None:
        """Start over unless the answer is the rest of the file that the partial one was begun with."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
        answer = record_of(response)
        validators = (record.etag, answer.etag), (record.modified, answer.modified)
        same = all(None in (before, after) or before == after for before, after in validators)
        if not (same and found and int(found[1]) == offset and found[2] in {str(record.total or found[2]), "*"}):
            self.discard()
            raise _LaterError("the file changed on the server")
        record.pieces += 1
        record.total = int(found[2]) if found[2] != "*" else record.total

    def _receive(self, response: requests.Response, record: Record, offset: int) -> None:
        """Append the body to the partial file; at offset 0 the file is begun anew."""
        encoding = response.headers.get("Content-Encoding", "identity").lower()
        if encoding not in {"identity", "gzip", "x-gzip"}:
            self._fail(f"the server sends it encoded as {encoding}", "fetch the file with a browser")
        chunks = _chunks(response)
        first = next(chunks, b"")
        if offset == 0 and is_page(first[:HEAD], response.headers.get("Content-Type", ""), self.name):
            self._fail(*PAGE)
        needed, free = (record.total or 0) - offset, shutil.disk_usage(self.part.parent).free
        if needed > free:
            problem = f"needs {needed / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free in {self.part.parent}"
            self._fail(problem, "make room, or set SWITCHRANK_CACHE to a folder with more")
        try:
            with self.part.open("ab" if offset else "wb") as file:
                with atomic_path(self._record_path) as temporary:
                    temporary.write_text(json.dumps(vars(record)), encoding="utf-8")
                with progress(total=record.total, what=self.name, unit="B") as bar:
                    bar.update(offset)
                    for chunk in chain([first], chunks):
                        file.write(chunk)
                        bar.update(len(chunk))
        except OSError as error:
            full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
            problem = "the disk is full" if full else f"cannot be written ({error.strerror})"
            todo = "make room and start again: what has come is kept" if full else "correct the rights of the folder"
            raise UserError(self.address, f"writing to {self.part.parent}", problem, todo) from error
        size = self._size()
        if record.total is None:
            print(f"{self.address}: warning: the server did not say how long it is", file=sys.stderr, flush=True)
        elif size != record.total:
            raise _LaterError(f"the connection closed after {size:,} of {record.total:,} bytes")

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.is_file() else 0

    def _refused(self, response: requests.Response) -> NoReturn:
        """Raise what an answer other than the file means."""
        status = response.status_code
        if status in _LATER:
            raise _LaterError(f"the server answers {status}", retry_after(response))
        code = response.headers.get("X-Error-Code", "")
        problem = f"the server answers {status}" + (f" {code}" if re.fullmatch(r"\w+", code) else "")
        if status not in {401, 403}:
            self._fail(problem, "correct the address, or fetch the file another way and give its path")
        todo = "give the user and password of the host in ~/.netrc, or fetch the file another way and give its path"
        if on_hub(self._request_url()):
            token = "" if os.environ.get("HF_TOKEN") else " and export HF_TOKEN"
            todo = f"open its page on the hub, accept its terms{token}; or the name is wrong"
        self._fail(f"{problem}: access denied", todo)

    def _give_up(self, reason: str) -> NoReturn:
        self._fail(f"cannot be read ({reason})", "check the network and start again: what has come is kept")

    def _fail(self, problem: str, todo: str) -> NoReturn:
        raise UserError(self.address, "", problem, todo) from None


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """The body as it is sent, not decoded; as much as has come at a time, so that a break loses nothing."""
    try:
        while chunk := response.raw.read1(_CHUNK, decode_content=False):
            yield chunk
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise _LaterError(reason_of(error)) from None
