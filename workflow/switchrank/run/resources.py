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

from switchrank.run.plan.shape import read_shape

SEARCH_THREADS = 4
"""CPU threads that a search for nearest neighbours asks for."""
_DAY = 24 * 60
"""Many partitions end there."""
_SMALL_MB = 100
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
        total += os.stat(os.fspath(file)).st_size
        if os.path.isdir(file):
            total += sum(part.stat().st_size for part in Path(file).rglob("*") if part.is_file())
    return total / 1e6


def are_small(files: Iterable[str | Path]) -> bool:
    """Whether files are together so small that what is made of them takes seconds; a file that is not there is not."""
    try:
        return size_mb(files) < _SMALL_MB
    except OSError:
        return False


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


def starting_model(size: float) -> Need:
    """A model that is made, fetched or changed: torch, and a few copies of weights, vectors and lexicons."""
    return Need(4000 + 10 * size, 15 + size / 50)


def operations_per_second(threads: int, gpus: int) -> float:
    """Floating-point operations a second on small matrices: of GPUs of the slower kind, or else of CPU threads."""
    return 2e13 * gpus if gpus else 1e10 * threads


def layer_weights(model: Iterable[str | Path]) -> float:
    """How many weights every token is multiplied with: those of the layers, without the word table.

    Args:
        model: the files of a model; its ``config.json`` tells. Where there is none that can be read or none of a known
            kind, half of all weights (fp32) are taken: a multilingual model has at least as many in its word table.

    Raises:
        FileNotFoundError: a file is not there (yet).
    """
    files = [Path(file) for file in model]
    size = size_mb(files)
    shape = next((read_shape(file) for file in files if file.name == "config.json"), None)
    return shape.body if shape else size * 1e6 / 4 / 2


def training(
    model: float,
    weights: float,
    corpus: float,
    *,
    steps: int,
    batch_size: int,
    max_length: int,
    rate: float,
    processes: int = 1,
    switched: float = 0.0,
) -> Need:
    """A training run.

    Memory, in each process: the weights, their gradients, two moments, the best weights so far and those being
    written. Time: six
    operations per weight and token (Kaplan et al. 2020, arXiv 2001.08361, section 2.1), every text of full length.

    Args:
        model: size of the starting model in MB (fp32).
        weights: see :func:`layer_weights`.
        corpus: size of the training table in MB.
        steps: optimiser steps, of ``batch_size`` instances of at most ``max_length`` tokens.
        batch_size: see ``steps``.
        max_length: see ``steps``.
        rate: see :func:`operations_per_second`; of all processes together.
        processes: how many share the work.
        switched: size in MB of the tables that a corpus is switched from on the fly; their texts stay on disk.
    """
    minutes = 15 + 6 * weights * steps * batch_size * max_length / rate / 60
    memory = 4000 + 8 * model + 10 * corpus + 4 * switched
    return Need(processes * memory, minutes, longest=_DAY)


def ranking(model: float, weights: float, texts: float, candidates: float, *, max_length: int, rate: float) -> Need:
    """Scoring pairs with a model: two operations per weight and token. At first for a day at most, as texts are mostly
    shorter than they may be.

    Args:
        model: size of the model in MB (fp32).
        weights: see :func:`layer_weights`.
        texts: size of queries, documents and candidates in MB.
        candidates: size of the candidate tables in MB, each as often as it is scored.
        max_length: tokens of a query and a document together, at most.
        rate: see :func:`operations_per_second`.
    """
    tokens = candidates * 1e6 / _BYTES_PER_PAIR * max_length
    minutes = 15 + 2 * weights * tokens / rate / 60
    return Need(4000 + 3 * model + 10 * texts, min(minutes, _DAY))
