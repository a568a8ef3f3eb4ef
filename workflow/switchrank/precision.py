"""The arithmetic of linear layers and attention: what ``auto`` means on a device, and what memory it ran out of."""

from __future__ import annotations

import sys

import torch

PRECISIONS = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def find_precision(wanted: str, device: torch.device) -> str:
    """``auto`` resolved, with one line on standard error that says why; anything else as it is.

    bf16 where the device computes in it: GPUs since Ampere, CPUs with ``avx512_bf16`` or ``amx_bf16``. Else fp16 on a
    GPU, fp32 on a CPU.
    """
    if wanted != "auto":
        return wanted
    if device.type == "cpu":
        units = [unit for unit in ("avx512_bf16", "amx_bf16") if torch.cpu.get_capabilities().get(unit)]
        found = "bf16" if units else "fp32"
        why = f"this CPU has {' and '.join(units)}" if units else "this CPU has neither avx512_bf16 nor amx_bf16"
    else:
        found = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp16"
        why = f"this GPU {'has' if found == 'bf16' else 'lacks'} bf16"
    print(f"precision auto: {found}, since {why}", file=sys.stderr)
    return found


def is_out_of_memory(error: BaseException) -> bool:
    """Did torch fail to get memory, on a GPU or on the CPU?"""
    return isinstance(error, torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and "can't allocate memory" in str(error)
    )
