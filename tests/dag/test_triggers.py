"""What a change makes run again: ``triggers.tsv``, written by hand, against parameters, inputs and digests.

Every change shows in the provenance as well, which holds the config; the table does not repeat that.
"""

from __future__ import annotations

import ast
import gc
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, get_args
from unittest import mock

import pytest
import yaml

from switchrank.config.load import checked_plan, load_config, read_yaml
from switchrank.config.models import Config
from switchrank.config.sections import Section
from switchrank.core import digest
from switchrank.core.errors import UserError
from tests.conftest import ROOT
from tests.dag.changes import PlannedJob, Row, planned_jobs, read_rows, share_replans

FULL = Path(__file__).with_name("full.yaml")
TABLE = Path(__file__).with_name("triggers.tsv")
KEYS, MODULES = read_rows(TABLE, "key"), read_rows(TABLE, "module")
BASE = yaml.safe_load(FULL.read_text())
UNSET = {"Tuning.steps", "Start.extend"}
"""Keys that another one excludes."""
LIKE_OTHERS = {"Beir", "Ciral", "ClirMatrix", "LargeScaleClir", "Miracl", "Mldr", "Mmarco", "OneLanguage", "Parquet"}
LIKE_OTHERS |= {"Tevatron"}
"""Formats of collections that differ from those of the config in where their files lie."""

Jobs = dict[tuple[str, ...], PlannedJob]
Labelled = tuple[str, frozenset[str]]
"""A rule and the values of a job's wildcards."""


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a config that is no mapping, with its keys."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, item in value.items():
        yield from leaves(item, (*path, key))


LEAVES = {".".join(path): (path, value) for path, value in leaves(BASE)}
CHANGED = [name for name in LEAVES if any(row.change != "-" for row in KEYS if row.matches(name))]
COMPANIES = share_replans({name: row for name in CHANGED for row in KEYS if row.matches(name)})
"""Keys that are changed at once, since their rows name no rule in common."""


def only_row(rows: list[Row], name: str) -> Row:
    """The row of a key or module."""
    found = [row for row in rows if row.matches(name)]
    assert len(found) == 1, f"{name}: {len(found)} rows of {TABLE.name}"
    return found[0]


def unused(rows: list[Row], names: Iterable[str]) -> list[str]:
    """Patterns that match nothing."""
    patterns = [Row([pattern], "", []) for row in rows for pattern in row.what]
    return [pattern.what[0] for pattern in patterns if not any(map(pattern.matches, names))]


def other_value(row: Row, value: Any) -> Any:
    """The value that a row puts in place of another."""
    if row.change:
        return yaml.safe_load(row.change)
    assert isinstance(value, bool | int | float), "say in the table what the key becomes"
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2 or 0.25


def touch_inputs(config: Path, folder: Path) -> None:
    """An empty file for everything that a config reads and no job of it makes."""
    plan = checked_plan(read_yaml(config), config, {}, [ROOT])
    texts = [path for paths in plan.config.start.tokenizer.texts.values() for path in paths]
    named = [path for path in texts if not path.startswith(plan.folder)]
    named += [run for testset in plan.config.testsets for run in plan.given_runs(testset)]
    for name in [*plan.raw_files, *named, *re.findall(r"\bdata/[\w./-]+", config.read_text())]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def jobs_of(config: Path, folder: Path) -> Jobs:
    """The jobs of a config."""
    touch_inputs(config, folder)
    return planned_jobs(config, folder, "all", "sources")


@dataclass(frozen=True)
class Changed:
    """The jobs of the full config before and after some keys were changed.

    Attributes:
        names: the keys.
        before, after: the jobs.
    """

    names: Sequence[str]
    before: Jobs
    after: Jobs

    @cached_property
    def rerun(self) -> set[tuple[str, ...]]:
        """Jobs that are new, or that Snakemake sees changed."""
        before = self.before
        return {key for key, job in self.after.items() if key not in before or job.noticed != before[key].noticed}

    @cached_property
    def unseen(self) -> set[tuple[str, ...]]:
        """Jobs whose parameters have changed, which Snakemake does not see."""
        both = self.after.keys() & self.before.keys() - self.rerun
        return {key for key in both if self.after[key].params != self.before[key].params}

    def expected(self, *names: str) -> set[tuple[str, ...]]:
        """What the rows of some of the keys name, and the provenance, which holds the config."""
        rows = [only_row(KEYS, name) for name in names]
        return {key for key, job in self.after.items() if job.rule == "provenance" or any(map(job.is_in, rows))}

    @property
    def is_told_apart(self) -> bool:
        """Whether the jobs that run again are those that the rows name, and no job is named by two of them."""
        named = [key for name in self.names for key in self.expected(name) if self.after[key].rule != "provenance"]
        return len(named) == len(set(named)) and self.rerun == self.expected(*self.names) and not self.unseen


