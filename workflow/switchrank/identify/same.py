"""What comes again among very many rows, in little memory."""

from __future__ import annotations

from array import array
from collections.abc import Hashable

import numpy as np

MOST = 20_000_000
"""Rows whose identities are compared; 16 bytes each."""


class Identities:
    """Finds what occurs twice among very many short values: 64-bit hashes, sorted at the end."""

    def __init__(self) -> None:
        self._hashes, self._numbers = array("q"), array("q")
        self._unit = "line"

    def add(self, identity: Hashable, place: str) -> None:
        """One more at a place such as ``line 7``; beyond the limit it is passed over."""
        if len(self._hashes) < MOST:
            self._unit, _, number = place.partition(" ")
            self._hashes.append(hash(identity))
            self._numbers.append(int(number) if number.isdecimal() else len(self._hashes))

    def repeats(self) -> tuple[int, list[str]]:
        """How many occurred before, and the places of the first of such."""
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        if not len(hashes):
            return 0, []
        order = np.argsort(hashes, kind="stable")
        again = np.sort(order[1:][hashes[order][1:] == hashes[order][:-1]])
        return len(again), [f"{self._unit} {self._numbers[row]}" for row in again[:3].tolist()]
