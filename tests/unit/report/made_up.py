"""Made-up but plausible tables of a whole experiment, for the pictures that show more than one evaluated run."""

from __future__ import annotations

from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from lxml import etree

from switchrank.core.languages import Languages
from switchrank.formats.tables import ABLATION, BIAS, CURVE, EQUIVALENCE, OVERLAP, SHIFT, SWEEP, Schema, write_table
from switchrank.report.ablation import ablation_picture
from switchrank.report.bias import bias_picture
from switchrank.report.data import MetricPlot, Plot
from switchrank.report.gain import gain_heatmap
from switchrank.report.mrr import mrr_picture
from switchrank.report.overlap import overlap_picture
from switchrank.report.shift import shift_picture
from switchrank.report.sweep import sweep_picture

LIMIT = 200_000
"""Bytes that no SVG of the report exceeds."""
LANGUAGES = Languages("en", ["qaa", "qab"], ["qad"])
SYSTEMS = ["zero-shot", "ml-cs", "wiki-cs"]
SIZES = [0, 16, 64, 256, 1024]
SEEDS = (1, 2, 3)
LEVELS = {"zero-shot": 0.3, "ml-cs": 0.45, "wiki-cs": 0.4}


def texts(path: Path) -> list[str]:
    """The text elements of an SVG, in drawing order."""
    tree = etree.fromstring(path.read_bytes())
    return ["".join(node.itertext()).strip() for node in tree.iter("{http://www.w3.org/2000/svg}text")]


def write(rows: list[dict[str, Any]], path: Path, schema: Schema) -> Path:
    """Rows as a table of ``schema``."""
    write_table(pl.DataFrame(rows, schema=pl.Schema(schema)), path, schema)
    return path


def ablation_rows() -> list[dict[str, Any]]:
    """Two starts, three languages, five sizes, three seeds: own language, both pairs with English, English alone."""
    draws, rows = np.random.Generator(np.random.Philox(3)), []
    for start, language, examples, seed in product(("zero-shot", "ml-cs"), ("qaa", "qab", "qad"), SIZES, SEEDS):
        common = {"ablation": f"{start}-{language}-{examples}-{seed}", "start": start, "language": language}
        common |= {"examples": examples, "seed": seed, "testset": "world", "metric": "mrr@10"}
        for query, document in [(language, language), ("en", language), (language, "en"), ("en", "en")]:
            level = LEVELS[start] + (0.05 if query == document else -0.04) - (0.06 if language == "qad" else 0)
            most = 0.36 if (start, language) == ("zero-shot", "qab") else 0.62
            gained = (most - level) * (1 - np.exp(-examples / 220))
            if query == document == "en":
                level, gained = 0.66, -0.012 * np.log2(1 + examples)
            rows.append({**common, "query_lang": query, "doc_lang": document})
            rows[-1]["value"] = round(float(level + gained + draws.normal(0, 0.012)), 6)
    return rows


def curve_rows() -> list[dict[str, Any]]:
    """The means of :func:`ablation_rows` with a band, and the columns of another room beside them."""
    keys = ["start", "language", "testset", "query_lang", "doc_lang", "metric", "examples"]
    means = pl.DataFrame(ablation_rows()).group_by(keys, maintain_order=True).agg(pl.col("value").mean())
    value = pl.col("value")
    return means.with_columns(low=value - 0.03, high=value + 0.03, queries=40, seeds=3).to_dicts()


