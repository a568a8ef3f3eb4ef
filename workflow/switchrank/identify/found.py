"""What an inspection finds, how it is shown (as text for people, as JSON for machines), and the config entry for it."""

import json
import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from string import Template
from typing import Any

import numpy as np

from switchrank.core.errors import UserError

SAMPLES = 3
_WIDTH = 100
_MOST_KINDS = 12
_MOST_COMPARED = 20_000_000
"""Rows whose identities are compared; 16 bytes each."""
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")
"""What differs between problems of one kind."""
_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_IDS = ("id", "_id", "docid", "doc_id", "pid", "qid", "query_id", "url")
_TEXTS = ("text", "contents", "passage", "body", "context", "query", "question", "title")
_PLAIN = {"language", "languages", "split", "version", "name", "files", "vectors", "side", "sides"}
"""Values that are YAML already; all others are paths and are quoted."""


@dataclass
class Found:
    """What a file or folder is.

    Attributes:
        format: a short stable name, such as ``trec-qrels``.
        title: the same in words.
        unit: what ``rows`` counts.
        rows: how many there are, without bad ones; ``estimated`` says that the end was not read.
        form: packing and encoding.
        fields: columns or members.
        counts: further numbers, by name.
        languages: codes, from the data or the name; ``scripts`` are those of its letters.
        samples: up to three rows, shortened.
        problems: what is wrong; ``notes`` what is good to know.
        values: facts that the config entry needs.
        entry: the part of a config that reads it.
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
        return not self.problems

    def as_json(self, path: str) -> dict[str, Any]:
        return {"file": path, "sound": self.sound} | asdict(self)

    def as_text(self, path: str) -> str:
        counts = [f"{number:,} {name}" for name, number in [(self.unit, self.rows), *self.counts.items()]]
        shown = {
            "format": [self.format + (f" ({self.form})" if self.form else "")],
            "rows": [("about " if self.estimated else "") + ", ".join(counts)],
            "fields": [", ".join(self.fields)] if self.fields else [],
            "languages": [", ".join(self.languages)] if self.languages else [],
            "scripts": [", ".join(self.scripts)] if self.scripts else [],
            "sample": self.samples,
            "wrong": self.problems,
            "note": self.notes,
        }
        lines = [
            f"{path}: {self.title}",
            *(f"  {name:<10} {value}" for name, values in shown.items() for value in values),
        ]
        if self.entry:
            lines += ["  config entry:", *(f"    {line}".rstrip() for line in self.entry.splitlines())]
        return "\n".join(lines)


class Problems:
    """Counted problems, each kind with the places of the first three."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[str, list[str]]] = {}
        self._counts: Counter[str] = Counter()

    def add(self, what: str, place: str = "") -> None:
        """Count ``what``; problems that differ only in numbers and quoted words are of one kind."""
        kind = _PARTICULAR.sub("", what)
        self._counts[kind] += 1
        _, places = self._first.setdefault(kind, (what, []))
        if place and len(places) < 3:
            places.append(place)

    def take(self, error: UserError) -> None:
        """Count what a reader says of a row that it cannot use, or of the whole file."""
        self.add(error.problem, error.place)

    def listed(self) -> list[str]:
        """One text for each kind, in the order they occurred; of very many kinds the first."""
        texts = []
        for kind, (what, places) in islice(self._first.items(), _MOST_KINDS):
            count = self._counts[kind]
            text = what if count == 1 else f"{count:,} times: {what}"
            texts.append(shorten(f"{text} ({listed(places, count)})" if places else text, 300))
        rest = len(self._first) - len(texts)
        return texts + ([f"and {rest:,} kinds of problems more"] if rest else [])


class Identities:
    """Finds repeated values among very many short ones: 64-bit hashes, sorted at the end."""

    def __init__(self) -> None:
        self._hashes, self._numbers = array("q"), array("q")
        self._unit = "line"

    def add(self, identity: Hashable, place: str) -> None:
        """Note a value and its place, such as ``line 7``; values beyond the limit are ignored."""
        if len(self._hashes) < _MOST_COMPARED:
            self._unit, _, number = place.partition(" ")
            self._hashes.append(hash(identity))
            self._numbers.append(int(number) if number.isdecimal() else len(self._hashes))

    def repeats(self) -> tuple[int, list[str]]:
        """How many values had occurred before, and the places of the first three."""
        hashes = np.frombuffer(self._hashes, dtype=np.int64)
        order = np.argsort(hashes, kind="stable")
        again = np.sort(order[1:][hashes[order][1:] == hashes[order][:-1]])
        return len(again), [f"{self._unit} {self._numbers[row]}" for row in again[:3].tolist()]


def listed(places: Sequence[str], count: int) -> str:
    """Places with their unit named once: ``line 2, 3, 7, ...`` where they are the first of ``count``."""
    unit = places[0].partition(" ")[0]
    numbers = [place.removeprefix(f"{unit} ") for place in places]
    return f"{unit} {', '.join(numbers)}" + (", ..." if count > len(places) else "")


def shorten(text: str | bytes, width: int = _WIDTH) -> str:
    """One line of at most ``width`` characters, without anything that a terminal would act on."""
    if isinstance(text, bytes):
        text = text[: 8 * width].decode("utf-8", "replace")
    shown = text[: 2 * width].replace("\t", " | ").replace("\n", " ").replace("\r", " ")
    shown = "".join("?" if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in shown)
    return shown if len(shown) <= width else shown[: width - 3] + "..."


def filled(template: str, found: Found, path: str) -> str:
    """A template with its ``$names`` filled in; values of the finding take precedence over guesses from languages."""
    known = [json.dumps(code) if code in _BOOLEANS else code for code in found.languages or ["xx"]]
    columns = [name.partition(" (")[0] for name in found.fields]
    facts = {
        "language": known[0],
        "languages": ", ".join(known),
        "source": known[0] if len(known) > 1 else "en",
        "target": known[1] if len(known) > 1 else known[0],
        "split": "train" if "train" in path.rpartition("/")[2] else "test",
        "side": known[0],
        "sides": "files",
        "first": json.dumps(next((name for name in _IDS if name in columns), "id")),
        "second": json.dumps(next((name for name in _TEXTS if name in columns), "text")),
        "path": quoted(path),
    }
    facts |= {name: value if name in _PLAIN else quoted(value) for name, value in found.values.items()}
    if any(f"${name}" in template and facts[name] == "xx" for name in ("language", "side")):
        found.notes.append("xx: neither the data nor its name tells the language; write its code")
    return Template(template).safe_substitute(facts).rstrip("\n")


def quoted(text: str) -> str:
    """A text in quotation marks, as YAML."""
    return json.dumps(text, ensure_ascii=False)
