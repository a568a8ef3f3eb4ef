"""A token table in use: words of its texts laid end to end for array work, and what a lexicon can replace in them."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from switchrank.core.ragged import Numbers
from switchrank.formats.streams import count_rows, read_slices
from switchrank.formats.tables import KEYS, LEXICON, PIECES, TOKENS, read_table, scan_table
from switchrank.switching.pieces import TOKEN_FILES, PieceTable, arrow_numbers, arrow_strings, encoded

_PIECE_BYTES = 4
_KEPT = 1 << 28
"""Bytes of a file that may stay resident; a larger one is read a window at a time, whose pages are then let go."""
_WINDOW = 1 << 27


class PieceStore:
    """Rows of piece numbers (uint32) end to end, in memory or in a file that is mapped and not kept in memory.

    To Arrow a row is a string of bytes, to be gathered like any other.
    """

    def __init__(self, pieces: NDArray[np.uint32] | mmap.mmap, lengths: Numbers) -> None:
        self.lengths = lengths
        self._map = pieces if isinstance(pieces, mmap.mmap) and len(pieces) > _KEPT else None
        self._bounds = np.concatenate([[0], np.cumsum(lengths * _PIECE_BYTES)])
        buffers = [None, pa.py_buffer(self._bounds), pa.py_buffer(pieces)]
        self._rows = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(lengths), buffers)

    @classmethod
    def in_file(cls, blocks: Iterable[pl.Series], folder: Path) -> PieceStore:
        """Rows that come in blocks (lists of uint32), laid down in a file without a name in ``folder``."""
        lengths = [np.empty(0, dtype=np.int64)]
        with tempfile.TemporaryFile(dir=folder) as file:
            for block in blocks:
                lengths.append(block.list.len().cast(pl.Int64).to_numpy())
                file.write(np.ascontiguousarray(block.explode().to_numpy()).data)
            file.flush()
            if not file.tell():
                return cls(np.empty(0, dtype=np.uint32), np.concatenate(lengths))
            return cls(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.concatenate(lengths))

    def take(self, rows: Numbers) -> NDArray[np.uint32]:
        """A copy of the rows with these numbers (repeats allowed), end to end."""
        if self._map is None or not hasattr(mmap, "MADV_DONTNEED"):
            return self._gather(rows)
        order = np.argsort(rows, kind="stable")
        rising = rows[order]
        parts = [np.empty(0, dtype=np.uint32)]
        for some in np.split(rising, np.flatnonzero(np.diff(self._bounds[rising] // _WINDOW)) + 1):
            parts.append(self._gather(some))
            self._map.madvise(mmap.MADV_DONTNEED)
        back = np.empty_like(order)
        back[order] = np.arange(len(order))
        return PieceStore(np.concatenate(parts), self.lengths[rising])._gather(back)

    def _gather(self, rows: Numbers) -> NDArray[np.uint32]:
        data = self._rows.take(arrow_numbers(rows)).buffers()[2]
        return np.frombuffer(data, dtype=np.uint32, count=int(self.lengths[rows].sum())).copy()


@dataclass(frozen=True)
class Words:
    """The pieces of some texts laid end to end, and where their words are.

    ``pieces`` (uint32) are all pieces and ``per_text`` how many words each text has. The other arrays have one entry
    per word: ``at`` is its place in ``pieces``, ``key`` the number of its look-up key, ``text`` the text it is in,
    ``position`` its number in that text, ``joined`` whether only white space separates it from the word before.
    """

    pieces: NDArray[np.uint32]
    per_text: Numbers
    at: Numbers
    key: Numbers
    text: Numbers
    position: Numbers
    is_white_space: NDArray[np.bool_]

    @cached_property
    def joined(self) -> NDArray[np.bool_]:
        return self.is_white_space[self.pieces[self.at - 1]] & (self.position > 0)


class TokenTable:
    """Texts as pieces, from the tables ``PIECES`` and ``KEYS``.

    Attributes:
        ids: the texts' ids, column ``id``, with their numbers, column ``number`` (int64).
        strings, keys: the pieces' strings, and the look-up keys.
        key_of_piece: int64, the number of each piece's key, -1 for a gap.
        words_per_text: int64, one entry per text.
        nothing: int64, the number of the gap without a character, where there is one.
    """

    def __init__(self, ids: pl.Series, store: PieceStore, pieces: pl.DataFrame, keys: pl.DataFrame) -> None:
        self.ids = pl.DataFrame({"number": np.arange(len(ids)), "id": ids})
        self.strings = arrow_strings(pieces["piece"])
        self.keys = keys["key"]
        self.words_per_text = store.lengths // 2
        self.key_of_piece: Numbers = pieces["key"].cast(pl.Int64).fill_null(-1).to_numpy()
        self._store = store
        self._is_white_space = np.fromiter(map(str.isspace, pieces["piece"]), dtype=bool, count=pieces.height)
        self.nothing: Numbers = np.flatnonzero((pieces["piece"] == "").to_numpy())

    @classmethod
    def load(cls, folder: str | Path, scratch: Path, threads: int = 1) -> TokenTable:
        """Open a folder of :func:`switchrank.corpus.tokens.build_tokens`; UserError where a file is not of its schema.

        Pieces go to a nameless file in the folder ``scratch``: memory does not grow with the length of the texts.
        """
        tokens, pieces, keys = (Path(folder) / name for name in TOKEN_FILES)
        frame = scan_table(tokens, TOKENS)
        blocks = read_slices(frame.select("pieces"), 0, count_rows(frame), threads=threads)
        store = PieceStore.in_file((block["pieces"] for block in blocks), scratch)
        ids = frame.select("id").collect()["id"]
        return cls(ids, store, read_table(pieces, PIECES), read_table(keys, KEYS))

    @classmethod
    def of(cls, texts: Sequence[str] | pl.Series, table: PieceTable, what: str | None = None) -> TokenTable:
        """A table of texts at hand, cut by ``table``; ids are their numbers, ``what`` names a progress bar."""
        frame = pl.DataFrame({"text": texts}, schema={"text": pl.String})
        none = pl.Series(dtype=pl.List(pl.UInt32))
        pieces = pl.concat([none, *(rows for _, rows in encoded(table, [frame], len(frame), what))])
        store = PieceStore(pieces.explode().to_numpy(), pieces.list.len().cast(pl.Int64).to_numpy())
        return cls(pl.int_range(len(frame), eager=True).cast(pl.String), store, *table.tables())

    def words(self, texts: Numbers, key_of_piece: Numbers | None = None) -> Words:
        """The words of the texts with these numbers (repeats allowed), in this order.

        Their keys are numbered as in the table, or by ``key_of_piece``.
        """
        pieces = self._store.take(texts)
        per_text = self.words_per_text[texts]
        text = np.repeat(np.arange(len(texts)), per_text)
        number = np.arange(len(text))
        at = 2 * number  # each text is gap, word, gap, ..., gap: one piece more than twice its words
        at += 1
        at += text
        number -= np.repeat(np.cumsum(per_text) - per_text, per_text)
        key = (self.key_of_piece if key_of_piece is None else key_of_piece)[pieces[at]]
        return Words(pieces, per_text, at, key, text, number, self._is_white_space)


def join_pieces(strings: pa.LargeStringArray, pieces: NDArray[np.uint32], pieces_per_text: Numbers) -> pl.Series:
    """The texts whose pieces are laid end to end in ``pieces``; a String series, one entry per text.

    Arrow lays gathered strings end to end, so a text's pieces are its bytes, and only the bounds have to be found.
    """
    taken = strings.take(arrow_numbers(pieces))
    _, bounds, data = taken.buffers()
    ends = np.concatenate([[0], np.cumsum(pieces_per_text)])
    starts = np.frombuffer(bounds, dtype=np.int64)[ends + taken.offset]
    texts = pa.LargeStringArray.from_buffers(len(pieces_per_text), pa.py_buffer(starts), data)
    return pl.Series("text", pl.from_arrow(texts), dtype=pl.String)


@dataclass(frozen=True)
class Units:
    """What a lexicon can replace in a text: ``length`` words from word ``start`` on, by one of ``choices`` targets.

    ``target`` is the number of the best target; the others follow it. All arrays are int64, one entry per unit.
    """

    start: Numbers
    length: Numbers
    target: Numbers
    choices: Numbers

    def take(self, which: Numbers | NDArray[np.bool_]) -> Units:
        """Some of the units, by number or by mask."""
        return Units(self.start[which], self.length[which], self.target[which], self.choices[which])

    @staticmethod
    def concatenate(parts: list[Units]) -> Units:
        """The units of all parts, one part after the other."""
        fields = ([part.start, part.length, part.target, part.choices] for part in parts)
        return Units(*(np.concatenate(field) for field in zip(*fields, strict=True)))


@dataclass(frozen=True)
class _Level:
    """Prefixes of one length: packed (shorter prefix, key), ascending, and the entry each one is (0 choices: none)."""

    packed: Numbers
    target: Numbers
    choices: Numbers


def read_sources(path: str | Path, translations: int) -> pl.DataFrame:
    """The sources of a lexicon (``LEXICON``), ascending, with ``words`` and the best ``targets``, else UserError."""
    rows = read_table(path, LEXICON).filter(pl.col("rank") <= translations).sort("source", "rank")
    sources = rows.group_by("source", maintain_order=True).agg(pl.col("target").alias("targets"))
    return sources.with_columns(words=pl.col("source").str.split(" "))


class Lexicon:
    """The translations into one language of the words of one token table, which are numbered by look-up ``keys``.

    Single words, save those ``left_out``, are looked up in an array. Sources of several words are a prefix tree with
    one sorted array per level: the entry ``(prefix, next key)``, packed into one integer, is found by binary search,
    for a block's words at once.

    Attributes:
        targets: the targets' strings; :class:`Units` number them.
        covered: how many keys are a source or part of one.
        target, choices: int64, per key that is a source by itself: the number of its best target, and how many follow
            each other from there; -1 and 0 for other keys.
        has_phrases: whether a source has several words.
    """

    def __init__(self, sources: pl.DataFrame, keys: pl.Series, left_out: Collection[str]) -> None:
        self._size = len(keys)
        singles, phrases = _keyed(sources, keys)
        targets = pl.concat([singles["targets"], phrases["targets"]])
        self.targets = targets.explode() if len(targets) else pl.Series(dtype=pl.String)
        choices = targets.list.len().cast(pl.Int64).to_numpy()
        target = np.cumsum(choices) - choices
        key = singles["key"].to_numpy()
        self.covered = int(pl.concat([singles["key"], phrases["keys"].explode()]).drop_nulls().n_unique())
        kept = ~singles["source"].is_in(list(left_out)).to_numpy()
        self.target, self.choices = np.full(self._size, -1), np.zeros(self._size, dtype=np.int64)
        self.target[key[kept]] = target[: len(key)][kept]
        self.choices[key[kept]] = choices[: len(key)][kept]
        words = phrases["keys"].list.len().cast(pl.Int64).to_numpy()
        self._levels = _levels(phrases["keys"].to_list(), words, target[len(key) :], choices[len(key) :], self._size)
        self.has_phrases = bool(self._levels)

    def units(self, words: Words, eligible: Numbers) -> Units:
        """What can be replaced: phrases first, the longest first and of equal ones the first, then single words.

        Units start at the words with the numbers ``eligible``, ascending.
        """
        single = eligible[self.choices[words.key[eligible]] > 0]
        key = words.key[single]
        singles = Units(single, np.ones_like(single), self.target[key], self.choices[key])
        if not self.has_phrases:
            return singles
        return without_overlaps(Units.concatenate([*self._phrases(words, eligible), singles]), len(words.key))

    def _phrases(self, words: Words, eligible: Numbers) -> list[Units]:
        found = []
        start, prefix = eligible, words.key[eligible]
        for number, level in enumerate(self._levels, start=1):
            following = start + number
            inside = following < len(words.key)
            inside[inside] = words.joined[following[inside]]
            start, following, prefix = start[inside], following[inside], prefix[inside]
            packed = prefix * self._size + words.key[following]
            at = np.minimum(np.searchsorted(level.packed, packed), len(level.packed) - 1)
            known = level.packed[at] == packed
            start, prefix = start[known], at[known]
            phrases = Units(start, np.full_like(start, number + 1), level.target[prefix], level.choices[prefix])
            found.append(phrases.take(phrases.choices > 0))
        return found


def _keyed(sources: pl.DataFrame, keys: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Sources whose words are all among the keys: those of one word with ``key``, those of several with ``keys``."""
    numbers = pl.DataFrame({"word": keys, "key": np.arange(len(keys))})
    single = pl.col("words").list.len() == 1
    singles = sources.filter(single).join(
        numbers, left_on="source", right_on="word", how="inner", maintain_order="left"
    )
    phrases = (
        sources.filter(~single)
        .with_row_index("entry")
        .explode("words")
        .join(numbers, left_on="words", right_on="word", how="left", maintain_order="left")
        .group_by("entry", maintain_order=True)
        .agg(pl.col("key").alias("keys"), pl.col("targets").first())
    )
    known = pl.col("keys").list.eval(pl.element().is_not_null()).list.all()
    return singles, phrases.filter(known)


