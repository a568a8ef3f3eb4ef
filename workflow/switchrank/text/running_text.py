"""Running text to learn words from, line by line; files of something else are refused."""

import re
from collections.abc import Iterator
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes, read_lines

_HEAD = 4096
_BOM = b"\xef\xbb\xbf"
_WIKI = re.compile(rb"\s*+(?:<[?!][^<]*+)*+<mediawiki[\s>]", re.IGNORECASE)
_XML = re.compile(rb"\s*+<(?:\?xml|!doctype)\s", re.IGNORECASE)
_SQL = re.compile(rb"(?:\s|--[^\n]*+\n)*+(?:/\*M?!|CREATE\s+TABLE\b|DROP\s+TABLE\b|INSERT\s+INTO\b)", re.IGNORECASE)
_TEXT = "give plain text, a sentence or paragraph a line"


def read_prose(path: str | Path, *, what: str | None = None) -> Iterator[str]:
    """Yield the lines of a UTF-8 text file, plain or packed, without their ends; ``what`` names a progress bar.

    UserError as :func:`switchrank.files.reading.read_lines`, and for XML, SQL dumps and binary data (a zero byte).
    """
    with open_bytes(path) as stream:
        head = stream.peek(_HEAD)[:_HEAD].removeprefix(_BOM)
    if _WIKI.match(head):
        todo = "end its name in .xml, .xml.bz2, .xml.gz or .xml.xz, or make text of it with switchrank sources wikitext"
        raise UserError(path, "", "a pages-articles dump, given as text", todo)
    for pattern, kind in ((_XML, "XML"), (_SQL, "an SQL dump")):
        if pattern.match(head):
            raise UserError(path, "", f"{kind}, given as text", _TEXT)
    for number, line in read_lines(path, what=what):
        if "\0" in line:
            raise UserError(path, f"line {number}", "binary data (a zero byte), not text", _TEXT)
        yield line
