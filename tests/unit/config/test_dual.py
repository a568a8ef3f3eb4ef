"""Dual encoders in a config: what they are trained on, where their vectors lie, who searches what, and mistakes."""

from copy import deepcopy

import pytest
import yaml
from tests.conftest import ROOT, SMOKE

from switchrank.config.load import checked_plan, read_plan
from switchrank.core.errors import UserError

PAIRS = ["en-en", "en-qaa", "qac-qaa", "qad-en"]
DUALS = {
    "hybrid": {
        "corpus": ["english", "joined", "each"],
        "architecture": "dual-encoder",
        "train": {"batches": "hybrid", "temperature": 0.1},
    },
    "mono": {"corpus": "english", "architecture": "dual-encoder"},
    "e5": {"model": "e5-small-q4", "architecture": "dual-encoder"},
    "centred": {"model": "hybrid", "test": {"shift": "lines"}},
    "lexical": {"model": "hybrid", "test": {"translate": "clwe", "weight": 0.5}},
    "translated": {"model": "hybrid", "test": {"translate": "clwe"}},
    "fused": {"fuse": ["bm25", "hybrid", "e5"]},
}
ALL = {"collection": "world", "pairs": "tests/smoke/pairs.tsv", "candidates": {"all": True}}


@pytest.fixture
def config():
    """The smallest config with every kind of dual encoder."""
    given = yaml.safe_load(SMOKE.read_text())
    given["seeds"] = [1, 4]
    given["bitext"] = {"lines": {"files": {"en": "data/en.txt", "qaa": "data/qaa.txt", "qad": "data/qad.txt"}}}
    given["corpora"] |= {
        "joined": {"from": "world", "parallel": True, "languages": ["en", "qaa"]},
        "each": {"from": "world", "lexicon": "clwe", "languages": "each", "p": 1.0},
    }
    given["systems"] |= deepcopy(DUALS)
    given["dual"] = {"steps": 50, "warmup": 5, "temperature": 0.2, "max_length": 40}
    given["testsets"]["whole"] = {**ALL, "systems": ["zero-shot", *DUALS, "bm25"]}
    given["testsets"]["found"] = {**ALL, "candidates": {"system": "hybrid", "depth": 7}, "systems": ["zero-shot", "e5"]}
    return given


@pytest.fixture
def plan(config):
    return planned(config)


def planned(config):
    return checked_plan(config, "dual.yaml", {}, [ROOT])


def mistakes(config):
    _, found = read_plan(config, "dual.yaml", {}, [ROOT])
    return [str(mistake).removeprefix("dual.yaml: ") for mistake in found]


def ranker_of(plan, system):
    return next(ranker for ranker in plan.rankers if ranker.system == system)


def test_several_tables_train_one_model(plan):
    assert plan.train_pairs("joined") == ["en-en", "qaa-qaa"]
    assert plan.train_pairs("each") == ["qaa-qaa", "qac-qac"]
    assert plan.switching_recipe("each", "qac-qac")["sides"] == {"query": "qac", "passage": "qac"}
    assert plan.switching_recipe("each", "qac-qac")["languages"] == ["qac"]
    assert [one for one in plan.models if one[0] in DUALS] == [("hybrid", "xx-xx"), ("mono", "en-en")]
    node, folder = plan.system_node("hybrid", "xx-xx", 1), "results/smoke/corpora"
    tables = ["english/en-en", "joined/en-en", "joined/qaa-qaa", "each/qaa-qaa", "each/qac-qac"]
    assert node.corpus == [f"{folder}/{table}/train-00000.parquet" for table in tables]
    assert (node.method, node.dev, node.facts["tables"]) == (
        "contrastive",
        f"{folder}/english/en-en/dev.parquet",
        tables,
    )


def test_its_own_settings_are_upon_those_of_dual_not_of_train(plan):
    settings = plan.system_node("hybrid", "xx-xx", 1).settings
    assert (settings.batches, settings.temperature, settings.steps, settings.max_length) == ("hybrid", 0.1, 50, 40)
    assert plan.system_node("zero-shot", "en-en", 1).settings.steps == 120


def test_prompts_are_those_of_the_known_model_that_a_start_goes_back_to(config):
    config["starts"] = {"e5": {"model": "e5-small-q4"}}
    config["systems"]["hybrid"] |= {"start": "e5"}
    known = {"query_prompt": "query: ", "document_prompt": "passage: "}
    assert planned(config).system_node("hybrid", "xx-xx", 1).more == known
    config["systems"]["hybrid"]["train"]["query_prompt"] = ""
    node = planned(config).system_node("hybrid", "xx-xx", 1)
    assert (node.more, node.settings.query_prompt) == ({"document_prompt": "passage: "}, "")


