"""Whether glibc keeps large blocks that are freed, or returns them, so that the system must zero every page again."""

import sys
from typing import Any

import numpy as np

LARGEST_KEPT = 1 << 25
"""Bytes; larger blocks always go back to the system (glibc's ``M_MMAP_THRESHOLD`` grows up to this)."""


def keep_freed_memory() -> None:
    """From here on freed blocks of up to ``LARGEST_KEPT`` are kept for the next ones, in all threads.

    glibc's limit grows to the largest block ever freed, so one is freed here, without having been written to.
    """
    np.empty(LARGEST_KEPT - (1 << 13), dtype=np.uint8)


def swift_tokens(config: Any, device: str, itemsize: int) -> int:
    """How many tokens' widest activations are kept, of ``itemsize`` bytes a number: zeroing larger ones is a sixth of
    the time. Elsewhere than on a ``cpu`` any number; ``config`` is that of the model.
    """
    width = getattr(config, "intermediate_size", None)
    if device != "cpu" or not width:
        return sys.maxsize
    return max(1, LARGEST_KEPT // (int(width) * itemsize))
