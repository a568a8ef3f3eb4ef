"""Ranking with a dual encoder: what texts become, and which documents are found by it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import semantic_search

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, write_table
from switchrank.formats.trec import read_run
from switchrank.models.dual_encoder import DualEncoder
from switchrank.rank import dense
from switchrank.rank.dense import encode_table, retrieve_pairs
from switchrank.rank.inference import Inference
from switchrank.rank.score import Reranker


def table(path: Path, rows: list[tuple[str, str]], schema=DOCUMENTS) -> Path:
    """A table of ids and texts."""
    write_table(pl.DataFrame([(*row, "") for row in rows], schema=schema, orient="row"), path, schema)
    return path


@pytest.fixture
def pair(collection, dual_folder, tmp_path) -> dict[str, str]:
    """Tables of a pair, the vectors of their texts, and the run to write."""
    vectors = {}
    for kind, name in (("query", "queries"), ("document", "documents")):
        vectors[f"{kind}_vectors"] = str(tmp_path / f"{name}.npy")
        encode_table(model=dual_folder, table=collection[name], kind=kind, out=vectors[f"{kind}_vectors"])
    texts = {name: str(collection[name]) for name in ("queries", "documents")}
    return texts | vectors | {"out": str(tmp_path / "en-en" / "seed1.trec")}


def test_a_row_is_the_vector_of_the_text_in_that_row(dual_folder, collection, tmp_path):
    encoder = DualEncoder.open(dual_folder)
    for name, kind in (("queries", "query"), ("documents", "document")):
        encode_table(model=dual_folder, table=collection[name], kind=kind, out=tmp_path / "v.npy")
        vectors = np.load(tmp_path / "v.npy")
        texts = pl.read_parquet(collection[name])["text"].to_list()
        assert vectors.dtype == np.float32
        assert vectors.flags.c_contiguous
        np.testing.assert_allclose(vectors, encoder.encode(texts, kind), atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


def test_equal_texts_have_equal_vectors_in_parts_of_any_size(dual_folder, tmp_path, monkeypatch):
    words = ["red", "fox", "sea", "whale", ""]
    rows = [(f"d{number}", words[number * number % 5]) for number in range(23)] + [("d23", "stones"), ("d24", "red")]
    source = table(tmp_path / "t.parquet", rows)
    encode_table(model=dual_folder, table=source, kind="document", out=tmp_path / "whole.npy")
    monkeypatch.setattr(DualEncoder, "_chunk", 2)
    monkeypatch.setattr("switchrank.rank.texts._ROWS", 4)
    encode_table(model=dual_folder, table=source, kind="document", out=tmp_path / "parts.npy")
    whole, parts = np.load(tmp_path / "whole.npy"), np.load(tmp_path / "parts.npy")
    np.testing.assert_allclose(parts, whole, atol=1e-6)
    for vectors in (whole, parts):
        assert len({row.tobytes() for row in vectors}) == len({text for _, text in rows})
        assert all((vectors[rows.index((docid, "red"))] == vectors[24]).all() for docid, text in rows if text == "red")


def test_vectors_of_a_model_that_leaves_lengths_as_they_are_are_made_as_long_as_1(dual_folder, collection, tmp_path):
    DualEncoder.open(dual_folder, normalised=False).save(tmp_path / "raw")
    encode_table(model=tmp_path / "raw", table=collection["documents"], kind="document", out=tmp_path / "v.npy")
    expected = DualEncoder.open(dual_folder).encode(pl.read_parquet(collection["documents"])["text"], "document")
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), expected, atol=1e-6)


@pytest.mark.usefixtures("pair")
def test_the_record_tells_what_made_the_vectors(dual_folder, tmp_path):
    told, other = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("documents", "queries"))
    assert {key: told[key] for key in ("kind", "texts", "dimensions", "precision", "device")} == {
        "kind": "document",
        "texts": 5,
        "dimensions": 32,
        "precision": "fp32",
        "device": "cpu",
    }
    moved = shutil.copytree(dual_folder, tmp_path / "moved")
    assert told["model"] == other["model"] == DualEncoder.open(moved).digest()
    assert DualEncoder.open(moved, prompts={"query": ""}).digest() != told["model"]
    assert DualEncoder.open(moved, lengths={"query": 5}).digest() != told["model"]


def test_lines_of_parallel_text_are_encoded_by_side(dual_folder, tmp_path):
    rows = [(1, "red", "rot"), (2, "sea", "meer")]
    write_table(pl.DataFrame(rows, schema=BITEXT, orient="row"), tmp_path / "b.parquet", BITEXT)
    given = ["--model", str(dual_folder), "--table", str(tmp_path / "b.parquet"), "--kind", "query"]
    assert main(["rank", "encode", *given, "--column", "target", "--out", str(tmp_path / "v.npy")]) == 0
    expected = DualEncoder.open(dual_folder).encode(["rot", "meer"], "query")
    np.testing.assert_allclose(np.load(tmp_path / "v.npy"), expected, atol=1e-6)


def test_blank_texts_are_told(dual_folder, tmp_path, capsys):
    source = table(tmp_path / "q.parquet", [("q1", "red"), ("q2", " \n"), ("q3", "")], QUERIES)
    encode_table(model=dual_folder, table=source, kind="query", out=tmp_path / "v.npy")
    assert f"{source}: 2 of 3 texts are blank: their vectors say nothing\n" in capsys.readouterr().err


def test_what_cannot_be_encoded_is_one_line(dual_folder, bert_folder, collection, tmp_path):
    def refused(problem, **changed):
        given = {"model": dual_folder, "table": collection["queries"], "kind": "query", "out": tmp_path / "v.npy"}
        with pytest.raises(UserError, match=problem) as told:
            encode_table(**given | changed)
        assert "\n" not in str(told.value)
        assert not (tmp_path / "v.npy").exists()

    refused("no texts in 'body': name one of qid, text, group", column="body")
    refused("empty.parquet: no texts: give a table that has some", table=table(tmp_path / "empty.parquet", []))
    refused("nowhere.parquet: no such file", table=tmp_path / "nowhere.parquet")
    refused("a cross-encoder, which reads pairs of texts", model=bert_folder)
    refused("truncation: has no meaning with a dual encoder", inference=Inference(truncation="only_second"))
    (tmp_path / "damaged.parquet").write_text("PAR1")
    refused("damaged.parquet: not a readable table", table=tmp_path / "damaged.parquet")


def test_a_dual_encoder_is_no_ranker(dual_folder):
    with pytest.raises(UserError, match="a dual encoder, which gives each text a vector and reads no pairs: give a tr"):
        Reranker(dual_folder)


def test_the_run_is_the_search_of_sentence_transformers(pair, dual_folder, collection):
    retrieve_pairs(pairs=[pair], system="toy")
    peer = SentenceTransformer(str(dual_folder), device="cpu")
    queries, documents = (pl.read_parquet(collection[name]) for name in ("queries", "documents"))
    vectors = peer.encode_query(queries["text"].to_list()), peer.encode_document(documents["text"].to_list())
    run = read_run(pair["out"])
    assert run["qid"].unique(maintain_order=True).to_list() == queries["qid"].to_list()
    for qid, hits in zip(queries["qid"], semantic_search(*vectors, top_k=5), strict=True):
        found = run.filter(pl.col("qid") == qid)
        expected = sorted((-round(hit["score"], 5), documents["docid"][hit["corpus_id"]]) for hit in hits)
        assert found["docid"].to_list() == [docid for _, docid in expected]
        np.testing.assert_allclose(found["score"], [-score for score, _ in expected], atol=1e-5)
    with open(pair["out"]) as lines:
        assert {line.split()[-1] for line in lines} == {"toy"}


def test_of_equal_documents_those_first_by_docid_are_kept(pair):
    retrieve_pairs(pairs=[pair])
    whole = read_run(pair["out"])
    scores = dict(whole.filter(qid="q2").select("docid", "score").iter_rows())
    assert scores["d3"] == scores["d4"]
    ranks = dict(whole.filter(qid="q2").select("docid", "rank").iter_rows())
    retrieve_pairs(pairs=[pair], depth=ranks["d3"])
    kept = read_run(pair["out"]).filter(qid="q2")["docid"].to_list()
    assert kept == whole.filter(qid="q2")["docid"].to_list()[: ranks["d3"]]
    assert kept[-1] == "d3"


def test_candidates_have_the_scores_of_the_search(pair, candidates):
    retrieve_pairs(pairs=[pair])
    searched = read_run(pair["out"])
    retrieve_pairs(pairs=[pair | {"candidates": str(candidates)}])
    scored = read_run(pair["out"])
    assert sorted(scored.select("qid", "docid").rows()) == sorted(
        pl.read_parquet(candidates).select("qid", "docid").rows()
    )
    both = scored.join(searched, on=["qid", "docid"], how="left")
    assert both["score"].to_list() == both["score_right"].to_list()
    retrieve_pairs(pairs=[pair | {"candidates": str(candidates)}], depth=1)
    assert len(read_run(pair["out"])) == 2


def test_only_judged_queries_search_where_judgements_are_given(pair, collection):
    retrieve_pairs(pairs=[pair])
    whole = read_run(pair["out"])
    retrieve_pairs(pairs=[pair | {"judgements": str(collection["judgements"])}])
    assert read_run(pair["out"]).equals(whole.filter(pl.col("qid") != "q9"))


def test_pairs_in_one_call_blocks_and_threads_give_what_each_pair_gives_alone(
    pair, dual_folder, candidates, tmp_path, monkeypatch
):
    other = table(tmp_path / "queries-de.parquet", [("q2", "roter fuchs"), ("q1", "wal")], QUERIES)
    encode_table(model=dual_folder, table=other, kind="query", out=tmp_path / "queries-de.npy")
    german = {"queries": str(other), "query_vectors": str(tmp_path / "queries-de.npy")}
    pairs = [
        pair | {"out": str(tmp_path / "a.trec")},
        pair | {"out": str(tmp_path / "b.trec"), "candidates": str(candidates)},
        pair | german | {"out": str(tmp_path / "c.trec")},
    ]
    for one in pairs:
        retrieve_pairs(pairs=[one])
    alone = [Path(one["out"]).read_bytes() for one in pairs]
    monkeypatch.setattr("switchrank.formats.matrices._BYTES", 2 * 4 * 32)
    monkeypatch.setattr(dense, "_ROWS", 2)
    retrieve_pairs(pairs=pairs, threads=2)
    assert [Path(one["out"]).read_bytes() for one in pairs] == alone


def test_the_command_writes_the_same_run(pair, tmp_path):
    retrieve_pairs(pairs=[pair])
    words = [word for name, path in pair.items() for word in (f"--{name.replace('_', '-')}", path) if name != "out"]
    assert main(["rank", "retrieve", *words, "--out", str(tmp_path / "typed.trec")]) == 0
    assert (tmp_path / "typed.trec").read_bytes() == Path(pair["out"]).read_bytes()


def test_vectors_that_do_not_belong_together_are_one_line(pair, tmp_path):
    def refused(problem, **changed):
        with pytest.raises(UserError, match=problem) as told:
            retrieve_pairs(pairs=[pair | changed])
        assert "\n" not in str(told.value)
        assert not Path(pair["out"]).exists()

    np.save(tmp_path / "five.npy", np.ones((5, 8), np.float32))
    refused(
        "five.npy: vectors of 8 dimensions, where .*queries.npy has 32", document_vectors=str(tmp_path / "five.npy")
    )
    refused("4 vectors for 5 texts of .*documents.parquet: encode this", document_vectors=pair["query_vectors"])
    np.save(tmp_path / "doubles.npy", np.ones((5, 32)))
    refused("type float64, not rows of float32", document_vectors=str(tmp_path / "doubles.npy"))
    (tmp_path / "damaged.npy").write_text("not an array")
    refused("damaged.npy: not a whole .npy file", document_vectors=str(tmp_path / "damaged.npy"))
    refused("nowhere.npy: no such file", document_vectors=str(tmp_path / "nowhere.npy"))
    np.save(tmp_path / "broken.npy", np.full((5, 32), np.nan, np.float32))
    refused("vectors that are not finite", document_vectors=str(tmp_path / "broken.npy"))
    candidates = tmp_path / "strange.parquet"
    for row, problem in (
        (("q1", "d99", 1), "document d99: not in the texts"),
        (("q0", "d1", 1), "query q0: not in the"),
    ):
        write_table(pl.DataFrame([row], schema=CANDIDATES, orient="row"), candidates, CANDIDATES)
        refused(problem, candidates=str(candidates))
    judged = tmp_path / "judged.parquet"
    write_table(pl.DataFrame([("q0", "d1", 1)], schema=JUDGEMENTS, orient="row"), judged, JUDGEMENTS)
    refused("judged.parquet: no query of .*queries.parquet is judged: give those", judgements=str(judged))
    record = tmp_path / "documents.json"
    record.write_text(json.dumps(json.loads(record.read_text()) | {"model": "another"}))
    refused("documents.npy: made by another model than .*queries.npy: encode both with one model")
    record.write_text("[1]")
    refused("documents.json: not a record of vectors")


@pytest.fixture
def own(tmp_path) -> Path:
    (tmp_path / "q.tsv").write_text("q1\tred fox\nq2\twhale\n")
    (tmp_path / "d.tsv").write_text("d1\tthe red fox\nd2\ta whale\nd3\tthe red fox\n")
    (tmp_path / "r.trec").write_text("q2 Q0 d3 1 9 x\nq2 Q0 d1 2 8 x\n")
    return tmp_path


def _rank(folder, model, *extra):
    words = ["--queries", str(folder / "q.tsv"), "--docs", str(folder / "d.tsv"), "--out", str(folder / "out.trec")]
    return main(["rank", "--model", str(model), *words, *extra])


def test_own_files_are_searched_by_a_dual_encoder(own, dual_folder):
    encoder = DualEncoder.open(dual_folder)
    cosines = encoder.encode(["red fox", "whale"], "query") @ encoder.encode(["the red fox", "a whale"], "document").T
    assert _rank(own, dual_folder) == 0
    run = read_run(own / "out.trec")
    scores = {(qid, docid): score for qid, docid, score in run.select("qid", "docid", "score").iter_rows()}
    assert len(scores) == 6
    for query, qid in enumerate(["q1", "q2"]):
        assert scores[qid, "d1"] == scores[qid, "d3"] == pytest.approx(cosines[query, 0], abs=1e-5)
        assert scores[qid, "d2"] == pytest.approx(cosines[query, 1], abs=1e-5)
    assert _rank(own, dual_folder, "--top", "1") == 0
    assert len(read_run(own / "out.trec")) == 2
    assert _rank(own, dual_folder, "--run", str(own / "r.trec")) == 0
    few = read_run(own / "out.trec")
    assert few["docid"].to_list() == ["d1", "d3"]
    assert few["score"].to_list() == [scores["q2", "d1"]] * 2


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--vocabulary", "x"], "rank: vocabulary: has no meaning with a dual encoder: leave it out"),
        (["--truncation", "only_second"], "rank: truncation: has no meaning with a dual encoder: leave it out"),
        (["--top", "0"], "rank: top: 0 documents per query"),
    ],
)
def test_options_of_other_models_are_one_line(own, dual_folder, words, problem, capsys):
    assert _rank(own, dual_folder, *words) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(problem)


def test_the_length_of_texts_can_be_given(own, dual_folder):
    assert _rank(own, dual_folder, "--max-length", "6") == 0
    scores = dict(read_run(own / "out.trec").filter(qid="q1").select("docid", "score").iter_rows())
    encoder = DualEncoder.open(dual_folder, lengths={"query": 6, "document": 6})
    expected = encoder.encode(["red fox"], "query") @ encoder.encode(["the red fox"], "document").T
    assert scores["d1"] == pytest.approx(expected.item(), abs=1e-5)
