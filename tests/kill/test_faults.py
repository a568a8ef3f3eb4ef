"""What else can happen to a run: each fault ends in the undisturbed bytes after a rerun, or in one clear line."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Workflow
from tests.kill import damage
from tests.kill.watched import LOOK, Watched, started

pytestmark = [pytest.mark.slow, pytest.mark.long]
R = Path("results/smoke")
MODEL = R / "models/zero-shot/en-en/seed1"
TRAINED = str(MODEL / "train.json")
TRAINING_LOG = R / "logs/train/zero-shot-en-en-seed1.log"
SWITCHED = R / "corpora/ml-cs/xx-xx/train-00000.parquet"
NEEDS_MOUNTS = pytest.mark.skipif(not damage.can_mount(), reason="no file system can be mounted here")


@pytest.fixture
def workflow(undisturbed, tmp_path) -> Workflow:
    """A copy of the finished run."""
    shutil.copytree(undisturbed.workflow.folder, tmp_path / "run", symlinks=True)
    return Workflow(tmp_path / "run", undisturbed.workflow.config)


@pytest.fixture
def untrained(workflow) -> Workflow:
    """A copy of the finished run in which one model is still to be trained."""
    shutil.rmtree(workflow.folder / MODEL)
    return workflow


def checkpoints(workflow: Workflow) -> list[Path]:
    """Checkpoints of the model that are complete, in order; `os.walk` minds no folder that goes away meanwhile."""
    work = (workflow.folder / MODEL).parent
    found = [Path(folder) for folder, _, files in os.walk(work) if "COMPLETE" in files]
    return sorted(folder for folder in found if folder.name.startswith("step-"))


def wait_until(reached: Callable[[], bool], watched: Watched | None = None) -> None:
    """Wait for something to happen, while a run goes on if one is given."""
    deadline = time.monotonic() + 300
    while not reached():
        assert watched is None or watched.look(), "the run ended too early"
        assert time.monotonic() < deadline, "what was waited for does not come"
        time.sleep(LOOK)


def lines_with(words: str, printed: str) -> list[str]:
    """Lines that hold some words, each once."""
    return list(dict.fromkeys(line.strip() for line in printed.splitlines() if words in line))


def test_a_training_that_is_asked_to_end_saves_and_goes_on_to_the_same_bytes(untrained, undisturbed, tmp_path):
    with started(untrained, tmp_path / "printed.log", TRAINED) as watched:
        wait_until(lambda: len(checkpoints(untrained)) > 0, watched)
        attempt = watched.end(signal.SIGTERM)
    assert attempt.code != 0
    assert "stopped by a signal, saved after step" in (untrained.folder / TRAINING_LOG).read_text()
    assert checkpoints(untrained)
    untrained.run(TRAINED)
    assert "resumed after step" in (untrained.folder / TRAINING_LOG).read_text()
    assert undisturbed.differences(untrained.folder) == []


def test_a_corrupted_checkpoint_is_named_and_the_one_before_is_used(untrained, undisturbed, tmp_path):
    with started(untrained, tmp_path / "printed.log", TRAINED) as watched:
        wait_until(lambda: len(checkpoints(untrained)) > 1, watched)
        watched.end()
    latest = checkpoints(untrained)[-1]
    damage.flip_last_byte(latest / "optimiser.safetensors")
    untrained.run(TRAINED)
    log = (untrained.folder / TRAINING_LOG).read_text()
    assert f"{latest.relative_to(untrained.folder)}: checkpoint is damaged, going back to the one before" in log
    assert "resumed after step" in log
    assert undisturbed.differences(untrained.folder) == []


def test_of_two_starts_at_once_one_makes_the_run_and_one_says_so(untrained, undisturbed, tmp_path):
    paths = [tmp_path / f"printed-{number}.log" for number in range(2)]
    with started(untrained, paths[0], TRAINED) as one, started(untrained, paths[1], TRAINED) as other:
        codes = [one.wait().code, other.wait().code]
    assert sorted(codes) == [0, 2]
    printed = paths[codes.index(2)].read_text()
    assert len(lines_with("another Snakemake makes this run", printed)) == 1
    assert "Traceback" not in printed
    assert undisturbed.differences(untrained.folder) == []


def test_jobs_that_outlive_their_snakemake_are_not_disturbed(untrained, undisturbed, tmp_path):
    """Snakemake is killed alone; its training, which stands still meanwhile, keeps its checkpoints to itself."""
    with started(untrained, tmp_path / "printed.log", TRAINED) as watched:
        wait_until(lambda: len(checkpoints(untrained)) > 0, watched)
        work = (untrained.folder / MODEL).parent / ".work-seed1"
        os.killpg(watched.process.pid, signal.SIGSTOP)
        os.kill(watched.process.pid, signal.SIGKILL)
        watched.process.wait()
        again = untrained.run(TRAINED, check=False)
        assert again.returncode == 1
        assert len(lines_with("another process trains this model: wait until it ends, or end it", again.stdout)) == 1
        os.killpg(watched.process.pid, signal.SIGCONT)
        wait_until(lambda: not work.exists())
    untrained.run(TRAINED)
    assert undisturbed.differences(untrained.folder) == []


def test_a_truncated_parquet_is_one_line_and_made_again_once_it_is_deleted(workflow, undisturbed):
    """It is newer than all that was made from it and than its own inputs: no rule would make it again."""
    broken = R / "tokens/world/unicode/documents/tokens.parquet"
    damage.truncate(workflow.folder / broken)
    done = workflow.run(check=False)
    assert done.returncode == 2
    assert lines_with(str(broken), done.stdout) == [
        f"{broken}: is cut short or no Parquet file: delete it and run again"
    ]
    for path in (broken, SWITCHED):
        (workflow.folder / path).unlink()
    workflow.run(str(SWITCHED))
    assert undisturbed.differences(workflow.folder) == []


def test_a_deleted_intermediate_is_made_again_where_a_job_needs_it(workflow, undisturbed):
    table = R / "tables/ablation.csv"
    for path in (table, R / "evaluate/ablation.parquet"):
        (workflow.folder / path).unlink()
    workflow.run(str(table))
    assert (workflow.folder / R / "evaluate/ablation.parquet").exists()
    assert undisturbed.differences(workflow.folder) == []


def test_a_deleted_file_that_no_job_needs_is_told_with_the_command_that_makes_it(workflow, undisturbed):
    (workflow.folder / SWITCHED).unlink()
    printed = workflow.run().stdout
    assert "Nothing to be done" in printed
    (told,) = lines_with("is missing", printed)
    assert told.startswith(f"{SWITCHED}: ")
    workflow.run(told.split()[-1])
    assert undisturbed.differences(workflow.folder) == []


@NEEDS_MOUNTS
def test_a_full_disk_is_one_line_and_with_room_the_run_goes_on(untrained, undisturbed, tmp_path):
    disk = tmp_path / "disk"
    with damage.small_disk(disk, 32):
        shutil.copytree(untrained.folder, disk / "run", symlinks=True)
        workflow = Workflow(disk / "run", untrained.config)
        filler = disk / "filler"
        filler.write_bytes(bytes(shutil.disk_usage(disk).free - 300_000))
        early = workflow.run(TRAINED, check=False)
        assert early.returncode == 2
        assert len(lines_with("GB of disk, and 0.0 GB are free: free some", early.stdout)) == 1
        late = workflow.run(TRAINED, check=False, SWITCHRANK_ANY_DISK="1")
        assert late.returncode == 1
        assert len(lines_with(": the disk is full: make room, or choose another folder", late.stdout)) == 1
        assert "Traceback" not in late.stdout
        filler.unlink()
        workflow.run(TRAINED)
        assert undisturbed.differences(workflow.folder) == []


def test_a_file_that_may_not_grow_is_one_line_and_without_the_limit_the_run_goes_on(untrained, undisturbed):
    """The limit on the size of files stands for a full disk where nobody may mount one."""
    with damage.largest_file(300_000):
        done = untrained.run(TRAINED, check=False)
    assert done.returncode == 1
    assert len(lines_with(": the disk is full: make room, or choose another folder", done.stdout)) == 1
    untrained.run(TRAINED)
    assert undisturbed.differences(untrained.folder) == []


def test_results_that_cannot_be_written_are_one_line(untrained, undisturbed):
    if os.geteuid() == 0 and not damage.can_mount():
        pytest.skip("root may write everywhere, and no file system can be mounted here")
    with damage.read_only(untrained.folder / "results"):
        done = untrained.run(TRAINED, check=False)
    assert done.returncode == 2
    assert len(lines_with("results/smoke: cannot be written", done.stdout)) == 1
    untrained.run(TRAINED)
    assert undisturbed.differences(untrained.folder) == []


@NEEDS_MOUNTS
def test_a_disk_that_turns_read_only_in_the_middle_costs_nothing_that_was_done(undisturbed, tmp_path):
    workflow = Workflow(tmp_path / "run", undisturbed.workflow.config)
    results = workflow.folder / "results"
    results.mkdir(parents=True)
    printed = tmp_path / "printed.log"
    with damage.mounted_on_itself(results):
        with started(workflow, printed, "--cores", "1") as watched:
            wait_until(lambda: len(watched.attempt.done) > 5, watched)
            wait_until(lambda: damage.turn_read_only(results), watched)
            first = watched.wait()
        assert first.code != 0
        assert lines_with("Read-only file system", printed.read_text())
        damage.turn_writable(results)
        with started(workflow, printed) as watched:
            second = watched.wait()
        assert second.code == 0
        assert not first.done & second.jobs.keys()
        assert undisturbed.differences(workflow.folder) == []


@NEEDS_MOUNTS
def test_a_disk_too_small_for_the_run_costs_nothing_that_was_done(undisturbed, tmp_path):
    disk, printed = tmp_path / "disk", tmp_path / "printed.log"
    with damage.small_disk(disk, 4):
        workflow = Workflow(disk, undisturbed.workflow.config)
        with started(workflow, printed, SWITCHRANK_ANY_DISK="1") as watched:
            first = watched.wait()
        assert first.code != 0
        damage.enlarge_disk(disk, 400)
        with started(workflow, printed, SWITCHRANK_ANY_DISK="1") as watched:
            second = watched.wait()
        assert second.code == 0, printed.read_text()[-8000:]
        assert not first.done & second.jobs.keys()
        assert undisturbed.differences(workflow.folder) == []
