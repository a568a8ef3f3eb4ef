"""What a rule's script leaves in its log when it fails."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys
from types import SimpleNamespace
from switchrank.errors import UserError
from switchrank.job import job
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


def test_a_log_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "folder").touch()
    log = tmp_path / "folder" / "job.log"
    command = [sys.executable, "-c", SCRIPT.format(error="ValueError()"), str(log)]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    assert done.returncode == 2
    told, ended = done.stderr.splitlines()
    assert told.startswith(f"{log}: cannot be written (")
    assert ended == "job failed, exit code 2"
