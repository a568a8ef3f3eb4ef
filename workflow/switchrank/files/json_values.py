"""JSON of others: whatever a file holds, it is a value or one clear error; members are taken by name and kind.

The standard parser is used because data of the field holds ``NaN`` (AfriQA), which stricter parsers refuse.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.reading import decode, open_bytes, read_lines

LARGEST = 2**30
"""Bytes of a file that is read whole, unpacked: twenty times the largest of the field, and no room for a zip bomb."""
_decode = json.JSONDecoder().decode  # json.loads, without looking for settings and encodings first


class Place(NamedTuple):
    """Where a value stands: the file, the place in it, and what to give instead of a file that does not fit."""

    path: str | Path
    place: str
    wanted: str

    def at(self, place: str) -> Self:
        """A place inside this one."""
        return self._replace(place=f"{self.place} {place}")

    def error(self, problem: str, todo: str = "") -> UserError:
        """The error that something is wrong here."""
        return UserError(self.path, self.place, problem, todo or self.wanted)

    def member(self, value: Any, key: str, kind: type[Any]) -> Any:
        """``value[key]``; UserError if it is not there, not of ``kind``, or a string that is no :meth:`text`."""
        found = value.get(key) if isinstance(value, dict) else None
        if not isinstance(found, kind):
            raise self.error(f"no member {key!r} that is a {kind.__name__}")
        return self.at(repr(key)).text(found) if isinstance(found, str) else found

    def text(self, text: str) -> str:
        r"""``text``; UserError if it holds half of a surrogate pair, as the JSON escape ``\ud800`` alone makes it."""
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            problem = f"half of a surrogate pair ({text[error.start]!r})"
            raise self.error(problem, "write the character whole") from error
        return text

    def identifier(self, value: Any, key: str = "id") -> str:
        """The member ``key``, a whole number or a string without white space; UserError if it is neither."""
        found = value.get(key) if isinstance(value, dict) else None
        name = str(found) if type(found) is int else str(self.member(value, key, str))
        if name.split() != [name]:
            raise self.error(f"{key} {name!r}", "write an id without white space")
        return name

    def once(self, name: str, seen: dict[str, str]) -> None:
        """Note in ``seen`` the line of an id; UserError if an earlier line has it."""
        first = seen.setdefault(name, self.place)
        if first != self.place:
            both = f"lines {first.removeprefix('line ')} and {self.place.removeprefix('line ')}"
            raise UserError(self.path, both, f"id {name} twice", "keep one line of each")


def read_json(path: str | Path, wanted: str) -> Any:
    """The value that a whole file holds; UserError, with what is ``wanted`` instead, if it is not JSON or too large."""
    with open_bytes(path) as stream:
        raw = stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise UserError(path, "", f"holds more than {LARGEST:,} bytes of JSON in one value", wanted)
    return _parse(decode(raw, path, "").removeprefix("\ufeff"), Place(path, "", wanted))


def read_json_lines(path: str | Path, wanted: str, defect: Defect = refuse) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield ``(line, object)`` of lines that are not blank; one without an object goes to ``defect``."""
    empty, sieve = True, Sieve(defect)
    for number, line in read_lines(path):
        if line and not line.isspace():
            place = Place(path, f"line {number}", wanted)
            with sieve:
                value = json_object(line, place)
                empty = False
                yield place, value
    if empty:
        raise UserError(path, "", "holds no line", wanted)


def json_object(line: str, place: Place) -> dict[str, Any]:
    """The object that a line holds; UserError if it holds none, or half of a surrogate pair."""
    value = _parse(line, place)
    if not isinstance(value, dict):
        raise place.error("not a JSON object")
    if "\\u" in line:  # only an escape can be half of a pair
        for key, part in value.items():
            place.at(repr(key)).text(json.dumps({key: part}, ensure_ascii=False))
    return value


def _parse(text: str, place: Place) -> Any:
    try:
        return _decode(text)
    except json.JSONDecodeError as error:
        line = place.place or f"line {error.lineno}"
        raise place._replace(place=f"{line} column {error.colno}").error(f"not JSON ({error.msg})") from error
    except RecursionError as error:
        raise place.error("JSON nested too deeply") from error
    except ValueError as error:  # Python refuses to make a number of thousands of digits
        raise place.error(f"JSON with a number that is too long ({str(error)[:60]})") from error
