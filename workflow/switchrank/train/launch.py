"""Starts the processes of one training run, hands each its task, and sees to it that they end together.

Each rank is ``python -m MODULE`` with a pipe to either side: its task comes as a line of JSON on standard input, what
it has to tell goes as one to standard output. Standard input stays open as long as the parent lives, so that no rank
outlives a parent that was killed. The first rank writes to the parent's standard error; what the others write there is
kept for the case that they fail.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from switchrank.core.digest import PACKAGE
from switchrank.core.errors import EXIT_FAILURE, EXIT_NO_GPU, EXIT_TERMINATED, NoGpuError, UserError
from switchrank.core.job import THREAD_VARIABLES
from switchrank.train.stopping import Stop, stop_signals

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 15.0
"""How long ranks that only say "another one is gone" may wait for that one to have ended."""
_LAST_LINES = 20
_EXIT_LOST = 3
_ENDED_WELL = (0, EXIT_TERMINATED)
_ASKED_TO_END = (-signal.SIGTERM, -signal.SIGUSR1)


class RankLostError(RuntimeError):
    """The other ranks cannot be reached: one of them has ended."""


@dataclass(frozen=True)
class _Started:
    number: int
    process: subprocess.Popen[str]
    errors: IO[str] | None
    """What it wrote to standard error; None of the first, which writes to ours."""

    def told(self) -> dict[str, Any]:
        """What it told before it ended; nothing if it could not."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        told: dict[str, Any] = json.loads(line) if line.endswith("\n") else {}
        return told

    def end(self) -> None:
        """Make sure it has ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def run_ranks(module: str, task: Mapping[str, Any], *, size: int, threads: int) -> dict[str, Any]:
    """Run one training in several processes; returns what the first of them returned.

    Args:
        module: a module that calls :func:`serve_rank` when it is run as a program.
        task: JSON-plain; each rank gets it with its ``rank``, ``size`` and the file to ``meet`` at.
        size: how many processes.
        threads: CPU threads of each.

    Raises:
        UserError: what a rank raised, or that one ended without a word; its last lines go to standard error.
        SystemExit: code 143, after SIGTERM or SIGUSR1.
    """
    with tempfile.TemporaryDirectory(prefix="switchrank-") as folder, ExitStack() as started, stop_signals() as stop:
        ranks = []
        for number in range(size):
            rank = _start(module, number, threads, started)
            started.callback(rank.end)
            ranks.append(rank)
        for rank in ranks:
            _hand_over(rank, {**task, "rank": rank.number, "size": size, "meet": str(Path(folder, "meet"))})
        _wait(ranks, stop)
        result: dict[str, Any] = ranks[0].told()["result"]
        return result


def serve_rank(work: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Be a rank: do the task that :func:`run_ranks` hands over, tell it the result, and end this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    told: dict[str, Any] = {}
    try:
        told, code = {"result": work(task)}, 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except RankLostError as error:
        told, code = {"failed": _last_line(error)}, _EXIT_LOST
    except UserError as error:
        told, code = {"error": [error.file, error.place, error.problem, error.todo, error.listed]}, error.exit_code
    except Exception as error:
        traceback.print_exc()
        told, code = {"failed": _last_line(error)}, EXIT_FAILURE
    print(json.dumps(told), file=answer, flush=True)
    sys.stderr.flush()
    os._exit(code)  # at once, whatever still waits for a process that is gone


def _start(module: str, number: int, threads: int, open_files: ExitStack) -> _Started:
    path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": os.pathsep.join(path)}
    if sys.platform == "linux":
        environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
    errors = open_files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors if number else None,
        env=environment,
        text=True,
        encoding="utf-8",
    )
    return _Started(number, process, errors if number else None)


def _hand_over(rank: _Started, task: Mapping[str, Any]) -> None:
    assert rank.process.stdin is not None
    with suppress(BrokenPipeError):  # it has ended already, which the caller will find
        rank.process.stdin.write(json.dumps(task) + "\n")
        rank.process.stdin.flush()


def _wait(ranks: Sequence[_Started], stop: Stop) -> None:
    """Wait until all have done their task; a signal is passed on.

    Raises:
        UserError, SystemExit: see :func:`run_ranks`.
    """
    passed_on = False
    while True:
        if stop.asked and not passed_on:
            for rank in ranks:
                rank.process.terminate()
            passed_on = True
        codes = [rank.process.poll() for rank in ranks]
        if any(code in _ASKED_TO_END for code in codes):  # before it could have saved anything
            raise SystemExit(EXIT_TERMINATED)
        if any(code not in (None, *_ENDED_WELL) for code in codes):
            raise _reason(_culprit(ranks))
        if None not in codes:
            break
        time.sleep(_POLL_SECONDS)
    if any(codes):
        raise SystemExit(EXIT_TERMINATED)


def _culprit(ranks: Sequence[_Started]) -> _Started:
    """The rank that failed by itself; one that misses another one only if there is no such rank."""
    last = time.monotonic() + _GRACE_SECONDS
    while True:
        failed = [rank for rank in ranks if rank.process.poll() not in (None, *_ENDED_WELL)]
        first = next((rank for rank in failed if rank.process.returncode != _EXIT_LOST), None)
        if first is not None:
            return first
        if len(failed) == len(ranks) or time.monotonic() > last:
            return failed[0]
        time.sleep(_POLL_SECONDS)


def _reason(rank: _Started) -> UserError:
    """Why a rank failed; what it wrote last goes to standard error."""
    told, code = rank.told(), rank.process.returncode
    print(file=sys.stderr)  # the first one's progress bar may stand in this line
    if "error" in told:
        return (NoGpuError if code == EXIT_NO_GPU else UserError)(*told["error"])
    if rank.errors is not None:
        rank.errors.seek(0)
        print("".join(deque(rank.errors, _LAST_LINES)), end="", file=sys.stderr)
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    hint = ", which is what happens when memory runs out" if code == -signal.SIGKILL else ""
    problem = f"process {rank.number + 1} {told.get('failed') or ended + hint}"
    return UserError("train", "", problem, "start it again: it goes on from its last checkpoint")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"failed: {type(error).__name__}: {lines[-1][:200]}"


def _end_with_parent() -> None:
    """Wait for the end of standard input, which is the end of the parent, and end too."""
    while os.read(0, 1):
        pass
    os._exit(EXIT_FAILURE)
