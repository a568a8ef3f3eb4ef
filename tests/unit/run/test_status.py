"""``switchrank status``: told from files in a folder made by hand."""

import json
import os
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planned import write_inputs

from switchrank.cli import main
from switchrank.config.load import load_plan, read_yaml
from switchrank.core.job import FAILED
from switchrank.core.locks import hold_run
from switchrank.run.notes import Start, last_start, remember_start
from switchrank.run.plan.costs import FORMULAS
from switchrank.run.plan.jobs import job_graph, keep_at_start
from switchrank.run.status import read_tail

BAR = "train:  45%|####5     | 23.0k/51.2k [00:10<01:20, 1.20k pairs/s, loss=0.1234]"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The folder of a run that was started, its jobs by name."""
    monkeypatch.chdir(tmp_path)
    config = write_inputs(tmp_path)
    remember_start("mini", Start(read_yaml(config), str(config), str(tmp_path), 2))
    (tmp_path / "results/mini").mkdir(parents=True)
    jobs = job_graph(load_plan(config, {})).jobs
    return {job.name: job for job in jobs}


def write(path, text=""):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def finish(job):
    for output in job.outputs:
        write(output)


def shown(capsys, *words):
    assert main(["status", *words]) == 0
    return capsys.readouterr().out


def test_a_run_that_stopped_shows_what_is_done_and_what_was_cut_off(run, capsys):
    finish(run["sources/docs"])
    write(run["train/ml-cs-xx-xx-seed1"].log, f"{BAR}\n")
    told = shown(capsys, "mini")
    assert told.startswith("run mini: no process here makes it; start it again and it goes on\n")
    assert "sources      1     1\n" in told
    assert (
        "stopped:\n  train/ml-cs-xx-xx-seed1  train 45% 23.0k/51.2k [00:10<01:20, 1.20k pairs/s, loss=0.1234]" in told
    )
    assert "1 of 55 jobs" in told


def test_a_run_that_is_being_made_shows_rate_time_left_and_loss(run, capsys):
    lock = hold_run("mini", ".snakemake")
    write(run["train/ml-cs-xx-xx-seed1"].log, f"{BAR}\r")
    told = shown(capsys)
    assert told.startswith("run mini: a process makes it, started ")
    assert "running:\n  train/ml-cs-xx-xx-seed1  train 45%" in told
    assert "a rough guess, nothing is measured yet" in told
    lock.close()


def test_a_log_of_an_earlier_start_tells_nothing_of_this_one(run, capsys):
    lock = hold_run("mini", ".snakemake")
    log = run["lexicon/gold-qaa"].log
    write(log, "something\n")
    os.utime(log, (time.time() - 3600,) * 2)
    assert "running:" not in shown(capsys, "mini")
    lock.close()


def test_a_job_that_met_an_error_is_failed_and_its_log_is_named(run, capsys):
    lock = hold_run("mini", ".snakemake")
    write(run["lexicon/gold-qaa"].log, f"data/en-qaa.tsv: line 3: no tab: add it\n{FAILED} 2\n")
    assert "failed:\n  lexicon/gold-qaa  see results/mini/logs/lexicon/gold-qaa.log" in shown(capsys, "mini")
    lock.close()


def test_what_was_refused_is_told_and_to_be_put_right_before_the_next_start(run, capsys):
    write(run["lexicon/gold-qaa"].log, f"data/en-qaa.tsv: line 3: no tab: add it\n{FAILED} 2\n")
    told = shown(capsys, "mini")
    assert told.startswith(
        "run mini: no process here makes it; put right what failed jobs say below, then start it again\n"
    )
    said = "data/en-qaa.tsv: line 3: no tab: add it"
    assert f"failed:\n  lexicon/gold-qaa  see results/mini/logs/lexicon/gold-qaa.log: {said}\n" in told


@pytest.mark.parametrize("end", [f"Traceback\n{FAILED} 1\n", f"{FAILED} 2\n", f"{FAILED} 75\n"])
def test_what_may_go_well_the_next_time_is_started_again(run, capsys, end):
    write(run["lexicon/gold-qaa"].log, end)
    assert shown(capsys, "mini").startswith("run mini: no process here makes it; start it again and it goes on\n")


def test_the_last_values_come_from_train_json_or_from_the_last_checkpoint(run, capsys):
    done = run["train/zero-shot-en-en-seed1"]
    finish(done)
    record = {"params": {"steps": 100}, "loss": [[50, 0.5], [100, 0.25]], "dev": [{"step": 100, "mrr@10": 0.75}]}
    write(next(output for output in done.outputs if output.endswith("train.json")), json.dumps(record))
    folder = "results/mini/models/ml-cs/xx-xx/.work-seed1/abc"
    for step, loss in ((9, 0.9), (50, 0.4)):
        state = {"step": step, "history": {"loss": [[step, loss]], "dev": []}}
        write(f"{folder}/step-{step:09d}/state.json", json.dumps(state))
    told = " ".join(shown(capsys, "mini").split())
    assert "train/zero-shot-en-en-seed1 100 100 0.2500 0.7500" in told
    assert "train/ml-cs-xx-xx-seed1 50 100 0.4000" in told


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"step": "x", "history": 3}', '{"history": {"loss": [[1]]}, "step": 1}']
)
@pytest.mark.usefixtures("run")
def test_a_checkpoint_that_cannot_be_read_is_no_curve(capsys, text):
    write("results/mini/models/ml-cs/xx-xx/.work-seed1/abc/step-000000001/state.json", text)
    assert "1 of 52" not in shown(capsys, "mini")


def test_a_cost_that_nobody_knows_makes_the_time_left_a_lower_bound(run, capsys, monkeypatch):
    finish(run["sources/docs"])
    assert "; about " in shown(capsys, "mini").splitlines()[-1]
    monkeypatch.delitem(FORMULAS, "tables")
    assert "; at least " in shown(capsys, "mini").splitlines()[-1]


def test_a_look_at_a_run_that_kept_its_jobs_starts_nothing(run, capsys, monkeypatch):
    before = shown(capsys, "mini")
    keep_at_start(load_plan("mini.yaml", {}), [asdict(job) for job in run.values()])
    monkeypatch.setenv("SWITCHRANK_CACHE", "none")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("Snakemake was started"))
    assert shown(capsys, "mini") == before


def test_a_finished_run_has_nothing_left(run, capsys):
    for job in run.values():
        finish(job)
    told = shown(capsys, "mini")
    assert told.startswith("run mini: finished\n")
    assert told.endswith("all 55 jobs done\n")


@pytest.mark.usefixtures("run")
def test_what_must_be_known_before_results_are_believed_is_told(capsys):
    write("results/mini/tables/warnings.csv", "kind,subject,warning\nqueries,docs,docs has few queries\n")
    assert "\n\nwarning: docs has few queries\n\n" in shown(capsys, "mini")
    write("results/mini/tables/warnings.csv", "kind,sub")
    assert "warning" not in shown(capsys, "mini").replace("warnings", "")


@pytest.mark.usefixtures("run")
def test_a_run_is_known_by_its_config_too(capsys):
    assert shown(capsys, "mini.yaml") == shown(capsys, "mini")


def test_a_run_whose_variables_are_not_set_here_is_shown_all_the_same(run, capsys, tmp_path, monkeypatch):
    """It may have been started from another shell."""
    finish(run["sources/docs"])
    before = shown(capsys, "mini")
    config = tmp_path / "mini.yaml"
    config.write_text(config.read_text().replace("path: data/en-qaa.tsv", 'path: "${SOMEWHERE}/en-{lang}.tsv"'))
    remember_start("mini", Start(read_yaml(config), str(config), str(tmp_path), 2))
    monkeypatch.delenv("SOMEWHERE", raising=False)
    assert shown(capsys, "mini") == before


@pytest.mark.usefixtures("run")
def test_a_run_that_is_not_there_is_one_line(capsys, tmp_path):
    assert main(["status", "none"]) == 2
    assert capsys.readouterr().err == "results/none: no such run: known here: mini\n"
    (tmp_path / "results/more").mkdir()
    assert main(["status"]) == 2
    assert capsys.readouterr().err == "results: 2 runs: name one: mini, more\n"
    assert main(["status", "more"]) == 2
    assert "what it was started with is not kept: give its config file instead" in capsys.readouterr().err


def test_a_config_that_was_never_started_says_how_to_start_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_inputs(tmp_path)
    assert main(["status", "mini.yaml"]) == 2
    assert "has not been started here: snakemake --configfile mini.yaml" in capsys.readouterr().err
    assert main(["status"]) == 2
    assert capsys.readouterr().err == "results: no run here: call it in the folder that holds results/\n"


@pytest.mark.usefixtures("run")
def test_a_run_made_elsewhere_is_known_by_its_provenance(tmp_path):
    (tmp_path / ".snakemake/switchrank/mini.json").unlink()
    assert last_start("mini") is None
    write("results/mini/provenance.json", json.dumps({"config": read_yaml("mini.yaml")}))
    assert last_start("mini").config["run"] == "mini"


@pytest.mark.usefixtures("run")
@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"config": [], "file": "", "root": "", "cores": 1, "gpus": 1, "began": 0}']
)
def test_a_note_of_a_start_that_cannot_be_read_is_none(text):
    write(".snakemake/switchrank/mini.json", text)
    assert last_start("mini") is None


def test_a_start_is_not_kept_where_nothing_can_be_written(tmp_path):
    (tmp_path / "file").touch()
    remember_start("x", Start({}, "x.yaml"), tmp_path / "file")
    assert last_start("x", tmp_path / "file") is None


def test_the_end_of_a_log_is_read_whatever_its_length(tmp_path):
    log = tmp_path / "x.log"
    log.write_text("line\n" * 100_000 + BAR.replace("01:20", "1:02:03") + "\r")
    tail = read_tail(log)
    assert (tail.seconds_left, tail.loss) == (3723, 0.1234)
    assert read_tail(tmp_path / "none.log") is None


@given(st.binary(max_size=300))
def test_any_bytes_are_a_log(tmp_path_factory, raw):
    log = tmp_path_factory.mktemp("log") / "x.log"
    log.write_bytes(raw)
    assert read_tail(log) is not None
