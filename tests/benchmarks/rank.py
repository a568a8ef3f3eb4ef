"""Ranking beside ``CrossEncoder.predict``: the same model folder, the same texts, from strings to scores."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau

from switchrank.rank.inference import Inference
from switchrank.rank.score import Reranker
from tests.benchmarks.clock import alone, by_turns, seconds
from tests.benchmarks.gpu import busy, gpu_gemm_rate
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.rankers import (
    BASE,
    MINILM,
    PASSAGE_WORDS,
    QUERY_WORDS,
    Shape,
    has_bf16,
    operations,
    ranker_folder,
    texts,
)
from tests.benchmarks.row import Row

Scores = NDArray[np.float32]
_CLOSE = 1e-4
"""Scores spread over several units; float32 rounding is some 1e-6 of them."""


@dataclass(frozen=True)
class Work:
    """Queries and their candidates' texts, ``passages[query]``, and the model folder."""

    folder: Path
    queries: list[str]
    passages: list[list[str]]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """All pairs, query after query."""
        return [(query, text) for query, some in zip(self.queries, self.passages, strict=True) for text in some]


def make_work(folder: Path, shape: Shape, queries: int, candidates: int) -> Work:
    """A ranker and generated texts."""
    passages = texts(queries * candidates, PASSAGE_WORDS, seed=21)
    lists = [passages[n * candidates : (n + 1) * candidates] for n in range(queries)]
    return Work(ranker_folder(folder, shape), texts(queries, QUERY_WORDS, seed=22), lists)


def ours(
    work: Work, precision: str, device: str = "cpu", token_budget: int = 16_384, cores: int | None = None
) -> Callable[[], Scores]:
    """Scores of all pairs by switchrank; the model is opened before."""
    inference = Inference(device, cores or threads(), precision, token_budget)
    reranker = Reranker(work.folder, inference)

    def call() -> Scores:
        passages = [text for some in work.passages for text in some]
        asked, answers = reranker.tokenise(work.queries, "queries"), reranker.tokenise(passages, "passages")
        query = np.repeat(np.arange(len(work.queries)), [len(some) for some in work.passages])
        return reranker.score(asked, answers, query, np.arange(len(passages)))

    return call


def peers(work: Work, device: str = "cpu", batch_size: int = 32, **model: Any) -> tuple[Callable[[], Scores], ...]:
    """Scores of all pairs by sentence-transformers, query by query and in one call; the model is opened before."""
    import torch
    from sentence_transformers import CrossEncoder

    torch.set_num_threads(threads())
    encoder = CrossEncoder(str(work.folder), device=device, model_kwargs=model)
    options = {"batch_size": batch_size, "show_progress_bar": False}

    def by_query() -> Scores:
        lists = zip(work.queries, work.passages, strict=True)
        return np.concatenate([encoder.predict([(query, text) for text in some], **options) for query, some in lists])

    return by_query, lambda: encoder.predict(work.pairs, **options)


def lengths(work: Work) -> NDArray[np.int64]:
    """Tokens of each pair."""
    from transformers import AutoTokenizer

    pairs = AutoTokenizer.from_pretrained(work.folder)(work.pairs, truncation=True)["input_ids"]
    return np.array([len(ids) for ids in pairs])


def order_of(scores: Scores, lists: int) -> tuple[NDArray[np.int64], Scores]:
    """Each query's candidates by falling score, and the scores by query."""
    table = scores.reshape(lists, -1)
    return np.argsort(-table, axis=1, kind="stable"), table


def same_rankings(one: Scores, other: Scores, lists: int) -> str:
    """Check that scores agree and every query's ranking is the same where the scores differ by more than rounding."""
    np.testing.assert_allclose(one, other, atol=_CLOSE)
    first, table = order_of(one, lists)
    second, _ = order_of(other, lists)
    swapped = first != second
    gap = np.abs(np.take_along_axis(table, first, 1) - np.take_along_axis(table, second, 1))
    assert (gap[swapped] < _CLOSE).all()
    furthest, spread = np.abs(one - other).max(), one.std()
    return f"Scores within {furthest:.1e} (spread {spread:.2g}); {_swaps(int(swapped.sum()), swapped.size)}"


def _swaps(count: int, places: int) -> str:
    return f"rankings identical at {places - count} of {places} places" + ("." if not count else ", ties of rounding.")


def correlation(one: Scores, other: Scores, lists: int) -> float:
    """Kendall's tau of the rankings, mean over queries."""
    tables = one.reshape(lists, -1), other.reshape(lists, -1)
    return float(np.mean([kendalltau(a, b).statistic for a, b in zip(*tables, strict=True)]))


def rank(scale: str) -> list[Row]:
    """10 queries x 200 candidates (``large``: 50 x 1,000), 6 x 384, on the CPU."""
    queries, candidates = (10, 200) if scale == "small" else (50, 1_000)
    with tempfile.TemporaryDirectory() as folder:
        return _rows(make_work(Path(folder), MINILM, queries, candidates), MINILM)


