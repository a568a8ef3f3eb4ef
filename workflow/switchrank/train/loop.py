"""Training of a cross-encoder: one logit per query-passage pair, resumable at any step, the same bytes every time.

One optimiser step is exactly ``batch_size`` pairs, or as many whole groups as fit that on average. The loss is averaged
over the whole step, so that splitting it to fit memory, or over several processes, changes nothing but rounding. Killed
at any moment, the next call with the same inputs goes on from the last checkpoint and ends in the bytes of an
undisturbed run (on CPU, with the same number of processes).

Several processes draw what is dropped at a step from a seed of their number and that step, and a checkpoint holds what
all have in common. So any number of processes resumes it: the order of pairs, the schedule and the moments go on where
they were; sums are rounded in another order, and dropout is drawn anew.
"""

from __future__ import annotations

import importlib
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import PACKAGE, code_digest, value_digest
from switchrank.core.errors import EXIT_TERMINATED, UserError
from switchrank.core.ownership import Kind, check_folder
from switchrank.core.precision import find_devices, is_out_of_memory
from switchrank.core.progress import progress
from switchrank.core.seeds import derive_seed
from switchrank.models.encode import Numbers
from switchrank.models.packed import Forward, training_forward
from switchrank.models.pretrained import Model, open_both
from switchrank.models.writing import copy_tokenizer, dropout_options, save_model, write_json
from switchrank.train import devices
from switchrank.train import record as records
from switchrank.train.batches import Batcher, Corpus, CorpusReader, Order, Pairs
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
from switchrank.train.launch import run_ranks, serve_rank
from switchrank.train.objectives import OBJECTIVES, Objective
from switchrank.train.optimiser import Optimiser, apply_gradients, learning_rate, make_optimiser
from switchrank.train.processes import ALONE, Ranks, join_ranks
from switchrank.train.settings import Settings, check_dev, parse_settings
from switchrank.train.stopping import Stop, stop_signals

