"""What a run was last started with, kept beside its lock in ``.snakemake``: the config as given, cores, when.

Results tell nothing of the jobs that are still to come; with this, a look at a run needs its name alone.
"""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from switchrank.config.load import checked_plan
from switchrank.config.plan import Plan
from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

SNAKEMAKE = ".snakemake"
"""Snakemake's own folder, beside ``results``."""


@dataclass(frozen=True)
class Start:
    """The last start of a run.

    Attributes:
        config: the config as given, environment variables not filled in.
        file: where it was read from.
        root: the folder of the Snakefile, in which pair tables are looked for too; empty where nobody knows.
        cores: cores that its jobs may use at once, or on a cluster how many jobs; 0 where nobody knows.
        gpus: the same of GPUs.
        began: seconds since 1970.
    """

    config: Mapping[str, Any]
    file: str
    root: str
    cores: int
    gpus: int
    began: float


def _record(run: str, folder: str | Path) -> Path:
    return Path(folder) / "switchrank" / f"{run}.json"


def remember_start(
    run: str,
    *,
    config: Mapping[str, Any],
    file: str | Path,
    root: str | Path,
    cores: int | None,
    gpus: int = 1,
    folder: str | Path = SNAKEMAKE,
) -> None:
    """Keep what a run is started with. A disk that takes no note ends no run."""
    start = Start(dict(config), str(file), str(root), cores or 0, gpus, time.time())
    try:
        with atomic_path(_record(run, folder)) as temporary:
            temporary.write_text(json.dumps(asdict(start)), encoding="utf-8")
    except (OSError, UserError):
        return


def last_start(run: str, folder: str | Path = SNAKEMAKE) -> Start | None:
    """The last start of a run; of one that was made elsewhere, what its ``provenance.json`` tells; None if neither."""
    try:
        told = json.loads(_record(run, folder).read_text(encoding="utf-8"))
        start = Start(**told)
        if isinstance(start.config, dict):
            return start
    except (OSError, ValueError, TypeError):
        pass
    path = Path("results", run, "provenance.json")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))["config"]
        return Start(config, f"config/{run}.yaml", "", 0, 1, path.stat().st_mtime) if isinstance(config, dict) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def filled_environment(config: Mapping[str, Any]) -> dict[str, str]:
    """The environment; a variable of the config that is not set is its name without braces: templates fill those."""
    names = re.findall(r"\$\{(\w+)\}", json.dumps(config))
    return {name: f"${name}" for name in names} | {name: value for name, value in os.environ.items() if value}


def started_plan(run: str, folder: str | Path = SNAKEMAKE, roots: Sequence[Path] = ()) -> tuple[Plan, Start] | None:
    """The plan of a run as it was last started; None where nobody knows.

    Pair tables are looked for in this folder, in those that the start tells, and in ``roots``.

    Raises:
        UserError: its config can no longer be read.
    """
    start = last_start(run, folder)
    if start is None:
        return None
    told = [Path(start.root)] if start.root else []
    places = [Path.cwd(), *told, Path(start.file).absolute().parent.parent, *roots]
    return checked_plan(dict(start.config), start.file, filled_environment(start.config), places), start
