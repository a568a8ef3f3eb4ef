"""What an inspection finds, and how it is told: as text for people, as JSON for machines."""

from __future__ import annotations

import unicodedata
from dataclasses import asdict, dataclass, field
from typing import Any

SAMPLES = 3
_WIDTH = 100


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
    """Counted problems, each kind with the first lines that have it."""

    def __init__(self) -> None:
        self._lines: dict[str, list[int]] = {}
        self._counts: dict[str, int] = {}

    def add(self, what: str, line: int = 0) -> None:
        """One more ``what``, on a line (none is told where it is 0)."""
        self._counts[what] = self._counts.get(what, 0) + 1
        places = self._lines.setdefault(what, [])
        if line and len(places) < 3:
            places.append(line)

    def count(self, what: str) -> int:
        """How many of one kind."""
        return self._counts.get(what, 0)

    def told(self) -> list[str]:
        """One text for each kind, in the order they were met."""
        texts = []
        for what, count in self._counts.items():
            places = ", ".join(str(line) for line in self._lines[what])
            more = ", ..." if len(self._lines[what]) < count and places else ""
            name = "line" if count == 1 else "lines"
            texts.append(f"{count:,} {what}" + (f" ({name} {places}{more})" if places else ""))
        return texts


def shorten(text: str | bytes) -> str:
    """One line of at most 100 characters, nothing in it that a terminal would act on."""
    if isinstance(text, bytes):
        text = text[: 8 * _WIDTH].decode("utf-8", "replace")
    shown = text[: 2 * _WIDTH].replace("\t", " | ").replace("\n", " ").replace("\r", " ")
    shown = "".join("?" if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in shown)
    return shown if len(shown) <= _WIDTH else shown[: _WIDTH - 3] + "..."