def test_each_text_has_its_vectors_once_for_each_model(plan):
    folder = "results/smoke/encoded"
    found = plan.retrieval(ranker_of(plan, "hybrid"), "whole", 4)
    assert [pair["judgements"].rpartition("-")[2] for pair in found] == [
        "en.parquet",
        "qaa.parquet",
        "qaa.parquet",
        "en.parquet",
    ]
    assert found[2]["query_vectors"] == f"{folder}/hybrid/xx-xx/seed4/world/queries-test-qac.npy"
    assert found[2]["document_vectors"] == found[1]["document_vectors"]
    assert plan.retrieval(ranker_of(plan, "e5"), "world", 1)[0] == {
        "queries": "results/smoke/sources/world/queries-test-en.parquet",
        "documents": "results/smoke/sources/world/documents-en.parquet",
        "query_vectors": f"{folder}/e5/world/queries-test-en.npy",
        "document_vectors": f"{folder}/e5/world/documents-en.npy",
        "candidates": "results/smoke/testsets/world/candidates-en.parquet",
    }
    pool = plan.retrieval(ranker_of(plan, "e5"), "every-mlir4", 1)[2]
    assert pool["document_vectors"] == f"{folder}/e5/every-mlir4/documents-xx.npy"
    assert pool["documents"] == "results/smoke/pools/every-mlir4/documents.parquet"


def test_vectors_of_a_system_that_uses_anothers_model_are_made_of_its_vectors(plan):
    own = "results/smoke/encoded/hybrid/xx-xx/seed1"
    shifted, mixed, translated = (
        plan.retrieval(ranker_of(plan, name), "whole", 1) for name in ("centred", "lexical", "translated")
    )
    assert [pair["document_vectors"].split("/")[3] for pair in shifted] == ["centred"] * len(shifted)
    assert plan.line_vectors("centred/xx-xx/seed1", "queries", "qad") == [f"{own}/lines/queries-qad-of-en-qad.npy"]
    assert [one.rpartition("-of-")[2] for one in plan.line_vectors("centred/xx-xx/seed1", "documents", "en")] == [
        "en-qaa.npy",
        "en-qad.npy",
    ]
    assert mixed[2]["query_vectors"] == "results/smoke/encoded/lexical/xx-xx/seed1/world/queries-test-qac.npy"
    assert mixed[2]["document_vectors"] == f"{own}/world/documents-qaa.npy"
    assert mixed[0]["query_vectors"] == f"{own}/world/queries-test-en.npy"
    assert translated[1]["document_vectors"].split("/")[3] == "translated"
    assert plan.encoded_texts("translated/xx-xx/seed1", "world", "documents-qaa") == (
        "results/smoke/translated/clwe/world/documents-qaa.parquet"
    )


def test_systems_rank_what_they_can_and_are_asked_to(plan):
    ids = {
        name: [pair.id for pair in plan.ranked_pairs(ranker_of(plan, name), "whole")]
        for name in DUALS
        if name != "fused"
    }
    assert ids["hybrid"] == ids["mono"] == ids["e5"] == PAIRS
    assert ids["centred"] == ["en-en", "en-qaa", "qad-en"]
    assert ids["lexical"] == ["en-en", "en-qaa", "qac-qaa"]
    assert ids["translated"] == ["en-en", "en-qaa", "qac-qaa"]
    assert {run.system for run in plan.runs("found")} == {"zero-shot", "e5"}
    assert {run.system for run in plan.runs("whole")} == {"zero-shot", *DUALS, "bm25"}


def test_a_fusion_has_a_run_for_each_seed_and_parts_without_seeds_lend_their_one(plan):
    (fusion,) = plan.fusions
    runs = plan.fused_runs(fusion, "whole")
    assert [(pair.id, seed) for pair, seed in runs][:3] == [("en-en", 1), ("en-en", 4), ("en-qaa", 1)]
    of_second = [parts for (pair, seed), parts in runs.items() if (pair.id, seed) == ("en-qaa", 4)]
    folder = "results/smoke/runs"
    assert of_second == [
        [
            f"{folder}/bm25/whole/en-qaa/seed1.trec",
            f"{folder}/hybrid/whole/en-qaa/seed4.trec",
            f"{folder}/e5/whole/en-qaa/seed1.trec",
        ]
    ]


