"""One measured figure beside its peer's: its entry in ``bench.json`` and its line in the Markdown table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tests.benchmarks.clock import Alone

FIELDS = (
    "name",
    "unit",
    "size",
    "ours",
    "peer",
    "peer_name",
    "peer_version",
    "ratio",
    "required_ratio",
    "floor",
    "share_of_floor",
    "peak_rss_mb",
    "commit",
    "cpu",
)
"""The fields of an entry of ``bench.json``, which other people's scripts read."""
_HEAD = "| part | size | ours | peer | ratio | asked | share of floor | asked | peak MB |"
_RULE = "|---|---|---:|---:|---:|---:|---:|---:|---:|"


@dataclass(frozen=True)
class Row:
    """What was measured.

    Attributes:
        name: the part, such as ``lexicon-nn``.
        unit: ``s`` where less is better; any other unit, such as ``tokens/s``, is a rate, where more is better.
        size: the inputs, in words.
        ours, peer: figures in that unit; peer is None where none is timed.
        peer_name, peer_version: which peer, with the settings that matter.
        required_ratio: what ``ratio`` has to reach; None where the figure is only reported.
        floor: the best figure the hardware allows, in that unit; None where none is known.
        required_share: what ``share_of_floor`` has to reach, or None.
        peak_rss_mb: highest resident memory of our side's process, in MB.
        checked: how both sides' results were found equal before the clock ran.
        note: what a reader has to know: a sample that was scaled up, a threshold that was not reached and why.
    """

    name: str
    unit: str
    size: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    peer_version: str = ""
    required_ratio: float | None = None
    floor: float | None = None
    required_share: float | None = None
    peak_rss_mb: float | None = None
    checked: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; above 1 is faster."""
        return self._times_better(self.ours, self.peer)

    @property
    def share_of_floor(self) -> float | None:
        """The part of what the hardware allows that is reached; at most 1."""
        return self._times_better(self.ours, self.floor)

    def _times_better(self, ours: float, other: float | None) -> float | None:
        if other is None:
            return None
        return other / ours if self.unit == "s" else ours / other

    @property
    def falls_short(self) -> bool:
        """Whether something that is asked for was not reached."""
        asked = ((self.ratio, self.required_ratio), (self.share_of_floor, self.required_share))
        return any(limit is not None and (got is None or got < limit) for got, limit in asked)

    def record(self, machine: dict[str, Any]) -> dict[str, Any]:
        """All that is known: the fields, ``ratio``, ``share_of_floor`` and what is known of the machine."""
        return {**asdict(self), "ratio": self.ratio, "share_of_floor": self.share_of_floor, **machine}


def timed(run: Alone, **fields: Any) -> Row:
    """A row in seconds: those and the memory of our run, and the rest of the fields."""
    return Row(unit="s", ours=run.seconds, peak_rss_mb=run.peak_rss_mb, **fields)


def entry(record: dict[str, Any]) -> dict[str, Any]:
    """The entry of ``bench.json`` of a record: ``FIELDS`` and no others."""
    return {name: record[name] for name in FIELDS}


def from_record(record: dict[str, Any]) -> Row:
    """The row of a record."""
    return Row(**{name: record[name] for name in Row.__dataclass_fields__})


def _figure(value: float | None, unit: str = "") -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def _line(row: Row) -> str:
    peer = f"{_figure(row.peer, row.unit)} ({row.peer_name} {row.peer_version})".replace(" )", ")")
    cells = [
        f"`{row.name}`" + (" **short**" if row.falls_short else ""),
        row.size,
        _figure(row.ours, row.unit),
        peer if row.peer is not None else "",
        _figure(row.ratio),
        _figure(row.required_ratio),
        _figure(row.share_of_floor),
        _figure(row.required_share),
        _figure(row.peak_rss_mb),
    ]
    return "| " + " | ".join(cells) + " |"


def table(rows: Iterable[Row]) -> str:
    """Markdown: a line for each row, then what was checked and noted for each."""
    rows = list(rows)
    notes = [
        f"- `{row.name}` ({row.size}): " + " ".join(part for part in (row.checked, row.note) if part)
        for row in rows
        if row.checked or row.note
    ]
    return "\n".join([_HEAD, _RULE, *map(_line, rows), "", *notes]) + "\n"
