"""Pictures: what they say, that their bytes repeat, that they stay small, and what happens with wrong tables."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from made_up import LANGUAGES, LIMIT, draw_gain, draw_mrr, texts

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.formats.tables import METRICS, QUALITY, write_table
from switchrank.report.data import MetricPlot, Pair
from switchrank.report.gain import signed
from switchrank.report.lexicon import lexicon_picture
from switchrank.report.loss import loss_picture
from switchrank.report.matrix import matrix_picture
from switchrank.report.mrr import Bootstrap


@pytest.fixture(scope="session")
def mrr(run: Path, picture: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``mrr.svg`` and its numbers, ``mrr.csv``."""
    folder = tmp_path_factory.mktemp("mrr")
    draw_mrr(picture, run / "per_query.parquet", folder / "mrr.svg")
    return folder


def test_mrr_names_every_pair_and_marks_unseen_languages(mrr: Path) -> None:
    found = texts(mrr / "mrr.svg")
    for label in ("en-en", "qaa-qaa", "qad*-qad*", "en-qaa", "qab-qad*", "qad*-en"):
        assert label in found
    assert "* language unseen in training" in found


def test_mrr_puts_same_language_pairs_first_and_unseen_pairs_last(mrr: Path) -> None:
    rows = [text for text in texts(mrr / "mrr.svg") if re.fullmatch(r"\w+\*?-\w+\*?|mean", text) and text != "ml-cs"]
    rows = [row for row in rows if row not in ("zero-shot", "bl-cs")]
    assert rows == ["en-en", "qaa-qaa", "qad*-qad*", "mean", "en-qaa", "qab-qad*", "qad*-en", "mean"]


def test_mrr_legend_tells_baseline_systems_references_and_marks(mrr: Path) -> None:
    found = texts(mrr / "mrr.svg")
    legend = ["zero-shot (baseline)", "ml-cs", "bl-cs", "bm25 (reference)", "random (reference)"]
    assert [text for text in found if text in legend] == legend
    assert "filled: differs significantly from zero-shot" in found


def test_mrr_has_an_accessible_name_and_no_date(mrr: Path) -> None:
    svg = (mrr / "mrr.svg").read_text(encoding="utf-8")
    assert "<title>MRR@10 on world</title>" in svg
    assert "date" not in svg
    assert "Matplotlib" not in svg


def test_mrr_numbers_are_means_over_seeds_inside_their_intervals(mrr: Path, run: Path) -> None:
    numbers = pl.read_csv(mrr / "mrr.csv")
    row = numbers.row(by_predicate=_is("ml-cs", "en", "qaa"), named=True)
    metrics = pl.read_csv(run / "metrics.csv").filter(_is("ml-cs", "en", "qaa"))
    assert row["value"] == pytest.approx(metrics["value"].mean())
    assert row["ci_low"] < row["value"] < row["ci_high"]
    assert row["seen"] == "both"


def test_mrr_references_have_no_interval(mrr: Path) -> None:
    numbers = pl.read_csv(mrr / "mrr.csv").filter(pl.col("system").is_in(["bm25", "random"]))
    assert len(numbers) == 16
    assert numbers["ci_low"].null_count() == len(numbers)


def test_mrr_mean_is_left_out_for_a_system_without_all_pairs(mrr: Path) -> None:
    means = pl.read_csv(mrr / "mrr.csv").filter(pl.col("query_lang") == "mean")
    assert set(means["system"]) == {"zero-shot", "ml-cs", "bm25", "random"}


def test_mrr_works_without_significance(run: Path, picture: dict[str, Any], tmp_path: Path) -> None:
    draw_mrr({**picture, "significance": None}, run / "per_query.parquet", tmp_path / "mrr.svg")
    assert not any("filled" in text for text in texts(tmp_path / "mrr.svg"))


def test_mrr_names_the_system_without_per_query_values(run: Path, picture: dict[str, Any], tmp_path: Path) -> None:
    frame = pl.read_parquet(run / "per_query.parquet").filter(pl.col("system") != "ml-cs")
    frame.write_parquet(tmp_path / "per_query.parquet")
    with pytest.raises(UserError, match="ml-cs en-en"):
        draw_mrr(picture, tmp_path / "per_query.parquet", tmp_path / "mrr.svg")
    assert not (tmp_path / "mrr.svg").exists()


