"""The entries of tables in Parquet and of datasets; and JSON lines of id and contents, which the format reads too.

The tables themselves are recognised by their first bytes (:mod:`switchrank.identify.binary`).
"""

from __future__ import annotations

from functools import partial

from switchrank.collections import records
from switchrank.identify.kinds import description, json_lines, texts

ENTRIES = {name: description(name, __package__)["entry"] for name in ("parquet", "datasets")}
KINDS = (
    json_lines(
        **description("documents-jsonl", __package__),
        needs=("id", "contents"),
        rows=texts(partial(records.text_rows, id="id", text=["contents"])),
    ),
)
