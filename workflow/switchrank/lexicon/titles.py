"""Titles as a lexicon: titles of linked articles, and names of one thing, translate each other.

From the SQL dumps of Wikipedia (https://www.mediawiki.org/wiki/Manual:Langlinks_table) this is the dictionary of
Wiki-CS (Litschko, Artemova and Plank 2023, Findings of ACL, section 3), cleaned on both sides.
"""

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import polars as pl
import regex

from switchrank.core.atomic import atomic_path, scratch_folder
from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.lexicon.titlefiles import TitleFiles, TitleFormat, Titles, read_titles
from switchrank.text.equality import lower
from switchrank.text.scripts import letters_of
from switchrank.text.words import key, split_words

HELD = 1 << 17
"""Rows held in memory."""
_ROW_GROUP = 1 << 12
_EVERY = 1 << 6


def spilled(rows: Iterator[tuple[Any, ...]], schema: pl.Schema, folder: Path) -> list[Path]:
    """Write rows to files in an empty folder, :data:`HELD` to a file, each sorted by its column ``source``."""
    files: list[Path] = []
    while held := list(islice(rows, HELD)):
        frame = pl.DataFrame(held, schema=schema, orient="row").sort("source", maintain_order=True)
        files.append(folder / f"rows-{len(files)}.parquet")
        frame.write_parquet(files[-1], row_group_size=_ROW_GROUP, statistics=True)
    return files


