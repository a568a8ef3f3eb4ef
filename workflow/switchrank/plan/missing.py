"""Public files of a finished run that somebody has deleted: Snakemake makes a file again only where a job needs it."""

from __future__ import annotations

from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.plan.graph import job_graph

PUBLIC = ("lexicons", "corpora", "models", "runs", "tables")
"""Folders of a run whose files other people's programs read."""


def missing_files(plan: Plan) -> list[str]:
    """Public files that are not there, although the run has its report; none while it has not."""
    if not Path(plan.folder, "report.zip").exists():
        return []
    outputs = [output for job in job_graph(plan).jobs for output in job.outputs]
    public = [output for output in outputs if Path(output).relative_to(plan.folder).parts[0] in PUBLIC]
    return [output for output in public if not Path(output).exists()]


def missing_notice(plan: Plan) -> str:
    """One line about the missing files that ends in what makes the first of them again; empty where none is missing."""
    missing = missing_files(plan)
    if not missing:
        return ""
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return f"{missing[0]}: is missing{more}: made again where a job needs it, else: snakemake {missing[0]}"
