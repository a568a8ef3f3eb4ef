"""Families of comparisons: which tests are corrected together. Declared before the results are seen.

A family holds all comparisons (systems times pairs) of one metric and one test within its scope. Systems set apart,
such as reference rankings and the points of a sweep, have families of their own and make no other test harder. Nor does
a run that is the baseline's own under another name, such as Translate-Test where nothing is translated: it is in none.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from switchrank.core.errors import UserError

Scope = Literal["setup", "testset", "run"]
SCOPES: dict[Scope, str] = {
    "setup": "within a test set and setup",
    "testset": "within a test set",
    "run": "over all test sets",
}
"""What a family spans, and how a legend says so."""
SAME = "same run"
"""In place of a family where a run is compared with itself."""


def check_scope(scope: str) -> None:
    """Raise UserError unless the scope is ``setup``, ``testset`` or ``run``."""
    if scope not in SCOPES:
        raise UserError("evaluate", "families", f"unknown value {scope}", f"write {', '.join(SCOPES)}")


def family(scope: str, row: Mapping[str, Any], *, apart: str = "") -> str:
    """Name of the family that a row with ``testset``, ``setup`` and ``metric`` belongs to.

    ``apart`` names the group of a system that is set apart, such as ``references``; empty for the experiment itself.
    """
    columns = {"setup": ("testset", "setup", "metric"), "testset": ("testset", "metric"), "run": ("metric",)}
    return " ".join([*(row[column] for column in columns[scope]), *([apart] if apart else [])])


def span(row: Mapping[str, Any]) -> str:
    """What the family of a SIGNIFICANCE row spans, in words, from its name."""
    return next(words for scope, words in SCOPES.items() if f"{row['family']} ".startswith(f"{family(scope, row)} "))
