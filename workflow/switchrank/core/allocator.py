"""What glibc does with large blocks that are freed: it keeps them, or has the system take and zero every page again."""

from __future__ import annotations

import numpy as np

LARGEST_KEPT = 1 << 25
"""Bytes; larger blocks always go back to the system (glibc's ``M_MMAP_THRESHOLD`` grows up to this)."""


def keep_freed_memory() -> None:
    """From here on blocks of up to ``LARGEST_KEPT`` are kept for the next ones, in all threads.

    The limit grows to the largest block that was ever freed, so one is, and never written to. Where the C library is
    another, nothing happens.
    """
    np.empty(LARGEST_KEPT - (1 << 13), dtype=np.uint8)
