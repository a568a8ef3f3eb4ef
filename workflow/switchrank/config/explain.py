"""What pydantic has against a config, in our words, and the config without it, so that the rest can be checked."""

import difflib
import functools
import operator
import re
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from switchrank.config.models import Config
from switchrank.config.sections import LANGUAGE, language_advice
from switchrank.files.addresses import is_address, shown

Location = tuple[str | int, ...]
_EXPONENT = re.compile(r"^([-+]?[0-9]+)(\.[0-9]*)?[eE]([-+]?[0-9]+)$")
_TAGGED = {"collections", "lexicons"}
"""Mappings whose sections are of several kinds: pydantic puts the kind behind the name."""
_ADDED = {"str", "constrained-str", "int", "DictionaryFile"}
"""Types of values that pydantic adds to a location."""
_OF_A_KIND = ("_type", "literal_error")
"""How the names of errors end that say only that a value is of another kind."""


def keys_of(location: Location) -> list[str | int]:
    """The keys that lead to a place in the file, without the steps that pydantic adds: kinds of sections and values."""
    added = {2} if location[:1] and location[0] in _TAGGED else set()
    return [
        part
        for number, part in enumerate(location)
        if number not in added and part not in _ADDED and "[" not in str(part)
    ]


def place_of(location: Location) -> str:
    return ".".join(map(str, keys_of(location)))


def one_of_each_place(errors: list[Any]) -> list[Any]:
    """One error for each place: if a key may hold several kinds of values, the most telling one."""
    chosen: dict[str, Any] = {}
    for error in errors:
        chosen.setdefault(place_of(error["loc"]), error)
    explained = {place.rpartition(".")[0] for place in chosen}
    for place in explained & {*chosen}:
        if isinstance(chosen[place]["input"], dict | list) and chosen[place]["type"].endswith(_OF_A_KIND):
            del chosen[place]
    return list(chosen.values())


def problem_of(error: Any) -> tuple[str, str]:
    """What is wrong, and what to do."""
    value, kind = error["input"], error["type"]
    if kind == "extra_forbidden":
        close, known = _nearest_key(error["loc"]), ", ".join(_keys(error["loc"][:-1]))
        return f"unknown key {error['loc'][-1]}", f"did you mean {close}?" if close else f"known keys: {known}"
    if kind == "missing":
        return "missing", "add this key"
    if isinstance(value, bool) and kind != "bool_type":
        word = "no" if value is False else "yes"
        return f"{value} where text or a number is expected", f"YAML reads a bare {word} as {value}; quote it: '{word}'"
    if isinstance(value, str) and kind in {"float_type", "int_type"}:
        found = _EXPONENT.match(value)
        return (
            f"'{value}' is text",
            f"write {found[1]}{found[2] or '.0'}e{int(found[3]):+d}" if found else "write a number",
        )
    if kind == "union_tag_invalid":
        key, known = error["ctx"]["discriminator"].strip("'"), error["ctx"]["expected_tags"].replace("'", "")
        near = difflib.get_close_matches(error["ctx"]["tag"], known.split(", "), 1, 0.5)
        return f"unknown {key} {error['ctx']['tag']}", f"did you mean {near[0]}?" if near else f"known: {known}"
    if kind == "union_tag_not_found":
        return f"no {error['ctx']['discriminator']}".replace("'", ""), "add this key"
    if kind == "value_error":
        problem, _, todo = str(error["ctx"]["error"]).partition(": ")
        return problem, todo
    if kind == "string_pattern_mismatch" and error["ctx"]["pattern"] == LANGUAGE:
        return f"{value!r} is no code of a language here", language_advice(value)
    text = shown(value) if isinstance(value, str) and is_address(value) else value
    return f"{text!r} is not allowed", error["msg"][0].lower() + error["msg"][1:]


def _nearest_key(location: Location) -> str | None:
    return next(iter(difflib.get_close_matches(str(location[-1]), _keys(location[:-1]), 1, 0.5)), None)


def _keys(location: Location) -> list[str]:
    sections: list[type[BaseModel]] = [Config]
    for part in location:
        sections = [section for section in sections if part in _kinds(section)] or sections
        fields = [section.model_fields[str(part)].annotation for section in sections if part in section.model_fields]
        sections = [found for annotation in fields for found in _sections(annotation)] or sections
    return sorted({field.alias or name for section in sections for name, field in section.model_fields.items()})


def _kinds(section: type[BaseModel]) -> tuple[str, ...]:
    field = section.model_fields.get("format") or section.model_fields.get("kind")
    return getattr(field.annotation, "__args__", ()) if field else ()


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _sections(part)]


def repaired(data: dict[str, Any], errors: list[Any]) -> dict[str, Any] | None:
    """The mapping without what pydantic's ``errors`` are about; None where a whole section would have to go.

    An unknown key becomes the nearest known one, a value that is listed twice is listed once, and any other wrong value
    is left out, as are all sweeps if one of them makes a wrong section.
    """
    copy = deepcopy(data)
    for error in sorted(errors, key=_index, reverse=True):  # lists from the end: what comes before keeps its number
        *folders, last = keys_of(error["loc"])
        holder = _value_at(copy, folders)
        if holder is None or (isinstance(holder, dict) and last not in holder and error["type"] != "missing"):
            copy.pop("sweeps", None)
        elif not _repair(holder, last, error):
            return None
    return copy


def _index(error: Any) -> int:
    last = keys_of(error["loc"])[-1]
    return last if isinstance(last, int) else -1


def _value_at(data: Any, keys: list[str | int]) -> Any:
    try:
        return functools.reduce(operator.getitem, keys, data)
    except (KeyError, IndexError, TypeError):
        return None


def _repair(holder: Any, key: Any, error: Any) -> bool:
    """Put right one value of a mapping or a list; whether that could be done."""
    kind, value = error["type"], error["input"]
    fits = isinstance(holder, list if isinstance(key, int) else dict)
    if not fits or kind in {"missing", "union_tag_invalid", "union_tag_not_found"}:
        return False
    if kind == "value_error" and isinstance(value, dict):
        return False
    if kind == "value_error" and isinstance(value, list):
        holder[key] = [item for place, item in enumerate(value) if item not in value[:place]]
        return True
    taken = holder.pop(key)
    meant = _nearest_key(error["loc"]) if kind == "extra_forbidden" else None
    if meant is not None and meant not in holder:
        holder[meant] = taken
    return True
