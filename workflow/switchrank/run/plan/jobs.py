"""The jobs of a run as Snakemake's own graph has them: what each reads and writes, and what it asks of the machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

STAGES = ("sources", "embeddings", "lexicon", "corpus", "train", "rank", "evaluate", "ablation", "report")


@dataclass(frozen=True, eq=False)
class Job:
    """One job.

    Attributes:
        rule: the rule's name, as Snakemake prints it.
        kind: the name of the script that it runs, such as ``train``; jobs of one kind cost alike.
        inputs, outputs: files, relative to the folder of the run's ``results``.
        log, benchmark: files of what happened and, except for small jobs, of what it took.
        wildcards: by name, as text.
        threads, gpus: what it asks for at once.
        processes: how many share its work.
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
        placed: dict[Job, None] = {}
        stack = list(reversed(given))
        while stack:
            job = stack[-1]
            missing = [need for need in self.needs(job) if need not in placed]
            if missing and job not in placed:
                stack += reversed(missing)
            else:
                placed.setdefault(stack.pop())
        self.jobs = list(placed)

    def needs(self, job: Job) -> Iterator[Job]:
        """The jobs whose outputs a job reads, once each."""
        return iter(dict.fromkeys(self.maker[file] for file in job.inputs if file in self.maker))

    def behind(self, jobs: Iterable[Job]) -> set[Job]:
        """These jobs and all that they need, however far back."""
        found: set[Job] = set()
        stack = list(jobs)
        while stack:
            job = stack.pop()
            if job not in found:
                found.add(job)
                stack += self.needs(job)
        return found


def read_jobs(told: Iterable[Mapping[str, Any]]) -> Graph:
    """The graph of jobs as ``workflow/rules/common/jobs.smk`` writes them, plain JSON values.

    Raises:
        TypeError, KeyError: these are no jobs.
    """
    return Graph(Job(**{one.name: job[one.name] for one in fields(Job)}) for job in told)
