"""Training beside sentence-transformers' CrossEncoderTrainer: the same folder, instances, order and schedule."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.formats.tables import CORPUS, write_table
from switchrank.train.method import Data
from switchrank.train.training import train_model
from switchrank.train.units import Order
from tests.benchmarks.clock import alone
from tests.benchmarks.gpu import busy, gpu_gemm_rate
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.rankers import (
    BASE,
    MINILM,
    PASSAGE_WORDS,
    QUERY_WORDS,
    Shape,
    has_amx,
    has_bf16,
    operations,
    ranker_folder,
    texts,
)
from tests.benchmarks.row import Row

_SEED = 1
_SCHEDULE: dict[str, Any] = {"clip": 1.0, "weight_decay": 0.01}
CURVES = {"fp32": 2e-3, "bf16": 3e-2}
"""How far two loss curves may lie apart."""
_START = 1e-4
"""How far the losses of the first step may, in float32 and where what both sides begin with is equal."""
_ANOTHER_DRAW = 0.25
"""By what share the means of two may differ where each side drops other numbers: each is over a few steps."""


@dataclass(frozen=True)
class Work:
    """A starting model, a corpus, and how many steps of which batch size to take on which device."""

    folder: Path
    steps: int
    batch_size: int = 64
    device: str = "cpu"
    token_budget: int = 4096
    lr: float = 5e-5
    warmup: int = 2
    dropout: float = 0.0

    @property
    def start(self) -> Path:
        """The model folder."""
        return self.folder / "start"

    @property
    def corpus(self) -> Path:
        """The training table."""
        return self.folder / "train.parquet"


@dataclass(frozen=True)
class Trained:
    """The loss of each step, and pairs a second over the steps, loading of data included."""

    loss: list[float]
    rate: float


def make_work(folder: Path, shape: Shape, **options: Any) -> Work:
    """Instances of which each fourth is relevant: its passage begins with the query's words."""
    work = Work(folder, **options)
    ranker_folder(work.start, shape)
    count = work.steps * work.batch_size
    queries, passages = texts(count, QUERY_WORDS, seed=31), texts(count, PASSAGE_WORDS, seed=32)
    rows = [
        (f"q{n}", query, f"p{n}", f"{query} {text}" if n % 4 == 0 else text, int(n % 4 == 0), "en", "en")
        for n, (query, text) in enumerate(zip(queries, passages, strict=True))
    ]
    write_table(pl.DataFrame(rows, schema=CORPUS, orient="row"), work.corpus, CORPUS)
    return work


def ours(work: Work, precision: str) -> Trained:
    """Train with switchrank, the model thrown away."""
    with tempfile.TemporaryDirectory() as folder:
        return trained(work, precision, Path(folder) / "model")


def trained(work: Work, precision: str, out: Path) -> Trained:
    """Train with switchrank into the folder ``out``."""
    done = train_model(
        Data({"corpus": [work.corpus], "start": work.start}),
        out=out,
        work=out.parent / "work",
        settings=our_settings(work, precision),
        seed=_SEED,
        device=work.device,
    )
    loss = json.loads((out / "train.json").read_text())["loss"]
    return Trained([value for _, value in loss], done["pairs_per_second"])


def our_settings(work: Work, precision: str) -> dict[str, Any]:
    """The settings of a training that do not depend on its method; each step is logged."""
    return {
        **_SCHEDULE,
        "lr": work.lr,
        "warmup": work.warmup,
        "steps": work.steps,
        "batch_size": work.batch_size,
        "token_budget": work.token_budget,
        "precision": precision,
        "dropout": work.dropout,
        "threads": threads(),
        "log_every": 1,
        "checkpoint_every": 0,
    }


def peer_settings(work: Work, precision: str) -> dict[str, Any]:
    """The same of a trainer of sentence-transformers, which takes the instances in their order."""
    return {
        "max_steps": work.steps,
        "per_device_train_batch_size": work.batch_size,
        "learning_rate": work.lr,
        "warmup_steps": work.warmup,
        "weight_decay": _SCHEDULE["weight_decay"],
        "max_grad_norm": _SCHEDULE["clip"],
        "adam_epsilon": 1e-6,
        "optim": "adamw_torch_fused",
        "lr_scheduler_type": "linear",
        "bf16": precision == "bf16",
        "batch_sampler": _in_order,
        "dataloader_num_workers": 0 if work.device == "cpu" else 2,
        "dataloader_pin_memory": work.device != "cpu",
        "logging_steps": 1,
        "save_strategy": "no",
        "report_to": "none",
        "disable_tqdm": True,
        "use_cpu": work.device == "cpu",
    }


