"""The kind of a file of word vectors, recognised by its first bytes and never by its name.

Three kinds exist: text (fastText ``.vec``, word2vec and GloVe text, MUSE ``wiki.multi``), word2vec's binary and
fastText's binary model; each plain, gzip or xz.
"""

import re
from pathlib import Path
from typing import Literal

from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes

Kind = Literal["text", "word2vec", "fasttext"]

FASTTEXT_MAGIC = (793712314).to_bytes(4, "little")
HEADER = re.compile(rb"\s*(\d{1,18})[ \t]+(\d{1,18})[ \t]*\r?\n")
"""First line of a text or word2vec binary file: number of rows, number of dimensions."""
MOST_DIMENSIONS = 10_000
"""More dimensions than this are taken for a damaged header."""
_HEAD = 1 << 16
_NUMBER = re.compile(rb"[-+]?(\d++(\.\d*+)?|\.\d++)([eE][-+]?\d++)?|[-+]?(nan|inf(inity)?)", re.IGNORECASE)
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0e-\x1f]")
_FOREIGN = {
    (b"\x28\xb5\x2f\xfd",): ("packed with zstd", "unpack it first"),
    (b"\x80\x02", b"\x80\x03", b"\x80\x04"): ("a Python pickle", "save the vectors in word2vec format first"),
}


def vector_kind(path: str | Path) -> Kind:
    """The kind of a file of word vectors, ``text`` if nothing says otherwise; UserError for an archive or a pickle."""
    with open_bytes(path) as stream:
        head = stream.read(_HEAD)
    for magics, (what, todo) in _FOREIGN.items():
        if head.startswith(magics):
            raise UserError(path, "", f"{what}, not word vectors", todo)
    if head.startswith(FASTTEXT_MAGIC):
        return "fasttext"
    return "word2vec" if looks_binary(head) else "text"


def looks_binary(head: bytes) -> bool:
    """Whether there is a header, and the rows after it are no text."""
    found = HEADER.match(head)
    if found is None or not 0 < int(found[2]) <= MOST_DIMENSIONS:
        return False
    dimensions, body = int(found[2]), head[found.end() :]
    if any(_is_text_row(line, dimensions) for line in body.split(b"\n", 5)[:5]):
        return False
    numbers = body.lstrip(b"\n").partition(b" ")[2][: 4 * dimensions]
    return bool(_UNPRINTABLE.search(numbers)) or not _is_utf8(numbers)


def _is_text_row(line: bytes, dimensions: int) -> bool:
    word, *numbers = line.rstrip(b" \r").rsplit(b" ", dimensions)
    return bool(word) and len(numbers) == dimensions and all(map(is_number, numbers))


def is_number(field: bytes) -> bool:
    """Whether it is a decimal number, infinite or not a number."""
    return bool(_NUMBER.fullmatch(field))


def _is_utf8(part: bytes) -> bool:
    """Whether it is UTF-8, except for a character cut off at its end."""
    try:
        part.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.end == len(part) and len(part) - error.start < 4
    return True
