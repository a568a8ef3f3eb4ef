"""Word dictionaries of any kind, as pairs of look-up keys: for lexicons, as seed of an alignment and as gold alike.

Of TEI dictionaries, as FreeDict publishes them, P5 is read with or without namespace (``cit[@type="trans"]/quote``, or
equivalents in ``def``) and P4 (``trans/tr``); see https://github.com/freedict/fd-dictionaries/wiki/FreeDict-HOWTO.
Notes, references and what stands in round or square brackets are no translations; several equivalents in one ``def``
are separated by commas or semicolons.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Literal, get_args
from xml.etree.ElementTree import Element

from switchrank.core.errors import Defect, UserError, refuse
from switchrank.files.headers import refuse_header
from switchrank.files.reading import open_bytes, read_lines
from switchrank.files.xml_stream import read_elements
from switchrank.formats.psq import read_probabilities
from switchrank.text.equality import key, lower

Pairs = Iterator[tuple[str, str]]
Translation = tuple[str, str, float | None]
"""Source, target, and the probability of the target, if the dictionary has probabilities."""
DictionaryFormat = Literal["auto", "text", "tsv", "tei", "panlex", "psq"]
DICTIONARY_FORMATS: tuple[str, ...] = get_args(DictionaryFormat)

_TODO = "write `source target`, one pair a line"
_NO_HEADER = "leave this line out, or name the two columns by their names with columns"
_HEAD = 4096
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_BETWEEN = re.compile(r"[,;]")
_JSON_OBJECT = re.compile(rb'\{\s*"')
_PASSED_OVER = {"note", "xr", "usg", "gramGrp", "lbl", "ref"}


def read_pairs(
    path: str | Path | Sequence[str | Path],
    *,
    format: str = "auto",
    columns: Sequence[int | str] = (),
    reverse: bool = False,
) -> list[tuple[str, str]]:
    """The pairs of :func:`read_translations`, without probabilities."""
    given = read_translations(path, format=format, columns=columns, reverse=reverse)
    return [(source, target) for source, target, _ in given]


def read_translations(
    path: str | Path | Sequence[str | Path],
    *,
    format: str = "auto",
    columns: Sequence[int | str] = (),
    reverse: bool = False,
) -> list[Translation]:
    """The translations of a dictionary (plain or packed) in file order, repeats included.

    A source is a look-up key; a target, which may be written into a text, is lower-case text in NFC. Runs of white
    space inside an expression become one space. Of a dictionary with probabilities, the translations of each source
    are together, the most probable first.

    Args:
        path: the file; for ``panlex`` two, the source language's and the target language's.
        format: ``text``: a pair a line, between them a tab or, on lines without one, white space (MUSE, XLing-Eval).
            ``tsv``: fields between tabs, see ``columns``. ``tei``: FreeDict. ``panlex``: Swadesh lists, line n of both
            files names concept n, expressions between tabs, each of one file translates each of the other. ``psq``:
            probabilities in JSON (:mod:`switchrank.formats.psq`). ``auto``: ``panlex`` for two files, ``tsv`` with
            columns, ``tei`` for XML, ``psq`` for a JSON object, else ``text``.
        columns: of the source and the target, by number from 1, or by name in the first line.
        reverse: the file translates from the target to the source language.

    Raises:
        UserError: a file is missing or damaged, a line is not UTF-8 or holds no pair, or there is no pair at all.
    """
    paths = [path] if isinstance(path, str | Path) else list(path)
    check_reading(paths, format, columns)
    chosen = _recognised(paths, columns) if format == "auto" else format
    readers: dict[str, Callable[[], Pairs]] = {
        "text": lambda: (pair for _, pair in text_pairs(paths[0])),
        "tsv": lambda: _tsv(paths[0], columns),
        "tei": lambda: _crossed(paths[0], read_entries(paths[0]), "entries without a headword or a translation"),
        "panlex": lambda: _panlex(paths[0], paths[1]),
    }
    rows: Iterable[Translation]
    rows = _probable(paths[0]) if chosen == "psq" else ((left, right, None) for left, right in readers[chosen]())
    given = ((" ".join(left.split()), " ".join(right.split()), score) for left, right, score in rows)
    sides = ((right, left, score) if reverse else (left, right, score) for left, right, score in given)
    found: list[Translation] = [(key(source), lower(target), score) for source, target, score in sides]
    if not found:
        raise UserError(paths[0], "", "holds no pair", _TODO)
    return _best_first(found) if chosen == "psq" else found


def _best_first(rows: list[Translation]) -> list[Translation]:
    """Sources in the order of their first appearance, the translations of each by falling probability."""
    order: dict[str, int] = {}
    for source, *_ in rows:
        order.setdefault(source, len(order))
    return sorted(rows, key=lambda row: (order[row[0]], -(row[2] or 0)))


def check_reading(paths: Sequence[str | Path], format: str, columns: Sequence[int | str]) -> None:
    """Raise UserError where format, number of files and columns of :func:`read_pairs` do not go together."""
    place = paths[0] if paths else ""
    if format not in DICTIONARY_FORMATS:
        raise UserError(place, "format", f"{format!r} is not known", f"write {', '.join(DICTIONARY_FORMATS)}")
    chosen = ("panlex" if len(paths) > 1 else "tsv" if columns else "text") if format == "auto" else format
    if len(paths) != (2 if chosen == "panlex" else 1):
        raise UserError(place, "", f"{len(paths)} files for format {chosen}", "give two for panlex, else one")
    if bool(columns) != (chosen == "tsv"):
        raise UserError(place, "", f"format {chosen} and columns {list(columns)}", "columns go with format tsv")
    if columns:
        check_columns(place, columns)


def check_columns(place: str | Path, columns: Sequence[int | str]) -> None:
    """Raise UserError unless these are two columns, both by number from 1 or both by name."""
    if len(columns) != 2:
        raise UserError(place, "columns", f"{len(columns)} columns", "name two, the source's and the target's")
    by_number = [column for column in columns if isinstance(column, int)]
    if len(by_number) == 1 or any(number < 1 for number in by_number):
        raise UserError(place, "columns", f"{list(columns)}", "write two numbers from 1, or two names")


def _recognised(paths: Sequence[str | Path], columns: Sequence[int | str]) -> str:
    if len(paths) > 1 or columns:
        return "panlex" if len(paths) > 1 else "tsv"
    with open_bytes(paths[0]) as stream:
        head = stream.peek(_HEAD)[:_HEAD].lstrip(b"\xef\xbb\xbf \r\n\t")
    if _JSON_OBJECT.match(head):
        return "psq"
    return "tei" if head.startswith((b"<?xml", b"<TEI", b"<!--", b"\xff\xfe<\0", b"\xfe\xff\0<")) else "text"


def text_pairs(path: str | Path, defect: Defect = refuse) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield ``(place, pair)`` of the lines of format ``text``; a line that holds no pair is given to ``defect``."""
    for number, line in read_lines(path):
        if not line.strip():
            continue
        fields = line.strip(" ").split("\t") if "\t" in line else line.strip(" ").split(None, 1)
        if len(fields) > 2:
            todo = "say which with columns, such as [1, 2]"
            defect(UserError(path, f"line {number}", f"{len(fields)} fields between tabs", todo))
        elif len(fields) < 2 or not all(map(str.strip, fields)):
            defect(UserError(path, f"line {number}", f"no pair in {line[:60]!r}", _TODO))
        else:
            if number == 1:
                refuse_header(path, fields, _NO_HEADER, words=True)
            yield f"line {number}", (fields[0], fields[1])


