"""Models as nodes: where starts and models lie, what each is made from, and what the config may say of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT

from switchrank.config.load import check_config
from switchrank.config.nodes import Ranker
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError

STARTS = {
    "hub": {"model": "owner/encoder", "seed": 7},
    "warm": {"from": "hub", "corpus": "english", "train": {"steps": 300, "objective": "listwise"}},
    "moved": {"from": "warm", "transplant": "clwe"},
    "late": {"from": "start", "transplant": "clwe"},
}
FOLDER = "results/demo"


@pytest.fixture
def plan():
    """The plan of the demo with two seeds and some sections changed."""

    def plan(**sections: Any) -> Plan:
        data = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text()) | {"seeds": [1, 2]}
        for name, section in sections.items():
            data[name] = {**data.get(name, {}), **section}
        return Plan(check_config(data, "demo.yaml", {}), [ROOT])

    return plan


def folders(files: list[str]) -> set[str]:
    return {str(Path(file).parent) for file in files}


def test_a_start_that_is_trained_and_what_is_made_of_it_have_a_folder_for_each_seed(plan):
    found = plan(starts=STARTS).named_starts
    seeded = {"warm/seed1": 1, "warm/seed2": 2, "moved/seed1": 1, "moved/seed2": 2}
    assert {name: seed for name, (start, seed) in found.items() if start.is_seeded} == seeded
    assert {name for name, (start, _) in found.items() if not start.is_seeded} == {"hub", "late"}
    assert all(start.folder_of(seed) == f"{FOLDER}/starts/{name}" for name, (start, seed) in found.items())


def test_the_plan_tells_where_the_weights_of_each_system_come_from(plan):
    systems = {
        "new": {"corpus": "ml-cs", "start": "moved"},
        "new-tt": {"model": "new", "test": {"translate": "clwe"}},
        "peer": {"model": "owner/ranker"},
        "peer-tt": {"model": "peer", "test": {"translate": "clwe"}},
    }
    found = plan(starts=STARTS, systems=systems).weights
    peer = dict.fromkeys(["peer", "peer-tt"], f"{FOLDER}/models/peer")
    assert found == dict.fromkeys(["new", "new-tt"], f"{FOLDER}/starts/hub") | peer


def test_the_starts_may_stand_in_any_order(plan):
    backwards = plan(starts=dict(reversed(STARTS.items())))
    assert backwards.starts["moved"].source == backwards.starts["warm"]
    assert backwards.starts["late"].source == backwards.own_start[-1]


def test_the_model_of_a_seed_starts_from_the_start_of_that_seed(plan):
    made = plan(starts=STARTS, systems={"new": {"corpus": "ml-cs", "start": "moved"}})
    assert folders(made.system_node("new", "xx-xx", 2).start) == {f"{FOLDER}/starts/moved/seed2"}
    assert folders(made.system_node("ml-cs", "xx-xx", 2).start) == {f"{FOLDER}/start/initial"}
    warm = made.node({"start": "warm/seed2"})
    assert folders(warm.start) == {f"{FOLDER}/starts/hub"}
    assert (warm.folder, warm.seed) == (f"{FOLDER}/starts/warm/seed2", 2)


def test_a_system_and_a_start_are_trained_as_the_run_says_but_for_what_they_say_themselves(plan):
    made = plan(starts=STARTS, systems={"new": {"corpus": "ml-cs", "train": {"lr": 5.0e-4}}})
    run = made.config.train.plain()
    assert made.system_node("ml-cs", "xx-xx", 1).settings.plain() == run
    assert made.system_node("new", "xx-xx", 1).settings.plain() == run | {"lr": 5.0e-4}
    assert made.node({"start": "warm/seed1"}).settings.plain() == run | {"steps": 300, "objective": "listwise"}


def test_the_steps_of_the_runs_own_start_lie_where_they_always_did_and_have_one_seed(plan):
    first = {"corpus": "english", "steps": 100, "warmup": 10}
    made = plan(start={"first": first, "transplant": "clwe", "seed": 5})
    assert [step.folder for step in made.own_start] == [
        f"{FOLDER}/start/{name}" for name in ("initial", "first", "transplanted")
    ]
    node = made.node({"step": "first"})
    assert (node.folder, node.seed, node.settings.steps) == (f"{FOLDER}/start/first", 5, 100)
    assert node.facts == {"system": "start", "corpus": "english"}
    assert folders(node.start) == {f"{FOLDER}/start/initial"}
    assert folders(made.system_node("ml-cs", "xx-xx", 2).start) == {f"{FOLDER}/start/transplanted"}


def test_an_extended_start_is_made_from_a_pretrained_one_and_comes_before_training(plan):
    extend = {"rows": ["copy", "parts"]}
    first = {"corpus": "english", "steps": 100, "warmup": 10}
    start = {"preset": None, "model": "owner/encoder", "extend": extend, "first": first}
    made = plan(start=start, starts={"hub": STARTS["hub"], "more": {"from": "hub", "extend": extend}})
    assert [step.folder for step in made.own_start] == [
        f"{FOLDER}/start/{name}" for name in ("initial", "extended", "first")
    ]
    more, _ = made.named_starts["more"]
    assert (more.source, more.extension.pieces) == (made.starts["hub"], 30_000)
    languages = made.config.languages
    assert made.config.extended_languages(more.extension) == [*languages.seen, *languages.unseen]


def test_layers_of_a_start_are_repaired_once_for_each_seed_on_the_texts_of_the_run(plan):
    fewer = {"from": "hub", "layers": [1, 3], "repair": {"steps": 50}}
    made = plan(starts={"hub": STARTS["hub"], "fewer": fewer, "on": {"from": "fewer", "transplant": "clwe"}})
    node = made.node({"start": "fewer/seed2"})
    assert folders(node.start) == {f"{FOLDER}/starts/hub"}
    assert (node.folder, node.seed, node.corpus, node.dev) == (f"{FOLDER}/starts/fewer/seed2", 2, None, None)
    assert (node.method, node.more, node.settings.steps) == ("distil", {"layers": [1, 3]}, 50)
    assert made.starts["on"].is_seeded
    assert made.learned_by("ml-cs") == [("ml-cs", "ml-cs")]


def test_the_runs_own_start_is_repaired_after_its_vocabulary_is_fitted_and_before_it_is_trained(plan):
    start = {"preset": None, "model": "owner/encoder", "layers": [0, 5], "repair": {"lr": 1.0e-4}, "seed": 5}
    more = {"extend": {"rows": ["parts"]}, "first": {"corpus": "english", "steps": 100, "warmup": 10}}
    made = plan(start=start | more)
    steps = ("initial", "extended", "repaired", "first")
    assert [step.folder for step in made.own_start] == [f"{FOLDER}/start/{name}" for name in steps]
    node = made.node({"step": "repaired"})
    assert folders(node.start) == {f"{FOLDER}/start/extended"}
    assert (node.seed, node.settings.lr, node.more) == (5, 1e-4, {"layers": [0, 5]})
    assert folders(made.node({"step": "first"}).start) == {f"{FOLDER}/start/repaired"}


def test_a_language_to_extend_by_needs_text_or_a_lexicon(plan):
    with pytest.raises(
        UserError, match=r"starts\.more\.extend: no text and no lexicon to learn pieces of sw from: name"
    ):
        plan(
            languages={"unseen": ["qad", "sw"]},
            starts={"hub": STARTS["hub"], "more": {"from": "hub", "extend": {"rows": ["parts"], "languages": ["sw"]}}},
        )


def test_a_tuned_model_is_a_node_that_starts_from_that_of_its_system(plan):
    made = plan()
    row = next(row for row in made.ablation if row.id == "ml-cs_qaa_n16_seed1")
    node = made.node({"row": row.id})
    assert folders(node.start) == {f"{FOLDER}/models/ml-cs/xx-xx/seed1"}
    assert node.settings == made.config.ablation.train
    assert node.facts == {"system": row.id} | vars(row)


def test_a_finished_model_ranks_every_pair_once_and_is_never_trained(plan):
    made = plan(
        systems={"peer": {"model": "owner/ranker"}, "peer-tt": {"model": "peer", "test": {"translate": "clwe"}}}
    )
    assert [ranker for ranker in made.rankers if ranker.trained == "peer"] == [
        Ranker("peer", "peer", None),
        Ranker("peer-tt", "peer", None, "clwe"),
    ]
    assert "peer" not in dict(made.models)
    runs = [run for testset in made.pairs for run in made.runs(testset) if run.system == "peer"]
    assert {run.seed for run in runs} == {1}
    assert len(runs) == sum(map(len, made.pairs.values()))
    assert made.model_folder("peer", None, 1) == f"{FOLDER}/models/peer"
    assert "peer" in made.main_systems


def test_a_model_without_a_slash_is_never_looked_for_elsewhere(plan):
    with pytest.raises(UserError, match="a finished model has a slash in its name: owner/name of a hub, or a folder"):
        plan(systems={"peer": {"model": "reranker"}})


def test_a_row_of_the_ablation_may_start_from_a_finished_model_with_any_seed(plan, tmp_path):
    rows = tmp_path / "rows.tsv"
    rows.write_text(
        "id\tstart\tlanguage\texamples\tseed\na\tpeer\tqaa\t0\t1\nb\tpeer\tqaa\t16\t9\nc\tpeer\tqaa\t0\t9\n"
    )
    ablation = {"rows": str(rows), "reference": "peer", "compared": ["peer"]}
    made = plan(systems={"peer": {"model": "owner/ranker"}}, ablation=ablation)
    assert [folders(made.start_of(row)) for row in made.ablation] == [{f"{FOLDER}/models/peer"}] * 3
    assert [made.shares_runs(row) for row in made.ablation] == [True, False, False]


def test_what_a_system_has_learned_from_includes_what_its_start_has(plan):
    made = plan(
        starts=STARTS, systems={"new": {"corpus": "ml-cs", "start": "moved"}, "peer": {"model": "owner/ranker"}}
    )
    assert made.learned_by("new") == [("new", "ml-cs"), ("starts.warm", "english")]
    assert made.learned_by("ml-cs") == [("ml-cs", "ml-cs")]
    assert made.learned_by("peer") == []


def test_a_corpus_that_a_system_and_its_start_were_trained_on_counts_for_both(plan):
    made = plan(starts=STARTS, systems={"twice": {"corpus": "english", "start": "warm"}})
    assert made.learned_by("twice") == [("twice", "english"), ("starts.warm", "english")]


def test_labels_that_a_start_was_trained_on_are_told_with_the_start(plan):
    world = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())["collections"]["world"] | {"labels": 0.0}
    systems = {"ml-cs": {"corpus": "ml-cs", "start": "warm"}}
    with pytest.raises(UserError, match="is trained on world, which its labelled queries come from"):
        plan(starts=STARTS, systems=systems, collections={"world": world}).ablation  # noqa: B018


def test_a_run_for_each_pair_gives_candidates_for_each_pair(plan):
    testset = {
        "collection": "world",
        "pairs": "config/demo-pairs.tsv",
        "candidates": {"run": "r/{query}-{document}.trec"},
    }
    made = plan(testsets={"given": testset})
    lists = f"{FOLDER}/testsets/given/candidates"
    assert made.candidates("given", "qaa", "en") == f"{lists}-en-qaa.parquet"
    asked = [pair.query for pair in made.pairs["given"] if pair.document == "qaa"]
    assert made.candidate_files("given", "qaa") == [f"{lists}-{query}-qaa.parquet" for query in asked]
    assert made.given_runs("given") == [f"r/{pair.id}.trec" for pair in made.pairs["given"]]


def test_a_run_for_each_document_language_gives_candidates_for_that_language(plan):
    made = plan(
        testsets={"given-mlir5": {"collection": "world", "mixed": "all", "pool": "every", "candidates": {"run": "r"}}}
    )
    assert made.given_runs("given-mlir5") == ["r"]
    section = {"collection": "world", "pairs": "config/demo-pairs.tsv", "candidates": {"run": "r/{document}.trec"}}
    made = plan(testsets={"given": section})
    assert set(made.given_runs("given")) == {f"r/{lang}.trec" for lang in made.document_languages("given")}
    assert made.candidates("given", "qaa", "en") == f"{FOLDER}/testsets/given/candidates-qaa.parquet"


def test_the_example_of_the_reference_is_a_config(plan):
    """The block below "Models are nodes" in config/README.md, in place of the demo's sections."""
    text = (ROOT / "config" / "README.md").read_text().partition("## Models are nodes")[2]
    example = yaml.safe_load(text.partition("```yaml\n")[2].partition("```")[0])
    made = plan(**example)
    assert {"warm", "moved"} <= made.starts.keys()
    assert "peer" in made.finished
