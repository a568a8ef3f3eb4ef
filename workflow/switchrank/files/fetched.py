"""The machine's own copies of fetched files: one per address, shared by all runs and folders, never half-written.

They are under ``downloads/`` in :func:`switchrank.core.cache.cache_folder`; an address with a checksum has a place of
its own. A record beside each file has its checksum, length and time of change: a changed file is fetched again, one
without a record was put there by hand and is taken as it is. One process at a time fetches an address; others wait.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank.core.atomic import atomic_path
from switchrank.core.cache import cache_folder
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.offline import is_offline
from switchrank.files.addresses import Address, file_name, parse_address, shown, split_advice, variables
from switchrank.files.reading import open_bytes
from switchrank.files.unpack import unpack_member

if TYPE_CHECKING:
    from switchrank.files.transfer import Patience, Transfer


def fetch_file(
    *,
    url: str,
    out: str | Path,
    sha256: str | None = None,
    local: str | None = None,
    copy: bool = False,
    patience: Patience | None = None,
) -> None:
    """Put the file of an address at ``out``: fetched into the cache unless it is there, then linked; whole or not.

    A ``local`` copy, at a path with environment variables, is linked instead where there is one; as it is or unpacked
    it must have the checksum, if one is given. The link is symbolic: a hard one would share its time of change with the
    links of other runs, and touching it in one folder would make another run start again. With ``copy`` the file is an
    independent copy. ``sha256`` is the checksum of what is fetched; without it (and without one in ``url``) any content
    is taken. UserError: the file cannot be had, is not what was asked for, or cannot be written.
    """
    address = _address(url, sha256)
    stored = Stored(address)
    try:
        own = local_copy(local)
        if own is not None:
            _check_copy(own, address.sha256)
        file = own or (stored.file if stored.is_sound() else stored.fetch(out, patience))
        with atomic_path(out) as temporary:
            if address.member is not None:
                unpack_member(file, address.member, temporary)
            elif copy:
                shutil.copyfile(file, temporary)
            else:
                temporary.symlink_to(file.resolve())
    except OSError as error:
        place = str(error.filename or stored.file.parent)
        todo = "correct its rights, make room, or set SWITCHRANK_CACHE to another folder"
        raise UserError(place, "", f"cannot be written ({error.strerror})", todo) from error


def local_copy(local: str | None) -> Path | None:
    """The file at a path with environment variables; None where one of them is not set, or no file is there."""
    if not local or not all(os.environ.get(name) for name in variables(local)):
        return None
    for name in variables(local):
        local = local.replace(f"${{{name}}}", os.environ[name])
    return Path(local) if Path(local).is_file() else None


def _check_copy(path: Path, sha256: str | None) -> None:
    """Raise UserError unless a file, or what is packed in it, has a checksum."""
    if sha256 is None or file_digest(path) == sha256:
        return
    with open_bytes(path) as stream:
        found = hashlib.sha256()
        while block := stream.read(1 << 20):
            found.update(block)
    if found.hexdigest() != sha256:
        problem = f"the copy has sha256 {found.hexdigest()}, not {sha256}"
        raise UserError(path, "", problem, "put the right file there, or move this one away to have it fetched")


def missing_files(wanted: Mapping[str, Any]) -> list[str]:
    """The paths of ``wanted`` (arguments of :func:`fetch_file` by path) that are not there and have no copy here."""
    absent = {path: given for path, given in wanted.items() if not Path(path).exists()}
    return [path for path, given in absent.items() if not (local_copy(given.get("local")) or _stored(given).is_file())]


def _stored(given: Mapping[str, Any]) -> Path:
    """Where the cache has the file that arguments of :func:`fetch_file` name."""
    return Stored(_address(given["url"], given.get("sha256"))).file


def sources_of(wanted: Mapping[str, Any], missing: Iterable[str]) -> dict[str, str]:
    """Where each of the ``missing`` paths is from, in words."""
    return {path: shown(wanted[path]["url"]) for path in missing}


def offline_error(file: str | Path, missing: Mapping[str, str]) -> UserError:
    """The error where no server may be asked: each path that is to be filled, with what it is from."""
    listed = [f"{path}  from  {source}" for path, source in missing.items()]
    ways = "`switchrank sources fetch --config`, `switchrank models fetch`"
    todo = f"put each at its path, or fetch it where there is a network ({ways}):"
    return UserError(file, "", f"offline, and {len(listed)} files are missing", todo, listed)


def described(wanted: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each file of ``wanted`` (arguments of :func:`fetch_file` by path), and one with the sum.

    A line has the file's state (``here``, ``copy``, ``cached``, or bytes to fetch), path and address, between tabs. The
    length is what the server says without sending the file, else ``unknown``.
    """
    from switchrank.files.transfer import length_of

    missing = missing_files(wanted)
    urls = [] if is_offline() else [_address(wanted[path]["url"]).url for path in missing]
    with ThreadPoolExecutor(8) as pool:
        lengths = dict(zip(urls, pool.map(length_of, urls), strict=True))
    total, unknown = 0, 0
    for path, given in wanted.items():
        state = "here" if Path(path).exists() else "copy" if local_copy(given.get("local")) else "cached"
        if path in missing:
            length = lengths.get(_address(given["url"]).url)
            total, unknown = total + (length or 0), unknown + (length is None)
            state = "unknown" if length is None else f"{length:,}"
        yield f"{state}\t{path}\t{shown(given['url'])}"
    more = f", and {unknown} of unknown length" if unknown else ""
    yield f"{len(missing)} of {len(wanted)} files to fetch: {total:,} bytes{more}"


