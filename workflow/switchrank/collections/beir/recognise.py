import fnmatch
from pathlib import Path

from switchrank.collections.beir.reader import ROWS
from switchrank.identify.kinds import NAMES, Sign, json_lines, judgements, texts

_HEADER = ("query-id", "corpus-id", "score")
_documents = texts(ROWS.documents)
KINDS = {
    "beir-corpus": json_lines(("_id", "title", "text"), _documents),
    "beir-corpus-untitled": json_lines(("_id", "text"), _documents, long=("text", 200)),
    "beir-queries": json_lines(("_id", "text"), texts(ROWS.queries)),
    "beir-qrels": Sign(NAMES, lambda source: source.columns.header == _HEADER, judgements(ROWS.judgements)),
}


def _split(_path: Path, names: list[str]) -> dict[str, str]:
    patterns = ("qrels/test.tsv*", "qrels/dev.tsv*", "qrels/*.tsv*")
    found = [name for pattern in patterns for name in names if fnmatch.fnmatch(name, pattern)]
    return {"split": Path(found[0]).name.partition(".")[0]}


FOLDERS = {"beir-folder": {"values": _split}}
