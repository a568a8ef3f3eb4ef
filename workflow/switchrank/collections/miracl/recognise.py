from __future__ import annotations

from switchrank.collections.miracl.reader import ROWS
from switchrank.identify.kinds import FolderKind, description, json_lines, texts

KINDS = (
    json_lines(**description("documents-jsonl", __package__), needs=("docid", "text"), rows=texts(ROWS.documents)),
)
FOLDERS = (FolderKind(**description("miracl-folder", __package__)),)
