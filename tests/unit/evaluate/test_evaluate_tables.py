"""The tables of a run: labels, means, paired tests and their correction."""

import csv

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_rel

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.core.languages import Languages, setup
from switchrank.evaluate.significance import corrected, paired_differences, paired_t
from switchrank.evaluate.summary import main_table
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.formats.tables import METRICS, PER_QUERY, SIGNIFICANCE, read_table

LANGUAGES = Languages("en", ("de", "it"), ("fr",))
RNG = np.random.default_rng(0)
LOW, HIGH, OTHER = (RNG.random(40) * scale for scale in (0.5, 1.0, 0.6))


@pytest.fixture
def tables(tmp_path):
    """Make the tables and give metrics and significance."""

    def make(per_query, **options):
        about = {name: options.pop(name) for name in ("systems", "tested") if name in options}
        options["same"] = frozenset(map(tuple, options.pop("same", ())))
        chosen = Settings(**({"resamples": 200} | options))
        make_tables(per_query=per_query, run="demo", out=tmp_path, languages=LANGUAGES, settings=chosen, **about)
        return read_table(tmp_path / "metrics.csv", METRICS), read_table(tmp_path / "significance.csv", SIGNIFICANCE)

    return make


def _values():
    """Two systems and a reference on two pairs, two seeds for the systems."""
    values = {}
    for pair in (("de", "en"), ("it", "en")):
        for seed in (1, 2):
            values["zero-shot", *pair, seed] = LOW
            values["ml-cs", *pair, seed] = HIGH + 0.01 * seed
        values["random", *pair, 1] = OTHER
    return values


def test_setups_are_named_after_the_languages_of_the_sides():
    assert [setup(*pair) for pair in (("de", "de"), ("de", "en"), ("xx", "en"), ("xx", "xx"))] == [
        "moir",
        "clir",
        "mlir",
        "mlir",
    ]


def test_a_side_is_seen_if_all_its_languages_are_seen_or_the_source():
    languages = Languages("en", ("de", "it"), ("fr",), {"six": ("en", "de"), "all": ("en", "fr")})
    pairs = [("de", "en"), ("de", "fr"), ("fr", "it"), ("fr", "fr")]
    assert [languages.seen_sides("world", *pair) for pair in pairs] == ["both", "query", "document", "none"]
    assert languages.seen_sides("six", "xx", "xx") == "both"
    assert languages.seen_sides("all", "xx", "en") == "document"
    with pytest.raises(UserError, match="mixed side"):
        languages.seen_sides("world", "xx", "en")
    with pytest.raises(UserError, match="unknown language ja"):
        languages.seen_sides("world", "ja", "en")


def test_metrics_has_one_row_per_seed_in_declared_order_of_systems(scored, tables):
    metrics, _ = tables([scored(_values())], systems=["zero-shot", "ml-cs"])
    assert metrics["system"].unique(maintain_order=True).to_list() == ["zero-shot", "ml-cs", "random"]
    row = metrics.filter((pl.col("system") == "ml-cs") & (pl.col("query_lang") == "it")).row(1, named=True)
    assert row["value"] == pytest.approx(HIGH.mean() + 0.02)
    assert {name: row[name] for name in ("run", "setup", "seen", "seed", "queries")} == {
        "run": "demo",
        "setup": "clir",
        "seen": "both",
        "seed": 2,
        "queries": 40,
    }


def test_queries_that_score_nothing_count_in_the_mean(scored, tables):
    metrics, _ = tables([scored({("zero-shot", "de", "en", 1): [1.0, 0.0, 0.0, 0.5]})])
    assert metrics.select("value", "queries").row(0) == (0.375, 4)


def test_significance_is_the_paired_t_test_of_seed_averages(scored, tables):
    _, significance = tables([scored(_values())])
    row = significance.filter((pl.col("system") == "ml-cs") & (pl.col("query_lang") == "de")).row(0, named=True)
    expected = ttest_rel(HIGH + 0.015, LOW)
    interval = expected.confidence_interval(0.95)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((interval.low, interval.high))
    assert row["delta"] == pytest.approx((HIGH + 0.015 - LOW).mean())
    assert row["delta"] == pytest.approx(row["value"] - row["baseline_value"])
    assert (row["baseline"], row["test"], row["queries"], row["seeds"]) == ("zero-shot", "t", 40, 2)


