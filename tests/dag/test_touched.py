"""The profile that is always loaded: files are compared by content, so that touching or copying them reruns nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT

JOB = """
rule one:
    input:
        "given.txt",
    output:
        "made.txt",
    run:
        open(output[0], "w").close()
"""
LARGE = 3_000_000
"""Bytes of a file that Snakemake alone compares by time."""


def snakemake(folder: Path, *words: str) -> str:
    where = ["--snakefile", str(folder / "Snakefile"), "--directory", str(folder), "--cores", "1"]
    command = [sys.executable, "-m", "snakemake", *where, *words]
    done = subprocess.run(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.parametrize("profile", [[], ["--profile", "profiles/local"]])
def test_a_touched_file_of_some_megabytes_reruns_nothing_and_a_changed_one_does(tmp_path, profile):
    (tmp_path / "Snakefile").write_text(JOB)
    given = tmp_path / "given.txt"
    given.write_bytes(bytes(LARGE))
    snakemake(tmp_path, *profile)
    later = time.time() + 10
    os.utime(given, (later, later))
    assert "Nothing to be done" in snakemake(tmp_path, "-n", *profile)
    given.write_bytes(bytes(LARGE - 1) + b"1")
    os.utime(given, (later, later))
    assert "Updated input files: given.txt" in snakemake(tmp_path, "-n", *profile)
