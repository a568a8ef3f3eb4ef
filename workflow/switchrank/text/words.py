"""What a word is, for vectors, lexicons, switching and BM25 alike.

Word boundaries are those of Unicode Standard Annex 29 (the ``regex`` package's default word boundaries). A segment is
a *word* if it holds a visible letter, mark or digit; all else (white space, punctuation, symbols) is *gap*. Gaps and
words joined again are the input, character for character. Text without spaces is cut by longest match over a
vocabulary (:class:`Segmenter`) or by a segmenter of its language (:mod:`switchrank.text.segmenters`).
"""

from collections.abc import Callable, Iterable, Iterator

import regex

from switchrank.text.equality import key

__all__ = ["Segmenter", "Split", "Splitter", "join_words", "key", "split_runs", "split_words"]

_BOUNDARY = regex.compile(r"(?V1w)\b")
_APOSTROPHE = regex.compile(r"(?s)(['’][\p{Word_Break=Extend}\p{Word_Break=Format}\p{Word_Break=ZWJ}]*+)(.+)")
_SPACE = regex.compile(r"(\s+)")
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}](?<!\p{Default_Ignorable_Code_Point})")
_FORMAT = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
"""Joiners, direction marks and soft hyphens: part of a word inside it, gap around it, so that they stay where they are
when the word is replaced."""

Split = tuple[list[str], list[str]]
"""``(words, gaps)`` with ``len(gaps) == len(words) + 1``; ``gaps[0] + words[0] + gaps[1] + ...`` is the text."""
Splitter = Callable[[str], Split]


def _segments(text: str) -> Iterator[str]:
    """UAX 29 segments; white space never shares one with a word, not even after a mark without a base.

    The package leaves an apostrophe with the vowel after it; by the standard (rules WB6 and 7) it is part of a word
    only between letters.
    """
    for segment in _BOUNDARY.split(text):
        quoted = _APOSTROPHE.fullmatch(segment) if segment.startswith(("'", "’")) else None
        if quoted:
            yield from quoted.groups()
        elif segment.isalnum() or segment.isspace() or not _SPACE.search(segment):
            yield segment
        else:
            yield from _SPACE.split(segment)


def split_words(text: str) -> Split:
    """Split ``text`` at UAX 29 word boundaries into words and the gaps around them, losslessly."""
    words: list[str] = []
    gaps = [""]
    for segment in _segments(text):
        if segment.isascii() and segment.isalnum():
            words.append(segment)
            gaps.append("")
        elif not _WORD.search(segment):
            gaps[-1] += segment
        elif segment[0] in _FORMAT or segment[-1] in _FORMAT:
            word = segment.strip(_FORMAT)
            before, after = segment.split(word, 1)
            gaps[-1] += before
            words.append(word)
            gaps.append(after)
        else:
            words.append(segment)
            gaps.append("")
    return words, gaps


def join_words(words: list[str], gaps: list[str]) -> str:
    """The text that :func:`split_words` or a :class:`Segmenter` came from."""
    return gaps[0] + "".join(word + gap for word, gap in zip(words, gaps[1:], strict=True))


def split_runs(text: str) -> Split:
    """Split unspaced text into runs of adjacent words and the gaps around them, losslessly.

    UAX 29 puts a boundary around every Han, Thai or Hiragana character, so words that touch belong to one run.
    """
    return split_again(text, lambda words: ["".join(words)])


def split_again(text: str, cut: Callable[[list[str]], list[str]], unspaced: Callable[[str], object] = bool) -> Split:
    """Split ``text`` at UAX 29 word boundaries, losslessly; ``cut`` makes other words of each run of adjacent ones.

    ``unspaced`` says whether a word belongs to runs; by default every word does.
    """
    words, gaps = split_words(text)
    found: list[str] = []
    found_gaps = gaps[:1]
    start = 0
    while start < len(words):
        end = start + 1
        pieces = words[start:end]
        if unspaced(words[start]):
            while end < len(words) and not gaps[end] and unspaced(words[end]):
                end += 1
            pieces = cut(words[start:end])
        found += pieces
        found_gaps += [""] * (len(pieces) - 1)
        found_gaps.append(gaps[end])
        start = end
    return found, found_gaps


class Segmenter:
    """Splits unspaced text: each run of adjacent words is cut by greedy longest match over a vocabulary.

    Words are compared under :func:`key`. A character that starts no word of the vocabulary is a word of its own.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._known = {key(word) for word in vocabulary}
        self._longest = max((len(word) for word in self._known), default=0) or 1

    def __call__(self, text: str) -> Split:
        return split_again(text, self.cut)

    def cut(self, characters: list[str]) -> list[str]:
        """The words of one run, given as its UAX 29 words."""
        run = "".join(characters)
        # Slices of a run that is its own key are their own keys too: nothing in them folds, and NFKC bears slicing.
        plain = key(run) == run
        pieces = []
        start = 0
        while start < len(run):
            end = min(len(run), start + self._longest)
            while end > start + 1 and (run[start:end] if plain else key(run[start:end])) not in self._known:
                end -= 1
            pieces.append(run[start:end])
            start = end
        return pieces
