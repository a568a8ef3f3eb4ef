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
_IN_CACHE = 1 << 14
"""Numbers that are mixed at a time, so that they stay in a core's cache."""


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


def continue_state(state: NDArray[np.uint64], coordinate: ArrayLike) -> NDArray[np.uint64]:
    """States after one more coordinate, of the broadcast shape: ``continue_state(counter_state(k, a), b)`` is
    ``counter_state(k, a, b)``."""
    with np.errstate(over="ignore"):
        return _advance(state, coordinate)


def counter_bits(states: NDArray[np.uint64], count: int) -> NDArray[np.uint16]:
    """``count`` times 16 bits after each of ``states`` ``(rows,)``; uint16 ``(rows, count)``.

    Numbers j, j + 1, j + 2 and j + 3 of a row, for j a multiple of 4, are parts of the finalised state plus j / 4 times
    the constant of SplitMix64, from the lowest.
    """
    words = -(-count // 4)
    bits = np.empty((len(states), words), "<u8")
    at_once = max(1, _IN_CACHE // max(1, words))
    with np.errstate(over="ignore"):
        steps = np.arange(words, dtype=np.uint64) * _GAMMA
        for start in range(0, len(states), at_once):
            bits[start : start + at_once] = _finalise(states[start : start + at_once, None] + steps)
    return bits.view("<u2")[:, :count]


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
