"""What a job says of itself while it runs: the end of its log, and the last values of a model's loss curve."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.core.errors import EXIT_USER
from switchrank.core.job import FAILED
from switchrank.run.notes import read_note
from switchrank.run.plan.jobs import Job

TAIL = 8192
"""Bytes of the end of a log that are looked at."""
_BAR = re.compile(r"^(?P<what>[^\r\n:]+): +(?P<percent>\d+)%\|.*?\| *(?P<counts>\S+) \[(?P<rest>[^\]]*)\]")
_LEFT = re.compile(r"<(?:(\d+):)?(\d+):(\d+)")
_LOSS = re.compile(r"\bloss=([-+]?\d*\.?\d+(?:[eE][-+]?\d+)?)")


@dataclass(frozen=True)
class Tail:
    """The end of a log.

    Attributes:
        line: the last line that is not empty.
        written: when the log was last written, seconds since 1970.
        failed: whether the job ended with an error.
        refused: its message about wrong input, which it will repeat when run again; empty if there is none.
        progress: the last line of a progress bar, shortened; empty where there is none.
        seconds_left: the time left of that step, if the bar shows it.
        loss: the training loss in it.
    """

    line: str
    written: float
    failed: bool
    refused: str
    progress: str = ""
    seconds_left: float | None = None
    loss: float | None = None


@dataclass(frozen=True)
class Curve:
    """The last values: step, training loss, development MRR@10; ``steps`` is where it ends."""

    step: int
    steps: int | None
    loss: float | None
    dev: float | None


def read_tail(path: str | Path) -> Tail | None:
    """The end of a log; None where there is no log."""
    try:
        with Path(path).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - TAIL))
            text = stream.read().decode("utf-8", errors="replace")
        written = Path(path).stat().st_mtime
    except OSError:
        return None
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    last = lines[-1] if lines else ""
    refused = lines[-2] if last == f"{FAILED} {EXIT_USER}" and len(lines) > 1 else ""
    told: dict[str, Any] = {}
    if bar := next((found for line in reversed(lines) if (found := _BAR.match(line))), None):
        told["progress"] = f"{bar['what']} {bar['percent']}% {bar['counts']} [{bar['rest']}]"
        if left := _LEFT.search(bar["rest"]):
            hours, minutes, seconds = (float(part or 0) for part in left.groups())
            told["seconds_left"] = 3600 * hours + 60 * minutes + seconds
        if loss := _LOSS.search(bar["rest"]):
            told["loss"] = float(loss[1])
    return Tail(last, written, last.startswith(FAILED), refused, **told)


def last_values(job: Job) -> Curve | None:
    """The last values of a training job, from ``train.json`` or its last checkpoint; None where nothing is written."""
    record = next((Path(output) for output in job.outputs if output.endswith("/train.json")), None)
    if record is None:
        return None
    history = read_note(record)
    folder = record.parent
    states = sorted(folder.parent.glob(f".work-{folder.name}/*/step-*/state.json"), key=lambda path: path.parent.name)
    try:
        if history:
            step = steps = history.get("params", {}).get("steps")
        else:
            state = read_note(states[-1])
            history, step, steps = state.get("history", {}), state["step"], None
        losses, devs = history.get("loss") or [], history.get("dev") or []
        loss = float(losses[-1][1]) if losses else None
        dev = float(devs[-1]["mrr@10"]) if devs else None
        return Curve(int(step), int(steps) if steps else None, loss, dev)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):  # not what we write, or nothing
        return None
