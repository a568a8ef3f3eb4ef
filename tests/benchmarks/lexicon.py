"""Bilingual lexicons from vectors: exact search by cosine and CSLS, and the approximate search, from vectors in memory.

Ours runs in a process of its own, which loads the vectors before the clock starts. Floors are the products that an
exact search computes over the machine's rate of matrix products in float32.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.lexicon.induce import recall_at_1
from switchrank.search.choices import EXACT, SEARCHED, Choice, Criterion, SearchKind
from switchrank.search.nearest import Matcher
from tests.benchmarks.clock import Alone, alone, fastest, seconds
from tests.benchmarks.inputs import cluster_centres, clustered_vectors, spellings
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.row import Row, timed

Floats = NDArray[np.float32]
Indices = NDArray[np.int64]

DIMENSIONS = 300
CENTRES, NOISE = 5000, 0.05
SOURCES = {"small": 20_000, "large": 60_000, "gpu": 20_000}
APPROXIMATE_SOURCES = {"small": 50_000, "large": 200_000}
TARGETS = 200_000
CSLS_K = 10
CHUNKS, SAMPLED_CHUNKS = 100, 5
ROUNDS = 2
FEW = 20_000
"""Target words among which both sides are compared before the clock starts; all are compared after it."""
TIE = 1e-5
"""Scores closer than this are equal: float32 sums in another order."""


def nearest(scale: str) -> list[Row]:
    """1-nearest neighbours by inner product, beside the published way."""
    count = SOURCES[scale]
    with _vectors(count) as (folder, source, target):
        words = spellings(count, np.random.default_rng(2))
        part = count // CHUNKS * SAMPLED_CHUNKS
        asked = words[:: count // part][:part]
        _check_few(source, target)
        peers = {"published": lambda: published(asked, words, source, target)}
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "nn", "exact"), peers)
    found = ours.result["ids"]
    check(source[:: count // part][:part], target, found[:: count // part][:part], answers["published"])
    return [
        timed(
            ours,
            name="lexicon-nn",
            size=_size(count),
            peer=times["published"] * count / part,
            peer_name="the published way, float64, numpy",
            peer_version=package_version("numpy"),
            required_ratio=3,
            floor=_floor(count, "nn"),
            checked=f"The same target word for all of {part:,} source words, ties aside.",
            note=f"The peer is timed on {part:,} source words and scaled. {_growth(ours, count)}",
        )
    ]


def csls(scale: str) -> list[Row]:
    """The best translation by CSLS, beside NumPy in blocks of 500."""
    count = SOURCES[scale]
    with _vectors(count) as (folder, source, target):
        _check_few_csls(source, target)
        peers = {"numpy": lambda: _numpy_csls(source, target)}
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "csls", "exact"), peers, rounds=1)
    check_csls((ours.result["ids"], ours.result["scores"]), answers["numpy"])
    return [
        timed(
            ours,
            name="lexicon-csls",
            size=f"{_size(count)}, k = {CSLS_K}",
            peer=times["numpy"],
            peer_name="numpy float32, blocks of 500",
            peer_version=package_version("numpy"),
            required_ratio=1.5,
            floor=_floor(count, "csls"),
            checked=f"The same translation for all {count:,} source words, ties aside.",
            note=f"Both sides compute all inner products three times. {_growth(ours, count)}",
        )
    ]


def approximate(scale: str) -> list[Row]:
    """``search: ivf`` by cosine with its building and its measured recall, beside the exact search."""
    count = APPROXIMATE_SOURCES[scale]
    with _vectors(count) as (folder, _, _):
        exact = alone(_search, str(folder), "nn", "exact")
        (ours,) = fastest(ROUNDS, lambda: alone(_search, str(folder), "nn", "ivf"))
    recall = float((exact.result["ids"] == ours.result["ids"]).mean())
    return [
        timed(
            ours,
            name="lexicon-approximate",
            size=f"{_size(count)}, ivf, {EXACT.probes} probes",
            peer=exact.seconds,
            peer_name="search: exact",
            required_ratio=5,
            checked=f"Recall@1 is {recall:.3f} over all words (asked: 0.95); stored with the lexicon: "
            f"{ours.result['recall_at_1']:.3f} on {ours.result['sample']} words.",
            note="This option changes results. Building and measuring the recall are in its time.",
        )
    ]


def on_gpu(scale: str) -> list[Row]:
    """The exact search on the CPU, beside torch on a GPU."""
    import torch

    count = SOURCES[scale]
    with _vectors(count) as (folder, source, target):
        peers = {"torch": lambda: _torch(source, target)}
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "nn", "exact"), peers)
    check(source, target, ours.result["ids"], answers["torch"])
    return [
        timed(
            ours,
            name="lexicon-gpu",
            size=_size(count),
            peer=times["torch"],
            peer_name=f"torch on {torch.cuda.get_device_name()}, fp32",
            peer_version=package_version("torch"),
            floor=_floor(count, "nn"),
            checked="The same target word for all source words, ties aside.",
            note="switchrank searches on the CPU; there is no option for a GPU.",
        )
    ]


@contextmanager
def _vectors(count: int) -> Iterator[tuple[Path, Floats, Floats]]:
    """Source and target vectors, and a folder that holds them as ``.npy`` files."""
    rng = np.random.default_rng(1)
    centres = cluster_centres(CENTRES, DIMENSIONS, rng)
    source, target = (clustered_vectors(rows, DIMENSIONS, centres, NOISE, rng) for rows in (count, TARGETS))
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder, "source.npy"), source)
        np.save(Path(folder, "target.npy"), target)
        yield Path(folder), source, target


def _by_turns(
    ours: Callable[[], Alone], peers: dict[str, Callable[[], Any]], rounds: int = ROUNDS
) -> tuple[Alone, dict[str, Any], dict[str, float]]:
    """Our fastest run, and every peer's answer and least seconds, one after the other in each round."""
    runs: list[Alone] = []
    answers: dict[str, Any] = {}
    times: dict[str, float] = {}
    for _ in range(rounds):
        runs.append(ours())
        for name, peer in peers.items():
            taken = seconds(lambda name=name, peer=peer: answers.__setitem__(name, peer()))
            times[name] = min(taken, times.get(name, taken))
    return min(runs, key=lambda run: run.seconds), answers, times


