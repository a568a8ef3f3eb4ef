"""Per-query scores: many small runs beside a ranx process for each, and a large one beside pytrec_eval."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.formats.tables import JUDGEMENTS, write_table
from tests.benchmarks.clock import Alone, alone, fastest, process
from tests.benchmarks.machine import package_version
from tests.benchmarks.row import Row, timed

METRICS = ["mrr@10", "ndcg@10", "map", "recall@100"]
LARGE_METRICS = {"mrr": "recip_rank", "ndcg@10": "ndcg_cut.10", "map": "map", "recall@100": "recall.100"}
"""What trec_eval calls them; its reciprocal rank has no depth."""
RUNS, TIMED = 378, 10
TOLERANCE = 1e-9
MEMORY_MB = 1000
"""What scoring may take, whatever the size of the run."""
_DOCUMENTS = 8_841_823
_RANX = """
import json, sys
from ranx import Qrels, Run, evaluate
qrels, run, metrics, out = sys.argv[1:]
judged, ranked = Qrels.from_file(qrels, kind="trec"), Run.from_file(run, kind="trec")
scores = evaluate(judged, ranked, metrics.split(), return_mean=False)
json.dump({name: list(values) for name, values in scores.items()}, open(out, "w"))
"""


def evaluate(scale: str) -> list[Row]:
    """Rows ``evaluate``: 378 runs of 200 queries by 100 documents, and one of 7,000 (``large``: 28,000) by 1,000."""
    with tempfile.TemporaryDirectory() as folder:
        return [_many(Path(folder)), _one(Path(folder), 7_000 if scale == "small" else 28_000)]


def _judge(folder: Path, candidates: np.ndarray, rng: np.random.Generator) -> None:
    """One to four relevant documents a query, graded 1 to 3, as a table of ours and as TREC qrels."""
    rows = [
        (f"{query:07}", str(document), int(rng.integers(1, 4)))
        for query, documents in enumerate(candidates)
        for document in rng.choice(documents, int(rng.integers(1, 5)), replace=False)
    ]
    table = pl.DataFrame(rows, schema=JUDGEMENTS, orient="row")
    write_table(table, folder / "judgements.parquet", JUDGEMENTS)
    write_qrels(table, folder / "qrels.txt")


def write_qrels(judgements: pl.DataFrame, path: Path) -> None:
    """Judgements as TREC qrels."""
    lines = judgements.select("qid", pl.lit("0").alias("iteration"), "docid", "relevance")
    lines.write_csv(path, separator=" ", include_header=False)


def _candidates(queries: int, depth: int, rng: np.random.Generator) -> np.ndarray:
    """Distinct documents for each query, shape ``(queries, depth)``."""
    return np.sort(rng.integers(0, _DOCUMENTS // depth, (queries, depth)), axis=1) * depth + np.arange(depth)


def _write_run(path: Path, candidates: np.ndarray, rng: np.random.Generator) -> None:
    """A random ranking of each query's candidates, with falling scores."""
    queries, depth = candidates.shape
    ranked = rng.permuted(candidates, axis=1)
    with path.open("wb") as stream:
        for start in range(0, queries, 1000):
            part = ranked[start : start + 1000]
            columns = {
                "qid": np.repeat([f"{query:07}" for query in range(start, start + len(part))], depth),
                "q0": "Q0",
                "docid": part.ravel(),
                "rank": np.tile(np.arange(1, depth + 1), len(part)),
                "score": np.round(10 - np.tile(np.arange(depth), len(part)) * 0.0123, 6),
                "system": "made-up",
            }
            pl.DataFrame(columns).write_csv(stream, separator=" ", include_header=False)


def _many(folder: Path) -> Row:
    rng = np.random.default_rng(3)
    candidates = _candidates(200, 100, rng)
    _judge(folder, candidates, rng)
    runs = [folder / f"{number}.trec" for number in range(RUNS)]
    for run in runs:
        _write_run(run, candidates, rng)
    listed = [
        {"path": str(r), "system": "s", "query_lang": "de", "doc_lang": "en", "seed": n} for n, r in enumerate(runs)
    ]
    judgements, out, theirs = folder / "judgements.parquet", folder / "scores.parquet", folder / "ranx.json"
    score(listed[:1], {"en": judgements}, out)
    score_by_ranx(folder / "qrels.txt", runs[0], theirs)
    largest = difference(pl.read_parquet(out), theirs)
    (ours,) = fastest(2, lambda: score(listed, {"en": judgements}, out))
    found, taken = pl.read_parquet(out), []
    for number in range(TIMED):
        taken.append(score_by_ranx(folder / "qrels.txt", runs[number], theirs).seconds)
        largest = max(largest, difference(found.filter(pl.col("seed") == number), theirs))
    return timed(
        ours,
        name="evaluate",
        size=f"{RUNS} runs of 200 queries x 100 documents, {len(METRICS)} metrics",
        peer=float(np.mean(taken)) * RUNS,
        peer_name="ranx, a process for each run",
        peer_version=package_version("ranx"),
        required_ratio=100,
        checked=f"Largest difference of a query's score over {TIMED} runs: {largest:.1e}.",
        note=f"Both compute by ranx; its start and that of Python count on both sides, after a run that kept the "
        f"compiled code. A process for each run: {TIMED} runs timed, times {RUNS / TIMED:.1f}.",
    )


