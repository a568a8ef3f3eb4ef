"""No value that passes the check of a config is refused by what a job does first with its settings.

The jobs' own checks are asked here, whatever they import; that what a config refuses is right is for other tests.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from switchrank.ablation.rows import check_starts
from switchrank.collections.spec import CollectionSpec, check_files
from switchrank.config.load import checked_plan
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.corpus.instances import Pairing
from switchrank.evaluate.score import check_metrics
from switchrank.evaluate.tables import Settings
from switchrank.formats.pairs import check_reading
from switchrank.lexicon.titlefiles import READERS
from switchrank.lexicon.titles import Drop
from switchrank.models.presets import PRESETS
from switchrank.rank.candidates import FirstStage
from switchrank.search.choices import Choice
from switchrank.sources.world.files import complete_spec
from switchrank.switching.recipe import read_recipe
from switchrank.train.method import find_method
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import check_dev, check_precision, parse_settings
from switchrank.train.start import INITS

ROOT = Path(__file__).parents[3]
FULL = yaml.safe_load((ROOT / "tests" / "dag" / "full.yaml").read_text())
NUMBERS = [0, 1, -1, 7, 10**6, 2**31, 0.5, 1.5, math.nan, math.inf]
WORDS = ["", "nonsense", "xx", "pt-br", "clwe", "qaa", "en", "best", "fp16", "source", "document", "panlex", "own"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value that is no mapping, with its keys."""
    if not isinstance(value, dict):
        yield path, value
        return
    for key, item in value.items():
        yield from leaves(item, (*path, key))


def bad_values(value: Any) -> list[Any]:
    """Values to put in the place of another: of its kind and of others, at the edges and beyond."""
    if isinstance(value, list):
        return [[], [*value, *value[:1]], [*value, "xx"], [*value, "en"], [*value, 3], value[1:], "nonsense", 0, {}]
    if isinstance(value, bool):
        return [not value, "sample", 0]
    if isinstance(value, int | float):
        return [*NUMBERS, "nonsense", [], None]
    return [*WORDS, 0, [], None]


def ask_jobs(plan: Plan) -> None:
    """Hand every job's settings to what it checks first; raises what a job would."""
    config = plan.config
    complete_spec(config.world_spec())
    for part in config.collections.values():
        spec = CollectionSpec.from_plain(part.spec(config.languages.source))
        if part.format != "joined":
            check_files(spec, part.roles(config.languages.source))
        chosen = part.instances.plain("dev_negatives")
        Pairing(**chosen)
        Pairing(**(chosen | {"negatives": part.instances.dev_negatives}))
    ask_lexicons(plan)
    for corpus, section in config.corpora.items():
        for pair in [] if section.parallel else plan.train_pairs(corpus):
            read_recipe(plan.switching_recipe(corpus, pair))
    ask_trainings(plan)
    for testset in config.testsets.values():
        given = testset.candidates
        found = given.run or given.system
        bm25 = None if found or given.every else given.bm25
        FirstStage(bm25, found, given.every and not found, depth=given.depth if given.system else None).check()
        assert given.relevant in ("keep", "add")
    ask_evaluation(plan)


def ask_lexicons(plan: Plan) -> None:
    for name, part in plan.config.lexicons.items():
        if part.kind == "vectors":
            Choice(**part.plain("kind", "languages"))
        for lang in plan.lexicon_languages(name):
            if part.kind == "titles":
                assert part.format in READERS
                assert {*part.drop} <= {*get_args(Drop)}
                assert len(part.files(plan.config.languages.source, lang)) == (2 if part.format == "dumps" else 1)
            if part.kind == "dictionary":
                check_reading(part.files(lang), part.format, part.columns)
    for name, pairs in plan.config.gold.items():
        for pair in pairs:
            gold = plan.config.gold_file(name, pair)
            check_reading(gold.files("qaa"), gold.format, gold.columns)


def ask_trainings(plan: Plan) -> None:
    config = plan.config
    assert config.start.preset is None or config.start.preset in PRESETS
    assert {*config.start.init} <= {*INITS}
    assert "vectors" not in config.start.init or plan.config.vector_sources
    tuning = config.ablation.train if config.ablation else None
    for section in (config.train, config.start.first, tuning):
        if section is None:
            continue
        settings = config.training_settings(section) | {"checkpoint_every": section.checkpoint_every}
        parsed = parse_settings(settings, CrossEncoderSettings)
        check_dev(parsed, given=section is not tuning or config.ablation.held_out > 0)
        parsed.over(units=1, per_step=parsed.batch_size)
        check_precision(parsed.precision, config.train.device)
    for system, pair in plan.models:
        node = plan.system_node(system, pair, config.seeds[0])
        parse_settings(config.training_settings(node.settings) | node.more, find_method(node.method).Settings)


def ask_evaluation(plan: Plan) -> None:
    config = plan.config
    check_metrics(list(config.evaluate.metrics))
    given = config.evaluate.plain("metrics", "references", "bias", "setups")
    Settings(apart=plan.apart, same=frozenset(), seed=1, **(given | {"tests": tuple(given["tests"])}))
    for testset in config.testsets:
        assert any(run.system == config.evaluate.baseline for run in plan.runs(testset))
    if config.ablation:
        check_starts(plan.ablation, config.ablation.reference, config.ablation.compared)
        for row in plan.ablation:
            assert plan.labelled(row.language)


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The whole config with one value changed."""
    data = copy.deepcopy(FULL)
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    return data


def test_the_config_of_every_part_passes_and_its_jobs_accept_it():
    ask_jobs(checked_plan(copy.deepcopy(FULL), "full.yaml", {}, [ROOT]))


@pytest.mark.parametrize("section", [key for key in FULL if key not in ("run", "downloads")])
def test_a_value_that_passes_the_check_is_refused_by_no_job(section):
    accepted = []
    for path, value in leaves({section: FULL[section]}):
        for bad in bad_values(value):
            place = ".".join(map(str, path))
            try:
                plan = checked_plan(changed(path, bad), "full.yaml", {}, [ROOT])
            except UserError:
                continue
            accepted.append(place)
            try:
                ask_jobs(plan)
            except (UserError, AssertionError) as error:
                pytest.fail(f"{place}: {bad!r} passes the check, and a job says: {error}")
    assert accepted


@pytest.mark.parametrize("section", ["train", "start.first", "ablation.train"])
@pytest.mark.parametrize(("steps", "warmup"), [(1, None), (20, None), (20, 21), (20, 20), (20, 0)])
def test_warm_up_never_takes_more_steps_than_there_are(section, steps, warmup):
    data = copy.deepcopy(FULL)
    *folders, last = section.split(".")
    holder = data
    for key in [*folders, last]:
        holder = holder[key]
    holder["steps"] = steps
    holder.pop("warmup")
    holder.pop("epochs", None)
    holder |= {} if warmup is None else {"warmup": warmup}
    if warmup in (0, 20) or (section == "ablation.train" and warmup is None):
        ask_jobs(checked_plan(data, "full.yaml", {}, [ROOT]))
        return
    with pytest.raises(UserError, match=rf"{section}\.warmup: \d+ of {steps} steps"):
        checked_plan(data, "full.yaml", {}, [ROOT])