def _search(folder: str, criterion: Criterion, kind: SearchKind) -> Callable[[], dict[str, Any]]:
    source, target = np.load(Path(folder, "source.npy")), np.load(Path(folder, "target.npy"))

    def run() -> dict[str, Any]:
        matcher = Matcher(source, target, criterion, neighbours=CSLS_K, search=Choice(search=kind), threads=threads())
        scores, ids = (of[:, 0] for of in matcher.best_targets())
        return {"scores": scores, "ids": ids, **({} if kind == "exact" else recall_at_1(matcher, ids))}

    return run


def published(asked: list[str], words: list[str], source: Floats, target: Floats) -> Indices:
    """Rows by ``list.index``, float64, argmax of products of chunks of a hundredth of all words."""
    rows = [words.index(word) for word in asked]
    queries, base = source[rows].astype(np.float64), target.T.astype(np.float64)
    size = len(words) // CHUNKS
    return np.concatenate([(queries[at : at + size] @ base).argmax(axis=1) for at in range(0, len(queries), size)])


def _torch(source: Floats, target: Floats) -> Indices:
    import torch

    torch.backends.cuda.matmul.allow_tf32 = False
    base = torch.from_numpy(target).cuda()
    found = [(block.cuda() @ base.T).argmax(dim=1) for block in torch.from_numpy(source).split(4096)]
    return torch.cat(found).cpu().numpy()


def _numpy_csls(source: Floats, target: Floats) -> tuple[Indices, Floats]:
    of_source, of_target = _numpy_means(source, target), _numpy_means(target, source)
    ids, scores = np.empty(len(source), dtype=np.int64), np.empty(len(source), dtype=np.float32)
    for start in range(0, len(source), 500):
        rows = slice(start, start + 500)
        block = 2 * (source[rows] @ target.T) - of_target
        ids[rows] = block.argmax(axis=1)
        scores[rows] = block.max(axis=1) - of_source[rows]
    return ids, scores


def _numpy_means(queries: Floats, base: Floats) -> Floats:
    means = [
        np.partition(queries[at : at + 500] @ base.T, -CSLS_K, axis=1)[:, -CSLS_K:].mean(axis=1)
        for at in range(0, len(queries), 500)
    ]
    return np.concatenate(means)


def check(source: Floats, target: Floats, ours: Indices, peer: Indices) -> None:
    """Equal rows, or rows with equal inner products."""
    differ = np.flatnonzero(ours != peer)
    products = [np.einsum("ij,ij->i", source[differ], target[ids[differ]], dtype=np.float64) for ids in (ours, peer)]
    if not np.allclose(*products, rtol=0, atol=TIE):
        raise AssertionError("lexicon-nn: other translations than the peer's")


def check_csls(ours: tuple[Indices, Floats], peer: tuple[Indices, Floats]) -> None:
    """Equal rows, or rows with equal scores."""
    if not ((ours[0] == peer[0]) | (np.abs(ours[1] - peer[1]) < TIE)).all():
        raise AssertionError("lexicon-csls: other translations than numpy's")


def _check_few(source: Floats, target: Floats) -> None:
    """Before the clock: the peer's target words and ours for some source words among some target words."""
    some, others = source[: 2 * CHUNKS], target[:FEW]
    words = [str(number) for number in range(len(some))]
    found = Matcher(some, others, "nn", threads=threads()).best_targets()[1][:, 0]
    check(some, others, found, published(words, words, some, others))


def _check_few_csls(source: Floats, target: Floats) -> None:
    some, others = source[: 2 * CHUNKS], target[:FEW]
    scores, found = Matcher(some, others, "csls", neighbours=CSLS_K, threads=threads()).best_targets()
    check_csls((found[:, 0], scores[:, 0]), _numpy_csls(some, others))


def _floor(count: int, criterion: Criterion) -> float:
    return SEARCHED[criterion] * 2 * count * TARGETS * DIMENSIONS / gemm_rate()


def _growth(run: Alone, count: int) -> str:
    given = (count + TARGETS) * DIMENSIONS * 4 / 1e6
    return f"Memory grows by {run.growth_mb:,.0f} MB, the vectors take {given:,.0f} MB."


def _size(count: int) -> str:
    return f"{count:,} x {TARGETS:,}, {DIMENSIONS} dimensions"
