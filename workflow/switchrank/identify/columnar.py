"""Columnar and array files: Parquet, Arrow, NumPy; tables of ours are told by their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from tokenize import TokenError
from typing import Any

from switchrank.identify import languages
from switchrank.identify.found import SAMPLES, Found, shorten
from switchrank.identify.source import Source

_TITLES = {
    "DOCUMENTS": "documents",
    "QUERIES": "queries",
    "JUDGEMENTS": "judgements",
    "LEXICON": "lexicon",
    "WORDS": "words of a vector store",
    "CORPUS": "training corpus",
    "INSTANCES": "training instances",
    "CANDIDATES": "candidates to re-rank",
}


def inspect(source: Source) -> Found | None:
    """What a columnar file is; nothing where its first bytes are none of theirs."""
    if source.packing:
        return None
    if source.head.startswith(b"PAR1"):
        return _parquet(source)
    if source.head.startswith(b"ARROW1") or (
        source.head[:4] == b"\xff\xff\xff\xff" and b"schema" not in source.head[:4]
    ):
        return _arrow(source)
    if source.head.startswith(b"\x93NUMPY"):
        return _numpy(source)
    return None


def _failed(found: Found, error: BaseException) -> Found:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    found.problems.append(f"truncated or damaged ({shorten(reason)})")
    return found


def _parquet(source: Source) -> Found:
    import polars as pl

    found = Found("parquet", "a Parquet table", "rows", form="binary")
    if not _ends_with(source.path, b"PAR1"):
        found.problems.append("truncated: the end of the file is missing")
        return found
    try:
        scan = pl.scan_parquet(source.path)
        schema = dict(scan.collect_schema())
        found.rows = scan.select(pl.len()).collect().item()
        sample = scan.head(SAMPLES).collect().rows()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        return _failed(found, error)
    return _described(found, source.path, schema, sample)


def _ends_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - len(mark)))
        return stream.read() == mark


def _arrow(source: Source) -> Found:
    import polars as pl

    found = Found("arrow", "an Arrow table (Hugging Face datasets)", "rows", form="binary")
    read = pl.read_ipc if source.head.startswith(b"ARROW1") else pl.read_ipc_stream
    try:
        frame = read(source.path)
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError) as error:
        return _failed(found, error)
    found.rows = len(frame)
    return _described(found, source.path, dict(frame.schema), frame.head(SAMPLES).rows())


def _described(found: Found, path: Path, schema: Mapping[str, Any], sample: Sequence[tuple[Any, ...]]) -> Found:
    from switchrank.formats import tables

    found.fields = [f"{name} ({dtype})" for name, dtype in schema.items()][:30]
    found.samples = [shorten(" | ".join(str(value)[:60] for value in row)) for row in sample]
    found.languages = languages.from_name(path)
    ours = {name: columns for name, columns in vars(tables).items() if name.isupper() and isinstance(columns, dict)}
    for name, columns in ours.items():
        if list(columns) == list(schema):
            found.format = f"switchrank-{name.lower().replace('_', '-')}"
            found.title = f"a table of ours: {_TITLES.get(name, name.lower().replace('_', ' '))}"
    found.values["columns"] = ",".join(schema)
    return found


def _numpy(source: Source) -> Found:
    import numpy as np

    found = Found("numpy", "an array of NumPy (rows of a vector store)", "rows", form="binary")
    try:
        array = np.load(source.path, mmap_mode="r", allow_pickle=False)
        found.rows = len(array)
        found.counts = {"dimensions": int(array.shape[1])} if array.ndim > 1 else {}
        found.fields = [str(array.dtype)]
    except (ValueError, OSError, TypeError, OverflowError, EOFError, SyntaxError, TokenError) as error:
        return _failed(found, error)
    return found
