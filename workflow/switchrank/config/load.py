"""Reading a config file: YAML traps caught with line numbers, every mistake told in one line, environment expanded."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from switchrank.config.checks import cross_check
from switchrank.config.downloads import with_downloads
from switchrank.config.models import Config
from switchrank.config.sweeps import expand_sweeps
from switchrank.errors import UserError
from switchrank.fetch.addresses import check_sent, is_address, is_private, shown, split_advice
from switchrank.reading import read_text

_OCTAL = re.compile(r"^[-+]?0[0-9_]+$")
_CLOCK = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_EXPONENT = re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$")


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML that refuses what YAML 1.1 would silently turn into something else."""


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> int:
    if _OCTAL.match(node.value) or _CLOCK.match(node.value):
        raise yaml.MarkedYAMLError(
            problem=f"{node.value} would be read as {yaml.SafeLoader.construct_yaml_int(loader, node)}: "
            f"write '{node.value}' in quotes, or the number without a leading zero or colon",
            problem_mark=node.start_mark,
        )
    return int(yaml.SafeLoader.construct_yaml_int(loader, node))


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key that is no word", problem_mark=key.start_mark)
        if key.value in seen:
            raise yaml.MarkedYAMLError(problem=f"key {key.value} twice: keep one", problem_mark=key.start_mark)
        seen.add(key.value)
    return dict(loader.construct_mapping(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UserError: missing file, broken YAML, a duplicate key, ``010`` or ``12:30`` without quotes.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such config file", "correct the path after --configfile")
    text = read_text(path)
    try:
        loaded = yaml.load(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}" if mark else ""
        problem, _, todo = " ".join((error.problem or "broken YAML").split()).partition(": ")
        raise UserError(path, place, problem, todo or "correct the YAML there") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f"not YAML ({' '.join(str(error).split())[:200]})"
        raise UserError(path, "", problem, "correct the file") from error
    if not isinstance(loaded, dict):
        raise UserError(path, "", "not a mapping of keys", "start with 'run: name'")
    return loaded


def load_config(path: str | Path, environment: Mapping[str, str]) -> Config:
    """Read and check one config file.

    ``${NAME}`` in any string is replaced from ``environment``, but not in web addresses: these may hold a password, and
    are filled in when they are asked for.
    """
    return check_config(read_yaml(path), path, environment)


def check_config(data: dict[str, Any], path: str | Path, environment: Mapping[str, str]) -> Config:
    """Check a config mapping that came from ``path``.

    Raises:
        UserError: the first mistake found: file, key path, value, what is allowed, the nearest known key.
    """
    try:
        config = Config.model_validate(expand_sweeps(with_downloads(_expanded(data, path, "", environment), path)))
    except ValidationError as error:
        raise _explained(error, path) from None
    cross_check(config, path)
    return config


def _expanded(value: Any, path: str | Path, place: str, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _expanded(item, path, f"{place}.{key}".lstrip("."), environment) for key, item in value.items()}
    if isinstance(value, list):
        return [_expanded(item, path, f"{place}.{number}", environment) for number, item in enumerate(value)]
    if isinstance(value, str):
        for name in _VARIABLE.findall(value):
            if not environment.get(name):
                raise UserError(path, place, f"environment variable {name} is not set", f"export {name}=/your/folder")
        return value if is_address(value) else _filled(value, path, place, environment)
    return value


def _filled(value: str, path: str | Path, place: str, environment: Mapping[str, str]) -> str:
    """The string with its variables filled in; what that turns into an address or a hub name is sent somewhere."""
    used = list(dict.fromkeys(_VARIABLE.findall(value)))
    filled = _VARIABLE.sub(lambda match: environment[match[1]], value)
    named = place == "start.model" and not Path(filled).is_dir() and not filled.startswith((".", "/", "~"))
    if used and (is_address(filled) or named):
        try:
            check_sent(used, environment)
        except ValueError as error:
            raise UserError(path, place, *split_advice(error)) from None
        if is_address(filled) and not is_private(filled) and not filled.startswith("hf://"):
            raise UserError(path, place, f"would send environment variable {used[0]} unencrypted", "write https")
    return filled


def _explained(error: ValidationError, path: str | Path) -> UserError:
    first = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
    return UserError(path, _place(first["loc"]), *_problem(first))


_TAGGED = {"collections", "lexicons"}
"""Mappings whose sections are of several kinds: pydantic puts the kind behind the name."""
_ADDED = {"str", "int", "DictionaryFile"}
"""Types of values that pydantic names in a place."""


def _place(location: tuple[str | int, ...]) -> str:
    """The key path as the file has it, without the steps that pydantic adds: kinds of sections and types of values."""
    added = {2} if location[0] in _TAGGED else set()
    return ".".join(
        str(part)
        for number, part in enumerate(location)
        if number not in added and part not in _ADDED and "[" not in str(part)
    )


def _problem(error: Any) -> tuple[str, str]:
    value, kind = error["input"], error["type"]
    if kind == "extra_forbidden":
        return f"unknown key {error['loc'][-1]}", _nearest(error["loc"])
    if kind == "missing":
        return "missing", "add this key"
    if isinstance(value, bool) and kind != "bool_type":
        word = "no" if value is False else "yes"
        return f"{value} where text or a number is expected", f"YAML reads a bare {word} as {value}; quote it: '{word}'"
    if isinstance(value, str) and kind in {"float_type", "int_type"}:
        return f"'{value}' is text", _number_advice(value)
    if kind == "union_tag_invalid":
        key, known = error["ctx"]["discriminator"].strip("'"), error["ctx"]["expected_tags"].replace("'", "")
        close = difflib.get_close_matches(error["ctx"]["tag"], known.split(", "), 1, 0.5)
        return f"unknown {key} {error['ctx']['tag']}", f"did you mean {close[0]}?" if close else f"known: {known}"
    if kind == "union_tag_not_found":
        return f"no {error['ctx']['discriminator']}".replace("'", ""), "add this key"
    if kind == "value_error":
        problem, _, todo = str(error["ctx"]["error"]).partition(": ")
        return problem, todo
    text = shown(value) if isinstance(value, str) and is_address(value) else value
    return f"{text!r} is not allowed", error["msg"][0].lower() + error["msg"][1:]


def _number_advice(value: str) -> str:
    if not _EXPONENT.match(value):
        return "write a number"
    digits, exponent = value.lower().split("e")
    return f"write {digits if '.' in digits else digits + '.0'}e{int(exponent):+d}"


def _nearest(location: tuple[str | int, ...]) -> str:
    known = _keys(Config, location[:-1])
    close = difflib.get_close_matches(str(location[-1]), known, 1, 0.5)
    return f"did you mean {close[0]}?" if close else f"known keys: {', '.join(known)}"


def _keys(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The keys of the section at ``location``: fields are followed through optionals, mappings, lists and unions."""
    sections: list[type[BaseModel]] = [model]
    for part in location:
        sections = [section for section in sections if part in _tags(section)] or sections
        fields = [section.model_fields[str(part)].annotation for section in sections if part in section.model_fields]
        sections = [found for annotation in fields for found in _sections(annotation)] or sections
    names = {field.alias or name for section in sections for name, field in section.model_fields.items()}
    return sorted(names)


def _tags(section: type[BaseModel]) -> tuple[str, ...]:
    """The kinds that a section of several kinds stands for."""
    field = section.model_fields.get("format") or section.model_fields.get("kind")
    return getattr(field.annotation, "__args__", ()) if field else ()


def _sections(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in getattr(annotation, "__args__", ()) for found in _sections(part)]
