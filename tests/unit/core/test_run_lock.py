"""One process makes a run at a time, and a dead one leaves nothing that stops the next."""

import subprocess
import sys

import pytest

from switchrank.core.errors import UserError
from switchrank.core.locks import hold_run, is_held

HOLDER = """
import sys
from switchrank.core.locks import hold_run
lock = hold_run(sys.argv[1], sys.argv[2])
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """A process that holds the lock of the run ``theirs``, until its standard input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, "theirs", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def locks(folder, **files):
    (folder / "locks").mkdir()
    for name, lines in files.items():
        (folder / "locks" / f"0.{name}.lock").write_text("\n".join(lines) + "\n")


def left(folder):
    return sorted(file.name for file in (folder / "locks").iterdir())


def test_a_live_run_gives_one_line_with_its_process(other, tmp_path):
    with pytest.raises(UserError) as caught:
        hold_run("theirs", tmp_path)
    assert str(other.pid) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_killed_run_holds_nothing(other, tmp_path):
    assert is_held("theirs", tmp_path)
    other.kill()
    other.wait()
    assert not is_held("theirs", tmp_path)
    hold_run("theirs", tmp_path).close()


@pytest.mark.usefixtures("other")
def test_another_run_in_the_same_folder_may_start(tmp_path):
    hold_run("ours", tmp_path).close()


def test_stale_locks_of_the_run_are_removed_and_no_others(tmp_path):
    locks(
        tmp_path,
        output=["results/ours/tables/metrics.csv"],
        input=["config/demo-pairs.tsv", "results/ours/sources/a.parquet"],
        elsewhere=["out/model.bin"],
        theirs=["results/theirs/tables/metrics.csv"],
    )
    hold_run("ours", tmp_path).close()
    assert left(tmp_path) == ["0.elsewhere.lock", "0.theirs.lock"]


def test_a_lock_of_a_live_run_that_reads_our_files_stays(other, tmp_path):
    locks(tmp_path, input=["results/ours/models/a.bin", "results/theirs/start/a.bin"])
    hold_run("ours", tmp_path).close()
    assert left(tmp_path) == ["0.input.lock"]
    other.kill()
    other.wait()
    hold_run("ours", tmp_path).close()
    assert left(tmp_path) == []


def test_a_file_system_without_locks_is_left_alone(tmp_path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(37, "No locks available")

    locks(tmp_path, output=["results/ours/a"])
    monkeypatch.setattr(fcntl, "flock", refuse)
    assert hold_run("ours", tmp_path) is None
    assert left(tmp_path) == ["0.output.lock"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "switchrank").touch()
    with pytest.raises(UserError, match=r"ours.lock: cannot be written \(.*\): make its folder writable"):
        hold_run("ours", tmp_path)


def test_results_that_cannot_be_written_are_one_line(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "ours").mkdir(parents=True)
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(UserError, match="results/ours: cannot be written: make it writable"):
        hold_run("ours", tmp_path)
    hold_run("theirs", tmp_path).close()
