"""Word vectors that are in the common space already, and the record that stands beside all vectors of that space."""

import json
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_path
from switchrank.formats.vectors import load_vectors, write_vectors


def keep_vectors(*, vectors: str | Path, out: str | Path) -> dict[str, Any]:
    """Copy a store that is in the right space already (English itself, or aligned elsewhere); record ``kept``.

    Args:
        vectors: the store to copy.
        out: the store to write, beside it a .json record.

    Raises:
        UserError: the store is missing or unreadable.
    """
    store = load_vectors(vectors)
    write_vectors(out, store.words, store.matrix, store.norms)
    record = {"method": "kept", "words": len(store.words), "dimensions": store.matrix.shape[1]}
    write_record(out, record)
    return record


def write_record(out: str | Path, record: dict[str, Any]) -> None:
    """Write ``<out>.json``: how the vectors of the store ``out`` came into the space."""
    with atomic_path(f"{out}.json") as temporary:
        temporary.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
