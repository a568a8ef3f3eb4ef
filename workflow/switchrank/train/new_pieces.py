"""The pieces that a WordPiece vocabulary lacks for a language: its characters, its words, and what words end in.

WordPiece cuts off the longest piece that a word begins with, and goes on with the rest. So a language gets its
characters, that nothing of it is unknown; the words that save most pieces; and what is left of other words when the
longest piece that they begin with is cut off.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from tokenizers import Tokenizer

from switchrank.train.tokenizer import count_words

INNER = "##"
"""What a piece that does not begin a word is marked by."""
_ALPHABET_MASS = 0.9999
_WORD_SHARE = 0.75
_COMPOSED = {"NFD": "NFC", "NFKD": "NFKC"}


class Extended:
    """A WordPiece vocabulary and the pieces that are added to it; accents are left on letters, which it may strip.

    Attributes:
        old: its pieces and their numbers.
        first: the number of the first new piece.
        added: the new pieces in order, each with the language that brought it.
        before: the tokenizer as it is.
        bare: the same, but for accents.
        unknown: the number of the unknown piece.
    """

    def __init__(self, described: Mapping[str, Any], first: int) -> None:
        """Of a ``tokenizer.json``, and how many rows its model has."""
        usual = {**described, "padding": None, "truncation": None}
        self._accented = usual | {"normalizer": {"type": "Sequence", "normalizers": [*_steps(described["normalizer"])]}}
        self.old: dict[str, int] = described["model"]["vocab"]
        self.first, self.added = first, dict[str, str]()
        self.before, self.bare = _backend(usual), _backend(self._accented)
        self.unknown = self.old[described["model"]["unk_token"]]

    def described(self) -> dict[str, Any]:
        """The ``tokenizer.json`` with the new pieces."""
        numbers = {piece: self.first + place for place, piece in enumerate(self.added)}
        return self._accented | {"model": self._accented["model"] | {"vocab": self.old | numbers}}

    def after(self) -> Tokenizer:
        return _backend(self.described())

    def words(self, chunks: Counter[str], phrases: Iterable[str] = ()) -> dict[str, float]:
        """How often words occur in chunks of text, those that occur once left out, and in phrases.

        These are told the most frequent first, and count by Zipf's law as much as the text, where there is any.
        """
        counts = count_words(self.bare, chunks)
        found: defaultdict[str, float] = defaultdict(float)
        found.update({word: count for word, count in counts.items() if count > 1})
        listed = count_words(self.bare, Counter(dict.fromkeys(phrases, 1)))
        if listed:
            scale = (counts.total() or len(listed)) / math.fsum(1 / rank for rank in range(1, len(listed) + 1))
            for rank, word in enumerate(listed, 1):
                found[word] += scale / rank
        return found

    def add(self, language: str, words: Mapping[str, float], room: int, spoken: Collection[str] = ()) -> None:
        """Add at most ``room`` pieces for the words of a language, by how often they occur.

        A word that is also ``spoken``, in the language that the vocabulary was made for, is left as that has it.
        """
        end = len(self.added) + room
        self._take(language, _alphabet(words), end)
        room, words = end - len(self.added), {word: words[word] for word in words if word not in spoken}
        costs = zip(words.items(), self._costs(words), strict=True)
        saved = {word: count * (cost - 1) for (word, count), cost in costs if cost > 1}
        self._take(language, _ordered(saved), end - round(room * (1 - _WORD_SHARE)))
        endings: defaultdict[str, float] = defaultdict(float)
        for word, count in words.items():
            if rest := self._rest(word):
                endings[rest] += count * len(rest)
        self._take(language, _ordered(endings), end)

    def _take(self, language: str, pieces: Iterable[str], end: int) -> None:
        new = (piece for piece in pieces if piece not in self.old and piece not in self.added)
        self.added |= dict.fromkeys(islice(new, max(0, end - len(self.added))), language)

    def _rest(self, word: str) -> str:
        """What is left of a word, as a piece, when the longest one that it begins with is cut off."""
        ends = range(len(word), 0, -1)
        end = next((end for end in ends if word[:end] in self.old or word[:end] in self.added), len(word))
        return INNER + word[end:] if end < len(word) else ""

    def _costs(self, words: Iterable[str]) -> list[int]:
        """Into how many old pieces words are cut; with unknown parts, as many as they have letters, and one more."""
        given = list(words)
        cut = self.bare.encode_batch_fast(given, add_special_tokens=False)
        pairs = zip(given, cut, strict=True)
        return [len(word) + 1 if self.unknown in one.ids else len(one.ids) for word, one in pairs]

    def lost(self, tokenizer: Tokenizer, words: Mapping[str, float]) -> float:
        """The share of words, each as often as it occurs, that a tokenizer has unknown parts of."""
        cut = tokenizer.encode_batch_fast(list(words), add_special_tokens=False)
        unwritten = sum(count for count, one in zip(words.values(), cut, strict=True) if self.unknown in one.ids)
        return unwritten / max(1, sum(words.values()))


def _steps(normalizer: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The steps of a normalizer, letters composed and their accents left on."""
    if normalizer is None:
        yield {"type": "NFC"}
        return
    match normalizer["type"]:
        case "StripAccents":
            yield {"type": "NFC"}
        case "Sequence":
            for step in normalizer["normalizers"]:
                yield from _steps(step)
        case "BertNormalizer":
            yield from [{"type": "NFC"}, {**normalizer, "strip_accents": False}]
        case kind:
            yield {**normalizer, "type": _COMPOSED.get(str(kind), kind)}


def _backend(described: Mapping[str, Any]) -> Tokenizer:
    return Tokenizer.from_str(json.dumps(described, ensure_ascii=False))


def _alphabet(words: Mapping[str, float]) -> Iterator[str]:
    """The letters that words begin with and those inside, most frequent first, as far as nearly all need them."""
    letters: defaultdict[str, float] = defaultdict(float)
    for word, count in words.items():
        letters[word[0]] += count
        for letter in word[1:]:
            letters[INNER + letter] += count
    wanted, reached = _ALPHABET_MASS * sum(letters.values()), 0.0
    for piece in _ordered(letters):
        if reached >= wanted:
            return
        reached += letters[piece]
        yield piece


def _ordered(weights: Mapping[str, float]) -> list[str]:
    return sorted(weights, key=lambda piece: (-weights[piece], piece))
