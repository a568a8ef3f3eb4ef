"""Lines known by hashes of their two sides: which repeat an earlier one, and which are held out.

Two different texts share a hash of 64 bits so seldom that among a hundred million it happens once in some 3,700 times.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.text.equality import key

Hashes = NDArray[np.uint64]
Marks = NDArray[np.bool_]

_BUCKETS = 64
_MIX = np.uint64(0x9E3779B97F4A7C15)
_WAITING = 1 << 16


def text_hash(text: str) -> int:
    """64 bits of a text; texts that are equal under :func:`switchrank.text.equality.key` but for their spaces agree."""
    same = key(" ".join(text.split()))
    return int.from_bytes(blake2b(same.encode(), digest_size=8).digest(), "little")


def line_hashes(source: Hashes, target: Hashes) -> Hashes:
    """Hashes of whole lines, from those of their sides."""
    return source * _MIX + target


def are_among(values: Hashes, known: Hashes) -> Marks:
    """Whether each value is one of the ``known`` ones, which ascend."""
    if not len(known):
        return np.zeros(len(values), dtype=np.bool_)
    found: Marks = known[np.minimum(np.searchsorted(known, values), len(known) - 1)] == values
    return found


class Repeats:
    """Finds lines that are an earlier one again. Their hashes wait on disk; memory holds a part of them at a time."""

    def __init__(self, buckets: list[IO[bytes]]) -> None:
        self._buckets, self._lines = buckets, 0

    @classmethod
    @contextmanager
    def inside(cls, folder: Path) -> Iterator["Repeats"]:
        """Keep the hashes in files of a folder."""
        with ExitStack() as opened:
            yield cls([opened.enter_context((folder / f"hashes-{n}").open("w+b")) for n in range(_BUCKETS)])

    def add(self, lines: Hashes) -> None:
        """Take the hashes of the lines that come next."""
        places = np.arange(self._lines, self._lines + len(lines), dtype=np.uint64)
        self._lines += len(lines)
        bucket = lines % np.uint64(_BUCKETS)
        order = np.argsort(bucket, kind="stable")
        ends = np.searchsorted(bucket[order], np.arange(1, _BUCKETS, dtype=np.uint64))
        for file, chosen in zip(self._buckets, np.split(order, ends), strict=True):
            file.write(np.stack([lines[chosen], places[chosen]], axis=1).tobytes())

    def found(self) -> "Bits":
        """Which of all lines repeat an earlier one."""
        repeated = Bits(self._lines)
        for file in self._buckets:
            file.seek(0)
            lines, places = np.frombuffer(file.read(), dtype=np.uint64).reshape(-1, 2).T
            order = np.argsort(lines, kind="stable")
            again = np.flatnonzero(lines[order][1:] == lines[order][:-1]) + 1
            repeated.set(places[order[again]])
        return repeated


class Bits:
    """A bit for each line."""

    def __init__(self, lines: int) -> None:
        self._bytes = np.zeros(-(-lines // 8), dtype=np.uint8)

    def set(self, places: Hashes) -> None:
        """Set the bits of the lines at these places."""
        bits = np.left_shift(1, places % np.uint64(8)).astype(np.uint8)
        np.bitwise_or.at(self._bytes, (places // np.uint64(8)).astype(np.intp), bits)

    def of(self, start: int, end: int) -> Marks:
        """The bits of the lines from ``start`` to before ``end``."""
        packed = self._bytes[start // 8 : -(-end // 8)]
        return np.unpackbits(packed, bitorder="little")[start % 8 :][: end - start].astype(np.bool_)


def draw_key(seed: int) -> int:
    """The key of the draws of texts, the same in parallel text and in others: so a share holds out the same ones."""
    return derive_seed(seed, "bitext", "held out")


class HeldOut:
    """The lines whose first sides have the smallest draws.

    A draw follows from the seed and the text alone. A share takes every line whose draw is below it; a number of lines
    takes so many distinct ones, by their draw, then by the hash of their second side.
    """

    def __init__(self, wanted: float, seed: int) -> None:
        self._most = int(wanted) if wanted >= 1 else None
        self._limit = 1.0 if self._most else float(wanted)
        self._seed = draw_key(seed)
        self._waiting: list[Hashes] = []
        self._lines = np.empty((2, 0), dtype=np.uint64)

    def add(self, source: Hashes, target: Hashes) -> None:
        """Take the hashes of both sides of the lines that come next."""
        chosen = counter_uniform(self._seed, source) < self._limit
        self._waiting.append(np.stack([source[chosen], target[chosen]]))
        if self._most and sum(lines.shape[1] for lines in self._waiting) > self._most + _WAITING:
            self._choose()

    def _choose(self) -> None:
        """Keep the smallest of the lines so far, each once."""
        source, target = lines = np.concatenate([self._lines, *self._waiting], axis=1)
        draws = counter_uniform(self._seed, source)
        order = np.lexsort((source, target, draws))
        lines, draws = lines[:, order], draws[order]
        first = np.append(True, (lines[:, 1:] != lines[:, :-1]).any(axis=0))[: len(draws)]
        self._lines, self._waiting = lines[:, first][:, : self._most], []
        if self._most and self._lines.shape[1] == self._most:
            self._limit = float(np.nextafter(draws[first][self._most - 1], 1))

    def chosen(self) -> tuple[Hashes, Hashes]:
        """The hashes of both sides of the lines held out, by their draws."""
        self._choose()
        return self._lines[0], self._lines[1]
