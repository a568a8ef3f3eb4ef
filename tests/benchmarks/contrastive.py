"""Training of dual encoders beside SentenceTransformerTrainer: the same folder, pairs, order, schedule and loss.

The loss is InfoNCE over in-batch negatives; both sides cache gradients, since 256 pairs are more than they compute at
once.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.formats.tables import CORPUS, write_table
from switchrank.train.composer import Batches, Composer
from switchrank.train.method import Data
from switchrank.train.parallel import ParallelPairs
from switchrank.train.training import train_model
from tests.benchmarks import train
from tests.benchmarks.clock import alone, seconds
from tests.benchmarks.gpu import busy, gpu_gemm_rate
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.rankers import (
    BASE,
    MINILM,
    PASSAGE_WORDS,
    QUERY_WORDS,
    Shape,
    encoder_folder,
    has_bf16,
    operations,
    texts,
)
from tests.benchmarks.row import Row
from tests.benchmarks.train import Trained, Work, alike

_SEED = 1
_LENGTH = 256
"""Tokens of a text at most, on both sides."""
_TEMPERATURE = 0.05
_TRIED = 64
"""Pairs on which the peer's mini-batch sizes are tried."""
Texts = tuple[list[str], list[str]]


def make_work(folder: Path, shape: Shape, **options: Any) -> Work:
    """Pairs whose passage begins with the query's words."""
    work = Work(folder, **{"batch_size": 256, "token_budget": 16_384, "warmup": 0, **options})
    encoder_folder(work.start, shape, max_length=_LENGTH)
    count = (work.steps + 1) * work.batch_size
    queries, passages = texts(count, QUERY_WORDS, seed=51), texts(count, PASSAGE_WORDS, seed=52)
    rows = [
        (f"q{n}", query, f"p{n}", f"{query} {text}", 1, "en", "en")
        for n, (query, text) in enumerate(zip(queries, passages, strict=True))
    ]
    write_table(pl.DataFrame(rows, schema=CORPUS, orient="row"), work.corpus, CORPUS)
    return work


def batches(work: Work) -> Texts:
    """The queries and passages of all steps, in our order."""
    pairs = ParallelPairs([work.corpus], {})
    numbers, query, passage = pairs.parts(Composer(pairs, work.batch_size, _SEED, Batches()).rows(0, work.steps))
    sides = pairs.queries[pairs.query[numbers], query], pairs.passages[pairs.passage[numbers], passage]
    queries, passages = (pairs.texts[side].to_list() for side in sides)
    return queries, passages


def ours(work: Work, precision: str) -> Trained:
    """Train with switchrank, the model thrown away."""
    settings = train.our_settings(work, precision) | {
        "temperature": _TEMPERATURE,
        "negatives": 0,
        "max_length": _LENGTH,
        "query_length": _LENGTH,
    }
    with tempfile.TemporaryDirectory() as folder:
        out, data = Path(folder) / "model", Data({"corpus": work.corpus, "start": work.start})
        done = train_model(data, method="contrastive", out=out, settings=settings, seed=_SEED, device=work.device)
        loss = json.loads((out / "train.json").read_text())["loss"]
    return Trained([value for _, value in loss], done["pairs_per_second"])


def peer(work: Work, precision: str, mini_batch: int) -> Trained:
    """Train with sentence-transformers, the pairs in our order."""
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments

    torch.manual_seed(_SEED)
    queries, passages = batches(work)
    loss, watch = _peers_loss(work, mini_batch), train.make_watch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(output_dir=folder, **train.peer_settings(work, precision))
        trainer = SentenceTransformerTrainer(
            model=loss.model,
            args=arguments,
            train_dataset=Dataset.from_dict({"query": queries, "passage": passages}),
            loss=loss,
            callbacks=[watch],
        )
        trainer.train()
    return Trained(watch.loss, work.steps * work.batch_size / watch.seconds)


def _peers_loss(work: Work, mini_batch: int) -> Any:
    """The peer's loss, of a model that is opened for it."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss

    torch.set_num_threads(threads())
    dropout = {"hidden_dropout_prob": work.dropout, "attention_probs_dropout_prob": work.dropout}
    model = SentenceTransformer(str(work.start), device=work.device, config_kwargs=dropout)
    return CachedMultipleNegativesRankingLoss(model, scale=1 / _TEMPERATURE, mini_batch_size=mini_batch)


def _best_mini_batch(work: Work) -> int:
    """The fastest of the peer's mini-batch sizes, on a few pairs."""
    sides = [side[:_TRIED] for side in batches(work)]

    def step(mini_batch: int) -> float:
        loss = _peers_loss(work, mini_batch)
        loss.model.train()
        features = [loss.model.preprocess(side) for side in sides]
        return seconds(lambda: loss(features, None).backward())

    return min((16, 32, 64), key=step)


