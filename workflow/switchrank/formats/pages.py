"""Wikipedia's pages-articles dumps: title, namespace, redirect and wikitext of every page, streamed.

The format is MediaWiki's XML export in any of its versions (https://www.mediawiki.org/wiki/Help:Export). Of several
revisions the last counts. Dumps before version 0.6 have no ``<ns>``; there the prefix of the title is the namespace.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

from switchrank.core.errors import UserError
from switchrank.files.xml_stream import LANG, read_elements


@dataclass(slots=True)
class Page:
    """A page: ``namespace`` 0 is an article; ``redirect`` is the title it leads to, or empty."""

    title: str
    namespace: int
    redirect: str
    text: str


@dataclass(slots=True)
class Site:
    """What a dump says about its wiki: the language, and the number of each namespace by its lower-case name."""

    language: str = ""
    namespaces: dict[str, int] = field(default_factory=dict)


def read_pages(path: str | Path, site: Site, *, what: str | None = None) -> Iterator[Page]:
    """Yield every page of a dump, and fill in ``site`` before the first; UserError if the file is no such dump."""
    elements = read_elements(path, ("mediawiki", "siteinfo", "page"), what=what)
    root = next(elements, None)
    if root is None or root.tag != "mediawiki":
        raise UserError(path, "", "no MediaWiki export: its root is not <mediawiki>", "give a pages-articles dump")
    site.language = root.get(LANG, "")
    for element in elements:
        if element.tag == "siteinfo":
            spaces = element.findall("namespaces/namespace")
            site.namespaces = {(space.text or "").lower(): _number(space.get("key")) for space in spaces}
        elif element.tag == "page":
            yield _page(element, site)


def _page(element: Element, site: Site) -> Page:
    title = element.findtext("title") or ""
    given = element.findtext("ns")
    prefix, colon, _ = title.partition(":")
    namespace = _number(given) if given is not None else site.namespaces.get(prefix.lower(), 0) if colon else 0
    revisions = element.findall("revision")
    text = (revisions[-1].findtext("text") or "") if revisions else ""
    redirect = element.find("redirect")
    leads = "" if redirect is None else redirect.get("title") or title
    return Page(title, namespace, leads or _redirect(text), text)


def _redirect(text: str) -> str:
    """The target of a redirect in a dump without ``<redirect>``: the text begins with a hash, a word and a link."""
    head = text[:300].lstrip()
    word, bracket, rest = head.partition("[[")
    if not head.startswith("#") or not bracket or not word[1:].strip(" :\t").isalpha():
        return ""
    return rest.partition("]]")[0].partition("|")[0]


def _number(text: str | None) -> int:
    try:
        return int(text or "0")
    except ValueError:
        return 0
