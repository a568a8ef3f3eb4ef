"""What Snakemake would make again: it alone knows with which parameters and inputs a file was made.

It is asked once, by a command, as a person would ask it; where it is not installed or cannot tell, a plan goes by the
files that are there.
"""

from __future__ import annotations

import csv
import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

SNAKEFILE = Path(__file__).parents[4] / "Snakefile"
COLUMNS = ["output_file", "date", "rule", "log-file(s)", "status", "plan"]
"""The columns of ``snakemake --summary``."""
_BEHIND = "what they read is made again"
_REASONS = {"updated input files": "inputs are newer", "ok": _BEHIND}


def pending_files(config: str | Path) -> dict[str, str] | None:
    """The files that are there and would be made again, each with the reason; None where Snakemake cannot tell.

    Args:
        config: the config file of the run, which lies in this folder. Nothing is made and nothing locked.
    """
    if importlib.util.find_spec("snakemake") is None or not SNAKEFILE.is_file():
        return None
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(SNAKEFILE), "--configfile", str(config)]
    asked = subprocess.run([*command, "--summary", "--nolock"], capture_output=True, text=True, check=False)
    return read_summary(asked.stdout.splitlines()) if asked.returncode == 0 else None


def read_summary(lines: Iterable[str]) -> dict[str, str] | None:
    """The pending files of a summary that are there, with reasons; None where it is no summary."""
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    if rows.fieldnames != COLUMNS:
        return None
    return {
        row["output_file"]: _REASONS.get(row["status"], row["status"])
        for row in rows
        if row["plan"] == "update pending" and row["status"] != "missing"
    }
