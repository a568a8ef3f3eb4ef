"""Which jobs a change makes run again, found in this process: the jobs of a config with what makes each run again."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from unittest import mock

from snakemake.api import SnakemakeApi
from snakemake.settings.types import (
    ConfigSettings,
    DAGSettings,
    ExecutionSettings,
    OutputSettings,
    Quietness,
    ResourceSettings,
)
from snakemake.workflow import parse

from tests.conftest import ROOT

SNAKEFILE = ROOT / "Snakefile"
_parsed: dict[str, Any] = {}
_compiled: dict[str, Any] = {}


@dataclass(frozen=True)
class PlannedJob:
    """One job: its rule, the values of its wildcards, and the two things that make it run again."""

    rule: str
    words: frozenset[str]
    params: dict[str, Any]
    inputs: list[str]

    @property
    def noticed(self) -> tuple[frozenset[str], list[str]]:
        """What Snakemake compares: the values of the parameters without their names, the inputs without their order."""
        return frozenset(map(repr, self.params.values())), sorted(self.inputs)

    def is_in(self, row: Row) -> bool:
        """Whether a row says that this job runs again."""
        return row.includes(self.rule, self.words)


@dataclass(frozen=True)
class Row:
    """One row of ``triggers.tsv``.

    Attributes:
        what: patterns of keys of a config or of modules, one of which matches.
        change: YAML of another value; empty: the next number, the other truth value; ``-``: none that fits alone.
        reruns: the jobs that run again because of the change itself (not those that read what these make): patterns of
            rules, each perhaps with values of wildcards, ``rule:value+value``; ``!rule`` takes rules away again.
    """

    what: list[str]
    change: str
    reruns: list[str]

    def matches(self, name: str) -> bool:
        """Whether the row is about a key or module."""
        return any(fnmatchcase(name, pattern) for pattern in self.what)

    def includes(self, rule: str, words: frozenset[str] = frozenset()) -> bool:
        """Whether a job of a rule, with these values of its wildcards, runs again."""
        if any(item.startswith("!") and fnmatchcase(rule, item[1:]) for item in self.reruns):
            return False
        return any(_names(item, rule, words) for item in self.reruns)

    def may_meet(self, other: Row) -> bool:
        """Whether one rule may be in both rows, as far as their patterns tell; one with all rules meets every row."""
        own, others = ({item.partition(":")[0] for item in row.reruns} for row in (self, other))
        alike = any(fnmatchcase(one, two) or fnmatchcase(two, one) for one in own for two in others)
        return alike or "*" in own | others


def share_replans(rows: Mapping[str, Row]) -> list[tuple[str, ...]]:
    """Put keys together that touch disjoint rules, each into the first group that it fits into.

    Args:
        rows: the row of each key.
    """
    groups: list[list[str]] = []
    for name, row in rows.items():
        group = next((group for group in groups if not any(row.may_meet(rows[other]) for other in group)), None)
        if group is None:
            groups.append([name])
        else:
            group.append(name)
    return [tuple(group) for group in groups]


def _names(item: str, rule: str, words: frozenset[str]) -> bool:
    pattern, _, values = item.partition(":")
    return fnmatchcase(rule, pattern) and {value for value in values.split("+") if value} <= words


def read_rows(path: Path, kind: str) -> list[Row]:
    """The rows of one kind, ``key`` or ``module``."""
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if row["kind"] == kind]
    return [
        Row(row["what"].split(), row["change"], [item for item in row["reruns"].split() if item != "-"]) for row in rows
    ]


def _parse_once(path: Any, *given: Any, **more: Any) -> Any:
    """Snakemake's parser; the rules are the same for every config."""
    name = str(path.get_path_or_uri(secret_free=True))
    if name not in _parsed:
        _parsed[name] = parse(path, *given, **more)
    return _parsed[name]


def _compile_once(code: str, name: str, mode: str) -> Any:
    """``compile``, as :func:`_parse_once`."""
    if name not in _compiled:
        _compiled[name] = compile(code, name, mode)
    return _compiled[name]


def planned_jobs(config: Path, folder: Path, *targets: str) -> dict[tuple[str, ...], PlannedJob]:
    """The jobs of a config in a folder, by their outputs; nothing is run."""
    silent = OutputSettings(dryrun=True, quiet={Quietness.ALL})
    read_once = mock.patch.multiple("snakemake.workflow", create=True, parse=_parse_once, compile=_compile_once)
    with read_once, SnakemakeApi(silent) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=1),
            config_settings=ConfigSettings(configfiles=[config]),
            snakefile=SNAKEFILE,
            workdir=folder,
        )._workflow
        workflow.dag_settings = DAGSettings(targets=set(targets))
        workflow.execution_settings = ExecutionSettings()
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        workflow.async_run(_build(workflow.dag))
        jobs = {tuple(sorted(job.output)): _planned(job) for job in workflow.dag.jobs if job.output}
    vars(workflow).clear()  # Snakemake keeps hold of every workflow
    return jobs


async def _build(dag: Any) -> None:
    for rule in dag.targetrules:
        dag.targetjobs.add(await dag.update([await dag.rule2job(rule)]))


def _planned(job: Any) -> PlannedJob:
    words = frozenset(str(value) for value in job.wildcards_dict.values())
    return PlannedJob(job.rule.name, words, dict(job.params._allitems()), [str(file) for file in job.input])
