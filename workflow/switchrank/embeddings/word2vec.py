"""Rows of word2vec's binary file: a text header ``rows dimensions``, then per row a word, a space, float32 numbers.

The original program ends each row with a line feed, others do not; both are read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.embeddings.rows import RowSink
from switchrank.files.reading import open_bytes
from switchrank.formats.vector_kinds import HEADER

_CHUNK = 1 << 22
_LONGEST_WORD = 1 << 16


def read_word2vec_vectors(path: str | Path, sink: RowSink) -> None:
    """Give the rows of a word2vec binary file to ``sink``, until it wants no more.

    Raises:
        UserError: the file is damaged, or has fewer rows than its header promises.
    """
    with open_bytes(path) as file, progress(total=sink.limit, what=f"read {Path(path).name}", unit="words") as bar:
        header = HEADER.match(file.readline(64))
        if header is None:
            raise UserError(path, "", "no header of word2vec's binary format", "fetch the file again")
        promised, dimensions = int(header[1]), int(header[2])
        size, rest, seen = 4 * dimensions, b"", 0
        while seen < promised and sink.wanted > 0 and (chunk := file.read(_CHUNK)):
            data = rest + chunk
            words, rows, start = [], [], 0
            while seen < promised:
                space = data.find(b" ", start, start + _LONGEST_WORD)
                if space < 0 and len(data) - start >= _LONGEST_WORD:
                    problem = f"no word before byte {_LONGEST_WORD} of the row"
                    raise UserError(path, f"row {seen + 1}", problem, "fetch the file again: it is damaged")
                if space < 0 or space + 1 + size > len(data):
                    break
                words.append(data[start:space].lstrip(b"\n"))
                rows.append(data[space + 1 : space + 1 + size])
                start = space + 1 + size
                seen += 1
            rest = data[start:]
            if words:
                matrix = np.frombuffer(b"".join(rows), dtype="<f4").reshape(len(words), dimensions)
                bar.update(sink.take(words, matrix))
        if sink.wanted <= 0:
            return
        if seen < promised:
            problem = f"the header promises {promised} rows, the file has {seen}"
            raise UserError(path, "", problem, "fetch the file again")
        if file.read(2).strip(b"\n"):
            sink.remarks.append("bytes stand behind the last word")
