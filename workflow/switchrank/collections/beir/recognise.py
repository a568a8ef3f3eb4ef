from __future__ import annotations

import fnmatch
from pathlib import Path

from switchrank.collections.beir.reader import ROWS
from switchrank.identify.columns import columns_of
from switchrank.identify.kinds import NAMES, FolderKind, described, description, json_lines, judgements, texts

_HEADER = ("query-id", "corpus-id", "score")
_documents = texts(ROWS.documents)
KINDS = (
    json_lines(**description("beir-corpus", __package__), needs=("_id", "title", "text"), rows=_documents),
    json_lines(
        **description("beir-corpus-untitled", __package__),
        needs=("_id", "text"),
        rows=_documents,
        long=("text", 200),
    ),
    json_lines(**description("beir-queries", __package__), needs=("_id", "text"), rows=texts(ROWS.queries)),
    *described(
        {"beir-qrels": (NAMES, lambda source: columns_of(source).header == _HEADER, judgements(ROWS.judgements))},
        __package__,
    ),
)


def _split(_path: Path, names: list[str]) -> dict[str, str]:
    patterns = ("qrels/test.tsv*", "qrels/dev.tsv*", "qrels/*.tsv*")
    found = [name for pattern in patterns for name in names if fnmatch.fnmatch(name, pattern)]
    return {"split": Path(found[0]).name.partition(".")[0]}


FOLDERS = (FolderKind(**description("beir-folder", __package__), values=_split),)
