"""How much of a corpus was switched: words and content words, per side and per language that words came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from switchrank.corpus.table import Numbers


@dataclass
class SideCounts:
    """Running counts of one side.

    Args:
        languages: the languages that words may come from.
    """

    languages: tuple[str, ...]
    texts: int = 0
    tokens: int = 0
    content_tokens: int = 0
    switched: Numbers = field(init=False)
    content_switched: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.switched = np.zeros(len(self.languages), dtype=np.int64)
        self.content_switched = np.zeros(len(self.languages), dtype=np.int64)

    def add(self, texts: int, content: NDArray[np.bool_], language: NDArray[np.int8]) -> None:
        """Count some texts.

        Args:
            texts: how many.
            content: per word, whether it is a content word.
            language: per word, the number of the language it was switched to, -1 if it stayed.
        """
        self.texts += texts
        self.tokens += len(content)
        self.content_tokens += int(content.sum())
        switched = language >= 0
        size = len(self.languages)
        self.switched += np.bincount(language[switched], minlength=size)
        self.content_switched += np.bincount(language[switched & content], minlength=size)

    def report(self) -> dict[str, Any]:
        """Plain numbers: totals, and ``languages`` with ``switched`` and ``content_switched`` of each."""
        pairs = zip(self.languages, self.switched.tolist(), self.content_switched.tolist(), strict=True)
        return {
            "texts": self.texts,
            "tokens": self.tokens,
            "switched": int(self.switched.sum()),
            "content_tokens": self.content_tokens,
            "content_switched": int(self.content_switched.sum()),
            "languages": {name: {"switched": all_, "content_switched": content} for name, all_, content in pairs},
        }
