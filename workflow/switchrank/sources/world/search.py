"""The search task of the made-up world: passages of two sentences, and queries that ask for some of their words.

A passage is relevant to a query when it mentions everything that the query asks for; every other passage of the world
shares at most half of the query's concepts. So no query is ambiguous, and the words of a query never occur together in
the passage of another: what a test query asks together was never seen together in training.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from switchrank.core.seeds import generator
from switchrank.sources.world.meanings import Clause, Meanings, Phrase, Speaker

FLAT = 0.6
"""Exponent on noun frequencies: rare words are searched for more often than they are written."""
BATCH = 2000


class Passage(NamedTuple):
    """Two clauses and the noun they are about (a concept number)."""

    clauses: tuple[Clause, Clause]
    topic: int

    @property
    def concepts(self) -> frozenset[int]:
        return frozenset(concept for clause in self.clauses for concept in clause.concepts)


class Query(NamedTuple):
    """What is asked, the question word ('' for a query of key words), and the number of the relevant passage."""

    clause: Clause
    asked: str
    passage: int

    @property
    def concepts(self) -> frozenset[int]:
        return frozenset(self.clause.concepts)


class Search:
    """All passages, and the queries of each split; a passage's number is its place in ``passages``."""

    def __init__(self) -> None:
        self.passages: list[Passage] = []
        self.queries: dict[str, list[Query]] = {}
        self._passages: defaultdict[int, list[int]] = defaultdict(list)
        self._queries: defaultdict[int, list[int]] = defaultdict(list)
        self._allowed: list[int] = []
        self._seen: set[frozenset[int]] = set()

    @staticmethod
    def _shared(lists: defaultdict[int, list[int]], concepts: Iterable[int]) -> Counter[int]:
        return Counter(number for concept in concepts for number in lists.get(concept, ()))

    def takes_passage(self, passage: Passage) -> bool:
        concepts = passage.concepts
        shared = self._shared(self._queries, concepts)
        return concepts not in self._seen and all(count <= self._allowed[query] for query, count in shared.items())

    def takes_query(self, query: Query) -> bool:
        shared = self._shared(self._passages, query.concepts)
        return max(shared.values(), default=0) <= len(query.concepts) // 2

    def add_query(self, query: Query, split: str) -> None:
        for concept in query.concepts:
            self._queries[concept].append(len(self._allowed))
        self._allowed.append(len(query.concepts) // 2)
        self.queries[split].append(query)

    def add_passage(self, passage: Passage) -> None:
        self._seen.add(passage.concepts)
        for concept in passage.concepts:
            self._passages[concept].append(len(self.passages))
        self.passages.append(passage)


def _passages(random: np.random.Generator, speaker: Speaker, subjects: list[int] | None = None) -> Iterator[Passage]:
    """Passages without end, or one for each given topic; the second sentence takes up a noun of the first."""
    while True:
        count = BATCH if subjects is None else len(subjects)
        first = speaker.clauses(count, None if subjects is None else np.array(subjects))
        taken_up = [
            (clause.object or clause.place or clause.subject) if turn else clause.subject
            for clause, turn in zip(first, (random.random(count) < 0.6).tolist(), strict=True)
        ]
        second = speaker.clauses(count, np.array([phrase.noun for phrase in taken_up if phrase is not None]))
        for one, two in zip(first, second, strict=True):
            assert one.subject is not None
            yield Passage((one, two), one.subject.noun)
        if subjects is not None:
            return


def _ask(random: np.random.Generator, passage: Passage, number: int) -> Query | None:
    """A query of three to five concepts of the passage, or None where the draw gave too few."""
    clause, other = passage.clauses
    assert clause.subject is not None
    subject = _bare(random, clause.subject, 0.5)
    object_ = _bare(random, clause.object, 0.5) if clause.object and random.random() < 0.85 else None
    place, preposition = clause.place, clause.preposition
    if random.random() < 0.4 and other.place:
        place, preposition = other.place, other.preposition
    place = _bare(random, place, 0.3) if place and (object_ is None or random.random() < 0.4) else None
    verb = clause.verb if random.random() < 0.85 else -1
    asked = ("how", "why", "where", "when", "")[int(random.integers(5))] if verb >= 0 else ""
    luck = int(random.integers(0, 1 << 28))
    query = Query(
        Clause(subject, verb, "present", object_, preposition if place else "", place, "", luck), asked, number
    )
    concepts = query.clause.concepts
    return query if 3 <= len(concepts) <= 5 and len(set(concepts)) == len(concepts) else None


def _bare(random: np.random.Generator, phrase: Phrase, adjectives: float) -> Phrase:
    """The phrase as a query has it: number drawn anew, a determiner rarely, the adjective sometimes left out."""
    adjective = phrase.adjective if random.random() < adjectives else -1
    return Phrase(phrase.noun, bool(random.random() < 0.5), 0 if random.random() < 0.3 else -1, adjective)


def build_search(meanings: Meanings, *, seed: int, queries: dict[str, int], distractors: dict[str, int]) -> Search:
    """Draw ``queries[split]`` queries and, beside each relevant passage, ``distractors[split]`` about the same noun."""
    random = generator(seed, "world", "search")
    speaker = Speaker(meanings, np.ones(len(meanings.concepts), dtype=bool), random, FLAT)
    supply = _passages(random, speaker)
    search = Search()
    for split, wanted in queries.items():
        search.queries[split] = []
        while len(search.queries[split]) < wanted:
            passage = next(supply)
            query = _ask(random, passage, len(search.passages))
            if query and search.takes_passage(passage) and search.takes_query(query):
                search.add_passage(passage)
                search.add_query(query, split)
    for split, count in distractors.items():
        topics = [search.passages[query.passage].topic for query in search.queries[split] for _ in range(count)]
        for passage in _passages(random, speaker, topics) if topics else ():
            fitting = passage if search.takes_passage(passage) else next(p for p in supply if search.takes_passage(p))
            search.add_passage(fitting)
    # passages in a random order, so that a number says nothing about relevance
    order = random.permutation(len(search.passages)).tolist()
    place = {number: position for position, number in enumerate(order)}
    search.passages = [search.passages[number] for number in order]
    for asked in search.queries.values():
        asked[:] = [query._replace(passage=place[query.passage]) for query in asked]
    return search