def score(runs: list[dict[str, Any]], judgements: dict[str, Path], out: Path) -> Alone:
    """Ours: one process for all runs; the table goes to ``out``."""
    listed = out.with_suffix(".runs.json")
    listed.write_text(json.dumps(runs))
    words = ["--judgements", *(f"{language}={path}" for language, path in judgements.items()), "--testset", "made-up"]
    words += ["--runs", str(listed), "--metrics", *METRICS, "--out", str(out)]
    return process([sys.executable, "-m", "switchrank", "evaluate", "score", *words])


def score_by_ranx(qrels: Path, run: Path, out: Path) -> Alone:
    """The peer: a process for one run, its scores by metric and query as JSON; the first one fills its cache."""
    return process([sys.executable, "-c", _RANX, qrels, run, " ".join(METRICS), out])


def difference(ours: pl.DataFrame, theirs: Path) -> float:
    """The largest difference of a score of one run, which must be none to speak of."""
    found = ours.sort("metric", "qid")
    values = {name: part["value"].to_numpy() for (name,), part in found.group_by("metric", maintain_order=True)}
    return _largest(values, json.loads(theirs.read_text()))


def _largest(ours: dict[str, np.ndarray], theirs: dict[str, list[float]]) -> float:
    largest = max(float(np.abs(ours[name] - np.array(theirs[name])).max()) for name in theirs)
    if len(ours) != len(theirs) or not largest <= TOLERANCE:
        raise AssertionError(f"scores differ by {largest}")
    return largest


def score_large(run: Path, judgements: Path, out: Path) -> Callable[[], dict[str, np.ndarray]]:
    """Ours: from the TREC file to the table, and the values read from it again; ranx is loaded before the clock."""
    from switchrank.evaluate.score import evaluate_testset, ranx

    ranx()
    described = {"path": run, "system": "s", "query_lang": "de", "doc_lang": "en", "seed": 1}

    def work() -> dict[str, np.ndarray]:
        evaluate_testset(
            runs=[described], judgements={"en": judgements}, testset="made-up", metrics=list(LARGE_METRICS), out=out
        )
        table = pl.read_parquet(out)
        return {name: table.filter(pl.col("metric") == name).sort("qid")["value"].to_numpy() for name in LARGE_METRICS}

    return work


def scores_by_pytrec(run: Path, qrels: Path) -> Callable[[], dict[str, list[float]]]:
    """The peer: its own reader of runs, one call for all queries; it is imported before the clock starts."""
    import pytrec_eval

    def work() -> dict[str, list[float]]:
        with qrels.open() as lines:
            evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(lines), set(LARGE_METRICS.values()))
        with run.open() as lines:
            scores = evaluator.evaluate(pytrec_eval.parse_run(lines))
        names = {name: theirs.replace(".", "_") for name, theirs in LARGE_METRICS.items()}
        return {name: [scores[qid][theirs] for qid in sorted(scores)] for name, theirs in names.items()}

    return work


def write_large(run: Path, queries: int, rng: np.random.Generator) -> np.ndarray:
    """A run of 1,000 documents for each query, and its judgements beside it; the documents."""
    candidates = _candidates(queries, 1000, rng)
    _judge(run.parent, candidates, rng)
    _write_run(run, candidates, rng)
    return candidates


def _one(folder: Path, queries: int) -> Row:
    run, tenth = folder / "large.trec", folder / "tenth.trec"
    rng = np.random.default_rng(4)
    candidates = write_large(run, queries, rng)
    _write_run(tenth, candidates[: queries // 10], rng)
    given = folder / "judgements.parquet", folder / "large.parquet"
    peers = partial(alone, scores_by_pytrec, run, folder / "qrels.txt")
    small = alone(score_large, tenth, *given)
    few = alone(scores_by_pytrec, tenth, folder / "qrels.txt")
    _largest({name: values[: queries // 10] for name, values in small.result.items()}, few.result)
    ours, peer = fastest(2, partial(alone, score_large, run, *given), peers)
    if ours.peak_rss_mb > MEMORY_MB:
        raise AssertionError(f"scoring takes {ours.peak_rss_mb:.0f} MB, more than {MEMORY_MB}")
    return timed(
        ours,
        name="evaluate",
        size=f"one run of {queries:,} queries x 1,000 documents ({run.stat().st_size / 1e6:.0f} MB)",
        peer=peer.seconds,
        peer_name="pytrec_eval (pytrec-eval-terrier), from file to scores",
        peer_version=package_version("pytrec-eval-terrier"),
        required_ratio=4,
        checked=f"Largest difference of a query's score: {_largest(ours.result, peer.result):.1e}.",
        note="Libraries are loaded before the clock starts. "
        f"Memory at most {ours.peak_rss_mb:.0f} MB; for a tenth of the queries {small.peak_rss_mb:.0f} MB; "
        f"pytrec_eval {peer.peak_rss_mb:.0f} MB.",
    )
