"""A small evaluated run: four languages, one of them unseen, a baseline, a better system and two references."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from made_up import LANGUAGES, draw_experiment, write_experiment

from switchrank.formats.tables import METRICS, PER_QUERY, QUALITY, SIGNIFICANCE, write_table

PAIRS = [("en", "en"), ("qaa", "qaa"), ("qad", "qad"), ("en", "qaa"), ("qab", "qad"), ("qad", "en")]
VALUES = {"zero-shot": 0.3, "ml-cs": 0.45, "bl-cs": 0.4, "bm25": 0.1, "random": 0.05}
QUERIES = 40


def _seen(query: str, document: str) -> str:
    return {(0, 0): "both", (0, 1): "query", (1, 0): "document", (1, 1): "none"}[query == "qad", document == "qad"]


def _write_run(folder: Path, pairs: list[tuple[str, str]], systems: dict[str, float], seeds: int = 2) -> None:
    """Write metrics.csv, per_query.parquet and significance.csv of a test set named ``world``."""
    draws = np.random.Generator(np.random.Philox(7))
    scores, metrics, tests = [], [], []
    for query, document in pairs:
        setup = "mlir" if "xx" in (query, document) else "moir" if query == document else "clir"
        common: dict[str, Any] = {"testset": "world", "query_lang": query, "doc_lang": document, "metric": "mrr@10"}
        for system, centre in systems.items():
            if system == "bl-cs" and (query, document) != ("en", "qaa"):
                continue
            for seed in range(1, seeds + 1):
                values = np.clip(draws.normal(centre, 0.1, QUERIES), 0, 1)
                row = {**common, "system": system, "seed": seed}
                metrics.append({**row, "run": "r", "setup": setup, "seen": _seen(query, document), "queries": QUERIES})
                metrics[-1]["value"] = float(values.mean())
                scores += [{**row, "qid": f"q{at}", "value": float(value)} for at, value in enumerate(values)]
            if system not in ("zero-shot", "random"):
                delta = centre - systems["zero-shot"]
                test = {**common, "system": system, "baseline": "zero-shot", "setup": setup, "value": centre}
                test |= {"baseline_value": systems["zero-shot"], "delta": delta, "significant": query != document}
                test |= {"ci_low": delta - 0.02, "ci_high": delta + 0.02, "p_value": 2e-7, "p_corrected": 1.2e-5}
                test |= {"test": "t", "correction": "holm", "family": "f", "family_size": 6, "seeds": seeds}
                tests.append({**test, "queries": QUERIES})
    for rows, name, schema in [
        (metrics, "metrics.csv", METRICS),
        (scores, "per_query.parquet", PER_QUERY),
        (tests, "significance.csv", SIGNIFICANCE),
    ]:
        write_table(pl.DataFrame(rows, schema=schema), folder / name, schema)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with metrics.csv, per_query.parquet, significance.csv and lexicon_quality.csv."""
    folder = tmp_path_factory.mktemp("run")
    _write_run(folder, PAIRS, VALUES)
    columns = ["lexicon", "src", "tgt", "gold", "p_at_1", "p_at_5", "mrr", "coverage", "gold_size"]
    rows = [
        ("clwe", "en", "qaa", "gold", 0.7, 0.8, 0.74, 0.95, 500),
        ("clwe", "en", "qad", "gold", 0.6, 0.7, 0.64, 0.9, 500),
        ("titles", "en", "qaa", "gold", 0.3, 0.3, 0.3, 0.35, 500),
    ]
    quality = pl.DataFrame([dict(zip(columns, row, strict=True)) for row in rows], schema=QUALITY)
    write_table(quality, folder / "lexicon_quality.csv", QUALITY)
    return folder


@pytest.fixture
def write_run() -> Callable[..., None]:
    """Writes another run: ``write_run(folder, pairs, systems, seeds)``."""
    return _write_run


@pytest.fixture(scope="session")
def picture(run: Path) -> dict[str, Any]:
    """The arguments that the score pictures have in common."""
    tables = {"metrics": run / "metrics.csv", "significance": run / "significance.csv"}
    return {**tables, "testset": "world", "languages": LANGUAGES, "baseline": "zero-shot"}


@pytest.fixture(scope="session")
def experiment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables of a made-up experiment: ablation, curve, equivalence, sweep, overlap, shift, bias."""
    return write_experiment(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="session")
def drawn(experiment: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the five pictures of the experiment, ``<name>.svg``, and their numbers, ``<name>.csv``."""
    folder = tmp_path_factory.mktemp("drawn")
    draw_experiment(experiment, folder)
    return folder
