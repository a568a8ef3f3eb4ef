"""The ablation's tables: means per row, curves with their bands, and what a start is worth in labelled queries."""

import json
import math

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.ablation.curves import (
    ablation_table,
    crossings,
    curve_table,
    equivalence_table,
    interval,
    resampled_means,
)
from switchrank.ablation.rows import Row, expand_rows, table_text
from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import ABLATION, CURVE, EQUIVALENCE, PER_QUERY, read_table, write_table

GRID = (0, 1, 3, 7)
"""Their places on the axis log2(1 + examples) are 0, 1, 2, 3."""


def settings(*names):
    """Rows from ``start language examples seed`` words; the id joins them with '_'."""
    return [
        Row("_".join(words), start, language, int(examples), int(seed))
        for words in map(str.split, names)
        for start, language, examples, seed in [words]
    ]


def constant(curves, queries=4):
    """Scores of ``{start: values at GRID}`` in one language and seed, the same for every query."""
    return {
        f"{start} de {examples} 1": [value] * queries
        for start, values in curves.items()
        for examples, value in zip(GRID, values, strict=False)
    }


@pytest.fixture
def equivalence(tmp_path, scored):
    """The EQUIVALENCE rows of scores on one or several pairs."""

    def make(values, *paths, starts=("zero-shot",), reference="ml-cs", metric="mrr@10", resamples=200, **options):
        out = tmp_path / "equivalence.csv"
        equivalence_table(
            per_query=[*paths] or [scored(values)],
            rows=settings(*values),
            reference=reference,
            starts=list(starts),
            metric=metric,
            out=out,
            resamples=resamples,
            **options,
        )
        return read_table(out, EQUIVALENCE)

    return make


@pytest.fixture
def records(tmp_path):
    """Write the training records of rows, each with its passes over the labels."""

    def records(**epochs):
        paths = [tmp_path / f"{name}.json" for name in epochs]
        for path, (name, passes) in zip(paths, epochs.items(), strict=True):
            path.write_text(json.dumps({"system": name, "epochs": passes}))
        return paths

    return records


def answers(table):
    """Examples, low and high of each row."""
    return table.select("examples", "low", "high").rows()


def test_the_table_has_one_mean_per_row_pair_and_metric(tmp_path, scored, records):
    values = {"zero-shot de 0 1": [0.5, 1.0, 0.0], "zero-shot de 16 2": [1.0, 1.0, 0.25]}
    paths = [scored(values), scored(values, pair=("en", "en")), scored(values, metric="map")]
    told = records(**{"zero-shot_de_16_2": 3.75})
    ablation_table(per_query=paths, rows=settings(*reversed(values)), records=told, out=tmp_path / "a.csv")
    table = read_table(tmp_path / "a.csv", ABLATION)
    assert table.height == 6
    assert table.row(1) == (
        *("zero-shot_de_16_2", "zero-shot", "de", 16, 2, "world", "de", "de", "mrr@10"),
        *(0.75, 3.75),
    )
    assert table["epochs"].to_list() == [3.75] * 3 + [0.0] * 3
    assert table["value"].to_list() == [0.75] * 3 + [0.5] * 3
    pairs = [("de", "map"), ("de", "mrr@10"), ("en", "mrr@10")]
    assert table.select("query_lang", "metric").rows() == pairs * 2


def test_systems_that_are_no_rows_are_left_out(tmp_path, scored):
    path = scored({"zero-shot de 0 1": [0.5], "ml-cs de 0 1": [1.0]})
    ablation_table(per_query=path, rows=settings("ml-cs de 0 1"), records=[], out=tmp_path / "a.csv")
    assert read_table(tmp_path / "a.csv", ABLATION)["ablation"].to_list() == ["ml-cs_de_0_1"]


def test_a_row_without_scores_or_with_those_of_another_seed_or_twice_is_an_error(tmp_path, scored):
    values, out = {"zero-shot de 0 1": [0.5]}, tmp_path / "a.csv"
    with pytest.raises(UserError, match="row ml-cs_de_0_1: no scores: rank and evaluate the model of every row"):
        ablation_table(per_query=scored(values), rows=settings(*values, "ml-cs de 0 1"), records=[], out=out)
    with pytest.raises(UserError, match="row zero-shot_de_0_1: scored under seed 7, the table says 1"):
        ablation_table(per_query=scored(values, seed=7), rows=settings(*values), records=[], out=out)
    with pytest.raises(
        UserError, match="row zero-shot_de_0_1 world de-de: a query is scored twice: give every test set and run once"
    ):
        ablation_table(per_query=[scored(values)] * 2, rows=settings(*values), records=[], out=out)
    with pytest.raises(UserError, match="row zero-shot_de_0_1 world de-de: a query is scored twice"):
        ablation_table(
            per_query=scored({"zero-shot de 0 1": [1, 1]}, qids=["q", "q"]), rows=settings(*values), records=[], out=out
        )
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".parquet"]


