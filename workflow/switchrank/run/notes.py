"""Small JSON files about a run, in ``.snakemake`` and beside its results: none of them is worth failing for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

SNAKEMAKE = ".snakemake"
"""Snakemake's own folder, beside ``results``."""


def note_of(run: str, kind: str = "json", folder: str | Path = SNAKEMAKE) -> Path:
    """Where a note about a run is kept."""
    return Path(folder, "switchrank", f"{run}.{kind}")


def write_note(path: Path, value: Any) -> None:
    """Write a note; where nothing can be written there is none, and the run goes on."""
    try:
        with atomic_path(path) as temporary:
            temporary.write_text(json.dumps(value), encoding="utf-8")
    except (OSError, UserError):
        return


def read_note(path: str | Path) -> dict[str, Any]:
    """The JSON object in a file; an empty one if the file is missing, unreadable or holds anything else."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
