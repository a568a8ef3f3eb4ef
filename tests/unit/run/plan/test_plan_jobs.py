"""The jobs of a run are those of Snakemake: what is read of them, when it is asked, and that nothing else changes."""

from __future__ import annotations

import subprocess
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import pytest
from tests.unit.planned import PAIRS, write_inputs

from switchrank.config.load import load_plan
from switchrank.core.errors import UserError
from switchrank.run.plan import jobs as of_snakemake
from switchrank.run.plan.jobs import Graph, Job, graph_to_plan, job_graph, keep_at_start, known_graph, read_jobs

R = "results/mini"


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_inputs(tmp_path)


@pytest.fixture
def graph(config):
    return job_graph(load_plan(config, {}))


@pytest.fixture
def silent(monkeypatch):
    """Snakemake may not be started."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("Snakemake was started"))


def made(name, inputs, outputs):
    return Job(name, name, tuple(inputs), tuple(outputs), f"results/x/logs/corpus/{name}.log")


def test_the_jobs_of_a_small_config_counted_by_hand(graph):
    rules = Counter(job.rule for job in graph.jobs)
    assert rules == {
        "collection_docs": 1,
        "dictionary_lexicon": 1,
        "instances": 2,
        "tokens": 3,
        "switch": 2,
        "tokenizer": 1,
        "initial_model": 1,
        "train_model": 4,
        "judgements": 2,
        "candidates": 2,
        "rank_random_docs": 1,
        "rank_bm25_docs": 1,
        "rank_zero_shot_en_en_docs": 2,
        "rank_ml_cs_xx_xx_docs": 2,
        "score_runs": 1,
        "main_table": 1,
        "tables": 1,
        "bias": 1,
        "overlap": 1,
        "shift": 1,
        "first_stage": 1,
        "exposure": 1,
        "testsets": 1,
        "coverage": 1,
        "mrr_picture": 1,
        "gain_picture": 1,
        "loss_picture": 1,
        "sentences": 1,
        "overlap_picture": 1,
        "shift_picture": 1,
        "warnings": 1,
        "table_page": 11,
        "report_zip": 1,
        "provenance": 1,
    }


def test_a_job_is_known_by_its_rule_its_script_its_files_and_its_wildcards(graph):
    (job,) = (job for job in graph.jobs if job.name == "train/ml-cs-xx-xx-seed2")
    assert (job.rule, job.kind, job.stage) == ("train_model", "train", "train")
    assert job.inputs[:2] == [f"{R}/corpora/ml-cs/xx-xx/train-00000.parquet", f"{R}/corpora/ml-cs/xx-xx/dev.parquet"]
    assert job.outputs[-1] == f"{R}/models/ml-cs/xx-xx/seed2/train.json"
    assert job.wildcards == {"system": "ml-cs", "train_pair": "xx-xx", "seed": "2"}
    assert job.log == f"{R}/logs/train/ml-cs-xx-xx-seed2.log"
    assert job.benchmark == f"{R}/benchmarks/train/ml-cs-xx-xx-seed2.tsv"
    assert next(job for job in graph.jobs if job.name == "report/zip").benchmark is None
    assert {job.stage for job in graph.jobs if job.rule in ("provenance", "report_zip")} == {"report"}


def test_a_job_asks_for_the_threads_gpus_and_processes_of_its_rule(config):
    text = config.read_text().replace("train: {", "train: {device: cuda, processes: 3, ")
    config.write_text(f"{text}rank: {{threads: 5}}\n")
    jobs = job_graph(load_plan(config, {})).jobs
    asked_for = {job.kind: (job.threads, job.gpus, job.processes) for job in jobs}
    assert asked_for["train"] == (3, 3, 3)
    assert asked_for["rank"] == (5, 1, 1)
    assert asked_for["switch"] == (1, 0, 1)


def test_a_corpus_that_is_not_written_is_a_record_and_its_models_read_what_it_names(config, graph):
    config.write_text(config.read_text().replace("lexicon: gold}", "lexicon: gold, materialise: sample}"))
    jobs = job_graph(load_plan(config, {})).jobs
    counted = Counter(job.rule for job in graph.jobs) - Counter(["switch"]) + Counter({"on_the_fly": 1, "sample": 1})
    assert Counter(job.rule for job in jobs) == counted
    trained = next(job for job in jobs if job.name == "train/ml-cs-xx-xx-seed1")
    assert trained.inputs[:2] == [f"{R}/corpora/ml-cs/xx-xx/on-the-fly.json", f"{R}/instances/docs/train.parquet"]
    assert f"{R}/lexicons/gold/en-qaa.parquet" in trained.inputs


def test_what_a_job_needs_comes_before_it(graph):
    place = {job: number for number, job in enumerate(graph.jobs)}
    assert all(place[need] < place[job] for job in graph.jobs for need in graph.needs(job))


def test_files_that_no_job_makes_are_the_inputs(graph):
    given = {file for job in graph.jobs for file in job.inputs} - graph.maker.keys()
    assert "data/docs.en.tsv" in given
    assert not any(file.startswith("results/") for file in given)


def test_the_jobs_behind_a_job_are_all_that_it_needs():
    jobs = [made("c", ["x"], ["z"]), made("b", ["x"], ["y"]), made("a", ["in"], ["x"])]
    graph = Graph(jobs)
    assert [job.rule for job in graph.jobs] == ["a", "b", "c"]
    assert graph.behind([jobs[1]]) == [jobs[2], jobs[1]]


def test_the_name_of_a_job_is_that_of_its_log_and_unique(graph):
    names = [job.name for job in graph.jobs]
    assert "train/ml-cs-xx-xx-seed2" in names
    assert len(set(names)) == len(names)


def test_inputs_that_are_not_there_change_nothing_and_nothing_is_written_here(config, graph, monkeypatch, tmp_path):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    for file in (config.parent / "data").iterdir():
        file.unlink()
    before = set(tmp_path.rglob("*"))
    found = job_graph(load_plan(config, {}))
    assert [asdict(job) for job in found.jobs] == [asdict(job) for job in graph.jobs]
    assert {path.relative_to(tmp_path).parts[0] for path in {*tmp_path.rglob("*")} - before} == {"cache"}


@pytest.mark.usefixtures("graph", "silent")
def test_snakemake_is_asked_once_for_one_config(config):
    assert len(job_graph(load_plan(config, {})).jobs) == 55


@pytest.mark.parametrize("change", ["config", "pairs", "code"])
@pytest.mark.usefixtures("graph", "silent")
def test_another_config_table_or_code_is_another_question(config, monkeypatch, change):
    if change == "config":
        config.write_text(config.read_text().replace("steps: 100", "steps: 101"))
    elif change == "pairs":
        (config.parent / "pairs.tsv").write_text(f"{PAIRS}qaa-qaa\tqaa\tqaa\tno\n")
    else:
        monkeypatch.setattr(of_snakemake, "_workflow_digest", lambda: "other code")
    with pytest.raises(pytest.fail.Exception, match="Snakemake was started"):
        job_graph(load_plan(config, {}))


@pytest.mark.usefixtures("silent")
def test_the_jobs_that_a_start_kept_are_those_of_the_run_until_its_config_changes(config):
    plan = load_plan(config.with_name(config.name), {})
    plan.config = plan.config.model_copy(update={"seeds": [7]})
    assert known_graph(plan) is None
    kept = {**asdict(made("b", ["x"], ["y"])), "again": "params have changed since last execution"}
    keep_at_start(plan, [kept])
    (job,) = job_graph(plan).jobs
    assert (job.rule, job.again) == ("b", "")
    plan.config = plan.config.model_copy(update={"seeds": [8]})
    assert [job.rule for job in known_graph(plan).jobs] == ["b"]
    with pytest.raises(pytest.fail.Exception):
        job_graph(plan)


@pytest.mark.parametrize("text", ["", "[]", '{"key": 1}', '{"key": "", "jobs": [{"rule": "x"}]}', '{"jobs": 3}'])
def test_a_note_of_jobs_that_cannot_be_read_is_none(config, text):
    plan = load_plan(config, {})
    note = Path(".snakemake/switchrank/mini.jobs.json")
    note.parent.mkdir(parents=True)
    note.write_text(text)
    assert known_graph(plan) is None


def test_jobs_are_not_kept_where_nothing_can_be_written(config):
    Path(".snakemake").touch()
    keep_at_start(load_plan(config, {}), [])
    assert known_graph(load_plan(config, {})) is None


def test_of_a_run_that_has_begun_snakemake_tells_which_jobs_would_run(config):
    plan = load_plan(config, {})
    Path(plan.folder).mkdir(parents=True)
    assert all(job.again for job in graph_to_plan(plan).jobs)


def test_where_snakemake_is_not_installed_that_is_one_line(config, monkeypatch):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(config.parent / "empty"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"^Snakemake: is not there to tell the jobs of a run: install it"):
        job_graph(load_plan(config, {}))


def test_what_snakemake_says_when_it_cannot_tell_is_told(config, monkeypatch):
    monkeypatch.setenv("SWITCHRANK_CACHE", str(config.parent / "empty"))
    plan = load_plan(config, {})
    plan.given = {**plan.given, "seeds": "none"}
    with pytest.raises(UserError, match=r"cannot tell the jobs of run mini \(.*seeds.*\): look at what snakemake -n"):
        job_graph(plan)


def test_what_tells_of_something_else_is_an_error():
    with pytest.raises((KeyError, TypeError)):
        read_jobs([{"rule": "x"}])
