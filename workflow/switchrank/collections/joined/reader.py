"""Reads several collections as one: the tables of each, one after the other, under ids that name the collection.

The parts are collections as :func:`switchrank.sources.build.build_collection` writes them. Document ``d1`` of the part
``squad`` becomes ``squad:d1``; queries and groups likewise, so that nothing of two parts is ever taken for the same.
"""

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
    """Join the parts ``of``, in order; their DOCUMENTS pass through to ``folder`` without being held.

    ``files`` are paths by ``<part>/<table>``, such as ``squad/queries-train-en``.

    Raises:
        UserError: a table is missing or is none.
    """

    def joined(table: str, schema: Schema) -> pl.LazyFrame:
        scans = []
        for part in of:
            role = f"{part}/{table}"
            if role not in files:
                raise UserError("collection", f"files.{role}", "missing", "name the table")
            named = [pl.format("{}:{}", pl.lit(part), name).alias(name) for name in _NAMED if name in schema]
            scans.append(scan_table(files[role], schema).with_columns(named))
        return pl.concat(scans)

    parsed = Parsed({}, {}, {})
    for language in spec.languages:
        table = f"documents-{language}"
        with _reading(files, table):
            joined(table, DOCUMENTS).sink_parquet(folder / f"{table}.parquet", compression="zstd")
            rows = pl.scan_parquet(folder / f"{table}.parquet").select(pl.len()).collect().item()
            parsed.documents[language] = int(rows)
    for split in spec.splits:
        for language in spec.query_languages(split):
            for table, schema, frames in (
                ("queries", QUERIES, parsed.queries),
                ("judgements", JUDGEMENTS, parsed.judgements),
            ):
                with _reading(files, f"{table}-{split}-{language}"):
                    frames[split, language] = joined(f"{table}-{split}-{language}", schema).collect()
    return parsed


@contextmanager
def _reading(files: Mapping[str, str], table: str) -> Iterator[None]:
    """Turn damage in a table of one of the parts into one line; Polars does not say of which."""
    try:
        yield
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        named = " or ".join(path for role, path in files.items() if role.endswith(f"/{table}"))
        raise UserError(named, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error
