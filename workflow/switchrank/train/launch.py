"""Starts the processes of one training run, hands each its task, and sees to it that they end together.

Each is ``python -m MODULE`` with a pipe to either side: its task comes as a line of JSON on standard input, its answer
goes as one to standard output. Standard input stays open as long as the parent lives, so that no process outlives a
parent that was killed. The first process writes to the parent's standard error; what the others write there is kept for
the case that they fail.
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
"""How long processes that only say "another one is gone" may wait for that one to have ended."""
_LAST_LINES = 20
_EXIT_LOST = 3
_ENDED_WELL = (0, EXIT_TERMINATED)
_ASKED_TO_END = (-signal.SIGTERM, -signal.SIGUSR1)


class ProcessLostError(RuntimeError):
    """The other processes cannot be reached: one of them has ended."""


@dataclass(frozen=True)
class _Started:
    rank: int
    process: subprocess.Popen[str]
    errors: IO[str] | None
    """What it wrote to standard error; None of the first, which writes to ours."""

    def answer(self) -> dict[str, Any]:
        """What it answered before it ended; nothing if it could not."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith("\n") else {}
        return answer

    def end(self) -> None:
        """Make sure it has ended."""
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def run_processes(module: str, task: Mapping[str, Any], *, count: int, threads: int) -> dict[str, Any]:
    """Run one training in several processes; returns what the first of them returned.

    Args:
        module: a module that calls :func:`serve_process` when it is run as a program.
        task: JSON-plain; each process gets it with its ``rank``, their ``count`` and the file for their ``meeting``.
        count: how many processes.
        threads: CPU threads of each.

    Raises:
        UserError: what a process raised, or that one ended without a word; its last lines go to standard error.
        SystemExit: code 143, after SIGTERM or SIGUSR1.
    """
    with tempfile.TemporaryDirectory(prefix="switchrank-") as folder, ExitStack() as started, stop_signals() as stop:
        processes = []
        for rank in range(count):
            process = _start(module, rank, threads, started)
            started.callback(process.end)
            processes.append(process)
        for process in processes:
            meeting = str(Path(folder, "meeting"))
            _hand_over(process, {**task, "rank": process.rank, "count": count, "meeting": meeting})
        _wait(processes, stop)
        result: dict[str, Any] = processes[0].answer()["result"]
        return result


def serve_process(work: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Do the task that :func:`run_processes` hands over, answer it with the result, and end this process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent too, which ends us
    pipe = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    task = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    answer: dict[str, Any] = {}
    try:
        answer, code = {"result": work(task)}, 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except ProcessLostError as error:
        answer, code = {"failed": _last_line(error)}, _EXIT_LOST
    except UserError as error:
        answer, code = {"error": [error.file, error.place, error.problem, error.todo, error.listed]}, error.exit_code
    except Exception as error:
        traceback.print_exc()
        answer, code = {"failed": _last_line(error)}, EXIT_FAILURE
    print(json.dumps(answer), file=pipe, flush=True)
    sys.stderr.flush()
    os._exit(code)  # at once, whatever still waits for a process that is gone


def _start(module: str, rank: int, threads: int, open_files: ExitStack) -> _Started:
    path = [str(PACKAGE.parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | dict.fromkeys(THREAD_VARIABLES, str(threads)) | {"PYTHONPATH": os.pathsep.join(path)}
    if sys.platform == "linux":
        environment.setdefault("GLOO_SOCKET_IFNAME", "lo")
    errors = open_files.enter_context(tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace"))  # noqa: SIM115
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=errors if rank else None,
        env=environment,
        text=True,
        encoding="utf-8",
    )
    return _Started(rank, process, errors if rank else None)


def _hand_over(started: _Started, task: Mapping[str, Any]) -> None:
    pipe = started.process.stdin
    assert pipe is not None
    with suppress(BrokenPipeError):  # it has ended already, which the caller will find
        pipe.write(json.dumps(task) + "\n")
        pipe.flush()


def _wait(processes: Sequence[_Started], stop: Stop) -> None:
    """Wait until all have done their task; a signal is passed on.

    Raises:
        UserError, SystemExit: see :func:`run_processes`.
    """
    passed_on = False
    while True:
        if stop.asked and not passed_on:
            for started in processes:
                started.process.terminate()
            passed_on = True
        codes = [started.process.poll() for started in processes]
        if any(code in _ASKED_TO_END for code in codes):  # before it could have saved anything
            raise SystemExit(EXIT_TERMINATED)
        if any(code not in (None, *_ENDED_WELL) for code in codes):
            raise _reason(_culprit(processes))
        if None not in codes:
            break
        time.sleep(_POLL_SECONDS)
    if any(codes):
        raise SystemExit(EXIT_TERMINATED)


def _culprit(processes: Sequence[_Started]) -> _Started:
    """The process that failed by itself; one that misses another one only if there is none."""
    last = time.monotonic() + _GRACE_SECONDS
    while True:
        failed = [started for started in processes if started.process.poll() not in (None, *_ENDED_WELL)]
        first = next((started for started in failed if started.process.returncode != _EXIT_LOST), None)
        if first is not None:
            return first
        if len(failed) == len(processes) or time.monotonic() > last:
            return failed[0]
        time.sleep(_POLL_SECONDS)


def _reason(failed: _Started) -> UserError:
    """Why a process failed; what it wrote last goes to standard error."""
    answer, code = failed.answer(), failed.process.returncode
    print(file=sys.stderr)  # the first one's progress bar may stand in this line
    if "error" in answer:
        return (NoGpuError if code == EXIT_NO_GPU else UserError)(*answer["error"])
    if failed.errors is not None:
        failed.errors.seek(0)
        print("".join(deque(failed.errors, _LAST_LINES)), end="", file=sys.stderr)
    ended = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    hint = ", which is what happens when memory runs out" if code == -signal.SIGKILL else ""
    problem = f"process {failed.rank + 1} {answer.get('failed') or ended + hint}"
    return UserError("train", "", problem, "start it again: it goes on from its last checkpoint")


def _last_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"failed: {type(error).__name__}: {lines[-1][:200]}"


def _end_with_parent() -> None:
    """Wait for the end of standard input, which is the end of the parent, and end too."""
    while os.read(0, 1):
        pass
    os._exit(EXIT_FAILURE)
