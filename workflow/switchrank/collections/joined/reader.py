"""Reads several collections as one: the tables of each, one after the other, under ids that name the collection.

The parts are collections as :func:`switchrank.sources.build.build_collection` writes them. Document ``d1`` of the part
``squad`` becomes ``squad:d1``; queries and groups likewise, so that nothing of two parts is ever taken for the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from switchrank.collections.spec import CollectionSpec, Parsed, refuse_triples
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, Schema, reason, scan_table

_NAMED = ("docid", "qid", "group")

check_roles = refuse_triples


def read_collection(spec: CollectionSpec, files: Mapping[str, str], folder: Path, *, of: Sequence[str]) -> Parsed:
    """Join the parts; their DOCUMENTS pass through to ``folder`` without being held.

    Args:
        spec: languages and splits.
        files: path by ``<part>/<table>``, such as ``squad/queries-train-en``.
        folder: where the documents go.
        of: the parts, in order.

    Raises:
        UserError: a table is missing or is none.
    """
    documents = {}
    for language in spec.languages:
        tables = [_scanned(files, part, f"documents-{language}", DOCUMENTS) for part in of]
        out = folder / f"documents-{language}.parquet"
        with _reading(files, f"documents-{language}"):
            pl.concat(tables).sink_parquet(out, compression="zstd")
        documents[language] = int(pl.scan_parquet(out).select(pl.len()).collect().item())
    roles = [(split, language) for split in spec.splits for language in spec.query_languages(split)]

    def joined(table: str, role: tuple[str, str], schema: Schema) -> pl.DataFrame:
        name = f"{table}-{role[0]}-{role[1]}"
        tables = [_scanned(files, part, name, schema) for part in of]
        with _reading(files, name):
            return pl.concat(tables).collect()

    return Parsed(
        queries={role: joined("queries", role, QUERIES) for role in roles},
        judgements={role: joined("judgements", role, JUDGEMENTS) for role in roles},
        documents=documents,
    )


@contextmanager
def _reading(files: Mapping[str, str], table: str) -> Iterator[None]:
    """Turn damage in a table of one of the parts into one line; Polars does not say of which."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        named = " or ".join(path for role, path in files.items() if role.endswith(f"/{table}"))
        raise UserError(named, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error


def _scanned(files: Mapping[str, str], part: str, table: str, schema: Schema) -> pl.LazyFrame:
    role = f"{part}/{table}"
    if role not in files:
        raise UserError("collection", f"files.{role}", "missing", "name the table")
    named = [pl.format("{}:{}", pl.lit(part), name).alias(name) for name in _NAMED if name in schema]
    return scan_table(files[role], schema).with_columns(named)
