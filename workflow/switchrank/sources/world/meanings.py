"""What the made-up world is about: how often each concept is mentioned, and which concepts keep it company.

Every noun prefers a few nouns, verbs and adjectives, mostly of its own theme: that company, not the theme alone, is
what lets word vectors of two languages be aligned. All languages draw from this one table, each with its own stream.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from switchrank.core.seeds import generator
from switchrank.sources.world.vocabulary import Concept

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

COMPANY = {"noun": 8, "verb": 4, "adj": 3}
"""How many preferred neighbours of each part of speech a noun has."""
OWN_THEME = 0.6
"""The share of preferred neighbours taken from the noun's own theme."""
STRAY = 0.05
"""The share of neighbours drawn without regard to company."""
ZIPF_OFFSET = 60.0
"""Frequency of the concept of rank r is 1 / (r + offset): Zipf's law with Mandelbrot's flat head."""
DETERMINERS = 5
"""How many determiners there are for a singular, and for a plural phrase."""
TENSES = {"present": 0.45, "past": 0.35, "progressive": 0.2}
PLURAL, DESCRIBED, PLACED, TIMED = 0.4, 0.33, 0.45, 0.75
"""Shares of plural phrases, phrases with an adjective, clauses with a place, clauses with an adverb."""
ADVERBS = {
    "present": ("often", "always", "usually"),
    "past": ("once", "recently", "finally"),
    "progressive": ("now", "still", "just"),
}
PREPOSITIONS = ("near", "with", "under", "behind", "for")


class Phrase(NamedTuple):
    """A noun with its number, determiner (0 to 4) and perhaps an adjective (-1: none)."""

    noun: int
    plural: bool
    determiner: int
    adjective: int

    @property
    def concepts(self) -> tuple[int, ...]:
        return (self.noun,) if self.adjective < 0 else (self.noun, self.adjective)


class Clause(NamedTuple):
    """One statement, before any language says it. ``luck`` decides between synonyms: 4 bits for each word."""

    subject: Phrase | None
    verb: int
    tense: str
    object: Phrase | None
    preposition: str
    place: Phrase | None
    adverb: str
    luck: int

    @property
    def concepts(self) -> tuple[int, ...]:
        phrases = [phrase for phrase in (self.subject, self.object, self.place) if phrase is not None]
        verb = (self.verb,) if self.verb >= 0 else ()
        return (*verb, *(concept for phrase in phrases for concept in phrase.concepts))


@dataclass(frozen=True)
class Meanings:
    """Concept numbers by part of speech, relative frequency [concepts], and each noun's company.

    ``company[kind]`` and ``affinity[kind]`` are [nouns, neighbours]: concept numbers and their weights.
    ``signs`` [concepts + 1] are random numbers whose sum stands for a set of concepts; the last is 0.
    """

    concepts: tuple[Concept, ...]
    numbers: dict[str, Ints]
    weight: Floats
    company: dict[str, Ints]
    affinity: dict[str, Floats]
    signs: NDArray[np.uint64]


def build_meanings(concepts: tuple[Concept, ...], seed: int) -> Meanings:
    """Draw frequencies and company for ``concepts``; the same seed gives the same world."""
    random = generator(seed, "world", "meanings")
    numbers = {kind: np.array([i for i, c in enumerate(concepts) if c.kind == kind]) for kind in COMPANY}
    weight = np.zeros(len(concepts))
    for members in numbers.values():
        ranked = 1.0 / (np.arange(len(members)) + ZIPF_OFFSET * len(members) / 1000)
        weight[members] = random.permutation(ranked / ranked.sum())
    themes = np.array([concept.theme for concept in concepts])
    company: dict[str, Ints] = {}
    affinity: dict[str, Floats] = {}
    for kind, size in COMPANY.items():
        rows = [_neighbours(random, noun, numbers[kind], themes, weight, size) for noun in numbers["noun"]]
        company[kind] = np.stack(rows)
        affinity[kind] = random.gamma(2.0, size=company[kind].shape) * weight[company[kind]] ** 0.5
    signs = np.append(random.integers(0, 2**64, len(concepts), dtype=np.uint64), np.uint64(0))
    return Meanings(concepts, numbers, weight, company, affinity, signs)


def _neighbours(
    random: np.random.Generator, noun: int, members: Ints, themes: NDArray[np.str_], weight: Floats, size: int
) -> Ints:
    members = members[members != noun]
    own = themes[members] == themes[noun]
    chance = weight[members] ** 0.5
    chance = np.where(own, OWN_THEME * chance / chance[own].sum(), (1 - OWN_THEME) * chance / chance[~own].sum())
    return random.choice(members, size, replace=False, p=chance / chance.sum())


