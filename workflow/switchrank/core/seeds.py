"""Seeds and draws: every purpose has its own stream, and no stream depends on how the work is split.

:func:`derive_seed` and :func:`generator` give a named stream for sequential draws. :func:`counter_uniform` is a
counter-based generator (SplitMix64 finaliser, Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195): the draw
of a row is a pure function of its coordinates, so sharding, resuming or adding a language pair changes no other draw.
"""

import hashlib

import numpy as np
from numpy.typing import ArrayLike, NDArray

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def derive_seed(seed: int, *purpose: str) -> int:
    """A 63-bit seed for one purpose: SHA-256 of the seed and the purpose's words."""
    text = "\x1f".join([str(int(seed)), *purpose])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def generator(seed: int, *purpose: str) -> np.random.Generator:
    """A NumPy generator (Philox) for one purpose."""
    return np.random.Generator(np.random.Philox(key=derive_seed(seed, *purpose)))


def _finalise(state: NDArray[np.uint64]) -> NDArray[np.uint64]:
    state = state ^ (state >> np.uint64(30))
    state *= _MIX_1
    state ^= state >> np.uint64(27)
    state *= _MIX_2
    state ^= state >> np.uint64(31)
    return state


def _advance(state: NDArray[np.uint64], coordinate: ArrayLike) -> NDArray[np.uint64]:
    return _finalise(state ^ (np.asarray(coordinate).astype(np.uint64, copy=False) + _GAMMA)) + _GAMMA


def counter_state(key: int, *coordinates: ArrayLike) -> NDArray[np.uint64]:
    """Where the draws of :func:`counter_uniform` stand after some coordinates; see :func:`uniform_after`."""
    with np.errstate(over="ignore"):
        state: NDArray[np.uint64] = np.asarray(np.uint64(key) + _GAMMA)
        for coordinate in coordinates:
            state = _advance(state, coordinate)
        return state


def uniform_after(state: NDArray[np.uint64], *coordinates: ArrayLike) -> NDArray[np.float64]:
    """Draws that continue a state: ``uniform_after(counter_state(k, a), b)`` is ``counter_uniform(k, a, b)``.

    So a coordinate that many draws share is mixed in once, and the state repeated for each of them.
    """
    with np.errstate(over="ignore"):
        for coordinate in coordinates:
            state = _advance(state, coordinate)
        return (_finalise(state) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def counter_uniform(key: int, *coordinates: ArrayLike) -> NDArray[np.float64]:
    """Uniform draws in [0, 1), float64 of the broadcast shape of ``coordinates``.

    ``key`` is a seed from :func:`derive_seed`; coordinates are integers (scalars or arrays that broadcast), such as
    instance number, side, token position.
    """
    return uniform_after(counter_state(key), *coordinates)
