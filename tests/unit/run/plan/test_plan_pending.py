"""What would be made again counts as work that is left, though the files are there."""

from __future__ import annotations

import pytest
from tests.unit.planned import write_inputs

from switchrank.config.checked import load_plan
from switchrank.run.plan.estimate import estimate_run
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.pending import COLUMNS, read_summary
from switchrank.run.plan.table import as_json, as_text

SUMMARY = [
    "results/a.csv\tMon\ttables\t-\tok\tno update",
    "results/b.csv\tMon\tbias\t-\tparams changed\tupdate pending",
    "results/c.csv\tMon\tshift\t-\tok\tupdate pending",
    "results/d.csv\t-\toverlap\t-\tmissing\tupdate pending",
]


def test_pending_files_that_are_there_are_told_with_the_reason():
    assert read_summary(["\t".join(COLUMNS), *SUMMARY]) == {
        "results/b.csv": "params changed",
        "results/c.csv": "what they read is made again",
    }


@pytest.mark.parametrize("lines", [[], ["Building DAG of jobs..."], ["output_file\trule"]])
def test_what_is_no_summary_tells_nothing(lines):
    assert read_summary(lines) is None


def test_a_job_that_would_run_again_is_not_done(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = load_plan(write_inputs(tmp_path), {})
    lexicon = tmp_path / "results/mini/lexicons/gold/en-qaa.parquet"
    lexicon.parent.mkdir(parents=True)
    lexicon.touch()
    machine = Machine(10.0, 1)
    kept = estimate_run(plan, machine)
    assert [job.name for job in kept.done] == ["lexicon/gold-qaa"]
    again = estimate_run(plan, machine, pending={str(lexicon.relative_to(tmp_path)): "params changed"})
    assert not again.done
    assert again.remaining.seconds > kept.remaining.seconds
    assert "to run again: 1 jobs whose outputs are there (1 params changed)" in as_text(again)
    told = {job["name"]: job["again"] for job in as_json(again)["jobs"]}
    assert told["lexicon/gold-qaa"] == "params changed"
    assert told["sources/docs"] is None
