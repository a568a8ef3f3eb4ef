"""Dual encoders and late interaction, really run: trained on several tables, searching, feeding a ranker, pooled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml

from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, read_table
from switchrank.formats.token_vectors import open_tokens
from switchrank.formats.trec import read_run
from switchrank.search.max_sim import max_sim
from tests.conftest import Workflow

pytestmark = pytest.mark.slow
PAIRS = ("en-en", "en-qaa")
SYSTEMS = {
    "hybrid": {"corpus": ["english", "joined"], "architecture": "dual-encoder", "train": {"batches": "hybrid"}},
    "centred": {"model": "hybrid", "test": {"shift": "lines"}},
    "lexical": {"model": "hybrid", "test": {"translate": "clwe", "weight": 0.5}},
    "fused": {"fuse": ["bm25", "hybrid"]},
    "late": {"corpus": ["english", "joined"], "architecture": "late-interaction", "train": {"dim": 16}},
}
SEARCHED = {"collection": "world", "pairs": list(PAIRS), "queries": 12, "candidates": {"all": True}}


@pytest.fixture(scope="module")
def searched(finished: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The finished run under a config with encoders more; only what they need is made."""
    folder = tmp_path_factory.mktemp("dual")
    for name in ("results", ".snakemake"):
        shutil.copytree(finished.folder / name, folder / name, symlinks=True)
    config = yaml.safe_load(finished.config.read_text())
    for language, lines in {"en": ["one line", "a second"], "qaa": ["uno", "dos tres"]}.items():
        (folder / f"{language}.txt").write_text("\n".join(lines) + "\n")
    config["bitext"] = {"lines": {"files": {"en": "en.txt", "qaa": "qaa.txt"}, "drop": []}}
    config["corpora"]["joined"] = {"from": "world", "parallel": True, "languages": ["en", "qaa"]}
    config["systems"] |= SYSTEMS
    config["dual"] = {"steps": 4, "batch_size": 8, "warmup": 1, "max_length": 32, "eval_every": 4}
    config["late"] = config["dual"] | {"query_length": 16}
    everyone = ["zero-shot", "ml-cs", "bm25", *SYSTEMS]
    config["testsets"] |= {
        "whole": SEARCHED | {"systems": everyone},
        "found": SEARCHED | {"candidates": {"system": "hybrid", "depth": 5}, "systems": ["zero-shot"]},
    }
    file = folder / "dual.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    workflow = Workflow(folder, file)
    runs = [f"{system}/whole/{pair}" for system in SYSTEMS for pair in PAIRS]
    runs += [f"zero-shot/found/{pair}" for pair in PAIRS] + ["hybrid/every-mlir4/xx-xx", "hybrid/world/en-qaa"]
    runs += ["late/every-mlir4/xx-xx", "late/world/en-qaa"]
    workflow.run("--", *(f"results/smoke/runs/{run}/seed1.trec" for run in runs))
    return workflow


@pytest.fixture(scope="module")
def results(searched: Workflow) -> Path:
    return searched.folder / "results" / "smoke"


def run_of(results: Path, name: str) -> pl.DataFrame:
    return read_run(results / "runs" / name / "seed1.trec")


def vectors(results: Path, name: str) -> np.ndarray:
    return np.load(results / "encoded" / f"{name}.npy")


def test_one_model_is_trained_on_the_tables_of_all_its_corpora(results):
    told = json.loads((results / "models/hybrid/xx-xx/seed1/train.json").read_text())
    assert told["languages"] == ["en", "qaa"]
    assert told["tables"] == ["english/en-en", "joined/en-en", "joined/qaa-qaa"]
    assert (told["params"]["batches"], told["params"]["steps"]) == ("hybrid", 4)
    assert (results / "models/hybrid/xx-xx/seed1/modules.json").is_file()


def test_a_run_holds_the_documents_whose_vectors_are_nearest(results):
    found = run_of(results, "hybrid/whole/en-qaa")
    asked = read_table(results / "testsets/whole/judgements-qaa.parquet", JUDGEMENTS)
    assert set(found["qid"]) == set(asked["qid"])
    folder = "hybrid/xx-xx/seed1/world"
    cosines = vectors(results, f"{folder}/queries-test-en") @ vectors(results, f"{folder}/documents-qaa").T
    queries = pl.read_parquet(results / "sources/world/queries-test-en.parquet")["qid"].to_list()
    documents = pl.read_parquet(results / "sources/world/documents-qaa.parquet")["docid"].to_list()
    for qid, docid, score in found.filter(rank=1).select("qid", "docid", "score").iter_rows():
        row = cosines[queries.index(qid)]
        assert score == pytest.approx(row.max(), abs=1e-5)
        assert row[documents.index(docid)] == pytest.approx(row.max(), abs=1e-5)


