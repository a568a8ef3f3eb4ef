"""Generated inputs: text whose words follow Zipf's law, and word vectors that lie in clusters as real ones do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def zipf_words(count: int, vocabulary: int, rng: np.random.Generator, exponent: float = 1.07) -> NDArray[np.int64]:
    """Word numbers below ``vocabulary``, number r drawn in proportion to ``(r + 2.7) ** -exponent`` (Mandelbrot)."""
    weights = (np.arange(vocabulary) + 2.7) ** -exponent
    edges = np.cumsum(weights / weights.sum())
    return np.minimum(np.searchsorted(edges, rng.random(count)), vocabulary - 1)


def spellings(vocabulary: int, rng: np.random.Generator) -> list[str]:
    """Distinct lower-case words of 2 to 12 letters; the frequent ones (small numbers) are short."""
    letters = np.frombuffer(b"etaoinshrdlucmfwypvbgkjqxz", dtype=np.uint8)
    weights = 1 / (np.arange(26) + 3)
    words: dict[str, None] = {}
    while len(words) < vocabulary:
        rank = len(words) + np.arange(vocabulary)
        lengths = np.minimum(12, 2 + (np.log2(rank + 2) * 0.45).astype(np.int64) + rng.integers(0, 4, vocabulary))
        drawn = letters[rng.choice(26, (vocabulary, 12), p=weights / weights.sum())]
        drawn[np.arange(12) >= lengths[:, None]] = 0
        words.update(dict.fromkeys(drawn.view("S12").ravel().astype(str).tolist()))
    return list(words)[:vocabulary]


def clustered_vectors(rows: int, dimensions: int, centres: Floats, noise: float, rng: np.random.Generator) -> Floats:
    """Unit vectors around centres whose sizes follow Zipf's law: hubs and near neighbours, as in word vectors."""
    cluster = zipf_words(rows, len(centres), rng, exponent=0.7)
    vectors = centres[cluster] + rng.standard_normal((rows, dimensions), dtype=np.float32) * np.float32(noise)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cluster_centres(count: int, dimensions: int, rng: np.random.Generator) -> Floats:
    """Centres that share a spectrum with a falling tail, ``(count, dimensions)``, of length near 1."""
    spectrum = (np.arange(dimensions, dtype=np.float32) + 5) ** np.float32(-0.5)
    centres = rng.standard_normal((count, dimensions), dtype=np.float32) * spectrum
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)
