"""Files recognised by how they begin: tables in columns, arrays, weights of models, word vectors, and archives."""

import re
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from math import prod
from pathlib import Path, PurePosixPath
from tokenize import TokenError
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.progress import silence
from switchrank.embeddings.fasttext_binary import check_model
from switchrank.embeddings.read import RowSink, read_text_vectors, read_word2vec_vectors
from switchrank.formats import tables
from switchrank.formats.vector_kinds import FASTTEXT_MAGIC, HEADER, MOST_DIMENSIONS, is_number, looks_binary
from switchrank.identify import languages
from switchrank.identify.found import SAMPLES, Found, Problems, quoted, shorten
from switchrank.identify.kinds import SAMPLED, closed
from switchrank.identify.source import Source, packing_of
from switchrank.models.folder import check_safetensors

_UNREAD = {
    b"\x28\xb5\x2f\xfd": ("zstd", "packed with zstd, which is not read: unpack it with zstd -d"),
    b"7z\xbc\xaf\x27\x1c": ("7z", "a 7-Zip archive, which is not read: unpack it"),
    b"Rar!\x1a\x07": ("rar", "a RAR archive, which is not read: unpack it"),
    b"\x04\x22\x4d\x18": ("lz4", "packed with lz4, which is not read: unpack it with lz4 -d"),
    b"\x1f\x9d": ("compress", "packed with compress, which is not read: unpack it with uncompress"),
}
_MOST_NAMES = 100_000
_DAMAGE = (*tables.DAMAGE, ValueError, TypeError, OverflowError, EOFError, SyntaxError, TokenError)
_TITLES = {
    "WORDS": "words of a vector store",
    "CORPUS": "training corpus",
    "INSTANCES": "training instances",
    "CANDIDATES": "candidates to re-rank",
}
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_LARGEST_HEADER = 100_000_000
_FEWEST = 8
"""Numbers that a line must have to be taken for a vector where no header says so."""
PICKLED = "weights in a pickle are never read: run switchrank import-model on the folder that holds them"


def inspect_start(source: Source) -> Found | None:
    """What a file is that its first bytes, or lines of vectors, tell; None for all others."""
    return _table(source) or _weights(source) or _vectors(source) or _tar(source)


def _table(source: Source) -> Found | None:
    """Parquet, Arrow or NumPy. Tables of ours are recognised by their columns."""
    if source.packing:
        return None
    if source.head.startswith(b"PAR1"):
        found, read = Found("parquet", "a Parquet table", "rows", form="binary"), _read_parquet
    elif source.head.startswith((b"ARROW1", b"\xff\xff\xff\xff")):
        found, read = Found("arrow", "an Arrow table (Hugging Face datasets)", "rows", form="binary"), _read_arrow
    elif source.head.startswith(b"\x93NUMPY"):
        found, read = Found("numpy", "an array of NumPy (rows of a vector store)", "rows", form="binary"), _read_array
    else:
        return None
    try:
        read(found, source)
    except _DAMAGE as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        found.problems.append(f"truncated or damaged ({shorten(problem)})")
    return found


def _read_parquet(found: Found, source: Source) -> None:
    with source.path.open("rb") as stream:
        stream.seek(max(0, source.path.stat().st_size - 4))
        if stream.read() != b"PAR1":
            found.problems.append("truncated: the end of the file is missing")
            return
    scan = pl.scan_parquet(source.path)
    schema = scan.collect_schema()
    found.rows = scan.select(pl.len()).collect().item()
    _describe(found, source.path, schema, scan.head(SAMPLES).collect().rows())


def _read_arrow(found: Found, source: Source) -> None:
    read = pl.read_ipc if source.head.startswith(b"ARROW1") else pl.read_ipc_stream
    frame = read(source.path)
    found.rows = len(frame)
    _describe(found, source.path, frame.schema, frame.head(SAMPLES).rows())


def _read_array(found: Found, source: Source) -> None:
    array = np.load(source.path, mmap_mode="r", allow_pickle=False)
    found.rows = len(array)
    found.counts = {"dimensions": int(array.shape[1])} if array.ndim > 1 else {}
    found.fields = [str(array.dtype)]


