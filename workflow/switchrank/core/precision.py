"""Devices and their arithmetic: which there are, what precision ``auto`` means, and whether memory ran out."""

import sys

import torch

from switchrank.core.errors import NoGpuError, UserError

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}
_NARROW = 64
"""Below this width bf16 is no faster on a CPU."""


def find_devices(names: str, processes: int) -> list[torch.device]:
    """The device of each process: ``cpu`` or ``cuda`` for all (the first GPUs), or one for each, separated by commas.

    Raises:
        NoGpuError: there are fewer GPUs than processes that need one.
        UserError: another name, or not one for each.
    """
    if processes < 1:
        raise UserError("train settings", "processes", f"{processes} is not a whole number of at least 1", "write one")
    given = names.split(",")
    if len(given) == 1 and processes > 1:
        given = [f"cuda:{number}" for number in range(processes)] if names == "cuda" else given * processes
    places = [_device(name) for name in given]
    gpus = [place for place in places if place.type == "cuda"]
    if len(places) != processes or len({str(place) for place in gpus}) != len(gpus) or 0 < len(gpus) < processes:
        problem = f"not a device of its own for each of {processes} processes"
        raise UserError("device", names, problem, "write cpu, cuda, or as many as there are processes")
    visible = torch.cuda.device_count() if gpus else 0
    if any((place.index or 0) >= visible for place in gpus):
        what = f"{processes} processes need a GPU each" if processes > 1 else "there is no such GPU"
        problem = f"{what}, and {visible} are visible"
        raise NoGpuError("device", names, problem, "ask for fewer, or run where there are as many")
    return places


def _device(name: str) -> torch.device:
    if name.split(":")[0] not in {"cpu", "cuda"}:
        raise UserError("device", name, "unknown device", "write cpu or cuda")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise NoGpuError("device", name, "no GPU is visible", "run on a machine with one, or set the GPU resource to 0")
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise UserError("device", name, "unknown device", "write cpu, cuda or cuda:N") from error


def find_precision(wanted: str, device: torch.device, width: int | None = None) -> str:
    """``auto`` resolved, with one line on standard error that says why; anything else as it is.

    ``auto`` is what computes faster: bf16 on GPUs since Ampere, and on CPUs with ``avx512_bf16`` or ``amx_bf16`` for
    models (``width``: the size of their hidden states) that are wide enough, by the measurements in docs/benchmarks.md;
    else fp16 on a GPU, fp32 on a CPU. bf16 that was asked for and has to be emulated is said too.
    """
    if wanted not in ("auto", "bf16"):
        return wanted
    able, why = has_bf16(device)
    if wanted == "bf16":
        if not able:
            print(f"precision bf16: slow, since {why}: write auto or fp32", file=sys.stderr)
        return wanted
    found = "bf16" if able else "fp32" if device.type == "cpu" else "fp16"
    if found == "bf16" and device.type == "cpu" and width is not None and width < _NARROW:
        found, why = "fp32", f"a model of width {width} gains nothing from bf16"
    print(f"precision auto: {found}, since {why}", file=sys.stderr)
    return found


def has_bf16(device: torch.device) -> tuple[bool, str]:
    """Does a device compute in bf16, and the words that say so?"""
    if device.type == "cpu":
        able = torch.cpu.get_capabilities()
        units = [unit for unit in ("avx512_bf16", "amx_bf16") if able.get(unit)]
        return bool(units), f"this CPU has {' and '.join(units) or 'neither avx512_bf16 nor amx_bf16'}"
    able_gpu = torch.cuda.is_bf16_supported(including_emulation=False)
    return able_gpu, f"this GPU {'has' if able_gpu else 'lacks'} bf16"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch failed to get memory, on a GPU or on the CPU."""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
