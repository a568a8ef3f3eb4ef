"""The vectors of the tokens of a table's texts, in half precision: rows of all, end to end (``.npy``).

Beside them, the first row of each text and how many it has (``.spans.npy``), and what made them (``.json``). Equal
texts have the same rows.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import overload

import numpy as np
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.formats.matrices import Floats, MatrixWriter, matrix_writer, open_matrix

HALF = "<f2"
"""The type of vectors on disk."""
_AGAIN = "encode these texts again"


class StoredTokens:
    """The vectors of the tokens of texts on disk: ``stored[i]`` are those of text i, float32 ``(tokens, d)``.

    ``stored[kept]``, with a bool for each text, are those of some texts.
    """

    def __init__(self, rows: NDArray[np.floating], spans: Numbers) -> None:
        self._rows, self._spans = rows, spans

    def __len__(self) -> int:
        return len(self._spans)

    @overload
    def __getitem__(self, number: int, /) -> Floats: ...
    @overload
    def __getitem__(self, number: NDArray[np.bool_], /) -> "StoredTokens": ...
    def __getitem__(self, number: int | NDArray[np.bool_], /) -> "Floats | StoredTokens":
        if isinstance(number, np.ndarray):
            return StoredTokens(self._rows, self._spans[number])
        start, count = self._spans[number]
        return self._rows[start : start + count].astype(np.float32)

    @property
    def tokens(self) -> int:
        """Vectors of all texts together."""
        return int(self._spans[:, 1].sum())

    @property
    def dimensions(self) -> int:
        return int(self._rows.shape[1])


def spans_file(path: str | Path) -> Path:
    """The file beside rows of vectors that says which are those of each text."""
    return Path(path).with_suffix(".spans.npy")


@contextmanager
def token_rows(path: str | Path) -> Iterator[MatrixWriter]:
    """Write the rows of all texts in blocks; they appear at the end, or not at all."""
    with matrix_writer(path, HALF) as writer:
        yield writer


def write_spans(path: str | Path, spans: Numbers) -> None:
    """Write beside rows the first one of each text, and how many it has, int64 ``(texts, 2)``."""
    with atomic_path(spans_file(path)) as temporary, temporary.open("wb") as file:
        np.save(file, spans)


def open_tokens(path: str | Path, texts: int, table: str | Path) -> StoredTokens:
    """The vectors of the tokens of so many texts of a table; raises UserError for other or damaged files."""
    rows, spans = open_matrix(path, dtype=HALF), _read_spans(spans_file(path))
    if not texts:
        raise UserError(table, "", "no texts", "give a table that has some")
    if len(spans) != texts:
        raise UserError(path, "", f"vectors of {len(spans)} texts, not of the {texts} of {table}", _AGAIN)
    if spans.min() < 0 or spans.sum(axis=1).max() > len(rows):
        raise UserError(path, "", f"{len(rows)} rows, fewer than {spans_file(path).name} tells", _AGAIN)
    return StoredTokens(rows, spans)


def _read_spans(file: Path) -> Numbers:
    if not file.is_file():
        raise UserError(file, "", "no such file", _AGAIN)
    try:
        spans = np.load(file, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UserError(file, "", f"not a whole .npy file ({' '.join(str(error).split())})", _AGAIN) from error
    if spans.dtype != np.int64 or spans.ndim != 2 or spans.shape[1] != 2:
        raise UserError(file, "", f"an array of shape {spans.shape} and type {spans.dtype}, not of spans", _AGAIN)
    return np.asarray(spans)