def tsv_rows(
    path: str | Path, columns: Sequence[int | str], *, what: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of the ``columns``: numbers from 1, or names in the first line, which is no row.

    In a line of white space all fields are empty. ``what`` names a progress bar. UserError: a line lacks a column.
    """
    places = [column - 1 for column in columns if isinstance(column, int)]
    for number, line in read_lines(path, what=what):
        fields = line.split("\t")
        if not places:
            missing = [name for name in columns if name not in fields]
            if missing:
                raise UserError(path, f"line {number}", f"no column {missing[0]!r}", f"found: {', '.join(fields)[:80]}")
            places = [fields.index(str(name)) for name in columns]
        elif not line.strip():
            yield number, [""] * len(places)
        elif len(fields) <= max(places):
            todo = "correct the line or the columns"
            problem = f"{len(fields)} fields between tabs, no column {max(places) + 1}"
            raise UserError(path, f"line {number}", problem, todo)
        else:
            yield number, [fields[place] for place in places]


def _tsv(path: str | Path, columns: Sequence[int | str]) -> Pairs:
    empty = 0
    for number, (source, target) in tsv_rows(path, columns):
        if source.strip() and target.strip():
            if number == 1:
                refuse_header(path, [source, target], _NO_HEADER, words=True)
            yield source, target
        else:
            empty += bool(source.strip() or target.strip())
    _tell(path, empty, "rows with an empty side")


def _crossed(path: str | Path, entries: Iterable[tuple[list[str], list[str]]], empty: str) -> Pairs:
    """Each word of one side of an entry with each of the other; entries with an empty side are counted."""
    left_out = 0
    for sides in entries:
        left_out += not all(sides)
        yield from product(*sides)
    _tell(path, left_out, empty)


def concepts(path: str | Path) -> Iterator[list[str]]:
    """Yield the expressions of each concept of a list of PanLex, a concept a line."""
    for _, line in read_lines(path):
        yield [word for word in line.split("\t") if word.strip()]


def _panlex(source: str | Path, target: str | Path) -> Pairs:
    sides = [list(concepts(path)) for path in (source, target)]
    if len(sides[0]) != len(sides[1]):
        problem = f"{len(sides[1])} lines, {source} has {len(sides[0])}"
        raise UserError(target, "", problem, "give two lists of the same concepts")
    yield from _crossed(target, zip(*sides, strict=True), "concepts without an expression in both languages")


def _probable(path: str | Path) -> Iterator[Translation]:
    """Words with translations of some probability; others are counted."""
    empty = 0
    for source, target, probability in read_probabilities(path):
        if source.strip() and target.strip() and probability:
            yield source, target, probability
        else:
            empty += 1
    _tell(path, empty, "translations without a word or of probability 0")


def _tell(path: str | Path, count: int, what: str) -> None:
    if count:
        print(f"{path}: warning: {count:,} {what} left out", file=sys.stderr, flush=True)


def read_entries(path: str | Path) -> Iterator[tuple[list[str], list[str]]]:
    """Yield (headwords, translations) of every entry, perhaps none of either; UserError if it is no TEI."""
    elements = read_elements(path, ("TEI", "TEI.2", "entry"))
    root = next(elements, None)
    if root is None or root.tag == "entry":
        raise UserError(path, "", "no TEI: its root is not <TEI>", "give a TEI dictionary, or another format")
    for entry in elements:
        if entry.tag == "entry":
            heads = [_clean("".join(orth.itertext())) for form in entry.findall("form") for orth in form.iter("orth")]
            yield _distinct(heads), _distinct(_translations(entry))


def _translations(entry: Element) -> Iterator[str]:
    for element in entry.iter():
        if element.tag == "cit" and element.get("type", "").startswith("trans"):
            yield from (_clean("".join(quote.itertext())) for quote in element.findall("quote"))
        elif element.tag == "trans":
            yield from (_clean("".join(tr.itertext())) for tr in element.findall("tr"))
        elif element.tag == "def":
            yield from map(_clean, _BETWEEN.split(_ASIDE.sub(" ", "".join(_words(element)))))


def _words(element: Element) -> Iterator[str]:
    """The text of an element without its notes and references."""
    yield element.text or ""
    for child in element:
        if child.tag not in _PASSED_OVER:
            yield from _words(child)
        yield child.tail or ""


def _clean(text: str) -> str:
    return " ".join(_ASIDE.sub(" ", text).split())


def _distinct(words: Iterator[str] | list[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
