"""Training of a cross-encoder: one logit per query-passage pair, resumable at any step, the same bytes every time.

One optimiser step is exactly ``batch_size`` pairs, or as many whole groups as fit that on average. The loss is averaged
over the whole step, so that splitting it to fit memory changes nothing but rounding. Killed at any moment, the next
call with the same inputs goes on from the last checkpoint and ends in the bytes of an undisturbed run (on CPU).
"""

from __future__ import annotations

import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from tqdm import tqdm

from switchrank.atomic import atomic_folder
from switchrank.digest import code_digest, value_digest
from switchrank.encode import Numbers
from switchrank.errors import EXIT_TERMINATED, UserError
from switchrank.packed import Forward, training_forward
from switchrank.precision import is_out_of_memory
from switchrank.progress import progress
from switchrank.seeds import derive_seed
from switchrank.train import devices
from switchrank.train import record as records
from switchrank.train.batches import Batcher, Order, Pairs
from switchrank.train.checkpoint import (
    Tensors,
    load_checkpoint,
    optimiser_tensors,
    own_checkpoints,
    restore_optimiser,
    save_checkpoint,
)
from switchrank.train.dev import logits, mean_reciprocal_rank
from switchrank.train.groups import Units
from switchrank.train.models import Model, copy_tokenizer, open_model, open_tokenizer, save_model, write_json
from switchrank.train.objectives import OBJECTIVES, Objective
from switchrank.train.optimiser import apply_gradients, learning_rate, make_optimiser
from switchrank.train.settings import Settings, parse_settings

_AHEAD = 100


def train_ranker(
    *,
    corpus: Sequence[str | Path],
    start: str | Path,
    out: str | Path,
    work: str | Path,
    settings: Mapping[str, Any],
    seed: int,
    dev: str | Path | None = None,
    record: Mapping[str, Any] | None = None,
    device: str = "cpu",
) -> dict[str, Any]:
    """Train one ranker and write its folder: weights, config, tokenizer, ``README.md``, ``train.json``.

    AdamW, linear warm-up and decay, by default binary cross-entropy on one logit (Litschko et al. 2023, arXiv
    2305.05295); for the other objectives see :mod:`switchrank.train.objectives`.

    Args:
        corpus: training tables (``CORPUS`` columns), in order.
        start: folder of the starting model and tokenizer.
        out: the folder. Equal arguments give equal bytes, except for ``timing`` in ``train.json``.
        work: checkpoints go to a folder below it, named by a digest of settings, code and inputs; it is removed at the
            end.
        settings: see :class:`switchrank.train.settings.Settings`.
        seed: seed of the order of instances, of dropout, and of a head the starting model lacks.
        dev: table of the development set (``CORPUS`` columns); MRR@10 over its lists is recorded.
        record: JSON-plain facts to put into ``train.json`` beside ours; ``code`` (a digest) and ``name`` (title of the
            model card) are used when given.
        device: ``cpu``, ``cuda`` or ``cuda:<n>``.

    Returns:
        ``{"steps", "loss", "mrr@10", "pairs_per_second"}`` of the kept model (``mrr@10`` is ``None`` without ``dev``).

    Raises:
        UserError: bad settings or inputs, no group for an objective that needs groups, a loss that is not finite, or
            another process that trains this model.
        NoGpuError: a GPU is demanded and none is visible.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.
    """
    options = parse_settings(settings)
    if options.keep == "best" and dev is None:
        raise UserError("train settings", "keep", "'best' needs a development set", "give dev, or write keep: last")
    place = devices.find_device(device)
    told = dict(record or {})
    told.setdefault("code", code_digest("train.loop"))
    inputs = records.input_digests(corpus, dev, start)
    digest = value_digest([records.plain_settings(options), seed, place.type, told, inputs])
    checkpoints = Path(work) / digest[:32]
    with devices.repeatable(options.threads), own_checkpoints(checkpoints):
        run = _Run.begin(corpus, dev, start, options, seed, place)
        run.resume(checkpoints)
        with _stop_signals() as stop:
            run.train(checkpoints, stop)
        summary = _write(run, Path(out), Path(start), told, inputs, seed)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return summary


@dataclass
class _Stop:
    asked: bool = False


@contextmanager
def _stop_signals() -> Iterator[_Stop]:
    """SIGTERM and SIGUSR1 (what Slurm can send before a time limit) only set a flag inside the block."""
    stop = _Stop()

    def ask(_signal: int, _frame: FrameType | None) -> None:
        stop.asked = True

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGUSR1)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@dataclass
class _History:
    """What has happened so far, JSON-plain: goes into every checkpoint and at last into ``train.json``."""

    loss: list[list[float]] = field(default_factory=list)
    dev: list[dict[str, float]] = field(default_factory=list)
    kept: int = 0
    pairs: int = 0
    seconds: float = 0.0
    stops: int = 0


