"""A config and its tables, checked whole: what ``switchrank config check`` and the start of a run share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.ablation.rows import check_starts
from switchrank.config.load import read_config, read_yaml
from switchrank.config.models import Config
from switchrank.config.names import Finding
from switchrank.config.plan import Plan
from switchrank.config.settings import refused, switching_recipe
from switchrank.config.systems import Ablation
from switchrank.core.errors import UserError, each, raise_all
from switchrank.corpus.recipe import read_recipe


def load_plan(path: str | Path, environment: Mapping[str, str]) -> Plan:
    """The plan of a config file; tables are looked for in this folder and in the one above the file's."""
    return checked_plan(read_yaml(path), path, environment, roots_of(path))


def roots_of(path: str | Path) -> list[Path]:
    """Folders in which the tables that a config file names are looked for."""
    return [Path.cwd(), Path(path).absolute().parent.parent]


def checked_plan(data: dict[str, Any], path: str | Path, environment: Mapping[str, str], roots: Sequence[Path]) -> Plan:
    """The plan of a config mapping that came from ``path``.

    Raises:
        UserError: everything that is wrong, a line each; see :func:`read_plan`.
    """
    plan, mistakes = read_plan(data, path, environment, roots)
    raise_all(mistakes)
    assert plan is not None
    return plan


def read_plan(
    data: dict[str, Any], path: str | Path, environment: Mapping[str, str], roots: Sequence[Path]
) -> tuple[Plan | None, list[UserError]]:
    """The plan of a config mapping, as far as there is one, and all mistakes.

    They are those of the config (:func:`switchrank.config.load.read_config`), those of the tables that it names, and
    where both are right, what is wrong with the jobs that follow from them.
    """
    config, mistakes = read_config(data, path, environment)
    plan = Plan(config, list(roots), data) if config is not None else None
    if config is not None and plan is not None:
        told = {mistake.place for mistake in mistakes}
        for name, section in config.testsets.items():
            if section.collection in config.collections and f"testsets.{name}.pairs" not in told:
                mistakes += _raised(plan.pairs_of, name)
        mistakes += _raised(plan.rows) if "ablation.rows" not in told else ()
        if not mistakes:
            mistakes += [UserError(path, *finding) for finding in _job_findings(plan)]
            mistakes += _raised(lambda: plan.ablation)
    return plan, mistakes


def _raised(read: Callable[..., object], *given: object) -> Sequence[UserError]:
    """The mistakes that reading something raises."""
    try:
        read(*given)
    except UserError as error:
        return each(error)
    return ()


def _job_findings(plan: Plan) -> Iterator[Finding]:
    """What jobs would refuse of what is known once all tables are read."""
    config = plan.config
    for corpus, section in config.corpora.items():
        for pair in [] if section.parallel else plan.train_pairs(corpus):
            yield from refused(f"corpora.{corpus}", read_recipe, switching_recipe(plan, corpus, pair))
    for testset in config.testsets:
        yield from _first_stage(plan, testset)
        yield from _baseline(plan, testset)
    if config.ablation:
        rows = plan.rows()
        given = config.ablation.reference, config.ablation.compared
        yield from refused("ablation", check_starts, rows, *given)
        for language in dict.fromkeys(row.language for row in rows if row.examples):
            yield from _labelled(config, config.ablation, language)


def _labelled(config: Config, section: Ablation, language: str) -> Iterator[Finding]:
    """Labelled queries of a language come from a collection that has training queries in it."""
    given, place = section.collection, "ablation.collection"
    name = given if isinstance(given, str) else given.get(language)
    if name is None:  # which is told of each row
        return
    collection = config.collections[name]
    if "train" not in collection.splits or language not in collection.questions(config.languages.source, "train"):
        todo = f"name one with {language} among its train_languages, or in {language} alone"
        yield place, f"{name} has no training queries in {language}", todo


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
    """BM25 needs queries and documents in the languages it is asked to search in, and their ids to be those ranked."""
    testset, source = plan.config.testsets[name], plan.config.languages.source
    collection, asked = plan.config.collections[testset.collection], testset.candidates.query_language
    if not testset.candidates.bm25:
        return
    silent = [language for language in plan.judged_languages(name) if language not in collection.asked_in]
    problem = ""
    if asked == "source" and testset.documents == "own":
        problem = "documents have ids of their own in each language"
    elif asked == "source" and not {source} <= {*collection.languages} & {*collection.asked_in}:
        problem = f"{testset.collection} has no queries and documents in {source}"
    elif asked == "document" and silent:
        problem = f"{testset.collection} has no queries in {silent[0]}"
    elif asked not in ("source", "document", *collection.asked_in):
        problem = f"{testset.collection} has no queries in {asked}"
    if problem:
        ways = [*([] if silent else ["document"]), *collection.asked_in]
        todo = f"write {' or '.join([', '.join(ways[:-1]), ways[-1]] if ways[1:] else ways)}"
        yield f"testsets.{name}.candidates.query_language", problem, f"{todo}, or give candidates by run or all"
