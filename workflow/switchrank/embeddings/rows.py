"""Rows on their way from a file to a store: every word once, in NFC, with a direction; the rest is counted."""

from __future__ import annotations

import unicodedata
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from switchrank.formats.vectors import VectorWriter


class RowSink:
    """Takes rows as a file has them and writes the usable ones as unit rows, at most ``limit`` of them.

    ``skipped`` counts what was left out, by reason; ``remarks`` are further things to tell the user.
    """

    def __init__(self, writer: VectorWriter, limit: int | None = None) -> None:
        self.words: set[str] = set()
        self.limit = limit
        self.skipped: Counter[str] = Counter()
        self.remarks: list[str] = []
        self._writer = writer

    @property
    def wanted(self) -> float:
        """How many more words are asked for."""
        return float("inf") if self.limit is None else self.limit - len(self.words)

    def take(self, words: list[bytes], matrix: NDArray[np.float32]) -> int:
        """Take in raw words and their rows ``(n, d)``; returns how many were kept."""
        norms = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))
        pointing = np.isfinite(norms) & (norms > 0)
        self.skipped["rows without a direction"] += int((~pointing).sum())
        kept, names = [], []
        for index in np.flatnonzero(pointing).tolist():
            if self.wanted <= 0:
                break
            word = self._admit(words[index])
            if word is not None:
                kept.append(index)
                names.append(word)
        if kept:
            self._writer.append(names, (matrix[kept] / norms[kept, None]).astype(np.float32), norms[kept])
        return len(kept)

    def notes(self) -> list[str]:
        """One line for each thing left out or odd."""
        return [f"skipped {count} {what}" for what, count in self.skipped.items() if count] + self.remarks

    def _admit(self, raw: bytes) -> str | None:
        try:
            word = unicodedata.normalize("NFC", raw.decode("utf-8"))
        except UnicodeDecodeError:
            self.skipped["words that are not UTF-8"] += 1
            return None
        if not word or word in self.words:
            self.skipped["repeated words" if word else "rows without a word"] += 1
            return None
        self.words.add(word)
        return word
