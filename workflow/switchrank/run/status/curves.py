"""The last values of loss curves: of finished models from ``train.json``, of running ones from their checkpoints."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.run.plan.jobs import Job


@dataclass(frozen=True)
class Curve:
    """The last values: step, training loss, development MRR@10; ``steps`` is where it ends."""

    step: int
    steps: int | None
    loss: float | None
    dev: float | None


def last_values(job: Job) -> Curve | None:
    """The last values of a training job; None where nothing is written yet, or it trains nothing."""
    record = next((Path(output) for output in job.outputs if output.endswith("/train.json")), None)
    if record is None:
        return None
    told = _read(record)
    if told is not None:
        steps = told.get("params", {}).get("steps")
        return _curve(told, steps, steps)
    folder = record.parent
    states = sorted(folder.parent.glob(f".work-{folder.name}/*/step-*/state.json"), key=lambda path: path.parent.name)
    state = _read(states[-1]) if states else None
    return _curve(state.get("history", {}), state.get("step"), None) if state else None


def _read(path: Path) -> dict[str, Any] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def _curve(told: dict[str, Any], step: Any, steps: Any) -> Curve | None:
    """A curve from what a record or a checkpoint says; None where that is not what we write."""
    try:
        losses, devs = told.get("loss") or [], told.get("dev") or []
        loss = float(losses[-1][1]) if losses else None
        dev = float(devs[-1]["mrr@10"]) if devs else None
        return Curve(int(step), int(steps) if steps else None, loss, dev)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
