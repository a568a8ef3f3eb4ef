"""How the work of a call grows with its input, told without a limit in seconds.

A machine that is slow, or busy with other work, is so for both sizes: only their ratio is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Callable

FACTOR = 8


def _seconds(run: Callable[[int], object], size: int) -> float:
    started = time.process_time()
    run(size)
    return time.process_time() - started


def assert_no_square(run: Callable[[int], object], size: int) -> None:
    """Fail where ``run(8 * size)`` takes more than half of 8 x 8 times the processor time of ``run(size)``.

    Linear work takes 8 times as much and quadratic work 64 times; a ratio that is out of place once is measured
    again, since a short call is easily disturbed.
    """
    ratios = []
    for _ in range(3):
        small = min(_seconds(run, size) for _ in range(3))
        ratios.append(_seconds(run, FACTOR * size) / max(small, 1e-3))
        if ratios[-1] < FACTOR * FACTOR / 2:
            return
    raise AssertionError(f"{FACTOR} times the input takes {min(ratios):.0f} times the processor time")
