"""Progress bars for long work: one look, quiet in logs (a line at most every ten seconds when not on a terminal)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any, TypeVar

from tqdm import tqdm

T = TypeVar("T")


def progress(
    items: Iterable[T] | None = None, *, total: int | None = None, what: str | None, unit: str = "it"
) -> tqdm[Any]:
    """A tqdm bar on standard error over ``items`` (or to ``update`` by hand), named ``what``, counting ``unit``.

    Without a name nothing is shown.
    """
    interval = 0.2 if sys.stderr.isatty() else 10.0
    return tqdm(
        items, total=total, desc=what, unit=f" {unit}", mininterval=interval, unit_scale=True, disable=what is None
    )
