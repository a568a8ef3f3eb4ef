"""Reading a config file and the tables that it names: environment expanded, every mistake told in one line.

A web address in place of a path is replaced, in the plain config, by the path of the file it becomes, and listed under
``downloads``. The paths are relative, and addresses and the copies beside them keep their ``${NAME}``: nothing of a
machine and no password gets into rules, digests or provenance.
"""

import difflib
import functools
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from switchrank.config.checks import findings
from switchrank.config.models import Config
from switchrank.config.plan import Plan
from switchrank.config.sections import LANGUAGE, language_advice
from switchrank.config.sweeps import expand_sweeps, name_sweeps
from switchrank.core.errors import Sieve, UserError, each, raise_all
from switchrank.files.addresses import check_sent, is_address, is_private, local_path, shown, split_advice, variables
from switchrank.files.reading import read_text

_OCTAL = re.compile(r"^[-+]?0[0-9_]+$")
_CLOCK = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MODEL_KEY = re.compile(r"start\.model|(starts|systems)\.[^.]+\.model")
"""Keys that name a folder or a model of a hub."""
_LOCAL = re.compile(rf"testsets\.[^.]+\.pairs|ablation\.rows|{_MODEL_KEY.pattern}|run")
"""Places whose files are read before anything can be fetched, or that name no file."""
_COPY = re.compile(r"downloads\..+\.local")
"""Places of paths that are looked at when a file is needed: their variables may be unset."""
_EXPONENT = re.compile(r"^([-+]?[0-9]+)(\.[0-9]*)?[eE]([-+]?[0-9]+)$")
_TAGGED = {"collections", "lexicons"}
"""Mappings whose sections are of several kinds: pydantic puts the kind behind the name."""
_ADDED = {"str", "constrained-str", "int", "DictionaryFile"}
"""Types of values that pydantic adds to a location."""
_OF_A_KIND = ("_type", "literal_error")
"""How the names of errors end that say only that a value is of another kind."""
Location = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """Safe YAML that notes what YAML 1.1 would silently turn into something else."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.mistakes: list[yaml.MarkedYAMLError] = []

    def note(self, problem: str, node: yaml.Node) -> None:
        self.mistakes.append(yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark))


def _whole_number(loader: _Loader, node: yaml.ScalarNode) -> int:
    number = int(yaml.SafeLoader.construct_yaml_int(loader, node))
    if _OCTAL.match(node.value) or _CLOCK.match(node.value):
        todo = f"write '{node.value}' in quotes, or the number without a leading zero or colon"
        loader.note(f"{node.value} would be read as {number}: {todo}", node)
    return number


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key that is no word", problem_mark=key.start_mark)
        if key.value in seen:
            loader.note(f"key {key.value} twice: keep one", key)
        seen.add(key.value)
    return dict(loader.construct_mapping(node, deep=True))


_Loader.add_constructor("tag:yaml.org,2002:int", _whole_number)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: str | Path) -> dict[str, Any]:
    """The mapping in a YAML file.

    Raises:
        UserError: missing file, broken YAML; or every duplicate key, ``010`` and ``12:30`` without quotes.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such config file", "correct the path after --configfile")
    text = read_text(path)
    try:
        loader = _Loader(text)
        loaded = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        raise _marked(error, path) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        problem = f"not YAML ({' '.join(str(error).split())[:200]})"
        raise UserError(path, "", problem, "correct the file") from error
    raise_all(_marked(mistake, path) for mistake in loader.mistakes)
    if not isinstance(loaded, dict):
        raise UserError(path, "", "not a mapping of keys", "start with 'run: name'")
    return loaded


def _marked(error: yaml.MarkedYAMLError, path: Path) -> UserError:
    mark = error.problem_mark
    place = f"line {mark.line + 1}" if mark else ""
    problem, _, todo = " ".join((error.problem or "broken YAML").split()).partition(": ")
    return UserError(path, place, problem, todo or "correct the YAML there")


def load_config(path: str | Path, environment: Mapping[str, str]) -> Config:
    """Read and check one config file.

    ``${NAME}`` in any string is replaced from ``environment``, except in web addresses: these may hold a password, and
    are filled in when they are fetched.
    """
    return check_config(read_yaml(path), path, environment)


