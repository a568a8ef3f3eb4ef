"""What the tables say of every system against the baseline: tests, families, effects."""

import warnings

import numpy as np
import polars as pl
import pytest
from scipy.stats import permutation_test, ttest_rel

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.evaluate.significance import family, span
from switchrank.evaluate.summary import main_table
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.formats.tables import EFFECTS, SIGNIFICANCE, read_table

LANGUAGES = Languages("en", ("de", "it"), ("fr",))
RNG = np.random.default_rng(3)
BASE = RNG.choice([0, 0.1, 0.5, 1], 12)
BETTER, OTHER = (np.clip(BASE + RNG.choice([-0.1, 0, 0.2, 0.5], 12), 0, 1) for _ in range(2))


@pytest.fixture
def compared(tmp_path):
    """Make the tables and give significance and effects."""

    def make(per_query, **options):
        about = {name: options.pop(name) for name in ("systems", "tested") if name in options}
        options["same"] = frozenset(map(tuple, options.pop("same", ())))
        settings = Settings(**({"tests": ["t", "fisher"], "resamples": 200} | options))
        make_tables(per_query=per_query, run="demo", out=tmp_path, languages=LANGUAGES, settings=settings, **about)
        return read_table(tmp_path / "significance.csv", SIGNIFICANCE), read_table(tmp_path / "effects.csv", EFFECTS)

    return make


def _values(pairs=(("de", "en"), ("en", "it"), ("de", "de"))):
    columns = {"zero-shot": BASE, "ml-cs": BETTER, "wiki-cs": OTHER, "random": BASE * 0.2}
    return {(system, *pair, 1): column for pair in pairs for system, column in columns.items()}


def test_every_test_has_a_row_of_its_own_in_declared_order(scored, compared):
    significance, _ = compared([scored(_values())], systems=["zero-shot", "ml-cs"], tests=["fisher", "t"])
    rows = significance.filter((pl.col("system") == "ml-cs") & (pl.col("query_lang") == "en"))
    assert rows["test"].to_list() == ["fisher", "t"]
    differences = BETTER - BASE
    exact = permutation_test((differences,), lambda x, axis: x.mean(axis), permutation_type="samples", n_resamples=5000)
    assert rows["p_value"].to_list() == pytest.approx([exact.pvalue, ttest_rel(BETTER, BASE).pvalue])
    assert rows["delta"].to_list() == pytest.approx([differences.mean()] * 2)
    assert rows["ci_low"].n_unique() == 1


def test_each_test_is_corrected_for_itself(scored, compared):
    significance, _ = compared([scored(_values())], correction="bonferroni")
    assert set(significance["family_size"]) == {2, 4, 1}
    for row in significance.iter_rows(named=True):
        assert row["p_corrected"] == pytest.approx(min(1, row["family_size"] * row["p_value"]))


@pytest.mark.parametrize(
    ("families", "sizes"),
    [
        ("setup", {"world clir mrr@10": 4, "world moir mrr@10": 2, "own clir mrr@10": 2}),
        ("testset", {"world mrr@10": 6, "own mrr@10": 2}),
        ("run", {"mrr@10": 8}),
    ],
)
def test_families_span_what_is_declared_with_references_apart(scored, compared, families, sizes):
    paths = [scored(_values()), scored(_values([("de", "en")]), testset="own")]
    significance, _ = compared(paths, families=families)
    for test in ("t", "fisher"):
        rows = significance.filter((pl.col("test") == test) & (pl.col("system") != "random"))
        assert dict(rows.select("family", "family_size").unique().rows()) == sizes
        assert dict(rows.group_by("family").len().rows()) == sizes
    random = significance.filter(pl.col("system") == "random")
    assert {name.removesuffix(" references") for name in random["family"]} == set(sizes)
    assert all(name.endswith(" references") for name in random["family"])


def test_a_metric_has_families_of_its_own_in_every_scope(scored, compared):
    paths = [scored(_values()), scored(_values(), metric="map")]
    significance, _ = compared(paths, families="run", tested=["mrr@10", "map"])
    assert set(significance["family"]) == {"mrr@10", "map", "mrr@10 references", "map references"}


def test_a_family_of_one_is_not_corrected(scored, compared):
    values = {("zero-shot", "de", "en", 1): BASE, ("ml-cs", "de", "en", 1): BETTER}
    significance, _ = compared([scored(values)])
    assert significance["family_size"].to_list() == [1, 1]
    assert significance["p_corrected"].to_list() == significance["p_value"].to_list()


