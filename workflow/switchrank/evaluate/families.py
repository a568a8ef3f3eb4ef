"""Families of comparisons: which tests are corrected together. Declared before the results are seen.

A family holds all comparisons (systems times pairs) of one metric and one test within its scope. Reference rankings,
which are no hypothesis of the experiment, have families of their own and make no other test harder.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from switchrank.errors import UserError

SCOPES = {
    "setup": "within a test set and setup",
    "testset": "within a test set",
    "run": "over all test sets",
}
"""What a family spans, and how a legend says so."""
_REFERENCES = " references"


def check_scope(scope: str) -> None:
    """Raise UserError unless the scope is ``setup``, ``testset`` or ``run``."""
    if scope not in SCOPES:
        raise UserError("evaluate", "families", f"unknown value {scope}", f"write {', '.join(SCOPES)}")


def family(scope: str, row: Mapping[str, Any], *, reference: bool) -> str:
    """Name of the family that a row with ``testset``, ``setup`` and ``metric`` belongs to."""
    columns = {"setup": ("testset", "setup", "metric"), "testset": ("testset", "metric"), "run": ("metric",)}
    return " ".join(row[column] for column in columns[scope]) + (_REFERENCES if reference else "")


def span(row: Mapping[str, Any]) -> str:
    """What the family of a SIGNIFICANCE row spans, in words, from its name."""
    name = row["family"].removesuffix(_REFERENCES)
    return next(words for scope, words in SCOPES.items() if family(scope, row, reference=False) == name)
