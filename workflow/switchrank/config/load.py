"""Reading a config file and the tables that it names: environment expanded, every mistake told in one line.

A web address in place of a path is replaced, in the plain config, by the path of the file it becomes, and listed under
``downloads``. The paths are relative, and the addresses keep their ``${NAME}``: nothing of a machine and no password
gets into rules, digests or provenance.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from switchrank.ablation.rows import check_starts
from switchrank.config.checks import findings, refused
from switchrank.config.explain import one_of_each_place, place_of, problem_of, repaired
from switchrank.config.models import Config
from switchrank.config.plan import Plan
from switchrank.config.sections import Finding
from switchrank.config.sweeps import expand_sweeps, name_sweeps
from switchrank.core.errors import Sieve, UserError, each, raise_all
from switchrank.corpus.recipe import read_recipe
from switchrank.files.addresses import check_sent, is_address, is_private, local_path, split_advice, variables
from switchrank.files.reading import read_text

_OCTAL = re.compile(r"^[-+]?0[0-9_]+$")
_CLOCK = re.compile(r"^[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?$")
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_MODEL_KEY = re.compile(r"start\.model|(starts|systems)\.[^.]+\.model")
"""Keys that name a folder or a model of a hub."""
_LOCAL = re.compile(rf"testsets\.[^.]+\.pairs|ablation\.rows|{_MODEL_KEY.pattern}|run")
"""Places whose files are read before anything can be fetched, or that name no file."""


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
    found = [(place_of(error["loc"]), *problem_of(error)) for error in errors]
    found += findings(config) if config is not None else []
    known = {mistake.place for mistake in mistakes}
    mistakes += [UserError(path, *one) for one in name_sweeps(found, whole) if one[0] not in known]
    return config, mistakes


def _repaired(data: dict[str, Any]) -> tuple[Config | None, list[Any]]:
    config, errors = _validated(data)
    found, meant = list(errors), repaired(data, errors)
    while errors and meant is not None:
        config, errors = _validated(meant)
        if any(error["type"] != "value_error" for error in errors):  # consequences of what was left out
            return None, found
        found += errors  # lists are checked as a whole once each item is right
        meant = repaired(meant, errors)
    return config, found


def _validated(data: dict[str, Any]) -> tuple[Config | None, list[Any]]:
    """The config, or what pydantic has against it, unknown keys first, since they explain missing ones."""
    try:
        return Config.model_validate(expand_sweeps(data)), []
    except ValidationError as error:
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        return None, one_of_each_place(found)


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
        mistakes += [UserError(path, *finding) for finding in _job_findings(plan)]
        with noting:
            _ = plan.ablation
    return plan, mistakes


def _job_findings(plan: Plan) -> Iterator[Finding]:
    """What jobs would refuse, as far as it is known once all tables are read."""
    config = plan.config
    for corpus, section in config.corpora.items():
        for pair in [] if section.parallel else plan.train_pairs(corpus):
            yield from refused(f"corpora.{corpus}", read_recipe, plan.switching_recipe(corpus, pair))
    for testset in config.testsets:
        yield from _first_stage(plan, testset)
        yield from _baseline(plan, testset)
    if config.ablation:
        rows = plan.rows()
        given = config.ablation.reference, config.ablation.compared
        yield from refused("ablation", check_starts, rows, *given)
        for language in dict.fromkeys(row.language for row in rows if row.examples):
            name = config.labelled_collection(language)
            if not name:  # reported for each row
                continue
            asked = config.collections[name].questions(config.languages.source, "train")
            if "train" not in config.collections[name].splits or language not in asked:
                todo = f"name one with {language} among its train_languages, or in {language} alone"
                yield "ablation.collection", f"{name} has no training queries in {language}", todo


def _baseline(plan: Plan, testset: str) -> Iterator[Finding]:
    """Every system of the experiment ranks a pair that the baseline ranks too."""
    ranked: dict[str, set[str]] = {}
    for run in plan.runs(testset):
        ranked.setdefault(run.system, set()).add(run.pair.id)
    baseline = plan.config.evaluate.baseline
    alone = [name for name in plan.main_systems if name in ranked and not ranked[name] & ranked.get(baseline, set())]
    if alone:
        problem = f"{baseline} ranks no pair of {testset} that {alone[0]} ranks"
        yield "evaluate.baseline", problem, "name a system that ranks what the others rank"


def _first_stage(plan: Plan, name: str) -> Iterator[Finding]:
    """BM25 needs queries and documents in the languages that it searches in, with the ids of those ranked."""
    testset, source = plan.config.testsets[name], plan.config.languages.source
    collection, asked = plan.config.collections[testset.collection], testset.candidates.query_language
    if not testset.candidates.bm25:
        return
    silent = [language for language in plan.judged_languages(name) if language not in collection.test_languages]
    problem = ""
    if asked == "source" and testset.documents == "own":
        problem = "documents have ids of their own in each language"
    elif asked == "source" and not {source} <= {*collection.languages} & {*collection.test_languages}:
        problem = f"{testset.collection} has no queries and documents in {source}"
    elif asked == "document" and silent:
        problem = f"{testset.collection} has no queries in {silent[0]}"
    elif asked not in ("source", "document", *collection.test_languages):
        problem = f"{testset.collection} has no queries in {asked}"
    if problem:
        ways = [*([] if silent else ["document"]), *collection.test_languages]
        todo = f"write {' or '.join([', '.join(ways[:-1]), ways[-1]] if ways[1:] else ways)}"
        yield f"testsets.{name}.candidates.query_language", problem, f"{todo}, or give candidates by run or all"
