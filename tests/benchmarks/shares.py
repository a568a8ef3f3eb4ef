"""Where the time goes: the shares that docs/benchmarks.md tells, ``python -m tests.benchmarks.shares [NAME ...]``.

Processor time, and models on one thread: other work on the machine changes little.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import polars as pl

from switchrank.core.seeds import counter_bits
from switchrank.formats.tables import BITEXT, write_table
from switchrank.models import packed
from switchrank.models.dropout import Draw, Dropout, pair_states
from switchrank.train.method import Context, Data, Step
from switchrank.train.methods.distil import Distil, DistilSettings
from switchrank.train.processes import ALONE
from switchrank.train.token_alignment import Transport
from switchrank.train.units import Order
from tests.benchmarks import dumps, encode, evaluate, rank, train
from tests.benchmarks.clock import alone
from tests.benchmarks.rankers import MINILM, encoder_folder, has_bf16, operations, texts

_FUSED = "aten::_scaled_dot_product_flash_attention_for_cpu"
_ATTENTION = (_FUSED, f"{_FUSED}_backward", "aten::bmm", "aten::_softmax", "aten::_softmax_backward_data")
_PRODUCTS = ("mkldnn::_linear_pointwise", "aten::addmm", "aten::mm")
_SUMS_AND_NORMS = (
    "aten::add", "aten::sum", "aten::native_layer_norm", "aten::native_layer_norm_backward", "aten::gelu",
    "aten::gelu_backward",
)  # fmt: skip


LINE_WORDS = (15.0, 0.5)
"""Median and spread (of the logarithm) of the words of a line of bitext."""


def padding() -> Iterator[str]:
    """The share of padding in batches of training instances in random order."""
    with tempfile.TemporaryDirectory() as folder:
        work = train.make_work(Path(folder), MINILM, steps=10)
        lengths = train.lengths(work)
    order = Order(len(lengths), work.batch_size, seed=1).rows(0, work.steps)
    batches = lengths[order].reshape(work.steps, work.batch_size)
    yield f"padding of a batch of {work.batch_size}: {1 - batches.mean() / batches.max(axis=1).mean():.2f}"


def ranking() -> Iterator[str]:
    """Shares of products, attention, and sums and norms in ranking; the rate of attention beside that of products."""
    with tempfile.TemporaryDirectory() as folder:
        work = rank.make_work(Path(folder), MINILM, queries=1, candidates=200)
        needed = operations(MINILM, rank.lengths(work))[1]
        squares = float((rank.lengths(work) ** 2).sum())
        attended = 4 * MINILM.width * ((MINILM.layers - 1) * squares + float(rank.lengths(work).sum()))
        for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
            products, attention, rest = _parts_of(rank.ours(work, precision, cores=1))
            rate = attended / attention / ((needed - attended) / products)
            yield (
                f"ranking, {precision}: products {products:.2f}, attention {attention:.2f}, sums and norms {rest:.2f} "
                f"of the time; attention at {rate:.2f} of the rate of products"
            )


def encoding() -> Iterator[str]:
    """The same shares of encoding."""
    with tempfile.TemporaryDirectory() as folder:
        work = encode.make_work(Path(folder), MINILM, count=160)
        for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
            products, attention, rest = _parts_of(partial(encode.ours(work, precision, cores=1), work.passages))
            yield (
                f"encoding, {precision}: products {products:.2f}, attention {attention:.2f}, sums and norms {rest:.2f} "
                "of the time"
            )


def training() -> Iterator[str]:
    """The same shares of training."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(train, "threads", return_value=1):
        work = train.make_work(Path(folder), MINILM, steps=2)
        for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
            products, attention, rest = _parts_of(partial(train.ours, work, precision))
            yield (
                f"training, {precision}: products {products:.2f}, attention {attention:.2f}, sums and norms {rest:.2f} "
                "of the time"
            )


