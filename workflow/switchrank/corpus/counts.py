"""How much of a corpus was switched, and could have been: words and content words, per side and language."""

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
    covered: Numbers = field(init=False)

    def __post_init__(self) -> None:
        self.switched = np.zeros(len(self.languages), dtype=np.int64)
        self.content_switched = np.zeros(len(self.languages), dtype=np.int64)
        self.covered = np.zeros(len(self.languages), dtype=np.int64)

    def add(
        self, texts: int, content: NDArray[np.bool_], language: NDArray[np.int8], known: list[NDArray[np.bool_]]
    ) -> None:
        """Count some texts.

        Args:
            texts: how many.
            content: per word, whether it is a content word.
            language: per word, the number of the language it was switched to, -1 if it stayed.
            known: for each language, per word, whether its lexicon translates the word by itself.
        """
        self.texts += texts
        self.tokens += len(content)
        self.content_tokens += int(content.sum())
        switched = language >= 0
        size = len(self.languages)
        self.switched += np.bincount(language[switched], minlength=size)
        self.content_switched += np.bincount(language[switched & content], minlength=size)
        self.covered += np.array([int((words & content).sum()) for words in known], dtype=np.int64)

    def report(self) -> dict[str, Any]:
        """Plain numbers: totals, and ``languages`` with ``switched``, ``content_switched`` and ``covered`` of each.

        ``covered`` are the content words that the lexicon of the language translates, switched or not.
        """
        counts = zip(self.switched.tolist(), self.content_switched.tolist(), self.covered.tolist(), strict=True)
        names = ("switched", "content_switched", "covered")
        return {
            "texts": self.texts,
            "tokens": self.tokens,
            "switched": int(self.switched.sum()),
            "content_tokens": self.content_tokens,
            "content_switched": int(self.content_switched.sum()),
            "languages": {
                language: dict(zip(names, numbers, strict=True))
                for language, numbers in zip(self.languages, counts, strict=True)
            },
        }