def test_a_ranker_scores_what_a_system_has_found(results):
    for pair in PAIRS:
        listed = read_table(results / f"testsets/found/candidates-{pair}.parquet", CANDIDATES)
        best = run_of(results, f"hybrid/whole/{pair}").filter(pl.col("rank") <= 5)
        assert set(listed.select("qid", "docid").rows()) == set(best.select("qid", "docid").rows())
        assert len(run_of(results, f"zero-shot/found/{pair}")) == len(listed)
    assert not list((results / "testsets/found").glob("found-*.trec"))


def test_shifted_vectors_have_other_scores_and_mixed_ones_too_where_there_is_a_translation(results):
    plain, shifted, mixed = (run_of(results, f"{name}/whole/en-qaa") for name in ("hybrid", "centred", "lexical"))
    assert shifted["score"].to_list() != plain["score"].to_list()
    assert mixed["score"].to_list() == plain["score"].to_list()  # English queries need no translation


def test_a_fusion_ranks_what_its_parts_rank(results):
    fused, *parts = (run_of(results, f"{name}/whole/en-en") for name in ("fused", "bm25", "hybrid"))
    every = {row for part in parts for row in part.select("qid", "docid").iter_rows()}
    assert set(fused.select("qid", "docid").iter_rows()) <= every
    assert fused["qid"].n_unique() == 12


def test_a_mixed_pool_is_searched_by_the_vectors_of_its_languages(results):
    pool = vectors(results, "hybrid/xx-xx/seed1/every-mlir4/documents-xx")
    parts = [vectors(results, f"hybrid/xx-xx/seed1/world/documents-{lang}") for lang in ("en", "qaa", "qac", "qad")]
    assert np.array_equal(pool, np.concatenate(parts))
    assert run_of(results, "hybrid/every-mlir4/xx-xx").height


def tokens(results: Path, name: str, table: str, schema: dict[str, object]) -> tuple[list[str], list[np.ndarray]]:
    """The ids of a table, and the vectors of the tokens of each of its texts."""
    ids = read_table(results / f"{table}.parquet", schema)[next(iter(schema))].to_list()
    stored = open_tokens(results / f"encoded/late/xx-xx/seed1/{name}.npy", len(ids), table)
    return ids, [stored[number] for number in range(len(ids))]


@pytest.mark.parametrize(
    ("run", "queries", "documents"),
    [
        (
            "whole/en-qaa",
            "world/queries-test-en sources/world/queries-test-en",
            "world/documents-qaa sources/world/documents-qaa",
        ),
        (
            "every-mlir4/xx-xx",
            "every-mlir4/queries-xx pools/every-mlir4/queries",
            "every-mlir4/documents-xx pools/every-mlir4/documents",
        ),
    ],
)
def test_late_interaction_finds_the_documents_whose_tokens_match_best(results, run, queries, documents):
    asked, found = tokens(results, *queries.split(), QUERIES), tokens(results, *documents.split(), DOCUMENTS)
    rows = run_of(results, f"late/{run}")
    assert rows.height
    for qid, docid, score in rows.filter(pl.col("rank") <= 2).select("qid", "docid", "score").iter_rows():
        query, document = (side[1][side[0].index(name)] for side, name in ((asked, qid), (found, docid)))
        assert score == pytest.approx(max_sim(query, document), rel=1e-6)


def test_late_interaction_scores_the_candidates_of_others(results):
    listed = read_table(results / "testsets/world/candidates-qaa.parquet", CANDIDATES)
    assert set(run_of(results, "late/world/en-qaa")["docid"]) <= set(listed["docid"])
    assert json.loads((results / "models/late/xx-xx/seed1/train.json").read_text())["params"]["dim"] == 16
    assert (results / "models/late/xx-xx/seed1/1_Dense/model.safetensors").is_file()
