"""Means over the language pairs of a setup, worked out by hand, and their tests against SciPy's."""

import polars as pl
import pytest
from scipy.stats import ttest_rel

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.setups import macro_average, setups_table
from switchrank.evaluate.summary import setups_text
from switchrank.evaluate.tables import Sample, Settings
from switchrank.formats.tables import PER_QUERY, SETUPS, read_table, write_table

SETTINGS = Settings(baseline="mono", resamples=20)
MONO = {("de", "de"): [0.5, 0.25, 0.75], ("en", "en"): [1.0, 0.5, 0.5], ("de", "en"): [0.25, 0.5, 0.25]}
HYBRID = {("de", "de"): [0.5, 0.5, 1.0], ("en", "en"): [1.0, 0.25, 1.0], ("de", "en"): [0.5, 1.0, 0.25]}
WORSE = {pair: [value / 2 for value in values] for pair, values in MONO.items()}


def of(systems, seed=1):
    """Scores by run of ``{system: {pair: values}}``."""
    return {(system, *pair, seed): values for system, pairs in systems.items() for pair, values in pairs.items()}


@pytest.fixture
def averaged(scored, tmp_path):
    """Make the table of some scores and give its rows by system and setup."""

    def make(values, metric="map", settings=SETTINGS, **more):
        path = scored(values, metric=metric, **more)
        setups_table(per_query=[path], out=tmp_path / "setups.csv", metrics=[metric], settings=settings)
        rows = read_table(tmp_path / "setups.csv", SETUPS).to_dicts()
        return {(row["system"], row["setup"]): row for row in rows}

    return make


def test_a_value_is_the_mean_over_pairs_of_means_over_queries_and_seeds(averaged):
    second = of({"hybrid": {pair: [0.0, 0.0, 0.0] for pair in HYBRID}}, seed=2)
    rows = averaged(of({"mono": MONO, "hybrid": HYBRID}) | second)
    assert set(rows) == {(system, setup) for system in ("mono", "hybrid") for setup in ("moir", "clir")}
    assert rows["mono", "moir"]["value"] == pytest.approx((0.5 + 2 / 3) / 2)
    hybrid = rows["hybrid", "moir"]
    assert hybrid["value"] == pytest.approx((2 / 3 + 0.75) / 2 / 2)
    assert hybrid["delta"] == pytest.approx(hybrid["value"] - rows["mono", "moir"]["value"])
    assert [hybrid[name] for name in ("baseline", "pairs", "queries", "seeds")] == ["mono", 2, 3, 2]
    assert rows["mono", "moir"]["delta"] is None


def test_the_test_is_that_of_scipy_over_queries_and_holm_corrects_all_systems_and_setups_together(averaged):
    rows = averaged(of({"mono": MONO, "hybrid": HYBRID, "worse": WORSE}))
    asked = [[sum(pair) / 2 for pair in zip(one["de", "de"], one["en", "en"], strict=True)] for one in (HYBRID, MONO)]
    expected = ttest_rel(*asked)
    hybrid = rows["hybrid", "moir"]
    assert hybrid["p_value"] == pytest.approx(expected.pvalue, rel=1e-9)
    interval = expected.confidence_interval()
    assert (hybrid["ci_low"], hybrid["ci_high"]) == pytest.approx((interval.low, interval.high))
    tested = [row for row in rows.values() if row["test"]]
    assert {(row["family"], row["family_size"]) for row in tested} == {("map", 4)}
    smallest = min(tested, key=lambda row: row["p_value"])
    assert smallest["p_corrected"] == pytest.approx(min(1, 4 * smallest["p_value"]))


def test_pairs_of_different_queries_count_alike_however_many_queries_they_have():
    """.25 over one query and .75 over three, the third of which is in both pairs: it adds to both."""
    few = Sample(pl.Series(["c"]), pl.Series([0.25]).to_numpy(), 2)
    many = Sample(pl.Series(["a", "b", "c"]), pl.Series([1.0, 0.5, 0.75]).to_numpy(), 1)
    both = macro_average([few, many])
    assert both.qids.to_list() == ["a", "b", "c"]
    assert both.values.tolist() == pytest.approx([0.5, 0.25, 0.375 + 0.375])
    assert both.values.mean() == pytest.approx((0.25 + 0.75) / 2)
    assert both.seeds == 1


def test_a_system_that_lacks_a_pair_has_no_mean_and_without_the_baseline_there_is_no_test(averaged):
    some = {pair: values for pair, values in HYBRID.items() if pair != ("en", "en")}
    rows = averaged(of({"mono": MONO, "hybrid": some}))
    assert set(rows) == {("mono", "moir"), ("mono", "clir"), ("hybrid", "clir")}
    rows = averaged(of({"hybrid": HYBRID, "worse": WORSE}))
    assert {(row["delta"], row["family"], row["test"]) for row in rows.values()} == {(None, None, None)}
    assert rows["worse", "clir"]["value"] == pytest.approx(1 / 6)


