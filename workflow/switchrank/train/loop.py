"""The loop of any training, in one of its processes: resumable at any step, the same bytes every time.

One optimiser step sees a fixed number of a method's units, and its loss is that of the whole step; so splitting it to
fit memory, or over several processes, changes nothing but rounding. Where torch draws what is dropped, several
processes do so from a seed of their rank and the step, so any number of them resumes a checkpoint. What is learned,
from what data, and what a model folder holds is the method's (:mod:`switchrank.train.method`).
"""

from __future__ import annotations

import math
import os
import platform
import random
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from switchrank import __version__
from switchrank.core.allocator import keep_freed_memory
from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import EXIT_TERMINATED, UserError
from switchrank.core.instructions import computed_on
from switchrank.core.json_files import write_json
from switchrank.core.ownership import Kind
from switchrank.core.precision import find_precision, is_out_of_memory
from switchrank.core.progress import progress
from switchrank.core.seeds import derive_seed
from switchrank.train.checkpoint import (
    Tensors,
    load_checkpoint,
    optimiser_tensors,
    restore_optimiser,
    save_checkpoint,
    state_of,
)
from switchrank.train.launch import Place, Stop, stop_signals
from switchrank.train.method import Context, Method, Step, find_method
from switchrank.train.optimiser import apply_gradients, learning_rate, make_optimiser
from switchrank.train.processes import ALONE, Processes, join_processes
from switchrank.train.settings import check_precision

if TYPE_CHECKING:
    from switchrank.train.training import Task

KIND: Kind = "a trained model"
_AHEAD = 100


def train(task: Task, processes: Processes = ALONE) -> dict[str, Any]:
    """Train; the first process writes the folder and returns the summary."""
    with _repeatable(task.settings.threads_each(processes.count)):
        keep_freed_memory()
        run = _Run(task, processes)
        run.resume()
        with stop_signals() as stop:
            run.take_steps(stop)
        processes.leave()
        return {} if processes.rank else run.write()


def train_share(task: Task, place: Place) -> dict[str, Any]:
    """The same as one of several processes."""
    return train(task, join_processes(place, torch.device(task.devices[place.rank])))


