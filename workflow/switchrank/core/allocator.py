"""Whether glibc keeps large blocks that are freed, or returns them, so that the system must zero every page again."""

import ctypes
import sys
from typing import Any

LARGEST_KEPT = 1 << 25
"""Bytes; larger blocks always go back to the system: ``M_MMAP_THRESHOLD`` can be no larger."""
_MMAP_THRESHOLD, _TRIM_THRESHOLD = -3, -1
"""What glibc's ``mallopt`` calls them, in ``malloc.h``."""


def keep_freed_memory() -> None:
    """From here on freed blocks of up to ``LARGEST_KEPT`` are kept for the next ones, in all threads of this process.

    Where the C library is another than glibc, nothing changes.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_MMAP_THRESHOLD, LARGEST_KEPT)
        set_option(_TRIM_THRESHOLD, 2**31 - 1)


def swift_tokens(config: Any, device: str, itemsize: int) -> int:
    """How many tokens' widest activations are kept, of ``itemsize`` bytes a number: zeroing larger ones is a sixth of
    the time. Elsewhere than on a ``cpu`` any number; ``config`` is that of the model.
    """
    width = getattr(config, "intermediate_size", None)
    if device != "cpu" or not width:
        return sys.maxsize
    return max(1, LARGEST_KEPT // (int(width) * itemsize))