def transport() -> Iterator[str]:
    """The share of a step of distillation on bitext that transport plans take."""
    import torch

    torch.set_num_threads(1)
    plans, spent, count = Transport.plans, [], 400

    def timed(self: Transport, *given: torch.Tensor) -> torch.Tensor:
        start = time.process_time()
        found = plans(self, *given)
        spent.append(time.process_time() - start)
        return found

    with tempfile.TemporaryDirectory() as name, mock.patch.object(Transport, "plans", timed):
        start, file = encoder_folder(Path(name, "start"), MINILM, max_length=128), Path(name, "en-xx.parquet")
        sides = [texts(count, LINE_WORDS, seed) for seed in (1, 2)]
        write_table(pl.DataFrame([range(count), *sides], schema=BITEXT), file, BITEXT)
        for precision in ("fp32", "bf16") if has_bf16() else ("fp32",):
            given = Data({"start": start, "bitext": file}), DistilSettings(loss="transport", held_out=2), 1
            method = Distil(Context(*given, torch.device("cpu"), precision, ALONE))
            spent.clear()
            whole = _processor(lambda method=method: _steps(method, 3))
            yield (
                f"distillation on bitext, {MINILM.name}, {precision}: transport plans {sum(spent) / whole:.3f} of the "
                f"time of a step of 64 lines"
            )


def _steps(method: Distil, count: int) -> None:
    """Gradients of some steps."""
    for number, units in enumerate(Order(method.count, method.per_step, 1).rows(0, count).reshape(count, -1)):
        for loss in method.losses(Step(number, units, units)):
            loss.backward()


def _parts_of(call: Callable[[], object]) -> tuple[float, ...]:
    """The shares of products, of attention (in half precision without its masks and copies), of sums and norms."""
    import torch

    call()
    with torch.profiler.profile() as profile:
        call()
    taken = {event.key: event.cpu_time_total for event in profile.key_averages()}
    whole = sum(event.self_cpu_time_total for event in profile.key_averages())
    kinds = _PRODUCTS, _ATTENTION, _SUMS_AND_NORMS
    return tuple(sum(taken.get(name, 0) for name in names) / whole for names in kinds)


def attention_backward() -> Iterator[str]:
    """Attention with its backward pass on a CPU in bf16, fused beside step by step."""
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    shape = (16, 12, 80, 32)
    given = [torch.randn(shape, dtype=torch.bfloat16, requires_grad=True) for _ in range(3)]

    def fused() -> None:
        functional.scaled_dot_product_attention(*given).sum().backward()

    def plain() -> None:
        query, key, value = given
        shares = torch.softmax((query * shape[-1] ** -0.5) @ key.transpose(-1, -2), -1, dtype=query.dtype)
        (shares @ value).sum().backward()

    times = [min(_processor(work) for _ in range(10)) for work in (fused, plain)]
    yield f"attention and its backward, bf16, {shape}: fused takes {times[0] / times[1]:.1f} times as long as plain"


def softmax() -> Iterator[str]:
    """A softmax of masked scores in bf16, and in float32 and rounded."""
    import torch

    torch.set_num_threads(1)
    scores, hidden = torch.randn(8, 12, 88, 88).bfloat16(), torch.zeros(8, 1, 1, 88)

    def half() -> None:
        torch.softmax(scores + hidden.bfloat16(), -1, dtype=torch.bfloat16)

    def wide() -> None:
        torch.softmax(scores.float() + hidden, -1).bfloat16()

    with torch.inference_mode():
        times = [1e3 * min(_processor(work) for _ in range(10)) for work in (half, wide)]
    yield f"softmax of {tuple(scores.shape)}: {times[0]:.2f} ms in bf16, {times[1]:.2f} ms in float32 and rounded"


def shapes() -> Iterator[str]:
    """A step and a ranking in bf16 with attention over pairs of equal length, and over blocks whose shapes recur."""
    pack = packed.pack
    for layers, width, lengths, batches in ((2, 128, (12, 45), 60), (6, 384, (30, 80), 8)):
        for trains, dropout in ((True, 0.0), (True, 0.1), (False, 0.0)):
            took = []
            for few in (False, True):
                with mock.patch.object(packed, "pack", partial(_packed, pack, few)):
                    took.append(_batch_ms(layers, width, lengths, batches, dropout, trains=trains, half=True))
            what = f"a training step, dropout {dropout:g}" if trains else "ranking"
            told = f"{took[0]:.0f} ms over equal lengths, {took[1]:.0f} ms over blocks"
            yield f"{layers} x {width}, {lengths[0]} to {lengths[1]} tokens, bf16, {what}: {told}"


def _packed(pack: Callable[..., packed.Packed], few: bool, inputs: Any, **given: Any) -> packed.Packed:
    return pack(inputs, **{**given, "few_shapes": few})


def widths() -> Iterator[str]:
    """fp32 beside bf16 for models of several widths, which is what ``precision: auto`` goes by."""
    for layers, width in ((1, 32), (2, 64), (2, 128), (3, 256), (6, 384)):
        batches = 40 if width < 256 else 8
        for trains, what in ((True, "a training step"), (False, "ranking")):
            took = [
                _batch_ms(layers, width, (12, 80), batches, 0.0, trains=trains, half=half) for half in (False, True)
            ]
            yield f"{layers} x {width}, 12 to 80 tokens, {what}: {took[0]:.1f} ms in fp32, {took[1]:.1f} ms in bf16"


