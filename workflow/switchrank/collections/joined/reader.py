"""Reads several collections as one: the tables of each, one after the other, under ids that name the collection.

The parts are collections as :func:`switchrank.sources.build.build_collection` writes them. Document ``d1`` of the part
``squad`` becomes ``squad:d1``; queries and groups likewise, so that nothing of two parts is ever taken for the same.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import polars as pl

from switchrank.collections.spec import CollectionSpec, Parsed, refuse_triples
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, Schema, reason, scan_table

T = TypeVar("T")
_NAMED = ("docid", "qid", "group")

check_roles = refuse_triples


def read_collection(spec: CollectionSpec, files: Mapping[str, str], folder: Path, *, of: Sequence[str]) -> Parsed:
    """Join the parts ``of``, in order; their DOCUMENTS pass through to ``folder`` without being held.

    ``files`` are paths by ``<part>/<table>``, such as ``squad/queries-train-en``.
    """

    def joined(table: str, schema: Schema, use: Callable[[pl.LazyFrame], T]) -> T:
        scans = []
        for part in of:
            role = f"{part}/{table}"
            if role not in files:
                raise UserError("collection", f"files.{role}", "missing", "name the table")
            named = [pl.format("{}:{}", pl.lit(part), name).alias(name) for name in _NAMED if name in schema]
            scans.append(scan_table(files[role], schema).with_columns(named))
        try:
            return use(pl.concat(scans))
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:  # which do not say of which part
            damaged = " or ".join(files[f"{part}/{table}"] for part in of)
            raise UserError(damaged, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error

    parsed = Parsed({}, {}, {})
    for language in spec.languages:
        out = folder / f"documents-{language}.parquet"
        joined(out.stem, DOCUMENTS, partial(pl.LazyFrame.sink_parquet, path=out, compression="zstd"))
        parsed.documents[language] = int(pl.scan_parquet(out).select(pl.len()).collect().item())
    tables = (("queries", QUERIES, parsed.queries), ("judgements", JUDGEMENTS, parsed.judgements))
    for split in spec.splits:
        for language in spec.query_languages(split):
            for table, schema, frames in tables:
                frames[split, language] = joined(f"{table}-{split}-{language}", schema, pl.LazyFrame.collect)
    return parsed
