"""Index arithmetic for rows of unequal length that lie end to end."""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]


def spans(starts: Numbers, lengths: Numbers) -> Numbers:
    """``starts[i] + 0, 1, ..., lengths[i] - 1`` for every i, end to end; int64, shape ``(lengths.sum(),)``."""
    steps: Numbers = np.arange(int(lengths.sum())) + np.repeat(starts - (np.cumsum(lengths) - lengths), lengths)
    return steps
