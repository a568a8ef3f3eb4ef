from __future__ import annotations

from switchrank.identify.entries import collection
from switchrank.identify.kinds import FolderKind

FOLDERS = (
    FolderKind(
        "mldr-folder",
        "MLDR",
        ("mldr-v1.0-*/corpus.jsonl*",),
        r"mldr-v[\d.]+-([a-z]{2,3})/",
        entry=collection("mldr", language="$language", folder="$path"),
    ),
)
