"""A token table in memory, and the words of some of its texts laid end to end for array work."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.corpus.pieces import PieceTable
from switchrank.corpus.tokens import TOKEN_FILES
from switchrank.formats.tables import KEYS, PIECES, TOKENS, read_table

Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Words:
    """The pieces of some texts laid end to end, and where their words are.

    ``pieces`` (uint32) are all pieces and ``pieces_per_text`` how many belong to each text. The other arrays have one
    entry per word: ``at`` is its place in ``pieces``, ``key`` the number of its look-up key, ``text`` the text it is
    in, ``position`` its number in that text, ``joined`` whether white space alone parts it from the word before.
    """

    pieces: NDArray[np.uint32]
    pieces_per_text: Numbers
    at: Numbers
    key: Numbers
    text: Numbers
    position: Numbers
    joined: NDArray[np.bool_]


class TokenTable:
    """Texts as pieces.

    Args:
        tokens, pieces, keys: the tables ``TOKENS``, ``PIECES`` and ``KEYS``.

    Attributes:
        ids: the texts' ids, column ``id``, with their numbers, column ``number`` (int64).
        strings: the pieces' strings.
        keys: the look-up keys.
        words_per_text: int64, one entry per text.
    """

    def __init__(self, tokens: pl.DataFrame, pieces: pl.DataFrame, keys: pl.DataFrame) -> None:
        self.ids = tokens.select("id").with_row_index("number").cast({"number": pl.Int64})
        self.strings = pieces["piece"]
        self.keys = keys["key"]
        self.words_per_text = tokens["pieces"].list.len().cast(pl.Int64).to_numpy() // 2
        self._tokens = tokens["pieces"]
        self._key_of_piece = pieces["key"].cast(pl.Int64).fill_null(-1).to_numpy()
        blank = [not is_word and text.isspace() for text, is_word in zip(self.strings, pieces["word"], strict=True)]
        self._is_white_space = np.array(blank, dtype=bool)

    @classmethod
    def load(cls, folder: str | Path) -> TokenTable:
        """Read a folder of :func:`switchrank.corpus.tokens.build_tokens`.

        Raises:
            UserError: a file is missing or not of its schema.
        """
        tokens, pieces, keys = (Path(folder) / name for name in TOKEN_FILES)
        return cls(read_table(tokens, TOKENS), read_table(pieces, PIECES), read_table(keys, KEYS))

    @classmethod
    def of(cls, texts: list[str]) -> TokenTable:
        """A table of texts at hand; their ids are their numbers."""
        table = PieceTable()
        pieces = [table.encode(text) for text in texts]
        tokens = pl.DataFrame({"id": [str(number) for number in range(len(texts))], "pieces": pieces}, schema=TOKENS)
        return cls(tokens, *table.tables())

    def words(self, texts: Numbers) -> Words:
        """The words of the texts with these numbers (repeats allowed), in this order."""
        chosen = self._tokens.gather(texts)
        pieces = chosen.explode().to_numpy() if len(texts) else np.empty(0, dtype=np.uint32)
        per_text = self.words_per_text[texts]
        text = np.repeat(np.arange(len(texts)), per_text)
        number = np.arange(len(text))
        at = 2 * number + 1 + text  # each text is gap, word, gap, ..., gap: one piece more than twice its words
        position = number - np.repeat(np.cumsum(per_text) - per_text, per_text)
        joined = self._is_white_space[pieces[at - 1]] & (position > 0)
        return Words(pieces, 2 * per_text + 1, at, self._key_of_piece[pieces[at]], text, position, joined)


def join_pieces(strings: pl.Series, pieces: NDArray[np.uint32], pieces_per_text: Numbers) -> pl.Series:
    """The texts whose pieces are laid end to end in ``pieces``; a String series, one entry per text."""
    text = pl.Series("text", np.repeat(np.arange(len(pieces_per_text), dtype=np.uint32), pieces_per_text)).set_sorted()
    laid_out = pl.DataFrame({"text": text, "piece": strings.gather(pieces)})
    return laid_out.group_by("text", maintain_order=True).agg("piece")["piece"].list.join("")
