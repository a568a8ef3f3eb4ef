"""JSON of others: whatever a file holds, it is a value or one clear error, and members are taken by name and kind.

The standard parser is used because data of the field holds ``NaN`` (AfriQA), which stricter parsers refuse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.reading import decode, open_bytes, read_lines

LARGEST = 2**30
"""Bytes of a file that is read whole, unpacked: twenty times the largest of the field, and no room for a zip bomb."""


def read_json(path: str | Path, wanted: str) -> Any:
    """The value that a whole file holds; UserError, with what is ``wanted`` instead, if it is not JSON or too large."""
    with open_bytes(path) as stream:
        raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise UserError(path, "", f"holds more than {LARGEST:,} bytes of JSON in one value", wanted)
    return _parse(decode(raw, path, "").removeprefix("\ufeff"), path, "", wanted)


def read_json_lines(path: str | Path, wanted: str, defect: Defect = refuse) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield ``(line number from 1, object)`` of lines that are not blank; one without an object goes to ``defect``."""
    empty, sieve = True, Sieve(defect)
    for number, line in read_lines(path):
        if line and not line.isspace():
            with sieve:
                value = _parse(line, path, f"line {number}", wanted)
                if not isinstance(value, dict):
                    raise UserError(path, f"line {number}", "not a JSON object", wanted)
                empty = False
                yield number, value
    if empty:
        raise UserError(path, "", "holds no line", wanted)


def member(value: Any, key: str, kind: type[Any], path: str | Path, place: str, wanted: str) -> Any:
    """``value[key]``; UserError if it is not there, not of ``kind``, or a string that is no :func:`proper_text`."""
    found = value.get(key) if isinstance(value, dict) else None
    if not isinstance(found, kind):
        raise UserError(path, place, f"no member {key!r} that is a {kind.__name__}", wanted)
    return proper_text(found, path, f"{place} {key!r}") if isinstance(found, str) else found


def proper_text(text: str, path: str | Path, place: str) -> str:
    r"""``text``; UserError if it holds half of a surrogate pair, as the JSON escape ``\ud800`` alone makes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        problem = f"half of a surrogate pair ({text[error.start]!r})"
        raise UserError(path, place, problem, "write the character whole") from error
    return text


def identifier(value: Any, path: str | Path, place: str, wanted: str, key: str = "id") -> str:
    """The member ``key``, a whole number or a string without white space; UserError if it is neither."""
    found = value.get(key) if isinstance(value, dict) else None
    name = str(found) if type(found) is int else str(member(value, key, str, path, place, wanted))
    if name.split() != [name]:
        raise UserError(path, place, f"{key} {name!r}", "write an id without white space")
    return name


def _parse(text: str, path: str | Path, line: str, wanted: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"{line or f'line {error.lineno}'} column {error.colno}"
        raise UserError(path, place, f"not JSON ({error.msg})", wanted) from error
    except RecursionError as error:
        raise UserError(path, line, "JSON nested too deeply", wanted) from error
    except ValueError as error:  # Python refuses to make a number of thousands of digits
        raise UserError(path, line, f"JSON with a number that is too long ({str(error)[:60]})", wanted) from error