def test_candidates_of_a_system_come_from_a_test_set_that_is_searched_alike_or_are_searched_alone(config, plan):
    pair = plan.pairs["found"][1]
    assert plan.candidates("found", "qaa", "qac") == "results/smoke/testsets/found/candidates-qac-qaa.parquet"
    assert plan.found_run("found", pair) == "results/smoke/runs/hybrid/whole/en-qaa/seed1.trec"
    assert plan.found_alone("found") == {}
    config["testsets"]["whole"]["depth"] = 10
    config["testsets"]["found"]["candidates"]["depth"] = 11
    config["evaluate"] = {"metrics": ["mrr@10"]}
    assert planned(config).searched_depth("whole") == 10
    assert len(planned(config).found_alone("found")) == len(PAIRS)
    config["testsets"]["whole"]["queries"] = 5
    alone = planned(config).found_alone("found")
    assert list(alone) == [f"results/smoke/testsets/found/found-{pair}.trec" for pair in PAIRS]
    assert alone[f"results/smoke/testsets/found/found-{pair.id}.trec"]["judgements"].endswith(
        "found/judgements-qaa.parquet"
    )


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"systems": {"hybrid": {"train": {"objective": "listwise"}}}},
            "systems.hybrid.train.objective: a setting of a cross-encoder: leave it out, or write architecture: cross-",
        ),
        (
            {"systems": {"ml-cs": {"train": {"temperature": 0.1}}}},
            "systems.ml-cs.train.temperature: a setting of a dual-encoder: leave it out, or write architecture: dual-",
        ),
        (
            {"systems": {"gold-cs": {"corpus": ["ml-cs", "english"]}}},
            "systems.gold-cs.corpus: several corpora of a cross-encoder: name one, or write architecture: dual-encoder",
        ),
        (
            {"systems": {"gold-cs": {"corpus": "each"}}},
            "systems.gold-cs.corpus: each has a table for each language: write",
        ),
        ({"systems": {"mono": {"corpus": "bl-cs"}}}, "systems.mono.corpus: bl-cs is one corpus per pair: write lang"),
        (
            {"systems": {"mono": {"corpus": "wiki-cs"}}},
            "corpora.wiki-cs.materialise: mono is trained on texts that are",
        ),
        (
            {"systems": {"mono": {"train": {"batches": "cross"}}}},
            "systems.mono.train.batches: cross batches of texts in en alone: name a corpus with languages: each,",
        ),
        ({"dual": {"temperature": 0}}, "dual.temperature: 0 is not allowed: input should be greater than 0"),
        ({"dual": {"warmup": 60}}, "dual.warmup: 60 of 50 steps: warm up for less, or for a share such as 0.1"),
        (
            {"systems": {"hybrid": {"train": {"steps": 4}}}},
            "systems.hybrid.train.warmup: 5 of 4 steps (as in dual): warm up for less, or for a share such as 0.1",
        ),
        (
            {"systems": {"hybrid": {"train": {"teacher": 0.5}}}},
            "systems.hybrid.train.teacher: no system of a run scores",
        ),
        (
            {"systems": {"ml-cs-tt": {"test": {"translate": "clwe", "weight": 0.5}}}},
            "systems.ml-cs-tt.test.weight: a cross-encoder makes no vectors: name a dual encoder in model, or leave",
        ),
        (
            {"systems": {"centred": {"test": {"shift": "line"}}}},
            "systems.centred.test.shift: unknown parallel text line",
        ),
        (
            {"systems": {"lexical": {"test": {"weight": 0.5, "translate": None, "shift": "lines"}}}},
            "systems.lexical.test: weight",
        ),
        (
            {"systems": {"fused": {"fuse": ["bm25", "hybrids"]}}},
            "systems.fused.fuse: unknown system or reference row hybrids",
        ),
        (
            {"systems": {"fused": {"fuse": ["bm25", "fused"]}}},
            "systems.fused.fuse: unknown system or reference row fused",
        ),
        (
            {"systems": {"fused": {"architecture": "dual-encoder"}}},
            "systems.fused: architecture beside fuse: leave it out",
        ),
        (
            {"systems": {"centred": {"architecture": "dual-encoder"}}},
            "systems.centred.architecture: it is that of hybrid",
        ),
        (
            {"systems": {"e5": {"model": "bge-reranker-v2-m3"}}},
            "systems.e5.model: bge-reranker-v2-m3 is a cross-encoder,",
        ),
        (
            {"testsets": {"whole": {"systems": ["hybird"]}}},
            "testsets.whole.systems: unknown system or reference row hybird",
        ),
        (
            {"testsets": {"found": {"candidates": {"system": "centred"}}}},
            "testsets.found.candidates.system: centred cannot search qac-qaa: name a system that",
        ),
        (
            {"testsets": {"every-mlir4": {"candidates": {"bm25": None, "system": "hybrid"}}}},
            "testsets.every-mlir4.candidates.system: candidates for each pair of a mixed pool: write candidates: {all",
        ),
        (
            {"testsets": {"whole": {"depth": 99}}},
            "testsets.whole.depth: 99 is less than recall@100 looks at: write 100",
        ),
        ({"ablation": {"compared": ["mono"]}}, "ablation.compared: mono is a dual encoder, which no row starts from"),
        (
            {"corpora": {"each": {"lexicon": None}}},
            "corpora.each: languages: each without other languages: name a lexicon, or write parallel: true",
        ),
        (
            {"corpora": {"joined": {"languages": ["en", "qad"]}}},
            "corpora.joined.languages: unknown training language: qad",
        ),
        ({"corpora": {"each": {"documents": "own"}}}, "corpora.each: documents without parallel: leave it out"),
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


def test_a_row_of_the_ablation_does_not_start_from_a_dual_encoder(config, tmp_path):
    rows = tmp_path / "rows.tsv"
    rows.write_text("id\tstart\tlanguage\texamples\tseed\nmono-8\tmono\tqaa\t8\t1\n")
    config["ablation"] |= {"rows": str(rows), "reference": "zero-shot", "compared": ["zero-shot"]}
    with pytest.raises(UserError, match="row mono-8: mono is a dual encoder, which is not tuned: name a cross-encoder"):
        planned(config)
