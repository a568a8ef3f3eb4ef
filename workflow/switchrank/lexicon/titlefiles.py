"""Files that link titles across languages: SQL dumps, pages-articles, Wikidata, linguatools, WikiTitles, CLDR names.

Every reader yields (source title, target title) in the order of its file, as the file has them except for underscores.
It counts every pair it finds in ``counts["links"]``, and those it leaves out by reason.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import polars as pl

from switchrank.core.errors import UserError
from switchrank.files.headers import refuse_header
from switchrank.files.reading import byte_lines, read_lines, read_text
from switchrank.files.xml_stream import LANG, read_elements
from switchrank.formats.pages import Site, read_pages
from switchrank.lexicon.dumps import read_blocks

Titles = Iterator[tuple[str, str]]
TitleFormat = Literal["dumps", "pages-articles", "wikidata", "wikidata-labels", "linguatools", "wikititles", "cldr"]

_NAMESPACE = re.compile(
    r"(?:category|template|wikipedia|portal|help|file|image|module|mediawiki|user|draft|book|project|special|talk|"
    r"(?:category|template|wikipedia|portal|help|file|module|user|draft) talk):",
    re.IGNORECASE,
)
_ENTITY_END = (b"}", b"},")
_NO_PAGE = np.iinfo(np.int64).max
"""More than any number of a page."""


@dataclass(frozen=True)
class TitleFiles:
    """What to read for one pair of languages.

    Attributes:
        files: for ``dumps`` the page and the langlinks dump; for ``cldr`` a file of the source and one of the target
            language, in turn; else one file or several of a kind.
        source, target: the codes of the languages, as in the files.
        columns: for ``dumps`` without CREATE TABLE: all columns of ``page`` and ``langlinks`` in their order.
        target_first: for ``wikititles``: the target language is in the first column.
    """

    files: Sequence[str | Path]
    source: str
    target: str
    columns: dict[str, list[str]] = field(default_factory=dict)
    target_first: bool = False


def read_titles(format: TitleFormat, given: TitleFiles, counts: Counter[str]) -> Titles:
    """Yield the title pairs of files of a ``format`` in :data:`READERS`; UserError for a file of another one."""
    if format not in READERS:
        raise UserError("format", "", f"{format!r} is not known", f"write {', '.join(READERS)}")
    return READERS[format](given, counts)


def _dumps(given: TitleFiles, counts: Counter[str]) -> Titles:
    """Titles of articles and what they link to: no redirects, no other namespaces; in the order of the page dump."""
    if len(given.files) != 2:
        raise UserError("files", "", f"{len(given.files)} files", "give the page dump and the langlinks dump")
    page, langlinks = given.files
    links = _links(langlinks, given.target, given.columns.get("langlinks"))
    counts["links"] = counts["no_article"] = len(links)
    pages = np.append(links["page"].to_numpy(), _NO_PAGE)
    columns = ["page_id", "page_namespace", "page_title", "page_is_redirect"]
    for block in read_blocks(page, "page", columns, names=given.columns.get("page"), what="pages"):
        rows = np.flatnonzero(block.equal("page_namespace", 0) & block.equal("page_is_redirect", 0))
        ids = block.numbers("page_id", rows)
        places = np.searchsorted(pages, ids)
        linked = np.flatnonzero(pages[places] == ids)
        counts["no_article"] -= len(linked)
        targets = links["title"].gather(places[linked]).to_list()
        for source, target in zip(block.texts("page_title", rows[linked]), targets, strict=True):
            try:
                yield source.decode().replace("_", " "), target.decode().replace("_", " ")
            except UnicodeDecodeError:
                counts["undecodable"] += 1


def _links(path: str | Path, language: str, names: list[str] | None) -> pl.DataFrame:
    """Pages, ascending and distinct, and the titles, still bytes, they link to in one language."""
    found = [pl.DataFrame(schema={"page": pl.Int64, "title": pl.Binary})]
    columns = ["ll_from", "ll_lang", "ll_title"]
    for block in read_blocks(path, "langlinks", columns, names=names, what="language links"):
        rows = np.flatnonzero(block.equal("ll_lang", language))
        links = {"page": block.numbers("ll_from", rows), "title": block.texts("ll_title", rows)}
        found.append(pl.DataFrame(links, schema=found[0].schema))
    return pl.concat(found).unique("page", keep="first").sort("page")


def _pages_articles(given: TitleFiles, counts: Counter[str]) -> Titles:
    """Articles and the ``[[xx:Title]]`` links in their text, as Wikipedia wrote them until 2013; either language's."""
    for path in given.files:
        site = Site()
        for page in read_pages(path, site, what="pages"):
            if site.language not in (given.source, given.target):
                problem = f"the dump is of language {site.language!r}, not {given.source} or {given.target}"
                raise UserError(path, "", problem, "give the dump of one of the two")
            other = given.target if site.language == given.source else given.source
            found = re.search(rf"\[\[{re.escape(other)}:([^\[\]|#]+)\]\]", page.text)
            if not found:
                continue
            counts["links"] += 1
            if page.namespace or page.redirect:
                counts["no_article"] += 1
                continue
            titles = page.title, found[1].strip().replace("_", " ")
            yield titles if other == given.target else titles[::-1]


