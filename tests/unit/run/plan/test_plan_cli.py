"""``switchrank plan``: what it prints, and how earlier runs correct it."""

import json
import re
from dataclasses import asdict

import pytest
from tests.unit.planned import write_inputs

from switchrank.cli import main
from switchrank.config.load import read_yaml
from switchrank.run.notes import Start, remember_start, started_plan
from switchrank.run.plan.cli import amount, columns, duration
from switchrank.run.plan.jobs import job_graph, keep_at_start


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return write_inputs(tmp_path)


def planned(capsys, config, *words):
    assert main(["plan", str(config), "--cores", "2", "--gflops", "100", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def keep_start(run, config):
    """Leave the notes that a whole start of a config leaves, under another name of the run perhaps."""
    remember_start(run, Start(read_yaml(config) | {"run": run}, str(config), str(config.parent), 2))
    started = started_plan(run)
    assert started
    keep_at_start(started[0], [asdict(job) for job in job_graph(started[0]).jobs])


def benchmark(run, name, seconds, memory):
    path = run / "benchmarks" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:00\t{memory}\n")


def test_the_text_names_stages_systems_critical_path_and_disk(config, capsys):
    assert main(["plan", str(config), "--cores", "2", "--gflops", "100"]) == 0
    told = capsys.readouterr().out
    assert re.search(r"^train +train +4 ", told, re.MULTILINE)
    for words in ("zero-shot", "wall time:", "critical path:", "free here:", "not corrected by any earlier run"):
        assert words in told
    assert "guessed" not in told


def test_the_json_adds_up(config, capsys):
    told = planned(capsys, config)
    assert len(told["jobs"]) == 55
    assert sum(stage["jobs"] for stage in told["stages"]) == 55
    assert sum(job["seconds"] for job in told["jobs"]) == pytest.approx(
        sum(stage["seconds"] for stage in told["stages"])
    )
    assert told["critical_path"]["seconds"] <= told["wall"] <= 55 + sum(job["seconds"] for job in told["jobs"])
    own = sum(
        job["seconds"] for job in told["jobs"] if "ml-cs-xx-xx" in job["name"] and job["kind"] in ("train", "rank")
    )
    assert told["systems"]["ml-cs"]["own"] == pytest.approx(own)
    assert told["systems"]["ml-cs"]["from_nothing"] > own


def ratio(times, seconds):
    """The correction by one job that took so many times what was estimated."""
    return (times * seconds + 10) / (seconds + 10)


def test_benchmark_files_of_the_same_run_correct_it(config, capsys, tmp_path):
    before = planned(capsys, config)
    seconds = {job["name"]: job["seconds"] for job in before["jobs"]}
    benchmark(tmp_path / "results/mini", "train/ml-cs-xx-xx-seed1", 3 * seconds["train/ml-cs-xx-xx-seed1"], 2000)
    after = planned(capsys, config)
    assert after["calibrated_by"] == 1
    corrected = {job["name"]: job for job in after["jobs"]}
    name, factor = "train/zero-shot-en-en-seed2", ratio(3, seconds["train/ml-cs-xx-xx-seed1"])
    assert corrected[name]["seconds"] == pytest.approx(factor * seconds[name])
    assert corrected["train/ml-cs-xx-xx-seed1"]["memory"] == pytest.approx(2000 * 2**20)
    assert corrected["rank/ml-cs-xx-xx-docs-seed1"]["seconds"] == seconds["rank/ml-cs-xx-xx-docs-seed1"]
    assert planned(capsys, config, "--uncalibrated")["jobs"] == before["jobs"]


def test_another_run_corrects_the_kinds_that_this_one_has_not_had(config, capsys, tmp_path):
    keep_start("other", config)
    seconds = {job["name"]: job["seconds"] for job in planned(capsys, config)["jobs"]}
    train, rank = "train/ml-cs-xx-xx-seed1", "rank/ml-cs-xx-xx-docs-seed1"
    benchmark(tmp_path / "results/other", train, 5 * seconds[train], 100)
    benchmark(tmp_path / "results/other", rank, 5 * seconds[rank], 100)
    benchmark(tmp_path / "results/mini", train, 2 * seconds[train], 100)
    found = {job["name"]: job["seconds"] for job in planned(capsys, config)["jobs"]}
    assert found[train] == pytest.approx(ratio(2, seconds[train]) * seconds[train])
    assert found[rank] == pytest.approx(ratio(5, seconds[rank]) * seconds[rank])


def test_a_run_whose_inputs_are_not_here_corrects_no_other(config, capsys, tmp_path):
    """What its jobs had to do is a guess, by which they would have been a thousand times too fast."""
    other = tmp_path / "other.yaml"
    text = config.read_text().replace("run: mini", "run: other")
    other.write_text(text.replace("documents: data/docs.{lang}.tsv", 'documents: "${GONE}/docs.{lang}.tsv"'))
    keep_start("other", other)
    before = planned(capsys, config)["jobs"]
    benchmark(tmp_path / "results/other", "train/ml-cs-xx-xx-seed1", 50, 2000)
    after = planned(capsys, config)
    assert (after["calibrated_by"], after["jobs"]) == (0, before)


def test_a_run_whose_start_kept_no_note_of_its_jobs_corrects_no_other(config, capsys, tmp_path):
    keep_start("other", config)
    benchmark(tmp_path / "results/other", "train/ml-cs-xx-xx-seed1", 50, 2000)
    assert planned(capsys, config)["calibrated_by"] == 1
    (tmp_path / ".snakemake/switchrank/other.jobs.json").unlink()
    assert planned(capsys, config)["calibrated_by"] == 0


def test_inputs_that_are_not_here_are_listed_and_end_nothing(config, capsys):
    (config.parent / "data/docs.en.tsv").unlink()
    assert planned(capsys, config)["assumed"] == ["data/docs.en.tsv"]
    assert main(["plan", str(config), "--gflops", "100"]) == 0
    assert "guessed: 1 input file(s) are not here" in capsys.readouterr().out


def test_a_benchmark_goes_by_the_config_that_it_was_made_with(config, capsys, tmp_path):
    seconds = {job["name"]: job["seconds"] for job in planned(capsys, config)["jobs"]}
    keep_start("mini", config)
    name = "train/ml-cs-xx-xx-seed1"
    benchmark(tmp_path / "results/mini", name, 2 * seconds[name], 100)
    config.write_text(config.read_text().replace("steps: 100", "steps: 10000"))
    raw = {job["name"]: job["seconds"] for job in planned(capsys, config, "--uncalibrated")["jobs"]}
    found = {job["name"]: job["seconds"] for job in planned(capsys, config)["jobs"]}
    assert found[name] == pytest.approx(ratio(2, seconds[name]) * raw[name])


def test_a_mistake_in_the_config_is_one_line(config, capsys):
    config.write_text(config.read_text().replace("steps: 100", "stepps: 100"))
    assert main(["plan", str(config)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [("--cores", "0"), ("--gpus", "-1"), ("--gflops", "-5"), ("--gflops", "nan"), ("--gpu-tflops", "0")],
)
def test_a_machine_that_cannot_be_is_one_line(config, capsys, option, value):
    assert main(["plan", str(config), option, value]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"plan: {option}: {value}")
    assert told.count("\n") == 1


def test_numbers_for_people():
    assert [duration(seconds) for seconds in (4.6, 600, 9000, 259_200)] == ["5 s", "10 min", "2.5 h", "3.0 d"]
    assert [amount(number, "B") for number in (5, 1500, 23e6, 2e21)] == ["5 B", "1.5 kB", "23 MB", "2000 EB"]
    assert columns([["a", "1"], ["bcd", "22"]], 1) == "a     1\nbcd  22"