def test_families_are_systems_times_pairs_with_references_apart(scored, tables):
    values = _values() | {(name, "de", "de", 1): LOW for name in ("zero-shot", "ml-cs")}
    _, significance = tables([scored(values)])
    families = dict(significance.group_by("family").agg(pl.col("family_size").first()).rows())
    assert families == {"world clir mrr@10": 2, "world clir mrr@10 references": 2, "world moir mrr@10": 1}
    clir = significance.filter(pl.col("family") == "world clir mrr@10").sort("p_value")
    assert clir["p_corrected"][0] == pytest.approx(min(1, 2 * clir["p_value"][0]))
    assert clir["correction"].unique().to_list() == ["holm"]
    assert "zero-shot" not in significance["system"].to_list()


def test_holm_and_bonferroni_by_hand():
    p_values = [0.01, 0.04, 0.03, 0.005]
    holm, marks = corrected(p_values, correction="holm", alpha=0.05)
    assert holm == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert marks == [True, False, False, True]
    bonferroni, marks = corrected(p_values, correction="bonferroni", alpha=0.05)
    assert bonferroni == pytest.approx([0.04, 0.16, 0.12, 0.02])
    assert marks == [True, False, False, True]
    assert corrected(p_values, correction="none", alpha=0.03) == (p_values, [True, False, True, True])
    with pytest.raises(UserError, match="unknown value fdr"):
        Settings(correction="fdr")


@settings(max_examples=5, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=8), st.floats(0.01, 0.2))
def test_corrections_never_lower_p_and_holm_is_never_above_bonferroni(p_values, alpha):
    holm, _ = corrected(p_values, correction="holm", alpha=alpha)
    bonferroni, _ = corrected(p_values, correction="bonferroni", alpha=alpha)
    assert all(p <= h <= b + 1e-12 for p, h, b in zip(p_values, holm, bonferroni, strict=True))


def test_differences_that_are_all_the_same_have_p_1_or_0():
    same = paired_t(np.zeros(5), alpha=0.05)
    assert (same.delta, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    shifted = paired_t(np.full(5, 0.5), alpha=0.05)
    assert (shifted.low, shifted.high, shifted.p_value) == (0.5, 0.5, 0)
    single = paired_t(np.full(1, 0.5), alpha=0.05)
    assert (single.delta, single.low, single.p_value) == (0.5, None, 1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=20), st.randoms())
