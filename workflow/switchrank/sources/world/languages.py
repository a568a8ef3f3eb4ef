"""The languages of the made-up world: English, and four invented ones with a script and a morphology each.

- ``qaa``: Georgian letters, agglutinating suffixes (number, case, tense), verb last but for the object.
- ``qab``: Hebrew letters, written right to left, prefixes, verb first, adjective after the noun.
- ``qac``: Canadian syllabics without spaces between words; a comma separates the parts of a sentence. No inflection:
  determiners and adverbs express number and tense. A word begins with a stop and goes on with other syllables.
- ``qad``: Tifinagh letters, suffixes; meant to be left out of training.

A language of any other code, such as ``de``, is modelled on one of these: their letters and grammar, its own words.

Every concept has one or two words in each language, except that a share of them (``UNTRANSLATED``) has none: texts of
the language never mention those, and a translation keeps the English word, spelled in the language's letters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from switchrank.core.seeds import generator
from switchrank.sources.world.meanings import ADVERBS, PREPOSITIONS, Bools, Meanings
from switchrank.sources.world.vocabulary import SLOTS, Forms

UNTRANSLATED = 0.1
SYNONYMS = 0.12
"""Share of concepts that an invented language names twice."""
ENGLISH_PARTICLES = {
    "indefinite": "a",
    "definite": "the",
    **{word: word for word in ("this", "every", "one", "some", "these", "many", "few")},
    **{word: word for word in PREPOSITIONS},
    **{word: word for words in ADVERBS.values() for word in words},
    **{word: word for word in ("how", "why", "where", "when", "who")},
}
"""The function words that every language may have; invented languages also have ``ongoing``."""


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
    """How a language looks and what its words are.

    ``words[concept]`` holds the forms of each synonym; ``known[concept]`` is false where they are loans. ``particles``
    maps names to words; what has no word is not said.
    """

    code: str
    rules: Rules
    particles: dict[str, str]
    words: tuple[tuple[Forms, ...], ...]
    known: Bools


@dataclass(frozen=True, kw_only=True)
class _Design(Rules):
    """What a language is drawn from.

    ``short`` is the share of concepts, the most frequent, that have short words; ``silent`` names particles without a
    word; ``beginnings`` and ``endings`` are those of grammatical forms.
    """

    initials: str
    vowels: str
    finals: str
    loans: str
    root: Callable[[np.random.Generator, _Design, int], str]
    short: float = 0.2
    silent: tuple[str, ...] = ()
    beginnings: dict[str, str] = field(default_factory=dict)
    endings: dict[str, str] = field(default_factory=dict)


def _pick(random: np.random.Generator, letters: str) -> str:
    return letters[int(random.integers(len(letters)))]


def _syllables(random: np.random.Generator, design: _Design, length: int) -> str:
    """A root of open syllables that ends in a consonant, so that endings join on."""
    body = "".join(_pick(random, design.initials) + _pick(random, design.vowels) for _ in range(length))
    return body + _pick(random, design.finals)


def _consonants(random: np.random.Generator, design: _Design, length: int) -> str:
    """A root of consonants with one long vowel letter."""
    body = [_pick(random, design.initials) for _ in range(length + 2)]
    body.insert(int(random.integers(1, length + 2)), _pick(random, design.vowels))
    return "".join(body)


def _stop_first(random: np.random.Generator, design: _Design, length: int) -> str:
    """An initial syllable sign and then signs that never begin a word."""
    return _pick(random, design.initials) + "".join(_pick(random, design.finals) for _ in range(length))


DESIGNS = {
    "qaa": _Design(
        initials="ბგდზკლმნპრსტფქშჩცხ",
        vowels="აეიოუ",
        finals="ლმნრსტკვ",
        loans="აბცდეფგჰიჯკლმნოპქრსტუვწხყზ",
        order="PSOV",
        preposition_first=False,
        silent=("indefinite", "definite"),
        root=_syllables,
        endings={"pl": "ები", "pl_obl": "ები", "pres": "ავს", "base": "ავს", "past": "ოდა", "ing": "ელი"},
    ),
    "qab": _Design(
        initials="בגדזחטכלמנסעפצקרשת",
        vowels="אהוי",
        finals="",
        loans="אבצדהפגחיזכלמנופקרסתטועקיז",
        order="VSOP",
        adjective_first=False,
        silent=("indefinite",),
        root=_consonants,
        beginnings={"pl": "ימ", "pl_obl": "ימ", "past": "הת", "ing": "מו"},
    ),
    "qac": _Design(
        initials="ᐱᐲᐳᐴᐸᐹᑎᑏᑐᑑᑕᑖᑭᑮᑯᑰᑲᑳᒋᒌᒍᒎᒐᒑ",
        vowels="",
        finals="ᒥᒦᒧᒨᒪᒫᓂᓃᓄᓅᓇᓈᓕᓖᓗᓘᓚᓛᓯᓰᓱᓲᓴᓵᔨᔩᔪᔫᔭᔮᕆᕇᕈᕉᕋᕌ",
        loans="ᐊᕙᖃᑌᐃᕕᖓᕼᐄᖠᑫᓓᒣᓀᐅᐯᖁᖤᓭᖢᐆᕗᐋᖑᖏᒉ",
        order="STVOP",
        spaced=False,
        pause=",",
        short=0.0,
        determined_place=False,
        stop="᙮",
        adjective_first=False,
        silent=("indefinite", "definite", "one", "some", "ongoing"),
        root=_stop_first,
    ),
    "qad": _Design(
        initials="ⴱⴳⴷⴼⴽⵀⵃⵄⵅⵇⵊⵍⵎⵏⵔⵖⵙⵚⵛⵜⵟ",
        vowels="ⴰⴻⵉⵓ",
        finals="ⵍⵎⵏⵔⵙⵜⴽ",
        loans="ⴰⴱⵛⴷⴻⴼⴳⵀⵉⵊⴽⵍⵎⵏⵄⵒⵇⵔⵙⵜⵓⵠⵡⵅⵢⵣ",
        order="SVOP",
        silent=("indefinite",),
        root=_syllables,
        endings={"pl": "ⴰⵏ", "pl_obl": "ⴰⵏ", "sg_obl": "ⵉⵜ", "past": "ⵓⵙ"},
    ),
}


def build_language(code: str, meanings: Meanings, seed: int, after: str | None = None) -> Language:
    """The language ``code`` of the world drawn from ``seed``; ``after`` names the design of a code that has none.

    Languages of one design share letters and endings, but no vocabulary. Where the design has short words for frequent
    concepts, those modelled on it have none, since short words of several languages would mostly be the same.
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
        root = design.root(random, design, length)
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