def test_mrr_of_thirty_six_pairs_and_nine_systems_stays_small(
    tmp_path: Path, picture: dict[str, Any], write_run: Callable[..., None]
) -> None:
    codes = ["en", "qaa", "qab", "qac", "qae", "qad"]
    systems = {"zero-shot": 0.3, **{f"system-{at}": 0.3 + at / 50 for at in range(1, 9)}, "bm25": 0.1}
    write_run(tmp_path, [(query, document) for query in codes for document in codes], systems, seeds=1)
    tables = {"metrics": tmp_path / "metrics.csv", "significance": tmp_path / "significance.csv"}
    per_query = tmp_path / "per_query.parquet"
    draw_mrr({**picture, **tables}, per_query, tmp_path / "mrr.svg", samples=50)
    assert (tmp_path / "mrr.svg").stat().st_size < LIMIT


def test_gain_shows_difference_dagger_and_value(picture: dict[str, Any], tmp_path: Path) -> None:
    draw_gain(picture, tmp_path / "gain.svg", system="ml-cs")
    found = texts(tmp_path / "gain.svg")
    assert found.count("+0.150†") == 3
    assert found.count("+0.150") == 4
    assert found.count("0.450") == 6
    assert "† significant after holm correction" in found


def test_gain_orders_languages_and_marks_unseen_ones(picture: dict[str, Any], tmp_path: Path) -> None:
    draw_gain(picture, tmp_path / "gain.svg", system="ml-cs")
    found = texts(tmp_path / "gain.svg")
    axes = [text for text in found if text in ("en", "qaa", "qab", "qad*", "qad")]
    assert axes == ["en", "qaa", "qad*", "en", "qaa", "qab", "qad*"]


def test_gain_hatches_pairs_that_are_not_there(picture: dict[str, Any], tmp_path: Path) -> None:
    draw_gain(picture, tmp_path / "one.svg", system="bl-cs")
    draw_gain(picture, tmp_path / "many.svg", system="ml-cs")
    assert "hatched: no such pair" not in texts(tmp_path / "one.svg")
    assert "hatched: no such pair" in texts(tmp_path / "many.svg")


def test_gain_of_all_systems_shares_one_colour_range(picture: dict[str, Any], tmp_path: Path) -> None:
    for system in ("ml-cs", "bl-cs"):
        draw_gain(picture, tmp_path / f"{system}.svg", system=system)
    ticks = [texts(tmp_path / f"{system}.svg") for system in ("ml-cs", "bl-cs")]
    assert all({"−0.150", "−0.075", "0.000", "+0.075", "+0.150"} <= set(found) for found in ticks)


@pytest.mark.parametrize(("value", "text"), [(0.0512, "+0.051"), (-0.003, "−0.003"), (0.0, "0.000"), (-1e-9, "0.000")])
def test_a_difference_carries_its_sign(value: float, text: str) -> None:
    assert signed(value) == text