def test_the_test_does_not_depend_on_the_order_of_queries(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    first, second = (paired_t(paired_differences(*np.array(order).T), alpha=0.05) for order in (pairs, shuffled))
    assert first.delta == second.delta
    assert first.p_value == pytest.approx(second.p_value, abs=1e-6, nan_ok=True)


def test_pairs_without_the_baseline_are_counted_and_not_tested(scored, tables, capsys):
    values = _values() | {("bl-cs", "de", "it", 1): LOW}
    metrics, significance = tables([scored(values)])
    assert "bl-cs" in metrics["system"].to_list()
    assert "bl-cs" not in significance["system"].to_list()
    assert "1 pairs without a run of zero-shot are not tested" in capsys.readouterr().err


def test_only_the_declared_metrics_are_tested(scored, tables):
    paths = [scored(_values()), scored(_values(), metric="ndcg@10")]
    _, significance = tables(paths)
    assert significance["metric"].unique().to_list() == ["mrr@10"]
    _, significance = tables(paths, tested=["mrr@10", "ndcg@10"])
    assert set(significance["metric"]) == {"mrr@10", "ndcg@10"}


def test_systems_that_cover_different_queries_are_an_error(scored, tables):
    values = {("zero-shot", "de", "en", 1): LOW, ("ml-cs", "de", "en", 1): LOW[:-1]}
    with pytest.raises(UserError, match="ml-cs and zero-shot cover different queries"):
        tables([scored(values)])
    values = {("zero-shot", "de", "en", seed): LOW[seed:] for seed in (1, 2)}
    with pytest.raises(UserError, match="seeds cover different queries"):
        tables([scored(values)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": "nobody"}, "no run of nobody"),
        ({"tests": ["t", "sign"]}, "unknown value sign"),
        ({"tests": []}, "none given"),
        ({"tests": ["t", "t"]}, "one twice"),
        ({"families": "all"}, "unknown value all"),
        ({"tests": ["fisher"], "permutations": 0}, "0 is too few"),
        ({"resamples": 0}, "0 is too few"),
        ({"correction": "x"}, "x"),
    ],
)
def test_options_that_make_no_sense_are_errors(scored, tables, options, message):
    with pytest.raises(UserError, match=message):
        tables([scored(_values())], **options)


def test_a_test_set_given_twice_is_an_error(scored, tables):
    path = scored(_values())
    with pytest.raises(UserError, match="scored twice"):
        tables([path, path])


def test_the_command_writes_the_tables_with_shortest_floats_and_shows_the_main_one(scored, tmp_path, capsys):
    path = scored({("zero-shot", "de", "en", 1): [0.1, 0.2, 0.5], ("ml-cs", "de", "en", 1): [0.1, 0.7, 1.0]})
    words = ["--per-query", str(path), "--run-name", "demo", "--seen", "de", "--out", str(tmp_path / "tables")]
    assert main(["evaluate", "tables", *words]) == 0
    with (tmp_path / "tables" / "metrics.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["value"] for row in rows] == ["0.6", "0.26666666666666666"]
    assert read_table(tmp_path / "tables" / "per_query.parquet", PER_QUERY).equals(read_table(path, PER_QUERY))
    assert main(["evaluate", "show", "--tables", str(tmp_path / "tables")]) == 0
    shown = capsys.readouterr().out
    assert "CLIR seen" in shown
    assert "de-en" in shown
    assert "0.600" in shown


def test_the_main_table_fits_its_width_and_marks_what_is_significant(scored, tables, tmp_path):
    pairs = [(q, d) for q in ("en", "de", "it", "fr") for d in ("en", "de", "it", "fr")]
    values = {("zero-shot", *pair, seed): LOW for pair in pairs for seed in (1, 2)}
    values |= {("ml-cs", *pair, 1): HIGH for pair in pairs}
    values |= {("random", *pair, 1): LOW * 0.1 for pair in pairs}
    tables([scored(values)], systems=["zero-shot", "ml-cs"])
    text = main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    header = next(line for line in lines if "MoIR seen" in line)
    assert "CLIR doc unseen" in header
    row = next(line for line in lines if line.startswith("ml-cs"))
    gain = f"{HIGH.mean():.3f} {HIGH.mean() - LOW.mean():+.3f} 3*"
    assert gain in row
    assert f"{LOW.mean() * 0.1:.3f}!" in text
    assert "Holm's correction" in text
    with pytest.raises(UserError, match="no map"):
        main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv", metric="map")


def test_a_difference_that_may_be_chance_has_no_mark(scored, tables, tmp_path):
    wavering = LOW + 0.1 * (-1.0) ** np.arange(40) + 0.001
    tables([scored({("zero-shot", "de", "en", 1): LOW, ("bl-cs", "de", "en", 1): wavering})])
    text = main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")
    rows = [line.split() for line in text.splitlines() if line.startswith("bl-cs")]
    value = f"{wavering.mean():.3f}"
    assert rows == [["bl-cs", value, "+0.001"], ["bl-cs", value]]


def test_a_system_without_a_pair_has_an_empty_cell(scored, tables, tmp_path):
    values = {("zero-shot", *pair, 1): LOW for pair in (("de", "en"), ("fr", "fr"))}
    tables([scored(values | {("bl-cs", "de", "en", 1): HIGH})])
    text = main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")
    assert any(line.startswith("bl-cs") and line.split()[1] == f"{HIGH.mean():.3f}" for line in text.splitlines())
