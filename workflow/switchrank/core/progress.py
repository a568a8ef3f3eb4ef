"""Progress bars for long work, all alike and quiet in logs: off a terminal, a line every ten seconds at most."""

import os
import re
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")
_silent = ContextVar("silent", default=False)


def progress(
    items: Iterable[T] | None = None, *, total: int | None = None, what: str | None, unit: str = "it"
) -> "tqdm[Any]":
    """A tqdm bar on standard error over ``items`` (or to ``update`` by hand), named ``what``; no name, no bar."""
    hidden = what is None or _silent.get()
    return tqdm(
        items, total=total, desc=what, unit=f" {unit}", mininterval=_interval(), unit_scale=True, disable=hidden
    )


@contextmanager
def silence(wanted: bool = True) -> Iterator[None]:
    """Bars that begin in the block are not shown; with ``wanted`` False they are, within such a block."""
    token = _silent.set(wanted)
    try:
        yield
    finally:
        _silent.reset(token)


def _interval() -> float:
    return 0.2 if sys.stderr.isatty() else 10.0


@contextmanager
def native_progress() -> Iterator[None]:
    """In the block, a line that native code keeps rewriting on standard error appears as seldom as a bar's."""
    sys.stderr.flush()
    interval, target = _interval(), os.dup(2)
    reader, writer = os.pipe()
    os.dup2(writer, 2)
    os.close(writer)
    passing = threading.Thread(target=_pass_on, args=(reader, target, interval))
    passing.start()
    try:
        yield
    finally:
        os.dup2(target, 2)
        passing.join()
        os.close(reader)
        os.close(target)


def _pass_on(reader: int, target: int, interval: float) -> None:
    """Copy lines until the other end closes; rewritten ones, which end with a carriage return, only when due."""
    waiting, due = b"", time.monotonic() + interval
    while chunk := os.read(reader, 65_536):
        *whole, waiting = re.split(rb"(?<=[\r\n])", waiting + chunk)
        for line in whole:
            if line.endswith(b"\n") or (line.strip() and time.monotonic() >= due):
                os.write(target, line)
                due = time.monotonic() + interval
    if waiting.strip():
        os.write(target, waiting + b"\n")