def check_config(data: dict[str, Any], path: str | Path, environment: Mapping[str, str]) -> Config:
    """Check a config mapping that came from ``path``; UserError with a line for every mistake."""
    config, mistakes = read_config(data, path, environment)
    raise_all(mistakes)
    assert config is not None
    return config


def read_config(
    data: dict[str, Any], path: str | Path, environment: Mapping[str, str]
) -> tuple[Config | None, list[UserError]]:
    """A config mapping as a config, and every mistake in it.

    For the checks across sections a value that is wrong by itself is left out, or taken for what it was meant to be.
    Where that cannot be, there is no config, and only such values are reported.
    """
    whole, mistakes = _prepared(data, path, environment)
    config, errors = _repaired(whole)
    found = [(_place_of(error["loc"]), *_problem_of(error)) for error in errors]
    found += findings(config) if config is not None else []
    known = {mistake.place for mistake in mistakes}
    mistakes += [UserError(path, *one) for one in name_sweeps(found, whole) if one[0] not in known]
    return config, mistakes


def _repaired(data: dict[str, Any]) -> tuple[Config | None, list[Any]]:
    config, errors = _validated(data)
    found, meant = list(errors), _without(data, errors)
    while errors and meant is not None:
        config, errors = _validated(meant)
        if any(error["type"] != "value_error" for error in errors):  # consequences of what was left out
            return None, found
        found += errors  # lists are checked as a whole once each item is right
        meant = _without(meant, errors)
    return config, found


def _validated(data: dict[str, Any]) -> tuple[Config | None, list[Any]]:
    """The config, or what pydantic has against it, unknown keys first, since they explain missing ones."""
    try:
        return Config.model_validate(expand_sweeps(data)), []
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        return None, _one_of_each_place(found)


def _prepared(
    data: dict[str, Any], path: str | Path, environment: Mapping[str, str]
) -> tuple[dict[str, Any], list[UserError]]:
    """A mapping with ``${NAME}`` filled in and paths in place of addresses, and what is wrong with either.

    A variable that is not set is reported once and stays as ``$NAME``.
    """
    mistakes: list[UserError] = []
    missing: set[str] = set()
    downloads: dict[str, Any] = {}

    def prepared(value: str, place: str) -> str:
        if _COPY.fullmatch(place):
            return value
        for name in variables(value):
            if not environment.get(name) and name not in missing:
                missing.add(name)
                problem, todo = f"environment variable {name} is not set", f"export {name}=/your/folder"
                mistakes.append(UserError(path, place, problem, todo))
        try:
            text = value if is_address(value) else _filled(value, place, environment)
            if not is_address(text) or place.partition(".")[0] == "downloads":
                return text
            if _LOCAL.fullmatch(place):
                raise ValueError("a web address where a file of this machine is needed: fetch it and give its path")
            file = local_path(text)
        except ValueError as error:  # never show what would be sent
            mistakes.append(UserError(path, place, *split_advice(error)))
            return _VARIABLE.sub(r"$\1", value)
        downloads[file] = {"url": text}
        return file

    whole: dict[str, Any] = _with_texts(data, prepared)
    given = whole.get("downloads", {})
    if downloads and isinstance(given, dict):
        whole["downloads"] = given | downloads
    return whole, mistakes


def _with_texts(value: Any, changed: Callable[[str, str], str], *place: object) -> Any:
    """A copy in which every text is what ``changed`` makes of it and of the key path that it stands at."""
    if isinstance(value, dict):
        return {key: _with_texts(part, changed, *place, key) for key, part in value.items()}
    if isinstance(value, list):
        return [_with_texts(part, changed, *place, number) for number, part in enumerate(value)]
    return changed(value, ".".join(map(str, place))) if isinstance(value, str) else value


