"""What an inspection finds, and how it is told: as text for people, as JSON for machines."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

from switchrank.core.errors import UserError

SAMPLES = 3
_WIDTH = 100
_MOST_KINDS = 12
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""What differs between problems of one kind."""


@dataclass
class Found:
    """What a file or folder is.

    Attributes:
        format: a short stable name, such as ``trec-qrels``.
        title: the same in words.
        unit: what ``rows`` counts.
        rows: how many there are, bad ones left out; ``estimated`` says that the end was not read.
        fields: columns or members.
        counts: further numbers, by name.
        languages: codes that the data or its name tells; ``scripts`` what the letters tell.
        samples: up to three rows, shortened.
        problems: what is wrong; ``notes`` what is good to know.
        values: facts that the config entry needs.
    """

    format: str
    title: str
    unit: str = "rows"
    rows: int = 0
    estimated: bool = False
    form: str = ""
    fields: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    languages: list[str] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    samples: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    entry: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems

    def as_json(self, path: str) -> dict[str, Any]:
        """Plain values."""
        return {"file": path, "sound": self.sound} | asdict(self)

    def as_text(self, path: str) -> str:
        """Lines for a reader."""
        about = "about " if self.estimated else ""
        count = f"{about}{self.rows:,} {self.unit}"
        more = "".join(f", {number:,} {name}" for name, number in self.counts.items())
        lines = [
            f"{path}: {self.title}",
            f"  format     {self.format}" + (f" ({self.form})" if self.form else ""),
            f"  rows       {count}{more}",
        ]
        for name, values in (
            ("fields", self.fields),
            ("languages", self.languages),
            ("scripts", self.scripts),
        ):
            lines += [f"  {name:<10} {', '.join(values)}"] if values else []
        for name, values in (("sample", self.samples), ("wrong", self.problems), ("note", self.notes)):
            lines += [f"  {name:<10} {value}" for value in values]
        if self.entry:
            lines += ["  config entry:", *(f"    {line}".rstrip() for line in self.entry.splitlines())]
        return "\n".join(lines)


class Problems:
    """Counted problems, each kind with the places of the first that have it."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, list[str]]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, what: str, place: str = "") -> None:
        """One more ``what``; what differs in numbers and quoted words only is of one kind."""
        kind = _PARTICULAR.sub("", what)
        self._counts[kind] += 1
        _, places = self._found.setdefault(kind, (what, []))
        if place and len(places) < 3:
            places.append(place)

    def take(self, error: UserError) -> None:
        """What a reader says of a row that it cannot use, or of the whole file."""
        self.add(error.problem, error.place)

    def told(self) -> list[str]:
        """One text for each kind, in the order they were met; of very many kinds the first."""
        texts = [self._text(kind) for kind in islice(self._found, _MOST_KINDS)]
        rest = len(self._found) - len(texts)
        return texts + ([f"and {rest:,} kinds of problems more"] if rest else [])

    def _text(self, kind: str) -> str:
        (what, places), count = self._found[kind], self._counts[kind]
        told = what if count == 1 else f"{count:,} times: {what}"
        return shorten(f"{told} ({listed(places, count)})" if places else told, 300)


def listed(places: Sequence[str], count: int) -> str:
    """Places, the unit of which is said once: ``line 2, 3, 7, ...`` where they are the first of ``count``."""
    unit = places[0].partition(" ")[0]
    numbers = [place.removeprefix(f"{unit} ") for place in places]
    return f"{unit} {', '.join(numbers)}" + (", ..." if count > len(places) else "")


def shorten(text: str | bytes, width: int = _WIDTH) -> str:
    """One line of at most ``width`` characters, nothing in it that a terminal would act on."""
    if isinstance(text, bytes):
        text = text[: 8 * width].decode("utf-8", "replace")
    shown = text[: 2 * width].replace("\t", " | ").replace("\n", " ").replace("\r", " ")
    shown = "".join("?" if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in shown)
    return shown if len(shown) <= width else shown[: width - 3] + "..."
