"""Starts the processes of one training run, makes them end together, and lets a signal ask a run to stop.

Each process has a pipe to either side: its task comes on standard input, its answer goes to standard output. Standard
input stays open as long as the parent lives, so that no process outlives a parent that was killed. The first process
writes to the parent's standard error; what the others write there is kept for the case that they fail.
"""

import math
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO, Any, TypeVar

from switchrank.core.digest import PACKAGE
from switchrank.core.errors import EXIT_FAILURE, EXIT_TERMINATED, UserError
from switchrank.core.job import THREAD_VARIABLES

T = TypeVar("T")
_SERVE = "from switchrank.train.launch import serve_process; serve_process()"
_POLL_SECONDS = 0.05
_GRACE_SECONDS = 15.0
"""How long processes that only say "another one is gone" may wait for that one to have ended."""
_LAST_LINES = 20
_EXIT_LOST = 3
_ENDED_WELL = (0, EXIT_TERMINATED)
_ASKED_TO_END = (-signal.SIGTERM, -signal.SIGUSR1)


@dataclass
class Stop:
    """Whether a signal has asked to stop."""

    asked: bool = False


@contextmanager
def stop_signals() -> Iterator[Stop]:
    """SIGTERM and SIGUSR1 (what Slurm can send before a time limit) only set a flag inside the block."""
    stop = Stop()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.asked = True

    main = threading.current_thread() is threading.main_thread()
    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGUSR1) if main}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class ProcessLostError(RuntimeError):
    """The other processes cannot be reached: one of them has ended."""


@dataclass(frozen=True)
class Place:
    """Which process of a run this is (``rank``, from 0), of how many, and the file that they find each other by."""

    rank: int
    count: int
    meeting: str


class _Process:
    def __init__(self, rank: int, threads: int, open_files: ExitStack) -> None:
        path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": os.pathsep.join(path)}
        if sys.platform == "linux":
            environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
        self.rank = rank
        errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self.errors: IO[str] = open_files.enter_context(errors)
        self.started = subprocess.Popen(
            [sys.executable, "-P", "-c", _SERVE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors if rank else None,
            env=environment,
        )
        open_files.callback(self._end)

    # Pickles are safe here: they go through pipes that only this process and the one it started hold.
    def hand_over(self, *task: Any) -> None:
        """Give it its task, unless it has ended already, which :func:`_wait` will find."""
        assert self.started.stdin is not None
        with suppress(BrokenPipeError):
            pickle.dump(task, self.started.stdin)
            self.started.stdin.flush()

    def answer(self) -> Any:
        """What it answered before it ended; None if it could not."""
        assert self.started.stdout is not None
        with suppress(EOFError, pickle.UnpicklingError):
            return pickle.load(self.started.stdout)
        return None

    def _end(self) -> None:
        with suppress(BrokenPipeError), self.started:
            self.started.kill()


def run_processes(work: Callable[[T, Place], dict[str, Any]], task: T, *, count: int, threads: int) -> dict[str, Any]:
    """Run one training in several processes of ``threads`` CPU threads; returns what ``work`` returned in the first.

    Every process can import ``work`` and calls it with the task, which can be pickled, and its place. Raises what
    a process raised, UserError if one ended without a word (its last lines go to standard error), and SystemExit with
    code 143 after SIGTERM or SIGUSR1.
    """
    with tempfile.TemporaryDirectory(prefix="switchrank-") as folder, ExitStack() as started, stop_signals() as stop:
        processes = [_Process(rank, threads, started) for rank in range(count)]
        for process in processes:
            process.hand_over(work, task, Place(process.rank, count, str(Path(folder, "meeting"))))
        _wait(processes, stop)
        result: dict[str, Any] = processes[0].answer()
        return result


def serve_process() -> None:
    """Do the task that :func:`run_processes` hands over, answer it with the result, and end this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    work, task, place = pickle.load(sys.stdin.buffer)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer: Any = None
    try:
        answer, code = work(task, place), 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except UserError as error:
        answer, code = error, error.exit_code
    except Exception as error:
        code = _EXIT_LOST if isinstance(error, ProcessLostError) else EXIT_FAILURE
        if code == EXIT_FAILURE:
            traceback.print_exc()
        lines = str(error).strip().splitlines() or [""]
        answer = f"failed: {type(error).__name__}: {lines[-1][:200]}"
    pickle.dump(answer, pipe)
    pipe.flush()
    sys.stderr.flush()
    os._exit(code)  # at once, whatever still waits for a process that is gone


def _wait(processes: Sequence[_Process], stop: Stop) -> None:
    """Wait until all are done, or raise what :func:`run_processes` raises; a signal is passed on."""
    passed_on, last = False, math.inf
    while True:
        if stop.asked and not passed_on:
            for process in processes:
                process.started.terminate()
            passed_on = True
        codes = [process.started.poll() for process in processes]
        if any(code in _ASKED_TO_END for code in codes):  # before it could have saved anything
            raise SystemExit(EXIT_TERMINATED)
        failed = [process for process in processes if process.started.returncode not in (None, *_ENDED_WELL)]
        if failed:  # one that failed on its own is to blame, not those that only lost contact with it
            last = min(last, time.monotonic() + _GRACE_SECONDS)
            culprit = min(failed, key=lambda process: process.started.returncode == _EXIT_LOST)
            if culprit.started.returncode != _EXIT_LOST or None not in codes or time.monotonic() > last:
                raise _reason(culprit)
        elif None not in codes:
            break
        time.sleep(_POLL_SECONDS)
    if any(codes):
        raise SystemExit(EXIT_TERMINATED)


def _reason(failed: _Process) -> UserError:
    """Why a process failed; what it wrote last goes to standard error."""
    answer, code = failed.answer(), failed.started.returncode
    print(file=sys.stderr)  # the first one's progress bar may stand in this line
    if isinstance(answer, UserError):
        return answer
    failed.errors.seek(0)
    print("".join(deque(failed.errors, _LAST_LINES)), end="", file=sys.stderr)
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    hint = ", which is what happens when memory runs out" if code == -signal.SIGKILL else ""
    problem = f"process {failed.rank + 1} {answer or ended + hint}"
    return UserError("train", "", problem, "start it again: it goes on from its last checkpoint")


def _end_with_parent() -> None:
    """End when standard input ends, which is when the parent does."""
    while os.read(0, 1):
        pass
    os._exit(EXIT_FAILURE)