def test_between_two_points_the_curve_is_straight_over_the_logarithm(equivalence):
    table = equivalence(constant({"zero-shot": [0.2, 0.3, 0.5, 0.6], "ml-cs": [0.4]}))
    # from (1, 0.3) to (2, 0.5) on the axis: 0.4 is reached at 1 + (0.4 - 0.3) / (0.5 - 0.3) = 1.5
    needed = round(2**1.5 - 1, 6)
    assert answers(table) == [(needed, needed, needed)]
    assert table.row(0)[:8] == ("zero-shot", "ml-cs", "de", "world", "de", "de", "mrr@10", 0.4)


def test_a_start_that_is_as_good_without_labels_needs_none(equivalence):
    curves = {"zero-shot": [0.4, 0.1], "better": [0.9], "worse": [0.2, 0.3], "ml-cs": [0.4]}
    table = equivalence(constant(curves), starts=["better", "zero-shot", "ml-cs"])
    assert table["start"].to_list() == ["better", "zero-shot", "ml-cs"]
    assert answers(table) == [(0, 0, 0)] * 3


def test_a_start_that_never_gets_there_has_no_number(equivalence):
    assert answers(equivalence(constant({"zero-shot": [0.2, 0.3, 0.39], "ml-cs": [0.4]}))) == [(None, None, None)]


def test_a_point_on_the_reference_reaches_it(equivalence):
    table = equivalence(constant({"zero-shot": [0.2, 0.1, 0.4, 0.1], "ml-cs": [0.4]}))
    assert answers(table) == [(3, 3, 3)]


def test_the_first_crossing_counts_whatever_comes_after_it(equivalence):
    # down to (1, 0.1), up through 0.4 half way to (2, 0.7), down again: the crossing is at 1.5
    table = equivalence(constant({"zero-shot": [0.3, 0.1, 0.7, 0.2], "ml-cs": [0.4]}))
    assert table["examples"].to_list() == [round(2**1.5 - 1, 6)]


def test_seeds_are_averaged_before_anything_else(equivalence):
    values = {"ml-cs de 0 1": [0.2, 0.6], "ml-cs de 0 2": [0.6, 0.2]}
    values |= {"zero-shot de 0 1": [0.1, 0.1], "zero-shot de 0 2": [0.3, 0.3], "zero-shot de 1 1": [0.6, 0.6]}
    table = equivalence(values)
    # every query of the reference averages 0.4; the curve goes from (0, 0.2) to (1, 0.6): half way
    needed = round(2**0.5 - 1, 6)
    assert table["reference_value"].to_list() == [pytest.approx(0.4)]
    assert answers(table) == [(needed, needed, needed)]


def test_resamples_that_never_reach_count_as_infinite(equivalence):
    # Two queries: one where three examples always win by 0.1, one where they lose by 0.06. The mean reaches the
    # reference; a quarter of the resamples hold the second query only and never do, a quarter the first only.
    values = {"ml-cs de 0 1": [0.4, 0.4], "zero-shot de 0 1": [0.3, 0.3], "zero-shot de 3 1": [0.5, 0.34]}
    [(examples, low, high)] = answers(equivalence(values, resamples=2000))
    # means over both: from (0, 0.3) to (2, 0.42): 0.4 at 2 * 5 / 6; first query only: from 0.3 to 0.5: at 1
    assert examples == round(2 ** (5 / 3) - 1, 6)
    assert low == 1
    assert high is None


def test_some_resamples_may_reach_where_the_mean_does_not(equivalence):
    values = {"ml-cs de 0 1": [0.4, 0.4], "zero-shot de 0 1": [0.3, 0.3], "zero-shot de 3 1": [0.5, 0.2]}
    assert answers(equivalence(values)) == [(None, 1, None)]


def test_languages_and_pairs_have_answers_of_their_own(scored, equivalence):
    values = {
        f"{start} {language} {examples} 1": [score]
        for language, gain in (("sw", 0.2), ("de", 0.4))
        for start, examples, score in (("ml-cs", 0, 0.4), ("zero-shot", 0, 0.2), ("zero-shot", 1, 0.2 + gain))
    }
    better = {name: [1.0] if name.startswith("zero-shot") else column for name, column in values.items()}
    table = equivalence(values, scored(values), scored(better, pair=("en", "en")))
    rows = table.select("language", "query_lang", "examples").rows()
    half = round(2**0.5 - 1, 6)
    assert rows == [("sw", "de", 1), ("sw", "en", 0), ("de", "de", half), ("de", "en", 0)]


