from __future__ import annotations

from switchrank.identify.entries import collection
from switchrank.identify.kinds import FolderKind

FOLDERS = (
    FolderKind(
        "mmarco-folder",
        "mMARCO",
        ("*collections/*_collection.tsv*", "*queries/*_queries.*.tsv*"),
        r"(?:^|/)([a-z]+)_collection\.tsv",
        lambda _, names: {"version": "v1" if any("helsinki" in name for name in names) else "v2"},
        entry=collection("mmarco", folder="$path", version="$version", languages="[$languages]"),
    ),
)