@dataclass
class _Run:
    """A training run in memory."""

    settings: Settings
    device: torch.device
    precision: str
    model: Model
    forward: Forward
    optimiser: torch.optim.AdamW
    scaler: torch.amp.GradScaler
    pairs: Pairs
    objective: Objective
    units: Units
    per_step: int
    batcher: Batcher
    order: Order
    labels: torch.Tensor
    dev: tuple[Pairs, Batcher] | None
    loss: torch.Tensor
    step: int = 0
    history: _History = field(default_factory=_History)
    best: Tensors = field(default_factory=dict)

    @classmethod
    def begin(
        cls,
        corpus: Sequence[str | Path],
        dev: str | Path | None,
        start: str | Path,
        settings: Settings,
        seed: int,
        device: torch.device,
    ) -> _Run:
        """Open everything at step 0."""
        devices.seed_everything(derive_seed(seed, "train"))
        precision = devices.find_precision(settings.precision, device)
        model = open_model(Path(start), **_dropout(settings.dropout)).to(device).train()
        tokenizer = open_tokenizer(Path(start))
        longest = min(settings.max_length, tokenizer.model_max_length)
        shape = {"max_length": longest, "truncation": settings.truncation, "token_budget": settings.token_budget}
        pairs, objective = Pairs(corpus), OBJECTIVES[settings.objective]
        units = objective.units(pairs, corpus[0])
        per_step = max(1, settings.batch_size // units.size)
        judged = Pairs([dev]) if dev is not None else None
        return cls(
            settings=settings,
            device=device,
            precision=precision,
            model=model,
            forward=training_forward(model),
            optimiser=make_optimiser(model, settings),
            scaler=torch.amp.GradScaler(device.type, enabled=precision == "fp16"),
            pairs=pairs,
            objective=objective,
            units=units,
            per_step=per_step,
            batcher=Batcher(pairs, tokenizer, **shape),
            order=Order(len(units), per_step, seed),
            labels=torch.from_numpy(pairs.label),
            dev=(judged, Batcher(judged, tokenizer, **shape)) if judged is not None else None,
            loss=torch.zeros((), device=device),
        )

    def resume(self, work: Path) -> None:
        """Go on from the latest whole checkpoint, if there is one."""
        found = load_checkpoint(work)
        if found is None:
            return
        tensors, state = found
        self.model.load_state_dict(tensors["model"])
        restore_optimiser(self.optimiser, tensors["optimiser"])
        self.best = tensors.get("best", {})
        self.step, self.history = state["step"], _History(**state["history"])
        self.loss.fill_(state["loss"])
        self.scaler.load_state_dict(state["scaler"])
        print(f"resumed after step {self.step}", file=sys.stderr)

    def save(self, work: Path) -> None:
        """Write a checkpoint of the present step."""
        tensors = {"model": self.model.state_dict(), "optimiser": optimiser_tensors(self.optimiser)}
        if self.best:
            tensors["best"] = self.best
        state = {"history": vars(self.history), "loss": self.loss.item(), "scaler": self.scaler.state_dict()}
        save_checkpoint(work, self.step, tensors, state)

    def train(self, work: Path, stop: _Stop) -> None:
        """Take the remaining steps."""
        settings = self.settings
        bar = progress(total=settings.steps * self.per_step, what="train", unit=self.units.name)
        bar.update(self.step * self.per_step)
        began = time.perf_counter()
        while self.step < settings.steps:
            self._one_step()
            bar.update(self.per_step)
            if self._due(settings.log_every):
                bar.set_postfix(loss=f"{self._log():.4f}")
            if self.dev and self._due(settings.eval_every):
                bar.set_postfix({"loss": f"{self.history.loss[-1][1]:.4f}"} if self.history.loss else {})
                self._judge(*self.dev)
            if stop.asked or (settings.checkpoint_every and self.step % settings.checkpoint_every == 0):
                now = time.perf_counter()
                self.history.seconds, began = self.history.seconds + now - began, now
                self.history.stops += int(stop.asked)
                self.save(work)
            if stop.asked:
                bar.close()
                print(f"stopped by a signal, saved after step {self.step}", file=sys.stderr)
                raise SystemExit(EXIT_TERMINATED)
        self.history.seconds += time.perf_counter() - began
        bar.close()

    def _due(self, every: int) -> bool:
        return self.step == self.settings.steps or (every > 0 and self.step % every == 0)

    def _one_step(self) -> None:
        settings = self.settings
        if self.step % _AHEAD == 0:
            ahead = self.order.rows(self.step, min(self.step + _AHEAD, settings.steps))
            self.batcher.prepare(self.units.rows(ahead))
        units = self.order.rows(self.step, self.step + 1)
        rows = self.units.rows(units)
        while (loss := self._gradients(rows, self.units.sizes(units))) is None:
            self._halve_budget()
        self.loss += loss
        apply_gradients(self.model, self.optimiser, self.scaler, learning_rate(self.step, settings), settings.clip)
        self.history.pairs += len(rows)
        self.step += 1

    def _gradients(self, rows: Numbers, sizes: Numbers) -> torch.Tensor | None:
        """The loss of a step, its gradients left at the parameters; None where memory ran out on the way."""
        terms, total = self.objective.terms(self.labels[rows]), torch.zeros_like(self.loss)
        try:
            for batch in self.batcher.split(rows, sizes):
                with devices.autocast(self.precision, self.device):
                    scores = self.forward(batch.inputs)
                loss = self.objective.loss(scores.float(), self.labels[batch.rows]) / terms
                self.scaler.scale(loss).backward()
                total += loss.detach()
        except RuntimeError as error:
            if is_out_of_memory(error):
                return None
            raise
        return total

    def _halve_budget(self) -> None:
        """Drop the gradients of a step that ran out of memory, and make its micro-batches half as large from now on."""
        self.optimiser.zero_grad(set_to_none=True)
        budget = self.batcher.token_budget
        if budget <= self.settings.max_length:
            problem = f"out of memory with {budget} tokens at a time"
            raise UserError("train", f"step {self.step}", problem, "lower max_length, or use a device with more memory")
        self.batcher.token_budget = budget // 2
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        said = f"train: step {self.step}: out of memory: token budget halved to {budget // 2}, going on"
        tqdm.write(said, file=sys.stderr)

    def _log(self) -> float:
        last = self.history.loss[-1][0] if self.history.loss else 0
        mean = self.loss.item() / (self.step - last)
        self.loss.zero_()
        if mean != mean or mean in (float("inf"), float("-inf")):
            raise UserError("train", f"step {self.step}", f"the loss is {mean}", "lower lr, or use precision fp32")
        self.history.loss.append([self.step, mean])
        return mean

    def _judge(self, pairs: Pairs, batcher: Batcher) -> None:
        with devices.autocast(self.precision, self.device):
            score = mean_reciprocal_rank(pairs, logits(self.model, batcher, len(pairs)))
        best = max((row["mrr@10"] for row in self.history.dev), default=-1.0)
        self.history.dev.append({"step": self.step, "mrr@10": score})
        if self.settings.keep == "best" and score > best:
            self.history.kept = self.step
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}