@pytest.mark.parametrize("correction", ["holm", "bonferroni"])
def test_a_run_that_is_the_baselines_own_is_in_no_family_and_makes_no_other_test_harder(scored, compared, correction):
    """Nothing of an English query is translated: zero-shot-tt is there zero-shot."""
    pairs = [("de", "de"), ("en", "en"), ("it", "it")]
    values = _values(pairs)
    alone, _ = compared([scored(values)], correction=correction)
    values |= {("zero-shot-tt", "en", "en", 1): BASE}
    copy = ["zero-shot-tt", "world", "en", "en"]
    beside, effects = compared([scored(values)], correction=correction, same=[copy])
    others = beside.filter(pl.col("system") != "zero-shot-tt")
    assert others.rows() == alone.rows()
    shown = beside.filter(pl.col("system") == "zero-shot-tt")
    assert shown.select("delta", "p_value", "p_corrected", "significant", "family", "family_size").unique().rows() == [
        (0, 1, 1, False, "same run", 0)
    ]
    assert shown["test"].to_list() == ["t", "fisher"]
    assert effects.filter(pl.col("system") == "zero-shot-tt")["delta"].to_list() == [0]
    counted, _ = compared([scored(values)], correction=correction)
    family = "world moir mrr@10"
    assert set(counted.filter(pl.col("family") == family)["family_size"]) == {7}
    assert set(beside.filter(pl.col("family") == family)["family_size"]) == {6}


def test_equal_scores_of_two_systems_stay_in_their_family(scored, compared):
    """What is compared is declared before the results are seen, not chosen by them."""
    values = _values([("de", "en")]) | {("equal", "de", "en", 1): BASE}
    significance, _ = compared([scored(values)])
    equal = significance.filter(pl.col("system") == "equal")
    assert set(equal["family_size"]) == {3}


def test_a_legend_tells_of_no_tests_where_every_run_is_the_baselines_own(scored, compared, tmp_path):
    values = {("zero-shot", "en", "en", 1): BASE, ("zero-shot-tt", "en", "en", 1): BASE}
    compared([scored(values)], same=[["zero-shot-tt", "world", "en", "en"]])
    assert "No significance tests" in main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")


def test_a_run_beside_itself_that_is_not_there_is_an_error(scored, compared):
    with pytest.raises(UserError, match="zero-shot-tt world en en is not compared with zero-shot"):
        compared([scored(_values())], same=[["zero-shot-tt", "world", "en", "en"]])


def test_equal_scores_have_p_1_no_width_and_no_effect_also_where_seeds_round_their_mean(scored, compared):
    """The mean of three times 0.1 is not 0.1 in floating point: that is no difference."""
    tenths = [0.1] * 30
    values = {("ml-cs", "de", "en", seed): tenths for seed in (1, 2, 3)} | {("zero-shot", "de", "en", 1): tenths}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        significance, effects = compared([scored(values)])
    assert significance["p_value"].to_list() == significance["p_corrected"].to_list() == [1, 1]
    assert significance.select("delta", "ci_low", "ci_high").unique().rows() == [(0, 0, 0)]
    assert effects.select("delta", "boot_low", "boot_high", "effect_size").rows() == [(0, 0, 0, 0)]


def test_one_query_has_p_1_and_no_interval(scored, compared):
    values = {("zero-shot", "de", "en", 1): [0.5], ("ml-cs", "de", "en", 1): [1.0]}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        significance, effects = compared([scored(values)])
    assert significance.select("p_value", "ci_low", "ci_high").rows() == [(1, None, None)] * 2
    assert effects.select("delta", "boot_low", "boot_high", "effect_size").rows() == [(0.5, None, None, None)]


def test_effects_have_a_row_per_system_and_cell_beside_significance(scored, compared):
    significance, effects = compared([scored(_values())], tests=["t"])
    keys = ["system", "baseline", "testset", "setup", "query_lang", "doc_lang", "metric", "delta", "queries", "seeds"]
    assert effects.select(keys).equals(significance.select(keys))
    row = effects.filter((pl.col("system") == "ml-cs") & (pl.col("query_lang") == "en")).row(0, named=True)
    differences = BETTER - BASE
    assert row["effect_size"] == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert row["boot_low"] < row["delta"] < row["boot_high"]


