"""Bilingual lexicons from vectors: exact search by cosine and CSLS, and the approximate search, from vectors in memory.

Ours runs in a process of its own, which loads the vectors before the clock starts. Floors are the products that are
computed over the machine's rate of matrix products in float32, also where a first look computes them in bfloat16.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from switchrank.cells import cell_pairs
from switchrank.neighbours import Criterion, Side, sides, top_k

from switchrank import neighbours
from switchrank.lexicon.recall import recall_at_1
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
PROBES = 10
CHUNKS, SAMPLED_CHUNKS = 100, 5
ROUNDS = 2
FEW = 20_000
"""Target words among which both sides are compared before the clock starts; all are compared after it."""
TIE = 1e-5
"""Scores closer than this are equal: float32 sums in another order."""


def nearest(scale: str) -> list[Row]:
    """1-nearest neighbours by inner product, beside the published way and beside FAISS."""
    count = SOURCES[scale]
    with _vectors(count) as (folder, source, target):
        words = spellings(count, np.random.default_rng(2))
        part = count // CHUNKS * SAMPLED_CHUNKS
        asked = words[:: count // part][:part]
        _check_few(source, target)
        peers = {
            "published": lambda: published(asked, words, source, target),
            "faiss": lambda: _faiss(source[:part], target),
        }
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "nn"), peers)
    found = ours.result["ids"][:, 0]
    check(source[:: count // part][:part], target, found[:: count // part][:part], answers["published"])
    check(source[:part], target, found[:part], answers["faiss"])
    checked = f"The same target word for all of {part:,} source words, ties aside."
    row = partial(timed, ours, name="lexicon-nn", size=_size(count), floor=_floor(ours), checked=checked)
    scaled = f"The peer is timed on {part:,} source words and scaled."
    return [
        row(
            peer=times["published"] * count / part,
            peer_name="the published way, float64, numpy",
            peer_version=package_version("numpy"),
            required_ratio=4,
            required_share=0.75,
            note=f"{scaled} {_looked(ours)}{_growth(ours, count)}",
        ),
        row(
            peer=times["faiss"] * count / part,
            peer_name="faiss.knn",
            peer_version=package_version("faiss-cpu"),
            note=scaled,
        ),
    ]


def csls(scale: str) -> list[Row]:
    """The best translation by CSLS, beside NumPy in blocks of 500."""
    count = SOURCES[scale]
    with _vectors(count) as (folder, source, target):
        _check_few_csls(source, target)
        peers = {"numpy": lambda: _numpy_csls(source, target)}
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "csls"), peers, rounds=1)
    found, scores = ours.result["ids"][:, 0], ours.result["scores"][:, 0]
    check_csls((found, scores), answers["numpy"])
    products = ours.result["scored"] / (count * TARGETS)
    return [
        timed(
            ours,
            name="lexicon-csls",
            size=f"{_size(count)}, k = {CSLS_K}",
            peer=times["numpy"],
            peer_name="numpy float32, blocks of 500",
            peer_version=package_version("numpy"),
            required_ratio=1.5,
            floor=_floor(ours),
            required_share=0.7,
            checked=f"The same translation for all {count:,} source words, ties aside.",
            note=f"The peer computes all inner products three times, switchrank {products:.2f} times, "
            f"which the floor counts. {_looked(ours)}{_growth(ours, count)}",
        )
    ]


def approximate(scale: str) -> list[Row]:
    """``search: ivf`` by cosine with its building and its measured recall, beside the exact search."""
    count = APPROXIMATE_SOURCES[scale]
    with _vectors(count) as (folder, _, _):
        exact = alone(_search, str(folder), "nn")
        (ours,) = fastest(ROUNDS, lambda: alone(_ivf, str(folder)))
    recall = float((exact.result["ids"][:, 0] == ours.result["ids"][:, 0]).mean())
    return [
        timed(
            ours,
            name="lexicon-approximate",
            size=f"{_size(count)}, ivf, {PROBES} probes",
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
        ours, answers, times = _by_turns(lambda: alone(_search, str(folder), "nn"), peers)
    check(source, target, ours.result["ids"][:, 0], answers["torch"])
    return [
        timed(
            ours,
            name="lexicon-gpu",
            size=_size(count),
            peer=times["torch"],
            peer_name=f"torch on {torch.cuda.get_device_name()}, fp32",
            peer_version=package_version("torch"),
            floor=_floor(ours),
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


def _search(folder: str, criterion: Criterion) -> Callable[[], dict[str, Any]]:
    source, target = np.load(Path(folder, "source.npy")), np.load(Path(folder, "target.npy"))
    scored: list[int] = []
    product = neighbours._Products.__call__

    def counted(self: Any, left: Floats, right: Floats) -> Floats:
        scored.append(len(left) * len(right))
        return product(self, left, right)

    neighbours._Products.__call__ = counted  # type: ignore[method-assign]
    looked: list[int] = []
    first_look = neighbours._first_look

    def counted_look(groups: list[neighbours.Group], *rest: Any) -> Any:
        look = first_look(groups, *rest)
        if not isinstance(look, nullcontext):
            looked.append(sum(len(which) * sum(map(len, others)) for which, others in groups))
        return look

    neighbours._first_look = counted_look

    def run() -> dict[str, Any]:
        left, right, double = sides(source, target, criterion, CSLS_K, threads=threads())
        scores, ids = top_k(left, right, 1, double=double, threads=threads())
        return {"scores": scores, "ids": ids, "scored": sum(scored) + sum(looked), "looked": sum(looked)}

    return run


def _ivf(folder: str) -> Callable[[], dict[str, Any]]:
    source, target = np.load(Path(folder, "source.npy")), np.load(Path(folder, "target.npy"))

    def run() -> dict[str, Any]:
        pairs = cell_pairs(source, target, probes=PROBES, threads=threads())
        ids = top_k(Side(source), Side(target), 1, threads=threads(), pairs=pairs)[1]
        return {"ids": ids, **recall_at_1(source, target, ids[:, 0], "nn", CSLS_K, threads())}

    return run


def published(asked: list[str], words: list[str], source: Floats, target: Floats) -> Indices:
    """Rows by ``list.index``, float64, argmax of products of chunks of a hundredth of all words."""
    rows = [words.index(word) for word in asked]
    queries, base = source[rows].astype(np.float64), target.T.astype(np.float64)
    size = len(words) // CHUNKS
    return np.concatenate([(queries[at : at + size] @ base).argmax(axis=1) for at in range(0, len(queries), size)])


def _faiss(source: Floats, target: Floats) -> Indices:
    import faiss

    faiss.omp_set_num_threads(threads())
    return np.asarray(faiss.knn(source, target, 1, metric=faiss.METRIC_INNER_PRODUCT)[1][:, 0])


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
    """Before the clock: the peers' target words and ours for some source words among some target words."""
    some, others = source[: 2 * CHUNKS], target[:FEW]
    words = [str(number) for number in range(len(some))]
    found = top_k(Side(some), Side(others), 1, threads=threads())[1][:, 0]
    check(some, others, found, published(words, words, some, others))
    check(some, others, found, _faiss(some, others))


