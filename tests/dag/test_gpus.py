"""The profile for one machine with several GPUs: as many GPU jobs at once as GPUs, each on one of its own."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

from tests.conftest import ROOT

JOBS = """
rule all:
    input:
        expand("{n}.json", n=range(5)),

rule one:
    output:
        "{n}.json",
    resources:
        gpu=1,
    script:
        "one.py"
"""
ONE = """
import json, time
from switchrank.core.job import hold_free

[(number, lock)] = hold_free(["a", "b"], 1, ".")
begin = time.time()
time.sleep(0.5)
with open(snakemake.output[0], "w") as out:
    json.dump([number, begin, time.time()], out)
"""


def test_two_gpus_are_used_by_two_jobs_at_once_and_never_by_both(tmp_path):
    (tmp_path / "Snakefile").write_text(JOBS)
    (tmp_path / "one.py").write_text(ONE)
    where = ["--snakefile", str(tmp_path / "Snakefile"), "--directory", str(tmp_path)]
    profile = ["--profile", "profiles/gpus", "--cores", "5", "--resources", "gpu=2", "--retries", "0"]
    command = [sys.executable, "-m", "snakemake", *where, *profile]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    jobs = [json.loads(file.read_text()) for file in sorted(tmp_path.glob("?.json"))]
    assert len(jobs) == 5
    for (one, begin, end), (other, later, last) in itertools.combinations(jobs, 2):
        assert one != other or end <= later or last <= begin
