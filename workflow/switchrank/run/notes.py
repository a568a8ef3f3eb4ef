"""Notes about a run, in ``.snakemake`` and beside its results; no run fails because of one.

With the note of what a run was last started with, its name is enough to look at it, and at the jobs still to come.
"""

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from switchrank.config.load import checked_plan
from switchrank.config.plan import Plan
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


@dataclass(frozen=True)
class Start:
    """The last start of a run.

    Attributes:
        config, file: the config as given, environment variables not filled in, and where it was read from.
        root: the folder of the Snakefile, which may hold pair tables too; empty if unknown.
        cores, gpus: how many its jobs may use at once, or on a cluster how many jobs; 0 if unknown.
        began: seconds since 1970.
    """

    config: Mapping[str, Any]
    file: str
    root: str = ""
    cores: int = 0
    gpus: int = 1
    began: float = field(default_factory=time.time)


def remember_start(run: str, start: Start, folder: str | Path = SNAKEMAKE) -> None:
    """Keep what a run is started with, if it can be written."""
    write_note(note_of(run, folder=folder), asdict(start))


def last_start(run: str, folder: str | Path = SNAKEMAKE) -> Start | None:
    """The last start of a run, or for one made elsewhere what its ``provenance.json`` says; None if unknown."""
    try:
        start = Start(**read_note(note_of(run, folder=folder)))
        if isinstance(start.config, dict):
            return start
    except TypeError:
        pass
    path = Path("results", run, "provenance.json")
    config = read_note(path).get("config")
    return Start(config, f"config/{run}.yaml", began=path.stat().st_mtime) if isinstance(config, dict) else None


def filled_environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment; an unset variable of the config is its name without braces, which are for templates."""
    names = re.findall(r"\$\{(\w+)\}", json.dumps(config))
    return {name: f"${name}" for name in names} | {name: value for name, value in os.environ.items() if value}


def started_plan(run: str, folder: str | Path = SNAKEMAKE, roots: Sequence[Path] = ()) -> tuple[Plan, Start] | None:
    """The plan of a run as it was last started; None if unknown, UserError if its config can no longer be read.

    Pair tables are looked for in this folder, in those that the start names, and in ``roots``.
    """
    start = last_start(run, folder)
    if start is None:
        return None
    named = [Path(start.root)] if start.root else []
    places = [Path.cwd(), *named, Path(start.file).absolute().parent.parent, *roots]
    return checked_plan(dict(start.config), start.file, filled_environment(start.config), places), start
