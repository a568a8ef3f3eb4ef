"""What a corpus recipe says, checked: which side becomes which language, how often, and how languages mix."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, NoReturn

from switchrank.core.errors import UserError

MIXED = "xx"
SIDES = ("query", "passage")


@dataclass(frozen=True)
class Recipe:
    """A corpus recipe.

    Attributes:
        p: chance that a word is switched, 0 to 1.
        sides: for ``query`` and ``passage``: the source language (left as it is), another language, or ``xx``.
        languages: those an ``xx`` side mixes, in the order in which draws number them.
        mix: ``token`` draws a language for each switched word, ``instance`` one for each text.
        include_source: the source language is one of those drawn; what draws it stays as it is.
        source: the language of the texts.
        drop_stopwords: single source-language stop words are never switched.
        translations: each switched word draws one of this many best translations.
        seed: of all draws.
        shards: how many files the corpus has.
        unspaced: the texts are written without spaces: a replaced word gets one where it touches another word.
        treebank: compatibility: the token tables hold Treebank tokens, and switched texts are detokenised.
        substring_replace: compatibility: see :mod:`switchrank.corpus.substring`.
    """

    p: float
    sides: dict[str, str]
    languages: tuple[str, ...]
    mix: str
    include_source: bool
    source: str
    drop_stopwords: bool
    translations: int
    seed: int
    shards: int
    unspaced: bool
    treebank: bool
    substring_replace: bool

    def choices(self, side: str) -> tuple[str, ...]:
        """The languages that a text of ``side`` may be switched to, the source language included where drawn."""
        language = self.sides[side]
        if language != MIXED:
            return (language,)
        return (*self.languages, self.source) if self.include_source else self.languages

    @property
    def foreign(self) -> tuple[str, ...]:
        """Every language that a lexicon is needed for, in the order first named."""
        named = dict.fromkeys(language for side in SIDES for language in self.choices(side))
        return tuple(language for language in named if language != self.source)


def read_recipe(recipe: dict[str, Any]) -> Recipe:
    """Check a recipe and fill in defaults.

    ``sides`` is required. Defaults: ``p`` 0.5, ``mix`` ``token``, ``source`` ``en``, ``translations`` 1, ``seed`` 1,
    ``shards`` 1, ``drop_stopwords``, ``unspaced``, ``treebank``, ``substring_replace`` false; ``include_source`` is
    true for ``mix: instance``, else false.

    Raises:
        UserError: an unknown key, a missing side, a value out of its range.
    """
    known = [field.name for field in fields(Recipe)]
    unknown = sorted(set(recipe).difference(known))
    if unknown:
        _fail(unknown[0], "not a key of a recipe", f"use {' '.join(sorted(known))}")
    sides = dict(recipe.get("sides", {}))
    if sorted(sides) != sorted(SIDES):
        _fail("sides", f"{sides!r}", "name a language for 'query' and for 'passage'")
    mix = recipe.get("mix", "token")
    checked = Recipe(
        p=recipe.get("p", 0.5),
        sides=sides,
        languages=tuple(recipe.get("languages", ())),
        mix=mix,
        include_source=recipe.get("include_source", mix == "instance"),
        source=recipe.get("source", "en"),
        drop_stopwords=recipe.get("drop_stopwords", False),
        translations=recipe.get("translations", 1),
        seed=recipe.get("seed", 1),
        shards=recipe.get("shards", 1),
        unspaced=recipe.get("unspaced", False),
        treebank=recipe.get("treebank", False),
        substring_replace=recipe.get("substring_replace", False),
    )
    _check(checked)
    return checked


def _check(recipe: Recipe) -> None:
    if not 0 <= recipe.p <= 1:
        _fail("p", f"{recipe.p!r} is no probability", "give a number from 0 to 1")
    if recipe.mix not in ("token", "instance"):
        _fail("mix", f"{recipe.mix!r}", "use 'token' or 'instance'")
    if MIXED in recipe.sides.values() and not recipe.languages:
        _fail("languages", f"a side is '{MIXED}' but no languages are named", "name the languages it mixes")
    if recipe.substring_replace and (recipe.p < 1 or recipe.treebank or recipe.mix != "instance"):
        _fail("substring_replace", "strings are replaced wherever they are", "set p: 1, mix: instance, no treebank")
    if recipe.source in recipe.languages or MIXED in recipe.languages:
        _fail("languages", f"{list(recipe.languages)!r}", f"name target languages only, not '{recipe.source}' or 'xx'")
    if len(set(recipe.languages)) < len(recipe.languages):
        _fail("languages", f"{list(recipe.languages)!r}", "name each language once")
    for name in ("translations", "shards"):
        if getattr(recipe, name) < 1:
            _fail(name, f"{getattr(recipe, name)!r}", "give a whole number from 1")


def _fail(place: str, problem: str, todo: str) -> NoReturn:
    raise UserError("recipe", place, problem, todo)
