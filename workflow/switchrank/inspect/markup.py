"""XML and SGML: MediaWiki exports, FreeDict TEI, linguatools titles, TREC topics and documents."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from xml.parsers import expat

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import Identities, closed
from switchrank.inspect.source import Source

_TOP = re.compile(rb"<top>", re.IGNORECASE)
_DOC = re.compile(rb"<doc>", re.IGNORECASE)
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)[\s/>]")
_BETWEEN = re.compile(rb"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_NUMBER = re.compile(rb"<num>\s*+(?:Number:\s*+)?([^<\s]++)", re.IGNORECASE)
_TITLE = re.compile(rb"<title>(?:\s*+Topic:)?([^<]*+)", re.IGNORECASE)
_DOCNO = re.compile(rb"<docno>\s*+([^<\s]++)\s*+</docno>", re.IGNORECASE)
_TAG = re.compile(rb"<[^<>]*+>")
_LONGEST = 1 << 24
"""Bytes of a TREC record or of an XML text; a longer one is damage."""


def inspect(source: Source) -> Found | None:
    """What a marked-up file is; nothing where it does not start with a tag."""
    head = source.head.lstrip()
    if not source.is_text or not head.startswith(b"<"):
        return None
    if _TOP.search(head[:4096]):
        return _topics(source)
    if _DOC.search(head[:4096]) and _DOCNO.search(head[:65536]):
        return _documents(source)
    root = _ROOT.search(_BETWEEN.sub(b"", head[:8192]))
    name = root[1].decode("ascii", "replace").rpartition(":")[2] if root else ""
    if name == "mediawiki":
        return _wiki(source)
    if name in {"TEI", "TEI.2"}:
        return _tei(source)
    if name in {"wikipediaTitles", "translations", "translation", "parallel_titles", "wikititles"} or (
        b"<translation" in head and b"<entry" in head
    ):
        return _linguatools(source)
    return None


def _records(source: Source, end: bytes) -> Iterator[bytes]:
    """Pieces of a file up to and with the tag ``end``, whatever its case; what is left is the last piece."""
    mark, waiting = re.compile(re.escape(end), re.IGNORECASE), b""
    for chunk in source.chunks():
        waiting += chunk
        at = 0
        for found in mark.finditer(waiting):
            yield waiting[at : found.end()]
            at = found.end()
        waiting = waiting[at:]
        if len(waiting) > _LONGEST:
            source.damage = f"a record is longer than {_LONGEST >> 20} MB"
            return
    if waiting.strip():
        yield waiting


def _topics(source: Source) -> Found:
    found = Found("trec-topics", "TREC topics: <top>, <num>, <title>", "queries", fields=["num", "title"])
    problems, identities = Problems(), Identities()
    texts: list[str] = []
    for record in _records(source, b"</top>"):
        if not _TOP.search(record):
            continue
        number, title = _NUMBER.search(record), _TITLE.search(record)
        place = found.rows + 1
        if not number or not record.rstrip().lower().endswith(b"</top>"):
            problems.add("topics without a number or an end", place)
            continue
        text = " ".join(title[1].decode("utf-8", "replace").split()) if title else ""
        if not text:
            problems.add("topics without a title", place)
        found.rows += 1
        identities.add(number[1], place)
        texts.append(text)
        if found.rows <= SAMPLES:
            found.samples.append(shorten(f"{number[1].decode('utf-8', 'replace')} | {text}"))
    return _sgml(found, source, problems, identities, texts)


def _documents(source: Source) -> Found:
    found = Found("trec-documents", "TREC documents: <DOC>, <DOCNO>, text", "documents", fields=["DOCNO", "text"])
    problems, identities = Problems(), Identities()
    texts: list[str] = []
    for record in _records(source, b"</doc>"):
        if not _DOC.search(record):
            continue
        number, place = _DOCNO.search(record), found.rows + 1
        if not number or not record.rstrip().lower().endswith(b"</doc>"):
            problems.add("documents without a DOCNO or an end", place)
            continue
        text = " ".join(_TAG.sub(b" ", _DOCNO.sub(b"", record)).decode("utf-8", "replace").split())
        if not text:
            problems.add("documents without text", place)
        found.rows += 1
        identities.add(number[1], place)
        if len(texts) < 200:
            texts.append(text[:500])
        if found.rows <= SAMPLES:
            found.samples.append(shorten(f"{number[1].decode('utf-8', 'replace')} | {text}"))
    return _sgml(found, source, problems, identities, texts)


def _sgml(found: Found, source: Source, problems: Problems, identities: Identities, texts: list[str]) -> Found:
    found.problems += [told.replace("line", "record") for told in problems.told()]
    again, places = identities.repeats()
    if again:
        found.problems.append(f"{again:,} ids come again (record {', '.join(map(str, places))})")
    found.languages, found.scripts = languages.from_name(source.path), languages.scripts(texts)
    return closed(found, source)


class _Xml:
    """Counts elements of XML as it streams. Entities are never declared, so none can grow.

    Attributes:
        counts: elements by local name.
        attributes: values of attributes by ``element@attribute``.
        texts: text of the elements that are wanted, the first of each.
    """

    def __init__(self, wanted: set[str], valued: set[str]) -> None:
        self.counts: Counter[str] = Counter()
        self.attributes: dict[str, Counter[str]] = {}
        self.texts: dict[str, list[str]] = {name: [] for name in wanted}
        self.tally: Counter[str] = Counter()
        self.problem = ""
        self._valued, self._open, self._pieces, self._size = valued, "", [""], 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._entity

    def feed(self, source: Source) -> None:
        """Read all of ``source``."""
        try:
            for number, chunk in enumerate(source.chunks()):
                self._parser.Parse(_declared(chunk) if not number else chunk, False)
            if not source.stopped and not source.damage:
                self._parser.Parse(b"", True)
        except expat.ExpatError as error:
            self.problem = f"not well-formed XML ({expat.ErrorString(error.code)}, line {error.lineno})"
        except _EntityError:
            self.problem = "declares entities, which are not read"

    def _entity(self, *_: object) -> None:
        raise _EntityError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        self.counts[name] += 1
        for attribute, value in attributes.items():
            place = f"{name}@{attribute}"
            if place in self._valued:
                self.attributes.setdefault(place, Counter())[value[:40]] += 1
        if name in self.texts:
            self._open, self._pieces, self._size = name, [], 0

    def _data(self, text: str) -> None:
        if self._open and self._size < 2000:
            self._pieces.append(text)
            self._size += len(text)

    def _end(self, name: str) -> None:
        name = name.rpartition(":")[2]
        if name == self._open:
            text = " ".join("".join(self._pieces).split())
            if len(self.texts[name]) < 300:
                self.texts[name].append(text)
            if name == "ns":
                self.tally[text[:10]] += 1
            self._open = ""


class _EntityError(Exception):
    """An entity was declared."""


def _declared(chunk: bytes) -> bytes:
    """The first chunk without its declaration of an encoding: all chunks are UTF-8 here."""
    return re.sub(rb"^\s*<\?xml[^>]*\?>", lambda match: b"\n" * match[0].count(b"\n"), chunk, count=1)


def _wiki(source: Source) -> Found:
    xml = _Xml({"title", "ns", "dbname"}, {"mediawiki@xml:lang", "mediawiki@version"})
    xml.feed(source)
    found = Found("pages-articles", "an XML export of MediaWiki (pages-articles)", "pages", xml.counts["page"])
    found.counts = {"in namespace 0": xml.tally["0"], "redirects": xml.counts["redirect"]}
    found.languages = languages.codes(xml.attributes.get("mediawiki@xml:lang", {}))
    found.samples = [shorten(title) for title in xml.texts["title"][:SAMPLES]]
    found.scripts = languages.scripts(xml.texts["title"])
    return _xml(found, source, xml)


def _tei(source: Source) -> Found:
    valued = {f"{name}@xml:lang" for name in ("form", "cit", "quote", "def", "orth", "text", "body")}
    xml = _Xml({"orth", "title", "def", "quote"}, valued)
    xml.feed(source)
    found = Found("tei", "a FreeDict dictionary (TEI XML)", "entries", xml.counts["entry"])
    found.counts = {"senses": xml.counts["sense"]}
    titled = re.findall(r"\b([A-Z][a-z]+)-([A-Z][a-z]+)\b", " ".join(xml.texts["title"][:3]))
    sides = [code for code in map(_named_language, titled[0]) if code] if titled else []
    marked = languages.codes(value for counted in xml.attributes.values() for value, _ in counted.most_common())
    found.languages = languages.from_name(source.path) or sides or marked
    if titled:
        found.notes.append(f"the title says {titled[0][0]} to {titled[0][1]}")
    meanings = xml.texts["def"] or xml.texts["quote"]
    pairs = zip(xml.texts["orth"], meanings, strict=False)
    found.samples = [shorten(f"{word} | {meaning}") for word, meaning in list(pairs)[:SAMPLES]]
    found.scripts = languages.scripts(xml.texts["orth"])
    if not found.rows:
        found.problems.append("holds no entry")
    return _xml(found, source, xml)


def _named_language(name: str) -> str:
    """The code of a language that is called by its English name in a title."""
    return _ENGLISH.get(name, "")


_ENGLISH = {
    "English": "en", "Swahili": "sw", "German": "de", "French": "fr", "Spanish": "es", "Italian": "it",
    "Portuguese": "pt", "Dutch": "nl", "Russian": "ru", "Turkish": "tr", "Arabic": "ar", "Hindi": "hi",
    "Finnish": "fi", "Croatian": "hr", "Czech": "cs", "Greek": "el", "Polish": "pl", "Swedish": "sv",
    "Japanese": "ja", "Chinese": "zh", "Hungarian": "hu", "Welsh": "cy", "Irish": "ga", "Latin": "la",
    "Danish": "da", "Norwegian": "no", "Afrikaans": "af", "Hausa": "ha", "Kurdish": "ku", "Catalan": "ca",
}  # fmt: skip


def _linguatools(source: Source) -> Found:
    xml = _Xml({"entry"}, {"entry@lang"})
    xml.feed(source)
    found = Found("linguatools", "parallel titles of Wikipedia (linguatools XML)", "pairs", xml.counts["translation"])
    found.languages = languages.codes(xml.attributes.get("entry@lang", {}))
    entries = xml.texts["entry"]
    pairs = zip(entries[::2], entries[1::2], strict=False)
    found.samples = [shorten(f"{one} | {other}") for one, other in list(pairs)[:SAMPLES]]
    found.scripts = languages.scripts(entries)
    return _xml(found, source, xml)


def _xml(found: Found, source: Source, xml: _Xml) -> Found:
    if xml.problem:
        found.problems.append(xml.problem)
    return closed(found, source)
