"""Timing: both sides by turns, best of some rounds; and one side alone in a process of its own, for its memory."""

from __future__ import annotations

import multiprocessing
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


def least_seconds(work: Callable[[], object], rounds: int) -> float:
    """How long the fastest of some calls takes."""
    return min(seconds(work) for _ in range(rounds))


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

    @property
    def growth_mb(self) -> float:
        """The memory that the call needed."""
        return self.peak_rss_mb - self.rss_before_mb


def fastest(rounds: int, *sides: Callable[[], Alone]) -> list[Alone]:
    """The fastest call of each side, timed by turns."""
    turns = [[side() for side in sides] for _ in range(rounds)]
    return [min(runs, key=lambda run: run.seconds) for runs in zip(*turns, strict=True)]


def alone(function: Callable[..., Any], *arguments: Any, **options: Any) -> Alone:
    """Call a module-level function in a new process; its imports count before the clock, its memory from there.

    The function may return a callable: then that is what is timed, and the call itself is the preparation. So may that
    one: then what its result returns is the answer, and no part of the time.

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
    taken, peak = time.perf_counter() - start, _peak() / 1e6
    sender.send((result() if callable(result) else result, taken, before, peak))
    sender.close()


def _peak() -> int:
    """Highest resident memory of this process in bytes; on Linux not that of the process it was forked from."""
    status = Path("/proc/self/status")
    if status.exists():
        high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(high.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def process(words: Sequence[object], folder: Path | None = None) -> Alone:
    """Run a command, what it prints thrown away; its result is its exit status, its memory before it is 0.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    peak = 0.0
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        command = [str(word) for word in words]
        with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=said) as running:
            while running.poll() is None:
                peak = max(peak, _peak_of(running.pid))
                time.sleep(0.01)
        taken = time.perf_counter() - start
        if running.returncode:
            said.seek(0)
            end = said.read()[-2000:].decode(errors="replace")
            raise RuntimeError(f"{words[0]}: exit status {running.returncode}: {end}")
    return Alone(running.returncode, taken, 0.0, peak / 1e6)


def _peak_of(process: int) -> float:
    """Highest resident memory of another process so far in bytes; where the system does not tell, what it has now."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
        return max((int(line.split()[1]) * 1024.0 for line in lines if line.startswith("VmHWM:")), default=0.0)
    except OSError:
        pass
    try:
        return float(psutil.Process(process).memory_info().rss)
    except psutil.Error:
        return 0.0