def bits() -> Iterator[str]:
    """What it takes to draw and apply dropout to 5.4 million numbers, by torch and from our counter."""
    import torch

    torch.set_num_threads(1)
    lengths = np.full(64, 60)
    values = torch.randn(int(lengths.sum()), 1_404)
    drop = Dropout(pair_states(Draw(1, 0, np.arange(64))), lengths, 0)
    for what, work in (
        ("torch", lambda: torch.nn.functional.dropout(values, 0.1)),
        ("a counter", lambda: drop.of_rows(values, 0.1)),
        ("a counter, its bits alone", lambda: counter_bits(drop._tokens, 1_404)),
    ):
        best = 1e3 * min(_processor(work) for _ in range(10))
        yield f"dropout of {values.numel():,} numbers by {what}: {best:.1f} ms"


def _batch_ms(
    layers: int, width: int, lengths: tuple[int, int], batches: int, dropout: float, *, trains: bool, half: bool
) -> float:
    """Median milliseconds of one thread for a batch of 64 pairs that the process has not seen before."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.set_num_threads(1)
    rng, shares = np.random.default_rng(3), {"hidden_dropout_prob": dropout, "attention_probs_dropout_prob": dropout}
    config = BertConfig(num_hidden_layers=layers, hidden_size=width, num_attention_heads=max(2, width // 32),
                        intermediate_size=4 * width, vocab_size=5_000, num_labels=1, **shares)  # fmt: skip
    model = BertForSequenceClassification(config).train(trains)
    forward = packed.training_forward(model) if trains else None
    ranks = packed.ranking_forward(model, torch.bfloat16 if half else None)
    took = []
    for step in range(batches):
        sizes = torch.from_numpy(rng.integers(*lengths, 64, endpoint=True))
        mask = (torch.arange(int(sizes.max())) < sizes[:, None]).long()
        inputs = {"input_ids": torch.randint(5, 5_000, mask.shape) * mask, "attention_mask": mask}
        start = time.process_time()
        if forward is None:
            with torch.inference_mode():
                ranks(inputs)
        else:
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                logits = forward(inputs, Draw(1, step, np.arange(64)))
            logits.float().square().mean().backward()
            model.zero_grad()
        took.append(time.process_time() - start)
    return 1e3 * float(np.median(took[len(took) // 4 :]))


def scoring() -> Iterator[str]:
    """The share of reading in pytrec_eval's time from file to scores."""
    import pytrec_eval

    with tempfile.TemporaryDirectory() as name:
        run = Path(name) / "large.trec"
        evaluate.write_large(run, 1_000, np.random.default_rng(4))
        whole = _processor(evaluate.scores_by_pytrec(run, run.parent / "qrels.txt"))
        with run.open() as lines:
            reading = _processor(lambda: pytrec_eval.parse_run(lines))
    yield f"pytrec_eval, 1,000 queries x 1,000 documents: reading is {reading / whole:.2f} of the time"


def unpacking() -> Iterator[str]:
    """Processor time of reading one language of a dump, of all threads, beside mwsql's."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "langlinks.sql.gz"
        dumps.write_dump(path, 50_000_000)
        ours, peer = (alone(_reading, read, path).result for read in (dumps.read_ours, dumps.read_by_mwsql))
    yield f"dump of 50 MB: {ours:.2f} s of processor time, mwsql {peer:.2f} s: {ours / peer:.2f}"


def _reading(read: Callable[..., Callable[[], object]], path: Path) -> Callable[[], float]:
    return partial(_processor, read(path, dumps.WANTED))


def _processor(work: Callable[[], object]) -> float:
    """Processor seconds of a call, of all threads."""
    start = time.process_time()
    work()
    return time.process_time() - start


SHARES = {
    "padding": padding,
    "ranking": ranking,
    "encoding": encoding,
    "training": training,
    "transport": transport,
    "attention": attention_backward,
    "softmax": softmax,
    "shapes": shapes,
    "widths": widths,
    "bits": bits,
    "scoring": scoring,
    "unpacking": unpacking,
}

if __name__ == "__main__":
    for part in sys.argv[1:] or SHARES:
        for line in SHARES[part]():
            print(line, flush=True)
