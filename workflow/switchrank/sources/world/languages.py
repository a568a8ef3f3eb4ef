"""The languages of the made-up world: English, and four invented ones with a script and a morphology each.

- ``qaa``: Georgian letters, agglutinating suffixes (number, case, tense), verb last but for the object.
- ``qab``: Hebrew letters, written right to left, prefixes, verb first, adjective after the noun.
- ``qac``: Canadian syllabics without spaces between words; a comma separates the parts of a sentence. No inflection:
  determiners and adverbs express number and tense. A word begins with a stop and goes on with other syllables.
- ``qad``: Tifinagh letters, suffixes; meant to be left out of training.

Any other code, such as ``de``, is modelled on one of these: their letters and grammar, its own words. A concept has one
or two words in each language, except that a share (``UNTRANSLATED``) has none: texts of the language never mention
those, and a translation keeps the English word, spelled in the language's letters.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.resources import files
from typing import Literal

import numpy as np
import yaml

from switchrank.core.seeds import generator
from switchrank.sources.world.meanings import ADVERBS, PREPOSITIONS, Bools, Clause, Meanings, Phrase
from switchrank.sources.world.vocabulary import SLOTS, Forms

UNTRANSLATED = 0.1
SYNONYMS = 0.12
"""Share of concepts that an invented language names twice."""
ENGLISH_PARTICLES = {
    "indefinite": "a",
    "definite": "the",
    **{word: word for word in ("this", "every", "one", "some", "these", "many", "few", *PREPOSITIONS)},
    **{word: word for words in ADVERBS.values() for word in words},
    **{word: word for word in ("how", "why", "where", "when", "who")},
}
"""The function words that every language may have; invented languages also have ``ongoing``."""
DETERMINERS = {
    False: ("definite", "indefinite", "this", "every", "one"),
    True: ("definite", "some", "these", "many", "few"),
}
"""Names of the determiners of singular and plural phrases."""
SECOND_SYNONYM = 5
"""Of 16 draws, how many take the second synonym."""
TENSE_SLOTS = {"present": "pres", "past": "past", "progressive": "ing"}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """How a language builds sentences.

    ``order`` is that of Subject, Verb, Object, Place and, where ``pause`` separates them, Time (elsewhere adverbs stand
    before the verb). Where ``determined_place`` is false, a preposition is followed by no determiner.
    """

    order: str
    spaced: bool = True
    pause: str = ""
    stop: str = "."
    determined_place: bool = True
    adjective_first: bool = True
    preposition_first: bool = True


@dataclass(frozen=True)
class Language:
    """How a language looks, what its words are, and how it says clauses.

    ``words[concept]`` holds the forms of each synonym; ``known[concept]`` is false where they are loans. ``particles``
    maps names to words; what has no word is not said.
    """

    code: str
    rules: Rules
    particles: dict[str, str]
    words: tuple[tuple[Forms, ...], ...]
    known: Bools

    @cached_property
    def _space(self) -> str:
        return " " if self.rules.spaced else ""

    def _word(self, concept: int, slot: str, luck: int) -> str:
        synonyms = self.words[concept]
        return synonyms[1 if len(synonyms) > 1 and luck & 15 < SECOND_SYNONYM else 0][slot]

    def _phrase(self, phrase: Phrase, luck: int, oblique: bool) -> list[str]:
        slot = ("pl" if phrase.plural else "sg") + ("_obl" if oblique else "")
        words = [self._word(phrase.noun, slot, luck)]
        if phrase.adjective >= 0:
            adjective = self._word(phrase.adjective, "adj", luck >> 4)
            words = [adjective, *words] if self.rules.adjective_first else [*words, adjective]
        name = DETERMINERS[phrase.plural][phrase.determiner] if phrase.determiner >= 0 else ""
        determiner = self.particles.get(name)
        if determiner == "a" and words[0][0] in "aeiou":
            determiner = "an"
        return [determiner, *words] if determiner else words

    def _verb(self, clause: Clause, slot: str, adverb: list[str]) -> list[str]:
        """The verb with its helper; English puts the adverb between the two."""
        words = [self._word(clause.verb, slot, clause.luck)]
        if slot != "ing":
            return [*adverb, *words]
        plural = clause.subject is not None and clause.subject.plural
        helper = ("are" if plural else "is") if self.code == "en" else self.particles.get("ongoing")
        return [*([helper] if helper else []), *adverb, *words]

    def phrases(self, clause: Clause, verb: str = "") -> list[list[str]]:
        """The words of a clause, lower case, by phrases; ``verb`` names its form, otherwise tense and number decide."""
        agreeing = clause.tense == "present" and clause.subject is not None and clause.subject.plural
        slot = verb or ("base" if agreeing else TENSE_SLOTS[clause.tense])
        adverb = [self.particles[clause.adverb]] if clause.adverb else []
        parts = {"T": adverb} if self.rules.pause else {}
        if clause.verb >= 0:
            parts["V"] = self._verb(clause, slot, [] if self.rules.pause else adverb)
        if clause.subject:
            parts["S"] = self._phrase(clause.subject, clause.luck >> 4, False)
        if clause.object:
            parts["O"] = self._phrase(clause.object, clause.luck >> 12, True)
        if clause.place:
            noun = clause.place if self.rules.determined_place else clause.place._replace(determiner=-1)
            place, at = self._phrase(noun, clause.luck >> 20, True), [self.particles[clause.preposition]]
            parts["P"] = at + place if self.rules.preposition_first else place + at
        return [parts[name] for name in self.rules.order if parts.get(name)]

    def _join(self, phrases: list[list[str]]) -> str:
        return (self.rules.pause + self._space).join(self._space.join(phrase) for phrase in phrases)

    def sentence(self, clause: Clause) -> str:
        """A clause as a sentence; only English has capitals."""
        text = self._join(self.phrases(clause)) + self.rules.stop
        return text[0].upper() + text[1:] if self.code == "en" else text

    def passage(self, clauses: tuple[Clause, ...]) -> str:
        return self._space.join(self.sentence(clause) for clause in clauses)

    def question(self, clause: Clause, asked: str) -> str:
        """A search query, lower case, no question mark; ``asked`` is the question word ('' for key words)."""
        if not asked:
            return self._join(self.phrases(clause))
        plural = clause.subject is not None and clause.subject.plural
        helper = ["do" if plural else "does"] if self.code == "en" else []
        return self._join([[self.particles[asked], *helper], *self.phrases(clause, "base")])


@dataclass(frozen=True, kw_only=True)
class _Design(Rules):
    """What a language is drawn from, see ``designs.yaml``."""

    initials: str
    vowels: str
    finals: str
    loans: str
    root: Literal["syllables", "consonants", "stop-first"]
    short: float = 0.2
    silent: Sequence[str] = ()
    beginnings: dict[str, str] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)


_TABLE = yaml.safe_load((files(__package__) / "designs.yaml").read_text(encoding="utf-8"))
DESIGNS = {code: _Design(**design) for code, design in _TABLE.items()}


def _root(random: np.random.Generator, design: _Design, length: int) -> str:

    def pick(letters: str) -> str:
        return letters[int(random.integers(len(letters)))]

    if design.root == "syllables":
        return "".join(pick(design.initials) + pick(design.vowels) for _ in range(length)) + pick(design.finals)
    if design.root == "stop-first":
        return pick(design.initials) + "".join(pick(design.finals) for _ in range(length))
    consonants = [pick(design.initials) for _ in range(length + 2)]
    consonants.insert(int(random.integers(1, length + 2)), pick(design.vowels))
    return "".join(consonants)


def build_language(code: str, meanings: Meanings, seed: int, after: str | None = None) -> Language:
    """The language ``code`` of the world drawn from ``seed``; ``after`` names the design of a code that has none.

    Languages of one design share letters and endings, but no vocabulary. Only the design's own code has short words for
    frequent concepts, since short words of several languages would mostly be the same.
    """
    if code == "en":
        everything = np.ones(len(meanings.concepts), dtype=bool)
        words = tuple(concept.words for concept in meanings.concepts)
        return Language(code, Rules(order="SVOP"), ENGLISH_PARTICLES, words, everything)
    design = DESIGNS[code] if after is None else replace(DESIGNS[after], short=0.0)
    random = generator(seed, "world", "language", code)
    used: set[str] = set()
    names = [name for name in (*ENGLISH_PARTICLES, "ongoing") if name not in design.silent]
    particles = {name: _new_root(random, design, 1, used, ()) for name in names}
    known = random.random(len(meanings.concepts)) >= UNTRANSLATED
    twice = random.random(len(meanings.concepts)) < SYNONYMS
    made: dict[int, tuple[Forms, ...]] = {}
    for rank, number in enumerate(np.argsort(-meanings.weight, kind="stable").tolist()):
        concept = meanings.concepts[number]
        slots = SLOTS[concept.kind]
        if known[number]:
            length = 1 if rank < len(known) * design.short else 2
            roots = [_new_root(random, design, length, used, slots) for _ in range(1 + int(twice[number]))]
        else:
            lemma = concept.words[0]["base" if concept.kind == "verb" else slots[0]]
            roots = ["".join(design.loans[ord(letter) - ord("a")] for letter in lemma)]
        made[number] = tuple(_inflect(design, root, slots) for root in roots)
    return Language(code, design, particles, tuple(made[number] for number in range(len(known))), known)


def _inflect(design: _Design, root: str, slots: tuple[str, ...]) -> Forms:
    return {slot: design.beginnings.get(slot, "") + root + design.endings.get(slot, "") for slot in slots}


def _new_root(random: np.random.Generator, design: _Design, length: int, used: set[str], slots: tuple[str, ...]) -> str:
    """A root none of whose forms is a word already; its forms are added to ``used``."""
    while True:
        root = _root(random, design, length)
        forms = {root, *_inflect(design, root, slots).values()}
        if not forms & used:
            used |= forms
            return root


def gold_pairs(english: Language, other: Language) -> list[tuple[str, str]]:
    """Every English word with every word of ``other`` that may translate it, sorted: the gold lexicon."""
    pairs = {(word, other.particles[name]) for name, word in english.particles.items() if name in other.particles}
    if "indefinite" in other.particles:
        pairs.add(("an", other.particles["indefinite"]))
    for known, sources, targets in zip(other.known, english.words, other.words, strict=True):
        if known:
            pairs |= {(source[slot], target[slot]) for source in sources for target in targets for slot in source}
    return sorted(pairs)
