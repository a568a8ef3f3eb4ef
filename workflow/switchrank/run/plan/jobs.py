"""The jobs of a run as Snakemake has them: what each reads and writes, what it asks for, and which others it needs.

A dry run in a process of its own writes the jobs down as JSON. It takes no lock, and happens in an empty folder, so
that it lists all jobs and touches nothing of the user's. Its answer depends only on the config, its tables and the
code, so it is kept (:mod:`switchrank.core.cache`); a start keeps its jobs in ``.snakemake``. Only to learn what would
run again is Snakemake asked in the folder of the run.
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from switchrank.config.plan import Plan
from switchrank.core.cache import cache_folder
from switchrank.core.digest import PACKAGE, file_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.run.notes import filled_environment, note_of, read_note, write_note

STAGES = ("sources", "embeddings", "lexicon", "corpus", "train", "rank", "evaluate", "ablation", "report")
SNAKEFILE = PACKAGE.parents[1] / "Snakefile"
OUT, ROOTS = "SWITCHRANK_JOBS", "SWITCHRANK_ROOTS"
"""Environment variables of such a dry run: the file to write, and the folders to look for the config's tables in."""
_CORES = 1_000_000
"""So many that no rule's threads are cut."""
_SETTLED = {"again": ""}
"""Jobs are kept without the reason to run them, which is true only of one folder at one moment."""
_OPTIONS = ["--dry-run", "--nolock", "--rerun-incomplete", "--quiet", "rules", "progress", "--cores", str(_CORES)]


@dataclass(frozen=True, eq=False)
class Job:
    """One job.

    Attributes:
        rule, wildcards: as Snakemake names them.
        kind: the name of the script that it runs, such as ``train``; jobs of one kind cost alike.
        inputs, outputs: files, relative to the folder of the run's ``results``.
        log, benchmark: files of what happened and, except for small jobs, of what it took.
        threads, gpus, processes: what it asks for at once, and how many processes share its work.
        again: why it will run; empty if it will not or if that was not asked.
    """

    rule: str
    kind: str
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    log: str = ""
    benchmark: str | None = None
    wildcards: Mapping[str, str] = field(default_factory=dict)
    threads: int = 1
    gpus: int = 0
    processes: int = 1
    again: str = ""

    @property
    def stage(self) -> str:
        """One of :data:`STAGES`: the folder that its log lies in."""
        return {"world": "sources", "provenance": "report"}.get(self.name) or self.name.split("/", 1)[0]

    @property
    def name(self) -> str:
        """A short name, unique in a run: stage and log file."""
        return "/".join(Path(self.log).with_suffix("").parts[3:])

    @property
    def is_done(self) -> bool:
        """Whether all its outputs are there."""
        return all(Path(output).exists() for output in self.outputs)


class Graph:
    """The jobs of a run, those first that others need; by stage and name where that leaves a choice."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        given = sorted(jobs, key=lambda job: (STAGES.index(job.stage) if job.stage in STAGES else 0, job.name))
        self.maker = {output: job for job in given for output in job.outputs}
        self.jobs = self.behind(given)

    def needs(self, job: Job) -> Iterator[Job]:
        """The jobs whose outputs a job reads, once each."""
        return iter(dict.fromkeys(self.maker[file] for file in job.inputs if file in self.maker))

    def behind(self, jobs: Iterable[Job]) -> list[Job]:
        """These jobs and all that they need, however far back, those first that others need."""
        placed: dict[Job, None] = {}
        stack = list(jobs)[::-1]
        while stack:
            job = stack[-1]
            missing = [need for need in self.needs(job) if need not in placed]
            if missing and job not in placed:
                stack += reversed(missing)
            else:
                placed.setdefault(stack.pop())
        return list(placed)


def read_jobs(told: Iterable[Mapping[str, Any]]) -> Graph:
    """The graph of jobs as ``workflow/rules/common/jobs.smk`` writes them; TypeError or KeyError for other values."""
    return Graph(Job(**{one.name: job[one.name] for one in fields(Job)}) for job in told)


def job_graph(plan: Plan) -> Graph:
    """All jobs of a run, done or not; UserError where Snakemake is not installed or its dry run fails."""
    key = _key(plan)
    kept = cache_folder() / "jobs" / f"{key}.json"
    known = _read(note_of(plan.config.run, "jobs.json"), key) or _read(kept, key)
    if known:
        return known
    jobs = [job | _SETTLED for job in _dry_run(plan)]
    write_note(kept, {"key": key, "jobs": jobs})
    return read_jobs(jobs)


def graph_to_plan(plan: Plan) -> Graph:
    """As :func:`job_graph`; if the run has begun here, with what Snakemake would make or make again."""
    if Path(plan.folder).is_dir():
        try:
            return read_jobs(_dry_run(plan, Path.cwd()))
        except UserError:
            told = "Snakemake cannot be asked here what it would make again: what is there counts"
            print(f"plan: {told}", file=sys.stderr)
    return job_graph(plan)


def known_graph(plan: Plan) -> Graph | None:
    """The jobs of a run as its last whole start kept them, whatever has changed since; None where none are kept."""
    return _read(note_of(plan.config.run, "jobs.json"))


def keep_at_start(plan: Plan, jobs: Sequence[dict[str, Any]]) -> None:
    """Keep the jobs of a run that is being started, if they can be written."""
    write_note(note_of(plan.config.run, "jobs.json"), {"key": _key(plan), "jobs": [job | _SETTLED for job in jobs]})


def _read(file: Path, key: str | None = None) -> Graph | None:
    """The jobs kept in a file, if it can be read and they are kept for this key; for any key, where none is given."""
    note = read_note(file)
    try:
        return read_jobs(note["jobs"]) if key in (None, note["key"]) else None
    except (TypeError, KeyError):
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
    try:
        version = metadata.version("snakemake")
    except metadata.PackageNotFoundError:
        version = ""
    return value_digest([digests, version])


def _dry_run(plan: Plan, folder: Path | None = None) -> list[dict[str, Any]]:
    """The jobs that Snakemake lists, in a folder or in an empty one."""
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
        command = [sys.executable, "-m", "snakemake", *where, *_OPTIONS]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        if done.returncode == 0 and out.is_file():
            jobs: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
            return jobs
    said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    problem = f"cannot tell the jobs of run {plan.config.run} ({' '.join(said[-1:])})"
    raise UserError("Snakemake", "", problem, "look at what snakemake -n prints")