def _filled(value: str, place: str, environment: Mapping[str, str]) -> str:
    used = variables(value)
    filled = _VARIABLE.sub(lambda match: environment.get(match[1]) or f"${match[1]}", value)
    named = _MODEL_KEY.fullmatch(place) and not Path(filled).is_dir() and not filled.startswith((".", "/", "~"))
    if used and (is_address(filled) or named):
        check_sent(used, environment)
        if is_address(filled) and not is_private(filled) and not filled.startswith("hf://"):
            raise ValueError(f"would send environment variable {used[0]} unencrypted: write https")
    return filled


def load_plan(path: str | Path, environment: Mapping[str, str]) -> Plan:
    """The plan of a config file; tables are looked for in this folder and in the one above the file's."""
    return checked_plan(read_yaml(path), path, environment, roots_of(path))


def roots_of(path: str | Path) -> list[Path]:
    """Folders in which the tables that a config file names are looked for."""
    return [Path.cwd(), Path(path).absolute().parent.parent]


def checked_plan(data: dict[str, Any], path: str | Path, environment: Mapping[str, str], roots: Sequence[Path]) -> Plan:
    """The plan of a config mapping that came from ``path``; UserError with a line for every mistake."""
    plan, mistakes = read_plan(data, path, environment, roots)
    raise_all(mistakes)
    assert plan is not None
    return plan


def read_plan(
    data: dict[str, Any], path: str | Path, environment: Mapping[str, str], roots: Sequence[Path]
) -> tuple[Plan | None, list[UserError]]:
    """The plan of a config mapping, as far as there is one, and all mistakes.

    They are those of the config and of the tables that it names, and if there are none, what its jobs would refuse.
    """
    config, mistakes = read_config(data, path, environment)
    if config is None:
        return None, mistakes
    plan, wrong = Plan(config, list(roots), data), {mistake.place for mistake in mistakes}
    noting = Sieve(lambda error: mistakes.extend(each(error)))
    for name, section in config.testsets.items():
        if section.collection in config.collections and f"testsets.{name}.pairs" not in wrong:
            with noting:
                plan.pairs_of(name)
    if "ablation.rows" not in wrong:
        with noting:
            plan.rows()
    if not mistakes:
        mistakes += [UserError(path, *finding) for finding in plan.findings()]
        with noting:
            _ = plan.ablation
    return plan, mistakes


def _keys_of(location: Location) -> list[str | int]:
    """The keys that lead to a place in the file, without the steps that pydantic adds: kinds of sections and values."""
    kept = [*location[:2], *location[3:]] if location and location[0] in _TAGGED else location
    return [part for part in kept if part not in _ADDED and "[" not in str(part)]


def _place_of(location: Location) -> str:
    return ".".join(map(str, _keys_of(location)))


def _one_of_each_place(errors: list[Any]) -> list[Any]:
    """One error for each place: if a key may hold several kinds of values, the most telling one."""
    chosen: dict[str, Any] = {}
    for error in errors:
        chosen.setdefault(_place_of(error["loc"]), error)
    explained = {place.rpartition(".")[0] for place in chosen}
    for place in explained & {*chosen}:
        if isinstance(chosen[place]["input"], dict | list) and chosen[place]["type"].endswith(_OF_A_KIND):
            del chosen[place]
    return list(chosen.values())


def _problem_of(error: Any) -> tuple[str, str]:
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
        todo = f"write {found[1]}{found[2] or '.0'}e{int(found[3]):+d}" if found else "write a number"
        return f"'{value}' is text", todo
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


def _without(data: dict[str, Any], errors: list[Any]) -> dict[str, Any] | None:
    """The mapping without what pydantic's ``errors`` are about; None where a whole section would have to go.

    An unknown key becomes the nearest known one, a value that is listed twice is listed once, and any other wrong value
    is left out, as are all sweeps if one of them makes a wrong section.
    """
    copy = deepcopy(data)
    for error in sorted(errors, key=_index, reverse=True):  # lists from the end: what comes before keeps its number
        *folders, last = _keys_of(error["loc"])
        holder = _value_at(copy, folders)
        if holder is None or (isinstance(holder, dict) and last not in holder and error["type"] != "missing"):
            copy.pop("sweeps", None)
        elif not _repair(holder, last, error):
            return None
    return copy


def _index(error: Any) -> int:
    last = _keys_of(error["loc"])[-1]
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
