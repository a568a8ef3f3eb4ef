"""A config without its wrong values, or with what they were meant to be, so that the rest can be checked."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from switchrank.config.explain import keys_of, nearest_key


def repaired(data: dict[str, Any], errors: list[Any]) -> dict[str, Any] | None:
    """The mapping without what ``errors`` of pydantic are about; None where a whole section would have to go.

    An unknown key becomes the known one that is nearest to it, a value that is listed twice is listed once, any other
    wrong value is left out; sweeps are, where one of them makes a wrong section.
    """
    copy = deepcopy(data)
    for error in sorted(errors, key=_number, reverse=True):  # of a list from behind: numbers before it stay
        *folders, last = keys_of(error["loc"])
        holder = _at(copy, folders)
        if holder is None or (isinstance(holder, dict) and last not in holder and error["type"] != "missing"):
            copy.pop("sweeps", None)
        elif not _repair(holder, last, error):
            return None
    return copy


def _number(error: Any) -> int:
    """The place in a list that an error is about."""
    last = keys_of(error["loc"])[-1]
    return last if isinstance(last, int) else -1


def _at(data: Any, keys: list[str | int]) -> Any:
    """What stands at a key path; None where there is nothing."""
    for key in keys:
        try:
            data = data[key]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _repair(holder: Any, key: Any, error: Any) -> bool:
    """Put right one value of a mapping or a list; whether that could be done."""
    kind, value = error["type"], error["input"]
    fits = isinstance(holder, list if isinstance(key, int) else dict)
    if (
        not fits
        or kind in {"missing", "union_tag_invalid", "union_tag_not_found"}
        or (kind == "value_error" and isinstance(value, dict))
    ):
        return False
    if kind == "value_error" and isinstance(value, list):
        holder[key] = [item for place, item in enumerate(value) if item not in value[:place]]
        return True
    taken = holder.pop(key)
    meant = nearest_key(error["loc"]) if kind == "extra_forbidden" else None
    if meant is not None and meant not in holder:
        holder[meant] = taken
    return True
