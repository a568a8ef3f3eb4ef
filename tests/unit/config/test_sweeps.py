"""Sweeps become systems of their own before anything else looks at the config."""

from pathlib import Path

import pytest
import yaml

from switchrank.config.load import check_config
from switchrank.config.nodes import SweepPoint
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def plan():
    def plan(**sweeps):
        data = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
        return Plan(check_config(data | {"sweeps": sweeps}, "demo.yaml", {}), [ROOT])

    return plan


def test_every_value_is_a_system_and_the_one_the_system_has_is_itself(plan):
    made = plan(p={"system": "ml-cs", "key": "p", "values": [0.25, 0.5, 1.0]})
    assert made.sweep_points == [
        SweepPoint("p", "0.25", "ml-cs-p-0-25"),
        SweepPoint("p", "0.5", "ml-cs"),
        SweepPoint("p", "1.0", "ml-cs-p-1-0"),
    ]
    corpora = made.config.corpora
    assert corpora["ml-cs-p-0-25"].p == 0.25
    assert corpora["ml-cs-p-0-25"].lexicon == corpora["ml-cs"].lexicon
    assert ("ml-cs-p-1-0", "xx-xx") in made.models
    assert "ml-cs-p-1-0" not in made.main_systems
    assert "ml-cs" in made.main_systems


def test_a_lexicon_key_makes_a_lexicon_and_degrade_a_degraded_one(plan):
    criterion = {"system": "ml-cs", "key": "lexicon.criterion", "values": ["nn", "csls"]}
    degrade = {"system": "ml-cs", "key": "lexicon.degrade", "values": [0, 0.5]}
    made = plan(criterion=criterion, degrade=degrade)
    assert made.config.lexicons["clwe-criterion-nn"].criterion == "nn"
    assert made.config.lexicons["clwe-criterion-nn"].k == made.config.lexicons["clwe"].k
    worse = made.config.lexicons["clwe-degrade-0-5"]
    assert (worse.kind, worse.of, worse.share) == ("degraded", "clwe", 0.5)
    assert [point.system for point in made.sweep_points if point.sweep == "degrade"] == ["ml-cs", "ml-cs-degrade-0-5"]


@pytest.mark.parametrize(
    ("key", "default", "other"),
    [("mix", "token", "instance"), ("translations", 1, 2), ("seed", 1, 2), ("lexicon.csls_k", 10, 5)],
)
def test_a_value_that_the_system_has_by_default_is_the_system_itself(plan, key, default, other):
    made = plan(x={"system": "ml-cs", "key": key, "values": [default, other]})
    assert [point.system for point in made.sweep_points] == ["ml-cs", f"ml-cs-x-{other}"]
    assert [name for name in made.config.systems if name.startswith("ml-cs-x")] == [f"ml-cs-x-{other}"]


def test_the_lexicon_itself_may_be_the_setting(plan):
    made = plan(source={"system": "ml-cs", "key": "lexicon", "values": ["clwe", "titles"]})
    assert made.config.corpora["ml-cs-source-titles"].lexicon == "titles"


def test_a_key_of_the_system_itself_may_be_the_setting(plan):
    made = plan(
        lr={"system": "ml-cs", "key": "train.lr", "values": [2.0e-3, 5.0e-4]},
        loss={"system": "ml-cs", "key": "train.objective", "values": ["bce", "listwise"]},
        on={"system": "ml-cs", "key": "corpus", "values": ["ml-cs", "english"]},
    )
    systems = made.config.systems
    assert [point.system for point in made.sweep_points] == [
        *("ml-cs", "ml-cs-lr-0-0005"),  # the first is what the run's train says
        *("ml-cs", "ml-cs-loss-listwise"),  # bce is the default
        *("ml-cs", "ml-cs-on-english"),
    ]
    assert made.config.training(systems["ml-cs-lr-0-0005"].train).lr == 5.0e-4
    assert made.config.training(systems["ml-cs-loss-listwise"].train).objective == "listwise"
    assert systems["ml-cs-on-english"].corpus == "english"
    assert ("ml-cs-lr-0-0005", "xx-xx") in made.models


def test_a_start_may_be_the_setting():
    data = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    data["starts"] = {"hub": {"model": "owner/encoder"}, "other": {"model": "owner/other"}}
    data["sweeps"] = {"from": {"system": "ml-cs", "key": "start", "values": ["start", "hub", "other"]}}
    made = Plan(check_config(data, "demo.yaml", {}), [ROOT])
    assert [point.system for point in made.sweep_points] == ["ml-cs", "ml-cs-from-hub", "ml-cs-from-other"]
    assert made.config.systems["ml-cs-from-other"].start == "other"


def test_the_translation_of_a_system_that_only_tests_may_be_the_setting():
    data = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    data["lexicons"]["small"] = {"kind": "vectors", "k": 1}
    data["sweeps"] = {"by": {"system": "ml-cs-tt", "key": "test.translate", "values": ["clwe", "small"]}}
    made = Plan(check_config(data, "demo.yaml", {}), [ROOT])
    assert [point.system for point in made.sweep_points] == ["ml-cs-tt", "ml-cs-tt-by-small"]
    assert made.corpora_of("ml-cs-tt-by-small") == ["ml-cs"]


def test_values_that_names_would_not_tell_apart_are_told(plan):
    with pytest.raises(UserError, match=r"sweeps\.x: two values that names do not tell apart: leave one out"):
        plan(x={"system": "ml-cs", "key": "start", "values": ["a.b", "a-b"]})


@pytest.mark.parametrize(
    ("sweep", "problem"),
    [
        ({"system": "ml", "key": "p", "values": [0.1]}, "sweeps.x.system: unknown trained system ml"),
        ({"system": "zero-shot", "key": "lexicon.k", "values": [2]}, "sweeps.x.key: zero-shot has no lexicon"),
        ({"system": "ml-cs", "key": "q", "values": [0.1]}, "unknown key q"),
        ({"system": "ml-cs", "key": "train.q", "values": [1]}, "sweeps.x: train.q: unknown key q: known keys"),
        ({"system": "ml-cs", "key": "train.step", "values": [1]}, "unknown key step: did you mean steps"),
        ({"system": "ml-cs", "key": "start", "values": ["hot"]}, "sweeps.x: start: unknown start hot"),
        ({"system": "ml-cs-tt", "key": "p", "values": [0.1]}, "sweeps.x.key: ml-cs-tt has no corpus to vary p of"),
        ({"system": "ml-cs", "key": "p", "values": [1.5]}, "1.5"),
        ({"system": "ml-cs", "key": "p", "values": []}, "sweeps.x.values"),
        ({"system": "ml-cs", "key": "p"}, "sweeps.x.values: missing"),
        ({"system": "ml-cs", "key": "p", "values": [1, 0.5, 1.0]}, "sweeps.x: value 1.0 twice: leave one out"),
    ],
)
def test_a_wrong_sweep_is_one_line(plan, sweep, problem):
    with pytest.raises(UserError, match=problem) as caught:
        plan(x=sweep)
    assert "\n" not in str(caught.value)
