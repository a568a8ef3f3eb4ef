"""The entries of tables in Parquet and of datasets; and JSON lines of id and contents, which the format reads too.

The tables themselves are recognised by their first bytes (:mod:`switchrank.identify.binary`).
"""

from __future__ import annotations

from functools import partial

from switchrank.collections import records
from switchrank.collections.tsv.recognise import entry
from switchrank.identify.kinds import json_lines, texts

ENTRIES = {"parquet": entry("parquet", ".{split}.parquet"), "datasets": entry("datasets", "/{split}")}
KINDS = (
    json_lines(
        "documents-jsonl",
        "documents as JSON lines: id, contents (Anserini)",
        "documents",
        ("id", "contents"),
        texts(partial(records.text_rows, id="id", text=["contents"])),
        same="id",
        entry=entry("parquet", ".{split}.jsonl"),
    ),
)
