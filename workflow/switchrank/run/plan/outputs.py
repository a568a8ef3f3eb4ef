"""What has become of the files of a run since they were made, as far as a look at their ends tells.

Snakemake looks at times only: a file that was cut short is found by the job that reads it, perhaps by none, and one
that was deleted is made again only where a job needs it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.run.plan.asked import known_graph

PUBLIC = ("lexicons", "corpora", "models", "runs", "tables")
"""Folders of a run whose files other people's programs read."""
_PARQUET = b"PAR1"


def check_outputs(plan: Plan) -> None:
    """Before a start: whether the Parquet tables that are there have both their ends.

    Raises:
        UserError: one has not.
    """
    for output in _tables(plan.folder):
        if not _is_whole(output):
            raise UserError(output, "", "is cut short or no Parquet file", "delete it and run again")


def missing_files(plan: Plan) -> list[str]:
    """Public files that are not there, although the run has its report; none while it has not.

    Which files it has is what its last whole start knew.
    """
    graph = known_graph(plan) if Path(plan.folder, "report.zip").exists() else None
    outputs = [output for job in graph.jobs for output in job.outputs] if graph else []
    public = tuple(f"{plan.folder}/{folder}/" for folder in PUBLIC)
    return [output for output in outputs if output.startswith(public) and not Path(output).exists()]


def missing_notice(plan: Plan) -> str:
    """One line about the missing files that ends in what makes the first of them again; empty where none is missing."""
    missing = missing_files(plan)
    if not missing:
        return ""
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return f"{missing[0]}: is missing{more}: made again where a job needs it, else: snakemake {missing[0]}"


def _tables(folder: str) -> Iterator[str]:
    """The tables in a folder and in those that links in it lead to, but for what lies in hidden folders."""
    for place, folders, files in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (os.path.join(place, name) for name in sorted(files) if name.endswith(".parquet"))


def _is_whole(path: str) -> bool:
    """Whether a Parquet file ends as it begins; one that is not there, or not to be read, is not looked at."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(len(_PARQUET))
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - len(_PARQUET)))
            return start == stream.read() == _PARQUET and size > 2 * len(_PARQUET)
    except OSError:
        return True