def _describe(found: Found, path: Path, schema: Mapping[str, Any], sample: Sequence[tuple[Any, ...]]) -> None:
    found.fields = [f"{name} ({dtype})" for name, dtype in schema.items()][:30]
    found.samples = [shorten(" | ".join(str(value)[:60] for value in row)) for row in sample]
    found.languages = languages.from_name(path)
    for name, columns in vars(tables).items():
        if name.isupper() and isinstance(columns, dict) and list(columns.items()) == list(schema.items()):
            found.format = f"switchrank-{name.lower().replace('_', '-')}"
            found.title = f"a table of ours: {_TITLES.get(name, name.lower().replace('_', ' '))}"
    found.values["columns"] = ",".join(schema)


def _weights(source: Source) -> Found | None:
    """Safetensors, or a pickle, which is named and never opened."""
    if source.head.startswith(_PICKLES):
        return _pickle(source.path)
    size = struct.unpack("<Q", source.head[:8])[0] if len(source.head) > 9 else 0
    if source.packing or source.head[8:10] != b'{"' or not 2 <= size <= _LARGEST_HEADER:
        return None
    from safetensors import safe_open

    found = Found("safetensors", "model weights (safetensors)", "tensors", form="binary")
    try:
        check_safetensors(source.path)
    except UserError as error:
        found.problems.append(error.problem)
        return found
    with safe_open(source.path, framework="np") as weights:
        shapes = {name: weights.get_slice(name).get_shape() for name in weights.keys()}  # noqa: SIM118
    found.rows, found.counts["parameters"] = len(shapes), sum(map(prod, shapes.values()))
    found.samples = [shorten(f"{name} {shape}") for name, shape in list(shapes.items())[:SAMPLES]]
    return found


def _pickle(path: Path) -> Found:
    found = Found("pickle", "a Python pickle (PyTorch weights, gensim vectors, ...)", "files", 1, form="binary")
    found.problems.append(PICKLED)
    found.values["folder"] = str(path.parent)
    return found


def inspect_packed(path: Path) -> Found | None:
    """What an archive is that cannot be read as one file; None for all others. UserError for a damaged zip archive."""
    with path.open("rb") as stream:
        start = stream.read(6)
    for magic, (name, problem) in _UNREAD.items():
        if start.startswith(magic):
            return Found(name, f"a {name} file", "files", 1, form="binary", problems=[problem])
    if packing_of(path) != "zip":
        return None
    try:
        with zipfile.ZipFile(path) as archive:
            names = [entry.filename for entry in archive.infolist() if not entry.filename.endswith("/")]
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, UnicodeError, zlib.error) as error:
        raise UserError(path, "", f"truncated or corrupt zip ({error})", "fetch or make the file again") from error
    if any(name.endswith("data.pkl") for name in names):
        return _pickle(path)
    return _listed(Found("zip", "a zip archive of several files", "files"), names) if len(names) != 1 else None


def _tar(source: Source) -> Found | None:
    if source.head[257:262] != b"ustar":
        return None
    mode = {"gzip": "r|gz", "bzip2": "r|bz2", "xz": "r|xz"}.get(source.packing, "r|")
    found, names = Found("tar", "a tar archive", "files", form=source.form), []
    try:
        with tarfile.open(source.path, mode) as archive:  # type: ignore[call-overload]
            for member in archive:
                if member.isfile() or member.issym() or member.islnk():
                    names.append(member.name)
                if len(names) >= _MOST_NAMES:
                    break
    except (tarfile.TarError, OSError, EOFError, ValueError, UnicodeError, zlib.error) as error:
        found.problems.append(f"truncated or corrupt tar ({shorten(str(error))})")
    return _listed(found, names)


def _listed(found: Found, names: list[str]) -> Found:
    found.rows = len(names)
    found.samples = [shorten(name) for name in names[:SAMPLES]]
    found.problems.append("an archive of several files is not read: unpack it, and inspect the files")
    outside = [
        name for name in names if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts
    ]
    if outside:
        found.problems.append(f"{len(outside):,} names lead out of its folder, such as {shorten(outside[0])}")
    return found


