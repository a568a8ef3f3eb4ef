"""Character n-grams of words as fastText hashes them, for many words at once.

32-bit FNV-1a over the bytes of the n-gram, each byte sign-extended first, as in fastText's ``dictionary.cc``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_OFFSET = np.uint32(2166136261)
_PRIME = np.uint32(16777619)


def ngram_hashes(words: list[bytes], shortest: int, longest: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The n-grams of ``shortest`` to ``longest`` characters of words that carry their ``<`` and ``>`` already.

    Single characters at either end of a word are no n-grams. Bytes that are not UTF-8 do no harm: a character begins at
    every byte that is not a continuation byte.

    Returns:
        The place of the word of each n-gram, and its hash, 0 to 2^32 - 1; both shape ``(m,)``.
    """
    text = np.frombuffer(b"".join(words), dtype=np.uint8)
    lengths = np.array([len(word) for word in words], dtype=np.int64)
    ends = np.cumsum(lengths)
    starts = np.append((text & 0xC0) != 0x80, True)
    signed = text.view(np.int8).astype(np.int32).view(np.uint32)
    begin = np.flatnonzero(starts[:-1])
    word = np.searchsorted(ends, begin, side="right")
    first, end = begin == (ends - lengths)[word], ends[word]
    hashes, at, length = np.full(len(begin), _OFFSET), begin.copy(), np.zeros(len(begin), dtype=np.int64)
    found = [np.empty((2, 0), dtype=np.int64)]
    while len(at):
        hashes = (hashes ^ signed[at]) * _PRIME
        at = at + 1
        closed = (at == end) | starts[at]
        length = length + closed
        alone = (length == 1) & (first | (at == end))
        take = closed & (length >= shortest) & ~alone
        found.append(np.stack([word[take], hashes[take].astype(np.int64)]))
        going = (at < end) & (length < longest)
        at, end, word, hashes, length, first = (x[going] for x in (at, end, word, hashes, length, first))
    together = np.concatenate(found, axis=1)
    return together[0], together[1]
