"""Fuzzing of readers that want JSON: a sound value in which a few places are replaced, left out or doubled."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

WEIRD = [None, True, 0, -1, 7, 1.5, float("nan"), "", " ", "7", "a b", "\ud800", "\u0301x", [], {}, ["x"], {"id": 1}]


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key or number) in a JSON value."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@st.composite
def damaged(draw: st.DrawFn, sound: Any, most: int = 3) -> Any:
    """``sound`` with up to ``most`` places damaged."""
    value = copy.deepcopy(sound)
    for _ in range(draw(st.integers(0, most))):
        found = places(value)
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        match draw(st.sampled_from(["replace", "leave out", "double"])):
            case "replace":
                container[key] = draw(st.sampled_from(WEIRD))
            case "leave out":
                del container[key]
            case _ if isinstance(container, list):
                container.append(copy.deepcopy(container[key]))
    return value
