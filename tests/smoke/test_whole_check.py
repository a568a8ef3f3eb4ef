"""Mistakes cost nothing that is there: a start with one ends before a job begins; a plan counts what will run again."""

from __future__ import annotations

import json

import pytest

from switchrank.cli import main
from tests.conftest import Workflow
from tests.unit.planned import write_inputs

LEXICON = "results/mini/lexicons/gold/en-qaa.parquet"
MODEL = "results/mini/models/zero-shot/en-en/seed1/model.safetensors"


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """A run that has its lexicon."""
    folder = tmp_path_factory.mktemp("begun")
    workflow = Workflow(folder, write_inputs(folder))
    workflow.run(LEXICON)
    return workflow


def edited(workflow, old, new):
    """The same run with a change to its config, which is put back by the fixture's next user."""
    text = workflow.config.read_text()
    assert old in text
    other = workflow.folder / "changed.yaml"
    other.write_text(text.replace(old, new))
    return Workflow(workflow.folder, other)


def test_settings_that_training_would_refuse_end_a_start_before_anything_is_removed(begun):
    model = begun.folder / MODEL
    model.parent.mkdir(parents=True, exist_ok=True)
    model.write_text("finished")
    changed = edited(begun, "steps: 100, batch_size: 32, warmup: 10", "steps: 20, batch_size: 32")
    for words in ([], ["-n"], [MODEL]):
        done = changed.run(*words, check=False)
        assert done.returncode == 2
        assert "changed.yaml: train.warmup: 5000 of 20 steps (its default): warm up for less" in done.stdout
    assert model.read_text() == "finished"


def test_a_start_tells_every_missing_input_in_a_line_and_makes_what_does_not_need_them(begun):
    changed = edited(begun, "path: data/en-qaa.tsv", "path: data/none.tsv")
    (begun.folder / "data/qrels.test.tsv").rename(begun.folder / "kept.tsv")
    (begun.folder / LEXICON).rename(begun.folder / "kept.parquet")
    try:
        done = changed.run(check=False)
        lines = [line for line in done.stdout.splitlines() if "no such file" in line]
        assert done.returncode == 2
        assert [line.partition(": ")[2] for line in lines] == [
            "collections.docs: no such file: data/qrels.test.tsv: correct the path, or put the file there",
            "lexicons.gold: no such file: data/none.tsv: correct the path, or put the file there",
        ]
        begun.run(LEXICON)
    finally:
        (begun.folder / "kept.tsv").rename(begun.folder / "data/qrels.test.tsv")
        (begun.folder / "kept.parquet").rename(begun.folder / LEXICON)


def test_a_plan_counts_the_jobs_that_will_run_again(begun, monkeypatch, capsys):
    monkeypatch.chdir(begun.folder)
    changed = edited(begun, "path: data/en-qaa.tsv", "path: data/en-qaa.tsv, reverse: true")
    found = {}
    for name, config in {"as it is": begun.config, "changed": changed.config}.items():
        assert main(["plan", str(config), "--json", "--gflops", "10"]) == 0
        jobs = {job["name"]: job for job in json.loads(capsys.readouterr().out)["jobs"]}
        found[name] = jobs["lexicon/gold-qaa"]["done"], jobs["lexicon/gold-qaa"]["again"]
    assert found == {"as it is": (True, None), "changed": (False, "params changed")}
