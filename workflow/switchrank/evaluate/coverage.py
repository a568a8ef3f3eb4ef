"""Lexicon coverage: how many words of the test texts a lexicon can put into training, and how many words of the
training text it translates."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NotRequired

import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats import tables
from switchrank.text.splitting import language_splitter
from switchrank.text.words import Splitter, key

SAMPLE = 2000
"""Documents that are looked at in each language of a test set, the first by docid."""
Row = tuple[str, str, str, str, int, int]
"""A row of COVERAGE without its share."""


class TestedTexts(TypedDict):
    """The texts of one side of a test set in one language.

    ``chosen`` are tables of the ids that count: JUDGEMENTS for ``side: query``, CANDIDATES for ``side: document``;
    none means all. ``draw`` says which texts of a mixed pool are in the language (DRAW).
    """

    testset: str
    side: str
    texts: str
    chosen: list[str]
    draw: NotRequired[str]


class TestedLanguage(TypedDict):
    """A language: lexicons into it by name, the test texts in it, and a vector store that cuts unspaced text."""

    lang: str
    lexicons: dict[str, str]
    texts: list[TestedTexts]
    vocabulary: NotRequired[str]


class Trained(TypedDict):
    """A corpus that a lexicon switched to a language: the ``stats.json`` of each of its training pairs."""

    lexicon: str
    lang: str
    corpus: str
    stats: list[str]


def coverage_table(*, languages: list[TestedLanguage], out: str | Path, training: Sequence[Trained] = ()) -> None:
    """Write COVERAGE, sorted by lexicon and language, within them in the order given.

    Words are look-up keys (:func:`switchrank.text.words.key`), cut as BM25 cuts the language. A word of a test text is
    covered if it is a word of some target. Queries count if they have a positive judgement, documents if they are a
    candidate, at most :data:`SAMPLE` of them.

    Args:
        languages: JSON list of lexicons and test texts; see below.
        out: table to write (.csv or .parquet).
        training: JSON list of corpora, see below; ``words`` are then the source language's content words on the sides
            that the language is switched in on, once per instance, and ``covered`` those with a translation of their
            own. One whose statistics do not count them has no row.

    Raises:
        UserError: a table or statistics file is missing or unreadable.
    """
    rows: list[Row] = []
    for language in progress(languages, what="lexicon coverage", unit="languages"):
        rows += _language_rows(language)
    for corpus in training:
        counts = [count for path in corpus["stats"] if (count := _trained(path, corpus["lang"])) is not None]
        if counts:
            words, covered = (sum(column) for column in zip(*counts, strict=True))
            rows.append((corpus["lexicon"], corpus["lang"], corpus["corpus"], "training", words, covered))
    shares = [(*row, row[-1] / row[-2] if row[-2] else None) for row in rows]
    table = pl.DataFrame(shares, schema=pl.Schema(tables.COVERAGE), orient="row")
    tables.write_table(table.sort("lexicon", "lang", maintain_order=True), out, tables.COVERAGE)


def _language_rows(language: TestedLanguage) -> list[Row]:
    split = language_splitter(language.get("vocabulary"))
    targets = {}
    for name, path in language["lexicons"].items():
        found = tables.read_table(path, tables.LEXICON)["target"].unique(maintain_order=True)
        shown = progress(found, what=f"targets of {Path(path).name}", unit="targets")
        targets[name] = running_words(shown, split).select("key")
    rows = []
    for part in language["texts"]:
        counts = running_words(_texts(part, language["lang"]), split)
        words = int(counts["words"].sum())
        for lexicon, known in targets.items():
            covered = int(counts.join(known, on="key", how="semi")["words"].sum())
            rows.append((lexicon, language["lang"], part["testset"], part["side"], words, covered))
    return rows


def running_words(texts: Iterable[str], split: Splitter) -> pl.DataFrame:
    """Columns ``key`` (a look-up key) and ``words`` (how often it occurs), one row per key."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(split(text)[0])
    keyed = [(key(word), count) for word, count in counts.items()]
    spelt = pl.DataFrame(keyed, schema={"key": pl.String, "words": pl.Int64}, orient="row")
    return spelt.group_by("key", maintain_order=True).agg(pl.col("words").sum())


def _texts(part: TestedTexts, lang: str) -> pl.Series:
    asked = part["side"] == "query"
    schema, name = (tables.QUERIES, "qid") if asked else (tables.DOCUMENTS, "docid")
    every = texts = tables.scan_table(part["texts"], schema)
    if "draw" in part:
        drawn = tables.scan_table(part["draw"], tables.DRAW).filter(lang=lang)
        texts = texts.join(drawn, left_on=name, right_on="id", how="semi")
    if part["chosen"]:
        choice, counts = (tables.JUDGEMENTS, pl.col("relevance") > 0) if asked else (tables.CANDIDATES, True)
        chosen = [tables.scan_table(path, choice).filter(counts).select(name) for path in part["chosen"]]
        texts = texts.join(pl.concat(chosen).unique(), on=name, how="semi")
    if not asked:
        first = texts.select(name).sort(name).head(SAMPLE).collect(engine="streaming")
        texts = every.join(first.lazy(), on=name, how="semi")
    return texts.select("text").collect(engine="streaming")["text"]


def _trained(path: str, lang: str) -> tuple[int, int] | None:
    """Content words of the sides that ``lang`` is switched in on, and those covered; None where nobody counted."""
    try:
        stats = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(path, "", f"not readable statistics ({error})", "rerun the corpus stage") from error
    sides = [stats[side] for side in ("query", "passage") if lang in stats.get(side, {}).get("languages", {})]
    if not sides or any("covered" not in side["languages"][lang] for side in sides):
        return None
    return sum(side["content_tokens"] for side in sides), sum(side["languages"][lang]["covered"] for side in sides)
