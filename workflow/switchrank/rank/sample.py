"""Which queries a test set asks: all that have a judgement in every document language, or a seeded sample of them."""

import hashlib
from pathlib import Path

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, read_table, write_table


def sample_judgements(
    *, judgements: list[str | Path], chosen: int, out: str | Path, queries: int | None = None, seed: int = 1
) -> None:
    """Write the JUDGEMENTS of one document language, cut to the queries of the test set.

    Queries count when every document language has a relevant document for them. A sample takes the ``queries`` with the
    smallest SHA-256 of seed and id, so it is the same in every pair, and nested. Raises UserError where fewer are
    judged in all languages, or none is.

    Args:
        judgements: JUDGEMENTS tables of all document languages of the test set.
        chosen: position in ``judgements`` of the language to write.
    """
    tables = [read_table(path, JUDGEMENTS) for path in judgements]
    relevant = [set(table.filter(pl.col("relevance") > 0)["qid"]) for table in tables]
    qids = sorted(set.intersection(*relevant), key=lambda qid: hashlib.sha256(f"{seed}\x1f{qid}".encode()).digest())
    if not qids:
        raise UserError(judgements[chosen], "", "no query has a relevant document in every language", "check the ids")
    if queries is not None and len(qids) < queries:
        raise UserError(judgements[chosen], "", f"{len(qids)} judged queries", f"ask for at most that, not {queries}")
    write_table(tables[chosen].filter(pl.col("qid").is_in(qids[:queries])), out, JUDGEMENTS)