def test_a_pair_or_system_more_changes_no_draw_of_the_others(scored, compared):
    columns = {name: RNG.random(60) for name in ("zero-shot", "ml-cs", "wiki-cs")}

    def of(pairs, systems):
        return {(name, *pair, 1): columns[name] for pair in pairs for name in systems}

    few = scored(of([("de", "en")], ["zero-shot", "ml-cs"]))
    options = {"tests": ["fisher"], "permutations": 500, "families": "setup", "correction": "none"}
    small = compared([few], **options)
    many = scored(of([("it", "en"), ("de", "en"), ("de", "de")], ["wiki-cs", "ml-cs", "zero-shot"]))
    large = compared([many], **options)
    for before, after, columns_kept in zip(small, large, (["p_value"], ["boot_low", "boot_high"]), strict=True):
        kept = after.filter(
            (pl.col("system") == "ml-cs") & (pl.col("query_lang") == "de") & (pl.col("doc_lang") == "en")
        )
        assert kept.select(columns_kept).rows()[0] == pytest.approx(before.select(columns_kept).rows()[0], abs=1e-14)
    pairs = large[1].filter(pl.col("system") == "ml-cs")
    assert pairs["boot_low"].n_unique() == 3, "every cell has draws of its own"


def test_equal_seeds_give_equal_bytes_and_other_seeds_other_draws(scored, compared, tmp_path):
    path = scored({(name, "de", "en", 1): RNG.random(60) for name in ("zero-shot", "ml-cs")})
    files = [tmp_path / "significance.csv", tmp_path / "effects.csv"]
    found = []
    for seed in (1, 1, 2):
        compared([path], seed=seed, permutations=500)
        found.append([file.read_bytes() for file in files])
    assert found[0] == found[1]
    assert all(first != other for first, other in zip(found[0], found[2], strict=True))


def test_a_legend_finds_what_a_family_spans_from_its_name():
    row = {"testset": "world", "setup": "clir", "metric": "map"}
    for scope, words in {"setup": "a test set and setup", "testset": "a test set", "run": "all test sets"}.items():
        for apart in ("", "references", "sweep p"):
            assert span(row | {"family": family(scope, row, apart=apart)}).endswith(words)


def test_marks_of_the_main_table_are_those_of_the_first_test_and_the_legend_names_it(scored, compared, tmp_path):
    """Eight gains of nearly the same size: p is below 1e-8 for the t-test, and 2 of 256 patterns for the other."""
    up = np.array([0.5] * 7 + [0.4])
    path = scored({("zero-shot", "de", "en", 1): np.zeros(8), ("ml-cs", "de", "en", 1): up})
    options = {"alpha": 0.001, "families": "run", "correction": "bonferroni"}
    significance, _ = compared([path], tests=["t", "fisher"], **options)
    assert significance["significant"].to_list() == [True, False]
    assert significance["p_value"][0] < 1e-8
    assert significance["p_value"][1] == 2 / 256
    text = main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")
    assert "1*" in text
    assert "two-sided paired t-test over queries, Bonferroni's correction over all test sets." in text
    compared([path], tests=["fisher", "t"], **options)
    text = main_table(tmp_path / "metrics.csv", tmp_path / "significance.csv")
    assert "1*" not in text
    assert "two-sided Fisher randomisation test over queries, Bonferroni's correction over all test sets." in text


def test_the_command_takes_tests_families_and_draws(scored, tmp_path, capsys):
    path = scored(_values())
    out = tmp_path / "tables"
    words = ["--per-query", path, "--run-name", "demo", "--seen", "de", "it", "--out", out, "--tests", "fisher", "t"]
    more = ["--families", "testset", "--permutations", "3", "--resamples", "5", "--seed", "9"]
    assert main(["evaluate", "tables", *map(str, [*words, *more])]) == 0
    significance = read_table(out / "significance.csv", SIGNIFICANCE)
    assert significance["test"].to_list()[:2] == ["fisher", "t"]
    assert set(significance.filter(pl.col("test") == "fisher")["p_value"]) <= {1 / 4, 2 / 4, 3 / 4, 1}
    assert "world mrr@10" in significance["family"].to_list()
    assert read_table(out / "effects.csv", EFFECTS).height == significance.height / 2
    assert main(["evaluate", "tables", *map(str, words), "--permutations", "0"]) == 2
    assert "permutations: 0 is too few" in capsys.readouterr().err
    assert main(["evaluate", "tables", *map(str, words), "--same", "ml-cs=world/de-de"]) == 0
    significance = read_table(out / "significance.csv", SIGNIFICANCE)
    same = significance.filter(pl.col("family") == "same run")
    assert same.select("system", "query_lang", "doc_lang").unique().rows() == [("ml-cs", "de", "de")]
    assert main(["evaluate", "tables", *map(str, words), "--same", "ml-cs=de-de"]) == 2
    assert "--same: 'ml-cs=de-de': write system=testset/query-document" in capsys.readouterr().err
