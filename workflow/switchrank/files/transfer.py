"""One download over HTTP into a partial file: resumed where it broke, retried with pauses, never mixing two versions.

What has arrived stays in the partial file, and beside it a record of the server's validators (ETag, Last-Modified). The
next attempt, in this process or a later one, asks for the rest on condition that the file is still the same (RFC 9110,
``Range`` with ``If-Range``). Where the file has changed, or the server sent no validator, the download starts over.
Secrets are those of the address (``${NAME}``), the hub's token and the passwords in ``~/.netrc``.
"""

import errno
import json
import os
import random
import re
import shutil
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import chain
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import requests
import urllib3

from switchrank import __version__
from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.files.addresses import hub_endpoint, is_private, request_url, shown, split_advice, variables

_HEAD = 1024
"""Bytes at the start of a file that tell what it is."""
_PAGE = ("a web page (HTML) in place of the file", "open the address in a browser: it may want a login, or have moved")
_MAGIC = {
    ".gz": (b"\x1f\x8b", "gzip"),
    ".tgz": (b"\x1f\x8b", "gzip"),
    ".bz2": (b"BZh", "bzip2"),
    ".xz": (b"\xfd7zXZ\x00", "xz"),
    ".zst": (b"\x28\xb5\x2f\xfd", "Zstandard"),
    ".zip": (b"PK", "zip"),
    ".parquet": (b"PAR1", "Parquet"),
}
_HTML = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body)\b", re.I | re.S)
_POINTER = b"version https://git-lfs.github.com/spec/"


class UnsafeRedirectError(requests.RequestException):
    """A redirect leads to a place that must not see what was sent."""


class Session(requests.Session):
    """A session for one address, whose redirects carry secrets only to the host they are meant for.

    ``requests`` itself takes the Authorization header off where the host changes, but adds the password that
    ``~/.netrc`` has for the new host, encrypted or not; and it repeats whatever the server writes into the new address.
    """

    def __init__(self, url: str) -> None:
        super().__init__()
        self.max_redirects = 10
        self.headers.update({"User-Agent": f"switchrank/{__version__}", "Accept-Encoding": "identity"})
        values = [os.environ.get(name, "") for name in variables(url)]
        self._secrets = [value for value in values if len(value) >= 4]  # shorter ones would be found anywhere

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Refuse a redirect whose address holds a secret, and has another host or no encryption."""
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


def length_of(url: str) -> int | None:
    """The length of the file of an address, in bytes; None where the server does not say or cannot be asked."""
    try:
        address = request_url(url, os.environ)
        with Session(url) as session:
            response = session.head(address, allow_redirects=True, auth=credentials(address), timeout=10.0)
    except (requests.RequestException, ValueError):
        return None
    said = [*(each.headers.get("X-Linked-Size") for each in response.history), response.headers.get("Content-Length")]
    return next((size for size in map(_number, said) if size is not None), None) if response.ok else None


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
    """The download of one address, variables not filled in, into a partial file.

    After an error that file and its record are left in place for the next attempt. ``verified``: the checksum is known,
    so that a file without validators may be resumed as well. ``name`` is what the progress bar shows.
    """

    def __init__(self, url: str, part: Path, *, verified: bool, patience: Patience, name: str) -> None:
        self.url, self.part, self.verified, self.patience, self.name = url, part, verified, patience, name
        self.address = shown(url)
        self._record_path = part.with_name(f"{part.name}.json")

    def run(self) -> Record:
        """Download to the end, or raise UserError. Failures in a row double the pause, unless the server names one."""
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

    def check(self) -> None:
        """Check the content of the whole file; one that is not what its name says is removed."""
        try:
            check_content(self.part, self.name, self.address)
        except UserError:
            self.discard()
            raise

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
        if offset == 0 and is_page(first[:_HEAD], response.headers.get("Content-Type", ""), self.name):
            self._fail(*_PAGE)
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
            try:
                wish = urllib3.Retry().parse_retry_after(response.headers.get("Retry-After", ""))
            except urllib3.exceptions.InvalidHeader:
                wish = None
            raise _LaterError(f"the server answers {status}", wish)
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


def is_page(head: bytes, content_type: str, name: str) -> bool:
    """Whether the start of a body is a web page though the file's name promises something else."""
    if name.lower().endswith((".html", ".htm", ".xhtml")):
        return False
    head = head.removeprefix(b"\xef\xbb\xbf")
    said = content_type.partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}
    return _HTML.match(head) is not None or (said and head.lstrip().startswith(b"<"))


def check_content(path: Path, name: str, address: str) -> None:
    """Raise UserError where a fetched file is empty, a web page, a Git LFS pointer, or not what its ``name`` says."""
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
    if not head:
        raise UserError(address, "", "the server sent an empty file", "correct the address, or try again later")
    if is_page(head, "", name):
        raise UserError(address, "", *_PAGE)
    if head.startswith(_POINTER):
        problem = "a Git LFS pointer in place of the file"
        raise UserError(address, "", problem, "give the address of the file itself (/resolve/ or /media/, not /raw/)")
    magic, kind = _MAGIC.get(Path(name).suffix.lower(), (b"", ""))
    if not head.startswith(magic):
        raise UserError(address, "", f"not {kind}, as its name says", "correct the address, or try again later")
