"""Timing: both sides by turns, best of some rounds; and one side alone in a process of its own, for its memory."""

from __future__ import annotations

import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
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
    sender.send((result, taken, before, _peak_mb()))
    sender.close()


def _peak_mb() -> float:
    """Highest resident memory of this process in MB.

    Linux counts what the parent held when it started a process into the child's ``ru_maxrss``, so ask for the peak of
    the program alone where that can be asked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text(encoding="utf-8").splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
