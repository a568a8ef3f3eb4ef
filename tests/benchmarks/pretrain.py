"""Masked pretraining beside transformers' Trainer: the same folder, lines, masks, order and schedule.

The peer is handed texts that are masked already, and pads each batch to its longest.
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

from switchrank.models.encode import assemble
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.line_pool import LinePool
from switchrank.train.line_tables import read_lines
from switchrank.train.masking import IGNORED, Masking, labels_of
from switchrank.train.method import Data
from switchrank.train.training import train_model
from switchrank.train.views import Views
from tests.benchmarks import train
from tests.benchmarks.clock import alone
from tests.benchmarks.machine import gemm_rate, package_version, threads
from tests.benchmarks.rankers import MINILM, Shape, has_bf16, masked_folder, operations, texts
from tests.benchmarks.row import Row
from tests.benchmarks.train import Trained, Work, alike

_SEED = 1
_LENGTH = 64
_WORDS = (16.0, 0.5)
"""Median and spread (of the logarithm) of the words of a line."""


def make_work(folder: Path, shape: Shape, **options: Any) -> Work:
    """A masked language model, and lines of text."""
    work = Work(folder, **{"batch_size": 64, "warmup": 0, **options})
    masked_folder(work.start, shape)
    lines = texts((work.steps + 2) * work.batch_size, _WORDS, seed=61)
    (folder / "en").mkdir()
    pl.DataFrame({"text": lines}).write_parquet(folder / "en" / "train.parquet")
    return work


def ours(work: Work, precision: str) -> Trained:
    """Train with switchrank, the model thrown away."""
    settings = train.our_settings(work, precision) | {"max_length": _LENGTH, "held_out": 1}
    with tempfile.TemporaryDirectory() as folder:
        out, data = Path(folder) / "model", Data({"texts": [work.folder / "en" / "train.parquet"], "start": work.start})
        done = train_model(data, method="pretrain", out=out, settings=settings, seed=_SEED, device=work.device)
        loss = json.loads((out / "train.json").read_text())["loss"]
    return Trained([value for _, value in loss], done["texts_per_second"])


def rows(work: Work) -> list[dict[str, list[int]]]:
    """The masked texts of all steps, in our order, with their labels and without padding."""
    tokenizer = open_tokenizer(work.start)
    lines = {"en": read_lines([work.folder / "en" / "train.parquet"])["en"].to_frame()}
    pool = LinePool(lines, "texts", 1, _SEED)
    options: dict[str, Any] = {"cropped": False, "batch_size": work.batch_size, "seed": _SEED}
    views = Views({"texts": pool}, None, tokenizer, (_LENGTH, 2 * _LENGTH), **options)
    order, masking, found = pool.order(work.batch_size, _SEED, 0.5), Masking(tokenizer, 0.15, _SEED), []
    for step in range(work.steps):
        view = views.of("mlm", step, pool.trained[order.rows(step, step + 1)])
        masked = masking(view.first, "mlm", step, view.rows)
        inputs = assemble(views.single, masked.inputs, masked.inputs.cut(0))
        labels = labels_of(views.single, masked.labels, masked.labels.cut(0))
        for ids, asked, mask in zip(inputs["input_ids"], labels, inputs["attention_mask"], strict=True):
            size = int(mask.sum())
            found.append({"input_ids": ids[:size].tolist(), "labels": asked[:size].tolist()})
    return found


def peer(work: Work, precision: str) -> Trained:
    """Train with transformers, on the rows in our order."""
    import torch
    from datasets import Dataset
    from transformers import BertForMaskedLM, BertTokenizerFast, DataCollatorForTokenClassification, Trainer
    from transformers import TrainingArguments as Arguments

    torch.set_num_threads(threads())
    torch.manual_seed(_SEED)
    model = BertForMaskedLM.from_pretrained(work.start)
    tokenizer, watch = BertTokenizerFast.from_pretrained(work.start), train.make_watch()
    collator = DataCollatorForTokenClassification(tokenizer, label_pad_token_id=IGNORED)
    settings = train.peer_settings(work, precision)
    settings.pop("batch_sampler")

    class InOrder(Trainer):  # type: ignore[misc]
        """Takes the rows as they come."""

        def _get_train_sampler(self, dataset: Any = None) -> Any:
            return torch.utils.data.SequentialSampler(dataset if dataset is not None else self.train_dataset)

    with tempfile.TemporaryDirectory() as folder:
        arguments = Arguments(output_dir=folder, **settings)
        data = Dataset.from_list(rows(work))
        InOrder(model=model, args=arguments, train_dataset=data, data_collator=collator, callbacks=[watch]).train()
    return Trained(watch.loss, work.steps * work.batch_size / watch.seconds)


def lengths(work: Work) -> NDArray[np.int64]:
    """Tokens of each text of all steps."""
    return np.array([len(row["input_ids"]) for row in rows(work)])


def pretrain(scale: str) -> list[Row]:
    """5 steps of 64 lines (``large``: 50), 6 x 384, on the CPU, in fp32 and where the CPU has it in bf16."""
    with tempfile.TemporaryDirectory() as folder:
        work = make_work(Path(folder), MINILM, steps=5 if scale == "small" else 50)
        return [_row(work, precision) for precision in (("fp32", "bf16") if has_bf16() else ("fp32",))]


def _row(work: Work, precision: str) -> Row:
    """Each side takes a step before the clock: so what torch compiles at the start is no part of the time."""
    sides: tuple[Callable[[Work], Trained], ...] = (
        partial(ours, precision=precision),
        partial(peer, precision=precision),
    )
    for side in sides:
        side(replace(work, steps=1))
    first, second = (side(work) for side in sides)
    sizes = lengths(work)
    whole, _ = operations(MINILM, sizes)
    rate = gemm_rate(dtype="float32" if precision == "fp32" else "bfloat16")
    return Row(
        name="pretrain",
        unit="texts/s",
        size=f"mlm, {work.steps} steps of {work.batch_size} texts ({sizes.mean():.0f} tokens each), {MINILM.name}, "
        f"{precision}",
        ours=first.rate,
        peer=second.rate,
        peer_name="transformers' Trainer, BertForMaskedLM, padded to the longest of a batch, fused AdamW"
        + (", bf16=True" if precision == "bf16" else ""),
        peer_version=package_version("transformers"),
        required_ratio=1.3,
        floor=work.steps * work.batch_size * rate / (3 * whole),
        peak_rss_mb=alone(_one_step, work, precision).peak_rss_mb,
        checked=alike(precision, first, second, of="equal weights and masks"),
        note="The floor counts the operations of a forward and a backward pass of the layers over real tokens. The "
        "peer is given texts that are masked already. Each side takes a step before the clock.",
    )


def _one_step(work: Work, precision: str) -> Callable[[], Trained]:
    return lambda: ours(replace(work, steps=1), precision)