_AHEAD = 100
_MODULE = "switchrank.train.loop"
_KIND: Kind = "a trained model"


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
    processes: int = 1,
    pairs: CorpusReader = Pairs,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train one ranker and write its folder: weights, config, tokenizer, ``README.md``, ``train.json``.

    AdamW, linear warm-up and decay, by default binary cross-entropy on one logit (Litschko et al. 2023, arXiv
    2305.05295); for the other objectives see :mod:`switchrank.train.objectives`.

    Args:
        corpus: training tables (``CORPUS`` columns), in order, or what ``pairs`` reads.
        start: folder of the starting model and tokenizer.
        out: the folder. Equal arguments give equal bytes, except for ``timing`` in ``train.json``.
        work: checkpoints go to a folder below it, named by a digest of settings, code and inputs; it is removed at the
            end.
        settings: see :class:`switchrank.train.settings.Settings`.
        seed: seed of the order of instances, of dropout, and of a head the starting model lacks.
        dev: table of the development set (``CORPUS`` columns); MRR@10 over its lists is recorded.
        record: JSON-plain facts to put into ``train.json`` beside ours; ``code`` (a digest) and ``name`` (title of the
            model card) are used when given.
        device: ``cpu``, ``cuda`` or ``cuda:<n>``; for several processes see
            :func:`switchrank.core.precision.find_devices`.
        processes: over how many processes each step is divided, on a GPU each or with their share of the threads. A
            checkpoint may be resumed by another number of them. Equal numbers give equal bytes on CPU; other numbers
            differ by rounding, and where there is dropout, in what is dropped.
        pairs: opens the corpus; a class or function of a module, by whose name other processes find it.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        ``{"steps", "loss", "mrr@10", "pairs_per_second"}`` of the kept model (``mrr@10`` is ``None`` without ``dev``).

    Raises:
        UserError: bad settings or inputs, no group for an objective that needs groups, a loss that is not finite,
            another process that trains this model, or a folder ``out`` that holds other things.
        NoGpuError: more GPUs are demanded than are visible.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.
    """
    check_folder(out, _KIND, overwrite=overwrite)
    options = parse_settings(settings)
    check_dev(options, given=dev is not None)
    places = find_devices(device, processes)
    told = dict(record or {})
    told.setdefault("code", code_digest("train.loop", *_own_module(pairs)))
    inputs = records.input_digests(corpus, dev, start)
    digest = value_digest([records.plain_settings(options), seed, places[0].type, told, inputs])
    checkpoints = Path(work) / digest[:32]
    task = _Task(
        corpus=[str(path) for path in corpus],
        dev=None if dev is None else str(dev),
        start=str(start),
        out=str(out),
        overwrite=overwrite,
        checkpoints=str(checkpoints),
        settings=asdict(options),
        seed=seed,
        told=told,
        inputs=inputs,
        devices=[str(place) for place in places],
        pairs=[pairs.__module__, pairs.__qualname__],
    )
    with own_checkpoints(checkpoints):
        if processes == 1:
            summary = _carry_out(task)
        else:
            summary = run_ranks(_MODULE, asdict(task), size=processes, threads=_threads(options, processes))
        shutil.rmtree(checkpoints, ignore_errors=True)
    return summary


@dataclass(frozen=True)
class _Task:
    """What every process of a run is told, JSON-plain."""

    corpus: list[str]
    dev: str | None
    start: str
    out: str
    overwrite: bool
    checkpoints: str
    settings: dict[str, Any]
    seed: int
    told: dict[str, Any]
    inputs: dict[str, str]
    devices: list[str]
    pairs: list[str]
    """Module and name of what opens the corpus."""

    def open_corpus(self) -> Corpus:
        """The pairs to train on."""
        module, name = self.pairs
        reader: CorpusReader = getattr(importlib.import_module(module), name)
        return reader(self.corpus)


def _own_module(reader: CorpusReader) -> list[str]:
    """The module that opens a corpus, as digests of code name it; none where it is not of this package."""
    package, _, module = reader.__module__.partition(".")
    return [module] if package == PACKAGE.name else []


def _carry_out(task: _Task, ranks: Ranks = ALONE) -> dict[str, Any]:
    """Train; the first rank writes the folder and returns the summary."""
    settings, place = parse_settings(task.settings), torch.device(task.devices[ranks.number])
    with devices.repeatable(_threads(settings, ranks.size)):
        run = _Run.begin(task, settings, place, ranks)
        run.resume(Path(task.checkpoints))
        with stop_signals() as stop:
            run.train(Path(task.checkpoints), stop)
        ranks.leave()
        return {} if ranks.number else _write(run, task)


def _threads(settings: Settings, processes: int) -> int:
    """CPU threads of each process."""
    return max(1, settings.threads // processes)


def _serve(task: Mapping[str, Any]) -> dict[str, Any]:
    """The same as one of several processes."""
    known = _Task(**{field.name: task[field.name] for field in fields(_Task)})
    ranks = join_ranks(task["rank"], task["size"], task["meet"], torch.device(known.devices[task["rank"]]))
    return _carry_out(known, ranks)


@dataclass
class _History:
    """What has happened so far, JSON-plain: goes into every checkpoint and at last into ``train.json``."""

    loss: list[list[float]] = field(default_factory=list)
    dev: list[dict[str, float]] = field(default_factory=list)
    kept: int = 0
    processes: list[dict[str, int]] = field(default_factory=list)
    """How many there were, and from when on."""
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
    optimiser: Optimiser
    scaler: torch.amp.GradScaler
    pairs: Corpus
    objective: Objective
    units: Units
    per_step: int
    batcher: Batcher
    order: Order
    labels: torch.Tensor
    dev: tuple[Pairs, Batcher] | None
    loss: torch.Tensor
    seed: int
    ranks: Ranks
    step: int = 0
    prepared: int = 0
    """The step up to which texts are tokenised."""
    history: _History = field(default_factory=_History)
    best: Tensors = field(default_factory=dict)

    @classmethod
    def begin(cls, task: _Task, settings: Settings, device: torch.device, ranks: Ranks) -> _Run:
        """Open everything at step 0."""
        devices.seed_everything(derive_seed(task.seed, "train"))
        precision = devices.find_precision(settings.precision, device)
        model, tokenizer = open_both(Path(task.start), changes=dropout_options(settings.dropout), device=device)
        model.to(device).train()
        longest = min(settings.max_length, tokenizer.model_max_length)
        shape = {"max_length": longest, "truncation": settings.truncation, "token_budget": settings.token_budget}
        pairs, objective = task.open_corpus(), OBJECTIVES[settings.objective]
        units = objective.units(pairs, task.corpus[0])
        per_step = max(1, settings.batch_size // units.size)
        settings = settings.over(len(units), per_step)
        judged = Pairs([task.dev]) if task.dev is not None else None
        return cls(
            settings=settings,
            device=device,
            precision=precision,
            model=model,
            forward=training_forward(model),
            optimiser=make_optimiser(model, settings),
            scaler=devices.make_scaler(device, precision),
            pairs=pairs,
            objective=objective,
            units=units,
            per_step=per_step,
            batcher=Batcher(pairs, tokenizer, **shape),
            order=Order(len(units), per_step, task.seed),
            labels=torch.from_numpy(pairs.label),
            dev=(judged, Batcher(judged, tokenizer, **shape)) if judged is not None else None,
            loss=torch.zeros((), device=device),
            seed=task.seed,
            ranks=ranks,
        )

    def resume(self, work: Path) -> None:
        """Go on from the latest whole checkpoint, if there is one."""
        found = load_checkpoint(work)
        if found is not None:
            self._put_back(*found)
        before = [row["count"] for row in self.history.processes[-1:]]
        if before != [self.ranks.size] and self.step < self.settings.steps:
            self.history.processes.append({"after_step": self.step, "count": self.ranks.size})

    def _put_back(self, tensors: dict[str, Tensors], state: dict[str, Any]) -> None:
        self.model.load_state_dict(tensors["model"])
        restore_optimiser(self.optimiser, tensors["optimiser"])
        self.best = tensors.get("best", {})
        self.step, self.history = state["step"], _History(**state["history"])
        self.loss.fill_(state["loss"])
        self.scaler.load_state_dict(state["scaler"])
        print(f"resumed after step {self.step}", file=sys.stderr)

    def save(self, work: Path) -> None:
        """Write a checkpoint of the present step, the first rank for all."""
        if self.ranks.number:
            return
        tensors = {"model": self.model.state_dict(), "optimiser": optimiser_tensors(self.optimiser)}
        if self.best:
            tensors["best"] = self.best
        state = {"history": vars(self.history), "loss": self.loss.item(), "scaler": self.scaler.state_dict()}
        save_checkpoint(work, self.step, tensors, state)

    def train(self, work: Path, stop: Stop) -> None:
        """Take the remaining steps."""
        settings = self.settings
        what = None if self.ranks.number else "train"
        bar = progress(total=settings.steps * self.per_step, what=what, unit=self.units.name)
        bar.update(self.step * self.per_step)
        began = time.perf_counter()
        while self.step < settings.steps:
            self._one_step()
            bar.update(self.per_step)
            if self._due(settings.log_every):
                bar.set_postfix(loss=f"{self._log():.4f}")
            if self.dev and self._is_judged():
                bar.set_postfix({"loss": f"{self.history.loss[-1][1]:.4f}"} if self.history.loss else {})
                self._judge(*self.dev)
            stopping = self.ranks.any(stop.asked)
            if stopping or (settings.checkpoint_every and self.step % settings.checkpoint_every == 0):
                now = time.perf_counter()
                self.history.seconds, began = self.history.seconds + now - began, now
                self.history.stops += int(stopping)
                self.save(work)
            if stopping:
                bar.close()
                print(f"stopped by a signal, saved after step {self.step}", file=sys.stderr)
                raise SystemExit(EXIT_TERMINATED)
        self.history.seconds += time.perf_counter() - began
        bar.close()

    def _due(self, every: int) -> bool:
        return self.step == self.settings.steps or (every > 0 and self.step % every == 0)

    def _is_judged(self) -> bool:
        if self.settings.epochs and not self.settings.eval_every:
            return int(self.epochs(self.step)) > int(self.epochs(self.step - 1))
        return self._due(self.settings.eval_every)

    def epochs(self, step: int) -> float:
        """Passes over the corpus after some steps."""
        return step * self.per_step / len(self.units)

    def _one_step(self) -> None:
        settings = self.settings
        if self.ranks.size > 1:  # else all would drop the same; and so nothing but the step decides what is dropped
            devices.seed_everything(derive_seed(self.seed, "train", str(self.ranks.number), str(self.step)))
        if self.step >= self.prepared:
            self.prepared = min(self.step - self.step % _AHEAD + _AHEAD, settings.steps)
            ahead = self.order.rows(self.step, self.prepared)
            self.batcher.prepare(self.units.rows(self.ranks.share(ahead, self.per_step)))
        units = self.order.rows(self.step, self.step + 1)
        loss, fits = self._gradients(units)
        while self.ranks.any(not fits):
            self._halve_budget()
            loss, fits = self._gradients(units)
        self.ranks.add_gradients(self.model.parameters())
        self.loss += self.ranks.add(loss)
        apply_gradients(self.model, self.optimiser, self.scaler, learning_rate(self.step, settings), settings.clip)
        self.history.pairs += len(self.units.rows(units))
        self.step += 1

    def _gradients(self, units: Numbers) -> tuple[torch.Tensor, bool]:
        """This rank's part of the loss of a step, its gradients left at the parameters; and whether memory sufficed."""
        terms, total = self.objective.terms(self.labels[self.units.rows(units)]), torch.zeros_like(self.loss)
        share = self.ranks.share(units, self.per_step)
        try:
            for batch in self.batcher.split(self.units.rows(share), self.units.sizes(share)):
                with devices.autocast(self.precision, self.device):
                    scores = self.forward(batch.inputs)
                loss = self.objective.loss(scores.float(), self.labels[batch.rows]) / terms
                self.scaler.scale(loss).backward()
                total += loss.detach()
        except RuntimeError as error:
            if is_out_of_memory(error):
                return total, False
            raise
        return total, True

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
            score = mean_reciprocal_rank(pairs, logits(self.model, batcher, len(pairs), self.ranks))
        best = max((row["mrr@10"] for row in self.history.dev), default=-1.0)
        self.history.dev.append({"step": self.step, "mrr@10": score})
        if self.settings.keep == "best" and score > best:
            self.history.kept = self.step
            if self.ranks.number:
                return
            self.best = {name: tensor.detach().clone() for name, tensor in self.model.state_dict().items()}


