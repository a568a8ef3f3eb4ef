"""Schedules by hand, and what earlier jobs correct."""

import pytest

from switchrank.run.plan.costs import Cost
from switchrank.run.plan.estimate import BETWEEN, Calibration, calibrate, plan_schedule, read_benchmark
from switchrank.run.plan.jobs import Graph, Job
from switchrank.run.plan.machine import Machine


def job(name, inputs=(), *, kind="", threads=1, gpus=0):
    log = f"results/x/logs/corpus/{name}.log"
    return Job(name, kind or name, tuple(inputs), (name,), log, threads=threads, gpus=gpus)


@pytest.fixture
def diamond():
    """a; b and c need it; d needs both."""
    jobs = [job("a"), job("b", ["a"]), job("c", ["a"]), job("d", ["b", "c"])]
    return Graph(jobs), dict(zip(jobs, [Cost(seconds=s, memory=m) for s, m in DIAMOND], strict=True))


DIAMOND = [(10, 1), (20, 5), (5, 7), (1, 1)]


def test_two_cores_run_what_does_not_wait_for_each_other_at_once(diamond):
    graph, costs = diamond
    found = plan_schedule(graph, costs, Machine(100, 2, gpus=0))
    assert found.seconds == pytest.approx(31 + 3 * BETWEEN)
    assert found.memory == 12
    assert [one.rule for one in found.path] == ["a", "b", "d"]
    assert found.path_seconds == pytest.approx(found.seconds)


def test_one_core_runs_one_job_after_the_other(diamond):
    graph, costs = diamond
    found = plan_schedule(graph, costs, Machine(100, 1, gpus=0))
    assert found.seconds == pytest.approx(36 + 4 * BETWEEN)
    assert found.memory == 7


def test_jobs_that_are_done_take_no_time(diamond):
    graph, costs = diamond
    done = frozenset(one for one in graph.jobs if one.rule in "abc")
    assert plan_schedule(graph, costs, Machine(100, 1, gpus=0), done=done).seconds == pytest.approx(1 + BETWEEN)
    assert plan_schedule(graph, costs, Machine(100, 1, gpus=0), done=frozenset(graph.jobs)).seconds == 0


def test_jobs_share_gpus_one_at_a_time_and_without_any_run_on_the_cpu():
    jobs = [job("a", gpus=1), job("b", gpus=1), job("c", ["a", "b"])]
    graph, costs = Graph(jobs), {one: Cost(seconds=10) for one in jobs}
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=1)).seconds == pytest.approx(30 + 3 * BETWEEN)
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=2)).seconds == pytest.approx(20 + 2 * BETWEEN)
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=0)).seconds == pytest.approx(20 + 2 * BETWEEN)


def test_a_training_of_several_processes_takes_as_many_gpus_and_on_fewer_all_there_are():
    jobs = [job("a", gpus=2), job("b", gpus=1), job("c", ["a", "b"])]
    graph, costs = Graph(jobs), {one: Cost(seconds=10) for one in jobs}
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=3)).seconds == pytest.approx(20 + 2 * BETWEEN)
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=2)).seconds == pytest.approx(30 + 3 * BETWEEN)
    assert plan_schedule(graph, costs, Machine(100, 8, gpus=1)).seconds == pytest.approx(30 + 3 * BETWEEN)


def test_a_job_that_asks_for_more_threads_than_there_are_cores_gets_all():
    one = job("a", threads=16)
    assert plan_schedule(Graph([one]), {one: Cost(seconds=10)}, Machine(100, 2, gpus=0)).seconds > 10


def test_a_kind_is_corrected_by_the_sum_of_its_seconds_and_its_worst_memory():
    jobs = [job(name, kind="train") for name in "ab"]
    seen = [
        (jobs[0], Cost(seconds=10, memory=100), Cost(seconds=30, memory=110)),
        (jobs[1], Cost(seconds=30, memory=100), Cost(seconds=50, memory=150)),
    ]
    found = calibrate(seen)
    assert found.jobs == 2
    corrected = found.correct(job("c", kind="train"), Cost(seconds=5, memory=10))
    assert corrected.seconds == pytest.approx(5 * (80 + 10) / (40 + 10))
    assert corrected.memory == pytest.approx(15)
    less = calibrate([(jobs[0], Cost(seconds=10, memory=100), Cost(seconds=1, memory=50))])
    assert less.correct(job("c", kind="train"), Cost(memory=10)).memory == 10
    assert found.correct(job("d", kind="rank"), Cost(seconds=5)).seconds == 5
    assert found.correct(job("e", kind="train", gpus=1), Cost(seconds=5)).seconds == 5


def test_no_observation_corrects_nothing():
    assert calibrate([]) == Calibration({}, 0)


@pytest.mark.parametrize("text", ["", "s\th:m:s\tmax_rss\n", "s\nsoon\n", "s\tmax_rss\n1.0\tmuch\n"])
def test_a_benchmark_file_that_tells_nothing_is_passed_over(tmp_path, text):
    (tmp_path / "b.tsv").write_text(text)
    assert read_benchmark(tmp_path / "b.tsv") is None
    assert read_benchmark(tmp_path / "none.tsv") is None


def test_a_benchmark_file_has_seconds_and_mebibytes(tmp_path):
    header = "s\th:m:s\tmax_rss\tmax_vms"
    (tmp_path / "b.tsv").write_text(f"{header}\n12.5\t0:00:12\t100.0\t1\n")
    took = read_benchmark(tmp_path / "b.tsv")
    assert (took.seconds, took.memory) == (12.5, 100 * 2**20)
    (tmp_path / "short.tsv").write_text(f"{header}\n0.2\t0:00:00\t-\t-\n")
    took = read_benchmark(tmp_path / "short.tsv")
    assert (took.seconds, took.memory) == (0.2, 0)
