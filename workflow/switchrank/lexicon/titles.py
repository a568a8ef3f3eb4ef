"""Titles as a lexicon: Wikipedia articles linked across languages translate each other's names.

The English ``page`` dump names the articles, the English ``langlinks`` dump their counterparts. Both titles are
cleaned the same way, and of the English side only word sequences are kept that a text can match at its word
boundaries. This is the dictionary of Wiki-CS (Litschko, Artemova and Plank 2023, Findings of ACL, section 3), read
from the current SQL dumps (https://www.mediawiki.org/wiki/Manual:Langlinks_table) and cleaned on both sides.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.lexicon.dumps import read_blocks
from switchrank.progress import progress
from switchrank.words import key, split_words

_DISAMBIGUATOR = re.compile(r"(?<=\S)\s*\([^()]*\)$")
_NAMESPACE = re.compile(r"[^\s:]+:(?=\S)")

Pair = tuple[str, str, bool]
"""Source, target, and whether a disambiguator was cut from the source."""
Found = dict[str, Counter[str]]
"""Source to how often each target was found."""


def titles_lexicon(
    *,
    page: str | Path,
    langlinks: str | Path,
    language: str,
    out: str | Path,
    max_words: int = 3,
    onesided_titles: bool = False,
) -> dict[str, int]:
    """Write the lexicon (``LEXICON``, null scores) from English titles to those of one language.

    Articles only (namespace 0), no redirects. Titles become lower-case text with single spaces, without a
    disambiguator in round brackets at their end. A target of the form ``Word:Rest`` whose source has no colon links
    into a namespace and gives ``Rest``; colons of articles (``Star Trek: Voyager``) stay. The source is the look-up
    keys of its words joined by one space; titles of more than ``max_words`` words and titles with anything but white
    space around their words cannot be matched and are left out. Identical pairs (names) stay. Several targets of one
    source are ranked by how often they were found, then those of titles without a disambiguator, then by code points.

    Args:
        page, langlinks: ``enwiki-...-page.sql.gz`` and ``enwiki-...-langlinks.sql.gz`` of one day, packed or not.
        language: the other language as ``ll_lang`` writes it (``de``, ``zh``, ``simple``).
        out: the parquet file.
        max_words: longest source kept.
        onesided_titles: clean as the original experiment did: only the target loses what follows its first bracket
            and all but its second colon field, the source is only lower-cased, and the last of several pairs wins.

    Returns:
        Counts: ``links`` of the language, ``sources`` and ``rows`` written, and links left out as ``no_article``
        ``undecodable`` ``empty`` ``too_long`` ``unmatchable``; those left out are also told on standard error.

    Raises:
        UserError: a dump cannot be read (see :func:`switchrank.lexicon.dumps.read_blocks`), or no pair is left.
    """
    clean = _clean_one_side if onesided_titles else _clean
    counts: Counter[str] = Counter()
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    plain: set[tuple[str, str]] = set()
    for raw_source, raw_target in _linked_titles(page, langlinks, language, counts):
        try:
            titles = raw_source.decode().replace("_", " "), raw_target.decode().replace("_", " ")
        except UnicodeDecodeError:
            counts["undecodable"] += 1
            continue
        source, target, cut = clean(*titles)
        reason = "empty" if not source.strip() or not target else _unmatchable(source, max_words, onesided_titles)
        if reason:
            counts[reason] += 1
            continue
        if onesided_titles:
            found[source].clear()
        found[source][target] += 1
        if not cut:
            plain.add((source, target))
    _tell(langlinks, language, counts)
    if not found:
        raise UserError(langlinks, f"ll_lang '{language}'", "no title pair is left: it covers nothing",
                        "check the language code, and that both dumps are of one wiki and day")  # fmt: skip
    rows = list(_ranked(found, plain))
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), out, LEXICON)
    return {"links": counts["links"], "sources": len(found), "rows": len(rows), **_left_out(counts)}


def _linked_titles(
    page: str | Path, langlinks: str | Path, language: str, counts: Counter[str]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield (English title, other title) of the articles in the order of the page dump."""
    ids, targets = _links(langlinks, language)
    counts["links"] = counts["no_article"] = len(ids)
    columns = ["page_id", "page_namespace", "page_title", "page_is_redirect"]
    for block in progress(read_blocks(page, "page", columns), what="pages", unit="blocks"):
        rows = np.flatnonzero(block.equal("page_namespace", 0) & block.equal("page_is_redirect", 0))
        numbers = block.numbers("page_id", rows)
        at = np.searchsorted(ids, numbers)
        linked = np.flatnonzero(ids[np.minimum(at, len(ids) - 1)] == numbers) if len(ids) else at[:0]
        counts["no_article"] -= len(linked)
        for source, number in zip(block.texts("page_title", rows[linked]), at[linked].tolist(), strict=True):
            yield source, targets[number]


def _links(langlinks: str | Path, language: str) -> tuple[NDArray[np.int64], list[bytes]]:
    """Page ids, ascending and distinct, and the titles they link to in ``language``."""
    ids, titles = [np.empty(0, dtype=np.int64)], []
    columns = ["ll_from", "ll_lang", "ll_title"]
    for block in progress(read_blocks(langlinks, "langlinks", columns), what="language links", unit="blocks"):
        rows = np.flatnonzero(block.equal("ll_lang", language))
        ids.append(block.numbers("ll_from", rows))
        titles += block.texts("ll_title", rows)
    distinct, first = np.unique(np.concatenate(ids), return_index=True)
    return distinct, [titles[number] for number in first.tolist()]


def _text(title: str) -> str:
    return " ".join(unicodedata.normalize("NFC", title).split())


def _clean(source: str, target: str) -> Pair:
    source, target = _text(source), _text(target)
    if ":" not in source:
        target = _NAMESPACE.sub("", target, count=1) if _NAMESPACE.match(target) else target
    short = _DISAMBIGUATOR.sub("", source)
    words, gaps = split_words(short)
    keys = " ".join(map(key, words)) if words and _spaced(gaps) else short
    return keys, _text(_DISAMBIGUATOR.sub("", target).lower()), short != source


def _spaced(gaps: list[str]) -> bool:
    return not gaps[0] and not gaps[-1] and all(gap.isspace() for gap in gaps[1:-1])


def _clean_one_side(source: str, target: str) -> Pair:
    target = target.lower()
    target = target.split(":")[1] if ":" in target else target
    return source.lower(), target.split("(")[0].strip(), False


def _unmatchable(source: str, max_words: int, onesided_titles: bool) -> str:
    if not onesided_titles and not _spaced(split_words(source)[1]):
        return "unmatchable"
    return "too_long" if len(source.split()) > max_words else ""


def _ranked(found: Found, plain: set[tuple[str, str]]) -> Iterator[tuple[str, str, None, int]]:
    for source in sorted(found):
        targets = found[source]
        best_first = sorted(targets, key=lambda target: (-targets[target], (source, target) not in plain, target))
        for rank, target in enumerate(best_first, start=1):
            yield source, target, None, rank


def _left_out(counts: Counter[str]) -> dict[str, int]:
    return {reason: counts[reason] for reason in ("no_article", "undecodable", "empty", "too_long", "unmatchable")}


def _tell(langlinks: str | Path, language: str, counts: Counter[str]) -> None:
    left_out = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in _left_out(counts).items())
    print(f"{langlinks}: {counts['links']} links to '{language}', left out: {left_out}", file=sys.stderr)
