"""The graph of jobs, without Snakemake: what there is, in which order, what needs what."""

from collections import Counter

import pytest
from tests.unit.planned import write_inputs

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from switchrank.run.plan.graph import job_graph
from switchrank.run.plan.jobs import Graph, Job


@pytest.fixture
def graph(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return job_graph(Plan(load_config(write_inputs(tmp_path), {}), [tmp_path]))


def made(name, inputs, outputs):
    return Job(name, name, "corpus", tuple(inputs), tuple(outputs), f"results/x/logs/corpus/{name}.log", None)


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


@pytest.mark.parametrize(("kept", "more"), [("sample", {"on_the_fly": 1, "sample": 1}), ("false", {"on_the_fly": 1})])
def test_a_corpus_that_is_not_written_is_a_record_and_its_models_read_what_it_names(graph, tmp_path, kept, more):
    config = tmp_path / "mini.yaml"
    config.write_text(config.read_text().replace("lexicon: gold}", f"lexicon: gold, materialise: {kept}}}"))
    plan = Plan(load_config(config, {}), [tmp_path])
    jobs = job_graph(plan).jobs
    assert Counter(job.rule for job in jobs) == Counter(job.rule for job in graph.jobs) + Counter(more) - Counter(
        ["switch"]
    )
    R = "results/mini"
    trained = next(job for job in jobs if job.name == "train/ml-cs-xx-xx-seed1")
    assert trained.inputs[:3] == (
        f"{R}/corpora/ml-cs/xx-xx/on-the-fly.json",
        f"{R}/corpora/ml-cs/xx-xx/dev.parquet",
        f"{R}/instances/docs/train.parquet",
    )
    assert f"{R}/lexicons/gold/en-qaa.parquet" in trained.inputs
    assert f"{R}/tokens/docs/unicode/queries-dev/keys.parquet" not in trained.inputs
    (sentences,) = (job for job in jobs if job.rule == "sentences")
    name = {"sample": ["train-00000", "sample"], "false": ["dev", "dev"]}[kept]
    assert sentences.inputs[:2] == (
        f"{R}/corpora/english/en-en/{name[0]}.parquet",
        f"{R}/corpora/ml-cs/xx-xx/{name[1]}.parquet",
    )


def test_what_a_job_needs_comes_before_it(graph):
    place = {job: number for number, job in enumerate(graph.jobs)}
    assert all(place[need] < place[job] for job in graph.jobs for need in graph.needs(job))


def test_files_that_no_job_makes_are_the_inputs(graph):
    given = {file for job in graph.jobs for file in job.inputs} - graph.maker.keys()
    assert "data/docs.en.tsv" in given
    assert not any(file.startswith("results/") for file in given)


def test_jobs_that_nobody_needs_are_left_out():
    jobs = [made("a", ["in"], ["x"]), made("b", ["x"], ["y"]), made("c", ["x"], ["z"])]
    graph = Graph(jobs, ["y"])
    assert [job.rule for job in graph.jobs] == ["a", "b"]
    assert graph.behind([jobs[1]]) == {jobs[0], jobs[1]}


def test_the_name_of_a_job_is_that_of_its_log_and_unique(graph):
    names = [job.name for job in graph.jobs]
    assert "train/ml-cs-xx-xx-seed2" in names
    assert len(set(names)) == len(names)
