"""Checkpoints that a killed training resumes from: whole or not there, checked on load, the last two kept.

A checkpoint is a folder ``step-<n>`` of safetensors and JSON (never pickle): weights, optimiser moments, generator
states of Python, NumPy, torch and CUDA, and the caller's own state. Its ``COMPLETE`` marker, written last, holds the
SHA-256 of every other file; a checkpoint that does not match it is passed over for the one before.
"""

import json
import random
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.locks import hold_folder
from switchrank.train.optimiser import AdamW, parameters_of

KEPT = 2
Tensors = dict[str, torch.Tensor]


def random_states() -> tuple[dict[str, Any], Tensors]:
    """The generator states of Python and NumPy (JSON-plain) and of torch and every CUDA device (uint8 tensors)."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    plain = {"python": random.getstate(), "numpy": [name, np.asarray(keys).tolist(), *rest]}
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"cuda.{number}": state for number, state in enumerate(torch.cuda.get_rng_state_all())}
    return plain, tensors


def restore_random_states(plain: dict[str, Any], tensors: Tensors) -> None:
    version, words, gauss = plain["python"]
    random.setstate((version, tuple(words), gauss))
    np.random.set_state(tuple(plain["numpy"]))  # noqa: NPY002
    torch.set_rng_state(tensors["torch"])
    devices = range(min(len(tensors) - 1, torch.cuda.device_count()))
    torch.cuda.set_rng_state_all([tensors[f"cuda.{number}"] for number in devices])


def state_of(module: torch.nn.Module) -> Tensors:
    """Parameters that are not frozen and persistent buffers by name, not copied; one with several names comes under the
    first."""
    trained = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    first = trained | {name for name, _ in module.named_buffers()}
    return {name: tensor.detach() for name, tensor in module.state_dict().items() if name in first}


def optimiser_tensors(optimiser: AdamW) -> Tensors:
    """Moments and step counts of an optimiser, named ``<parameter number>.<what>``."""
    states = [(number, optimiser.state.get(one, {})) for number, one in enumerate(parameters_of(optimiser))]
    return {f"{number}.{what}": value for number, state in states for what, value in state.items()}


def restore_optimiser(optimiser: AdamW, tensors: Tensors) -> None:
    """Put back moments and step counts; groups and their options stay as they are."""
    parameters = parameters_of(optimiser)
    for name, value in tensors.items():
        number, _, what = name.partition(".")
        parameter = parameters[int(number)]
        optimiser.state.setdefault(parameter, {})[what] = value.to(parameter.device)


@contextmanager
def own_checkpoints(work: Path) -> Iterator[None]:
    """Keep other processes from these checkpoints inside the block: a killed Snakemake may leave jobs running.

    Raises UserError where one trains from them already. The folder and the one around it are removed if empty.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(work, "", f"cannot be made ({error.strerror})", "make its folder writable") from error
    with hold_folder(work) as held:
        if held is False:
            raise UserError(work, "", "another process trains this model", "wait until it ends, or end it")
        try:
            yield
        finally:
            for folder in (work, work.parent):
                with suppress(OSError):
                    folder.rmdir()


def save_checkpoint(work: Path, step: int, tensors: dict[str, Tensors], state: dict[str, Any]) -> None:
    """Write ``work/step-<n>`` after n steps and remove all but the last two.

    ``tensors`` go to a file for each name; ``state`` is JSON-plain.
    """
    plain, states = random_states()
    with atomic_folder(work / f"step-{step:09d}", None) as folder:
        for name, values in {**tensors, "random": states}.items():
            contiguous = {key: value.detach().contiguous().cpu() for key, value in values.items()}
            save_file(contiguous, folder / f"{name}.safetensors")
        (folder / "state.json").write_text(json.dumps({"step": step, "random": plain, **state}), encoding="utf-8")
        digests = {file.name: file_digest(file) for file in sorted(folder.iterdir())}
        (folder / "COMPLETE").write_text(json.dumps(digests), encoding="utf-8")
    for old in sorted(work.glob("step-*"))[:-KEPT]:
        shutil.rmtree(old)


def load_checkpoint(work: Path) -> tuple[dict[str, Tensors], dict[str, Any]] | None:
    """The latest whole checkpoint (tensors, state), generator states put back; damaged ones go to standard error."""
    for folder in sorted(work.glob("step-*"), reverse=True):
        if not _whole(folder):
            print(f"{folder}: checkpoint is damaged, going back to the one before", file=sys.stderr)
            continue
        tensors = {file.stem: load_file(file) for file in sorted(folder.glob("*.safetensors"))}
        state = json.loads((folder / "state.json").read_text(encoding="utf-8"))
        restore_random_states(state.pop("random"), tensors.pop("random"))
        return tensors, state
    return None


def _whole(folder: Path) -> bool:
    try:
        digests = json.loads((folder / "COMPLETE").read_text(encoding="utf-8"))
        return all(file_digest(folder / name) == digest for name, digest in digests.items())
    except (OSError, ValueError, AttributeError):
        return False