def _check_few_csls(source: Floats, target: Floats) -> None:
    some, others = source[: 2 * CHUNKS], target[:FEW]
    left, right, double = sides(some, others, "csls", CSLS_K, threads=threads())
    scores, found = top_k(left, right, 1, double=double, threads=threads())
    check_csls((found[:, 0], scores[:, 0]), _numpy_csls(some, others))


def _floor(run: Alone) -> float:
    return 2 * run.result["scored"] * DIMENSIONS / gemm_rate()


def _looked(run: Alone) -> str:
    if not run.result["looked"]:
        return ""
    share = run.result["looked"] / run.result["scored"]
    floor = _floor(run) * (1 - share + share * gemm_rate() / gemm_rate(dtype="bfloat16"))
    return (
        f"{share:.3f} of the products are of the first look in bf16: the floor counts all in float32; counted in bf16, "
        f"the share of it is {floor / run.seconds:.2f}, loading torch included. "
    )


def _growth(run: Alone, count: int) -> str:
    given = (count + TARGETS) * DIMENSIONS * 4 / 1e6
    return f"Memory grows by {run.peak_rss_mb - run.rss_before_mb:,.0f} MB, the vectors take {given:,.0f} MB."


def _size(count: int) -> str:
    return f"{count:,} x {TARGETS:,}, {DIMENSIONS} dimensions"
