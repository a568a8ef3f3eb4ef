"""Fusing runs, against the formulas."""

from __future__ import annotations

from typing import get_args

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.trec import read_run
from switchrank.formats.trec_writing import write_run
from switchrank.rank import fuse
from switchrank.rank.fuse import fuse_runs
from switchrank.search.choices import FusionMethod

SCORES = st.dictionaries(st.sampled_from([f"d{n}" for n in range(8)]), st.integers(0, 3), min_size=1)
RUNS = st.lists(st.dictionaries(st.sampled_from(["q1", "q2", "q3"]), SCORES, min_size=1), min_size=2, max_size=4)


def written(folder, name, found):
    """A run of scores by query and document."""
    rows = [(qid, docid, float(score)) for qid, scores in found.items() for docid, score in scores.items()]
    write_run(pl.DataFrame(rows, schema=["qid", "docid", "score"], orient="row"), folder / f"{name}.trec", name)
    return folder / f"{name}.trec"


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=RUNS, queries=st.sampled_from([1, 64]))
def test_reciprocal_ranks_are_added_up_and_equal_sums_go_by_docid(tmp_path, monkeypatch, found, queries):
    monkeypatch.setattr(fuse, "_QUERIES", queries)
    runs = [written(tmp_path, f"run{number}", scores) for number, scores in enumerate(found)]
    fuse_runs(runs=runs, out=tmp_path / "fused.trec", system="both")
    fused = read_run(tmp_path / "fused.trec")
    assert set(fused["qid"]) == {qid for scores in found for qid in scores}
    for (qid,), part in fused.group_by("qid"):
        sums: dict[str, float] = {}
        for run in runs:
            for docid, rank in read_run(run).filter(qid=qid).select("docid", "rank").iter_rows():
                sums[docid] = sums.get(docid, 0) + 1 / (60 + rank)
        expected = sorted(sums, key=lambda docid: (-float(f"{sums[docid]:.9g}"), docid))
        assert part["docid"].to_list() == expected
        assert part["score"].to_list() == pytest.approx([sums[docid] for docid in expected], rel=1e-8)


def test_scores_are_added_up_from_0_to_1_within_each_query(tmp_path):
    runs = [
        written(tmp_path, "one", {"q1": {"d1": 10, "d2": 5, "d3": 0}, "q2": {"d1": 1}}),
        written(tmp_path, "other", {"q1": {"d2": 0.9, "d4": 0.7, "d1": 0.4}}),
    ]
    words = ["--runs", *map(str, runs), "--method", "sum", "--depth", "3", "--out", str(tmp_path / "fused.trec")]
    assert main(["rank", "fuse", *words]) == 0
    fused = read_run(tmp_path / "fused.trec")
    assert fused.filter(qid="q1")["docid"].to_list() == ["d2", "d1", "d4"]
    assert fused.filter(qid="q1")["score"].to_list() == pytest.approx([1.5, 1.0, 0.6])
    assert fused.filter(qid="q2")["docid"].to_list() == ["d1"]


@pytest.mark.long
@pytest.mark.parametrize("method", get_args(FusionMethod))
def test_a_document_that_is_first_in_all_runs_is_first_by_every_method_and_bytes_are_equal(tmp_path, method):
    found = {"d7": 9.0, "d1": 5.0, "d3": 2.0, "d2": 1.0}
    runs = [written(tmp_path, "one", {"q1": found}), written(tmp_path, "other", {"q1": found | {"d1": 0.5, "d9": 3.0}})]
    for name in ("a", "b"):
        fuse_runs(runs=runs, out=tmp_path / f"{name}.trec", method=method)
    fused = read_run(tmp_path / "a.trec")
    assert fused["docid"][0] == "d7"
    assert sorted(fused["docid"]) == ["d1", "d2", "d3", "d7", "d9"]
    assert (tmp_path / "a.trec").read_bytes() == (tmp_path / "b.trec").read_bytes()


def test_what_cannot_be_fused_is_one_line(tmp_path):
    run = written(tmp_path, "one", {"q1": {"d1": 1}})
    (tmp_path / "empty.trec").write_text("")
    cases = [
        ({"runs": [run]}, "fuse: runs: 1 to fuse: give two or more"),
        ({"runs": [run, run], "method": "condorcet"}, "fuse: method: unknown method condorcet: write one of rrf, isr"),
        ({"runs": [run, tmp_path / "nowhere.trec"]}, "nowhere.trec: no such file"),
        ({"runs": [tmp_path / "empty.trec"] * 2}, "empty.trec: no lines: give runs that have some"),
        ({"runs": [run, run], "system": "two words"}, "'two words' is not one word"),
    ]
    for given_runs, problem in cases:
        with pytest.raises(UserError, match=problem) as told:
            fuse_runs(**given_runs, out=tmp_path / "fused.trec")
        assert "\n" not in str(told.value)
    assert not (tmp_path / "fused.trec").exists()
