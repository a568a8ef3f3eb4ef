"""Snakemake is asked for the jobs of a run, by a dry run in a process of its own that writes them down as JSON.

Rules are described in ``workflow/rules`` and nowhere else. The dry run takes no lock. It happens in an empty folder,
where nothing is made yet: all jobs are in it, nothing of the user's is touched, and the answer depends on nothing but
the config, its tables and the code, so that it is kept (:mod:`switchrank.core.cache`). Only who wants to know what of a
run would be made again asks in the folder of that run. A start keeps the jobs of its run beside its note in
``.snakemake``: a look at a run that is being made starts nothing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from switchrank.config.plan import Plan
from switchrank.core.atomic import atomic_path
from switchrank.core.cache import cache_folder
from switchrank.core.digest import PACKAGE, file_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.run.last_start import SNAKEMAKE, filled_environment
from switchrank.run.plan.jobs import Graph, read_jobs

SNAKEFILE = PACKAGE.parents[1] / "Snakefile"
OUT, ROOTS = "SWITCHRANK_JOBS", "SWITCHRANK_ROOTS"
"""Environment variables that tell the Snakefile that it is only asked: the file to be written, and the folders in which
the tables of the config are looked for."""
_CORES = 1_000_000
"""So many that no rule's threads are cut."""
_ASKING = ["--dry-run", "--nolock", "--rerun-incomplete", "--quiet", "rules", "progress", "--cores", str(_CORES)]


def job_graph(plan: Plan) -> Graph:
    """All jobs of a run, whether they are done or not.

    Raises:
        UserError: Snakemake is not installed, or cannot tell.
    """
    key = _key(plan)
    kept = cache_folder() / "jobs" / f"{key}.json"
    known = _read(_kept_at_start(plan), key) or _read(kept, key)
    return known or _asked(plan, kept, key)


def graph_to_plan(plan: Plan) -> Graph:
    """The same; of a run that has begun here with what Snakemake would make of it, or make again.

    Raises:
        UserError: see :func:`job_graph`.
    """
    if Path(plan.folder).is_dir():
        try:
            return _asked(plan, None, "", Path.cwd())
        except UserError:
            told = "Snakemake cannot be asked here what it would make again: what is there counts"
            print(f"plan: {told}", file=sys.stderr)
    return job_graph(plan)


def known_graph(plan: Plan) -> Graph | None:
    """The jobs of a run as its last whole start kept them, whatever has changed since; None where none are kept."""
    return _read(_kept_at_start(plan))


def keep_at_start(plan: Plan, jobs: Sequence[dict[str, Any]]) -> None:
    """Keep the jobs of a run that is being started. A run does not end because a disk cannot be written here."""
    _keep(_kept_at_start(plan), _key(plan), [_settled(job) for job in jobs])


def _settled(job: Mapping[str, Any]) -> Mapping[str, Any]:
    """A job without the reason why it was to run, which holds for the folder and the moment alone."""
    return {**job, "again": ""}


def _kept_at_start(plan: Plan) -> Path:
    return Path(SNAKEMAKE, "switchrank", f"{plan.config.run}.jobs.json")


def _keep(file: Path, key: str, jobs: Sequence[Mapping[str, Any]]) -> None:
    try:
        with atomic_path(file) as temporary:
            temporary.write_text(json.dumps({"key": key, "jobs": jobs}), encoding="utf-8")
    except (OSError, UserError):
        return


def _read(file: Path, key: str | None = None) -> Graph | None:
    """What is kept in a file, if it is kept for this key; for any, where none is given."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        return read_jobs(told["jobs"]) if key in (None, told["key"]) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _key(plan: Plan) -> str:
    """The digest of all that decides which jobs a run has."""
    tables = repr(plan.pairs), repr(plan.ablation)
    return value_digest([plan.config.model_dump(mode="json"), *tables, _workflow_digest()])


@cache
def _workflow_digest() -> str:
    """The digest of the rules, of the library, and of the version of Snakemake."""
    files = [SNAKEFILE, *sorted(SNAKEFILE.parent.glob("workflow/rules/**/*.smk")), *sorted(PACKAGE.rglob("*.py"))]
    digests = {str(file.relative_to(SNAKEFILE.parent)): file_digest(file) for file in files if file.is_file()}
    return value_digest([digests, _version()])


def _version() -> str:
    try:
        return metadata.version("snakemake")
    except metadata.PackageNotFoundError:
        return ""


def _asked(plan: Plan, kept: Path | None, key: str, folder: Path | None = None) -> Graph:
    """What Snakemake answers, in a folder or in an empty one, kept in a file if one is named."""
    if importlib.util.find_spec("snakemake") is None or not SNAKEFILE.is_file():
        todo = "install it beside switchrank, in a checkout of the workflow"
        raise UserError("Snakemake", "", "is not there to tell the jobs of a run", todo)
    with tempfile.TemporaryDirectory(prefix="switchrank-") as scratch:
        config, out, empty = (Path(scratch, name) for name in ("config.json", "jobs.json", "empty"))
        empty.mkdir()
        config.write_text(json.dumps(plan.given), encoding="utf-8")
        where = ["--snakefile", str(SNAKEFILE), "--configfile", str(config), "--directory", str(folder or empty)]
        environment = os.environ | filled_environment(plan.given)
        environment |= {OUT: str(out), ROOTS: os.pathsep.join(str(root.absolute()) for root in plan.roots)}
        environment.pop("SNAKEMAKE_PROFILE", None)
        command = [sys.executable, "-m", "snakemake", *where, *_ASKING]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        told = json.loads(out.read_text(encoding="utf-8")) if done.returncode == 0 and out.is_file() else None
    if told is None:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        problem = f"cannot tell the jobs of run {plan.config.run} ({' '.join(said[-1:])})"
        raise UserError("Snakemake", "", problem, "look at what snakemake -n prints")
    if kept is not None:
        told = [_settled(job) for job in told]
        _keep(kept, key, told)
    return read_jobs(told)
