"""A job of a run: what it reads and writes, as Snakemake would make it, and the facts that decide what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STAGES = ("sources", "embeddings", "lexicon", "corpus", "train", "rank", "evaluate", "ablation", "report")


@dataclass(frozen=True, eq=False)
class Job:
    """One job.

    Attributes:
        rule: the rule's name, as Snakemake prints it.
        kind: what the job does; jobs of one kind cost alike. ``rank`` for all rules that rank with a model.
        stage: one of :data:`STAGES`.
        inputs, outputs: files, relative to the folder of the run's ``results``.
        log, benchmark: where it tells what happened and, but for small jobs, what it took.
        about: what the cost depends on, by name: collection, corpus, test set, languages.
        threads: CPU threads it asks for.
        gpu: whether it asks for a GPU.
        processes: how many share its work, on a GPU each if it asks for one.
    """

    rule: str
    kind: str
    stage: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    log: str
    benchmark: str | None
    about: Mapping[str, Any] = field(default_factory=dict)
    threads: int = 1
    gpu: bool = False
    processes: int = 1

    @property
    def gpus(self) -> int:
        """How many GPUs it asks for."""
        return self.processes if self.gpu else 0

    @property
    def name(self) -> str:
        """A short name, unique in a run: stage and log file."""
        return "/".join(Path(self.log).with_suffix("").parts[3:])


class Graph:
    """The jobs of a run, those first that others need.

    Args:
        jobs: jobs in any order, and perhaps some that nobody needs.
        targets: files that are wanted; the jobs that lead to them are kept.
    """

    def __init__(self, jobs: Iterable[Job], targets: Iterable[str]) -> None:
        self.maker = {output: job for job in jobs for output in job.outputs}
        self.targets = list(targets)
        self.jobs: list[Job] = []
        placed: set[Job] = set()
        stack = [(self.maker[target], False) for target in reversed(self.targets)]
        while stack:
            job, ready = stack.pop()
            if job in placed:
                continue
            if ready:
                placed.add(job)
                self.jobs.append(job)
                continue
            stack.append((job, True))
            stack += [(other, False) for other in reversed(list(self.needs(job))) if other not in placed]

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
