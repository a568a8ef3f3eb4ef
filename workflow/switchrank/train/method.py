"""What the training loop asks of a way to learn, and what it gives it.

A :class:`Method` knows data, model and loss; the loop (:mod:`switchrank.train.loop`) draws the units of each step,
divides them over processes, differentiates, steps, saves, resumes and keeps the best. Nothing heavy is imported at the
top of a method's module: the config reads its settings whenever a workflow starts.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from switchrank.core.digest import PACKAGE, code_digest, file_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.train.settings import Settings

if TYPE_CHECKING:
    import torch

    from switchrank.core.ragged import Numbers
    from switchrank.train.processes import Processes
    from switchrank.train.units import Order

S = TypeVar("S", bound=Settings)
_TRAINING, _FOLDER = "train.training", "train.methods"
Reader = Callable[[Sequence[str]], Any]
"""Opens the files of training data."""
Need = Literal["needed", "optional"]


@dataclass(frozen=True)
class Data:
    """What a model is trained from.

    Attributes:
        files: per role a file, a folder, or files in their order; None is left out. ``start`` is the folder of the
            starting model, ``dev`` what the model is judged by; a method says which others it reads, such as
            ``corpus`` or ``teacher``.
        reader: opens the files of ``corpus`` in place of the method's own reader; other processes import it.
    """

    files: Mapping[str, str | Path | Sequence[str | Path] | None]
    reader: Reader | None = None

    def has(self, role: str) -> bool:
        return self.files.get(role) is not None

    def one(self, role: str) -> Path:
        (path,) = self.every(role)
        return Path(path)

    def every(self, role: str) -> list[str]:
        """The files of a role; raises UserError where there are none."""
        given = self.files.get(role)
        if given is None:
            raise UserError("train", role, "not given, and this method needs it", f"give {role}")
        return [str(path) for path in ([given] if isinstance(given, str | Path) else given)]

    def plain(self) -> Data:
        """The same with every path as text, so that it can be handed to other processes."""
        return Data({role: self.every(role) for role in self.files if self.has(role)}, self.reader)

    def digests(self) -> dict[str, str]:
        """SHA-256 of every file, by role and file name; no folder above it is named, and no hidden file read."""
        found: dict[str, Path] = {}
        for role, given in self.files.items():
            if given is None:
                continue
            if not isinstance(given, str | Path):
                found |= {f"{role}/{number:05d}": Path(path) for number, path in enumerate(given)}
            elif Path(given).is_dir():
                inside = sorted(Path(given).glob("[!.]*"))
                found |= {f"{role}/{file.name}": file for file in inside if file.is_file()}
            else:
                found[role] = Path(given)
        return {name: file_digest(path) for name, path in found.items()}


@dataclass(frozen=True)
class Context(Generic[S]):
    """What a method is opened with. The generators of Python, NumPy and torch are seeded by then.

    Attributes:
        seed: seed of the run; derive others from it (:func:`switchrank.core.seeds.derive_seed`).
        precision: ``fp32``, ``bf16`` or ``fp16``.
        processes: those that share each step, over which a method may add up or compare.
    """

    data: Data
    settings: S
    seed: int
    device: torch.device
    precision: str
    processes: Processes

    def autocast(self) -> AbstractContextManager[object]:
        """The context that forward passes run in; losses are computed outside, in float32."""
        import torch

        from switchrank.core.precision import PRECISIONS

        dtype = PRECISIONS[self.precision]
        return torch.autocast(self.device.type, dtype=dtype, enabled=dtype is not None)


@dataclass
class Budget:
    """How much of a step is computed at once. The loop halves ``size``, down to ``least``, where memory runs out.

    Attributes:
        name, unit: what it is and is counted in, for people: ``token budget``, ``tokens``.
        remedy: what else would save memory, such as ``lower max_length``.
    """

    size: int
    least: int
    name: str
    unit: str
    remedy: str


@dataclass(frozen=True)
class Step:
    """One optimiser step, from 0: its units, the same in all processes, and the share of this one, maybe none."""

    number: int
    units: Numbers
    share: Numbers


class Method(ABC, Generic[S]):
    """A way to learn, opened for one training. A new one is a subclass in a module under ``train/methods/``.

    Data fall into units, numbered from 0: pairs, groups of passages, lines of bitext, images with their captions. The
    loop draws ``per_step`` of them for each step and asks for :meth:`losses`. Whatever is drawn at random must follow
    from the seed and the number of the step, or from torch's global generator, whose state checkpoints hold: so a
    resumed run ends in the bytes of an undisturbed one.

    Attributes:
        reads: the roles of data beside ``start`` that it reads, and whether each must be given.
        instances: plural of what a step is counted in for people and ``batch_size`` speaks of: ``pairs``.
        measure: the key of :meth:`judge` that ``keep: best`` goes by.
        trained: holds all that changes in training, on the device and in training mode. Its parameters that require a
            gradient are stepped; these and its persistent buffers are what checkpoints hold and ``keep: best`` keeps.
            A projection, an adapter or a queue of earlier vectors belongs in here, a frozen teacher does not.
        count: number of units.
        unit: plural of a unit: ``groups``.
        budget: how much of a step is computed at once; None where a step cannot be split.
    """

    Settings: ClassVar[type[Settings]]
    reads: ClassVar[Mapping[str, Need]]
    instances: ClassVar[str]
    measure: str
    greater_is_better: ClassVar[bool] = True
    trained: torch.nn.Module
    count: int
    unit: str
    per_step: int
    budget: Budget | None = None

    @abstractmethod
    def __init__(self, context: Context[S]) -> None:
        """Open data and model; raises UserError for what is wrong with them."""

    @classmethod
    def is_judged(cls, data: Data) -> bool:
        """Whether there is anything to judge a model by: the role ``dev``, unless a method sets some data aside."""
        return data.has("dev")

    def order(self, seed: int) -> Order:
        """Which units each step sees: a new permutation of all per pass, unless a method composes its batches."""
        from switchrank.train.units import Order

        return Order(self.count, self.per_step, seed)

    def planned(self, settings: S) -> S:
        """The settings with the steps that are to be taken: those of ``epochs``, or of a budget that a method has."""
        return settings.over(self.count, self.per_step)

    def prepare(self, units: Numbers) -> None:
        """Make ready, such as tokenise, the units of the next steps all at once. By default nothing."""

    @abstractmethod
    def losses(self, step: Step) -> Iterator[torch.Tensor]:
        """The loss of a step in parts, a scalar for each micro-batch of this process's share.

        The loop differentiates each part before it asks for the next, so that memory holds one micro-batch at a time;
        where memory runs out, it halves :attr:`budget` and asks anew for the whole step. All parts of all processes
        must add up to the loss of the step: a mean divides each by the terms of the whole ``step.units``.

        Where the loss couples the units of a step, as in-batch negatives do, either yield a single part; or cache
        gradients (Gao et al. 2021, arXiv 2101.06983): encode all micro-batches without gradients, differentiate the
        loss by their vectors, and yield for each micro-batch, encoded again, ``(vectors * cached).sum()`` plus its
        difference to the micro-batch's share of the loss, detached. Before processes exchange vectors within a step,
        they must agree that none has run out of memory (:meth:`switchrank.train.processes.Processes.any`).
        """

    def after_step(self) -> None:
        """Called after the optimiser has stepped: to clamp a scale, say, or fill a queue. By default nothing."""

    def counted(self, units: Numbers) -> int:
        """How many ``instances`` these units have; by default one each."""
        return len(units)

    def judge(self) -> dict[str, float]:
        """Measures of the model on data it is not trained on, ``measure`` among them, the same in every process.

        :attr:`trained` is in training mode afterwards. Nothing is drawn from global generators.
        """
        raise NotImplementedError(f"{type(self).__name__} has no judge")

    def record(self) -> dict[str, Any]:
        """Facts of data and model for ``train.json``, JSON-plain."""
        return {}

    @abstractmethod
    def write(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Write the trained model with all that is needed to use it; the loop adds ``record`` as ``train.json``."""


