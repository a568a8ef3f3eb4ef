"""Planning the published experiment: ``snakemake -n`` on it, beside Snakemake on an empty workflow of the same shape.

The empty workflow has a rule for each of our rules that has jobs, as many jobs of each, and for every input, output,
log and benchmark file of ours one of its own, so the same edges; its files have short names, its rules no settings,
and its commands do nothing. What is above it is the config, the library's digests and the names of the plan.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.clock import fastest, process
from tests.benchmarks.machine import package_version
from tests.benchmarks.row import Row, timed

ROOT = Path(__file__).parents[2]
_KINDS = ("input", "output", "log", "benchmark")
_RULE = """
rule {name}:
    input: lambda wildcards: INPUTS["{name}/" + {job}]
    output: {output}
    log: {log}
    benchmark: {benchmark}
    shell: "true"
"""


@dataclass
class Job:
    """A job of a printed plan: its rule and its files by kind."""

    rule: str
    files: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def dag(_: str) -> list[Row]:
    """Row ``dag``."""
    ours = [sys.executable, "-m", "snakemake", "-n", "--configfile", ROOT / "config" / "paper.yaml"]
    printed = subprocess.run([str(word) for word in ours], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    jobs = plan(printed)
    with tempfile.TemporaryDirectory() as folder:
        write_empty(jobs, Path(folder))
        theirs = [sys.executable, "-m", "snakemake", "-n"]
        empty = plan(subprocess.run(theirs, cwd=folder, capture_output=True, text=True, check=True).stdout)
        if _shape(jobs) != _shape(empty):
            raise AssertionError(f"not the same shape: {_shape(jobs)} {_shape(empty)}")
        mine, peer = fastest(4, lambda: process(ours, ROOT), lambda: process(theirs, Path(folder)))
    files = sum(len(found) for job in jobs for found in job.files.values())
    return [
        timed(
            mine,
            name="dag",
            size=f"config/paper.yaml: {len(jobs)} jobs of {len(_shape(jobs))} rules, {files:,} file names",
            peer=peer.seconds,
            peer_name="Snakemake on an empty workflow of as many rules, jobs and files",
            peer_version=package_version("snakemake"),
            required_ratio=0.5,
            checked="Both plans have the same jobs of each rule and as many files of each kind.",
            note="Best of four by turns, the start of Python included.",
        )
    ]


def plan(printed: str) -> list[Job]:
    """The jobs that ``snakemake -n`` printed."""
    jobs: list[Job] = []
    for line in printed.splitlines():
        words = line.split()
        if line.startswith(("rule ", "localrule ")):
            jobs.append(Job(words[1].rstrip(":")))
        elif jobs and line.startswith("    ") and words and words[0].rstrip(":") in _KINDS:
            kind, _, names = line.strip().partition(": ")
            jobs[-1].files[kind] += names.split(", ")
        elif line.startswith("Job stats:") and jobs:
            break
    return jobs


def _shape(jobs: list[Job]) -> dict[str, Counter[str]]:
    """How many jobs and files of each kind each rule has."""
    shape: dict[str, Counter[str]] = defaultdict(Counter)
    for job in jobs:
        shape[job.rule] += Counter({"jobs": 1, **{kind: len(job.files[kind]) for kind in _KINDS}})
    return dict(shape)


def write_empty(jobs: list[Job], folder: Path) -> None:
    """Write the Snakefile of the same shape, its inputs by job, and the files that no job makes."""
    by_rule: dict[str, list[Job]] = defaultdict(list)
    for job in jobs:
        by_rule[job.rule].append(job)
    names = {
        file: f"out/{rule}/{number}/{place}"
        for rule, same in by_rule.items()
        for number, job in enumerate(same)
        for place, file in enumerate(job.files["output"])
    }
    given = {file for job in jobs for file in job.files["input"]} - names.keys()
    names |= {file: f"given/{number}" for number, file in enumerate(sorted(given))}
    (folder / "given").mkdir()
    for number in range(len(given)):
        (folder / "given" / str(number)).touch()
    inputs = {
        f"{rule}/{number}": [names[file] for file in job.files["input"]]
        for rule, same in by_rule.items()
        for number, job in enumerate(same)
    }
    (folder / "inputs.json").write_text(json.dumps(inputs))
    last = jobs[-1].rule
    rules = [_rule(name, same) for name, same in by_rule.items() if name != last]
    top = f"rule {last}:\n    input: INPUTS['{last}/0']\n"
    head = 'import json\n\nINPUTS = json.load(open("inputs.json"))\n\n'
    (folder / "Snakefile").write_text(head + top + "".join(rules))


def _rule(name: str, jobs: list[Job]) -> str:
    """A rule for jobs that have equally many outputs; its wildcard is the job's number, if there are several."""
    first, several = jobs[0], len(jobs) > 1
    number = "{job}" if several else "0"
    text = _RULE.format(
        name=name,
        job="wildcards.job" if several else '"0"',
        output=[f"out/{name}/{number}/{place}" for place in range(len(first.files["output"]))],
        log=[f"logs/{name}-{number}-{place}" for place in range(len(first.files["log"]))],
        benchmark=repr(f"benchmarks/{name}-{number}"),
    )
    return (
        text if first.files["benchmark"] else "".join(part for part in text.splitlines(True) if "benchmark" not in part)
    )
