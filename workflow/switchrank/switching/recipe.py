"""What a corpus recipe says, checked: which side becomes which language, how often, and how languages mix."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NoReturn

from switchrank.core.errors import UserError

MIXED = "xx"
SIDES = ("query", "passage")


@dataclass(frozen=True)
class Recipe:
    """A corpus recipe; :func:`read_recipe` checks it. What is said of each key is also the help of its option.

    Attributes:
        p: chance that a word is switched, 0 to 1.
        sides: for ``query`` and ``passage``: the source language (left as it is), another language, or ``xx``.
        languages: those an ``xx`` side mixes, in the order in which draws number them.
        mix: draw a language for each switched word (token) or for each text (instance).
        include_source: the source language is one of those drawn, and text that draws it stays as it is; by default
            with ``mix: instance`` only.
        source: language of the texts.
        drop_stopwords: never switch single stop words of the source language.
        translations: draw among this many best.
        seed: seed of the draws.
        shards: number of files.
        unspaced: the texts have no spaces: a replaced word gets one where it touches another word.
        treebank: compatibility: detokenise; token tables made with --treebank.
        substring_replace: compatibility: keys match inside words (needs --p 1 --mix instance).
    """

    p: float = 0.5
    sides: dict[str, str] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    mix: Literal["token", "instance"] = "token"
    include_source: bool | None = None
    source: str = "en"
    drop_stopwords: bool = False
    translations: int = 1
    seed: int = 1
    shards: int = 1
    unspaced: bool = False
    treebank: bool = False
    substring_replace: bool = False

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


def read_recipe(given: dict[str, Any], languages: Sequence[str] = ()) -> Recipe:
    """The recipe with the keys given, ``sides`` among them; UserError for unknown keys or a value out of range.

    Where it does not say which languages an ``xx`` side mixes, they are those of ``languages``.
    """
    known = sorted(field.name for field in fields(Recipe))
    if unknown := sorted(given.keys() - {*known}):
        _fail(unknown[0], "not a key of a recipe", f"use {' '.join(known)}")
    sides = dict(given.get("sides", {}))
    languages = tuple(given.get("languages", languages if MIXED in sides.values() else ()))
    if sorted(sides) != sorted(SIDES):
        _fail("sides", f"{sides!r}", "name a language for 'query' and for 'passage'")
    drawn = given.get("include_source")
    drawn = given.get("mix") == "instance" if drawn is None else drawn
    recipe = Recipe(**{**given, "sides": sides, "languages": languages, "include_source": drawn})
    if not 0 <= recipe.p <= 1:
        _fail("p", f"{recipe.p!r} is no probability", "give a number from 0 to 1")
    if recipe.mix not in ("token", "instance"):
        _fail("mix", f"{recipe.mix!r}", "use 'token' or 'instance'")
    if MIXED in sides.values() and not languages:
        _fail("languages", f"a side is '{MIXED}' but no languages are named", "name the languages it mixes")
    if recipe.substring_replace and (recipe.p < 1 or recipe.treebank or recipe.mix != "instance"):
        _fail("substring_replace", "strings are replaced wherever they are", "set p: 1, mix: instance, no treebank")
    if recipe.source in languages or MIXED in languages:
        _fail("languages", f"{list(languages)!r}", f"name target languages only, not '{recipe.source}' or 'xx'")
    if len(set(languages)) < len(languages):
        _fail("languages", f"{list(languages)!r}", "name each language once")
    for name in ("translations", "shards"):
        if getattr(recipe, name) < 1:
            _fail(name, f"{getattr(recipe, name)!r}", "give a whole number from 1")
    return recipe


def _fail(place: str, problem: str, todo: str) -> NoReturn:
    raise UserError("recipe", place, problem, todo)
