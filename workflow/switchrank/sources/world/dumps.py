"""The encyclopaedia of the made-up world: its ``page`` and ``langlinks`` tables as the SQL dumps Wikimedia publishes.

Table layouts are those of MediaWiki's published schema (www.mediawiki.org/wiki/Manual:Page_table and
Manual:Langlinks_table), the file layout that of ``mysqldump``: one CREATE TABLE, many rows to an INSERT, backslash
escapes. Page titles have underscores and a capital, link titles have spaces. The tables hold what real ones hold
besides good pairs: redirects, other namespaces, disambiguations, links to nowhere and links without a title.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

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

_PAGE_COLUMNS = """\
  `page_id` int(8) unsigned NOT NULL AUTO_INCREMENT,
  `page_namespace` int(11) NOT NULL DEFAULT 0,
  `page_title` varbinary(255) NOT NULL DEFAULT '',
  `page_is_redirect` tinyint(1) unsigned NOT NULL DEFAULT 0,
  `page_is_new` tinyint(1) unsigned NOT NULL DEFAULT 0,
  `page_random` double unsigned NOT NULL DEFAULT 0,
  `page_touched` binary(14) NOT NULL,
  `page_links_updated` varbinary(14) DEFAULT NULL,
  `page_latest` int(8) unsigned NOT NULL DEFAULT 0,
  `page_len` int(8) unsigned NOT NULL DEFAULT 0,
  `page_content_model` varbinary(32) DEFAULT NULL,
  `page_lang` varbinary(35) DEFAULT NULL,
  PRIMARY KEY (`page_id`),
  UNIQUE KEY `page_name_title` (`page_namespace`,`page_title`),
  KEY `page_random` (`page_random`),
  KEY `page_len` (`page_len`),
  KEY `page_redirect_namespace_len` (`page_is_redirect`,`page_namespace`,`page_len`)"""
_LINK_COLUMNS = """\
  `ll_from` int(8) unsigned NOT NULL DEFAULT 0,
  `ll_lang` varbinary(35) NOT NULL DEFAULT '',
  `ll_title` varbinary(255) NOT NULL DEFAULT '',
  PRIMARY KEY (`ll_from`,`ll_lang`),
  KEY `ll_lang` (`ll_lang`,`ll_title`)"""
_HEAD = """\
/*M!999999\\- enable the sandbox mode */\x20
-- MariaDB dump 10.19  Distrib 10.11.11-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: enwiki
-- ------------------------------------------------------
-- Server version\t10.11.11-MariaDB-log

/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */;
/*!40101 SET NAMES utf8mb4 */;
/*!40014 SET @OLD_UNIQUE_CHECKS=@@UNIQUE_CHECKS, UNIQUE_CHECKS=0 */;
/*!40014 SET @OLD_FOREIGN_KEY_CHECKS=@@FOREIGN_KEY_CHECKS, FOREIGN_KEY_CHECKS=0 */;

--
-- Table structure for table `{table}`
--

DROP TABLE IF EXISTS `{table}`;
/*!40101 SET @saved_cs_client     = @@character_set_client */;
/*!40101 SET character_set_client = utf8mb4 */;
CREATE TABLE `{table}` (
{columns}
) ENGINE=InnoDB DEFAULT CHARSET=binary;
/*!40101 SET character_set_client = @saved_cs_client */;

--
-- Dumping data for table `{table}`
--

/*!40000 ALTER TABLE `{table}` DISABLE KEYS */;
"""
_TAIL = """\
/*!40000 ALTER TABLE `{table}` ENABLE KEYS */;

/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */;
/*!40014 SET UNIQUE_CHECKS=@OLD_UNIQUE_CHECKS */;
/*!40101 SET CHARACTER_SET_CLIENT=@OLD_CHARACTER_SET_CLIENT */;

-- Dump completed on 2025-01-01  0:00:00
"""
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
    """Chooses what has an article and what it is called."""

    def __init__(self, meanings: Meanings, languages: list[Language], seed: int) -> None:
        self._meanings = meanings
        self._languages = languages
        self._random = generator(seed, "world", "titles")

    def _links(self, concepts: list[int], slot: str) -> dict[str, str]:
        """Titles of one article in the languages that have all its words and happen to have the article."""
        links = {}
        for language in self._languages[1:]:
            if self._random.random() < LINKED and all(language.known[concept] for concept in concepts):
                order = concepts if language.adjective_first else concepts[::-1]
                words = [self._word(language, concept, slot) for concept in order]
                links[language.code] = (" " if language.spaced else "").join(words)
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
        """Articles on function words."""
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


def _articles(meanings: Meanings, languages: list[Language], seed: int) -> list[Article]:
    """All pages in the order of their numbers; of two pages with one title the first stays."""
    editor = _Editor(meanings, languages, seed)
    found: dict[tuple[int, str], Article] = {}
    for source in (editor.single(), editor.particles(), editor.phrases(), editor.oddities()):
        for article in source:
            found.setdefault((article.namespace, article.title), article)
    pages = list(found.values())
    return [pages[place] for place in generator(seed, "world", "pages").permutation(len(pages)).tolist()]


def _write(path: Path, table: str, columns: str, rows: Iterable[str]) -> None:
    values = list(rows)
    parts = [_HEAD.format(table=table, columns=columns)]
    for start in range(0, len(values), ROWS):
        parts.append(f"INSERT INTO `{table}` VALUES {','.join(values[start : start + ROWS])};\n")
    parts.append(_TAIL.format(table=table))
    path.write_bytes(gzip.compress("".join(parts).encode(), mtime=0))


def _page_row(number: int, article: Article, random: float) -> str:
    title = _quote(article.title.replace(" ", "_"))
    return (
        f"({number},{article.namespace},{title},{int(article.redirect)},0,{random!r},'20250101000000',"
        f"'20250101000000',{number + 1000},{100 + number % 977},'wikitext',NULL)"
    )


def write_dumps(meanings: Meanings, languages: list[Language], *, seed: int, page: Path, links: Path) -> None:
    """Write both tables, gzipped; ``languages`` has English first."""
    articles = _articles(meanings, languages, seed)
    spread: np.random.Generator = generator(seed, "world", "page_random")
    numbers = (np.arange(len(articles)) * 7 + 10).tolist()
    random = spread.random(len(articles)).tolist()
    pages = [_page_row(*row) for row in zip(numbers, articles, random, strict=True)]
    _write(page, "page", _PAGE_COLUMNS, pages)
    rows = [
        f"({number},{_quote(code)},{_quote(title)})"
        for number, article in zip(numbers, articles, strict=True)
        for code, title in sorted(article.links.items())
    ]
    rows.append(f"({numbers[-1] + 7},{_quote(languages[1].code)},{_quote('?')})")
    _write(links, "langlinks", _LINK_COLUMNS, rows)
