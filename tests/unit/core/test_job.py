"""What a rule's script leaves in its log when it fails."""

import os
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from types import SimpleNamespace
from switchrank.core.errors import UserError
from switchrank.core.job import job
with job(SimpleNamespace(threads=1, log=[sys.argv[1]])):
    raise {error}
"""


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        ('UserError("data.tsv", "line 3", "no tab", "add it")', 2, "data.tsv: line 3: no tab: add it"),
        ('ValueError("unforeseen")', 1, "ValueError: unforeseen"),
        ("MemoryError()", 1, "memory: out of memory: give the job more (mem_mb), or take a machine with more of it"),
    ],
)
def test_a_log_ends_with_the_error_and_the_exit_code(tmp_path, error, code, told):
    log = tmp_path / "job.log"
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(error=error), str(log)], check=False)
    assert done.returncode == code
    assert log.read_text().splitlines()[-2:] == [told, f"job failed, exit code {code}"]


BARS = """
import sys
from types import SimpleNamespace
from switchrank.core.job import job
with job(SimpleNamespace(threads=1, log=[sys.argv[1]])):
    print("begun", file=sys.stderr)
    for step in range(1000):
        print(f"train: {step}", end="\\r", file=sys.stderr)
    print("train: all", file=sys.stderr)
    for step in range(1000):
        print(f"\\rdev: {step}", end="", file=sys.stderr, flush=True)
    raise ValueError("unforeseen")
"""


def test_of_a_progress_bar_the_log_of_a_failed_job_keeps_the_last_state(tmp_path):
    """Snakemake prints all of that log: a training of days would fill the screen many times."""
    log = tmp_path / "job.log"
    subprocess.run([sys.executable, "-c", BARS, str(log)], check=False)
    lines = log.read_text().splitlines()
    assert lines[:4] == ["begun", "train: all", "dev: 999", "Traceback (most recent call last):"]
    assert lines[-2:] == ["ValueError: unforeseen", "job failed, exit code 1"]


SHOWN = """
import os, sys
from types import SimpleNamespace
from switchrank.core.job import job, terminal
with terminal() as show, job(SimpleNamespace(threads=1, log=[sys.argv[1]])):
    print("to the log", flush=True)
    show("a table, äh\\n")
"""


def test_what_people_wait_for_is_shown_past_the_log(tmp_path):
    command = [sys.executable, "-c", SHOWN, str(tmp_path / "job.log")]
    done = subprocess.run(command, capture_output=True, check=True)
    assert (done.stdout.decode(), done.stderr) == ("a table, äh\n", b"")
    assert (tmp_path / "job.log").read_text() == "to the log\n"


def test_a_terminal_that_is_gone_fails_no_job(tmp_path):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([sys.executable, "-c", SHOWN, str(tmp_path / "job.log")], stdout=writing, check=False)
    os.close(writing)
    assert done.returncode == 0


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "folder").touch()
    log = tmp_path / "folder" / "job.log"
    command = [sys.executable, "-c", SCRIPT.format(error="ValueError()"), str(log)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    told, ended = done.stderr.splitlines()
    assert told.startswith(f"{log}: cannot be written (")
    assert ended == "job failed, exit code 2"
