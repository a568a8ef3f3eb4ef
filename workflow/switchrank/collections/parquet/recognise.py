"""The entries of tables in Parquet and of datasets; and JSON lines of id and contents, which the format reads too.

The tables themselves are told by their first bytes (:mod:`switchrank.identify.binary`).
"""

from __future__ import annotations

from functools import partial

from switchrank.collections import records
from switchrank.identify.entries import collection
from switchrank.identify.kinds import json_lines, texts

_KEYS = {"languages": "[$language]", "splits": "[test]", "documents": "{path: $path, id: $first, text: $second}"}
_JUDGED = "query: qid, document: docid, relevance: relevance}"
ENTRIES = {
    "parquet": collection(
        "parquet",
        **_KEYS,
        queries='{path: "queries.{split}.parquet", id: id, text: text}',
        judgements='{path: "qrels.{split}.parquet", ' + _JUDGED,
    ),
    "datasets": collection(
        "datasets",
        **_KEYS,
        queries='{path: "queries/{split}", id: id, text: text}',
        judgements='{path: "qrels/{split}", ' + _JUDGED,
    ),
}
KINDS = (
    json_lines(
        "documents-jsonl",
        "documents as JSON lines: id, contents (Anserini)",
        "documents",
        ("id", "contents"),
        texts(partial(records.text_rows, id="id", text=["contents"])),
        same="id",
        entry=collection(
            "parquet",
            **_KEYS,
            queries='{path: "queries.{split}.jsonl", id: id, text: text}',
            judgements='{path: "qrels.{split}.jsonl", ' + _JUDGED,
        ),
    ),
)