def peer(work: Work, precision: str) -> Trained:
    """Train with sentence-transformers, the instances in our order."""
    import torch
    from datasets import Dataset
    from sentence_transformers import CrossEncoder
    from sentence_transformers.cross_encoder import CrossEncoderTrainer, CrossEncoderTrainingArguments
    from sentence_transformers.cross_encoder.losses import BinaryCrossEntropyLoss

    torch.set_num_threads(threads())
    torch.manual_seed(_SEED)
    frame = pl.read_parquet(work.corpus)
    frame = frame[Order(len(frame), work.batch_size, _SEED).rows(0, work.steps)]
    columns = {"query": frame["query"].to_list(), "passage": frame["passage"].to_list()}
    data = Dataset.from_dict({**columns, "label": frame["label"].cast(pl.Float32).to_list()})
    dropout = {"hidden_dropout_prob": work.dropout, "attention_probs_dropout_prob": work.dropout}
    model = CrossEncoder(str(work.start), device=work.device, config_kwargs=dropout)
    watch = make_watch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = CrossEncoderTrainingArguments(output_dir=folder, **peer_settings(work, precision))
        trainer = CrossEncoderTrainer(
            model=model, args=arguments, train_dataset=data, loss=BinaryCrossEntropyLoss(model), callbacks=[watch]
        )
        trainer.train()
    return Trained(watch.loss, work.steps * work.batch_size / watch.seconds)


def _in_order(dataset: Any, batch_size: int, drop_last: bool, **_options: Any) -> Any:
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from torch.utils.data import SequentialSampler

    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


def make_watch() -> Any:
    from transformers import TrainerCallback

    class Watch(TrainerCallback):
        """Times the steps and keeps the losses."""

        loss: list[float]
        seconds = 0.0

        def on_train_begin(self, *_arguments: Any, **_options: Any) -> None:
            self.loss, self.seconds = [], time.perf_counter()

        def on_log(self, _arguments: Any, _state: Any, _control: Any, logs: Any = None, **_options: Any) -> None:
            if logs and "loss" in logs:
                self.loss.append(float(logs["loss"]))

        def on_train_end(self, *_arguments: Any, **_options: Any) -> None:
            self.seconds = time.perf_counter() - self.seconds

    return Watch()


def distance(one: Trained, other: Trained) -> float:
    """How far two loss curves lie apart at most."""
    return float(np.abs(np.array(one.loss) - np.array(other.loss)).max())


def alike(precision: str, one: Trained, other: Trained, *, of: str) -> str:
    """Check that the losses of both sides, ``of`` what they began with, agree: closely at first, then step by step."""
    apart, start = distance(one, other), abs(one.loss[0] - other.loss[0])
    close = _START if precision == "fp32" else CURVES[precision]
    assert start < close, (one.loss, other.loss)
    assert apart < CURVES[precision], (one.loss, other.loss)
    return (
        f"Losses of the first step, of {of}, within {start:.1e} (asked: {close:g}), of all from "
        f"{one.loss[0]:.3f} to {one.loss[-1]:.3f} within {apart:.1e} ({CURVES[precision]:g})."
    )


def lengths(work: Work) -> NDArray[np.int64]:
    """Tokens of each pair."""
    from transformers import AutoTokenizer

    frame = pl.read_parquet(work.corpus)
    tokenizer = AutoTokenizer.from_pretrained(work.start)
    pairs = tokenizer(frame["query"].to_list(), frame["passage"].to_list(), truncation=True)["input_ids"]
    return np.array([len(ids) for ids in pairs])


