"""Training by any method: resumable at any step, the same bytes every time.

One optimiser step sees a fixed number of a method's units, and its loss is that of the whole step; so splitting it to
fit memory, or over several processes, changes nothing but rounding. Killed at any moment, the next call with the same
inputs goes on from the last checkpoint and ends in the bytes of an undisturbed run (on CPU, with the same number of
processes).

Several processes draw what is dropped at a step from a seed of their rank and that step, and a checkpoint holds what
all have in common. So any number of processes resumes it: the order of units, the schedule and the moments go on where
they were; sums are rounded in another order, and dropout is drawn anew.

What is learned, from what data, and what a model folder holds is the method's (:mod:`switchrank.train.method`).
"""

from __future__ import annotations

import importlib
import math
import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import PACKAGE, value_digest
from switchrank.core.errors import EXIT_TERMINATED, UserError
from switchrank.core.json_files import write_json
from switchrank.core.ownership import Kind, check_folder
from switchrank.core.precision import find_devices, is_out_of_memory
from switchrank.core.progress import progress
from switchrank.core.seeds import derive_seed
from switchrank.train import devices
from switchrank.train.checkpoint import (
    Tensors,
    load_checkpoint,
    load_state,
    optimiser_tensors,
    own_checkpoints,
    restore_optimiser,
    save_checkpoint,
    state_of,
)
from switchrank.train.launch import run_processes, serve_process
from switchrank.train.method import Context, Data, Method, Step
from switchrank.train.optimiser import Optimiser, apply_gradients, learning_rate, make_optimiser
from switchrank.train.order import Order
from switchrank.train.processes import ALONE, Processes, join_processes
from switchrank.train.record import made_with
from switchrank.train.registry import find_method, training_code
from switchrank.train.settings import Settings, check_dev, parse_settings
from switchrank.train.stopping import Stop, stop_signals

_AHEAD = 100
_MODULE = "switchrank.train.loop"
_KIND: Kind = "a trained model"


