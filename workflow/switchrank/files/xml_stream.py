"""Streaming XML: the elements of some names, one small tree at a time, however large the file is.

Expat reads any encoding that the file names. Trees are built only inside the elements asked for, so memory holds one of
them. Nothing outside the file is opened. A file that declares entities is refused: dumps need none, and they make small
files grow without end (https://docs.python.org/3/library/xml.html#xml-vulnerabilities). Names are without namespaces.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes

_CHUNK = 1 << 16
_LARGEST = 1 << 26
LANG = "xml:lang"
"""The attribute with the language of an element."""


def read_elements(path: str | Path, names: Iterable[str], *, what: str | None = None) -> Iterator[Element]:
    """Yield every element with one of the ``names`` that is inside no other such element, in file order.

    Names are without namespace; that of the root yields the root without its content, first of all. ``what`` names a
    progress bar. UserError: as of :func:`switchrank.files.reading.open_bytes`; the file is no well-formed XML, declares
    entities, ends early, or an element is larger than 64 MB.
    """
    reader = _Reader(path, frozenset(names))
    with open_bytes(path, what=what) as stream:
        while chunk := stream.read(_CHUNK):
            yield from reader.feed(chunk, final=False)
    yield from reader.feed(b"", final=True)


class _Reader:
    def __init__(self, path: str | Path, names: frozenset[str]) -> None:
        self._path, self._names = path, names
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text, parser.buffer_size = True, _CHUNK
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._data
        parser.EntityDeclHandler = self._refuse
        self._builder: TreeBuilder | None = None
        self._depth, self._size, self._root = 0, 0, True
        self._done: list[Element] = []

    def feed(self, chunk: bytes, final: bool) -> list[Element]:
        """The elements that are whole now."""
        try:
            self._parser.Parse(chunk, final)
        except expat.ExpatError as error:
            problem = f"not well-formed XML ({expat.errors.messages[error.code]})"
            raise UserError(self._path, f"line {error.lineno}", problem, "fetch or make the file again") from error
        except (ValueError, LookupError, UnicodeError) as error:
            problem = f"XML in an encoding that cannot be read ({error})"
            raise UserError(self._path, "", problem, "convert the file to UTF-8") from error
        done, self._done = self._done, []
        return done

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        if self._root:
            self._root = False
            if name in self._names:
                self._done.append(Element(name, attributes))
                return
        if self._builder is None and name in self._names:
            self._builder, self._depth, self._size = TreeBuilder(), 0, 0
        if self._builder is not None:
            self._depth += 1
            self._grow(len(tag) + 64)
            self._builder.start(name, attributes)

    def _end(self, tag: str) -> None:
        if self._builder is not None:
            self._builder.end(tag.rpartition(":")[2])
            self._depth -= 1
            if self._depth == 0:
                self._done.append(self._builder.close())
                self._builder = None

    def _data(self, text: str) -> None:
        if self._builder is not None:
            self._grow(len(text))
            self._builder.data(text)

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > _LARGEST:
            place = f"line {self._parser.CurrentLineNumber}"
            raise UserError(self._path, place, "an element of more than 64 MB", "check what this file is")

    def _refuse(self, name: str, *_: Any) -> None:
        place = f"line {self._parser.CurrentLineNumber}"
        raise UserError(self._path, place, f"declares the entity {name}", "give a file without entity declarations")