def test_a_start_is_left_out_where_it_has_no_rows_or_no_scores(scored, equivalence):
    values = constant({"zero-shot": [0.2, 0.5], "ml-cs": [0.4], "bl-cs": [0.4]})
    values |= {"zero-shot sw 0 1": [0.5], "ml-cs sw 0 1": [0.5]}
    own = {name: column for name, column in values.items() if not name.startswith("bl-cs")}
    table = equivalence(values, scored(values), scored(own, pair=("en", "en")), starts=["zero-shot", "bl-cs"])
    rows = table.select("start", "language", "query_lang").rows()
    zero = [("zero-shot", language, query) for language in ("de", "sw") for query in ("de", "en")]
    assert sorted(rows) == sorted([*zero, ("bl-cs", "de", "de")])


def test_pairs_without_the_reference_are_left_out(scored, equivalence):
    values = constant({"zero-shot": [0.2], "ml-cs": [0.4]})
    alone = {name: column for name, column in values.items() if name.startswith("zero-shot")}
    table = equivalence(values, scored(values), scored(alone, pair=("en", "en")))
    assert table["query_lang"].to_list() == ["de"]


def test_rows_that_cannot_be_compared_are_errors(scored, equivalence, tmp_path):
    good = constant({"zero-shot": [0.2, 0.5], "ml-cs": [0.4]})
    for name, start in (("start", "zero"), ("reference", "wiki")):
        with pytest.raises(UserError, match=f"start {start}: no rows: name a start of the ablation table"):
            equivalence(good, **({"starts": ["zero"]} if name == "start" else {"reference": "wiki"}))
    with pytest.raises(UserError, match="start zero-shot: no row with 0 examples in de: add one"):
        equivalence({"zero-shot de 16 1": [0.2], "ml-cs de 0 1": [0.4]})
    with pytest.raises(UserError, match="start ml-cs: no row with 0 examples in sw: add one"):
        equivalence(good | {"zero-shot sw 0 1": [0.2]})
    with pytest.raises(UserError, match=r"row zero-shot_de_0_1: no map: rank and evaluate"):
        equivalence(good, metric="map")
    with pytest.raises(UserError, match="row ml-cs_de_0_1: other queries on world de-de than row zero-shot_de_0_1"):
        equivalence(good | {"ml-cs de 0 1": [0.4]})
    part = {name: column for name, column in good.items() if name != "zero-shot de 1 1"}
    with pytest.raises(UserError, match="row zero-shot_de_1_1: no scores on world en-en"):
        equivalence(good, scored(good), scored(part, pair=("en", "en")))
    with pytest.raises(UserError, match="resamples: 0: give a whole number from 1"):
        equivalence(good, resamples=0)
    assert not (tmp_path / "equivalence.csv").exists()


points = st.lists(st.floats(-1, 1), min_size=4, max_size=4)


@given(points, st.floats(0, 0.5))
def test_a_better_curve_never_needs_more(above, gain):
    worse, better = crossings(GRID, np.array([above, np.add(above, gain)]))
    assert better <= worse + 1e-9
    assert 0 <= better <= 7 or better == math.inf


@given(points)
def test_the_curve_is_at_the_reference_where_it_is_said_to_reach_it(above):
    [needed] = crossings(GRID, np.array([above]))
    if above[0] >= 0:
        assert needed == 0
    elif needed < math.inf:
        assert np.interp(math.log2(1 + needed), [0, 1, 2, 3], above) == pytest.approx(0, abs=1e-9)
    else:
        assert max(above) < 0


def test_an_interval_is_of_samples_and_may_be_infinite():
    # of 40 samples the 2.5% and 97.5% points are the 1st and the 39th
    samples = np.arange(40.0)[::-1]
    assert interval(samples) == (0, 38)
    samples[:2] = math.inf
    assert interval(samples) == (0, math.inf)
    assert interval(np.array([5.0])) == (5, 5)


def test_resampled_means_scatter_by_the_standard_error_and_are_drawn_alike_for_all_series():
    values = np.random.default_rng(0).random(400)
    means = resampled_means(np.stack([values, values, 0 * values]), resamples=4000, seed=1, purpose=("x",))
    assert means.shape == (4000, 3)
    assert means[:, 0].mean() == pytest.approx(values.mean(), abs=1e-3)
    assert means[:, 0].std() == pytest.approx(values.std() / 20, rel=0.05)
    assert (means[:, 0] == means[:, 1]).all()
    assert (means[:, 2] == 0).all()


