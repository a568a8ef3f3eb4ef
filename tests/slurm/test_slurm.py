"""The smoke config on a real Slurm: jobs are cancelled, run out of time and lose their node, and nothing is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from tests.conftest import ROOT, SMOKE, Workflow
from tests.promised import promised
from tests.slurm.cluster import Cluster, freeze, wait_for

pytestmark = pytest.mark.slow


class OnSlurm(Workflow):
    """Snakemake as typed from the repository root, but asking Slurm more often."""

    def command(self, *words: str) -> list[str]:
        """The command line."""
        start = [sys.executable, "-m", "snakemake", "--profile", "slurm", "--directory", str(self.folder)]
        often = ["--slurm-init-seconds-before-status-checks", "2"]
        return [*start, "--configfile", str(self.config), *often, *words]


@dataclass(frozen=True)
class Training:
    """A training job of the smoke config."""

    system: str
    pair: str

    def attempts(self, jobs: list[dict[str, str]]) -> list[dict[str, str]]:
        """Its Slurm jobs, in order."""
        named = f"rule_train_model_wildcards_{self.system}_{self.pair}_1"
        return sorted((job for job in jobs if job["comment"] == named), key=lambda job: int(job["id"]))

    def checkpoints(self, folder: Path) -> set[Path]:
        """Its checkpoints that are complete and in their place."""
        return set((folder / "results/smoke/models" / self.system / self.pair).glob(".work-*/*/step-*/COMPLETE"))

    def resumed(self, folder: Path) -> int:
        """The step after which its last attempt went on, 0 where it began anew."""
        log = folder / f"results/smoke/logs/train/{self.system}-{self.pair}-seed1.log"
        found = re.search(r"resumed after step (\d+)", log.read_text())
        return int(found[1]) if found else 0


def minutes(job: dict[str, str]) -> int:
    """The time limit of a job shorter than an hour."""
    return int(job["limit"].removesuffix(":00"))


CANCELLED = Training("zero-shot", "en-en")
TIMED_OUT = Training("ml-cs", "xx-xx")
NODE_LOST = Training("bl-cs", "en-qaa")


@dataclass(frozen=True)
class Ended:
    """A run that ended, and what ``switchrank status`` said while it ran."""

    folder: Path
    code: int
    printed: str
    jobs: list[dict[str, str]]
    looked: str

    def summary(self) -> str:
        """What happened, in one line."""
        states = Counter(job["state"] for job in self.jobs)
        resumed = sum(training.resumed(self.folder) > 0 for training in (CANCELLED, TIMED_OUT, NODE_LOST))
        requeued = sum(int(job["restarts"]) > 0 for job in self.jobs)
        ends = ", ".join(f"{count} {state.lower()}" for state, count in sorted(states.items()))
        return f"slurm jobs: {len(self.jobs)} submitted: {ends}; {requeued} requeued, {resumed} resumed; rc {self.code}"


@contextmanager
def running(workflow: Workflow, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Snakemake at work; it is killed if the test fails, and its jobs are cancelled with the cluster."""
    with log.open("wb") as stream:
        process = subprocess.Popen(workflow.command(), cwd=ROOT, stdout=stream, stderr=stream)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


class Disturber:
    """Waits for trainings to write a checkpoint and makes them stand still: what follows happens in the middle."""

    def __init__(self, cluster: Cluster, folder: Path, alive: Callable[[], bool]) -> None:
        self.cluster, self.folder, self.alive = cluster, folder, alive
        self.seen: dict[Training, set[Path]] = {}

    def caught(self, *trainings: Training) -> Iterator[tuple[Training, str]]:
        """Each training with its Slurm job, in the order in which they write a checkpoint that was not seen before."""
        left = list(trainings)
        while left:
            assert self.alive(), "the run ended before all that should happen had happened"
            for training in list(left):
                written = training.checkpoints(self.folder)
                if written - self.seen.get(training, set()):
                    job = training.attempts(self.cluster.jobs())[-1]["id"]
                    freeze(job, "train.py")
                    self.seen[training] = training.checkpoints(self.folder)
                    left.remove(training)
                    yield training, job
            time.sleep(0.02)


def status(folder: Path) -> str:
    """What ``switchrank status`` prints of the run."""
    command = [sys.executable, "-m", "switchrank", "status", "smoke"]
    return subprocess.run(command, cwd=folder, check=True, text=True, stdout=subprocess.PIPE).stdout


def disturb(cluster: Cluster, disturber: Disturber) -> None:
    """A node fails and comes back, then one training is cancelled and one runs out of time."""
    for training, _ in disturber.caught(CANCELLED, TIMED_OUT, NODE_LOST):
        if training is NODE_LOST:
            break
    cluster.fail_node()
    wait_for(lambda: not any(job["state"] == "RUNNING" for job in cluster.jobs()), 60)
    cluster.start_node()
    for training, job in disturber.caught(CANCELLED, TIMED_OUT):
        if training is CANCELLED:
            cluster.ask("scancel", job)
        else:
            cluster.ask("scontrol", "update", f"JobId={job}", "TimeLimit=1")


