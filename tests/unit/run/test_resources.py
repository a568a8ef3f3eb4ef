"""What jobs ask a scheduler for: more than they are estimated to cost, and never nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planned import write_inputs

from switchrank.config.load import load_plan
from switchrank.run.plan.costs import FORMULAS, Cost, Costs
from switchrank.run.plan.jobs import Job
from switchrank.run.plan.machine import Machine
from switchrank.run.plan.sizes import Sizes
from switchrank.run.resources import UNKNOWN, Need, Needs, are_small, need_of

AMOUNTS = st.floats(0, 1e12)
SWITCH = {"corpus": "ml-cs", "train_pair": "xx-xx"}


@pytest.fixture
def plan(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return load_plan(write_inputs(tmp_path), {})


def test_each_attempt_asks_for_twice_as_much_in_whole_numbers():
    need = Need(2345.6, 15.2)
    assert [need.request(attempt) for attempt in (1, 2, 3)] == [(2400, 16), (4700, 31), (9400, 61)]


def test_a_job_that_resumes_never_asks_for_more_than_its_longest_time():
    need = Need(100, 1000, longest=1440)
    assert [need.request(attempt)[1] for attempt in (1, 2, 3)] == [1000, 1440, 1440]


def test_training_resumes_so_it_never_asks_for_more_than_a_day():
    need = need_of(Cost(seconds=1e7), "train")
    assert [need.request(attempt)[1] for attempt in (1, 2)] == [1440, 1440]


def test_ranking_asks_for_a_day_at_first_and_for_more_when_that_was_too_short():
    need = need_of(Cost(seconds=1e7), "rank")
    assert [need.request(attempt)[1] for attempt in (1, 2, 3)] == [1440, 2880, 5760]


def test_a_request_is_several_times_the_estimate():
    asked = need_of(Cost(seconds=3600, memory=5e9), "switch").request(1)
    assert asked == (2000 + 2 * 5000, 15 + 3 * 60)


@pytest.mark.parametrize("kind", ["train", "rank", "switch"])
@given(one=st.tuples(AMOUNTS, AMOUNTS), other=st.tuples(AMOUNTS, AMOUNTS))
def test_more_work_never_asks_for_less(kind, one, other):
    seconds, memory = zip(one, other, strict=True)
    less = need_of(Cost(seconds=min(seconds), memory=min(memory)), kind).request(1)
    more = need_of(Cost(seconds=max(seconds), memory=max(memory)), kind).request(1)
    assert less[0] <= more[0]
    assert less[1] <= more[1]
    assert less >= (2000, 15)


def test_a_job_asks_for_more_than_it_costs_on_a_common_machine(plan):
    job = Job("switch", "switch", ["data/docs.en.tsv"], wildcards=SWITCH)
    cost = Costs(plan, Sizes(plan), Machine(100, 2)).of(job)
    memory, minutes = Needs(plan).of(job).request(1)
    assert memory > 2 * cost.memory / 1e6
    assert minutes > 3 * cost.seconds / 60


def test_what_training_asks_for_grows_with_the_model_that_it_starts_from(plan, tmp_path):
    def asked(layers):
        shape = f'"num_hidden_layers": {layers}, "hidden_size": 768, "intermediate_size": 3072, "vocab_size": 250002'
        (tmp_path / "config.json").write_text(f"{{{shape}}}")
        wildcards = {"system": "ml-cs", "train_pair": "xx-xx", "seed": "1"}
        return Needs(plan).of(Job("train_model", "train", ["config.json"], wildcards=wildcards)).request(1)

    small, large = asked(3), asked(24)
    assert small[0] < large[0]
    assert small[1] < large[1]


def test_an_input_that_is_not_there_yet_is_named(plan):
    with pytest.raises(FileNotFoundError) as error:
        Needs(plan).of(Job("switch", "switch", ["data/later"], wildcards=SWITCH))
    assert error.value.filename == "data/later"


def test_a_job_whose_cost_nobody_knows_asks_for_something_all_the_same(plan, monkeypatch):
    needs = Needs(plan)
    assert needs.of(Job("new", "new_script")) == UNKNOWN
    monkeypatch.setitem(FORMULAS, "switch", lambda *_: 1 / 0)
    assert needs.of(Job("switch", "switch", wildcards=SWITCH)) == UNKNOWN


def test_an_input_that_was_fetched_meanwhile_counts_as_what_it_is(plan, tmp_path):
    file = tmp_path / "data/docs.en.tsv"
    text = file.read_text()
    file.unlink()
    needs, job = Needs(plan), Job("switch", "switch", wildcards=SWITCH)
    assumed = needs.of(job).request(1)
    file.write_text(text)
    assert needs.of(job).request(1)[0] < assumed[0]


def test_files_are_small_together_or_not(tmp_path):
    for name in ("one", "folder/other"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        with (tmp_path / name).open("wb") as stream:
            stream.truncate(60_000_000)
    assert are_small([])
    assert are_small([tmp_path / "one"])
    assert not are_small([tmp_path / "one", tmp_path / "folder"])
    assert not are_small([tmp_path / "not-yet"])