def _write(run: _Run, task: _Task) -> dict[str, Any]:
    history = run.history
    kept = history.kept or run.step
    if run.best:
        run.model.load_state_dict(run.best)
    speed = history.pairs / history.seconds if history.seconds else 0.0
    began = records.start_record(task.start)
    facts = {
        **task.told,
        "params": records.plain_settings(run.settings),
        "seed": task.seed,
        "inputs": task.inputs,
        "start": began,
        **records.made_with(run.device),
        "processes": history.processes,
        "precision": run.precision,
        "pairs": len(run.pairs),
        **run.units.record(),
        "loss": history.loss,
        "dev": history.dev,
        "kept": kept,
        "epochs": run.epochs(kept),
        "timing": {"seconds": history.seconds, "pairs_per_second": speed, "stops": history.stops},
    }
    name = str(task.told.get("name", "switchrank cross-encoder"))
    card = records.model_card(
        name=name,
        settings=run.settings,
        batch=f"{run.per_step} {run.units.name}",
        seed=task.seed,
        start=began,
        dev=history.dev,
        kept=kept,
    )
    with atomic_folder(task.out, _KIND, overwrite=task.overwrite) as folder:
        save_model(run.model, folder)
        copy_tokenizer(Path(task.start), folder)
        (folder / "README.md").write_text(card, encoding="utf-8")
        write_json(folder / "train.json", facts)
    score = next((row["mrr@10"] for row in history.dev if row["step"] == kept), None)
    return {"steps": run.step, "loss": history.loss[-1][1], "mrr@10": score, "pairs_per_second": speed}


if __name__ == "__main__":
    serve_rank(_serve)
