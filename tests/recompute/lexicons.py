"""Lexicons against gold dictionaries, and settings varied: lexicon_quality.csv and sweep.csv."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import polars as pl

from switchrank.formats.tables import QUALITY, SWEEP
from tests.recompute.design import setup
from tests.recompute.finished import Finished, Series, mean
from tests.recompute.why import key

Quality = dict[str, dict[str, float]]


def check_quality(run: Finished) -> None:
    """Hold each row against what its lexicon makes of the words of the gold dictionary."""
    run.check("lexicon_quality.csv", QUALITY, ("lexicon", "src", "tgt", "gold"), _quality(run))


def _quality(run: Finished) -> dict[tuple[str, ...], dict[str, float]]:
    found = {}
    for name, source, target, path in run.design.gold:
        gold = _gold(run.folder.parents[1] / path)
        for file in (run.folder / "lexicons").glob(f"*/{source}-{target}.parquet"):
            found[file.parent.name, source, target, name] = _measures(file, gold)
    return found


def _gold(path: Path) -> dict[str, set[str]]:
    """The translations of each source word of plain ``source target`` lines."""
    gold = defaultdict(set)
    for line in path.read_text(encoding="utf-8").splitlines():
        source, target = line.split("\t" if "\t" in line else None, 1)
        gold[key(source.strip())].add(key(target.strip()))
    return gold


def _measures(file: Path, gold: dict[str, set[str]]) -> dict[str, float]:
    """Gold words with a right translation at rank 1, among five, one over its rank; a word not covered is wrong."""
    table = pl.read_parquet(file)
    covered = set(table["source"]) & gold.keys()
    best: dict[str, int] = {}
    for source, target, rank in table.select("source", "target", "rank").rows():
        if source in gold and key(target) in gold[source]:
            best[source] = min(rank, best.get(source, rank))
    ranks, size = list(best.values()), len(gold)
    return {
        "p_at_1": ranks.count(1) / size,
        "p_at_5": len([rank for rank in ranks if rank <= 5]) / size,
        "mrr": sum(1 / rank for rank in ranks) / size,
        "coverage": len(covered) / size,
        "gold_size": size,
    }


def check_sweep(run: Finished) -> None:
    """Hold each row against the metrics of its system, its corpora's statistics and its lexicon's quality."""
    precision = defaultdict(list)
    for (lexicon, *_), measures in _quality(run).items():
        precision[lexicon].append(measures["p_at_1"])
    expected = {}
    for point in run.design.points:
        right = precision.get(point.lexicon or "")
        beside = {"switched": _switched(run, point.corpus), "p_at_1": mean(right) if right else None}
        for series, metrics in run.scores.items():
            if series.system == point.system:
                labels = {
                    "setup": setup(series.query_lang, series.doc_lang),
                    "seen": run.design.seen(series.testset, series.query_lang, series.doc_lang),
                }
                for metric, values in metrics.items():
                    row = (point.sweep, point.x, *series, metric)
                    expected[row] = {"value": mean(values.values())} | labels | beside
    run.check("sweep.csv", SWEEP, ("sweep", "x", *Series._fields, "metric"), expected)


def _switched(run: Finished, corpus: str) -> float:
    """Switched content words per content word of both sides, over all corpora of that name."""
    files = (run.folder / "corpora" / corpus).glob("*/stats.json")
    records = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    sides = [record[side] for record in records for side in ("query", "passage") if side in record]
    content = sum(side["content_tokens"] for side in sides)
    from_lexicons = (part["content_switched"] for side in sides for part in side["languages"].values())
    return sum(from_lexicons) / content if content else 0.0
