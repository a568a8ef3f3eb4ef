from __future__ import annotations

import fnmatch
from pathlib import Path

from switchrank.collections.beir.reader import ROWS
from switchrank.identify.columns import columns_of
from switchrank.identify.entries import collection
from switchrank.identify.kinds import NAMES, FolderKind, Kind, json_lines, judgements, texts

_WHY = "a part of a BEIR folder: look at the folder"
_CORPUS = ("beir-corpus", "BEIR corpus: _id, title, text", "documents")
_documents = texts(ROWS.documents)
KINDS = (
    json_lines(*_CORPUS, ("_id", "title", "text"), _documents, same="_id", why=_WHY),
    json_lines(
        "beir-corpus",
        "BEIR corpus without titles: _id, text",
        "documents",
        ("_id", "text"),
        _documents,
        long=("text", 200),
        same="_id",
        why=_WHY,
    ),
    json_lines(
        "beir-queries", "BEIR queries: _id, text", "queries", ("_id", "text"), texts(ROWS.queries), same="_id", why=_WHY
    ),
    Kind(
        "beir-qrels",
        "BEIR judgements: query-id, corpus-id, score, with a header",
        "judgements",
        lambda source: columns_of(source).header == ("query-id", "corpus-id", "score"),
        NAMES,
        judgements(ROWS.judgements),
        why=_WHY,
    ),
)


def _split(_path: Path, names: list[str]) -> dict[str, str]:
    patterns = ("qrels/test.tsv*", "qrels/dev.tsv*", "qrels/*.tsv*")
    found = [name for pattern in patterns for name in names if fnmatch.fnmatch(name, pattern)]
    return {"split": Path(found[0]).name.partition(".")[0]}


FOLDERS = (
    FolderKind(
        "beir-folder",
        "a BEIR collection",
        ("corpus.jsonl*", "queries.jsonl*", "qrels/*.tsv*"),
        values=_split,
        entry=collection("beir", language="$language", folder="$path", splits="{test: $split}"),
    ),
)
