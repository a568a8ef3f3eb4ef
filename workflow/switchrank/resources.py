"""How much memory and run time a job asks a scheduler for: upper bounds, from the size of what it reads and the config.

Results never depend on these numbers. A job that is killed for asking too little is tried again with twice as much. The
constants lie above what the shipped configs were measured to need, with room for other machines and longer texts; what
does not grow with the input (libraries, buffers) stands first.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_DAY = 24 * 60
"""The longest that a job which resumes from checkpoints asks for: many partitions end there."""
_CPU_RATE = 1e10
"""Floating-point operations a second of one CPU thread, fp32, on small matrices."""
_GPU_RATE = 2e13
"""The same of one GPU of the slower kind in use."""
_BYTES_PER_PAIR = 2
"""A row of a candidate table, compressed: at least."""


@dataclass(frozen=True)
class Need:
    """What one job needs: memory in MB, run time in minutes, and the longest time it is worth to ask for."""

    mem_mb: float
    minutes: float
    longest: float = math.inf

    def asked(self, attempt: int) -> tuple[int, int]:
        """What the given attempt (from 1) asks for: whole hundreds of MB and whole minutes, twice as much each time."""
        growth = 2 ** (attempt - 1)
        return math.ceil(self.mem_mb * growth / 100) * 100, math.ceil(min(self.minutes * growth, self.longest))


def size_mb(files: Iterable[str | Path]) -> float:
    """The size of files and folders together, in MB.

    Raises:
        FileNotFoundError: one is not there (yet).
    """
    total = 0
    for file in files:
        total += os.stat(file).st_size
        if os.path.isdir(file):
            total += sum(part.stat().st_size for part in Path(file).rglob("*") if part.is_file())
    return total / 1e6


def streaming(size: float) -> Need:
    """Raw files read from beginning to end: ids are held, texts are not."""
    return Need(2000 + size, 15 + size / 30)


def whole_tables(size: float) -> Need:
    """Parquet tables held in memory, where they are several times larger than on disk."""
    return Need(2000 + 10 * size, 15 + size / 10)


def word_index(size: float) -> Need:
    """A BM25 index of texts in Parquet tables, and its search."""
    return Need(2000 + 20 * size, 15 + size / 5)


def vector_stores(size: float) -> Need:
    """Matrices of word vectors, with as many copies as an alignment makes."""
    return Need(2000 + 5 * size, 15 + size / 50)


def neighbours(size: float) -> Need:
    """Exact nearest neighbours of two vector stores of ``size`` MB together: time grows with its square."""
    return Need(2000 + 5 * size, 15 + size**2 / 2000)


def vector_training(size: float, epochs: int) -> Need:
    """fastText on ``size`` MB of text: a matrix of hashed character n-grams, then so many passes."""
    return Need(5000 + 2 * size, 15 + size * epochs / 5)


def training(
    model: float, corpus: float, *, steps: int, batch_size: int, max_length: int, threads: int, gpu: bool
) -> Need:
    """A training run, from the sizes in MB of its starting model (fp32) and its corpus.

    Memory: the weights, their gradients, two moments, the best weights so far and those being written. Time: six
    operations per parameter and token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), of full length.
    """
    minutes = 15 + _minutes(6, model, steps * batch_size * max_length, threads, gpu)
    return Need(4000 + 8 * model + 10 * corpus, minutes, longest=_DAY)


def ranking(model: float, texts: float, candidates: float, *, max_length: int, threads: int, gpu: bool) -> Need:
    """Scoring pairs with a model, from the sizes in MB of the model, the texts, and the candidates of all pairs."""
    tokens = candidates * 1e6 / _BYTES_PER_PAIR * max_length
    return Need(4000 + 3 * model + 10 * texts, 15 + _minutes(2, model, tokens, threads, gpu))


def _minutes(operations: int, model: float, tokens: float, threads: int, gpu: bool) -> float:
    """Minutes of arithmetic. At least half of a multilingual model is its word table, which costs no arithmetic."""
    parameters = model * 1e6 / 4 / 2
    return operations * parameters * tokens / (_GPU_RATE if gpu else _CPU_RATE * threads) / 60
