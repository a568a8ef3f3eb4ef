"""The claims of papers beside what runs say, as plain text for a terminal."""

import textwrap
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from switchrank.evaluate.claims import METRIC, SIDES, Claim
from switchrank.formats.measures import FALLING

WIDTH = 120
_COLUMNS = ("run", "test set", "found", "interval", "pairs", "queries", "seeds", "verdict")
_LEFT = frozenset({"run", "test set", "verdict"})
_LEGEND = (
    "claimed, found: difference between two systems in MRR@10, or in the measure that is named (of rank_distance less "
    "is better), a mean over language pairs, seeds and queries. "
    "interval: 95%, by bootstrap over queries, and over seeds where there are several; with one seed it says nothing "
    "about other seeds. None is corrected for the number of claims.",
    "verdict, of the sign alone: agrees, the interval lies on the claimed side of 0; opposite, on the other side; not "
    "decided, it holds 0. Where no difference is claimed (equal): agrees, it holds 0, as it easily does with few "
    "queries; differs, it does not. Where it is no worse that is claimed: agrees, it does not lie on the worse side.",
    "In brackets where a claim is from: abstract, the paper's; quoted, as others quote the paper; or the differences "
    "that the paper's tables have.",
)


def claims_text(rows: Sequence[Mapping[str, Any]], claims: Mapping[str, Claim]) -> str:
    """CLAIMS rows as text, by claim and comparison; at most 120 columns wide, unless names are long."""
    runs = dict.fromkeys(row["run"] for row in rows)
    shown = _COLUMNS[len(runs) == 1 :]
    cells = [_cells(row) for row in rows]
    widths = {column: max(len(column), *(len(line.get(column, "")) for line in cells)) for column in shown}
    only = f" ({', '.join(runs)})" if len(runs) == 1 else ""
    lines: list[str] = []
    paper = None
    for name, of_claim in groupby(zip(rows, cells, strict=True), key=lambda pair: pair[0]["claim"]):
        if claims[name].paper != paper:
            paper = claims[name].paper
            lines += [*([""] if lines else []), f"What {paper} claim, and what was found here{only}"]
        lines += ["", *textwrap.wrap(claims[name].text, WIDTH), ""]
        lines.append(_joined(dict(zip(shown, shown, strict=True)), widths))
        for told, alike in groupby(of_claim, key=lambda pair: _told(pair[0])):
            lines += [told, *(_joined(line, widths, row.get("missing", "")) for row, line in alike)]
    lines += ["", *(line for told in _LEGEND for line in textwrap.wrap(told, WIDTH))]
    return "".join(f"{line}\n" for line in lines)


def _told(row: Mapping[str, Any]) -> str:
    """What is compared, and what is claimed of it."""
    claimed = row["expected"] if row["published"] is None else f"{row['published']:+.3f}"
    pairs = SIDES[row["setup"]] + ("" if row["languages"] == "all" else f" {row['languages']}")
    measure = "" if row["metric"] == METRIC else f" by {row['metric']}"
    return f"{row['system']} against {row['baseline']}, {pairs}{measure}: claimed {claimed} ({row['source']})"


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    """What stands in each column; nothing but the run where something is missing."""
    if "missing" in row:
        return {"run": row["run"]}
    digits = 1 if row["metric"] in FALLING else 3
    interval = "" if row["low"] is None else f"{row['low']:+.{digits}f} to {row['high']:+.{digits}f}"
    found = f"{row['delta']:+.{digits}f}"
    cells = {"run": row["run"], "test set": row["testset"], "found": found, "interval": interval}
    return cells | {name: str(row[name]) for name in ("pairs", "queries", "seeds", "verdict")}


def _joined(cells: Mapping[str, str], widths: Mapping[str, int], missing: str = "") -> str:
    """A line of the table; ``missing`` stands in place of the test set and what follows."""
    line = ""
    for column, width in widths.items():
        if missing and column == "test set":
            return f"{line}  {missing}"
        cell = cells.get(column, "")
        line += "  " + (cell.ljust(width) if column in _LEFT else cell.rjust(width))
    return line.rstrip()
