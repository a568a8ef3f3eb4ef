"""Made-up vectors of unit length."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float32]
SIZES = st.integers(1, 60)


def unit(seed: int, rows: int, dim: int) -> Floats:
    matrix = np.random.default_rng(seed).standard_normal((rows, dim))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)


def clustered(seed: int, rows: int, dim: int = 16) -> Floats:
    """Unit vectors around thirty centres."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((30, dim))
    matrix = centres[draw.integers(0, 30, rows)] + 0.3 * draw.standard_normal((rows, dim))
    return (matrix / np.linalg.norm(matrix, axis=1, keepdims=True)).astype(np.float32)
