"""Word vectors of the made-up world that are aligned from the start, in the form of MUSE's ``wiki.multi.{lang}.vec``.

They are made up and learned from no text: the vector of a word is the mean of what it can mean (its concept, the theme
of that concept, its grammatical form), the same in every language, and noise of its own. So the nearest words of
another language are its translations, their other forms, and words of the same theme; with this much noise CSLS puts a
right one first about seven times in ten. To earn an alignment, train vectors on ``text/`` instead.
"""

from collections import defaultdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from switchrank.core.seeds import generator
from switchrank.sources.world.languages import Language
from switchrank.sources.world.meanings import Meanings
from switchrank.sources.world.vocabulary import SLOTS

DIMENSIONS = 64
"""Dimensions of the vectors; the published ones have 300."""
THEME, FORM, NOISE = 0.5, 0.7, 1.2
"""Lengths of theme, form and noise, relative to the concept."""

Floats = NDArray[np.float64]


def write_vectors(path: Path, language: Language, meanings: Meanings, seed: int) -> None:
    """Write a vector for every word of ``language`` except loans: function words, then the others by frequency.

    The first line is ``words dimensions``, every other line a word and its numbers, separated by spaces. English
    helpers that no other language has (``an is are do does``) are not in the file.
    """
    vectors = _vectors(language, meanings, seed)
    noise = generator(seed, "world", "vectors", language.code).standard_normal((len(vectors), DIMENSIONS))
    lines = [f"{len(vectors)} {DIMENSIONS}\n"]
    for (word, vector), own in zip(vectors.items(), NOISE * noise, strict=True):
        lines.append(f"{word} {' '.join(f'{number:.5f}' for number in vector + own)}\n")
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _vectors(language: Language, meanings: Meanings, seed: int) -> dict[str, Floats]:
    """What each word of the language means, in file order, without noise."""
    said = {
        word: [generator(seed, "world", "vectors", "particle", name).standard_normal(DIMENSIONS)]
        for name, word in language.particles.items()
    }
    meant = _meanings(meanings, seed)
    used: defaultdict[str, float] = defaultdict(float)
    senses: defaultdict[str, list[Floats]] = defaultdict(list)
    for number in np.flatnonzero(language.known).tolist():
        synonyms = language.words[number]
        for forms in synonyms:
            for slot, word in forms.items():
                senses[word].append(meant[number, slot])
                used[word] += meanings.weight[number] / len(synonyms) / len(forms)
    for word in sorted(senses, key=lambda word: (-used[word], word)):
        said.setdefault(word, []).extend(senses[word])
    return {word: np.mean(parts, axis=0) for word, parts in said.items()}


def _meanings(meanings: Meanings, seed: int) -> dict[tuple[int, str], Floats]:
    """The vector of every concept in each grammatical form."""
    random = generator(seed, "world", "vectors")
    concepts = random.standard_normal((len(meanings.concepts), DIMENSIONS))
    names = sorted({concept.theme for concept in meanings.concepts})
    theme = dict(zip(names, THEME * random.standard_normal((len(names), DIMENSIONS)), strict=True))
    slots = [slot for kind in SLOTS.values() for slot in kind]
    form = dict(zip(slots, FORM * random.standard_normal((len(slots), DIMENSIONS)), strict=True))
    return {
        (number, slot): concepts[number] + theme[concept.theme] + form[slot]
        for number, concept in enumerate(meanings.concepts)
        for slot in SLOTS[concept.kind]
    }
