"""What the watcher makes of what Snakemake prints."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import psutil

from tests.kill.watched import Job, Watched

PRINTED = """\
[Sat Nov 21 20:06:36 2026]
localrule tokens:
    input: results/smoke/a.parquet
    log: results/smoke/logs/corpus/a.log
    jobid: 4
[Sat Nov 21 20:06:37 2026]
rule train_model:
    log: results/smoke/logs/train/b.log
    jobid: 5
Finished jobid: 4 (Rule: tokens)
Error in rule train_model:
    jobid: 5
    log: results/smoke/logs/train/b.log (check log file(s) for error details)
localrule all:
    jobid: 0
Finished jobid: 0 (Rule: all)
"""


PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
print(child.pid, flush=True)
child.wait()
"""


def test_jobs_are_begun_done_and_hit():
    process = subprocess.Popen([sys.executable, "-c", "raise SystemExit(3)"], start_new_session=True)
    attempt = Watched(process, io.StringIO(PRINTED)).wait()
    assert attempt.code == 3
    assert attempt.done == {Job("tokens", "results/smoke/logs/corpus/a.log")}
    assert attempt.hit == {Job("train_model", "results/smoke/logs/train/b.log")}


def test_a_run_that_is_ended_leaves_no_process():
    process = subprocess.Popen([sys.executable, "-c", PARENT], start_new_session=True, stdout=subprocess.PIPE)
    with process.stdout as lines:
        child = int(lines.readline())
    assert os.getsid(child) == process.pid
    attempt = Watched(process, io.StringIO("")).end()
    assert attempt.code == -signal.SIGKILL
    assert not psutil.pid_exists(child) or psutil.Process(child).status() == psutil.STATUS_ZOMBIE
