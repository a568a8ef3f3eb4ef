"""What the log of a job tells while it runs: the last line of progress, a loss, how it ended."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.errors import EXIT_USER
from switchrank.core.job import FAILED

TAIL = 8192
"""Bytes of the end of a log that are looked at."""
_BAR = re.compile(r"^(?P<what>[^\r\n:]+): +(?P<percent>\d+)%\|.*?\| *(?P<counts>\S+) \[(?P<rest>[^\]]*)\]")
_LEFT = re.compile(r"<((?:\d+:)?\d+:\d+)")
_LOSS = re.compile(r"\bloss=([-+.\deE]+)")


@dataclass(frozen=True)
class Tail:
    """The end of a log.

    Attributes:
        line: the last line that is not empty.
        progress: the last line of a progress bar, shortened; empty where there is none.
        seconds_left: what it says is left of that step; None where it does not.
        loss: the training loss in it.
        failed: whether the job ended with an error.
        refused: what it said of a mistake in what it was given, which it will say again; empty where it said nothing.
        written: when the log was last written, seconds since 1970.
    """

    line: str = ""
    progress: str = ""
    seconds_left: float | None = None
    loss: float | None = None
    failed: bool = False
    refused: str = ""
    written: float = 0.0


def read_tail(path: str | Path) -> Tail | None:
    """The end of a log; None where there is no log."""
    try:
        with Path(path).open("rb") as stream:
            size = stream.seek(0, 2)
            stream.seek(max(0, size - TAIL))
            text = stream.read().decode("utf-8", errors="replace")
        written = Path(path).stat().st_mtime
    except OSError:
        return None
    lines = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    bar = next((found for line in reversed(lines) if (found := _BAR.match(line))), None)
    last = lines[-1] if lines else ""
    refused = lines[-2] if last == f"{FAILED} {EXIT_USER}" and len(lines) > 1 else ""
    if bar is None:
        return Tail(line=last, failed=last.startswith(FAILED), refused=refused, written=written)
    left, loss = _LEFT.search(bar["rest"]), _LOSS.search(bar["rest"])
    return Tail(
        line=last,
        progress=f"{bar['what']} {bar['percent']}% {bar['counts']} [{bar['rest']}]",
        seconds_left=_seconds(left[1]) if left else None,
        loss=_number(loss[1]) if loss else None,
        failed=last.startswith(FAILED),
        refused=refused,
        written=written,
    )


def _seconds(clock: str) -> float:
    """Seconds of ``mm:ss`` or ``h:mm:ss``."""
    total = 0.0
    for part in clock.split(":"):
        total = 60 * total + int(part)
    return total


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
