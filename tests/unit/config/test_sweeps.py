"""Sweeps become systems of their own before anything else looks at the config."""

from pathlib import Path

import pytest
import yaml

from switchrank.config.load import check_config
from switchrank.config.plan import Plan, SweepPoint
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


@pytest.mark.parametrize(
    ("sweep", "problem"),
    [
        ({"system": "ml", "key": "p", "values": [0.1]}, "sweeps.x.system: unknown trained system ml"),
        ({"system": "zero-shot", "key": "lexicon.k", "values": [2]}, "sweeps.x.key: zero-shot has no lexicon"),
        ({"system": "ml-cs", "key": "q", "values": [0.1]}, "unknown key q"),
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