def parts_by_source(files: Sequence[Path]) -> Iterator[pl.DataFrame]:
    """Yield the rows of :func:`spilled` in frames of about :data:`HELD`, which follow each other by code points.

    Rows of one source are together, in the order they came.
    """
    scans, source = [pl.scan_parquet(file) for file in files], pl.col("source")
    sample = [scan.select(source.gather_every(_EVERY)).collect()["source"] for scan in scans]
    values = pl.concat([pl.Series(dtype=pl.String), *sample]).sort()
    cuts = (values[len(values) * part // len(files)] for part in range(1, len(files)))
    for low, high in pairwise([None, *dict.fromkeys(cuts), None]) if files else ():
        after = pl.lit(True) if low is None else source > low
        until = pl.lit(True) if high is None else source <= high
        yield pl.concat([scan.filter(after & until).collect() for scan in scans])


_DISAMBIGUATOR = re.compile(r"(?<=\S)\s*\([^()]*\)$")
_NAMESPACE = re.compile(r"[^\s:]+:(?=\S)")
_LETTER = regex.compile(r"\p{L}")
Drop = Literal["equal", "colon", "number", "script"]
"""Pairs left out: equal titles, a colon in one, one without letters, one without its language's script."""
_REASONS = ("no_article", "undecodable", "empty", "too_long", "unmatchable", *get_args(Drop))

Pair = tuple[str, str, bool]
"""Source, target, and whether a disambiguator was cut from the source."""
_PAIRS = pl.Schema({"source": pl.String, "target": pl.String, "cut": pl.Boolean})


def titles_lexicon(
    *,
    files: Sequence[str | Path],
    language: str,
    out: str | Path,
    format: TitleFormat = "dumps",
    source: str = "en",
    columns: dict[str, list[str]] | None = None,
    target_first: bool = False,
    drop: Collection[Drop] = (),
    max_words: int = 3,
    onesided_titles: bool = False,
) -> dict[str, int]:
    """Write the lexicon (``LEXICON``, null scores) from the source language's titles to those of one other language.

    Titles become lower-case text with single spaces, without a disambiguator in round brackets at their end. A target
    of the form ``Word:Rest`` whose source has no colon links into a namespace and gives ``Rest``. The source is the
    look-up keys of its words joined by one space; titles of more than ``max_words`` words and titles with anything but
    white space around their words are left out. Several targets of one source are ranked by how often they were found,
    then those of titles without a disambiguator, then by code points.

    Args:
        files: see :class:`switchrank.lexicon.titlefiles.TitleFiles`, for ``dumps`` the page and the langlinks dump.
        language: target language, as the files name it (ll_lang).
        out: lexicon to write (.parquet).
        format: what the files are (:data:`switchrank.lexicon.titlefiles.READERS`).
        source: source language, as the files name it.
        columns: see :class:`switchrank.lexicon.titlefiles.TitleFiles`.
        target_first: wikititles: target language in the first column.
        drop: kinds of pairs to leave out.
        max_words: longest source title in words.
        onesided_titles: compatibility: clean as the original experiment did: only the target loses what follows its
            first bracket and all but its second colon field, the source is only lower-cased, and of several pairs the
            last wins.

    Returns:
        Counts: ``links`` of the language, ``sources`` and ``rows`` written, and links left out by reason.

    Raises:
        UserError: a file cannot be read, or no pair is left.
    """
    counts: Counter[str] = Counter()
    given = TitleFiles(files, source, language, columns or {}, target_first)
    clean = _Cleaner(source, language, drop, max_words, onesided_titles)
    with scratch_folder(Path(out)) as folder:
        pairs = spilled(clean.pairs(read_titles(format, given, counts), counts), _PAIRS, folder)
        left_out = {reason: counts[reason] for reason in _REASONS}
        shown = {reason: number for reason, number in left_out.items() if number or reason not in get_args(Drop)}
        parts = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in shown.items())
        print(f"{files[-1]}: {counts['links']} links to '{language}', left out: {parts}", file=sys.stderr)
        written = _write(parts_by_source(pairs), Path(out), folder, onesided_titles)
    if not written["rows"]:
        raise UserError(files[-1], f"language '{language}'", "no title pair is left: it covers nothing",
                        "check the language code, and that the files belong together")  # fmt: skip
    return {"links": counts["links"], **written, **left_out}


class _Cleaner:
    def __init__(self, source: str, target: str, drop: Collection[str], max_words: int, onesided: bool) -> None:
        self._target, self._drop, self._max_words, self._onesided = target, drop, max_words, onesided
        self._scripts = [letters_of(code) for code in (source, target)]

    def pairs(self, titles: Titles, counts: Counter[str]) -> Iterator[Pair]:
        for source, target in titles:
            cleaned = self._clean(source, target)
            if isinstance(cleaned, str):
                counts[cleaned] += 1
            else:
                yield cleaned

    def _clean(self, source: str, target: str) -> Pair | str:
        for reason in self._drop:
            if self._is(reason, source, target):
                return reason
        cleaned = (_clean_target if self._onesided else _clean)(source, target, self._target)
        words = cleaned[0].split()
        if not words or not cleaned[1]:
            return "empty"
        if not self._onesided and not _spaced(split_words(cleaned[0])[1]):
            return "unmatchable"
        return "too_long" if len(words) > self._max_words else cleaned

    def _is(self, reason: str, source: str, target: str) -> bool:
        if reason == "equal":
            return key(source) == key(target)
        if reason == "colon":
            return ":" in source or ":" in target
        if reason == "number":
            return not (_LETTER.search(source) and _LETTER.search(target))
        titles = zip(self._scripts, (source, target), strict=True)
        return any(_LETTER.search(title) and not letters.search(title) for letters, title in titles)


def _text(title: str) -> str:
    return " ".join(unicodedata.normalize("NFC", title).split())


def _clean(source: str, target: str, language: str) -> Pair:
    source, target = _text(source), _text(target)
    if ":" not in source:
        target = _NAMESPACE.sub("", target, count=1) if _NAMESPACE.match(target) else target
    short = _DISAMBIGUATOR.sub("", source)
    words, gaps = split_words(short)
    keys = " ".join(map(key, words)) if words and _spaced(gaps) else short
    return keys, _text(lower(_DISAMBIGUATOR.sub("", target), language)), short != source


def _spaced(gaps: list[str]) -> bool:
    return not gaps[0] and not gaps[-1] and all(gap.isspace() for gap in gaps[1:-1])


def _clean_target(source: str, target: str, _: str) -> Pair:
    target = target.lower()
    target = target.split(":")[1] if ":" in target else target
    return source.lower(), target.split("(")[0].strip(), False


def _write(pairs: Iterator[pl.DataFrame], out: Path, folder: Path, last_wins: bool) -> dict[str, int]:
    """Write the lexicon part by part, if there is any pair, and count its sources and rows."""
    parts: list[Path] = []
    sources = rows = 0
    for part in pairs:
        ranked = _ranked(part, last_wins)
        sources, rows = sources + ranked["source"].n_unique(), rows + len(ranked)
        parts.append(folder / f"part-{len(parts)}.parquet")
        write_table(ranked, parts[-1], LEXICON)
    if rows:
        with atomic_path(out) as temporary:
            if len(parts) == 1:
                parts[0].replace(temporary)
            else:
                pl.scan_parquet(parts).sink_parquet(temporary, compression="zstd", statistics=True)
    return {"sources": sources, "rows": rows}


def _ranked(pairs: pl.DataFrame, last_wins: bool) -> pl.DataFrame:
    if last_wins:
        found = pairs.group_by("source", maintain_order=True).last().with_columns(times=pl.lit(1))
    else:
        found = pairs.group_by("source", "target").agg(pl.col("cut").all(), times=pl.len())
    best_first = found.sort("source", "times", "cut", "target", descending=[False, True, False, False])
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("source")
    return best_first.select("source", "target", pl.lit(None, pl.Float32).alias("score"), rank.alias("rank"))
