"""Late interaction in a config: how it is trained, where the vectors of tokens lie, and mistakes."""

from copy import deepcopy

import pytest
import yaml
from tests.conftest import ROOT, SMOKE

from switchrank.config.load import checked_plan, read_plan
from switchrank.core.errors import UserError

LATE = {
    "late": {"corpus": ["english", "joined"], "architecture": "late-interaction", "train": {"dim": 32}},
    "alone": {"corpus": "english", "architecture": "late-interaction"},
    "translated": {"model": "late", "test": {"translate": "clwe"}},
}
ALL = {"collection": "world", "pairs": "tests/smoke/pairs.tsv", "candidates": {"all": True}}


@pytest.fixture
def config():
    """The smallest config with late interaction."""
    given = yaml.safe_load(SMOKE.read_text())
    given["bitext"] = {"lines": {"files": {"en": "data/en.txt", "qaa": "data/qaa.txt"}}}
    given["corpora"]["joined"] = {"from": "world", "parallel": True, "languages": ["en", "qaa"]}
    given["systems"] |= deepcopy(LATE)
    given["late"] = {"steps": 50, "warmup": 5, "max_length": 40}
    given["testsets"]["whole"] = {**ALL, "systems": ["zero-shot", *LATE]}
    given["testsets"]["found"] = {**ALL, "candidates": {"system": "late", "depth": 7}, "systems": ["zero-shot"]}
    return given


def planned(config):
    return checked_plan(config, "late.yaml", {}, [ROOT])


def mistakes(config):
    _, found = read_plan(config, "late.yaml", {}, [ROOT])
    return [str(mistake).removeprefix("late.yaml: ") for mistake in found]


def ranker_of(plan, system):
    return next(ranker for ranker in plan.rankers if ranker.system == system)


def test_it_is_trained_on_several_tables_by_its_own_method_and_settings(config):
    plan = planned(config)
    node, alone = plan.system_node("late", "xx-xx", 1), plan.system_node("alone", "en-en", 1)
    assert (node.method, node.facts["tables"], node.more) == (
        "late-interaction",
        ["english/en-en", "joined/en-en", "joined/qaa-qaa"],
        {},
    )
    settings = [
        (one.dim, one.steps, one.max_length, one.query_length, one.temperature)
        for one in (node.settings, alone.settings)
    ]
    assert settings == [(32, 50, 40, 32, 1.0), (128, 50, 40, 32, 1.0)]


def test_vectors_lie_where_those_of_dual_encoders_would_and_pools_have_their_own(config):
    plan, folder = planned(config), "results/smoke/encoded"
    first = plan.retrieval(ranker_of(plan, "late"), "whole", 1)[1]
    assert first["query_vectors"] == f"{folder}/late/xx-xx/seed1/world/queries-test-en.npy"
    assert first["document_vectors"] == f"{folder}/late/xx-xx/seed1/world/documents-qaa.npy"
    assert first["judgements"].endswith("whole/judgements-qaa.parquet")
    candidates = plan.retrieval(ranker_of(plan, "late"), "world", 1)[0]["candidates"]
    assert candidates == "results/smoke/testsets/world/candidates-en.parquet"
    pool = plan.retrieval(ranker_of(plan, "late"), "every-mlir4", 1)[0]
    assert pool["document_vectors"] == f"{folder}/late/xx-xx/seed1/every-mlir4/documents-xx.npy"
    translated = plan.retrieval(ranker_of(plan, "translated"), "whole", 1)
    assert translated[1]["document_vectors"] == f"{folder}/translated/xx-xx/seed1/world/documents-qaa.npy"
    assert translated[1]["query_vectors"] == first["query_vectors"]


def test_it_finds_candidates_of_others(config):
    plan = planned(config)
    assert plan.finder("found").system == "late"
    assert plan.found_run("found", plan.pairs["found"][1]) == "results/smoke/runs/late/whole/en-qaa/seed1.trec"


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"systems": {"late": {"train": {"pooling": "cls"}}}},
            "systems.late.train.pooling: a setting of a dual-encoder: leave it out, or write architecture: dual-",
        ),
        (
            {"systems": {"ml-cs": {"train": {"dim": 64}}}},
            "systems.ml-cs.train.dim: a setting of late interaction: leave it out, or write architecture: late-inter",
        ),
        (
            {"systems": {"alone": {"corpus": None, "model": "e5-small-q4"}}},
            "systems.alone.model: a finished model, which is not read as late interaction: train one, or write archit",
        ),
        (
            {"systems": {"translated": {"test": {"translate": None, "shift": "lines"}}}},
            "systems.translated.test.shift: late interaction makes a vector for each token: name a dual encoder",
        ),
        (
            {"systems": {"alone": {"train": {"batches": "cross"}}}},
            "systems.alone.train.batches: cross batches of texts in en alone: name a corpus with languages: each,",
        ),
        (
            {"systems": {"late": {"train": {"teacher": 0.5}}}},
            "systems.late.train.teacher: no system of a run scores the pairs of its corpora: leave it out, or train by "
            "`switchrank train late --scores`",
        ),
        ({"systems": {"alone": {"architecture": "late-interacton"}}}, "systems.alone.architecture: "),
        ({"late": {"dim": 0}}, "late.dim: 0 is not allowed: input should be greater than or equal to 1"),
        ({"late": {"warmup": 60}}, "late.warmup: 60 of 50 steps: warm up for less, or for a share such as 0.1"),
        (
            {"systems": {"late": {"train": {"steps": 4}}}},
            "systems.late.train.warmup: 5 of 4 steps (as in late): warm up for less, or for a share such as 0.1",
        ),
        (
            {"ablation": {"compared": ["alone"]}},
            "ablation.compared: alone is late interaction, which no row starts from: name a cross-encoder",
        ),
    ],
)
def test_a_mistake_is_one_line(config, change, line):
    _merge(config, change)
    found = mistakes(config)
    assert [one[: len(line)] for one in found] == [line]


def _merge(into, change):
    for key, value in change.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        elif value is None:
            into.pop(key, None)
        else:
            into[key] = value


def test_a_row_of_the_ablation_does_not_start_from_late_interaction(config, tmp_path):
    rows = tmp_path / "rows.tsv"
    rows.write_text("id\tstart\tlanguage\texamples\tseed\nalone-8\talone\tqaa\t8\t1\n")
    config["ablation"] |= {"rows": str(rows), "reference": "zero-shot", "compared": ["zero-shot"]}
    with pytest.raises(UserError, match="row alone-8: alone is late interaction, which is not tuned: name a cross-enc"):
        planned(config)


def test_a_value_of_a_sweep_that_the_system_has_is_the_system_itself(config):
    config["sweeps"] = {"dims": {"system": "alone", "key": "train.dim", "values": [64, 128]}}
    plan = planned(config)
    assert [point.system for point in plan.sweep_points] == ["alone-dims-64", "alone"]
    assert plan.system_node("alone-dims-64", "en-en", 1).settings.dim == 64
