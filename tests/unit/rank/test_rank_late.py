"""Ranking by late interaction: what the tokens of texts become, and which documents are found by them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from sentence_transformers import MultiVectorEncoder

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, write_table
from switchrank.formats.token_vectors import open_tokens
from switchrank.formats.trec import read_run
from switchrank.models.late_interaction import LateEncoder, begin
from switchrank.models.pretrained import open_encoder
from switchrank.rank.dense import encode_table
from switchrank.rank.late import encode_tokens, max_sim_pairs
from switchrank.rank.score import Reranker

HALF = {"rel": 1e-3}
"""What half precision may change of a score."""


@pytest.fixture(scope="session")
def late_folder(dual_folder, tmp_path_factory) -> Path:
    """Late interaction with the encoder of ``dual_folder``."""
    folder = tmp_path_factory.mktemp("late") / "late"
    torch.manual_seed(1)
    model, tokenizer = open_encoder(dual_folder)
    lengths = {"query": 12, "document": 16}
    recipe, projection = begin(model, tokenizer, dual_folder, dimensions=16, lengths=lengths, skip_punctuation=True)
    LateEncoder(model.eval(), tokenizer, recipe, projection, source=dual_folder, precision="fp32").save(folder)
    return folder


@pytest.fixture
def pair(collection, late_folder, tmp_path) -> dict[str, str]:
    """Tables of a pair, the vectors of their tokens, and the run to write."""
    vectors = {}
    for kind, name in (("query", "queries"), ("document", "documents")):
        vectors[f"{kind}_vectors"] = str(tmp_path / f"{name}.npy")
        encode_tokens(model=late_folder, table=collection[name], kind=kind, out=vectors[f"{kind}_vectors"])
    texts = {name: str(collection[name]) for name in ("queries", "documents")}
    return texts | vectors | {"out": str(tmp_path / "en-en" / "seed1.trec")}


@pytest.fixture
def expected(collection, late_folder):
    """The scores of sentence-transformers, by query and document."""
    peer = MultiVectorEncoder(str(late_folder), device="cpu")
    queries, documents = (pl.read_parquet(collection[name]) for name in ("queries", "documents"))
    texts = peer.encode_query(queries["text"].to_list()), peer.encode_document(documents["text"].to_list())
    scores = peer.similarity(*texts).tolist()
    return {
        (qid, docid): scores[row][column]
        for row, qid in enumerate(queries["qid"])
        for column, docid in enumerate(documents["docid"])
    }


def test_the_vectors_of_a_text_are_those_of_its_tokens_and_equal_texts_share_them(late_folder, collection, tmp_path):
    encode_tokens(model=late_folder, table=collection["documents"], kind="document", out=tmp_path / "d.npy")
    texts = pl.read_parquet(collection["documents"])["text"].to_list()
    stored = open_tokens(tmp_path / "d.npy", 5, collection["documents"])
    for number, vectors in enumerate(LateEncoder.open(late_folder).encode(texts, "document")):
        assert stored[number].dtype == np.float32
        np.testing.assert_allclose(stored[number], vectors, atol=1e-3)
    assert np.array_equal(stored[0], stored[4])
    rows = np.load(tmp_path / "d.npy")
    assert (len(rows), rows.dtype) == (stored.tokens - len(stored[4]), np.float16)
    told = json.loads((tmp_path / "d.json").read_text())
    assert {key: told[key] for key in ("kind", "texts", "tokens", "dimensions")} == {
        "kind": "document",
        "texts": 5,
        "tokens": len(rows),
        "dimensions": 16,
    }
    some = stored[np.array([False, True, False, False, True])]
    assert (len(some), some.dimensions) == (2, 16)
    assert np.array_equal(some[1], stored[4])


def test_parts_of_any_size_give_the_same_vectors(late_folder, collection, tmp_path, monkeypatch):
    how = {"model": late_folder, "table": collection["documents"], "kind": "document"}
    encode_tokens(**how, out=tmp_path / "whole.npy")
    monkeypatch.setattr(LateEncoder, "_chunk", 2)
    monkeypatch.setattr("switchrank.rank.texts._ROWS", 2)
    encode_tokens(**how, out=tmp_path / "parts.npy")
    whole, parts = (open_tokens(tmp_path / f"{name}.npy", 5, "") for name in ("whole", "parts"))
    assert all(np.allclose(whole[number], parts[number], atol=1e-3) for number in range(5))


def test_the_run_is_the_search_of_sentence_transformers(pair, expected):
    max_sim_pairs(pairs=[pair], system="toy")
    run = read_run(pair["out"])
    assert len(run) == len(expected)
    for qid, docid, score in run.select("qid", "docid", "score").iter_rows():
        assert score == pytest.approx(expected[qid, docid], **HALF)
    equal = run.filter(pl.col("docid").is_in(["d3", "d4"]), qid="q2").sort("rank")
    assert equal["docid"].to_list() == ["d3", "d4"]
    assert equal["score"].n_unique() == 1


def test_candidates_have_the_scores_of_the_search(pair, candidates):
    max_sim_pairs(pairs=[pair])
    searched = read_run(pair["out"])
    max_sim_pairs(pairs=[pair | {"candidates": str(candidates)}])
    both = read_run(pair["out"]).join(searched, on=["qid", "docid"], how="left")
    assert len(both) == 6
    assert both["score"].to_list() == both["score_right"].to_list()


def test_only_judged_queries_search_and_only_so_deep(pair, collection):
    max_sim_pairs(pairs=[pair])
    whole = read_run(pair["out"])
    max_sim_pairs(pairs=[pair | {"judgements": str(collection["judgements"])}], depth=2, threads=2)
    assert read_run(pair["out"]).equals(whole.filter(pl.col("qid") != "q9", pl.col("rank") <= 2))


def test_the_commands_write_the_same_vectors_and_run(pair, late_folder, collection, tmp_path):
    max_sim_pairs(pairs=[pair])
    words = [word for name, path in pair.items() for word in (f"--{name.replace('_', '-')}", path) if name != "out"]
    assert main(["rank", "retrieve", *words, "--out", str(tmp_path / "typed.trec")]) == 0
    assert (tmp_path / "typed.trec").read_bytes() == Path(pair["out"]).read_bytes()
    files = ["--table", str(collection["queries"]), "--kind", "query", "--out", str(tmp_path / "typed.npy")]
    assert main(["rank", "encode-tokens", "--model", str(late_folder), *files]) == 0
    for suffix in (".npy", ".spans.npy", ".json"):
        assert (tmp_path / f"typed{suffix}").read_bytes() == (tmp_path / f"queries{suffix}").read_bytes()


def test_own_files_are_searched_or_their_candidates_scored(late_folder, tmp_path):
    (tmp_path / "q.tsv").write_text("q1\tred fox\nq2\twhale\n")
    (tmp_path / "d.tsv").write_text("d1\tthe red fox\nd2\ta whale\nd3\tthe red fox\n")
    (tmp_path / "r.trec").write_text("q2 Q0 d3 1 9 x\nq2 Q0 d1 2 8 x\n")
    files = [
        word
        for key, name in (("queries", "q.tsv"), ("docs", "d.tsv"), ("out", "out.trec"))
        for word in (f"--{key}", str(tmp_path / name))
    ]
    command = ["rank", "--model", str(late_folder), *files]
    assert main(command) == 0
    whole = read_run(tmp_path / "out.trec")
    assert len(whole) == 6
    assert main([*command, "--run", str(tmp_path / "r.trec")]) == 0
    few = read_run(tmp_path / "out.trec").join(whole, on=["qid", "docid"])
    assert few["score"].to_list() == few["score_right"].to_list()
    assert few["docid"].to_list() == ["d1", "d3"]


@pytest.mark.parametrize("option", ["vocabulary", "truncation"])
def test_options_of_other_models_are_one_line(late_folder, tmp_path, capsys, option):
    for name in ("q", "d"):
        (tmp_path / f"{name}.tsv").write_text("1\ttext\n")
    files = ["--queries", str(tmp_path / "q.tsv"), "--docs", str(tmp_path / "d.tsv"), "--out", str(tmp_path / "out")]
    assert main(["rank", "--model", str(late_folder), *files, f"--{option}", "only_second"]) == 2
    line = f"rank: {option}: has no meaning with late interaction: leave it out"
    assert capsys.readouterr().err.splitlines()[-1] == line


def test_models_of_another_kind_are_one_line(late_folder, dual_folder, collection, tmp_path):
    how = {"table": collection["queries"], "kind": "query", "out": tmp_path / "v.npy"}
    with pytest.raises(UserError, match="an encoder with one vector for each text: give a folder that sentence_trans"):
        encode_tokens(model=dual_folder, **how)
    with pytest.raises(
        UserError, match="late interaction, which has a vector for each token and none for a text: give"
    ):
        encode_table(model=late_folder, **how)
    with pytest.raises(UserError, match="late interaction, which gives each token a vector and reads no pairs: give a"):
        Reranker(late_folder)
    assert not (tmp_path / "v.npy").exists()


def test_vectors_that_do_not_belong_together_are_one_line(pair, tmp_path, monkeypatch):
    def refused(problem, **changed):
        with pytest.raises(UserError, match=problem) as told:
            max_sim_pairs(pairs=[pair | changed])
        assert "\n" not in str(told.value)
        assert not Path(pair["out"]).exists()

    refused("vectors of 4 texts, not of the 5 of .*documents.parquet", document_vectors=pair["query_vectors"])
    np.save(tmp_path / "single.npy", np.ones((5, 16), np.float32))
    refused("type float32, not rows of float16", document_vectors=str(tmp_path / "single.npy"))
    monkeypatch.setattr("switchrank.search.max_sim.MOST", 9)
    refused("vectors of tokens, and every query is compared with each .at most 9.: re-rank candidates of BM25 or of a")
    spans = tmp_path / "documents.spans.npy"
    np.save(spans, np.load(spans) + 100)
    refused("rows, fewer than documents.spans.npy tells: encode these texts again")
    np.save(spans, np.load(spans).astype(np.int32))
    refused("documents.spans.npy: an array of shape .5, 2. and type int32, not of spans")
    spans.write_text("not an array")
    refused("documents.spans.npy: not a whole .npy file")
    spans.unlink()
    refused("documents.spans.npy: no such file: encode these texts again")


def test_texts_that_are_no_texts_are_one_line(late_folder, tmp_path):
    write_table(pl.DataFrame(schema=DOCUMENTS), tmp_path / "empty.parquet", DOCUMENTS)
    with pytest.raises(UserError, match=r"empty\.parquet: no texts: give a table that has some"):
        encode_tokens(model=late_folder, table=tmp_path / "empty.parquet", kind="document", out=tmp_path / "v.npy")
