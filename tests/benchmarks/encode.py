"""Encoding beside ``SentenceTransformer.encode``: the same folder, the same texts, from strings to unit vectors."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.text_encoder import Vectors
from tests.benchmarks.clock import alone, seconds
from tests.benchmarks.gpu import busy, gpu_gemm_rate
from tests.benchmarks.machine import gemm_rate, is_amd, package_version, threads
from tests.benchmarks.rankers import (
    BASE,
    MINILM,
    PASSAGE_WORDS,
    Shape,
    encoder_folder,
    has_bf16,
    operations,
    texts,
)
from tests.benchmarks.row import Row

PASSAGES = {"small": 5_000, "large": 50_000}
CHECKED = 500
"""Passages whose vectors are compared before the clock; those of all are compared again after it."""
CLOSE = 1e-5
"""How far the numbers of unit vectors may lie apart in float32."""
Encoder = Callable[[list[str]], Vectors]


@dataclass(frozen=True)
class Work:
    """Passages and the model folder."""

    folder: Path
    passages: list[str]


def make_work(folder: Path, shape: Shape, count: int) -> Work:
    """An encoder and generated texts."""
    return Work(encoder_folder(folder, shape, max_length=512), texts(count, PASSAGE_WORDS, seed=41))


def ours(
    work: Work, precision: str, device: str = "cpu", token_budget: int = 16_384, cores: int | None = None
) -> Encoder:
    """Encoding by switchrank; the model is opened before."""
    options: dict[str, Any] = {"device": device, "threads": cores or threads(), "token_budget": token_budget}
    return DualEncoder.open(work.folder, precision=precision, **options).encode


def peer(work: Work, device: str = "cpu", batch_size: int = 32, **model: Any) -> Encoder:
    """Encoding by sentence-transformers; the model is opened before."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(threads())
    encoder = SentenceTransformer(str(work.folder), device=device, model_kwargs=model)

    def encode(passages: list[str]) -> Vectors:
        found: Vectors = encoder.encode(passages, batch_size=batch_size, show_progress_bar=False)
        return found.astype(np.float32)

    return encode


def lengths(work: Work) -> NDArray[np.int64]:
    """Tokens of each passage."""
    from transformers import AutoTokenizer

    rows = AutoTokenizer.from_pretrained(work.folder)(work.passages, truncation=True)["input_ids"]
    return np.array([len(ids) for ids in rows])


def from_direction(one: Vectors, other: Vectors) -> float:
    """The largest of 1 - cosine of the vectors of a text."""
    norms = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return float((1 - (one * other).sum(1) / norms).max())


def timed(encode: Encoder, passages: list[str]) -> tuple[float, Vectors]:
    """Seconds of a call, and the vectors of that call."""
    found: list[Vectors] = []
    return seconds(lambda: found.append(encode(passages))), found[0]