def _rows(work: Work, shape: Shape) -> list[Row]:
    batch_size = _best_batch_size(work)
    by_query, at_once = peers(work, batch_size=batch_size)
    plain = ours(work, "fp32")
    scores, theirs = plain(), at_once()
    checked = same_rankings(scores, theirs, len(work.queries))
    fast, slow = by_turns(plain, at_once, rounds=1)
    slowest = seconds(by_query)
    pairs, tokens = len(work.pairs), lengths(work)
    size = f"{len(work.queries)} queries x {len(work.passages[0])}, {shape.name}"
    name, version = f"CrossEncoder.predict, batches of {batch_size},", package_version("sentence-transformers")
    whole, needed = operations(shape, tokens)
    rate, peak = gemm_rate(), _peak(work)
    share = f"The floor counts the operations that the logits depend on; of a stock forward pass's {whole / rate:.1f} s"
    common: dict[str, Any] = {"unit": "pairs/s", "peer_version": version, "peak_rss_mb": peak}
    rows = [
        Row(name="rank", size=f"{size}, fp32, peer query by query", ours=pairs / fast, peer=pairs / slowest,
            peer_name=name, required_ratio=1.4, checked=checked, **common),
        Row(name="rank", size=f"{size}, fp32, peer in one call", ours=pairs / fast, peer=pairs / slow, peer_name=name,
            required_ratio=1.15, floor=pairs * rate / needed, required_share=0.75, checked=checked,
            note=f"{share} at the gemm rate, this takes {fast / (whole / rate):.2f}.", **common),
    ]  # fmt: skip
    if has_bf16():
        rows.append(_half(work, shape, scores, pairs / slow, batch_size, common))
    return rows


def _half(work: Work, shape: Shape, scores: Scores, single: float, batch_size: int, common: dict[str, Any]) -> Row:
    """In bf16 beside the faster dtype of the peer, of which ``single`` is its rate in fp32."""
    import torch

    half, theirs = ours(work, "bf16"), peers(work, batch_size=batch_size, dtype=torch.bfloat16)[1]
    rough = half()
    fast, slow = by_turns(half, theirs, rounds=2)
    pairs, tau = len(work.pairs), correlation(scores, rough, len(work.queries))
    peer, dtype = max((single, "fp32"), (pairs / slow, "bf16"))
    floor = pairs * gemm_rate(dtype="bfloat16") / operations(shape, lengths(work))[1]
    furthest = np.abs(rough - scores).max()
    note = f"precision: bf16 changes scores, by at most {furthest:.2g} at a spread of {scores.std():.2g}; "
    size = f"{len(work.queries)} queries x {len(work.passages[0])}, {shape.name}, bf16, peer in one call"
    return Row(name="rank", size=size, ours=pairs / fast, peer=peer,
               peer_name=f"CrossEncoder.predict in {dtype}, batches of {batch_size},", required_ratio=1.5, floor=floor,
               required_share=0.4, checked=f"Kendall's tau with the fp32 rankings {tau:.4f}.",
               note=f"{note}random weights make closer calls than trained ones. The peer ranks {single:.3g} pairs/s in "
               f"fp32, {pairs / slow:.3g} in bf16.", **common)  # fmt: skip


def _best_batch_size(work: Work) -> int:
    """The fastest of the peer's batch sizes, on its first query, as its documentation advises."""
    first = Work(work.folder, work.queries[:1], work.passages[:1])
    calls = {size: peers(first, batch_size=size)[1] for size in (16, 32, 64)}
    return min(calls, key=lambda size: seconds(calls[size]))


def _peak(work: Work) -> float:
    few = Work(work.folder, work.queries[:2], work.passages[:2])
    return alone(_scored, few).peak_rss_mb


def _scored(work: Work) -> Callable[[], Scores]:
    return ours(work, "fp32")


def on_gpu(scale: str) -> list[Row]:
    """100 queries x 200 candidates in bf16 on a GPU, 6 x 384 and 12 x 768."""
    assert scale == "gpu"
    return [gpu_row(shape, queries=100) for shape in (MINILM, BASE)]


def gpu_row(shape: Shape, *, queries: int, candidates: int = 200, device: str = "cuda", batch_size: int = 256) -> Row:
    """Ranking in bf16 beside one call of the peer in bf16 with torch's own attention."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), shape, queries, candidates)
        plain = ours(work, "bf16", device, token_budget=65_536)
        at_once = peers(work, device, batch_size, dtype=torch.bfloat16, attn_implementation="sdpa")[1]
        tau = correlation(plain(), at_once(), queries)
        fast, slow = by_turns(plain, at_once)
        pairs, (whole, needed) = queries * candidates, operations(shape, lengths(work))
        rate = gpu_gemm_rate(device)
        return Row(
            name="rank-gpu", unit="pairs/s", size=f"{queries} queries x {candidates}, {shape.name}, bf16",
            ours=pairs / fast, peer=pairs / slow, peer_name=f"CrossEncoder.predict, bf16, batches of {batch_size},",
            peer_version=package_version("sentence-transformers"), required_ratio=1.5, floor=pairs * rate / needed,
            checked=f"Kendall's tau of the two rankings, both in bf16, {tau:.4f}.",
            note=f"Model FLOPs utilisation {whole / fast / rate:.2f} of the measured bf16 matrix product rate; "
                 f"{busy(plain, device)}.",
        )  # fmt: skip
