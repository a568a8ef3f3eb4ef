from __future__ import annotations

import fnmatch
from functools import partial
from itertools import pairwise
from pathlib import Path

from switchrank.collections.large_scale_clir.reader import ROWS
from switchrank.identify.columns import columns_of, is_id, is_whole
from switchrank.identify.entries import collection
from switchrank.identify.kinds import IDS, FolderKind, Kind, judgements, texts
from switchrank.identify.source import Source

_WHY = "a part of Large-Scale CLIR: look at its folder"


def counts_up(source: Source) -> bool:
    """Whether lines are three ids of which the last counts up within the first: a run and no judgements."""
    rows = columns_of(source).rows
    together = [(int(a[2]), int(b[2])) for a, b in pairwise(rows) if a[0] == b[0] and is_whole(a[2]) and is_whole(b[2])]
    up = sum(after == before + 1 for before, after in together)
    return len(rows) > 2 and up > 0 and up >= 0.8 * sum(a[0] == b[0] for a, b in pairwise(rows))


def _are_judgements(source: Source) -> bool:
    table = columns_of(source)
    if table.width != 3 or not table.of_ids or not table.most(lambda row: is_whole(row[2])) or counts_up(source):
        return False
    grades = [row[2] for row in table.rows]
    return len(set(grades)) <= 7 and max(map(len, grades)) <= 2


def _are_texts(source: Source, *, documents: bool = False) -> bool:
    table = columns_of(source)
    if table.width != 3 or table.of_ids or not table.most(lambda row: is_id(row[0])):
        return False
    return not documents or table.mean(2, len) > 300 or "doc" in table.name


KINDS = (
    Kind(
        "large-scale-clir-rel",
        "judgements of three columns: query, document, grade (Large-Scale CLIR .rel)",
        "judgements",
        _are_judgements,
        IDS + 2,
        judgements(ROWS.judgements),
        why=_WHY,
    ),
    Kind(
        "large-scale-clir-documents",
        "documents, id, title and text (Large-Scale CLIR, Sasaki et al. 2018)",
        "documents",
        partial(_are_texts, documents=True),
        IDS,
        texts(ROWS.documents),
        why=_WHY,
    ),
    Kind(
        "large-scale-clir-queries",
        "queries, id, title and text (Large-Scale CLIR, Sasaki et al. 2018)",
        "queries",
        _are_texts,
        IDS + 1,
        texts(ROWS.queries),
        texts="first_sentence",
        why=_WHY,
    ),
)


def _name(_path: Path, names: list[str]) -> dict[str, str]:
    return {"name": Path(next(name for name in names if fnmatch.fnmatch(name, "*/en2*.rel*"))).parent.name}


FOLDERS = (
    FolderKind(
        "large-scale-clir-folder",
        "Large-Scale CLIR (Sasaki et al. 2018)",
        ("english/wiki_en.queries*", "*/wiki_*.documents*", "*/en2*.rel*"),
        r"en2([a-z]{2,3})\.rel",
        _name,
        entry=collection("large-scale-clir", language="$language", folder="$path", name="$name"),
    ),
)