def test_a_system_without_candidates_for_a_query_has_no_mean_of_ranks(scored, tmp_path, capsys):
    """In metrics such queries score 0; ranks they have none, and means over other queries are no comparison."""
    whole = scored(
        {("mono", "en", "xx", 1): [9.0, 4.0, 8.0], ("hybrid", "en", "xx", 1): [3.0, 5.0, 2.0]}, metric="max_rank"
    )
    part = scored({("bm25", "en", "xx", 1): [9.0, 1.0]}, metric="max_rank", testset="part")
    scores = [read_table(path, PER_QUERY).with_columns(testset=pl.lit("pool")) for path in (whole, part)]
    write_table(pl.concat(scores), tmp_path / "ranks.parquet", PER_QUERY)
    setups_table(
        per_query=[tmp_path / "ranks.parquet"], metrics=["max_rank"], settings=SETTINGS, out=tmp_path / "setups.csv"
    )
    told = read_table(tmp_path / "setups.csv", SETUPS)
    assert dict(told.select("system", "value").rows()) == {"mono": 7.0, "hybrid": pytest.approx(10 / 3)}
    assert capsys.readouterr().err == "setups: bm25 has no candidates for some queries of pool en-xx: left out\n"


def test_references_are_a_family_of_their_own(averaged):
    rows = averaged(of({"mono": MONO, "hybrid": HYBRID, "bm25": WORSE}))
    families = {system: (rows[system, "moir"]["family"], rows[system, "moir"]["family_size"]) for system, _ in rows}
    assert families == {"mono": (None, None), "hybrid": ("map", 2), "bm25": ("map references", 2)}


def test_the_order_of_scores_changes_no_byte_and_systems_stand_as_declared(scored, tmp_path):
    values = of({"mono": MONO, "hybrid": HYBRID, "bm25": WORSE})
    made = []
    for order in (list(values), list(values)[::-1]):
        path = scored({key: values[key] for key in order}, metric="map")
        systems = ["hybrid", "mono"]
        setups_table(per_query=[path], out=tmp_path / "setups.csv", settings=SETTINGS, systems=systems)
        made.append((tmp_path / "setups.csv").read_bytes())
    assert made[0] == made[1]
    told = read_table(tmp_path / "setups.csv", SETUPS)
    assert told["system"].unique(maintain_order=True).to_list() == ["hybrid", "mono", "bm25"]


def test_a_measure_without_scores_is_told_in_one_line(scored, tmp_path):
    path = scored(of({"mono": MONO}), metric="map")
    with pytest.raises(UserError, match=r"metric: no max_rank: name measures that were evaluated"):
        setups_table(per_query=[path], out=tmp_path / "setups.csv", metrics=["map", "max_rank"])


def test_the_text_marks_what_is_better_where_less_is(scored, tmp_path):
    good = {("en", "xx"): [10.0, 20.0, 31.0, 40.0]}
    bad = {("en", "xx"): [110.0, 120.0, 130.0, 140.0]}
    path = scored(of({"mono": bad, "hybrid": good}), metric="rank_distance", testset="pool")
    setups_table(per_query=[path], out=tmp_path / "setups.csv", metrics=["rank_distance"], settings=SETTINGS)
    assert setups_text(tmp_path / "setups.csv").splitlines() == [
        "rank_distance (less is better), means over the language pairs of a setup",
        "",
        "               pool MLIR",
        "hybrid     25.2   -99.8*",
        "mono      125.0",
        "",
        "Signed numbers: difference to mono. * significantly better, ! significantly worse:",
        "two-sided paired t-test over queries, Holm's correction over all test sets.",
    ]


def test_the_command_averages_and_show_tells_it(scored, tmp_path, capsys):
    path = scored(of({"mono": MONO, "hybrid": HYBRID}), metric="map")
    tables = ["evaluate", "tables", "--per-query", str(path), "--run-name", "r", "--out", str(tmp_path), "--seen", "de"]
    assert main([*tables, "--baseline", "mono", "--tested", "map"]) == 0
    words = ["evaluate", "setups", "--per-query", str(path), "--metrics", "map", "--baseline", "mono"]
    assert main([*words, "--out", str(tmp_path / "setups.csv")]) == 0
    assert main(["evaluate", "show", "--tables", str(tmp_path), "--metric", "map"]) == 0
    shown = capsys.readouterr().out
    assert "map, means over the language pairs of a setup" in shown
    assert "world MoIR" in shown