def fetch_all(wanted: Mapping[str, Any], config: Path) -> None:
    """Fetch every file of ``wanted`` that is not there. Failures are told as they come; UserError at the end if any."""
    missing = missing_files(wanted)
    if missing and is_offline():
        raise offline_error(config, sources_of(wanted, missing))
    failed = 0
    for path, given in wanted.items():
        if Path(path).exists():
            continue
        try:
            fetch_file(**given, out=path)
        except UserError as error:
            failed += 1
            print(error, file=sys.stderr, flush=True)
    if failed:
        problem = f"{failed} of {len(wanted)} files could not be fetched"
        raise UserError(config, "downloads", problem, "see the lines above; what has come is kept")


def _address(url: str, sha256: str | None = None) -> Address:
    try:
        found = parse_address(url)
    except ValueError as error:
        raise UserError(shown(url), "", *split_advice(error)) from None
    if sha256 and found.sha256 and sha256 != found.sha256:
        raise UserError(shown(url), "", "two different checksums are given for it", "leave one out")
    return Address(found.url, sha256 or found.sha256, found.member)


class Stored:
    """The place of one address in the cache: of the whole file, whatever member of it is wanted."""

    def __init__(self, address: Address) -> None:
        self.url, self.sha256, self.address = address.url, address.sha256, shown(address.url)
        folder = cache_folder(os.environ) / "downloads"
        self.file = folder / file_name(address.url, sha256=address.sha256)
        self._record = _beside(self.file, "json")

    def is_sound(self) -> bool:
        """Whether the file is there and unchanged since it was stored."""
        record = self._recorded()
        try:
            now = self.file.stat()
        except OSError:
            return False
        return (record.get("size"), record.get("mtime_ns")) == (now.st_size, now.st_mtime_ns)

    def fetch(self, out: str | Path, patience: Patience | None) -> Path:
        """The file: fetched, unless it was put there by hand or by another process meanwhile."""
        from switchrank.files.transfer import Patience, Transfer

        self.file.parent.mkdir(parents=True, exist_ok=True)
        with hold_alone(self.file, self.address) as alone:
            if self.is_sound() or self._adopt():
                return self.file
            if is_offline():
                problem = "offline, and the file is missing"
                raise UserError(self.address, "", problem, f"put it at {out}, or fetch it where there is a network")
            part, known = _beside(self.file, "part" if alone else f"{os.getpid()}.part"), self.sha256 is not None
            transfer = Transfer(self.url, part, verified=known, patience=patience or Patience(), name=self.file.name)
            self._publish(transfer)
            return self.file

    def _publish(self, transfer: Transfer) -> None:
        """Download, check, move into place; a file of several pieces with a wrong checksum is fetched once more."""
        for last in (False, True):
            received = transfer.run()
            wanted, found = self.sha256 or received.sha256, file_digest(transfer.part)
            if wanted in {None, found}:
                break
            transfer.discard()
            if received.pieces == 1 or last:
                problem = f"the file has sha256 {found}, not {wanted}"
                raise UserError(self.address, "", problem, "correct the checksum, or try again later")
        transfer.check()
        with transfer.part.open("rb") as stream:
            os.fsync(stream.fileno())
        self._record.unlink(missing_ok=True)
        os.replace(transfer.part, self.file)
        self._note(found)
        transfer.discard()

    def _adopt(self) -> bool:
        """Take a file that was put there by hand, or only touched, if it is what was asked for."""
        from switchrank.files.transfer import check_content

        if not self.file.is_file():
            return False
        wanted, found = self.sha256 or self._recorded().get("sha256"), file_digest(self.file)
        if wanted not in {None, found}:
            return False
        check_content(self.file, self.file.name, str(self.file))
        self._note(found)
        return True

    def _note(self, sha256: str) -> None:
        now = self.file.stat()
        record = {"url": self.address, "sha256": sha256, "size": now.st_size, "mtime_ns": now.st_mtime_ns}
        with atomic_path(self._record) as temporary:
            temporary.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")

    def _recorded(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._record.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return {}


@contextmanager
def hold_alone(file: Path, what: str) -> Iterator[bool]:
    """Wait until no other process fetches ``file``; yields False where the file system has no locks."""
    from filelock import FileLock, Timeout

    lock = FileLock(_beside(file, "lock"))
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(f"{what}: another process fetches it; waiting", file=sys.stderr, flush=True)
            lock.acquire(poll_interval=0.5)
    except NotImplementedError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _beside(file: Path, suffix: str) -> Path:
    return file.with_name(f".{file.name}.{suffix}")