def equivalence_rows() -> list[dict[str, Any]]:
    """Where the mean curves of zero-shot cross ml-cs without labels; never in qab, with an open interval in qad."""
    means = pl.DataFrame(curve_rows())
    rows = []
    for language, pair in product(("qaa", "qab", "qad"), (0, 1, 2)):
        query, document = [(language, language), ("en", language), (language, "en")][pair]
        cell = means.filter(pl.col("language") == language, query_lang=query, doc_lang=document)
        aim = float(cell.filter(start="ml-cs", examples=0)["value"][0])
        line = cell.filter(start="zero-shot").sort("examples")
        found = float(np.exp2(np.interp(aim, line["value"], np.log2(1 + line["examples"].to_numpy()))) - 1)
        if (language, pair) == ("qaa", 0):
            found = 42.0
        row = {"start": "zero-shot", "reference": "ml-cs", "language": language, "testset": "world"}
        row |= {"query_lang": query, "doc_lang": document, "metric": "mrr@10", "reference_value": aim}
        never = language == "qab"
        row |= {"examples": None if never else round(found, 6), "low": None if never else round(found * 0.6, 6)}
        rows.append({**row, "high": None if language != "qaa" else round(found * 1.7, 6)})
    return rows


def sweep_rows() -> list[dict[str, Any]]:
    """Three sweeps: numbers (the probability), categories (the lexicon's source), and the lexicon's quality."""
    pairs = [("qaa", "qaa"), ("qab", "qab"), ("en", "qaa"), ("qab", "en"), ("qaa", "qab"), ("qad", "en")]
    draws, rows = np.random.Generator(np.random.Philox(5)), []
    shift = {pair: float(draws.normal(0, 0.04)) for pair in pairs}
    settings: list[tuple[str, str, str, float, float | None]] = []
    for p, system in product((0.25, 0.5, 0.75, 1.0), ("ml-cs", "bl-cs")):
        settings.append(("p", system, str(p), p * 0.8, 0.7))
    for source, quality in {"clwe": 0.7, "titles": 0.3, "both": 0.74, "gold": 1.0}.items():
        settings.append(("lexicon", "ml-cs", source, 0.2 + quality / 4, quality))
    for share in (0.0, 0.2, 0.4, 0.6, 0.8):
        settings.append(("degrade", "ml-cs", str(share), 0.4, 0.72 * (1 - share)))
    for (sweep, system, x, switched, quality), pair, seed in product(settings, pairs, (1, 2)):
        same = pair[0] == pair[1]
        level = 0.5 - 0.02 * switched if same else 0.25 + 0.3 * switched ** (1 / 3) * (quality or 0.5) ** 0.5
        row = {"sweep": sweep, "system": system, "x": x, "testset": "world", "setup": "moir" if same else "clir"}
        row |= {"seen": "both", "query_lang": pair[0], "doc_lang": pair[1], "seed": seed, "metric": "mrr@10"}
        value = level + shift[pair] + float(draws.normal(0, 0.008)) - (0.02 if system == "bl-cs" else 0)
        rows.append({**row, "value": value, "switched": switched, "p_at_1": quality})
    return rows


def overlap_rows() -> list[dict[str, Any]]:
    """Five bins: the baseline lives on shared words, the others do not; bm25 as a reference."""
    edges, rows = [0.0, 0.2, 0.4, 0.6, 0.8, 1.0], []
    counts = {"moir": [20, 60, 110, 70, 30], "clir": [150, 80, 25, 6, 2]}
    slopes = {"zero-shot": (0.15, 0.5), "ml-cs": (0.4, 0.2), "wiki-cs": (0.35, 0.22), "bm25": (0.0, 0.5)}
    pairs = [("qaa", "qaa"), ("qad", "qad"), ("en", "qaa"), ("qad", "en")]
    for (query, document), (system, (low, slope)), seed in product(pairs, slopes.items(), (1, 2)):
        for at, (start, end) in enumerate(pairwise(edges)):
            row = {"system": system, "testset": "world", "query_lang": query, "doc_lang": document, "seed": seed}
            row |= {"low": start, "high": end, "metric": "mrr@10", "value": low + slope * (start + end) / 2}
            rows.append({**row, "queries": counts["moir" if query == document else "clir"][at]})
    return rows


