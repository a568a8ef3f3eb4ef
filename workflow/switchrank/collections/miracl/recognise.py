from __future__ import annotations

from switchrank.collections.miracl.reader import ROWS
from switchrank.identify.entries import collection
from switchrank.identify.kinds import FolderKind, json_lines, texts

KINDS = (
    json_lines(
        "documents-jsonl",
        "documents as JSON lines: docid, title, text (MIRACL, CIRAL, MLDR, Tevatron)",
        "documents",
        ("docid", "text"),
        texts(ROWS.documents),
        same="docid",
        entry=collection(
            "tevatron",
            languages="[$language]",
            splits="[test]",
            documents="$path",
            queries='"queries.{split}.jsonl"  # query_id, query, positive_passages',
        ),
    ),
)
FOLDERS = (
    FolderKind(
        "miracl-folder",
        "MIRACL",
        ("*topics.miracl-*", "*qrels.miracl-*"),
        r"topics\.miracl-v[\d.]+-([a-z]{2,3})-",
        entry=collection("miracl", language="$language", folder="$path"),
    ),
)
