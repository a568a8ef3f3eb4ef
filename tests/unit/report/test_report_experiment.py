"""Pictures of the whole experiment: ablation, sweeps, word overlap, language shift and language bias."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from made_up import LANGUAGES, LIMIT, SYSTEMS, TABLES, ablation_rows, overlap_rows, texts, write

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import ABLATION, BIAS, EQUIVALENCE, OVERLAP, SHIFT, SWEEP, write_table
from switchrank.report.ablation import ablation_picture
from switchrank.report.bias import bias_picture
from switchrank.report.data import MetricPlot, Plot
from switchrank.report.overlap import overlap_picture
from switchrank.report.shift import shift_picture
from switchrank.report.sweep import sweep_picture

PICTURES = ["ablation", "sweep", "overlap", "shift", "bias"]


def test_ablation_has_a_panel_per_language_and_role(drawn: Path) -> None:
    found = texts(drawn / "ablation.svg")
    assert {"qaa-qaa", "qad*-qad*", "en-qaa", "qad*-en", "en-en, labels in qab"} <= set(found)
    assert {"same language", "en queries", "en documents", "en only"} <= set(found)
    assert "labelled queries in the language of the column" in found


def test_ablation_axis_is_logarithmic_with_the_sizes_as_ticks(drawn: Path) -> None:
    tree = etree.fromstring((drawn / "ablation.svg").read_bytes())
    places: dict[str, float] = {}
    for node in tree.iter("{http://www.w3.org/2000/svg}text"):
        place = re.match(r"translate\(([\d.]+)", node.get("transform", "")) or re.match(r"([\d.]+)", node.get("x", ""))
        if node.text in ("0", "16", "64", "256", "1,024") and place:
            places.setdefault(node.text, float(place[1]))
    width = places["1,024"] - places["0"]
    assert (places["16"] - places["0"]) / width == pytest.approx(4.087463 / 10.001408, abs=1e-4)
    assert (places["256"] - places["0"]) / width == pytest.approx(8.005625 / 10.001408, abs=1e-4)


def test_ablation_says_how_many_labels_the_baseline_needs(drawn: Path) -> None:
    found = texts(drawn / "ablation.svg")
    assert found.count("zero-shot needs 42 labels") == 1
    assert found.count("zero-shot: not within 1,024 labels") == 3
    assert "ml-cs without labels" in found
    assert "95% confidence band" in found


def test_ablation_numbers_are_those_of_the_curve(drawn: Path, experiment: Path) -> None:
    keys = ["language", "start", "query_lang", "doc_lang", "examples"]
    numbers, curve = pl.read_csv(drawn / "ablation.csv"), pl.read_csv(experiment / "curve.csv")
    assert numbers.columns[:4] == ["testset", "metric", "language", "role"]
    assert len(numbers) == len(curve)
    both = numbers.join(curve, on=keys, suffix="_curve")
    assert len(both) == len(curve)
    for column in ("value", "low", "high"):
        assert (both[column] == both[f"{column}_curve"]).all()


def _ablation(folder: Path, rows: list[dict[str, Any]], **more: Any) -> list[str]:
    write(rows, folder / "ablation.csv", ABLATION)
    plot = MetricPlot("world", folder / "a.svg", table=folder / "a.csv")
    ablation_picture(ablation=folder / "ablation.csv", languages=LANGUAGES, plot=plot, **more)
    return texts(folder / "a.svg")


def _points(sizes: dict[int, float], pair: tuple[str, str] = ("qaa", "qaa"), **more: Any) -> list[dict[str, Any]]:
    common = {"ablation": "a", "start": "zero-shot", "language": "qaa", "seed": 1, "testset": "world"}
    common |= {"query_lang": pair[0], "doc_lang": pair[1], "metric": "mrr@10", **more}
    return [{**common, "examples": examples, "value": value} for examples, value in sizes.items()]


def test_ablation_without_a_curve_shows_every_seed(tmp_path: Path) -> None:
    rows = _points({0: 0.2, 8: 0.4}) + _points({0: 0.4, 8: 0.5}, seed=2)
    found = _ablation(tmp_path, rows)
    assert "single seeds" in found
    assert "95% confidence band" not in found
    assert pl.read_csv(tmp_path / "a.csv")["value"].to_list() == pytest.approx([0.3, 0.45])


def test_ablation_averages_other_pairs_that_have_every_point(tmp_path: Path) -> None:
    rows = _points({0: 0.2, 8: 0.4}, ("qaa", "qab")) + _points({0: 0.6}, ("qad", "qaa"))
    found = _ablation(tmp_path, rows)
    assert {"mean of 2 pairs with qaa", "other pairs of it", "single pairs"} <= set(found)
    numbers = pl.read_csv(tmp_path / "a.csv")
    assert numbers.select("query_lang", "examples", "value").rows() == [("mean", 0, pytest.approx(0.4))]


def test_ablation_calls_the_initial_model_untrained(tmp_path: Path) -> None:
    found = _ablation(tmp_path, _points({0: 0.1, 8: 0.3}, start="none"))
    assert "untrained" in found
    assert "none" not in found


def test_ablation_labels_sizes_only_where_there_is_room(tmp_path: Path) -> None:
    found = _ablation(tmp_path, _points(dict.fromkeys([0, 1000, 1010, 2000, 5000, 5300], 0.2)))
    assert [text for text in found if text.replace(",", "").isdigit()] == ["0", "1,000", "5,300"]


def test_ablation_has_no_tick_where_no_value_can_be(tmp_path: Path) -> None:
    row = {"start": "zero-shot", "reference": "ml-cs", "language": "qaa", "testset": "world", "query_lang": "qaa"}
    row |= {"doc_lang": "qaa", "metric": "mrr@10", "reference_value": 0.3, "low": None, "high": None}
    path = write([{**row, "examples": 9.0}], tmp_path / "equivalence.csv", EQUIVALENCE)
    found = _ablation(tmp_path, _points({0: 0.0, 64: 0.6}), equivalence=path)
    assert not any(text.startswith("−") for text in found)


@pytest.mark.parametrize(
    ("examples", "text"),
    [
        (0.0, "zero-shot needs no labels"),
        (0.3, "zero-shot needs <1 label"),
        (1.2, "zero-shot needs 1 label"),
        (1234.5, "zero-shot needs 1,234 labels"),
        (None, "zero-shot: not within 2,048 labels"),
    ],
)
def test_ablation_writes_the_equivalence_for_reading(tmp_path: Path, examples: float | None, text: str) -> None:
    row = {"start": "zero-shot", "reference": "ml-cs", "language": "qaa", "testset": "world", "query_lang": "qaa"}
    row |= {"doc_lang": "qaa", "metric": "mrr@10", "reference_value": 0.2, "examples": examples}
    row |= {"low": None, "high": None}
    path = write([row, {**row, "reference": "wiki-cs", "examples": 77.0}], tmp_path / "equivalence.csv", EQUIVALENCE)
    found = _ablation(tmp_path, _points({0: 0.1, 2048: 0.3}), equivalence=path)
    assert [line for line in found if "label" in line and line.startswith("zero-shot")] == [text]


def test_ablation_names_the_column_that_a_curve_lacks(tmp_path: Path) -> None:
    (tmp_path / "curve.csv").write_text("start,language,query_lang,doc_lang,metric,examples,value,low\n")
    with pytest.raises(UserError, match=r"curve\.csv: columns: no high"):
        _ablation(tmp_path, ablation_rows()[:3], curve=tmp_path / "curve.csv")


def test_sweep_draws_settings_and_what_they_did(drawn: Path) -> None:
    found = texts(drawn / "sweep.svg")
    assert {"Sweep p", "Sweep lexicon", "Sweep degrade", "MoIR", "CLIR", "thin: single pairs"} <= set(found)
    assert found.count("measured share of switched words") == 2
    assert found.count("P@1 of the lexicon") == 1
    assert {"clwe", "titles", "both", "gold"} <= set(found)


def test_sweep_means_are_over_pairs_and_seeds(drawn: Path, experiment: Path) -> None:
    means = pl.read_csv(drawn / "sweep.csv", schema_overrides={"x": pl.String})
    row = means.row(by_predicate=_where(sweep="p", system="bl-cs", setup="clir", x="0.5"), named=True)
    raw = pl.read_csv(experiment / "sweep.csv", schema=SWEEP).filter(
        _where(sweep="p", system="bl-cs", setup="clir", x="0.5")
    )
    assert row["value"] == pytest.approx(raw["value"].mean())
    assert (row["pairs"], row["switched"]) == (4, pytest.approx(0.4))


def _where(**values: str) -> pl.Expr:
    return pl.all_horizontal([pl.col(name) == value for name, value in values.items()])


def _sweep(folder: Path, settings: list[tuple[str, str, str, float]], **more: Any) -> tuple[list[str], pl.DataFrame]:
    common = {"sweep": "s", "testset": "world", "setup": "moir", "seen": "both", "seed": 1, "metric": "mrr@10"}
    common |= {"switched": None, "p_at_1": None, **more}
    rows = [
        {**common, "system": system, "x": x, "query_lang": lang, "doc_lang": lang, "value": value}
        for system, x, lang, value in settings
    ]
    path = write(rows, folder / "sweep.csv", SWEEP)
    sweep_picture(sweep=path, plot=MetricPlot("world", folder / "s.svg", table=folder / "s.csv"))
    return texts(folder / "s.svg"), pl.read_csv(folder / "s.csv", schema_overrides={"x": pl.String})


def test_sweep_without_measurements_has_no_second_panel(tmp_path: Path) -> None:
    found, _ = _sweep(tmp_path, [("a", "1", "qaa", 0.1), ("a", "2", "qaa", 0.2)])
    assert "setting of s" in found
    assert "measured share of switched words" not in found


def test_sweep_orders_numbers_by_value_and_words_as_in_the_table(tmp_path: Path) -> None:
    _, numbers = _sweep(tmp_path, [("a", x, "qaa", 0.1) for x in ("1e3", "20", "100")])
    assert numbers["x"].to_list() == ["20", "100", "1e3"]
    _, words = _sweep(tmp_path, [("a", x, "qaa", 0.1) for x in ("word", "100", "phrase")])
    assert words["x"].to_list() == ["word", "100", "phrase"]


def test_sweep_leaves_out_pairs_that_lack_a_setting(tmp_path: Path) -> None:
    rows = [("a", "1", "qaa", 0.1), ("a", "2", "qaa", 0.2), ("a", "2", "qab", 0.9)]
    _, numbers = _sweep(tmp_path, rows)
    assert numbers.select("x", "value", "pairs").rows() == [("1", 0.1, 1), ("2", 0.2, 1)]


def test_sweep_joins_systems_that_have_one_setting_each(tmp_path: Path) -> None:
    found, numbers = _sweep(tmp_path, [("a-1", "1", "qaa", 0.1), ("a-2", "2", "qaa", 0.2)])
    assert numbers["system"].to_list() == ["s", "s"]
    assert "a-1" not in found


def test_overlap_points_are_means_over_queries_of_all_pairs(tmp_path: Path) -> None:
    rows = []
    for lang, queries, value, seed in [("qaa", 30, 0.2, 1), ("qaa", 30, 0.4, 2), ("qad", 10, 0.7, 1)]:
        row = {"system": "a", "testset": "world", "query_lang": lang, "doc_lang": lang, "seed": seed}
        rows.append({**row, "low": 0.0, "high": 0.5, "metric": "mrr@10", "value": value, "queries": queries})
    _overlap(tmp_path, rows)
    assert pl.read_csv(tmp_path / "o.csv").select("value", "queries").rows() == [(pytest.approx(0.4), 40)]


def _overlap(folder: Path, rows: list[dict[str, Any]]) -> list[str]:
    path = write(rows, folder / "overlap.csv", OVERLAP)
    plot = MetricPlot("world", folder / "o.svg", table=folder / "o.csv")
    overlap_picture(overlap=path, languages=LANGUAGES, plot=plot)
    return texts(folder / "o.svg")


def test_overlap_shows_bins_with_their_queries_and_a_panel_per_setup(drawn: Path) -> None:
    found = texts(drawn / "overlap.svg")
    assert {"0–20%", "80–100%", "n=300", "n=4", "MoIR", "CLIR", "bm25 (reference)"} <= set(found)


def test_overlap_leaves_out_systems_with_fewer_pairs(tmp_path: Path) -> None:
    rows = [row for row in overlap_rows() if not (row["system"] == "wiki-cs" and row["query_lang"] == "qad")]
    found = _overlap(tmp_path, rows)
    assert "ml-cs" in found
    assert "wiki-cs" not in found


def test_shift_shows_the_interval_of_the_mean_over_passages(drawn: Path) -> None:
    numbers = pl.read_csv(drawn / "shift.csv")
    row = numbers.row(by_predicate=_where(system="ml-cs", query_lang="en", doc_lang="qaa"), named=True)
    assert row["drop"] == pytest.approx(0.5)
    assert row["ci_high"] - row["drop"] == pytest.approx(1.96 * 1.5 / 10, abs=1e-5)
    assert {"zero-shot", "ml-cs", "wiki-cs"} == set(numbers["system"])


def test_shift_names_pairs_and_what_a_drop_is(drawn: Path) -> None:
    found = texts(drawn / "shift.svg")
    assert [text for text in found if re.fullmatch(r"(en|qa.)\*?-(en|qa.)\*?", text)] == [
        *("en-qaa", "en-qab", "qaa-en", "qaa-qab", "qad*-en")
    ]
    assert "* language unseen in training" in found
    assert any(text.startswith("drop in score (logits)") for text in found)


def test_shift_says_where_no_passage_was_scored_in_two_languages(tmp_path: Path) -> None:
    table = write([], tmp_path / "shift.csv", SHIFT)
    plot = Plot("world", tmp_path / "s.svg", table=tmp_path / "s.csv")
    shift_picture(shift=table, languages=LANGUAGES, plot=plot)
    assert "No passage was scored in two languages for the same query." in texts(tmp_path / "s.svg")
    assert pl.read_csv(tmp_path / "s.csv").is_empty()


def test_bias_has_a_panel_per_measure_and_the_pool_as_a_tick(drawn: Path) -> None:
    found = texts(drawn / "bias.svg")
    assert {"Own language in the top 10", "Rank distance", "RankC", "share of the pool", "qad*", "80%"} <= set(found)


def _bias(folder: Path, measures: dict[tuple[str, str], float]) -> list[str]:
    common = {"system": "a", "testset": "world", "query_lang": "qaa", "seed": 1, "queries": 9}
    rows = [{**common, "measure": name, "doc_lang": lang, "value": value} for (name, lang), value in measures.items()]
    path = write(rows, folder / "bias.csv", BIAS)
    bias_picture(bias=path, languages=LANGUAGES, plot=Plot("world", folder / "b.svg", table=folder / "b.csv"))
    return texts(folder / "b.svg")


def test_bias_draws_the_measures_that_are_there(tmp_path: Path) -> None:
    found = _bias(tmp_path, {("rankc", "en"): 0.5, ("rankc", "qab"): 0.7})
    assert "RankC" in found
    assert "Rank distance" not in found
    assert "share of the pool" not in found
    assert pl.read_csv(tmp_path / "b.csv")["value"].to_list() == [pytest.approx(0.6)]


def test_bias_draws_worst_ranks_and_correlations_where_they_were_asked_for(tmp_path: Path) -> None:
    found = _bias(tmp_path, {("max_rank", "xx"): 40.0, ("rank_correlation", "xx"): -0.25})
    assert {"Worst rank", "Rank correlation"} <= set(found)
    assert any(text.startswith("−0.") for text in found), "the axis reaches below 0"


def test_bias_of_a_mixed_pool_counts_the_pool_alone(tmp_path: Path) -> None:
    _bias(tmp_path, {("rankc", "en"): 0.5, ("rankc", "xx"): 0.7})
    assert pl.read_csv(tmp_path / "b.csv")["value"].to_list() == [0.7]


def test_bias_without_a_measure_to_draw_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="measure: none of own_language_top10"):
        _bias(tmp_path, {("own_language_pool", "xx"): 0.25})


@given(st.lists(st.sampled_from([*SYSTEMS, "bl-cs", "gold-cs"]), unique=True))
def test_a_system_looks_the_same_beside_any_others(found: list[str]) -> None:
    systems = [*SYSTEMS, "bl-cs", "gold-cs"]
    plot = Plot("world", "out.svg", systems=systems)
    everything = plot.looks(systems)
    assert plot.looks(found) == {name: everything[name] for name in everything if name in found}


@pytest.mark.parametrize("name", PICTURES)
def test_the_command_writes_the_bytes_that_the_function_writes(
    name: str, experiment: Path, drawn: Path, tmp_path: Path
) -> None:
    words = ["report", "pictures", name, f"--{name}", str(experiment / f"{name}.csv"), "--testset", "world"]
    words += ["--systems", *SYSTEMS, "--out", str(tmp_path / "a.svg"), "--table", str(tmp_path / "a.csv")]
    if name != "sweep":
        words += ["--seen", "qaa", "qab", "--unseen", "qad"]
    if name == "ablation":
        words += ["--curve", str(experiment / "curve.csv"), "--equivalence", str(experiment / "equivalence.csv")]
    assert main(words) == 0
    for suffix in ("svg", "csv"):
        assert (tmp_path / f"a.{suffix}").read_bytes() == (drawn / f"{name}.{suffix}").read_bytes()
    assert (tmp_path / "a.svg").stat().st_size < LIMIT


@pytest.mark.parametrize("name", [name for name in PICTURES if name != "shift"])
def test_a_picture_of_an_empty_table_or_an_unknown_test_set_is_one_line(
    name: str, experiment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_table(pl.DataFrame(schema=TABLES[name][1]), tmp_path / "empty.csv", TABLES[name][1])
    words = ["report", "pictures", name, "--out", str(tmp_path / "a.svg"), "--testset", "moon", f"--{name}"]
    assert main([*words, str(tmp_path / "empty.csv")]) == 2
    assert main([*words, str(experiment / f"{name}.csv")]) == 2
    empty, unknown = capsys.readouterr().err.strip().splitlines()
    assert empty.endswith("the table is empty: run the stage that makes it")
    assert unknown.endswith("testset: no row with testset 'moon': choose one of: world")
    assert not (tmp_path / "a.svg").exists()
