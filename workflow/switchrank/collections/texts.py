"""Documents and queries from files of any shape: ids and texts in batches, empty ones counted, every defect placed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from switchrank.collections.notes import left_out
from switchrank.collections.rows import About, TextRow, TextRows
from switchrank.collections.tab_lines import check_id, text_rows, twice
from switchrank.core.errors import UserError
from switchrank.core.progress import progress

BATCH = 50_000
"""Rows held as Python objects at a time."""
_TEXTS = {"id": pl.String, "text": pl.String}


def file_parts(paths: Iterable[str | Path]) -> list[str | Path]:
    """The files to read one after the other: a folder of JSON lines or TREC text stands for its files, in order."""
    parts: list[str | Path] = []
    for path in paths:
        inside = sorted(_listed(Path(path)), key=_natural) if Path(path).is_dir() else []
        parts += inside or [path]
    return parts


def _listed(folder: Path) -> list[Path]:
    """Files of a folder that is no table."""
    tables = ("*.parquet", "*.arrow", "**/*.parquet")
    if any(next(folder.glob(pattern), None) for pattern in tables) or (folder / "dataset_dict.json").is_file():
        return []
    return [path for path in folder.iterdir() if path.is_file() and not path.name.startswith(".")]


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Order ``docs-2`` before ``docs-10``."""
    pieces = "".join(sign if sign.isdecimal() else f" {sign} " for sign in path.name).split()
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces], path.name


@dataclass
class TextFile:
    r"""Ids and texts of one role, from one file or several.

    Attributes:
        path: the file or files; messages name the one they are about.
        kind: what a row holds, ``document`` or ``query``.
        reads: how the rows are written.
        language: which language to take where a row brings several.
        limit: largest share of rows that may have no text.
        empty: id to place of the rows without text; filled while :meth:`batches` runs.
    """

    path: str | Path | Sequence[str]
    kind: str
    reads: TextRows = text_rows
    language: str = ""
    limit: float = 1.0
    empty: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = [self.path] if isinstance(self.path, str | Path) else self.path
        self.parts = file_parts(given)

    @property
    def name(self) -> str:
        """The file, or the first of several, for messages about all of them."""
        return str(self.parts[0] if len(self.parts) == 1 else f"{self.parts[0]} and {len(self.parts) - 1} more")

    def rows(self) -> Iterator[tuple[str | Path, TextRow]]:
        """Every row with the file it is in."""
        about = About(self.kind, self.language)
        for part in self.parts:
            for row in self.reads(part, about):
                yield part, row

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield frames of columns ``id`` and ``text``, rows without text left out.

        Raises:
            UserError: a defect of a file, an id that is empty or holds white space.
        """
        ids: list[str] = []
        texts: list[str] = []
        shown = f"reading {Path(self.parts[0]).name}" if self.kind == "document" else None
        with progress(what=shown, unit=f"{self.kind}s") as bar:
            for part, (place, identifier, text) in self.rows():
                if identifier.split() != [identifier]:
                    check_id(identifier, part, place)
                if not text or text.isspace():
                    if identifier in self.empty:
                        raise twice(part, f"{self.kind} id {identifier}", self.empty[identifier], place)
                    self.empty[identifier] = place
                    continue
                ids.append(identifier)
                texts.append(text)
                if len(ids) == BATCH:
                    yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)
                    bar.update(BATCH)
                    ids, texts = [], []
            yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)
            bar.update(len(ids))

    def check_ids(self, ids: pl.Series) -> None:
        """Check the ids of all rows with text, after :meth:`batches` has run.

        Raises:
            UserError: there is none, two rows have one id (both are named), or too many rows have no text.
        """
        first = next(iter(self.empty.values()), "")
        what = f"empty {_PLURAL[self.kind]} left out, the first in {first}"
        left_out(self.name, len(self.empty), len(self.empty) + len(ids), what, self.limit)
        if ids.is_empty():
            raise UserError(self.name, "", f"holds no {self.kind}", f"give a file of {_PLURAL[self.kind]}")
        everything = pl.concat([ids, pl.Series(ids.name, list(self.empty), dtype=pl.String)])
        if everything.n_unique() == len(everything):
            return
        double = everything.filter(everything.is_duplicated())[0]
        places = [(part, place) for part, (place, identifier, _) in self.rows() if identifier == double]
        (one, first), (other, second) = places[:2]
        raise twice(other, f"{self.kind} id {double}", first if one == other else f"{first} of {one}", second)


_PLURAL = {"document": "documents", "query": "queries"}


def read_queries(
    path: str | Path | Sequence[str], reads: TextRows = text_rows, language: str = "", limit: float = 1.0
) -> pl.DataFrame:
    """Read queries into columns ``qid`` and ``text``, in file order; empty ones are counted and left out.

    Raises:
        UserError: as :meth:`TextFile.batches` and :meth:`TextFile.check_ids`.
    """
    file = TextFile(path, "query", reads, language, limit)
    frame = pl.concat(file.batches()).rename({"id": "qid"})
    file.check_ids(frame["qid"])
    return frame