def _levels(keys: list[list[int]], words: Numbers, target: Numbers, choices: Numbers, size: int) -> list[_Level]:
    phrases = np.flatnonzero(words > 1)
    prefix = np.array([keys[phrase][0] for phrase in phrases], dtype=np.int64)
    levels = []
    for number in range(1, int(words.max(initial=0))):
        longer = words[phrases] > number
        phrases, prefix = phrases[longer], prefix[longer]
        packed = prefix * size + np.array([keys[phrase][number] for phrase in phrases], dtype=np.int64)
        distinct, prefix = np.unique(packed, return_inverse=True)
        complete = words[phrases] == number + 1
        level = _Level(distinct, np.full(len(distinct), -1), np.zeros(len(distinct), dtype=np.int64))
        level.target[prefix[complete]] = target[phrases[complete]]
        level.choices[prefix[complete]] = choices[phrases[complete]]
        levels.append(level)
    return levels


def without_overlaps(units: Units, words: int) -> Units:
    """The units that remain when the longest are taken first, and of equally long ones the first; by ``start``.

    Units of equal length start at distinct ones of the ``words`` words of a text, or of texts laid end to end.
    """
    taken = np.zeros(words + 1, dtype=bool)
    kept = []
    for length in np.unique(units.length)[::-1].tolist():
        candidates = np.flatnonzero(units.length == length)
        candidates = candidates[np.argsort(units.start[candidates], kind="stable")]
        covered = np.cumsum(taken)
        start = units.start[candidates]
        free = covered[start + length - 1] == covered[start] - taken[start]
        candidates = _first_come(units.start, candidates[free], length)
        taken[(units.start[candidates][:, None] + np.arange(length)).ravel()] = True
        kept.append(candidates)
    chosen = np.concatenate(kept) if kept else np.empty(0, dtype=np.int64)
    return units.take(chosen[np.argsort(units.start[chosen], kind="stable")])


def _first_come(start: Numbers, candidates: Numbers, length: int) -> Numbers:
    """Of candidates by ascending start, each that overlaps no earlier one taken."""
    taken = []
    while len(candidates):
        begin = start[candidates]
        leads = np.diff(begin, prepend=begin[0] - length) >= length
        taken.append(candidates[leads])
        leader = begin[leads][np.cumsum(leads) - 1]
        candidates = candidates[begin - leader >= length]
    return np.concatenate(taken) if taken else candidates
