"""The picture of training: loss and development MRR of every model by step."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.ticker import LogLocator

from switchrank.core.errors import UserError
from switchrank.report.drawing import drawn, legend, mark, system_looks

POINTS = 4000
"""Points of all curves together: longer ones are averaged over stretches, so that the SVG stays small."""


def loss_picture(*, runs: Sequence[Mapping[str, Any]], out: str | Path, baseline: str = "zero-shot") -> None:
    """Write an SVG of two panels by training step: mean training loss, and MRR@10 on the development set.

    Args:
        runs: a train.json; repeat for more models. Those of one system share a colour.
        out: the SVG. The ring marks the step whose weights were kept.
        baseline: drawn in black.

    Raises:
        UserError: no runs, or a file that is missing or records no loss.
    """
    if not runs:
        raise UserError("report", "runs", "no training records", "train a model first")
    records = [(str(run["system"]), _read(run["path"])) for run in runs]
    looks = system_looks(list(dict.fromkeys(system for system, _ in records)), baseline)
    most = max(20, POINTS // len(records))
    judged = any(record["dev"] for _, record in records)
    title = "Training loss and development MRR@10 by step"
    with drawn(out, title, 7.4 if judged else 4.2, 3.2) as picture:
        axes = picture.subplots(1, 1 + judged, squeeze=False)[0]
        panels = {"Training loss": "loss (binary cross-entropy)", "Development set": "MRR@10"}
        for axis, (name, what) in zip(axes, panels.items(), strict=False):
            axis.set_title(name)
            axis.set_xlabel("step")
            axis.set_ylabel(what)
            axis.grid()
        axes[0].set_yscale("log")
        axes[0].yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes[0].yaxis.set_major_formatter("{x:g}")
        axes[0].yaxis.set_minor_formatter("")
        for system, record in records:
            curve = record["loss"]
            if len(curve) > most:
                parts = np.array_split(curve, most)
                curve = np.array([(part[-1, 0], part[:, 1].mean()) for part in parts])
            steps, losses = curve[:, 0], np.round(curve[:, 1], 6)
            axes[0].plot(steps, losses, color=looks[system]["color"], linewidth=1.1, alpha=0.8)
        if judged:
            for system, record in records:
                look, dev = looks[system], record["dev"]
                if dev:
                    axes[1].plot(*zip(*dev, strict=True), **look, markersize=3.2, linewidth=1.1, alpha=0.8)
                ring = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "markeredgecolor": look["color"]}
                for step, score in dev:
                    if step == record["kept"]:
                        axes[1].plot([step], [score], **ring)
        legend(picture, [mark(name, **look, markersize=4) for name, look in looks.items()], 5)


def _read(path: str | Path) -> dict[str, Any]:
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
        loss = np.array(record["loss"], dtype=np.float64).reshape(-1, 2)
        dev = [(row["step"], row["mrr@10"]) for row in record.get("dev", [])]
    except OSError as error:
        raise UserError(path, "", "cannot be read", "train the model first, or correct the path") from error
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(path, "loss", "no training record", "give the train.json of a trained model") from error
    return {"loss": loss, "dev": dev, "kept": record.get("kept")}
