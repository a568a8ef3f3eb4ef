"""The index of a file of documents: their texts and, row by row, their vectors, made once by one encoder.

It is a folder. ``index.json`` says what it was made of; ``documents.parquet`` (``INDEXED``) holds ids and texts in the
order of the file; ``vectors.npy`` their vectors, float32 ``(documents, dimensions)``. All is written and read piece by
piece, so that memory does not grow with the documents.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_folder, atomic_path
from switchrank.core.digest import file_digest, value_digest
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.progress import progress
from switchrank.files.reading import disk_errors
from switchrank.formats.tables import INDEXED, scan_table
from switchrank.models.dual_encoder import DualEncoder
from switchrank.rank.files import stream_texts

VERSION = 1
RECORD, TEXTS, VECTORS = "index.json", "documents.parquet", "vectors.npy"
_ROWS = 1024
"""Documents in a row group of the texts: what is read to show one of them."""
_GROUPS = 8
"""Row groups that are encoded at a time: what a killed process loses."""
_SCHEMA = pa.schema([(name, pa.large_string()) for name in INDEXED])
_ANEW = "--overwrite makes it anew"


class StoredTexts:
    """Ids and texts of the documents of an index, read from disk when they are asked for.

    Raises:
        UserError: the file is missing or damaged.
    """

    def __init__(self, file: Path) -> None:
        scan_table(file, INDEXED)
        self._file = pq.ParquetFile(file)

    def __len__(self) -> int:
        return int(self._file.metadata.num_rows)

    def rows(self, numbers: Sequence[int]) -> list[tuple[str, str]]:
        """Id and text of each of these rows."""
        found = {}
        for group in sorted({number // _ROWS for number in numbers}):
            docids, texts = self._file.read_row_group(group).columns
            for number in numbers:
                if number // _ROWS == group:
                    found[number] = docids[number % _ROWS].as_py(), texts[number % _ROWS].as_py()
        return [found[number] for number in numbers]

    def part(self, number: int) -> list[str]:
        """The texts of some row groups, those that are encoded as part ``number``."""
        groups = range(number * _GROUPS, min((number + 1) * _GROUPS, self._file.num_row_groups))
        return [text for one in groups for text in self._file.read_row_group(one, ["text"])["text"].to_pylist()]

    @property
    def parts(self) -> int:
        return -(-int(self._file.num_row_groups) // _GROUPS)


@dataclass(frozen=True)
class Index:
    """An open index: row i of ``vectors``, float32 on disk, is that of document i of ``texts``."""

    vectors: NDArray[np.float32]
    texts: StoredTexts


def open_index(
    docs: str | Path,
    encoder: DualEncoder,
    *,
    folder: str | Path | None = None,
    overwrite: bool = False,
) -> Index:
    """The index of the documents in a file, which is made first where there is none.

    Args:
        docs: TSV of id and text, or Parquet (:func:`switchrank.rank.files.read_texts`).
        encoder: what makes the vectors.
        folder: where the index is; default: ``.index`` behind the name of the file of documents.
        overwrite: make it anew, and replace the folder whatever it holds.

    Raises:
        UserError: unusable documents; an index that another encoder made, or of documents that have changed since, or a
            damaged one; a folder that holds other things.
    """
    folder = Path(folder or f"{docs}.index")
    with disk_errors(docs):
        documents = file_digest(docs)
    digest = encoder.digest()
    if overwrite or not (folder / RECORD).is_file():
        _make(folder, docs, documents, encoder, digest, overwrite)
    return _opened(folder, docs, documents, digest)


def _opened(folder: Path, docs: str | Path, documents: str, digest: str) -> Index:
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        made = record["version"], record["encoder"], record["documents"]
        shape = record["count"], record["dimensions"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(folder, RECORD, f"damaged ({error})", _ANEW) from error
    if made[0] != VERSION:
        raise UserError(folder, RECORD, f"an index of version {made[0]}, not {VERSION}", _ANEW)
    if made[1] != digest:
        todo = f"give the encoder it was made by, or another folder by --index; {_ANEW}"
        raise UserError(folder, "", "made by another encoder", todo)
    if made[2] != documents:
        problem = f"made of other documents: {docs} has changed since, or is another file"
        raise UserError(folder, "", problem, f"{_ANEW}; another folder by --index leaves it as it is")
    try:
        vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise UserError(folder, VECTORS, f"damaged ({error})", _ANEW) from error
    texts = StoredTexts(folder / TEXTS)
    if not (vectors.dtype == np.float32 and vectors.shape == shape and len(texts) == shape[0]):
        problem = f"{vectors.shape} and {len(texts)} texts where {RECORD} says {shape}"
        raise UserError(folder, VECTORS, problem, _ANEW)
    return Index(vectors, texts)


def _make(folder: Path, docs: str | Path, documents: str, encoder: DualEncoder, digest: str, overwrite: bool) -> None:
    """Write an index. What was encoded when a process is killed is kept beside it, and the next one goes on there."""
    kept = folder.parent / f".work-{folder.name}"
    work = kept / value_digest([VERSION, digest, documents])[:32]
    with atomic_folder(folder, "a search index", overwrite=overwrite) as made:
        _write_texts(docs, made / TEXTS)
        with disk_errors(docs):
            if file_digest(docs) != documents:
                raise UserError(docs, "", "changed while it was read", "start again when it is finished")
        texts = StoredTexts(made / TEXTS)
        shape = len(texts), encoder.dimensions
        with (made / VECTORS).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            with progress(total=len(texts), what=f"encode {Path(docs).name}", unit="documents") as bar:
                for part in _encoded(texts, encoder, work):
                    file.write(np.ascontiguousarray(part, dtype="<f4").data)
                    bar.update(len(part))
        said: dict[str, Any] = {"version": VERSION, "encoder": digest, "documents": documents}
        write_json(made / RECORD, said | {"count": shape[0], "dimensions": shape[1]})
    shutil.rmtree(kept, ignore_errors=True)


def _encoded(texts: StoredTexts, encoder: DualEncoder, work: Path) -> Iterator[NDArray[np.float32]]:
    """The vectors of all texts, part by part; each is kept in ``work``, and one that is there is not made again."""
    for number in range(texts.parts):
        file = work / f"{number}.npy"
        if not file.is_file():
            vectors = encoder.encode(texts.part(number), "document")
            with atomic_path(file) as temporary:
                np.save(temporary, vectors)
        yield np.load(file, allow_pickle=False)


def _write_texts(docs: str | Path, out: Path) -> None:
    """Copy ids and texts into a table; UserError where an id is there twice."""
    rows, hashes = stream_texts(docs), [np.empty(0, np.uint64)]
    with pq.ParquetWriter(out, _SCHEMA, compression="zstd") as writer:
        while some := list(islice(rows, _ROWS)):
            docids, texts = zip(*some, strict=True)
            hashes.append(np.array([_hash(docid) for docid in docids], np.uint64))
            writer.write_table(pa.table([pa.array(docids, _SCHEMA[0].type), pa.array(texts, _SCHEMA[1].type)], _SCHEMA))
    _refuse_repeats(docs, out, np.concatenate(hashes))


def _hash(docid: str) -> int:
    return int.from_bytes(blake2b(docid.encode(), digest_size=8).digest(), "little")


def _refuse_repeats(docs: str | Path, table: Path, hashes: NDArray[np.uint64]) -> None:
    """Raise UserError for the first id that an earlier document has; ids are compared where their hashes agree."""
    order = np.argsort(hashes, kind="stable")
    again = np.flatnonzero(hashes[order][1:] == hashes[order][:-1])
    suspects = np.unique([order[again], order[again + 1]])
    texts, places = StoredTexts(table), dict[str, int]()
    for number in suspects.tolist():
        ((docid, _),) = texts.rows([number])
        if docid in places:
            problem = f"the id of documents {places[docid] + 1} and {number + 1}"
            raise UserError(docs, f"id {docid}", problem, "give every text an id of its own")
        places[docid] = number