def known_methods() -> list[str]:
    """The names of all methods that are part of this package."""
    return sorted(file.stem.replace("_", "-") for file in PACKAGE.joinpath(*_FOLDER.split(".")).glob("[a-z]*.py"))


def find_method(name: str) -> type[Method[Any]]:
    """The method of a name, or of ``module:class`` where it is no part of this package; else raises UserError."""
    module, _, kind = _place(name).partition(":")
    try:
        found: type[Method[Any]] = getattr(importlib.import_module(module), kind)
    except (ModuleNotFoundError, AttributeError) as error:
        raise UserError("train", "method", f"{name!r} cannot be had: {error}", "write module:class") from error
    return found


def training_code(name: str, *modules: str) -> str:
    """The digest of the code that trains by a method: the loop's, the method's, and that of further modules."""
    module = _place(name).partition(":")[0]
    package, _, inside = module.partition(".")
    if package == PACKAGE.name:
        return code_digest(_TRAINING, inside, *modules)
    find_method(name)
    return value_digest([code_digest(_TRAINING, *modules), file_digest(str(sys.modules[module].__file__))])


def _place(name: str) -> str:
    if ":" in name:
        return name
    if name not in known_methods():
        close = difflib.get_close_matches(name, known_methods(), 1, 0.5)
        todo = f"did you mean {close[0]}?" if close else f"known are {', '.join(known_methods())}"
        raise UserError("train", "method", f"{name!r} is not known", todo)
    return f"{PACKAGE.name}.{_FOLDER}.{name.replace('-', '_')}:METHOD"