@contextmanager
def _repeatable(threads: int) -> Iterator[None]:
    """Deterministic algorithms and a fixed number of threads inside the block; both are put back afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    filling: Any = torch.utils.deterministic
    before = torch.get_deterministic_debug_mode(), torch.get_num_threads(), filling.fill_uninitialized_memory
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms would import torch's compiler
    filling.fill_uninitialized_memory = False  # a tenth of the time on CPU, and no result depends on it
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(before[0])
        torch.set_num_threads(before[1])
        filling.fill_uninitialized_memory = before[2]


def _seed_everything(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 -- libraries draw from the global generator
    torch.manual_seed(seed)


@dataclass
class _History:
    """What has happened so far, JSON-plain; ``processes``: how many there were, and from when on."""

    loss: list[list[float]] = field(default_factory=list)
    dev: list[dict[str, float]] = field(default_factory=list)
    kept: int = 0
    processes: list[dict[str, int]] = field(default_factory=list)
    instances: int = 0
    seconds: float = 0.0
    stops: int = 0


class _Run:
    """A training run in memory, opened at step 0.

    ``loss`` is the sum since the last point of the loss curve; the first process holds the ``best`` weights.
    """

    def __init__(self, task: Task, processes: Processes) -> None:
        device = torch.device(task.devices[processes.rank])
        _seed_everything(derive_seed(task.seed, "train"))
        check_precision(task.settings.precision, device.type)
        precision = find_precision(task.settings.precision, device)
        self.task, self.processes = task, processes
        self.context = Context(task.data, task.settings, task.seed, device, precision, processes)
        self.method: Method[Any] = find_method(task.method)(self.context)
        self.settings = self.method.planned(task.settings)
        self.order = self.method.order(task.seed)
        self.optimiser = make_optimiser(self.method.trained, self.settings)
        self.loss = torch.zeros((), device=device)
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision == "fp16")
        self.scaler.scale(self.loss)  # ready at once: a process whose share of a step is empty has no loss to scale
        self.step = self.prepared = 0
        self.history = _History()
        self.best: Tensors = {}

    def resume(self) -> None:
        found = load_checkpoint(self.task.checkpoints)
        if found is not None:
            tensors, state = found
            self.method.trained.load_state_dict(tensors["model"], strict=False)
            restore_optimiser(self.optimiser, tensors["optimiser"])
            self.best = tensors.get("best", {})
            self.step, self.history = state["step"], _History(**state["history"])
            self.loss.fill_(state["loss"])
            self.scaler.load_state_dict(state["scaler"])
            print(f"resumed after step {self.step}", file=sys.stderr)
        before = [row["count"] for row in self.history.processes[-1:]]
        if before != [self.processes.count] and self.step < self.settings.steps:
            self.history.processes.append({"after_step": self.step, "count": self.processes.count})

    def _save(self) -> None:
        if self.processes.rank:
            return
        tensors = {"model": state_of(self.method.trained), "optimiser": optimiser_tensors(self.optimiser)}
        if self.best:
            tensors["best"] = self.best
        state = {"history": vars(self.history), "loss": self.loss.item(), "scaler": self.scaler.state_dict()}
        save_checkpoint(self.task.checkpoints, self.step, tensors, state)

    def take_steps(self, stop: Stop) -> None:
        settings, per_step = self.settings, self.method.per_step
        what = None if self.processes.rank else "train"
        bar = progress(total=settings.steps * per_step, what=what, unit=self.method.unit)
        bar.update(self.step * per_step)
        start = time.perf_counter()
        while self.step < settings.steps:
            self._one_step()
            bar.update(per_step)
            if self._due(settings.log_every):
                bar.set_postfix(loss=f"{self._log():.4f}")
            if self.method.is_judged(self.context.data) and self._is_judged():
                bar.set_postfix({"loss": f"{self.history.loss[-1][1]:.4f}"} if self.history.loss else {})
                self._judge()
            stopping = self.processes.any(stop.asked)
            if stopping or (settings.checkpoint_every and self.step % settings.checkpoint_every == 0):
                now = time.perf_counter()
                self.history.seconds, start = self.history.seconds + now - start, now
                self.history.stops += int(stopping)
                self._save()
            if stopping:
                bar.close()
                print(f"stopped by a signal, saved after step {self.step}", file=sys.stderr)
                raise SystemExit(EXIT_TERMINATED)
        self.history.seconds += time.perf_counter() - start
        bar.close()

    def _due(self, every: int) -> bool:
        return self.step == self.settings.steps or (every > 0 and self.step % every == 0)

    def _is_judged(self) -> bool:
        if self.settings.epochs and not self.settings.eval_every:
            return int(self._epochs(self.step)) > int(self._epochs(self.step - 1))
        return self._due(self.settings.eval_every)

    def _epochs(self, step: int) -> float:
        return step * self.method.per_step / self.method.count

    def _one_step(self) -> None:
        method, processes = self.method, self.processes
        if processes.count > 1:  # else all would drop the same; and so nothing but the step decides what is dropped
            seed = derive_seed(self.task.seed, "train", str(processes.rank), str(self.step))
            _seed_everything(seed)
        if self.step >= self.prepared:
            self.prepared = min(self.step - self.step % _AHEAD + _AHEAD, self.settings.steps)
            ahead = self.order.rows(self.step, self.prepared)
            method.prepare(processes.share(ahead, method.per_step))
        units = self.order.rows(self.step, self.step + 1)
        step = Step(self.step, units, processes.share(units, method.per_step))
        loss, fits = self._gradients(step)
        while processes.any(not fits):
            self._halve_budget()
            loss, fits = self._gradients(step)
        processes.add_gradients(method.trained.parameters())
        self.loss += processes.add(loss)
        rate = learning_rate(self.step, self.settings)
        apply_gradients(method.trained, self.optimiser, self.scaler, rate, self.settings.clip)
        method.after_step()
        self.history.instances += method.counted(units)
        self.step += 1

    def _gradients(self, step: Step) -> tuple[torch.Tensor, bool]:
        """This process's part of the loss of a step, after differentiating it; and whether memory sufficed."""
        total = torch.zeros_like(self.loss)
        try:
            for loss in self.method.losses(step):
                self.scaler.scale(loss).backward()
                total += loss.detach()
        except RuntimeError as error:
            if is_out_of_memory(error):
                return total, False
            raise
        return total, True

    def _halve_budget(self) -> None:
        """Drop the gradients of a step that ran out of memory, and compute half as much at once from then on."""
        self.optimiser.zero_grad(set_to_none=True)
        budget, place = self.method.budget, f"step {self.step}"
        if budget is None or budget.size <= budget.least:
            held = f" with {budget.size} {budget.unit} at a time" if budget else ""
            remedy = budget.remedy if budget else "lower batch_size"
            raise UserError("train", place, f"out of memory{held}", f"{remedy}, or use a device with more memory")
        budget.size //= 2
        if self.context.device.type == "cuda":
            torch.cuda.empty_cache()
        tqdm.write(f"train: {place}: out of memory: {budget.name} halved to {budget.size}, going on", file=sys.stderr)

    def _log(self) -> float:
        last = self.history.loss[-1][0] if self.history.loss else 0
        mean = self.loss.item() / (self.step - last)
        self.loss.zero_()
        if not math.isfinite(mean):
            raise UserError("train", f"step {self.step}", f"the loss is {mean}", "lower lr, or use precision fp32")
        self.history.loss.append([self.step, mean])
        return mean

    def _judge(self) -> None:
        """Score the development set; of equal scores the first is the best."""
        measure, sign = self.method.measure, 1 if self.method.greater_is_better else -1
        scores = self.method.judge()
        best = max((sign * row[measure] for row in self.history.dev), default=-math.inf)
        self.history.dev.append({"step": self.step, **scores})
        if self.settings.keep == "best" and sign * scores[measure] > best:
            self.history.kept = self.step
            if not self.processes.rank:
                self.best = {name: tensor.clone() for name, tensor in state_of(self.method.trained).items()}

    def write(self) -> dict[str, Any]:
        """Write the folder with the weights that are kept; returns the summary."""
        method, history, task = self.method, self.history, self.task
        kept = history.kept or self.step
        if self.best:
            method.trained.load_state_dict(self.best, strict=False)
        speed, rate = f"{method.instances}_per_second", history.instances / history.seconds if history.seconds else 0.0
        facts = {
            **task.record,
            "params": self.settings.plain(),
            "seed": task.seed,
            "inputs": task.inputs,
            **_made_with(self.context.device),
            "processes": history.processes,
            "precision": self.context.precision,
            **method.record(),
            "loss": history.loss,
            "dev": history.dev,
            "kept": kept,
            "epochs": self._epochs(kept),
            "timing": {"seconds": history.seconds, speed: rate, "stops": history.stops},
        }
        with atomic_folder(task.out, KIND, overwrite=task.overwrite) as folder:
            method.write(folder, facts)
            write_json(folder / "train.json", facts)
        score = next((row[method.measure] for row in history.dev if row["step"] == kept), None)
        return {"steps": self.step, "loss": history.loss[-1][1], method.measure: score, speed: rate}


def _made_with(device: torch.device) -> dict[str, Any]:
    """What the numbers depend on besides settings and inputs: versions, the device, and the processor that finished."""
    packages = ("torch", "transformers", "tokenizers", "numpy")
    own = {"switchrank": __version__, "python": platform.python_version()}
    return {
        "versions": own | {name: version(name) for name in packages},
        **computed_on(device),
    }