@pytest.fixture(scope="module")
def ended(cluster, tmp_path_factory) -> Ended:
    """The smoke config run on Slurm to its end, whatever happened to its jobs."""
    folder = tmp_path_factory.mktemp("on-slurm")
    log = folder / "printed.log"
    with running(OnSlurm(folder), log) as process:
        try:
            disturb(cluster, Disturber(cluster, folder, lambda: process.poll() is None))
            looked = status(folder)
        except (AssertionError, TimeoutError) as error:
            raise AssertionError(log.read_text()[-8000:]) from error
        process.wait()
    made = Ended(folder, process.returncode, log.read_text(), cluster.jobs(), looked)
    print(made.summary())
    return made


def test_the_run_ends_with_a_report(ended):
    assert ended.code == 0, ended.printed[-8000:]
    assert (ended.folder / "results/smoke/report.zip").exists()


def test_every_promised_byte_is_that_of_a_local_run(ended, finished):
    expected, found = promised(finished.folder), promised(ended.folder)
    assert found.keys() == expected.keys()
    assert [name for name in expected if found[name] != expected[name]] == []


def test_a_cancelled_job_is_submitted_again_and_its_training_goes_on(ended):
    assert [job["state"] for job in CANCELLED.attempts(ended.jobs)] == ["CANCELLED", "COMPLETED"]
    assert CANCELLED.resumed(ended.folder) >= 10


def test_a_job_out_of_time_is_submitted_again_with_twice_the_time_and_its_training_goes_on(ended):
    attempts = TIMED_OUT.attempts(ended.jobs)
    assert [job["state"] for job in attempts] == ["TIMEOUT", "COMPLETED"]
    (undisturbed,) = NODE_LOST.attempts(ended.jobs)
    assert minutes(attempts[1]) == pytest.approx(2 * minutes(undisturbed), abs=1)
    assert TIMED_OUT.resumed(ended.folder) >= 10


def test_a_job_whose_node_failed_runs_again_under_its_own_number_and_its_training_goes_on(ended):
    (job,) = NODE_LOST.attempts(ended.jobs)
    assert job["state"] == "COMPLETED"
    assert int(job["restarts"]) == 1
    assert NODE_LOST.resumed(ended.folder) >= 10


def test_status_tells_how_a_run_on_slurm_is_going_and_that_it_is_finished(ended):
    assert ended.looked.startswith("run smoke: a process makes it, started ")
    assert re.search(r"^train/ml-cs-xx-xx-seed1 +\d+ +\d+\b", ended.looked, re.MULTILINE)
    assert re.search(r"^\d+ of \d+ jobs, \d+% of the work; about .* left", ended.looked, re.MULTILINE)
    assert re.search(r"^all \d+ jobs done$", status(ended.folder), re.MULTILINE)


def test_only_training_and_ranking_are_submitted_and_none_of_this_config_asks_for_a_gpu(ended):
    rules = {job["comment"].partition("_wildcards_")[0].removeprefix("rule_") for job in ended.jobs}
    assert {"first_model", "train_model", "tuned_model", "rank_ml_cs_xx_xx_world", "rank_row_zs_8"} <= rules
    assert not rules & {"collection_world", "switch", "rank_bm25_world", "tables", "table_page", "report_zip"}
    assert {job["gpus"] for job in ended.jobs} == {"N/A"}


def test_nothing_is_left_to_do_on_slurm_or_here(ended):
    assert "Nothing to be done" in OnSlurm(ended.folder).run().stdout
    assert "Nothing to be done" in Workflow(ended.folder).run().stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="the GPU that Slurm pretends to have would be a real one")
def test_a_gpu_job_asks_for_a_gpu_of_the_named_type_and_says_so_where_it_is_of_no_use(cluster, finished, tmp_path):
    """The GPU is only pretended: Slurm gives it to the job, and the job ends in one line instead of using the CPU."""
    folder = tmp_path / "run"
    shutil.copytree(finished.folder, folder)
    config = tmp_path / "cuda.yaml"
    config.write_text(SMOKE.read_text().replace("train: {objective", "train: {device: cuda, objective"))
    before = len(cluster.jobs())
    model = "results/smoke/ablation/models/zs-8/train.json"
    site = ["--default-resources", "gpu_type=pretended", "--retries", "0"]
    done = OnSlurm(folder, config).run(*site, "--forcerun", "tuned_model", "--", model, check=False)
    (job,) = sorted(cluster.jobs(), key=lambda job: int(job["id"]))[before:]
    assert job["gpus"] == "gres:gpu:pretended:1"
    assert done.returncode == 1
    assert "device: cuda: no GPU is visible" in done.stdout
