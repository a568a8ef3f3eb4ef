"""Columns handed between Polars, NumPy and Arrow without a copy.

Arrow's own conversions (``pyarrow.array``, ``Array.to_numpy``) load pandas when first called, which takes longer than
switching a small corpus; buffers need nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray


def arrow_strings(strings: pl.Series) -> pa.LargeStringArray:
    """Strings end to end in one buffer, to be gathered from."""
    return strings.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())


def arrow_numbers(numbers: NDArray[Any]) -> pa.Array:
    """Whole numbers as an Arrow array over the same memory."""
    buffer = pa.py_buffer(np.ascontiguousarray(numbers))
    return pa.Array.from_buffers(pa.from_numpy_dtype(numbers.dtype), len(numbers), [None, buffer])


def numpy_numbers(numbers: pa.Array) -> NDArray[Any]:
    """Whole numbers without nulls as a NumPy array over the same memory, not to be written to."""
    values: NDArray[Any] = np.frombuffer(numbers.buffers()[1], dtype=numbers.type.to_pandas_dtype())
    return values[numbers.offset : numbers.offset + len(numbers)]