class Replans:
    """Plans of the full config with keys changed, against the jobs of the config as it is."""

    def __init__(self, before: Jobs, folder: Path) -> None:
        self._before, self._folder = before, folder
        self._shown: dict[tuple[str, ...], set[str]] = {}

    def change(self, *names: str) -> Changed:
        """The jobs with these keys changed.

        Raises:
            UserError: no config can be so.
        """
        config = deepcopy(BASE)
        for name in names:
            path, value = LEAVES[name]
            section = config
            for key in path[:-1]:
                section = section[key]
            section[path[-1]] = other_value(only_row(KEYS, name), value)
        changed = self._folder / "changed.yaml"
        changed.write_text(yaml.safe_dump(config, sort_keys=False))
        return Changed(names, self._before, jobs_of(changed, self._folder))

    def show_together(self, name: str) -> bool:
        """Whether the key and its company, all changed at once, rerun what their rows name, and nothing else.

        So no job is left out that the key concerns. That it concerns a job of another's row too would not show.
        """
        names = next(names for names in COMPANIES if name in names)
        if names not in self._shown:
            self._shown[names] = self._show(names)
        return name in self._shown[names]

    def _show(self, names: tuple[str, ...]) -> set[str]:
        """The keys that may be changed at once, or with half of the others; without those whose jobs go away by it."""
        if len(names) == 1:
            return set()
        try:
            changed = self.change(*names)
        except UserError:
            changed = None
        if changed is None or not changed.is_told_apart:
            middle = len(names) // 2
            return self._show(names[:middle]) | self._show(names[middle:])
        gone = [self._before[key] for key in self._before.keys() - changed.after.keys()]
        return {name for name in names if not any(job.is_in(only_row(KEYS, name)) for job in gone)}

    def check_alone(self, name: str) -> None:
        """Change one key alone: what its row names is run again, and nothing else."""
        changed = self.change(name)
        assert told(changed.after, changed.rerun) == told(changed.after, changed.expected(name))
        assert told(changed.after, changed.unseen) == [], "Snakemake does not see this change"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty folder, as far as outputs go."""
    return tmp_path_factory.mktemp("full")


@pytest.fixture(scope="module")
def before(folder: Path) -> Jobs:
    """The jobs of the full config."""
    jobs = jobs_of(FULL, folder)
    gc.freeze()  # not to be looked through again and again
    return jobs


@pytest.fixture(scope="module")
def replans(before: Jobs, folder: Path) -> Replans:
    """Plans with keys changed."""
    return Replans(before, folder)


@pytest.mark.parametrize("name", CHANGED)
def test_a_changed_key_reruns_what_the_table_says(name, replans):
    if not replans.show_together(name):
        replans.check_alone(name)


@pytest.mark.long
@pytest.mark.parametrize("name", CHANGED)
def test_a_key_that_is_changed_alone_reruns_nothing_else(name, replans):
    replans.check_alone(name)


def told(jobs: Jobs, keys: set[tuple[str, ...]]) -> list[str]:
    """Jobs as they read in the table."""
    return sorted(":".join([jobs[key].rule, "+".join(sorted(jobs[key].words))]).rstrip(":") for key in keys)


def test_every_key_is_in_one_row_and_every_pattern_is_about_a_key():
    for name in LEAVES:
        only_row(KEYS, name)
    assert unused(KEYS, LEAVES) == []


def test_every_key_there_is_is_in_the_table():
    sections = set(reachable(Config))
    known = {f"{owner(section, key)}.{key}" for section in sections for key in section.model_fields}
    given = set(set_keys(load_config(FULL, {})))
    missing = {key for key in known - given if key.partition(".")[0] not in LIKE_OTHERS}
    assert missing == UNSET


def reachable(annotation: Any) -> Iterator[type[Section]]:
    """The sections that a type can hold, and all below them."""
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
        for field in annotation.model_fields.values():
            yield from reachable(field.annotation)
    for part in get_args(annotation):
        yield from reachable(part)


def owner(section: type[Section], key: str) -> str:
    """The class that declares a key."""
    return next(one.__name__ for one in section.__mro__ if key in inspect.get_annotations(one))


def set_keys(value: Any) -> Iterator[str]:
    """Every key that a config sets."""
    if isinstance(value, Section):
        for key in value.model_fields_set:
            yield f"{owner(type(value), key)}.{key}"
            yield from set_keys(getattr(value, key))
    for part in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from set_keys(part)


@pytest.fixture(scope="module")
def entered(folder: Path) -> dict[Labelled, tuple[str, ...]]:
    """By rule and values of its wildcards the modules whose digest a job carries."""
    with mock.patch("switchrank.core.digest.code_digest", lambda *modules: list(modules)):
        jobs = jobs_of(FULL, folder).values()
    return {(job.rule, job.words): tuple(job.params["code"]) for job in jobs if "code" in job.params}


def digests(entered: Mapping[Labelled, tuple[str, ...]], changed: Path | None = None) -> dict[Labelled, str]:
    """The digest of each job, as if one module had other code."""
    parsed = digest._parsed

    def read(source: Path) -> Any:
        code, imported, named = parsed(source)
        return "other code" if source == changed else code, imported, named

    with mock.patch.object(digest, "_parsed", read):
        each = {modules: digest.code_digest(*modules) for modules in set(entered.values())}
    return {job: each[modules] for job, modules in entered.items()}


def module_files() -> dict[str, Path]:
    """Every module of the library, without the packages."""
    files = [file for file in digest.PACKAGE.rglob("*.py") if file.name != "__init__.py"]
    return {".".join(file.relative_to(digest.PACKAGE).with_suffix("").parts): file for file in files}


def test_a_changed_module_reruns_what_the_table_says(entered):
    now = digests(entered)
    wrong = {}
    for name, file in module_files().items():
        then = digests(entered, file)
        row = only_row(MODULES, name)
        found = {job for job in now if then[job] != now[job]}
        expected = {job for job in now if row.includes(*job)}
        if found != expected:
            wrong[name] = {"reruns": found - expected, "does not": expected - found}
    assert wrong == {}


def test_every_module_is_in_one_row_and_every_pattern_is_about_a_module():
    names = module_files()
    for name in names:
        only_row(MODULES, name)
    assert unused(MODULES, names) == []


def test_a_package_holds_no_code_that_a_digest_could_miss():
    entries = {"switchrank"}
    told = "READ_AS"  # the format whose reader, and so whose digest, stands for this one's
    for file in digest.PACKAGE.rglob("__init__.py"):
        body = ast.parse(file.read_text()).body
        code = [part for part in body if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))]
        code = [part for part in code if not (isinstance(part, ast.Assign) and ast.unparse(part.targets[0]) == told)]
        assert not code or file.parent.name in entries, file


def test_no_module_counts_as_a_file_of_data_where_a_comment_would_count_too():
    named = [file for module in module_files().values() for file in digest._parsed(module)[2]]
    assert named
    assert not [file for file in named if file.suffix == ".py"]


def test_a_pattern_names_a_rule_that_there_is(before):
    rules = {job.rule for job in before.values()}
    for row in MODULES:
        for item in row.reruns:
            pattern = item.lstrip("!").partition(":")[0]
            assert any(Row([], "", [pattern]).includes(rule) for rule in rules), item


def test_every_wildcard_of_a_shared_rule_is_a_parameter():
    """Snakemake's cache knows parameters and inputs of a job, not its wildcards."""
    for file in (ROOT / "workflow" / "rules").glob("*.smk"):
        for rule in re.split(r"^ *rule ?", file.read_text(), flags=re.MULTILINE):
            if "cache: SHARED" in rule:
                output = re.search(r"output:\n(.*?)\n    \w+:", rule, re.DOTALL)
                params = rule.partition("params:")[2]
                for wildcard in re.findall(r"\{\{(\w+)\}\}", output[1] if output else ""):
                    assert f"wildcards.{wildcard}" in params, f"{file.name}: {rule.splitlines()[0]} {wildcard}"
