import fnmatch
from functools import partial
from itertools import pairwise
from pathlib import Path

from switchrank.collections.large_scale_clir.reader import ROWS
from switchrank.identify.kinds import IDS, Sign, judgements, texts
from switchrank.identify.source import Source, is_id, is_whole


def counts_up(source: Source) -> bool:
    """Whether lines are three ids of which the last counts up within the first: a run and no judgements."""
    rows = source.columns.rows
    together = [(int(a[2]), int(b[2])) for a, b in pairwise(rows) if a[0] == b[0] and is_whole(a[2]) and is_whole(b[2])]
    up = sum(after == before + 1 for before, after in together)
    return len(rows) > 2 and up > 0 and up >= 0.8 * sum(a[0] == b[0] for a, b in pairwise(rows))


def _are_judgements(source: Source) -> bool:
    table = source.columns
    if table.width != 3 or not table.of_ids or not table.most(lambda row: is_whole(row[2])) or counts_up(source):
        return False
    grades = [row[2] for row in table.rows]
    return len(set(grades)) <= 7 and max(map(len, grades)) <= 2


def _are_texts(source: Source, *, documents: bool = False) -> bool:
    table = source.columns
    if table.width != 3 or table.of_ids or not table.most(lambda row: is_id(row[0])):
        return False
    return not documents or table.mean(2, len) > 300 or "doc" in table.name


KINDS = {
    "large-scale-clir-rel": Sign(IDS + 2, _are_judgements, judgements(ROWS.judgements)),
    "large-scale-clir-documents": Sign(IDS, partial(_are_texts, documents=True), texts(ROWS.documents)),
    "large-scale-clir-queries": Sign(IDS + 1, _are_texts, texts(ROWS.queries)),
}


def _name(_path: Path, names: list[str]) -> dict[str, str]:
    return {"name": Path(next(name for name in names if fnmatch.fnmatch(name, "*/en2*.rel*"))).parent.name}


FOLDERS = {"large-scale-clir-folder": {"values": _name}}
