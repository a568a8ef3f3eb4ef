"""How good lexicons are: their translations against gold dictionaries, as in bilingual lexicon induction."""

from pathlib import Path
from typing import Required, TypedDict

import polars as pl

from switchrank.formats.pairs import read_pairs
from switchrank.formats.tables import LEXICON, QUALITY, read_table, write_table
from switchrank.text.words import key


class LexiconFile(TypedDict):
    """A lexicon table: its name, languages and path."""

    lexicon: str
    src: str
    tgt: str
    path: str


class GoldFile(TypedDict, total=False):
    """A gold dictionary: its name, languages and path, and how :func:`switchrank.formats.pairs.read_pairs` reads it."""

    name: Required[str]
    src: Required[str]
    tgt: Required[str]
    path: Required[str | list[str]]
    format: str
    columns: list[int | str]
    reverse: bool


def lexicon_quality(*, lexicons: list[LexiconFile], gold: list[GoldFile], out: str | Path) -> None:
    """Write the table ``QUALITY``: one row per lexicon and gold dictionary of the same languages, in the order given.

    ``p_at_1``, ``p_at_5``: share of gold source words with a gold translation at rank 1, among ranks 1 to 5.
    ``mrr``: mean of one over the rank of the first gold translation, 0 where the lexicon has none.
    ``coverage``: share of gold source words the lexicon holds; one that it does not hold counts as wrong above.
    ``gold_size``: distinct gold source words. Words are compared as look-up keys. UserError for a missing file.
    """
    dictionaries = [(entry, _translations(entry)) for entry in gold]
    rows = [
        {**lexicon, "gold": entry["name"], **_measures(lexicon["path"], translations)}
        for lexicon in lexicons
        for entry, translations in dictionaries
        if (lexicon["src"], lexicon["tgt"]) == (entry["src"], entry["tgt"])
    ]
    write_table(pl.DataFrame(rows, schema=QUALITY), out, QUALITY)


def _translations(gold: GoldFile) -> dict[str, set[str]]:
    translations: dict[str, set[str]] = {}
    how = gold.get("format", "auto"), gold.get("columns", []), gold.get("reverse", False)
    for source, target in read_pairs(gold["path"], format=how[0], columns=how[1], reverse=how[2]):
        translations.setdefault(source, set()).add(key(target))
    return translations


def _measures(path: str | Path, gold: dict[str, set[str]]) -> dict[str, float | int]:
    table = read_table(path, LEXICON).filter(pl.col("source").is_in(list(gold))).sort("rank", maintain_order=True)
    first: dict[str, int] = {}
    for source, target, rank in table.select("source", "target", "rank").iter_rows():
        if key(target) in gold[source]:
            first.setdefault(source, rank)
    size = len(gold)
    return {
        "p_at_1": sum(rank == 1 for rank in first.values()) / size,
        "p_at_5": sum(rank <= 5 for rank in first.values()) / size,
        "mrr": sum(1 / rank for rank in first.values()) / size,
        "coverage": table["source"].n_unique() / size,
        "gold_size": size,
    }