def shift_rows() -> list[dict[str, Any]]:
    """The baseline drops by some logits in every pair; the switched systems hardly do."""
    pairs = [("en", "qaa"), ("en", "qab"), ("qaa", "en"), ("qaa", "qab"), ("qad", "en")]
    rows = []
    for (system, drop), (at, pair), seed in product(
        {"zero-shot": 2.4, "ml-cs": 0.5, "wiki-cs": 0.9, "bm25": 9.0}.items(), enumerate(pairs), (1, 2)
    ):
        row = {"system": system, "testset": "world", "query_lang": pair[0], "doc_lang": pair[1], "seed": seed}
        rows.append({**row, "drop": drop * (0.7 + 0.2 * at) + seed / 10, "drop_sd": 1.5, "pairs": 100})
    return rows


def bias_rows() -> list[dict[str, Any]]:
    """A pool of four languages: the baseline prefers the query's own; RankC and rank distances beside it."""
    rows = []
    measures = {"own_language_top10": 0.62, "own_language_pool": 0.25, "rank_distance": 60.0, "rankc": 0.35}
    better = {
        "zero-shot": (1.0, 1.0, 1.0),
        "ml-cs": (0.55, 0.4, 2.0),
        "wiki-cs": (0.7, 0.6, 1.6),
        "random": (0.4, 1, 0.1),
    }
    for (system, (share, distance, agreement)), (at, code) in product(
        better.items(), enumerate(["en", "qaa", "qab", "qad"])
    ):
        factors = {"own_language_top10": share, "own_language_pool": 1.0, "rank_distance": distance, "rankc": agreement}
        for measure, value in measures.items():
            row = {"system": system, "testset": "world", "query_lang": code, "doc_lang": "xx", "seed": 1}
            grown = value * factors[measure] * (1 if measure == "own_language_pool" else 1 + at / 12)
            rows.append({**row, "measure": measure, "value": grown, "queries": 40})
    return rows


TABLES: dict[str, tuple[Any, Schema]] = {
    "ablation": (ablation_rows, ABLATION),
    "curve": (curve_rows, CURVE),
    "equivalence": (equivalence_rows, EQUIVALENCE),
    "sweep": (sweep_rows, SWEEP),
    "overlap": (overlap_rows, OVERLAP),
    "shift": (shift_rows, SHIFT),
    "bias": (bias_rows, BIAS),
}


def write_experiment(folder: Path) -> Path:
    """Every table of :data:`TABLES` as ``<name>.csv`` in ``folder``, which is returned."""
    for name, (rows, schema) in TABLES.items():
        write(rows(), folder / f"{name}.csv", schema)
    return folder


def draw_experiment(experiment: Path, folder: Path) -> None:
    """Draw the five pictures, each with its numbers beside it."""
    languages: dict[str, Any] = {"languages": LANGUAGES}
    extra = {"curve": experiment / "curve.csv", "equivalence": experiment / "equivalence.csv"}
    for name, draw, more in [
        ("ablation", ablation_picture, {**languages, **extra}),
        ("sweep", sweep_picture, {}),
        ("overlap", overlap_picture, languages),
        ("shift", shift_picture, languages),
        ("bias", bias_picture, languages),
    ]:
        kind = Plot if name in ("shift", "bias") else MetricPlot
        plot = kind("world", folder / f"{name}.svg", systems=SYSTEMS, table=folder / f"{name}.csv")
        draw(**{name: experiment / f"{name}.csv"}, plot=plot, **more)


def draw_mrr(picture: dict[str, Any], per_query: Path, out: Path, **more: Any) -> None:
    """Draw ``out``, and its numbers beside it."""
    given = {name: value for name, value in picture.items() if name not in ("testset", "baseline")}
    plot = MetricPlot(picture["testset"], out, picture["baseline"], table=out.with_suffix(".csv"))
    mrr_picture(**given, per_query=per_query, plot=plot, **more)


def draw_gain(picture: dict[str, Any], out: Path, **more: Any) -> None:
    """Draw ``out``."""
    given = picture | more
    plot = MetricPlot(given.pop("testset"), out, given.pop("baseline"), metric=given.pop("metric", "mrr@10"))
    gain_heatmap(**given, plot=plot)
