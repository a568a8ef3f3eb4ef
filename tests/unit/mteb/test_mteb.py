"""MTEB scores our models on our test sets as our tables do, and anybody's models too; left out without `make mteb`."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sentence_transformers import SentenceTransformer
from transformers import AutoTokenizer, BertModel

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.score import evaluate_testset
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, read_table, write_table
from switchrank.formats.trec_writing import write_run
from switchrank.models.dual_encoder import DualEncoder
from switchrank.mteb.models import MtebEncoder, MtebRanker, open_model
from switchrank.mteb.run import run_mteb
from switchrank.mteb.testset import PairTables, retrieval_task
from switchrank.rank.inference import Inference, rank_pairs

mteb = pytest.importorskip("mteb.abstasks", reason="needs mteb: make mteb") and pytest.importorskip("mteb")

PAIRS = ("de-en", "en-en")
MEASURES = ("mrr@10", "ndcg@10", "map", "recall@100")
PROMPTS = {"query": "query ", "document": "passage "}


def words(rng, count):
    return " ".join("".join(rng.choice(list("abcdefgh"), 3)) for _ in range(count))


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """Two pairs: 130 English documents, 12 queries in two languages, each with 14 relevant ones and 40 candidates.

    ``q12`` has no relevant document, and one judgement is of a query that was not asked.
    """
    folder, rng = tmp_path_factory.mktemp("tables"), np.random.default_rng(3)
    docids = [f"d{number}" for number in rng.permutation(130)]
    qids = [f"q{number}" for number in range(13)]
    judged, candidates = [("q12", "d0", 0), ("q99", "d1", 1)], []
    for qid in qids[:12]:
        found = rng.choice(docids, 52, False)
        judged += [(qid, docid, int(rng.integers(1, 4))) for docid in found[:14]]
        candidates += [(qid, docid, rank) for rank, docid in enumerate(rng.permutation(found[4:])[:40], 1)]
    rows = {
        "documents": (DOCUMENTS, [(docid, words(rng, 6), "") for docid in docids]),
        "de": (QUERIES, [(qid, words(rng, 3), "") for qid in qids]),
        "en": (QUERIES, [(qid, words(rng, 3), "") for qid in qids]),
        "judgements": (JUDGEMENTS, judged),
        "candidates": (CANDIDATES, candidates),
    }
    for name, (schema, content) in rows.items():
        write_table(pl.DataFrame(content, schema=schema, orient="row"), folder / f"{name}.parquet", schema)
    shared = [folder / f"{name}.parquet" for name in ("documents", "judgements", "candidates")]
    return {pair: PairTables(folder / f"{pair[:2]}.parquet", *shared) for pair in PAIRS}


@pytest.fixture(scope="module")
def whole(tables):
    """The same, where all documents are searched."""
    return {pair: replace(one, candidates=None) for pair, one in tables.items()}


@pytest.fixture(scope="module")
def encoder_folder(bert_folder, tmp_path_factory):
    """A dual encoder with prompts."""
    folder = tmp_path_factory.mktemp("encoder")
    BertModel.from_pretrained(bert_folder).save_pretrained(folder / "plain")
    AutoTokenizer.from_pretrained(bert_folder).save_pretrained(folder / "plain")
    DualEncoder.open(folder / "plain", prompts=PROMPTS).save(folder / "dual")
    return folder / "dual"


def by_cosine(encoder_folder, tables, out):
    """Runs of a dual encoder, all scores compared in NumPy."""
    encoder, runs = DualEncoder.open(encoder_folder), {}
    for pair, one in tables.items():
        queries, documents = read_table(one.queries, QUERIES), read_table(one.documents, DOCUMENTS)
        scores = encoder.encode(queries["text"], "query") @ encoder.encode(documents["text"], "document").T
        every = queries.select("qid").join(documents.select("docid"), how="cross")
        scored = every.with_columns(score=pl.Series(scores.ravel()))
        if one.candidates:
            scored = scored.join(read_table(one.candidates, CANDIDATES), on=["qid", "docid"], how="semi")
        runs[pair] = out / f"{pair}.trec"
        write_run(scored, runs[pair], "dual")
    return runs


def in_our_tables(tables, runs, out):
    """The measures of runs, means over queries, by pair."""
    found = {}
    for pair, one in tables.items():
        query, document = pair.split("-")
        run = {"path": runs[pair], "system": "it", "query_lang": query, "doc_lang": document, "seed": 1}
        judgements = {document: asked_in(one, out)}
        evaluate_testset(runs=[run], judgements=judgements, testset="toy", out=out / "values.parquet", metrics=MEASURES)
        means = pl.read_parquet(out / "values.parquet").group_by("metric").agg(pl.col("value").mean())
        found[pair] = dict(means.iter_rows())
    return found


def asked_in(one, out):
    """The judgements of queries that are asked, as a run has them."""
    judged = read_table(one.judgements, JUDGEMENTS)
    asked = judged.join(read_table(one.queries, QUERIES), on="qid", how="semi", maintain_order="left")
    write_table(asked, out / "judgements.parquet", JUDGEMENTS)
    return out / "judgements.parquet"


def in_mteb(model, tables):
    """What MTEB makes of a model, by pair: our measures unrounded, and its own."""
    made = mteb.evaluate(model, retrieval_task("toy", tables), cache=None, show_progress_bar=False)
    parts = made.task_results[0].scores["test"]
    return {part["hf_subset"]: part | {"mrr@10": part["mrr_at_10"]} for part in parts}


def agree(theirs, ours):
    assert ours.keys() == theirs.keys() == set(PAIRS)
    for pair, values in ours.items():
        assert {measure: theirs[pair][measure] for measure in MEASURES} == pytest.approx(values, abs=1e-6)
        assert 0.05 < values["mrr@10"] < 0.95
        rounded = {"ndcg_at_10": "ndcg@10", "map_at_1000": "map", "recall_at_100": "recall@100"}
        for measure, name in rounded.items():
            assert theirs[pair][measure] == pytest.approx(values[name], abs=6e-6)


def test_a_cross_encoder_scores_as_in_our_tables(bert_folder, tables, tmp_path):
    pairs = [
        {"queries": one.queries, "documents": one.documents, "candidates": one.candidates, "out": tmp_path / pair}
        for pair, one in tables.items()
    ]
    rank_pairs(model=bert_folder, pairs=pairs, system="it")
    ours = in_our_tables(tables, {pair: tmp_path / pair for pair in tables}, tmp_path)
    agree(in_mteb(open_model(bert_folder), tables), ours)


def test_a_finished_cross_encoder_of_a_run_is_one_too(bert_folder, tmp_path):
    shutil.copytree(bert_folder, tmp_path / "finished")
    (tmp_path / "finished/start.json").write_text("{}")
    assert isinstance(open_model(tmp_path / "finished"), MtebRanker)


@pytest.mark.parametrize("fixture", ["whole", "tables"])
def test_a_dual_encoder_scores_as_in_our_tables(fixture, request, encoder_folder, tmp_path):
    given = request.getfixturevalue(fixture)
    ours = in_our_tables(given, by_cosine(encoder_folder, given, tmp_path), tmp_path)
    agree(in_mteb(open_model(encoder_folder), given), ours)


def test_sentence_transformers_in_mteb_finds_the_same_with_a_folder_of_ours(encoder_folder, whole):
    ours, theirs = (
        in_mteb(one, whole) for one in (open_model(encoder_folder), SentenceTransformer(str(encoder_folder)))
    )
    for pair in PAIRS:
        assert theirs[pair]["ndcg_at_10"] == pytest.approx(ours[pair]["ndcg_at_10"], abs=1e-4)


def test_a_task_tells_languages_and_another_table_is_another_revision(tables, whole, tmp_path):
    task = retrieval_task("toy", tables)
    assert task.metadata.eval_langs == {"de-en": ["deu-Latn", "eng-Latn"], "en-en": ["eng-Latn", "eng-Latn"]}
    assert (task.metadata.type, retrieval_task("toy", whole).metadata.type) == ("Reranking", "Retrieval")
    write_table(read_table(tables["de-en"].queries, QUERIES).head(5), tmp_path / "fewer.parquet", QUERIES)
    fewer = {"de-en": replace(tables["de-en"], queries=tmp_path / "fewer.parquet")}
    same = {pair: tables[pair] for pair in ["de-en"]}
    assert retrieval_task("toy", same).metadata.revision == retrieval_task("toy", dict(same)).metadata.revision
    assert retrieval_task("toy", fewer).metadata.revision != retrieval_task("toy", same).metadata.revision
    invented = retrieval_task("toy", {"qaa-xx": tables["de-en"]})
    assert invented.metadata.eval_langs == {"qaa-xx": ["qaa-Zyyy", "xx-Zyyy"]}


def test_what_mteb_cannot_score_is_one_line(tables, tmp_path):
    table = read_table(tables["de-en"].candidates, CANDIDATES)
    changes = {
        "query q3: 1 queries have no candidate, which MTEB cannot score": table.filter(pl.col("qid") != "q3"),
        "document d999: not in .*documents.parquet": table.with_columns(docid=pl.lit("d999")),
    }
    for message, changed in changes.items():
        write_table(changed, tmp_path / "candidates.parquet", CANDIDATES)
        one = replace(tables["de-en"], candidates=tmp_path / "candidates.parquet")
        with pytest.raises(UserError, match=f"candidates.parquet: {message}"):
            retrieval_task("toy", {"de-en": one}).load_data()
    with pytest.raises(UserError, match=r"none\.parquet: no such file: "):
        retrieval_task("toy", {"de-en": replace(tables["de-en"], queries=tmp_path / "none.parquet")})


@pytest.fixture
def run(tables, tmp_path, monkeypatch):
    """The config of a run, in a folder that holds the tables of its two test sets."""
    collection = {name: f"{name}.{{lang}}.tsv" for name in ("documents", "queries")} | {"judgements": "judgements.tsv"}
    config = {
        "run": "toy",
        "languages": {"source": "en", "seen": ["de"]},
        "collections": {"mine": {"format": "msmarco", "languages": ["en", "de"], **collection}},
        "corpora": {"english": {"from": "mine"}},
        "systems": {"zero-shot": {"corpus": "english"}},
        "start": {"model": "some/encoder"},
        "train": {"steps": 1, "warmup": 0},
        "testsets": {
            name: {"collection": "mine", "pairs": "config/pairs.tsv", "candidates": {way: 1 if way == "bm25" else True}}
            for name, way in (("some", "bm25"), ("every", "all"))
        },
    }
    (tmp_path / "config").mkdir()
    (tmp_path / "config/toy.yaml").write_text(json.dumps(config))
    (tmp_path / "config/pairs.tsv").write_text("id\tquery\tdocument\town_model\nde-en\tde\ten\tno\n")
    one = tables["de-en"]
    for file, given in {
        "sources/mine/documents-en": one.documents,
        "sources/mine/queries-test-de": one.queries,
        "testsets/some/candidates-en": one.candidates,
        **{f"testsets/{name}/judgements-en": one.judgements for name in ("some", "every")},
    }.items():
        place = tmp_path / f"results/toy/{file}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(given, place)
    monkeypatch.chdir(tmp_path)
    return "config/toy.yaml"


def test_the_test_sets_of_a_run_are_scored_by_name(run, bert_folder, encoder_folder, tables, whole, capsys):
    words, names = ["mteb", "--config", run, "--out", "scores"], ("some", "every")
    assert main([*words, "--model", str(encoder_folder), "--name", "me/dual"]) == 0
    expected = [in_mteb(open_model(encoder_folder), given)["de-en"]["mrr_at_10"] for given in (tables, whole)]
    printed = [f"toy-{name}\tde-en\tmrr_at_10\t{value:.4f}" for name, value in zip(names, expected, strict=True)]
    assert capsys.readouterr().out.splitlines() == printed
    kept = mteb.ResultCache("scores").load_results(models=["me/dual"])
    assert {result.task_name for one in kept.model_results for result in one.task_results} == {"toy-some", "toy-every"}
    assert main([*words, "--model", str(bert_folder), "--testsets", "some"]) == 0
    assert main([*words, "--model", str(bert_folder), "--testsets", "every"]) == 2
    assert "toy-every: all documents are searched, which a cross-encoder cannot: " in capsys.readouterr().err


def test_a_task_of_mteb_is_run_once_by_a_model_that_is_used_in_one_way(monkeypatch, encoder_folder, whole, tmp_path):
    monkeypatch.setattr(mteb, "get_task", lambda name: retrieval_task(name, whole))
    first = run_mteb(model=encoder_folder, tasks=["Theirs"], out=tmp_path)
    assert [row[:3] for row in first] == [("Theirs", pair, "mrr_at_10") for pair in PAIRS]
    monkeypatch.setattr(MtebEncoder, "encode", None)
    again = run_mteb(model=encoder_folder, tasks=["Theirs"], out=tmp_path)
    assert [row[:3] for row in again] == [row[:3] for row in first]
    assert [row[3] for row in again] == pytest.approx([row[3] for row in first], abs=1e-6)
    with pytest.raises(TypeError):
        run_mteb(model=encoder_folder, tasks=["Theirs"], out=tmp_path, inference=Inference(max_length=9))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("", "switchrank mteb: --tasks --config: nothing to score the model on: name tasks, or the config of a run"),
        ("--config {run} --testsets other", "config/toy.yaml: testsets: no test set other: name one of some, every"),
        ("--tasks NoSuchTask", "switchrank mteb: --tasks: 'NoSuchTask' not found.*: name one of MTEB's"),
        ("--config {run} --testsets some --model nothing/here/at/all", "nothing/here/at/all: no such model folder: "),
        (
            "--config {run} --truncation only_second",
            ".*: truncation: has no meaning with a dual encoder: leave it out",
        ),
        ("--config {run} --testsets some --model some-encoder", "some-encoder: no such model folder: name a folder; "),
    ],
)
def test_what_cannot_be_scored_is_one_line(run, words, message, encoder_folder, capsys):
    words = words.format(run=run).split()
    model = [] if "--model" in words else ["--model", str(encoder_folder)]
    assert main(["mteb", *model, "--out", "scores", *words]) == 2
    assert re.fullmatch(f"{message}.*\n", capsys.readouterr().err)
