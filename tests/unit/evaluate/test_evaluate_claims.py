"""The claims of papers beside what a run says: differences and intervals by hand, verdicts, what is missing, the
text."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import bootstrap as peer
from tests.conftest import ROOT

from switchrank.cli import main
from switchrank.config.load import load_plan
from switchrank.core.languages import Languages
from switchrank.core.seeds import generator
from switchrank.evaluate.claims import (
    Claim,
    Comparison,
    Expected,
    Run,
    bootstrap,
    claim_rows,
    judgeable,
    published,
    read_runs,
    verdict,
)
from switchrank.evaluate.claims_text import WIDTH, claims_text
from switchrank.evaluate.join import join_tables
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.formats.measures import Averaged
from switchrank.formats.tables import CLAIMS, PER_QUERY, read_table, write_table

GAIN = Comparison("gain", "ml-cs", "zero-shot", "clir", "seen", "better", "abstract", 0.051)
BACK = replace(GAIN, system="zero-shot", baseline="ml-cs")
LITSCHKO, ELMAHDY = dict.fromkeys(claim.paper for claim in published().values())


def comparisons_of(*papers):
    return [one for claim in published().values() if claim.paper in papers for one in claim.comparisons]


COMPARISONS = comparisons_of(LITSCHKO)
PAIRS = pl.DataFrame(
    [
        ("world", "clir", "de", "en", "both"),
        ("world", "clir", "it", "en", "both"),
        ("world", "clir", "fr", "en", "document"),
    ],
    schema=["testset", "setup", "query_lang", "doc_lang", "seen"],
    orient="row",
)


def run_of(values, pairs=PAIRS):
    """A run of ``{(system, query language, seed): {qid: value}}``, all on English documents."""
    rows = [
        (system, "world", language, "en", seed, qid, "mrr@10", value)
        for (system, language, seed), queries in values.items()
        for qid, value in queries.items()
    ]
    return Run("demo", pairs, pl.DataFrame(rows, schema=PER_QUERY, orient="row"))


def against_zero(differences):
    """Scores of ml-cs beside a zero-shot that scores 0 throughout."""
    nothing = {("zero-shot", *key): dict.fromkeys(queries, 0.0) for key, queries in differences.items()}
    return run_of({("ml-cs", *key): queries for key, queries in differences.items()} | nothing)


def row_of(run, comparison=GAIN, resamples=400):
    (row,) = claim_rows([run], {"gain": Claim("", [comparison])}, resamples=resamples)
    return row


def test_a_difference_is_the_mean_over_pairs_seeds_and_queries_by_hand():
    run = against_zero(
        {
            ("de", 1): {"a": 1.0, "b": 0.0},  # .5
            ("it", 1): {"a": 0.25, "b": 0.0, "c": 0.5},  # .25
            ("de", 2): {"a": 0.5, "b": 0.0},  # .25
            ("it", 2): {"a": 0.0, "b": 0.0, "c": 0.0},  # 0
            ("fr", 1): {"a": 1.0, "b": 1.0},  # unseen
        }
    )
    row = row_of(run)
    assert row["delta"] == pytest.approx((0.5 + 0.25 + 0.25 + 0.0) / 4)
    assert {name: row[name] for name in ("testset", "pairs", "queries", "seeds")} == {
        "testset": "world",
        "pairs": 2,
        "queries": 3,
        "seeds": 2,
    }
    unseen = row_of(run, replace(GAIN, languages="unseen"))
    assert (unseen["delta"], unseen["low"], unseen["high"], unseen["pairs"], unseen["seeds"]) == (1, 1, 1, 1, 1)


def test_only_seeds_that_both_systems_have_in_all_pairs_are_compared():
    values = {("de", 1): {"a": 1.0}, ("de", 2): {"a": 0.5}, ("it", 2): {"a": 0.0}, ("it", 3): {"a": 1.0}}
    row = row_of(against_zero(values))
    assert (row["delta"], row["seeds"], row["pairs"]) == (0.25, 1, 2)


def test_queries_of_different_pairs_are_drawn_apart_and_parallel_ones_together():
    """All of one pair gain 1 and all of the other nothing: whatever is drawn, the mean of the means is one half."""
    apart = against_zero({("de", 1): {"a": 1.0, "b": 1.0}, ("it", 1): {"c": 0.0, "d": 0.0}})
    row = row_of(apart)
    assert (row["low"], row["high"]) == pytest.approx((0.5, 0.5))
    parallel = against_zero({("de", 1): {"a": 1.0, "b": 0.0}, ("it", 1): {"a": 0.0, "b": 1.0}})
    row = row_of(parallel)
    assert (row["low"], row["high"]) == pytest.approx((0.5, 0.5))
    clustered = against_zero({("de", 1): {"a": 1.0, "b": 0.0}, ("it", 1): {"a": 1.0, "b": 0.0}})
    row = row_of(clustered)
    assert (row["low"], row["high"]) == (0.0, 1.0)


def test_seeds_are_drawn_as_well_where_there_are_several():
    """Queries agree and two seeds differ by 1: resampled means are 0, .5 and 1, those at the ends once in four."""
    row = row_of(against_zero({("de", 1): {"a": 0.0, "b": 0.0}, ("de", 2): {"a": 1.0, "b": 1.0}}))
    assert (row["delta"], row["low"], row["high"], row["verdict"]) == (0.5, 0.0, 1.0, "not decided")


def test_with_one_seed_and_parallel_queries_the_interval_is_that_of_scipy():
    differences = np.random.default_rng(3).normal(0.1, 0.3, 60)
    low, high = bootstrap([differences[None] / 60], resamples=20_000, random=generator(0, "here"))
    there = peer((differences,), np.mean, n_resamples=20_000, method="percentile", random_state=1).confidence_interval
    assert (low, high) == pytest.approx((there.low, there.high), abs=0.004)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=6), st.integers(1, 2))
def test_swapping_system_and_baseline_turns_sign_and_interval(values, seeds):
    scores = {}
    for seed in range(1, seeds + 1):
        for side, system in enumerate(("ml-cs", "zero-shot")):
            scores[system, "de", seed] = {f"q{n}": value[side] / seed for n, value in enumerate(values)}
            scores[system, "it", seed] = {f"q{n}": value[side] for n, value in enumerate(values[1:])}
    forth, back = (row_of(run_of(scores), comparison, resamples=50) for comparison in (GAIN, BACK))
    assert back["delta"] == pytest.approx(-forth["delta"], abs=1e-12)
    assert (back["low"], back["high"]) == pytest.approx((-forth["high"], -forth["low"]), abs=1e-12)


@pytest.mark.parametrize(
    ("expected", "interval", "said"),
    [
        ("better", (0.1, 0.2), "agrees"),
        ("better", (-0.2, -0.1), "opposite"),
        ("better", (-0.1, 0.1), "not decided"),
        ("better", (0.0, 0.1), "not decided"),
        ("better", (1e-17, 0.1), "not decided"),
        ("worse", (-0.2, -0.1), "agrees"),
        ("worse", (0.1, 0.2), "opposite"),
        ("equal", (-0.1, 0.1), "agrees"),
        ("equal", (0.1, 0.2), "differs"),
        ("equal", (-0.2, -0.1), "differs"),
        ("equal", (None, None), "not decided"),
        ("no worse", (-0.1, 0.1), "agrees"),
        ("no worse", (0.1, 0.2), "agrees"),
        ("no worse", (-0.2, -0.1), "opposite"),
    ],
)
def test_a_verdict_is_what_the_interval_says_of_the_sign(expected, interval, said):
    assert verdict(expected, *interval) == said
    low, high = interval
    turned = (low, high) if low is None else (-high, -low)
    assert verdict(expected, *turned, falling=True) == said


def test_a_single_query_has_a_difference_and_no_interval():
    row = row_of(against_zero({("de", 1): {"a": 0.5}}))
    assert (row["delta"], row["low"], row["high"], row["verdict"]) == (0.5, None, None, "not decided")


@pytest.mark.parametrize(
    ("changes", "missing"),
    [
        ({"system": "bl-cs"}, "no bl-cs"),
        ({"system": "bl-cs", "baseline": "gold-cs"}, "no bl-cs and no gold-cs"),
        ({"setup": "mlir"}, "no MLIR pairs of seen languages"),
        ({"setup": "mlir", "languages": "all"}, "no MLIR pairs"),
        ({"metric": "map"}, "no map: add it to evaluate.metrics"),
        ({"metric": "rank_distance"}, "no rank_distance: add it to evaluate.setups"),
        ({"system": "late"}, "late and zero-shot rank no such pair with the same seed"),
    ],
)
def test_a_run_that_cannot_tell_says_what_it_lacks(changes, missing):
    run = against_zero({("de", 1): {"a": 1.0, "b": 0.0}})
    late = run.scores.filter(system="ml-cs").with_columns(system=pl.lit("late"), seed=pl.lit(7, dtype=pl.Int64))
    row = row_of(replace(run, scores=pl.concat([run.scores, late])), replace(GAIN, **changes))
    assert row["missing"] == missing
    assert "delta" not in row


def test_every_test_set_has_a_row_of_its_own():
    run = against_zero({("de", 1): {"a": 1.0, "b": 0.0}})
    pairs = pl.concat([PAIRS, PAIRS.with_columns(testset=pl.lit("other"))])
    scores = pl.concat([run.scores, run.scores.with_columns(testset=pl.lit("other"), value=pl.lit(0.0))])
    rows = claim_rows([Run("demo", pairs, scores)], {"gain": Claim("", [GAIN])}, resamples=20)
    assert [(row["testset"], row["delta"]) for row in rows] == [("world", 0.5), ("other", 0.0)]


def test_what_is_published_has_the_sign_that_is_claimed():
    every = comparisons_of(LITSCHKO, ELMAHDY)
    for one in every:
        assert one.expected in get_args(Expected)
        assert one.setup in ("moir", "clir", "mlir")
        assert one.languages in ("seen", "unseen", "all")
        assert one.metric in get_args(Averaged)
        assert one.published is None or (one.published > 0) == (one.expected == "better")
    assert len({(one.claim, one.system, one.baseline, one.setup, one.languages) for one in every}) == len(every)


def test_languages_seen_and_unseen_count_where_a_claim_is_about_all():
    run = against_zero({("de", 1): {"a": 1.0, "b": 0.0}, ("fr", 1): {"a": 0.0, "b": 0.0}})
    row = row_of(run, replace(GAIN, languages="all"))
    assert (row["delta"], row["pairs"]) == (0.25, 2)


def test_a_claim_about_ranks_agrees_where_they_are_less():
    scores = {"mono": [50.0, 40.0, 61.0], "hybrid": [10.0, 4.0, 20.0]}
    rows = [
        (s, "pool", "de", "xx", 1, f"q{n}", "rank_distance", v) for s, own in scores.items() for n, v in enumerate(own)
    ]
    pairs = pl.DataFrame([("pool", "mlir", "de", "xx", "both")], schema=PAIRS.schema, orient="row")
    run = Run("dual", pairs, pl.DataFrame(rows, schema=PER_QUERY, orient="row"))
    claimed = published()["hybrid-bias"]
    about = claimed.comparisons[0]
    row = row_of(run, about)
    assert (row["delta"], row["verdict"]) == (pytest.approx(-39), "agrees")
    assert row_of(run, replace(about, system="mono", baseline="hybrid"))["verdict"] == "opposite"
    text = claims_text([row], {about.claim: claimed})
    assert text.startswith(f"What {ELMAHDY} claim, and what was found here (dual)\n")
    told = "hybrid against mono, MLIR by rank_distance: claimed better (XLM-R -123, LaBSE -41)"
    assert f"\n{told}\n  pool      -39.0  " in text


def test_papers_are_left_out_of_which_no_run_has_two_systems():
    run = against_zero({("de", 1): {"a": 1.0, "b": 0.0}})
    assert {claim.paper for claim in judgeable([run], published()).values()} == {LITSCHKO}
    dual = pl.col("system").replace({"ml-cs": "hybrid", "zero-shot": "cross"})
    other = replace(run, scores=run.scores.with_columns(dual))
    assert {claim.paper for claim in judgeable([other], published()).values()} == {ELMAHDY}
    assert judgeable([run, other], published()) == published()
    assert judgeable([], published()) == {}


def test_the_config_of_the_published_experiment_has_every_system_that_a_claim_is_about():
    plan = load_plan(ROOT / "config" / "paper.yaml", {})
    systems = {run.system for testset in plan.config.testsets for run in plan.runs(testset)}
    assert {name for one in COMPARISONS for name in (one.system, one.baseline)} <= systems


@pytest.fixture
def tables(tmp_path):
    """Make the tables of a run where ml-cs gains ``gain`` on each of ten queries of one pair, and give their folder."""

    def make(name, gain):
        values = {"zero-shot": 0.25, "ml-cs": 0.25 + gain}
        rows = [(s, "world", "de", "en", 1, f"q{n}", "mrr@10", v) for s, v in values.items() for n in range(10)]
        write_table(pl.DataFrame(rows, schema=PER_QUERY, orient="row"), tmp_path / "scores.parquet", PER_QUERY)
        options = {"languages": Languages("en", ("de",)), "settings": Settings(resamples=20)}
        make_tables(per_query=[tmp_path / "scores.parquet"], run=name, out=tmp_path / name, **options)
        return tmp_path / name

    return make


def test_the_command_prints_the_claims_by_start_and_writes_them(tables, tmp_path, capsys):
    folders = [tables("small", 0.125), tables("large", -0.125)]
    words = ["evaluate", "claims", "--tables", *map(str, folders), "--out", str(tmp_path / "claims.csv")]
    assert main(words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert lines[:11] == [
        "What Litschko, Artemova and Plank (2023, arXiv 2305.05295) claim, and what was found here",
        "",
        published()["gain"].text,
        "",
        "  run    test set   found          interval  pairs  queries  seeds  verdict",
        "ml-cs against zero-shot, CLIR seen: claimed +0.051 (abstract)",
        "  small  world     +0.125  +0.125 to +0.125      1       10      1  agrees",
        "  large  world     -0.125  -0.125 to -0.125      1       10      1  opposite",
        "ml-cs against zero-shot, MLIR seen: claimed +0.039 (abstract)",
        "  small  no MLIR pairs of seen languages",
        "  large  no MLIR pairs of seen languages",
    ]
    assert "ml-cs against zero-shot, MoIR seen: claimed equal (quoted)" in lines
    written = read_table(tmp_path / "claims.csv", CLAIMS)
    told = written.filter(claim="gain", setup="clir").select("run", "delta", "verdict", "seeds", "missing")
    assert told.rows() == [("small", 0.125, "agrees", 1, None), ("large", -0.125, "opposite", 1, None)]
    assert len(written) == 2 * len(COMPARISONS)


def test_tables_joined_by_run_say_the_same_as_the_runs(tables, tmp_path):
    folders = [tables("small", 0.125), tables("large", -0.125)]
    join_tables(folders=folders, out=tmp_path / "joined", by="run")
    claims = {"gain": Claim("", [GAIN])}
    assert claim_rows(read_runs([tmp_path / "joined"]), claims) == claim_rows(read_runs(folders), claims)


def test_ranks_by_query_are_read_where_they_were_asked_for(tables):
    folder = tables("small", 0.125)
    ranks = [
        (s, "world", "de", "en", 1, f"q{n}", "rank_distance", v)
        for s, v in (("zero-shot", 9.0), ("ml-cs", 4.0))
        for n in range(10)
    ]
    write_table(pl.DataFrame(ranks, schema=PER_QUERY, orient="row"), folder / "bias_per_query.parquet", PER_QUERY)
    (row,) = claim_rows(read_runs([folder]), {"gain": Claim("", [replace(GAIN, metric="rank_distance")])}, resamples=20)
    assert (row["delta"], row["verdict"]) == (-5, "agrees")


def test_one_run_is_named_once():
    text = claims_text([row_of(against_zero({("de", 1): {"a": 0.5}}))], {"gain": Claim("It gains.", [GAIN])})
    assert text.splitlines()[0].endswith("found here (demo)")
    assert "\n  world     +0.500                1        1      1  not decided\n" in text


def test_runs_that_claims_cannot_be_judged_by_are_told_in_one_line(tables, capsys):
    folder = tables("small", 0.125)
    assert main(["evaluate", "claims", "--tables", str(folder), str(folder)]) == 2
    assert "run small: a second one of this name: give it another name" in capsys.readouterr().err
    metrics = (folder / "metrics.csv").read_text()
    (folder / "metrics.csv").write_text(metrics.replace("mrr@10", "map"))
    assert main(["evaluate", "claims", "--tables", str(folder)]) == 2
    assert "metrics.csv: metric: no mrr@10: evaluate it" in capsys.readouterr().err