def train_model(
    method: str,
    data: Data,
    *,
    out: str | Path,
    work: str | Path,
    settings: Mapping[str, Any],
    seed: int,
    record: Mapping[str, Any] | None = None,
    device: str = "cpu",
    processes: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train one model and write its folder: what the method writes, and ``train.json``.

    Args:
        method: a name of :func:`switchrank.train.registry.known_methods`, such as ``cross-encoder``, or
            ``module:class`` of a :class:`switchrank.train.method.Method` from elsewhere.
        data: the files it is trained from.
        out: the folder. Equal arguments give equal bytes, except for ``timing`` in ``train.json``.
        work: checkpoints go to a folder below it, named by a digest of settings, code and inputs; it is removed at the
            end.
        settings: of the method's ``Settings``; what is left out has its default.
        seed: seed of the order of units, of dropout, and of a head the starting model lacks.
        record: JSON-plain facts to put into ``train.json`` beside ours; ``code`` (a digest) and ``name`` (title of the
            model card) are used when given.
        device: ``cpu``, ``cuda`` or ``cuda:<n>``; for several processes see
            :func:`switchrank.core.precision.find_devices`.
        processes: over how many processes each step is divided, on a GPU each or with their share of the threads. A
            checkpoint may be resumed by another number of them. Equal numbers give equal bytes on CPU; other numbers
            differ by rounding, and where there is dropout, in what is dropped.
        overwrite: replace an older folder ``out`` whatever it holds.

    Returns:
        ``steps``, ``loss``, the method's measure and ``<instances>_per_second`` of the kept model; the measure is
        None without ``dev``.

    Raises:
        UserError: an unknown method, bad settings or data, a loss that is not finite, another process that trains this
            model, or a folder ``out`` that holds other things.
        NoGpuError: more GPUs are demanded than are visible.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.
    """
    check_folder(out, _KIND, overwrite=overwrite)
    options = parse_settings(settings, find_method(method).Settings)
    check_dev(options, given=data.has("dev"))
    places = find_devices(device, processes)
    facts = dict(record or {})
    if "code" not in facts:
        facts["code"] = training_code(method, *_own_module(data))
    inputs = data.digests()
    digest = value_digest([method, options.plain(), seed, places[0].type, facts, inputs])
    checkpoints = Path(work) / digest[:32]
    task = _Task(
        method=method,
        files={role: _plain(files) for role, files in data.files.items()},
        reader=[data.reader.__module__, data.reader.__qualname__] if data.reader else [],
        out=str(out),
        overwrite=overwrite,
        checkpoints=str(checkpoints),
        settings=asdict(options),
        seed=seed,
        record=facts,
        inputs=inputs,
        devices=[str(place) for place in places],
    )
    with own_checkpoints(checkpoints):
        if processes == 1:
            summary = _carry_out(task)
        else:
            summary = run_processes(_MODULE, asdict(task), count=processes, threads=_threads(options, processes))
        shutil.rmtree(checkpoints, ignore_errors=True)
    return summary


@dataclass(frozen=True)
class _Task:
    """What every process of a run needs to know, JSON-plain."""

    method: str
    files: dict[str, Any]
    reader: list[str]
    """Module and name of what opens the corpus; empty for the method's own reader."""
    out: str
    overwrite: bool
    checkpoints: str
    settings: dict[str, Any]
    seed: int
    record: dict[str, Any]
    inputs: dict[str, str]
    devices: list[str]

    def data(self) -> Data:
        """The files, and what opens them."""
        module, name = self.reader or ("", "")
        return Data(self.files, getattr(importlib.import_module(module), name) if module else None)


def _plain(files: Any) -> Any:
    return str(files) if isinstance(files, Path) else files if isinstance(files, str | None) else [*map(str, files)]


def _own_module(data: Data) -> list[str]:
    """The module that opens a corpus, as digests of code name it; none where it is not of this package."""
    package, _, module = data.reader.__module__.partition(".") if data.reader else ("", "", "")
    return [module] if package == PACKAGE.name else []


def _carry_out(task: _Task, processes: Processes = ALONE) -> dict[str, Any]:
    """Train; the first process writes the folder and returns the summary."""
    settings = parse_settings(task.settings, find_method(task.method).Settings)
    with devices.repeatable(_threads(settings, processes.count)):
        run = _Run.open(task, settings, processes)
        run.resume(Path(task.checkpoints))
        with stop_signals() as stop:
            run.train(Path(task.checkpoints), stop)
        processes.leave()
        return {} if processes.rank else _write(run, task)


def _threads(settings: Settings, processes: int) -> int:
    """CPU threads of each process."""
    return max(1, settings.threads // processes)


def _serve(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same as one of several processes."""
    rank, count, meeting = (given[name] for name in ("rank", "count", "meeting"))
    task = _Task(**{name: value for name, value in given.items() if name in _Task.__dataclass_fields__})
    return _carry_out(task, join_processes(rank, count, meeting, torch.device(task.devices[rank])))


@dataclass
class _History:
    """What has happened so far, JSON-plain: goes into every checkpoint and at last into ``train.json``."""

    loss: list[list[float]] = field(default_factory=list)
    dev: list[dict[str, float]] = field(default_factory=list)
    kept: int = 0
    processes: list[dict[str, int]] = field(default_factory=list)
    """How many there were, and from when on."""
    instances: int = 0
    seconds: float = 0.0
    stops: int = 0


@dataclass
class _Run:
    """A training run in memory."""

    settings: Settings
    context: Context[Any]
    method: Method[Any]
    order: Order
    optimiser: Optimiser
    scaler: torch.amp.GradScaler
    loss: torch.Tensor
    step: int = 0
    prepared: int = 0
    """The step up to which the method has prepared units."""
    history: _History = field(default_factory=_History)
    best: Tensors = field(default_factory=dict)

    @classmethod
    def open(cls, task: _Task, settings: Settings, processes: Processes) -> _Run:
        """Open everything at step 0."""
        device = torch.device(task.devices[processes.rank])
        devices.seed_everything(derive_seed(task.seed, "train"))
        precision = devices.find_precision(settings.precision, device)
        context = Context(task.data(), settings, task.seed, device, precision, processes)
        method = find_method(task.method)(context)
        settings = settings.over(method.count, method.per_step)
        return cls(
            settings=settings,
            context=context,
            method=method,
            order=method.order(task.seed),
            optimiser=make_optimiser(method.trained, settings),
            scaler=devices.make_scaler(device, precision),
            loss=torch.zeros((), device=device),
        )

    @property
    def processes(self) -> Processes:
        """All that share the steps."""
        return self.context.processes

    def resume(self, work: Path) -> None:
        """Go on from the latest whole checkpoint, if there is one."""
        found = load_checkpoint(work)
        if found is not None:
            self._put_back(*found)
        before = [row["count"] for row in self.history.processes[-1:]]
        if before != [self.processes.count] and self.step < self.settings.steps:
            self.history.processes.append({"after_step": self.step, "count": self.processes.count})

    def _put_back(self, tensors: dict[str, Tensors], state: dict[str, Any]) -> None:
        load_state(self.method.trained, tensors["model"])
        restore_optimiser(self.optimiser, tensors["optimiser"])
        self.best = tensors.get("best", {})
        self.step, self.history = state["step"], _History(**state["history"])
        self.loss.fill_(state["loss"])
        self.scaler.load_state_dict(state["scaler"])
        print(f"resumed after step {self.step}", file=sys.stderr)

    def save(self, work: Path) -> None:
        """Write a checkpoint of the present step, the first process for all."""
        if self.processes.rank:
            return
        tensors = {"model": state_of(self.method.trained), "optimiser": optimiser_tensors(self.optimiser)}
        if self.best:
            tensors["best"] = self.best
        state = {"history": vars(self.history), "loss": self.loss.item(), "scaler": self.scaler.state_dict()}
        save_checkpoint(work, self.step, tensors, state)

    def train(self, work: Path, stop: Stop) -> None:
        """Take the remaining steps."""
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
            if self.context.data.has("dev") and self._is_judged():
                bar.set_postfix({"loss": f"{self.history.loss[-1][1]:.4f}"} if self.history.loss else {})
                self._judge()
            stopping = self.processes.any(stop.asked)
            if stopping or (settings.checkpoint_every and self.step % settings.checkpoint_every == 0):
                now = time.perf_counter()
                self.history.seconds, start = self.history.seconds + now - start, now
                self.history.stops += int(stopping)
                self.save(work)
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
            return int(self.epochs(self.step)) > int(self.epochs(self.step - 1))
        return self._due(self.settings.eval_every)

    def epochs(self, step: int) -> float:
        """Passes over the data after some steps."""
        return step * self.method.per_step / self.method.count

    def _one_step(self) -> None:
        method, processes = self.method, self.processes
        if processes.count > 1:  # else all would drop the same; and so nothing but the step decides what is dropped
            seed = derive_seed(self.context.seed, "train", str(processes.rank), str(self.step))
            devices.seed_everything(seed)
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
        """This process's part of the loss of a step, its gradients left at the parameters; and whether memory
        sufficed."""
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
        """Drop the gradients of a step that ran out of memory, and compute half as much at once from now on."""
        self.optimiser.zero_grad(set_to_none=True)
        budget, place = self.method.budget, f"step {self.step}"
        if budget is None or budget.size <= budget.least:
            held = f" with {budget.size} {budget.unit} at a time" if budget else ""
            remedy = budget.remedy if budget else "lower batch_size"
            raise UserError("train", place, f"out of memory{held}", f"{remedy}, or use a device with more memory")
        budget.size //= 2
        if self.context.device.type == "cuda":
            torch.cuda.empty_cache()
        said = f"train: {place}: out of memory: {budget.name} halved to {budget.size}, going on"
        tqdm.write(said, file=sys.stderr)

    def _log(self) -> float:
        last = self.history.loss[-1][0] if self.history.loss else 0
        mean = self.loss.item() / (self.step - last)
        self.loss.zero_()
        if not math.isfinite(mean):
            raise UserError("train", f"step {self.step}", f"the loss is {mean}", "lower lr, or use precision fp32")
        self.history.loss.append([self.step, mean])
        return mean

    def _judge(self) -> None:
        scores = self.method.judge()
        earlier = [row[self.method.measure] for row in self.history.dev]
        self.history.dev.append({"step": self.step, **scores})
        if self.settings.keep == "best" and self._is_best(scores[self.method.measure], earlier):
            self.history.kept = self.step
            if not self.processes.rank:
                self.best = {name: tensor.clone() for name, tensor in state_of(self.method.trained).items()}

    def _is_best(self, score: float, earlier: list[float]) -> bool:
        """Whether a score is better than all earlier ones: of equals the first is kept."""
        if self.method.greater_is_better:
            return score > max(earlier, default=-math.inf)
        return score < min(earlier, default=math.inf)


def _write(run: _Run, task: _Task) -> dict[str, Any]:
    method, history = run.method, run.history
    kept = history.kept or run.step
    if run.best:
        load_state(method.trained, run.best)
    speed, rate = f"{method.instances}_per_second", history.instances / history.seconds if history.seconds else 0.0
    facts = {
        **task.record,
        "params": run.settings.plain(),
        "seed": task.seed,
        "inputs": task.inputs,
        **made_with(run.context.device),
        "processes": history.processes,
        "precision": run.context.precision,
        **method.record(),
        "loss": history.loss,
        "dev": history.dev,
        "kept": kept,
        "epochs": run.epochs(kept),
        "timing": {"seconds": history.seconds, speed: rate, "stops": history.stops},
    }
    with atomic_folder(task.out, _KIND, overwrite=task.overwrite) as folder:
        method.write(folder, facts)
        write_json(folder / "train.json", facts)
    score = next((row[method.measure] for row in history.dev if row["step"] == kept), None)
    return {"steps": run.step, "loss": history.loss[-1][1], method.measure: score, speed: rate}


if __name__ == "__main__":
    serve_process(_serve)