@pytest.fixture(scope="session")
def matrix(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with ``matrix.svg`` and its numbers, ``matrix.csv``."""
    folder = tmp_path_factory.mktemp("matrix")
    _draw_matrix(run, folder / "matrix.svg")
    return folder


def _draw_matrix(run: Path, out: Path, **more: Any) -> None:
    plot = MetricPlot("world", out, table=out.with_suffix(".csv"), **more)
    matrix_picture(metrics=run / "metrics.csv", languages=LANGUAGES, plot=plot)


def test_a_matrix_for_each_system_has_all_languages_and_means_over_seeds(matrix: Path, run: Path) -> None:
    found = texts(matrix / "matrix.svg")
    systems = ["zero-shot", "ml-cs", "bl-cs", "bm25", "random"]
    assert [text for text in found if text in systems] == systems
    assert found.count("qad*") == 2 * len(systems)
    numbers = pl.read_csv(matrix / "matrix.csv")
    assert numbers.columns == ["testset", "metric", "system", "query_lang", "doc_lang", "value"]
    cell = numbers.filter(system="ml-cs", query_lang="qab", doc_lang="qad")["value"].item()
    rows = pl.read_csv(run / "metrics.csv").filter(system="ml-cs", query_lang="qab", doc_lang="qad")
    assert cell == pytest.approx(rows["value"].mean())
    assert f"{cell:.3f}" in found


def test_a_matrix_tells_the_means_of_systems_that_have_all_pairs(matrix: Path) -> None:
    numbers = pl.read_csv(matrix / "matrix.csv").filter(system="ml-cs")
    same = pl.col("query_lang") == pl.col("doc_lang")
    within, across = (numbers.filter(group)["value"].mean() for group in (same, ~same))
    found = texts(matrix / "matrix.svg")
    assert f"within a language {within:.3f}, across two {across:.3f}" in found
    assert sum(text.startswith("within a language") for text in found) == 4  # bl-cs has one pair
    assert "* unseen in training, hatched: no such pair" in found


def test_a_matrix_leaves_out_systems_that_are_not_asked_for(run: Path, tmp_path: Path) -> None:
    _draw_matrix(run, tmp_path / "some.svg", systems=["ml-cs", "zero-shot"])
    assert set(pl.read_csv(tmp_path / "some.csv")["system"]) == {"zero-shot", "ml-cs", "random", "bm25"}


def test_matrices_have_an_accessible_name_and_stay_small(matrix: Path) -> None:
    svg = (matrix / "matrix.svg").read_text(encoding="utf-8")
    assert "<title>MRR@10 on world by query and document language</title>" in svg
    assert len(svg) < LIMIT


def test_a_matrix_of_a_metric_that_was_not_evaluated_is_one_line(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"metrics\.csv: metric: no row with metric 'map': choose one of: mrr@10"):
        _draw_matrix(run, tmp_path / "m.svg", metric="map")


def test_lexicon_has_a_panel_per_lexicon_and_marks_unseen(run: Path, tmp_path: Path, picture: dict[str, Any]) -> None:
    quality = run / "lexicon_quality.csv"
    lexicon_picture(quality=quality, languages=picture["languages"], out=tmp_path / "q.svg")
    found = texts(tmp_path / "q.svg")
    assert {"clwe", "titles", "en-qaa", "en-qad*", "P@1", "P@5", "coverage"} <= set(found)


def test_lexicon_names_the_gold_where_there_are_several(run: Path, tmp_path: Path) -> None:
    frame = pl.read_csv(run / "lexicon_quality.csv", schema=QUALITY)
    both = pl.concat([frame, frame.with_columns(gold=pl.lit("muse"))])
    write_table(both, tmp_path / "q.csv", QUALITY)
    lexicon_picture(quality=tmp_path / "q.csv", out=tmp_path / "q.svg")
    assert {"en-qaa (gold)", "en-qaa (muse)"} <= set(texts(tmp_path / "q.svg"))


def _train_json(path: Path, steps: int) -> Path:
    loss = [[step, 1 / (step + 1)] for step in range(1, steps + 1)]
    dev = [{"step": step, "mrr@10": step / steps} for step in range(10, steps + 1, max(10, steps // 10))]
    path.write_text(json.dumps({"loss": loss, "dev": dev, "kept": 10}))
    return path


def test_loss_names_each_system_once(tmp_path: Path) -> None:
    record = _train_json(tmp_path / "train.json", 30)
    runs = [{"system": system, "path": record} for system in ("zero-shot", "bl-cs", "bl-cs")]
    loss_picture(runs=runs, baseline="zero-shot", out=tmp_path / "loss.svg")
    found = texts(tmp_path / "loss.svg")
    assert found.count("bl-cs") == 1
    assert {"Training loss", "Development set", "zero-shot"} <= set(found)


def test_loss_of_long_training_stays_small(tmp_path: Path) -> None:
    record = _train_json(tmp_path / "train.json", 5_000)
    runs = [{"system": f"s{at}", "path": record} for at in range(8)]
    loss_picture(runs=runs, baseline="s0", out=tmp_path / "loss.svg")
    assert (tmp_path / "loss.svg").stat().st_size < LIMIT


def test_loss_without_a_development_set_is_one_panel(tmp_path: Path) -> None:
    (tmp_path / "train.json").write_text('{"loss": [[1, 0.7], [2, 0.5]], "dev": []}')
    loss_picture(runs=[{"system": "a", "path": tmp_path / "train.json"}], baseline="a", out=tmp_path / "loss.svg")
    assert "Development set" not in texts(tmp_path / "loss.svg")


@pytest.mark.parametrize("content", ["{}", "not json", '{"loss": [1, 2, 3]}', '{"loss": [[1, 2]], "dev": [{}]}'])
def test_loss_refuses_a_file_that_is_no_training_record(tmp_path: Path, content: str) -> None:
    (tmp_path / "train.json").write_text(content)
    with pytest.raises(UserError, match=r"train\.json"):
        loss_picture(runs=[{"system": "a", "path": tmp_path / "train.json"}], baseline="a", out=tmp_path / "loss.svg")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"testset": "moon"}, "no row with testset 'moon': choose one of: world"),
        ({"metric": "map"}, "no row with metric 'map': choose one of: mrr@10"),
        ({"baseline": "gold"}, "no row with baseline 'gold': choose one of: zero-shot"),
        ({"system": "mlcs"}, "no row with system 'mlcs': choose one of: ml-cs"),
        ({"metrics": "nowhere.csv"}, "nowhere.csv: no such file"),
    ],
)
def test_a_wrong_name_is_one_line_that_lists_the_right_ones(
    picture: dict[str, Any], tmp_path: Path, change: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=re.escape(message)):
        draw_gain(picture, tmp_path / "gain.svg", **{"system": "ml-cs", **change})
    assert not (tmp_path / "gain.svg").exists()


def test_an_empty_table_says_so(picture: dict[str, Any], run: Path, tmp_path: Path) -> None:
    write_table(pl.DataFrame(schema=METRICS), tmp_path / "metrics.csv", METRICS)
    write_table(pl.DataFrame(schema=QUALITY), tmp_path / "q.csv", QUALITY)
    empty = {**picture, "metrics": tmp_path / "metrics.csv"}
    with pytest.raises(UserError, match="the table is empty"):
        draw_mrr(empty, run / "per_query.parquet", tmp_path / "mrr.svg")
    with pytest.raises(UserError, match="no rows"):
        lexicon_picture(quality=tmp_path / "q.csv", out=tmp_path / "q.svg")


def test_two_calls_write_equal_bytes(picture: dict[str, Any], run: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        draw_mrr(picture, run / "per_query.parquet", tmp_path / f"mrr-{name}.svg")
        draw_gain(picture, tmp_path / f"gain-{name}.svg", system="ml-cs")
    assert (tmp_path / "mrr-a.svg").read_bytes() == (tmp_path / "mrr-b.svg").read_bytes()
    assert (tmp_path / "gain-a.svg").read_bytes() == (tmp_path / "gain-b.svg").read_bytes()


def test_another_process_with_other_settings_writes_equal_bytes(run: Path, tmp_path: Path) -> None:
    words = ["report", "pictures", "mrr", "--metrics", f"{run}/metrics.csv", "--per-query", f"{run}/per_query.parquet"]
    words += ["--significance", f"{run}/significance.csv", "--testset", "world", "--seen", "qaa", "qab"]
    words += ["--unseen", "qad", "--samples", "100", "--out"]
    (tmp_path / "matplotlibrc").write_text("font.size: 20\nsvg.fonttype: path\naxes.facecolor: red\n")
    other = {**os.environ, "PYTHONHASHSEED": "5", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "TZ": "Asia/Tokyo"}
    command = [sys.executable, "-m", "switchrank", *words, str(tmp_path / "b.svg")]
    subprocess.run(command, check=True, env=other, cwd=tmp_path)
    assert main([*words, str(tmp_path / "a.svg")]) == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def _is(system: str, query: str, document: str) -> pl.Expr:
    return (pl.col("system") == system) & (pl.col("query_lang") == query) & (pl.col("doc_lang") == document)


def _rows(values: dict[tuple[str, str], list[float]]) -> pl.DataFrame:
    rows = [
        {"system": system, "query_lang": "en", "doc_lang": document, "qid": f"q{at}", "value": value}
        for (system, document), some in values.items()
        for at, value in enumerate(some)
    ]
    return pl.DataFrame(rows)


def test_bootstrap_interval_is_close_to_the_normal_one() -> None:
    values = [float(at % 2) for at in range(400)]
    interval = Bootstrap(_rows({("a", "en"): values}), samples=4000).interval("a", [Pair("en", "en", "moir", "both")])
    assert interval is not None
    half = 1.96 * 0.5 / 20
    assert interval == pytest.approx((0.5 - half, 0.5 + half), abs=0.004)


def test_bootstrap_of_equal_values_has_no_width() -> None:
    interval = Bootstrap(_rows({("a", "en"): [0.25] * 9})).interval("a", [Pair("en", "en", "moir", "both")])
    assert interval == (0.25, 0.25)


def test_bootstrap_of_a_mean_keeps_queries_together() -> None:
    up = [at / 50 for at in range(50)]
    bootstrap = Bootstrap(_rows({("a", "en"): up, ("a", "de"): [1 - value for value in up]}))
    pairs = [Pair("en", "en", "moir", "both"), Pair("en", "de", "clir", "both")]
    assert bootstrap.interval("a", pairs) == pytest.approx((0.5, 0.5))


def test_bootstrap_has_nothing_to_say_about_a_pair_without_values() -> None:
    bootstrap = Bootstrap(_rows({("a", "en"): [0.1, 0.2]}))
    assert bootstrap.interval("a", [Pair("en", "de", "clir", "both")]) is None


def test_languages_listed_nowhere_come_last() -> None:
    found = Languages("en", ["fr", "de"]).ordered(["zz", "aa", "fr", "de", "en"])
    assert found == ["en", "fr", "de", "aa", "zz"]