def lengths(work: Work) -> NDArray[np.int64]:
    """Tokens of each text of all steps."""
    from transformers import AutoTokenizer

    queries, passages = batches(work)
    tokenizer = AutoTokenizer.from_pretrained(work.start)
    rows = tokenizer(queries + passages, truncation=True, max_length=_LENGTH)["input_ids"]
    return np.array([len(ids) for ids in rows])


def contrastive(scale: str) -> list[Row]:
    """2 steps of 256 pairs (``large``: 20), 6 x 384, on the CPU, in fp32 and where the CPU has it in bf16."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), MINILM, steps=2 if scale == "small" else 20)
        mini_batch = _best_mini_batch(work)
        precisions = ("fp32", "bf16") if has_bf16() else ("fp32",)
        return [_row(work, precision, mini_batch) for precision in precisions]


def _row(work: Work, precision: str, mini_batch: int) -> Row:
    """Each side takes a step before the clock: so what torch compiles at the start is no part of the time."""
    sides: tuple[Callable[[Work], Trained], ...] = (
        partial(ours, precision=precision),
        partial(peer, precision=precision, mini_batch=mini_batch),
    )
    for side in sides:
        side(replace(work, steps=1))
    first, second = (side(work) for side in sides)
    whole, _ = operations(MINILM, lengths(work))
    rate = gemm_rate(dtype="float32" if precision == "fp32" else "bfloat16")
    return Row(
        name="contrastive",
        unit="pairs/s",
        size=f"{work.steps} steps of {work.batch_size}, {MINILM.name}, {precision}",
        ours=first.rate,
        peer=second.rate,
        peer_name=f"SentenceTransformerTrainer, CachedMultipleNegativesRankingLoss in mini-batches of {mini_batch}, "
        "fused AdamW" + (", bf16=True" if precision == "bf16" else ""),
        peer_version=package_version("sentence-transformers"),
        required_ratio=1.3,
        floor=work.steps * work.batch_size * rate / (3 * whole),
        peak_rss_mb=alone(_one_step, work, precision).peak_rss_mb,
        checked=alike(precision, first, second, of="equal weights"),
        note="The floor counts the operations of a forward and a backward pass over real tokens, none of what is "
        "computed twice. Each side takes a step before the clock.",
    )


def _one_step(work: Work, precision: str) -> Callable[[], Trained]:
    return lambda: ours(replace(work, steps=1), precision)


def on_gpu(scale: str) -> list[Row]:
    """20 steps of 4,096 pairs in bf16 on a GPU, 6 x 384 and 12 x 768."""
    assert scale == "gpu"
    return [gpu_row(shape, steps=20, batch_size=4096, mini_batch=512) for shape in (MINILM, BASE)]


def gpu_row(
    shape: Shape, *, steps: int, batch_size: int, mini_batch: int, device: str = "cuda", token_budget: int = 65_536
) -> Row:
    """Training in bf16 beside the peer with bf16 and workers that load its data."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(
            Path(folder), shape, steps=steps, batch_size=batch_size, device=device, token_budget=token_budget
        )
        first, second = ours(work, "bf16"), peer(work, "bf16", mini_batch)
        rates = max(first.rate, ours(work, "bf16").rate), max(second.rate, peer(work, "bf16", mini_batch).rate)
        whole, _ = operations(shape, lengths(work))
        rate, pairs = gpu_gemm_rate(device), steps * batch_size
        return Row(
            name="contrastive-gpu", unit="pairs/s", size=f"{steps} steps of {batch_size}, {shape.name}, bf16",
            ours=rates[0], peer=rates[1], peer_name="SentenceTransformerTrainer, CachedMultipleNegativesRankingLoss in "
            f"mini-batches of {mini_batch}, fused AdamW, bf16=True",
            peer_version=package_version("sentence-transformers"), required_ratio=1.3,
            floor=pairs * rate / (3 * whole), checked=alike("bf16", first, second, of="equal weights"),
            note=f"Each side trains twice, and the faster turn counts; "
                 f"{busy(lambda: ours(work, 'bf16'), device)}.",
        )  # fmt: skip
