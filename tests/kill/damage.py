"""What goes wrong with disks and files: one that is full, one that cannot be written, a byte that is another."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path


@cache
def can_mount() -> bool:
    """Whether this process may mount file systems, which takes more than to be root in some containers."""
    if os.geteuid():
        return False
    with tempfile.TemporaryDirectory() as folder:
        command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
        if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode:
            return False
        subprocess.run(["umount", folder], check=True)
    return True


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[None]:
    """A file system in memory of a few megabytes, mounted on a folder."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def enlarge_disk(folder: Path, megabytes: int) -> None:
    """Give a file system in memory another size."""
    subprocess.run(["mount", "-o", f"remount,size={megabytes}m", folder], check=True)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Processes that are started inside the block write no file larger than this (bytes)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def mounted_on_itself(folder: Path) -> Iterator[None]:
    """A folder as a mount of its own, which can be made read-only."""
    subprocess.run(["mount", "--bind", folder, folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def turn_read_only(folder: Path) -> bool:
    """Make a mount read-only; whether that was possible, which it is not while a file is open for writing."""
    command = ["mount", "-o", "remount,bind,ro", folder]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0


def turn_writable(folder: Path) -> None:
    """Undo :func:`turn_read_only`."""
    subprocess.run(["mount", "-o", "remount,bind,rw", folder], check=True)


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """A folder and all below it that cannot be written: by a mount where that may be made, else by modes."""
    if can_mount():
        with mounted_on_itself(folder):
            assert turn_read_only(folder)
            yield
        return
    modes = {path: path.stat().st_mode for path in [folder, *folder.rglob("*")] if path.is_dir()}
    for path, mode in modes.items():
        path.chmod(mode & ~0o222)
    try:
        yield
    finally:
        for path, mode in modes.items():
            path.chmod(mode)


def flip_last_byte(path: Path) -> None:
    """Change the last byte of a file."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 0xFF]))


def truncate(path: Path) -> None:
    """Leave the first half of a file."""
    os.truncate(path, path.stat().st_size // 2)
