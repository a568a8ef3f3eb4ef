"""Which words of a query and of a passage say the same, as far as lexicons know.

A word means itself and every source word of which a lexicon has it as a translation; two words are linked where their
meanings meet. So a German and an English word are linked by an English-German lexicon, and a German and a Spanish one
by that and an English-Spanish one. Two German words are linked only if they are the same: what one English word has as
translations is often wrong or far apart. Stop words are linked to nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from switchrank.formats.tables import LEXICON, read_table
from switchrank.text.stop_words import stopwords
from switchrank.text.words import key, split_words

Span = tuple[int, int, int]
"""Where a linked phrase begins and ends, counted in characters, and the number of its link, from 1."""
LONGEST = 8
"""Words of a phrase; a character counts as a word where text has no spaces."""
_Place = tuple[int, int]
_Meaning = tuple[str, int | None]
"""A source word and the number of the lexicon that says so; None: the word itself."""
_Owners = dict[str, dict[int | None, _Place]]
"""By source word and lexicon the first phrase of a query, or its longest, that means it."""


class Links:
    """The words that lexicons link.

    >>> links = Links(["results/xquad/lexicons/clwe/en-de.parquet"])  # doctest: +SKIP
    >>> links.between("Wer schrieb das Buch?", ["He wrote the book."])
    ([(4, 11, 1), (16, 20, 2)], [[(3, 8, 1), (13, 17, 2)]])

    Args:
        lexicons: LEXICON tables.

    Raises:
        UserError: a table is missing, or no lexicon.
    """

    def __init__(self, lexicons: Sequence[str | Path]) -> None:
        self._meanings: dict[str, set[_Meaning]] = {}
        for number, path in enumerate(lexicons):
            for source, target in read_table(path, LEXICON).select("source", "target").iter_rows():
                self._meanings.setdefault(source, set()).add((source, None))
                self._meanings.setdefault(key(target), set()).add((source, number))
        self._stop = stopwords("en")

    def between(self, query: str, texts: Sequence[str]) -> tuple[list[Span], list[list[Span]]]:
        """The linked phrases of a query and, with the same numbers, of each text; none overlap."""
        owners: _Owners = {}
        for phrases in self._phrases(query):
            for place, meanings in phrases:
                for source, lexicon in meanings:
                    owners.setdefault(source, {}).setdefault(lexicon, place)
        linked = [self._linked(text, owners) for text in texts]
        numbers, asked = _numbered({place for found in linked for _, place in found})
        return asked, [[(*place, numbers[owner]) for place, owner in found] for found in linked]

    def _linked(self, text: str, owners: _Owners) -> list[tuple[_Place, _Place]]:
        """The phrases of a text that mean what one of the query does, from left to right, the longest first."""
        found: list[tuple[_Place, _Place]] = []
        for phrases in self._phrases(text):
            for place, meanings in phrases:
                met = [
                    owner
                    for source, lexicon in meanings
                    for other, owner in owners.get(source, {}).items()
                    if lexicon is None or lexicon != other
                ]
                if met and not (found and place[0] < found[-1][0][1]):
                    found.append((place, min(met)))
        return found

    def _phrases(self, text: str) -> Iterator[list[tuple[_Place, set[_Meaning]]]]:
        """For each word, the phrases that begin with it and mean something, the longest first."""
        words, gaps = split_words(text)
        starts, here = [], len(gaps[0])
        for word, gap in zip(words, gaps[1:], strict=True):
            starts.append(here)
            here += len(word) + len(gap)
        for first in range(len(words)):
            phrase, phrases = "", []
            for last in range(first, min(first + LONGEST, len(words))):
                if last > first and gaps[last] and not gaps[last].isspace():
                    break
                phrase += (" " if last > first and gaps[last] else "") + words[last]
                if meanings := self._meanings_of(key(phrase), single=last == first):
                    phrases.append(((starts[first], starts[last] + len(words[last])), meanings))
            yield phrases[::-1]

    def _meanings_of(self, phrase: str, *, single: bool) -> set[_Meaning]:
        known = self._meanings.get(phrase, set()) | ({(phrase, None)} if single else set())
        return set() if any(source in self._stop for source, _ in known) else known


def _numbered(places: set[_Place]) -> tuple[dict[_Place, int], list[Span]]:
    """The number of each phrase of a query, and the phrases; those inside a longer one have its number."""
    numbers: dict[_Place, int] = {}
    kept: list[Span] = []
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end, len(kept) + 1))
        numbers[start, end] = len(kept)
    return numbers, kept