class Speaker:
    """Draws clauses from ``random`` about the concepts of a world that a language has words for.

    ``known`` [concepts]: whether the language can say it; others are never drawn. ``flat`` is an exponent on noun
    frequencies: below 1, rare nouns are mentioned more often.
    """

    def __init__(self, meanings: Meanings, known: Bools, random: np.random.Generator, flat: float = 1.0) -> None:
        self._meanings, self._random = meanings, random
        self._intransitive = np.array([concept.intransitive for concept in meanings.concepts])
        self._row = np.full(len(meanings.concepts), -1)
        self._row[meanings.numbers["noun"]] = np.arange(len(meanings.numbers["noun"]))
        weight = np.where(known, meanings.weight, 0.0)
        self._any = {kind: np.cumsum(weight[members] ** flat) for kind, members in meanings.numbers.items()}
        self._near = {
            kind: np.cumsum(meanings.affinity[kind] * known[meanings.company[kind]], axis=1) for kind in COMPANY
        }

    def _draw(self, kind: str, count: int) -> Ints:
        cumulated = self._any[kind]
        places = np.searchsorted(cumulated, self._random.random(count) * cumulated[-1], side="right")
        return np.asarray(self._meanings.numbers[kind][places])

    def _beside(self, kind: str, nouns: Ints) -> Ints:
        """One neighbour of ``kind`` for each noun."""
        rows = self._row[nouns]
        cumulated = self._near[kind][rows]
        point = self._random.random(len(nouns)) * cumulated[:, -1]
        column = np.minimum((cumulated <= point[:, None]).sum(axis=1), cumulated.shape[1] - 1)
        stray = (self._random.random(len(nouns)) < STRAY) | (cumulated[:, -1] == 0)
        return np.where(stray, self._draw(kind, len(nouns)), self._meanings.company[kind][rows, column])

    def _phrase(self, nouns: Ints, said: Bools) -> list[Ints]:
        """Columns of a phrase: noun (-1 where not ``said``), plural, determiner, adjective (-1: none)."""
        plural = (self._random.random(len(nouns)) < PLURAL).astype(np.int64)
        determiner = self._random.integers(0, DETERMINERS, len(nouns))
        described = said & (self._random.random(len(nouns)) < DESCRIBED)
        adjective = np.where(described, self._beside("adj", nouns), -1)
        return [np.where(said, nouns, -1), plural, determiner, adjective]

    def _statements(self, count: int, subjects: Ints | None = None) -> Ints:
        """Rows of ``_COLUMNS``. A verb without object, and a noun that would be its own object, get a place instead."""
        random = self._random
        subject = self._draw("noun", count) if subjects is None else subjects
        verb, object_ = self._beside("verb", subject), self._beside("noun", subject)
        place = self._beside("noun", np.where(random.random(count) < 0.5, subject, object_))
        alone = self._intransitive[verb] | (object_ == subject)
        placed = (alone | (random.random(count) < PLACED)) & (place != subject) & (alone | (place != object_))
        return np.column_stack(
            [
                verb,
                random.choice(len(TENSES), count, p=list(TENSES.values())),
                *self._phrase(subject, np.ones(count, dtype=np.bool_)),
                *self._phrase(object_, ~alone),
                random.integers(0, len(PREPOSITIONS), count),
                *self._phrase(place, placed),
                np.where(random.random(count) < TIMED, random.integers(0, 3, count), 3),
                random.integers(0, 1 << 28, count),
            ]
        )

    def clauses(self, count: int, subjects: Ints | None = None) -> list[Clause]:
        """``count`` clauses; ``subjects`` [count] fixes the subject nouns."""
        return [_clause(row) for row in self._statements(count, subjects).tolist()]

    def own_clauses(self, count: int, part: int, parts: int) -> list[Clause]:
        """``count`` clauses of one of ``parts`` kinds: what one part says together, no other part ever does.

        The kind of a clause follows from its set of concepts by Zobrist hashing: parts are alike in all else.
        """
        clauses: list[Clause] = []
        while len(clauses) < count:
            rows = self._statements(count)
            signs = self._meanings.signs[rows[:, _CONCEPTS]].sum(axis=1, dtype=np.uint64)
            own = rows[signs % np.uint64(parts) == part][: count - len(clauses)]
            clauses += [_clause(row) for row in own.tolist()]
        return clauses


_PHRASE = Phrase._fields
_COLUMNS = ("verb", "tense", *_PHRASE, *_PHRASE, "preposition", *_PHRASE, "adverb", "luck")
_CONCEPTS = [place for place, name in enumerate(_COLUMNS) if name in ("verb", "noun", "adjective")]


def _clause(row: list[int]) -> Clause:
    subject, object_, place = (
        Phrase(row[start], bool(row[start + 1]), *row[start + 2 : start + 4]) if row[start] >= 0 else None
        for start in (2, 6, 11)
    )
    tense = list(TENSES)[row[1]]
    preposition = PREPOSITIONS[row[10]] if place else ""
    return Clause(subject, row[0], tense, object_, preposition, place, (*ADVERBS[tense], "")[row[15]], row[16])