def encode(scale: str) -> list[Row]:
    """5,000 passages (``large``: 50,000), 6 x 384, on the CPU, in fp32 and where the CPU has it in bf16."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), MINILM, PASSAGES[scale])
        single, vectors = _single(work)
        return [single, _half(work, single, vectors)] if has_bf16() else [single]


def _single(work: Work) -> tuple[Row, Vectors]:
    """In fp32, and our vectors."""
    some, batch_size = work.passages[:CHECKED], _best_batch_size(work)
    mine, theirs = ours(work, "fp32"), peer(work, batch_size=batch_size)
    np.testing.assert_allclose(mine(some), theirs(some), atol=CLOSE)
    (fast, vectors), (slow, others) = timed(mine, work.passages), timed(theirs, work.passages)
    apart = float(np.abs(vectors - others).max())
    assert apart <= CLOSE, apart
    row = _row(
        work,
        "fp32",
        fast,
        peer=len(work.passages) / slow,
        peer_name=f"SentenceTransformer.encode, batches of {batch_size},",
        required_ratio=1.5 if is_amd() else 1.15,
        checked=f"All numbers of all vectors within {apart:.1e}.",
    )
    return row, vectors


def _half(work: Work, single: Row, vectors: Vectors) -> Row:
    """In bf16 beside the faster dtype of the peer; ``single`` is the row in fp32, with those vectors."""
    import torch

    some, batch_size = work.passages[:CHECKED], _best_batch_size(work, dtype=torch.bfloat16)
    mine, theirs = ours(work, "bf16"), peer(work, batch_size=batch_size, dtype=torch.bfloat16)
    for side in (mine, theirs):
        side(some)
    (fast, rough), (slow, others) = timed(mine, work.passages), timed(theirs, work.passages)
    assert single.peer is not None
    half = len(work.passages) / slow
    name = f"SentenceTransformer.encode in bf16, batches of {batch_size},"
    rate, name = max((half, name), (single.peer, single.peer_name))
    apart = [from_direction(one, vectors) for one in (rough, others)]
    row = _row(
        work,
        "bf16",
        fast,
        peer=rate,
        peer_name=name,
        required_ratio=1.5,
        checked=f"1 - cosine with the vectors in fp32 is at most {apart[0]:.1e}, of the peer's in bf16 {apart[1]:.1e}.",
    )
    return replace(row, note=f"The peer encodes {single.peer:.3g} passages/s in fp32, {half:.3g} in bf16. {row.note}")


def _row(work: Work, precision: str, taken: float, **fields: Any) -> Row:
    """A row of our seconds, and the rest of its fields."""
    count, (whole, _) = len(work.passages), operations(MINILM, lengths(work))
    return Row(
        name="encode",
        unit="passages/s",
        size=f"{count:,} passages, {MINILM.name}, {precision}",
        ours=count / taken,
        peer_version=package_version("sentence-transformers"),
        floor=count / whole * gemm_rate(dtype="float32" if precision == "fp32" else "bfloat16"),
        peak_rss_mb=alone(_few, work, precision).peak_rss_mb,
        note="The floor counts the operations of linear layers and attention over real tokens.",
        **fields,
    )


def _best_batch_size(work: Work, **model: Any) -> int:
    """The fastest of the peer's batch sizes, on some of the passages, as its documentation advises."""
    some = work.passages[:CHECKED]

    def taken(batch_size: int) -> float:
        encode = peer(work, batch_size=batch_size, **model)
        encode(some[:batch_size])
        return timed(encode, some)[0]

    return min((16, 32, 64), key=taken)


def _few(work: Work, precision: str) -> Callable[[], Vectors]:
    encode = ours(work, precision)
    return lambda: encode(work.passages[:CHECKED])


def on_gpu(scale: str) -> list[Row]:
    """100,000 passages in bf16 on a GPU, 6 x 384 and 12 x 768."""
    assert scale == "gpu"
    return [gpu_row(shape, count=100_000) for shape in (MINILM, BASE)]


def gpu_row(shape: Shape, *, count: int, device: str = "cuda", batch_size: int = 256) -> Row:
    """Encoding in bf16 beside the peer in bf16 with torch's own attention."""
    import torch

    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), shape, count)
        mine = ours(work, "bf16", device, token_budget=65_536)
        theirs = peer(work, device, batch_size, dtype=torch.bfloat16, attn_implementation="sdpa")
        apart = from_direction(mine(work.passages), theirs(work.passages))
        fast, slow = timed(mine, work.passages)[0], timed(theirs, work.passages)[0]
        (whole, _), rate = operations(shape, lengths(work)), gpu_gemm_rate(device)
        return Row(
            name="encode-gpu", unit="passages/s", size=f"{count:,} passages, {shape.name}, bf16", ours=count / fast,
            peer=count / slow, peer_name=f"SentenceTransformer.encode, bf16, batches of {batch_size},",
            peer_version=package_version("sentence-transformers"), required_ratio=1.5, floor=count * rate / whole,
            checked=f"1 - cosine of the two vectors of a text, both in bf16, is at most {apart:.1e}.",
            note=f"{busy(lambda: mine(work.passages), device)}.",
        )  # fmt: skip
