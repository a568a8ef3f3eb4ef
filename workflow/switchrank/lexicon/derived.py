"""Lexicons from pairs, or from other lexicons: several merged, or one made worse on purpose."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.formats.tables import LEXICON, read_table, write_table


def write_ranked(pairs: pl.DataFrame, out: str | Path) -> dict[str, int]:
    """Write columns ``source``, ``target``, ``score`` as a lexicon (``LEXICON``), and count its ``words`` and ``rows``.

    Words are in order of their first appearance, their translations ranked as they come.
    """
    order = pairs.select(pl.col("source").unique(maintain_order=True)).with_row_index("place")
    ranked = pairs.with_columns(pl.int_range(1, pl.len() + 1).over("source").alias("rank"))
    table = ranked.join(order, on="source", how="left", maintain_order="left").sort("place", "rank")
    write_table(table, out, LEXICON)
    return {"words": len(order), "rows": len(table)}


def merge_lexicons(*, lexicons: Sequence[str | Path], out: str | Path) -> dict[str, int]:
    """Write one lexicon (``LEXICON``) of several: each word has the translations of the first, then those of the next.

    Args:
        lexicons: lexicons (.parquet), the most trusted first; a translation that several have keeps its first place.
        out: lexicon to write (.parquet), with new ranks; scores of different kinds of lexicons are not comparable.

    Returns:
        ``{"words": distinct sources, "rows": rows}``.

    Raises:
        UserError: a lexicon is missing or not a lexicon.
    """
    stacked = pl.concat(read_table(lexicon, LEXICON) for lexicon in lexicons)
    kept = stacked.unique(["source", "target"], keep="first", maintain_order=True)
    return write_ranked(kept.select("source", "target", "score"), out)


def degrade_lexicon(
    *, lexicon: str | Path, share: float, out: str | Path, seed: int = 1, language: str = ""
) -> dict[str, int]:
    """Write ``lexicon`` with the translations of a share of its source words exchanged among them.

    The words are the first of a seeded permutation, so that a larger share includes a smaller one; each gets the
    translations of the next: none keeps its own, and coverage stays the same.

    Args:
        lexicon: lexicon (.parquet).
        share: of its words, 0 to 1, that get another word's translations; fewer than two words change nothing.
        out: lexicon to write (.parquet).
        seed: seed of the draw.
        language: key of the draw, so that languages differ.

    Returns:
        ``{"words": source words, "changed": how many got other translations}``.

    Raises:
        UserError: the lexicon is missing or not a lexicon, or ``share`` is not from 0 to 1.
    """
    if not 0 <= share <= 1:
        raise UserError(out, "share", f"{share}", "write a number from 0 to 1")
    rows = read_table(lexicon, LEXICON)
    sources = rows["source"].unique(maintain_order=True)
    count = round(share * len(sources))
    chosen = generator(seed, "degrade", language).permutation(len(sources))[:count]
    gets = np.arange(len(sources))
    gets[np.roll(chosen, 1)] = chosen
    renamed = pl.DataFrame({"source": sources, "new": sources.gather(gets), "place": gets})
    moved = rows.join(renamed, on="source", maintain_order="left").sort("place", maintain_order=True)
    write_table(moved.with_columns(source="new"), out, LEXICON)
    return {"words": len(sources), "changed": count if count > 1 else 0}