def _sides(files: dict[str, Path], _first: Found) -> dict[str, str]:
    return {"vectors": "\n".join(f"    {code}: {{path: {quoted(str(file))}}}" for code, file in files.items())}


FOLDERS = {"vectors-folder": {"sides": _sides}}


class _Tally(RowSink):
    """Counts the rows that a reader gives, and keeps none."""

    def __init__(self) -> None:
        super().__init__(self)  # type: ignore[arg-type]
        self.rows = self.dimensions = 0
        self.sample: list[str] = []

    def append(self, words: list[str], _matrix: NDArray[np.float32], _norms: NDArray[np.float64]) -> None:
        """Take rows as the store of vectors would."""
        self.sample += words[: max(0, SAMPLED - len(self.sample))]

    def take(self, words: list[bytes], matrix: NDArray[np.float32]) -> int:
        self.rows, self.dimensions = self.rows + len(words), matrix.shape[1]
        return super().take(words, matrix)


@silence()
def _vectors(source: Source) -> Found | None:
    if source.head.startswith(FASTTEXT_MAGIC):
        return _fasttext(source)
    if source.is_text:
        header = HEADER.match(source.head)
        if not _are_rows(source.head_lines(50)[1 if header else 0 :], header):
            return None
        kind = "with a header (fastText .vec, word2vec text, MUSE)" if header else "without a header (GloVe)"
        return _read(Found("vectors-text", f"word vectors as text, {kind}", "words"), source, read_text_vectors)
    if not looks_binary(source.head):
        return None
    found = Found("vectors-word2vec", "word vectors in the binary format of word2vec", "words")
    return _read(found, source, read_word2vec_vectors)


def _are_rows(lines: list[bytes], header: re.Match[bytes] | None) -> bool:
    """Whether most lines are a word and as many numbers as the header promises, or as most other lines have."""
    numbers = [line.split()[1:] for line in lines]
    widths = [len(fields) if all(map(is_number, fields)) else 0 for fields in numbers]
    dimensions = int(header[2]) if header else max(set(widths), key=widths.count, default=0)
    sized = (1 if header else _FEWEST) <= dimensions <= MOST_DIMENSIONS
    return bool(widths) and sized and widths.count(dimensions) >= (0.5 if header else 0.9) * len(widths)


def _read(found: Found, source: Source, read: Callable[[str, RowSink], None]) -> Found:
    tally, problems = _Tally(), Problems()
    try:
        read(source.view, tally)
    except UserError as error:
        if not source.stopped:
            problems.take(error)
    found.rows = tally.rows
    for what, count in tally.skipped.items():
        if count and what == "repeated words":
            found.notes.append(f"{count:,} {what}: the first is kept")
        elif count:
            found.problems.append(f"{count:,} {what}")
    found.problems += [] if source.stopped else tally.remarks
    found.problems += problems.listed()
    return _finished(found, source, tally.dimensions, tally.sample)


def _finished(found: Found, source: Source, dimensions: int, words: list[str]) -> Found:
    found.samples = [shorten(", ".join(words[:12]))] if words else []
    found = closed(found, source)
    found.counts["dimensions"] = dimensions
    found.languages = languages.from_name(source.path)
    found.scripts = languages.scripts(words)
    return found


def _fasttext(source: Source) -> Found:
    found, words, dimensions = Found("vectors-fasttext", "a fastText model (.bin)", "words"), list[str](), 0
    source.quick = False  # its numbers are in its head, and whether it is whole shows at its end
    try:
        model = check_model(source.view)
    except UserError as error:
        found.problems.append(error.problem)
    else:
        words, dimensions = [word.decode("utf-8", "replace") for word in model.words], model.dimensions
        found.rows, found.counts = len(words), {"buckets": model.buckets}
        wrong = sum("\ufffd" in word for word in words)
        found.problems += [f"{wrong:,} words that are not UTF-8"] if wrong else []
        if model.buckets > 0 and model.longest > 0:
            note = f"letter n-grams of {model.shortest} to {model.longest}: words that it lacks get vectors too"
        else:
            note = "no letter n-grams: words that it lacks get no vectors"
        found.notes.append(note)
    return _finished(found, source, dimensions, words[:SAMPLED])
