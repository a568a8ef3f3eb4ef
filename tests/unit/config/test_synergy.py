"""Hybrid batch training as shipped: published settings stand in the config; the real run compares like with like."""

import pytest
from tests.conftest import ROOT

from switchrank.config.load import load_config
from switchrank.config.plan import Plan


@pytest.fixture(scope="module")
def synergy():
    return Plan(load_config(ROOT / "config" / "synergy.yaml", {}), [ROOT])


@pytest.fixture(scope="module")
def real():
    return Plan(load_config(ROOT / "config" / "xquad-dual.yaml", {"SWITCHRANK_DATA": "data"}), [ROOT])


def test_languages_and_pairs_are_those_of_the_test_sets(synergy):
    found = {name: [pair.id for pair in pairs] for name, pairs in synergy.pairs.items()}
    crossed = {name: sum(len({*pair.split("-")}) == 2 for pair in found[name]) for name in ("xquad", "mlqa")}
    assert (len(found["xquad"]), crossed["xquad"], len(found["mlqa"]), crossed["mlqa"]) == (121, 110, 49, 42)
    assert [len(synergy.config.mixed_languages(name)) for name in ("xquad-mlir11", "mlqa-mlir7")] == [11, 7]
    assert sum(name.startswith("miracl-") for name in found) == 16
    assert all(section.candidates.every for section in synergy.config.testsets.values())


def test_the_published_settings_are_there(synergy):
    dual = synergy.config.dual
    assert (dual.batch_size, dual.lr, dual.weight_decay, dual.mono) == (100, 3e-5, 0.01, 0.5)
    assert (dual.query_prompt, dual.document_prompt) == ("Query: ", "Passage: ")
    nodes = {system: synergy.system_node(system, pair, 1) for system, pair in synergy.models}
    assert {name.partition("-")[2]: node.settings.batches for name, node in nodes.items()} == {
        "mono": "mono",
        "cross": "cross",
        "hybrid": "hybrid",
    }
    assert {name.partition("-")[0]: node.start[0].split("/")[2:4] for name, node in nodes.items()} == {
        "xlmr": ["start", "initial"],
        "labse": ["starts", "labse"],
    }
    assert {tuple(node.facts["tables"]) for node in nodes.values()} == {
        tuple(f"mmarco/{language}-{language}" for language in ("en", "ar", "de", "es", "hi", "ru", "zh"))
    }


def test_rows_that_are_compared_differ_in_their_batches_alone(real):
    nodes = {system: real.system_node(system, pair, 1) for system, pair in real.models}
    groups = {}
    for name, node in nodes.items():
        settings = real.config.training_settings(node.settings) | node.more
        kind = settings.pop("batches")
        groups.setdefault((tuple(node.corpus), tuple(node.start), str(settings)), []).append((name, kind))
    assert list(groups.values()) == [
        [("mono", "mono"), ("cross", "cross"), ("hybrid", "hybrid")],
        [("cs-mono", "mono"), ("cs-cross", "cross"), ("cs-hybrid", "hybrid")],
    ]
    assert {node.more["query_prompt"] for node in nodes.values()} == {"query: "}
    assert real.config.collections["squad-it"].exclude.questions_of == "xquad"
