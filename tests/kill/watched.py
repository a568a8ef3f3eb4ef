"""A Snakemake whose jobs are watched while it runs, and that is ended together with everything it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import psutil

from tests.conftest import ROOT, Workflow

LOOK = 0.01
"""Seconds between two looks at what Snakemake printed."""
GRACE = 60
"""Seconds between asking a run to end and killing it, as a scheduler does."""
LONGEST = 1200
"""Seconds after which a run is given up."""
_BLOCK = re.compile(r"^(?:local)?rule (?P<rule>\w+):$")
_LOG = re.compile(r"^    log: (?P<log>results/\S+)")
_JOB = re.compile(r"^    jobid: (?P<id>\d+)$")
_DONE = re.compile(r"^Finished jobid: (?P<id>\d+) ")


@dataclass(frozen=True)
class Job:
    """A job, known by its log file, which is its own."""

    rule: str
    log: str

    @property
    def name(self) -> str:
        """Stage and log file, as short as can be."""
        return self.log.split("/", 3)[3].removesuffix(".log")

    @property
    def stage(self) -> str:
        """The stage that its log file is filed under."""
        folder, name = Path(self.log).parent.name, Path(self.log).stem
        return {"world": "sources", "provenance": "report"}[name] if folder == "logs" else folder


@dataclass
class Ran:
    """When a job began and ended, in seconds of the monotonic clock as the watcher saw it."""

    began: float
    ended: float | None = None


@dataclass
class Attempt:
    """What one start of Snakemake did.

    Attributes:
        jobs: the jobs that were begun, in order.
        code: the exit status of Snakemake, negative where a signal ended it.
    """

    jobs: dict[Job, Ran] = field(default_factory=dict)
    code: int | None = None

    @property
    def done(self) -> set[Job]:
        """The jobs that came to their end."""
        return {job for job, ran in self.jobs.items() if ran.ended is not None}

    @property
    def hit(self) -> set[Job]:
        """The jobs that were running when it ended."""
        return self.jobs.keys() - self.done


class Watched:
    """A Snakemake that leads a process group, and the jobs it tells of in what it prints."""

    def __init__(self, process: subprocess.Popen[bytes], printed: TextIO) -> None:
        self.process, self.attempt = process, Attempt()
        self._printed = printed
        self._half, self._rule, self._log = "", "", ""
        self._numbers: dict[str, Job] = {}

    def look(self) -> bool:
        """Read what was printed since the last look; whether Snakemake still runs."""
        alive = self.process.poll() is None
        text = self._half + self._printed.read()
        *lines, self._half = text.split("\n")
        for line in lines:
            self._read(line)
        return alive

    def _read(self, line: str) -> None:
        now = time.monotonic()
        if found := _BLOCK.match(line):
            self._rule, self._log = found["rule"], ""
        elif found := _LOG.match(line):
            self._log = found["log"]
        elif (found := _JOB.match(line)) and self._log:
            job, self._log = Job(self._rule, self._log), ""
            self._numbers[found["id"]] = job
            self.attempt.jobs[job] = Ran(now)
        elif (found := _DONE.match(line)) and found["id"] in self._numbers:
            self.attempt.jobs[self._numbers[found["id"]]].ended = now

    def wait(self) -> Attempt:
        """Let it run to its end."""
        deadline = time.monotonic() + LONGEST
        while self.look():
            assert time.monotonic() < deadline, "the run does not end"
            time.sleep(LOOK)
        return self._over()

    def end(self, number: signal.Signals = signal.SIGKILL) -> Attempt:
        """Send a signal to the whole process tree, and wait until Snakemake has ended; at last it is killed."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)
        deadline = time.monotonic() + GRACE
        while self.look() and time.monotonic() < deadline:
            time.sleep(LOOK)
        self.close()
        return self._over()

    def _over(self) -> Attempt:
        self.attempt.code = self.process.wait()
        self.look()
        return self.attempt

    def close(self) -> None:
        """Leave nothing running; a process that was killed may still hold its locks for a moment."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        deadline = time.monotonic() + GRACE
        while left := self._running():
            assert time.monotonic() < deadline, f"processes outlive their run: {left}"
            time.sleep(LOOK)

    def _running(self) -> list[int]:
        """Processes of the session that Snakemake leads; one that is dead and has not been waited for is none."""
        left = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if os.getsid(process.pid) == self.process.pid and process.status() != psutil.STATUS_ZOMBIE:
                    left.append(process.pid)
        return left


@contextmanager
def started(workflow: Workflow, printed: Path, *words: str, **environment: str) -> Iterator[Watched]:
    """Snakemake at work; in the end nothing of it is left running."""
    with printed.open("wb") as stream, printed.open("r", encoding="utf-8", errors="replace") as lines:
        process = subprocess.Popen(
            workflow.command(*words),
            cwd=ROOT,
            start_new_session=True,
            stdout=stream,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
        )
        watched = Watched(process, lines)
        try:
            yield watched
        finally:
            watched.close()