def _dropout(value: float | None) -> dict[str, float]:
    names = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")
    return {} if value is None else dict.fromkeys(names, value)


def _write(
    run: _Run, out: Path, start: Path, told: Mapping[str, Any], inputs: Mapping[str, str], seed: int
) -> dict[str, Any]:
    history = run.history
    kept = history.kept or run.step
    if run.best:
        run.model.load_state_dict(run.best)
    speed = history.pairs / history.seconds if history.seconds else 0.0
    began = records.start_record(start)
    facts = {
        **told,
        "params": records.plain_settings(run.settings),
        "seed": seed,
        "inputs": dict(inputs),
        "start": began,
        "versions": records.versions(),
        "device": devices.describe_device(run.device),
        "precision": run.precision,
        "pairs": len(run.pairs),
        **run.units.record(),
        "loss": history.loss,
        "dev": history.dev,
        "kept": kept,
        "timing": {"seconds": history.seconds, "pairs_per_second": speed, "stops": history.stops},
    }
    name = str(told.get("name", "switchrank cross-encoder"))
    card = records.model_card(
        name=name,
        settings=run.settings,
        batch=f"{run.per_step} {run.units.name}",
        seed=seed,
        start=began,
        dev=history.dev,
        kept=kept,
    )
    with atomic_folder(out) as folder:
        save_model(run.model, folder)
        copy_tokenizer(start, folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
        write_json(folder / "train.json", facts)
    score = next((row["mrr@10"] for row in history.dev if row["step"] == kept), None)
    return {"steps": run.step, "loss": history.loss[-1][1], "mrr@10": score, "pairs_per_second": speed}
