"""Timing: both sides by turns, best of some rounds; and one side alone in a process of its own, for its memory."""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil


def seconds(work: Callable[[], object]) -> float:
    """How long one call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def by_turns(ours: Callable[[], object], peer: Callable[[], object], rounds: int = 3) -> tuple[float, float]:
    """Best seconds of each side, timed by turns so that what else the machine does meets both."""
    times = [(seconds(ours), seconds(peer)) for _ in range(rounds)]
    return min(first for first, _ in times), min(second for _, second in times)


@dataclass(frozen=True)
class Alone:
    """A call in a process of its own: its result, its seconds, and memory in MB before it and at its peak."""

    result: Any
    seconds: float
    rss_before_mb: float
    peak_rss_mb: float


def alone(function: Callable[..., Any], *arguments: Any, **options: Any) -> Alone:
    """Call a module-level function in a new process; its imports count before the clock, its memory from there.

    The function may return a callable: then that is what is timed, and the call itself is the preparation.

    Raises:
        RuntimeError: the process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, function, arguments, options))
    process.start()
    sender.close()
    try:
        answer = receiver.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{function.__name__}: the process ended with {process.exitcode}") from None
    process.join()
    return Alone(*answer)


def _child(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
    before = psutil.Process().memory_info().rss / 1e6
    start = time.perf_counter()
    result = function(*arguments, **options)
    if callable(result):
        before = psutil.Process().memory_info().rss / 1e6
        start = time.perf_counter()
        result = result()
    taken = time.perf_counter() - start
    sender.send((result, taken, before, _peak(resource.getrusage(resource.RUSAGE_SELF))))
    sender.close()


def _peak(used: resource.struct_rusage) -> float:
    return used.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def process(words: Sequence[object], folder: Path | None = None) -> Alone:
    """Run a command, its output thrown away; its memory before is 0, its result its exit status.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        started = subprocess.Popen([str(word) for word in words], cwd=folder, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(started.pid, 0)
        taken = time.perf_counter() - start
        started.returncode = os.waitstatus_to_exitcode(status)
        if started.returncode:
            said.seek(0)
            raise RuntimeError(
                f"{words[0]}: exit status {started.returncode}: {said.read()[-2000:].decode(errors='replace')}"
            )
    return Alone(started.returncode, taken, 0.0, _peak(used))