def train(scale: str) -> list[Row]:
    """6 steps of 64 instances (``large``: 100), 6 x 384, on the CPU, in fp32 and where the CPU has it in bf16."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), MINILM, steps=6 if scale == "small" else 100)
        rows = [_row(work, "fp32")]
        if has_bf16():
            rows += [_row(replace(work, dropout=dropout), "bf16") for dropout in (0.0, 0.1)]
        return rows


def _row(work: Work, precision: str) -> Row:
    """Each side trains twice, its faster turn counts: so what torch compiles in the first is no part of the time."""
    first, second = ours(work, precision), peer(work, precision)
    rates = max(first.rate, ours(work, precision).rate), max(second.rate, peer(work, precision).rate)
    whole, needed = operations(MINILM, lengths(work))
    rate = gemm_rate(dtype="float32" if precision == "fp32" else "bfloat16")
    pairs, dropout = work.steps * work.batch_size, f", dropout {work.dropout:g}" if work.dropout else ""
    ratio, share = _asked(precision)
    return Row(
        name="train",
        unit="pairs/s",
        size=f"{work.steps} steps of {work.batch_size}, {MINILM.name}, {precision}{dropout}",
        ours=rates[0],
        peer=rates[1],
        peer_name="CrossEncoderTrainer, fused AdamW" + (", bf16=True" if precision == "bf16" else ""),
        peer_version=package_version("sentence-transformers"),
        required_ratio=ratio,
        floor=pairs * rate / (3 * needed),
        required_share=share,
        peak_rss_mb=alone(_few, work, precision).peak_rss_mb,
        checked=_alike(work, precision, first, second),
        note=f"The operations of a stock step (real tokens) take {3 * whole / rate / pairs * rates[0]:.2f} of the time "
        f"at the {precision} gemm rate. Each side trains twice in one process, and the faster turn counts. The peer "
        "pads its batches: its trainer groups by length only at another order of instances.",
    )


def _asked(precision: str) -> tuple[float, float]:
    """The ratio and the share of the floor to reach: products are so fast in AMX that other parts weigh more."""
    if precision == "fp32":
        return 3.5, 0.8
    return (3.0, 0.15) if has_amx() else (2.8, 0.35)


def _alike(work: Work, precision: str, one: Trained, other: Trained) -> str:
    """Check that losses agree: step by step, or where other numbers are dropped on both sides, on average."""
    if work.dropout:
        means = np.mean(one.loss), np.mean(other.loss)
        assert abs(means[0] - means[1]) < _ANOTHER_DRAW * means[1], (one.loss, other.loss)
        return f"Both sides drop other numbers; their mean losses are {means[0]:.3f} and {means[1]:.3f}."
    apart = distance(one, other)
    assert apart < CURVES[precision], (one.loss, other.loss)
    return f"Loss curves from {one.loss[0]:.3f} to {one.loss[-1]:.3f} lie within {apart:.1e}."


def _few(work: Work, precision: str) -> Callable[[], Trained]:
    few = replace(work, steps=3)
    return lambda: ours(few, precision)


def on_gpu(scale: str) -> list[Row]:
    """50 steps of 1,024 instances in bf16 on a GPU, 6 x 384 and 12 x 768."""
    assert scale == "gpu"
    return [gpu_row(shape, steps=50, batch_size=1024) for shape in (MINILM, BASE)]


def gpu_row(shape: Shape, *, steps: int, batch_size: int, device: str = "cuda", token_budget: int = 65_536) -> Row:
    """Training in bf16 beside the peer with bf16 and workers that load its data."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(
            Path(folder), shape, steps=steps, batch_size=batch_size, device=device, token_budget=token_budget
        )
        first, second = ours(work, "bf16"), peer(work, "bf16")
        apart = distance(first, second)
        rates = max(first.rate, ours(work, "bf16").rate), max(second.rate, peer(work, "bf16").rate)
        whole, needed = operations(shape, lengths(work))
        rate, pairs = gpu_gemm_rate(device), steps * batch_size
        used = 3 * whole / pairs * rates[0] / rate
        return Row(
            name="train-gpu", unit="pairs/s", size=f"{steps} steps of {batch_size}, {shape.name}, bf16", ours=rates[0],
            peer=rates[1], peer_name="CrossEncoderTrainer, fused AdamW, bf16=True",
            peer_version=package_version("sentence-transformers"), required_ratio=1.5,
            floor=pairs * rate / (3 * needed), checked=f"Loss curves lie within {apart:.1e}.",
            note=f"Model FLOPs utilisation {used:.2f} of the measured bf16 matrix product rate (asked for base size: "
                 f"0.4); {busy(lambda: ours(work, 'bf16'), device)}.",
        )  # fmt: skip
