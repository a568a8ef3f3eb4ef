"""The encyclopaedia of the made-up world: its ``page`` and ``langlinks`` tables as SQL dumps, as Wikimedia has them.

Layouts are those of MediaWiki's schema (www.mediawiki.org/wiki/Manual:Page_table, Manual:Langlinks_table) and of
``mysqldump``: one CREATE TABLE, many rows to an INSERT, backslash escapes. Page titles have underscores and a capital,
link titles have spaces. Beside good pairs there is what real tables hold: redirects, other namespaces, disambiguations,
links to nowhere and links without a title.
"""

import gzip
from collections.abc import Iterator
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from switchrank.core.seeds import generator
from switchrank.sources.world.languages import Language
from switchrank.sources.world.meanings import Meanings

SHARE = {"noun": 0.34, "verb": 0.24, "adj": 0.24}
"""How much of each part of speech has an article."""
TITLE_FORMS = {
    "noun": (("sg", "pl"), (0.8, 0.2)),
    "verb": (("base", "ing", "past"), (0.5, 0.3, 0.2)),
    "adj": (("adj",), (1.0,)),
}
"""The forms that titles take, with their shares: plurals, activities, and works of art named by a verb in the past."""
PARTICLES = 0.8
"""How many function words have an article (or an album named so)."""
PHRASES = 150
"""Articles on an adjective with a noun, or on two nouns."""
LINKED = 0.9
"""Chance that an article has a counterpart in a language that has the word."""
ROWS = 400
"""Rows of one INSERT statement."""

_FIRST = "/*M!999999\\- enable the sandbox mode */ \n"
"""The first line of a dump. Those around its rows are in ``page.sql`` and ``langlinks.sql``."""
_PLACE = "-- rows\n"
_ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", '"': '\\"', "\n": "\\n", "\0": "\\0", "\x1a": "\\Z"})


class Article(NamedTuple):
    """A page: title as shown (spaces), titles in other languages, namespace, and whether it redirects."""

    title: str
    links: dict[str, str]
    namespace: int = 0
    redirect: bool = False


def _quote(text: str) -> str:
    return "'" + text.translate(_ESCAPES) + "'"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


class _Editor:
    def __init__(self, meanings: Meanings, languages: list[Language], seed: int) -> None:
        self._meanings = meanings
        self._languages = languages
        self._random = generator(seed, "world", "titles")

    def _links(self, concepts: list[int], slot: str) -> dict[str, str]:
        """Titles of one article in the languages that have all its words and happen to have the article."""
        links = {}
        for language in self._languages[1:]:
            if self._random.random() < LINKED and all(language.known[concept] for concept in concepts):
                order = concepts if language.rules.adjective_first else concepts[::-1]
                words = [self._word(language, concept, slot) for concept in order]
                links[language.code] = (" " if language.rules.spaced else "").join(words)
        return links

    def _word(self, language: Language, concept: int, slot: str) -> str:
        forms = language.words[concept][0]
        return forms.get(slot) or forms.get("sg") or forms.get("adj") or forms["base"]

    def _title(self, concepts: list[int], slot: str) -> str:
        return _capital(" ".join(self._word(self._languages[0], concept, slot) for concept in concepts))

    def single(self) -> Iterator[Article]:
        """Articles on one concept, some told apart by a parenthesis on one side or both."""
        for number, concept in enumerate(self._meanings.concepts):
            if self._random.random() >= SHARE[concept.kind]:
                continue
            slots, shares = TITLE_FORMS[concept.kind]
            slot = slots[int(self._random.choice(len(slots), p=shares))]
            title, links = self._title([number], slot), self._links([number], slot)
            chance = self._random.random()
            if chance < 0.08:
                title += f" ({concept.theme})"
            if 0.04 < chance < 0.12:
                links = {code: f"{text} ({text})" for code, text in links.items()}
            yield Article(title, links)
            if len(concept.words) > 1:
                yield Article(_capital(concept.words[1].get(slot, "")), {}, redirect=True)

    def particles(self) -> Iterator[Article]:
        for name, word in self._languages[0].particles.items():
            if self._random.random() < PARTICLES:
                said = {language.code: language.particles.get(name) for language in self._languages[1:]}
                yield Article(_capital(word), {code: text for code, text in said.items() if text})

    def phrases(self) -> Iterator[Article]:
        """Articles whose titles have two or three words: an adjective or two with the noun they go with."""
        nouns = self._random.permutation(len(self._meanings.numbers["noun"]))[:PHRASES]
        for row in nouns.tolist():
            noun = int(self._meanings.numbers["noun"][row])
            adjectives = self._meanings.company["adj"][row][: 1 + int(self._random.random() < 0.2)].tolist()
            yield Article(self._title([*adjectives, noun], "sg"), self._links([*adjectives, noun], "sg"))

    def oddities(self) -> Iterator[Article]:
        """Pages that a reader of dumps must survive: quotes, backslashes, long titles, other namespaces, no title."""
        nouns = self._random.permutation(self._meanings.numbers["noun"])[:40].tolist()
        for place, noun in enumerate(nouns):
            title, links = self._title([noun], "sg"), self._links([noun], "sg")
            yield (
                Article(f"{title}'s end", {code: f"{text}'{text}" for code, text in links.items()}),
                Article(f"{title} \\ {title} of all the world", links),
                Article(f'The "{title}" of the old and the new world', links),
                Article(title, links, namespace=14),
                Article(f"{title} in talk", {}, namespace=1),
                Article(f"{title}, unnamed elsewhere", dict.fromkeys(links, "")),
                Article(f"{title}-like", {}, redirect=True),
                Article(f"Infobox {title.lower()}", {}, namespace=10),
            )[place % 8]


def write_dumps(meanings: Meanings, languages: list[Language], *, seed: int, page: Path, links: Path) -> None:
    """Write both tables, gzipped; ``languages`` has English first."""
    editor = _Editor(meanings, languages, seed)
    found: dict[tuple[int, str], Article] = {}
    for article in chain(editor.single(), editor.particles(), editor.phrases(), editor.oddities()):
        found.setdefault((article.namespace, article.title), article)
    pages = list(found.values())
    articles = [pages[place] for place in generator(seed, "world", "pages").permutation(len(pages)).tolist()]
    random = generator(seed, "world", "page_random").random(len(articles)).tolist()
    page_rows, link_rows, number = [], [], 10
    for article, drawn in zip(articles, random, strict=True):
        title = _quote(article.title.replace(" ", "_"))
        page_rows.append(
            f"({number},{article.namespace},{title},{int(article.redirect)},0,{drawn!r},'20250101000000',"
            f"'20250101000000',{number + 1000},{100 + number % 977},'wikitext',NULL)"
        )
        link_rows += [f"({number},{_quote(code)},{_quote(linked)})" for code, linked in sorted(article.links.items())]
        number += 7
    link_rows.append(f"({number},{_quote(languages[1].code)},{_quote('?')})")
    _write(page, "page.sql", page_rows)
    _write(links, "langlinks.sql", link_rows)


def _write(path: Path, template: str, rows: list[str]) -> None:
    before, after = (files(__package__) / template).read_text(encoding="utf-8").split(_PLACE)
    table = template.removesuffix(".sql")
    inserts = [
        f"INSERT INTO `{table}` VALUES {','.join(rows[start : start + ROWS])};\n" for start in range(0, len(rows), ROWS)
    ]
    path.write_bytes(gzip.compress("".join([_FIRST, before, *inserts, after]).encode(), mtime=0))
