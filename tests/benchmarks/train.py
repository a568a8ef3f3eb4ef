"""Training beside sentence-transformers' CrossEncoderTrainer: the same folder, instances, order and schedule."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
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
    settings = {
        **_SCHEDULE,
        "lr": work.lr,
        "warmup": work.warmup,
        "steps": work.steps,
        "batch_size": work.batch_size,
        "token_budget": work.token_budget,
        "precision": precision,
        "dropout": 0.0,
        "threads": threads(),
        "log_every": 1,
        "checkpoint_every": 0,
    }
    done = train_model(
        Data({"corpus": [work.corpus], "start": work.start}),
        out=out,
        work=out.parent / "work",
        settings=settings,
        seed=_SEED,
        device=work.device,
    )
    loss = json.loads((out / "train.json").read_text())["loss"]
    return Trained([value for _, value in loss], done["pairs_per_second"])


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
    model = CrossEncoder(str(work.start), device=work.device)
    watch = _watch()
    with tempfile.TemporaryDirectory() as folder:
        arguments = CrossEncoderTrainingArguments(
            output_dir=folder,
            max_steps=work.steps,
            per_device_train_batch_size=work.batch_size,
            learning_rate=work.lr,
            warmup_steps=work.warmup,
            weight_decay=_SCHEDULE["weight_decay"],
            max_grad_norm=_SCHEDULE["clip"],
            adam_epsilon=1e-6,
            optim="adamw_torch_fused",
            lr_scheduler_type="linear",
            bf16=precision == "bf16",
            batch_sampler=_in_order,
            dataloader_num_workers=0 if work.device == "cpu" else 2,
            dataloader_pin_memory=work.device != "cpu",
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=work.device == "cpu",
        )
        trainer = CrossEncoderTrainer(
            model=model, args=arguments, train_dataset=data, loss=BinaryCrossEntropyLoss(model), callbacks=[watch]
        )
        trainer.train()
    return Trained(watch.loss, work.steps * work.batch_size / watch.seconds)


def _in_order(dataset: Any, batch_size: int, drop_last: bool, **_options: Any) -> Any:
    from sentence_transformers.base.sampler import DefaultBatchSampler
    from torch.utils.data import SequentialSampler

    return DefaultBatchSampler(SequentialSampler(dataset), batch_size=batch_size, drop_last=drop_last)


def _watch() -> Any:
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
        names = ("fp32", "bf16") if has_bf16() else ("fp32",)
        return [_row(work, precision) for precision in names]


def _row(work: Work, precision: str) -> Row:
    first, second = ours(work, precision), peer(work, precision)
    apart = distance(first, second)
    assert apart < CURVES[precision], (first.loss, second.loss)
    rates = max(first.rate, ours(work, precision).rate), max(second.rate, peer(work, precision).rate)
    whole, needed = operations(MINILM, lengths(work))
    rate = gemm_rate(dtype="float32" if precision == "fp32" else "bfloat16")
    pairs = work.steps * work.batch_size
    return Row(
        name="train",
        unit="pairs/s",
        size=f"{work.steps} steps of {work.batch_size}, {MINILM.name}, {precision}",
        ours=rates[0],
        peer=rates[1],
        peer_name="CrossEncoderTrainer, fused AdamW" + (", bf16=True" if precision == "bf16" else ""),
        peer_version=package_version("sentence-transformers"),
        required_ratio=1.5,
        floor=pairs * rate / (3 * needed),
        peak_rss_mb=alone(_few, work, precision).peak_rss_mb,
        checked=f"Loss curves from {first.loss[0]:.3f} to {first.loss[-1]:.3f} lie within {apart:.1e}.",
        note=f"The operations of a stock step (real tokens) take {3 * whole / rate / pairs * rates[0]:.2f} of the time "
        "at the gemm rate. The peer pads its batches: its trainer groups by length only at another order of instances.",
    )


def _few(work: Work, precision: str) -> Callable[[], Trained]:
    few = Work(work.folder, 3, work.batch_size, work.device, work.token_budget)
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
            peer_version=package_version("sentence-transformers"), required_ratio=1.3,
            floor=pairs * rate / (3 * needed), checked=f"Loss curves lie within {apart:.1e}.",
            note=f"Model FLOPs utilisation {used:.2f} of the measured bf16 matrix product rate (asked for base size: "
                 f"0.35); {busy(lambda: ours(work, 'bf16'), device)}.",
        )  # fmt: skip