def _entities(given: TitleFiles, counts: Counter[str], *, part: str) -> Titles:
    """A Wikidata JSON dump: one entity a line, in an array or not; lines without both names are not parsed."""
    wikis = part == "sitelinks"
    names = [f"{code.replace('-', '_')}wiki" if wikis else code for code in (given.source, given.target)]
    needed = [f'"{name}"'.encode() for name in names]
    for path in given.files:
        for number, line in entity_lines(path):
            if not all(name in line for name in needed):
                continue
            entity = entity_of(path, number, line).get(part)
            sides = [entity.get(name) for name in names] if isinstance(entity, dict) else []
            found = [side.get("title" if wikis else "value") for side in sides if isinstance(side, dict)]
            titles = [title for title in found if isinstance(title, str)]
            if len(titles) < 2:
                continue
            counts["links"] += 1
            if wikis and _NAMESPACE.match(titles[0]):
                counts["no_article"] += 1
                continue
            yield titles[0], titles[1]


def entity_lines(path: str | Path) -> Iterator[tuple[int, bytes]]:
    """Yield number and line of the entities of a Wikidata dump; UserError for other lines, or an array not closed."""
    opened, last = False, b""
    for number, raw in byte_lines(path, what="entities"):
        line = raw.strip()
        if number == 1 and line == b"[":
            opened = True
        elif line not in (b"", b"]"):
            if line[:1] != b"{":
                problem = f"no entity in {line[:40].decode(errors='replace')!r}"
                raise UserError(path, f"line {number}", problem, "give a Wikidata JSON dump: one entity a line")
            yield number, line.removesuffix(b",")
        last = line or last
    if (opened and last != b"]") or not (last == b"]" or last.endswith(_ENTITY_END)):
        raise UserError(path, "", "the file ends inside its array of entities", "download the dump again")


def entity_of(path: str | Path, number: int, line: bytes) -> dict[str, Any]:
    """The entity of a line; UserError if it is not JSON."""
    try:
        entity = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise UserError(path, f"line {number}", f"not JSON ({error})", "download the dump again") from error
    return entity if isinstance(entity, dict) else {}


def _linguatools(given: TitleFiles, counts: Counter[str]) -> Titles:
    for entries in chain.from_iterable(map(translations, given.files)):
        source, target = entries.get(given.source), entries.get(given.target)
        if source and target:
            counts["links"] += 1
            yield source.replace("_", " "), target.replace("_", " ")


def translations(path: str | Path) -> Iterator[dict[str, str]]:
    """Yield the titles by language of each ``<translation><entry lang="de">...</entry>...</translation>``, or raise
    UserError: as :func:`read_elements`, or there is none."""
    element = None
    for element in read_elements(path, ("translation",), what="translations"):
        entries = element.iter("entry")
        yield {e.get("lang") or e.get(LANG) or "": "".join(e.itertext()).strip() for e in entries}
    if element is None:
        raise UserError(path, "", "no <translation> in it", "give a wikititles file of linguatools")


def _wikititles(given: TitleFiles, counts: Counter[str]) -> Titles:
    """Two titles a line with a tab between them and no header."""
    for path in given.files:
        for number, line in read_lines(path, what="titles"):
            if not line.strip():
                continue
            fields = line.split("\t")
            if len(fields) != 2:
                problem = f"{len(fields)} fields between tabs, not 2"
                raise UserError(path, f"line {number}", problem, "give a WikiTitles file: title, tab, title")
            if number == 1:
                refuse_header(path, fields, "leave this line out", words=True)
            counts["links"] += 1
            yield (fields[1], fields[0]) if given.target_first else (fields[0], fields[1])


def _cldr(given: TitleFiles, counts: Counter[str]) -> Titles:
    """Names that both languages have under one key of the same table (territories, languages, scripts, ...)."""
    if len(given.files) % 2:
        raise UserError("files", "", f"{len(given.files)} files", "give each source file with its target file")
    for source, target in list(pairwise(given.files))[::2]:
        tables = cldr_names(source), cldr_names(target)
        for table, names in tables[0].items():
            others = tables[1].get(table, {})
            for key in [key for key in names if key in others]:
                counts["links"] += 1
                yield names[key], others[key]


def cldr_names(path: str | Path) -> dict[str, dict[str, str]]:
    """The tables of a CLDR file ``{"main": {"xx": {"localeDisplayNames": {table: {key: name}}}}}``, else UserError."""
    try:
        (locale,) = json.loads(read_text(path))["main"].values()
        tables = locale["localeDisplayNames"]
        return {t: {k: v for k, v in names.items() if isinstance(v, str)} for t, names in tables.items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = f"no CLDR display names ({type(error).__name__})"
        raise UserError(path, "", problem, "give a file of cldr-localenames, such as territories.json") from error


READERS: dict[TitleFormat, Callable[[TitleFiles, Counter[str]], Titles]] = {
    "dumps": _dumps,
    "pages-articles": _pages_articles,
    "wikidata": partial(_entities, part="sitelinks"),
    "wikidata-labels": partial(_entities, part="labels"),
    "linguatools": _linguatools,
    "wikititles": _wikititles,
    "cldr": _cldr,
}
"""Readers by ``format:`` of a titles lexicon."""
