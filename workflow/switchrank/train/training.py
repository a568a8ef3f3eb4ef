"""One training from outside: what it is made from, where it goes on from, over which processes it is divided.

Nothing heavy is imported at the top, so that the command's help is quick.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.core.digest import PACKAGE, value_digest
from switchrank.core.ownership import check_folder
from switchrank.train.launch import run_processes
from switchrank.train.method import Data, find_method, training_code
from switchrank.train.settings import Settings, check_dev, parse_settings


@dataclass(frozen=True)
class Task:
    """What every process of a training needs to know."""

    method: str
    data: Data
    out: str
    overwrite: bool
    checkpoints: Path
    settings: Settings
    seed: int
    record: dict[str, Any]
    inputs: dict[str, str]
    devices: list[str]


def train_model(
    data: Data,
    *,
    out: str | Path,
    settings: Mapping[str, Any],
    method: str = "cross-encoder",
    work: str | Path | None = None,
    seed: int = 1,
    record: Mapping[str, Any] | None = None,
    device: str = "cpu",
    processes: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Train one model and write its folder: what the method writes, and ``train.json``.

    Args:
        data: the files it is trained from.
        out: folder to write. Equal arguments give equal bytes, except for ``timing`` in ``train.json``.
        settings: KEY=VALUE, see below; those of the method's ``Settings``, and what is left out has its default.
        method: how it is learned, as :func:`switchrank.train.method.find_method` takes it.
        work: folder for checkpoints (default: .work beside --out). They go to a folder below it, named by a digest of
            settings, code and inputs, which is removed at the end.
        seed: of the order of units, of dropout, and of a head the start lacks.
        record: JSON-plain facts for ``train.json``, such as ``code`` (a digest) and ``name`` (title of the model card).
        device: cpu, cuda or cuda:N[,cuda:M]; exit code 75 without one
            (:func:`switchrank.core.precision.find_devices`).
        processes: that share each step, on a GPU each or with their share of the threads. Any number of them resumes a
            checkpoint. Equal numbers give equal bytes on CPU; others differ by rounding and in what dropout drops.
        overwrite: replace the folder whatever it holds.

    Returns:
        ``steps``, ``loss``, the method's measure and ``<instances>_per_second`` of the kept model; the measure is
        None where nothing is judged.

    Raises:
        UserError: bad settings or data, a loss that is not finite, another process trains this model, or ``out`` holds
            other things.
        NoGpuError: more GPUs are demanded than are visible.
        SystemExit: code 143, after SIGTERM or SIGUSR1 and saving.
    """
    from switchrank.core.precision import find_devices
    from switchrank.train import loop
    from switchrank.train.checkpoint import own_checkpoints

    check_folder(out, loop.KIND, overwrite=overwrite)
    kind = find_method(method)
    options = parse_settings(settings, kind.Settings)
    check_dev(options, given=kind.is_judged(data))
    devices = find_devices(device, processes)
    facts = dict(record or {})
    if "code" not in facts:
        package, _, reader = data.reader.__module__.partition(".") if data.reader else ("", "", "")
        facts["code"] = training_code(method, *([reader] if package == PACKAGE.name else []))
    inputs = data.digests()
    digest = value_digest([method, options.plain(), seed, devices[0].type, facts, inputs])
    checkpoints = Path(work or Path(out).parent / ".work") / digest[:32]
    places = [str(place) for place in devices]
    task = Task(method, data.plain(), str(out), overwrite, checkpoints, options, seed, facts, inputs, places)
    with own_checkpoints(checkpoints):
        if processes == 1:
            summary = loop.train(task)
        else:
            threads = options.threads_each(processes)
            summary = run_processes(loop.train_share, task, count=processes, threads=threads)
        shutil.rmtree(checkpoints, ignore_errors=True)
    return summary