def test_curves_have_their_points_in_order_with_bands_and_counts(tmp_path, scored):
    random = np.random.default_rng(0)
    values = {f"{start} de {n} {seed}": random.random(200) for start in ("b", "a") for n in (16, 0) for seed in (1, 2)}
    del values["a de 16 2"]
    curve_table(per_query=scored(values), rows=settings(*values), out=tmp_path / "c.csv")
    table = read_table(tmp_path / "c.csv", CURVE)
    assert table.select("start", "examples", "seeds").rows() == [("b", 0, 2), ("b", 16, 2), ("a", 0, 2), ("a", 16, 1)]
    assert table["queries"].to_list() == [200] * 4
    means = (values["b de 0 1"] + values["b de 0 2"]) / 2
    first = table.row(0, named=True)
    assert first["value"] == pytest.approx(means.mean())
    half = 1.96 * means.std() / math.sqrt(200)
    assert (first["low"], first["high"]) == pytest.approx((means.mean() - half, means.mean() + half), abs=0.005)


def test_a_tuned_row_without_a_record_of_its_training_is_an_error(tmp_path, scored, records):
    values, out = {"zero-shot de 16 1": [0.5]}, tmp_path / "a.csv"
    scores = {"per_query": scored(values), "rows": settings(*values), "out": out}
    with pytest.raises(UserError, match=r"row zero-shot_de_16_1: no training record: give the train\.json of every"):
        ablation_table(**scores, records=records(other=1.0))
    for text in ("{}", "[", '{"system": "zero-shot_de_16_1", "epochs": null}'):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(UserError, match=r"bad\.json: no record of a tuned model"):
            ablation_table(**scores, records=[tmp_path / "bad.json"])
    assert not out.exists()


def test_equal_scores_in_any_order_give_equal_bytes(tmp_path, scored, records):
    random = np.random.default_rng(0)
    values = {f"{start} de {n} 1": random.random(50) for start in ("zero-shot", "ml-cs") for n in (0, 16)}
    rows, path = settings(*values), scored(values)
    shuffled = tmp_path / "shuffled.parquet"
    write_table(read_table(path, PER_QUERY).sample(fraction=1, shuffle=True, seed=1), shuffled, PER_QUERY)
    common = {"rows": rows, "reference": "ml-cs", "starts": ["zero-shot"], "metric": "mrr@10", "resamples": 100}
    told = records(**{"zero-shot_de_16_1": 3.0, "ml-cs_de_16_1": 3.0})
    for source, name in ((path, "a"), (shuffled, "b")):
        ablation_table(per_query=source, rows=rows, records=told, out=tmp_path / f"{name}-ablation.csv")
        curve_table(per_query=source, rows=rows, out=tmp_path / f"{name}-curve.csv", resamples=100)
        equivalence_table(per_query=source, out=tmp_path / f"{name}-equivalence.csv", **common)
    for table in ("ablation", "curve", "equivalence"):
        assert (tmp_path / f"a-{table}.csv").read_bytes() == (tmp_path / f"b-{table}.csv").read_bytes()


def test_the_commands_make_the_tables_of_a_grid(tmp_path, scored, records):
    rows = expand_rows(starts=["zero-shot", "ml-cs"], languages=["de"], examples=[0, 1], seeds=[1])
    (tmp_path / "t.tsv").write_text(table_text(rows))
    values = constant({"zero-shot": [0.2, 0.6], "ml-cs": [0.4, 0.5]})
    path = tmp_path / "renamed.parquet"
    named = {"_".join(name.split()): row.id for name, row in zip(values, rows, strict=True)}
    scores = read_table(scored(values), PER_QUERY)
    write_table(scores.with_columns(pl.col("system").replace(named)), path, PER_QUERY)
    common = ["--rows", str(tmp_path / "t.tsv"), "--per-query", str(path), "--out"]
    told = map(str, records(**{row.id: 3.0 for row in rows if row.examples}))
    assert main(["ablation", "table", *common, str(tmp_path / "a.csv"), "--records", *told]) == 0
    assert main(["ablation", "curve", *common, str(tmp_path / "c.csv"), "--resamples", "50"]) == 0
    words = ["--reference", "ml-cs", "--starts", "zero-shot", "--resamples", "50"]
    assert main(["ablation", "equivalence", *common, str(tmp_path / "e.csv"), *words]) == 0
    assert read_table(tmp_path / "a.csv", ABLATION)["value"].to_list() == [0.2, 0.6, 0.4, 0.5]
    assert read_table(tmp_path / "c.csv", CURVE)["value"].to_list() == [0.2, 0.6, 0.4, 0.5]
    assert read_table(tmp_path / "e.csv", EQUIVALENCE)["examples"].to_list() == [round(2**0.5 - 1, 6)]
