from __future__ import annotations

from switchrank.identify.entries import collection
from switchrank.identify.kinds import FolderKind

FOLDERS = (
    FolderKind(
        "ciral-folder",
        "CIRAL",
        ("*topics.ciral-*", "*qrels.ciral-*"),
        r"topics\.ciral-v[\d.]+-([a-z]{2,3})-",
        sure=-1,  # folders of topics hold those of MIRACL beside them, whose entry needs no more files
        entry=collection(
            "ciral", language="$language", folder="$path", documents='"passages.jsonl"', query_languages="[en]"
        ),
    ),
)
