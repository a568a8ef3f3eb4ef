"""Scoring the pairs of a test set with a tiny cross-encoder."""

import json
import shutil
from functools import lru_cache

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertForSequenceClassification

from switchrank.cli import main
from switchrank.core.errors import NoGpuError, UserError
from switchrank.formats.tables import CANDIDATES, QUERIES, read_table, write_table
from switchrank.formats.trec import read_run
from switchrank.rank.inference import Inference, rank_pairs
from switchrank.rank.score import Reranker


@pytest.fixture
def pair(collection, candidates, tmp_path):
    """One language pair as the rule gives it."""
    names = ("queries", "documents")
    return {name: str(collection[name]) for name in names} | {
        "candidates": str(candidates),
        "out": str(tmp_path / "de-en" / "seed1.trec"),
    }


def _texts(collection):
    return {
        name: dict(pl.read_parquet(collection[name]).select(column, "text").iter_rows())
        for name, column in (("queries", "qid"), ("documents", "docid"))
    }


@lru_cache
def _stock(folder):
    """Model and tokenizer as transformers opens them."""
    options = {"use_safetensors": True, "trust_remote_code": False}
    model = AutoModelForSequenceClassification.from_pretrained(folder, **options)
    return model, AutoTokenizer.from_pretrained(folder)


@pytest.mark.parametrize("fixture", ["bert_folder", "roberta_folder"])
def test_scores_are_the_logits_of_the_model(fixture, request, collection, pair):
    folder = request.getfixturevalue(fixture)
    rank_pairs(model=folder, pairs=[pair], system="toy")
    model, tokenizer = _stock(folder)
    texts = _texts(collection)
    for row in read_run(pair["out"]).iter_rows(named=True):
        inputs = tokenizer(texts["queries"][row["qid"]], texts["documents"][row["docid"]], return_tensors="pt")
        with torch.inference_mode():
            assert row["score"] == pytest.approx(model(**inputs).logits.item(), abs=1e-4)


WORDS = ["red", "fox", "blue", "whale", "sea", "stones", "runs"]
TEXTS = st.lists(st.sampled_from(WORDS), min_size=1, max_size=60).map(" ".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    queries=st.lists(TEXTS, min_size=1, max_size=3),
    passages=st.lists(TEXTS, min_size=1, max_size=8),
    token_budget=st.integers(1, 400),
)
def test_scores_and_order_are_those_of_one_pair_after_the_other(bert_folder, queries, passages, token_budget):
    model, tokenizer = _stock(bert_folder)
    ranker = Reranker(bert_folder, Inference(token_budget=token_budget))
    query, passage = (grid.ravel() for grid in np.indices((len(queries), len(passages))))
    scores = ranker.score(ranker.tokenise(queries, "q"), ranker.tokenise(passages, "p"), query, passage)
    limits = {"truncation": True, "max_length": ranker.max_length, "return_tensors": "pt"}
    with torch.inference_mode():
        plain = np.array(
            [
                model(**tokenizer(queries[q], passages[p], **limits)).logits.item()
                for q, p in zip(query, passage, strict=True)
            ]
        )
    np.testing.assert_allclose(scores, plain, rtol=0, atol=1e-5)
    for one, other in zip(scores.reshape(len(queries), -1), plain.reshape(len(queries), -1), strict=True):
        ranked = other[np.argsort(-one, kind="stable")]
        assert (np.diff(ranked) <= 2e-5).all()


def test_the_ranking_is_that_of_the_sentence_transformers_cross_encoder(bert_folder, collection, pair):
    from sentence_transformers import CrossEncoder

    rank_pairs(model=bert_folder, pairs=[pair], system="toy")
    texts = _texts(collection)
    encoder = CrossEncoder(str(bert_folder), device="cpu")
    for (qid,), found in read_run(pair["out"]).group_by("qid"):
        docids = sorted(found["docid"])
        scores = encoder.predict(
            [(texts["queries"][qid], texts["documents"][docid]) for docid in docids],
            activation_fn=torch.nn.Identity(),
        )
        logits = dict(zip(docids, np.round(scores, 4), strict=True))
        assert found["docid"].to_list() == sorted(docids, key=lambda docid: (-logits[docid], docid))


def test_equal_texts_tie_exactly_and_go_by_docid(bert_folder, pair):
    rank_pairs(model=bert_folder, pairs=[pair], system="toy", inference=Inference(token_budget=1))
    run = read_run(pair["out"]).filter(pl.col("qid") == "q2")
    scores = dict(run.select("docid", "score").iter_rows())
    ranks = dict(run.select("docid", "rank").iter_rows())
    assert scores["d3"] == scores["d4"]
    assert ranks["d3"] + 1 == ranks["d4"]


def test_every_candidate_is_ranked_once_and_the_system_is_named(bert_folder, pair, candidates):
    rank_pairs(model=bert_folder, pairs=[pair], system="ml-cs")
    run = read_run(pair["out"])
    wanted = read_table(candidates, CANDIDATES)
    assert sorted(run.select("qid", "docid").rows()) == sorted(wanted.select("qid", "docid").rows())
    with open(pair["out"]) as lines:
        assert {line.split()[-1] for line in lines} == {"ml-cs"}


def test_equal_calls_write_equal_bytes_and_the_token_budget_changes_only_rounding(bert_folder, pair, tmp_path):
    outs = [pair | {"out": str(tmp_path / f"{name}.trec")} for name in ("a", "b", "c")]
    for out, budget in zip(outs, (100, 100, 1), strict=True):
        rank_pairs(model=bert_folder, pairs=[out], system="toy", inference=Inference(token_budget=budget))
    first, second, third = (read_run(out["out"]) for out in outs)
    assert (tmp_path / "a.trec").read_bytes() == (tmp_path / "b.trec").read_bytes()
    assert first.equals(second)
    scores = [run.sort("qid", "docid")["score"].to_list() for run in (first, third)]
    assert scores[1] == pytest.approx(scores[0], abs=1e-4)


def test_pairs_in_one_call_give_what_each_gives_alone(bert_folder, pair, tmp_path):
    other_queries = tmp_path / "queries-de.parquet"
    rows = [("q2", "roter fuchs", ""), ("q1", "wal", "")]
    write_table(pl.DataFrame(rows, schema=QUERIES, orient="row"), other_queries, QUERIES)
    other = pair | {"queries": str(other_queries), "out": str(tmp_path / "other.trec")}
    alone = other | {"out": str(tmp_path / "alone.trec")}
    rank_pairs(model=bert_folder, pairs=[pair, other], system="toy")
    rank_pairs(model=bert_folder, pairs=[alone], system="toy")
    assert (tmp_path / "other.trec").read_bytes() == (tmp_path / "alone.trec").read_bytes()


def test_sigmoid_scores_are_probabilities_in_single_precision(bert_folder, pair, tmp_path):
    squashed = pair | {"out": str(tmp_path / "sigmoid.trec")}
    rank_pairs(model=bert_folder, pairs=[pair], system="toy")
    rank_pairs(model=bert_folder, pairs=[squashed], system="toy", sigmoid_scores=True)
    logits = read_run(pair["out"]).sort("qid", "docid")["score"].to_numpy()
    probabilities = read_run(squashed["out"]).sort("qid", "docid")["score"].to_numpy()
    assert probabilities == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-6)


def _limits(folder, **inference):
    reranker = Reranker(folder, Inference(**inference))
    return reranker.max_length, reranker.truncation


def test_limits_come_from_the_training_record_unless_given(bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "model")
    assert _limits(folder) == (64, "longest_first")
    record = {"params": {"max_length": 20, "truncation": "only_second"}}
    (folder / "train.json").write_text(json.dumps(record))
    assert _limits(folder) == (20, "only_second")
    assert _limits(folder, max_length=500) == (64, "only_second")
    (folder / "train.json").write_text("[]")
    with pytest.raises(UserError, match="not a training record"):
        Reranker(folder)


def test_roberta_positions_start_after_the_padding_id(roberta_folder):
    assert Reranker(roberta_folder).max_length == 48


def test_long_texts_are_cut_to_the_model(roberta_folder, pair, tmp_path):
    long = tmp_path / "long.parquet"
    rows = [("q2", "a" * 300, ""), ("q1", "b " * 300, "")]
    write_table(pl.DataFrame(rows, schema=QUERIES, orient="row"), long, QUERIES)
    rank_pairs(model=roberta_folder, pairs=[pair | {"queries": str(long)}], system="toy")
    assert len(read_run(pair["out"])) == 6


@pytest.mark.parametrize("device", ["gpu", "tpu:0", "cpu,cpu", "cuda:x"])
def test_an_unknown_device_is_one_line(bert_folder, device, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(UserError, match="device") as error:
        Reranker(bert_folder, Inference(device=device))
    assert "\n" not in str(error.value)


def test_a_gpu_that_is_not_there_is_its_own_exit_code(bert_folder, pair, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(NoGpuError):
        rank_pairs(model=bert_folder, pairs=[pair], system="toy", inference=Inference(device="cuda"))
    files = [pair[name] for name in ("queries", "documents", "candidates", "out")]
    assert (
        main(["rank", "testset", "--model", str(bert_folder), "--system", "x", "--device", "cuda", "--pair", *files])
        == 75
    )
    assert "no GPU" in capsys.readouterr().err


def test_candidates_with_unknown_ids_are_an_error_and_leave_no_run(bert_folder, pair, tmp_path):
    path = tmp_path / "strange.parquet"
    for row, message in ((("q1", "d99", 1), "document d99"), (("q99", "d1", 1), "query q99")):
        write_table(pl.DataFrame([row], schema=CANDIDATES, orient="row"), path, CANDIDATES)
        with pytest.raises(UserError, match=message):
            rank_pairs(model=bert_folder, pairs=[pair | {"candidates": str(path)}], system="toy")
    assert not list(tmp_path.rglob("*.trec"))


def test_folders_that_are_no_ranker_are_errors(bert_folder, tmp_path):
    with pytest.raises(UserError, match="no such model folder"):
        Reranker(tmp_path / "nowhere")
    two = shutil.copytree(bert_folder, tmp_path / "two")
    model = BertForSequenceClassification.from_pretrained(two, num_labels=2, ignore_mismatched_sizes=True)
    model.save_pretrained(two)
    with pytest.raises(UserError, match="2 labels"):
        Reranker(two)
    headless = shutil.copytree(bert_folder, tmp_path / "headless")
    BertForSequenceClassification.from_pretrained(headless).bert.save_pretrained(headless)
    with pytest.raises(UserError, match="no weights for classifier"):
        Reranker(headless)


def test_scores_that_are_not_finite_are_an_error(bert_folder, pair, tmp_path):
    broken = shutil.copytree(bert_folder, tmp_path / "broken")
    model = BertForSequenceClassification.from_pretrained(broken)
    torch.nn.init.constant_(model.classifier.bias, float("nan"))
    model.save_pretrained(broken)
    with pytest.raises(UserError, match="not finite"):
        rank_pairs(model=broken, pairs=[pair], system="toy")


def test_a_system_name_with_spaces_is_an_error(bert_folder, pair):
    with pytest.raises(UserError, match="not one word"):
        rank_pairs(model=bert_folder, pairs=[pair], system="my system")


def _forgetful(monkeypatch, largest):
    """A device that holds ``largest`` padded tokens, and says what torch says on a CPU when there are more."""
    from switchrank.rank import score

    make = score.ranking_forward

    def forgetful(model, dtype):
        forward = make(model, dtype)

        def call(inputs):
            if inputs["input_ids"].numel() > largest:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
            return forward(inputs)

        return call

    monkeypatch.setattr(score, "ranking_forward", forgetful)


def test_memory_that_runs_out_lowers_the_token_budget_and_ranking_goes_on(
    bert_folder, pair, tmp_path, monkeypatch, capsys
):
    short = pair | {"out": str(tmp_path / "short.trec")}
    rank_pairs(model=bert_folder, pairs=[pair], system="toy")
    _forgetful(monkeypatch, largest=80)
    rank_pairs(model=bert_folder, pairs=[short], system="toy")
    first, second = (read_run(out["out"]) for out in (pair, short))
    assert first["docid"].to_list() == second["docid"].to_list()
    assert second["score"].to_list() == pytest.approx(first["score"].to_list(), abs=1e-4)
    assert "out of memory: token budget lowered to " in capsys.readouterr().err


def test_wide_models_get_smaller_batches_on_a_cpu(bert_folder, pair, tmp_path, monkeypatch):
    from switchrank.core import allocator
    from switchrank.rank import score

    whole, sizes = pair | {"out": str(tmp_path / "whole.trec")}, []
    rank_pairs(model=bert_folder, pairs=[whole], system="toy")
    make = score.ranking_forward

    def watched(model, dtype):
        forward = make(model, dtype)
        return lambda inputs: sizes.append(inputs["input_ids"].numel()) or forward(inputs)

    width = json.loads((bert_folder / "config.json").read_text())["intermediate_size"]
    monkeypatch.setattr(score, "ranking_forward", watched)
    monkeypatch.setattr(allocator, "LARGEST_KEPT", 60 * width * 4)
    rank_pairs(model=bert_folder, pairs=[pair], system="toy")
    assert max(sizes) <= 60
    assert len(sizes) > 1
    first, second = (read_run(out["out"]) for out in (whole, pair))
    assert first["docid"].to_list() == second["docid"].to_list()
    assert second["score"].to_list() == pytest.approx(first["score"].to_list(), abs=1e-5)


def test_a_pair_too_long_for_the_memory_is_one_line(bert_folder, pair, monkeypatch):
    _forgetful(monkeypatch, largest=2)
    with pytest.raises(UserError, match=r"out of memory with one pair of \d+ tokens: lower it, or use a device"):
        rank_pairs(model=bert_folder, pairs=[pair], system="toy")


def test_other_failures_of_a_forward_pass_are_not_hidden(bert_folder, pair, monkeypatch):
    from switchrank.rank import score

    def broken(_inputs):
        raise RuntimeError("shapes differ")

    monkeypatch.setattr(score, "ranking_forward", lambda *_: broken)
    with pytest.raises(RuntimeError, match="shapes differ"):
        rank_pairs(model=bert_folder, pairs=[pair], system="toy")


@pytest.mark.parametrize("precision", ["bf16", "fp16", "auto"])
def test_other_precisions_move_scores_a_little(bert_folder, pair, tmp_path, precision):
    rough = pair | {"out": str(tmp_path / "rough.trec")}
    rank_pairs(model=bert_folder, pairs=[pair], system="toy")
    rank_pairs(model=bert_folder, pairs=[rough], system="toy", inference=Inference(precision=precision))
    scores = [read_run(out["out"]).sort("qid", "docid")["score"].to_numpy() for out in (pair, rough)]
    assert scores[1] == pytest.approx(scores[0], abs=0.2 * scores[0].std() + 0.05)
    assert precision == "auto" or (scores[1] != scores[0]).any()


@pytest.mark.parametrize(("precision", "found"), [("fp32", "fp32"), ("bf16", "bf16"), ("auto", "fp32")])
def test_the_record_says_how_pairs_were_scored(bert_folder, pair, tmp_path, monkeypatch, precision, found):
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict)
    inference, record = Inference(precision=precision, max_length=16, threads=1), tmp_path / "record.json"
    rank_pairs(model=bert_folder, pairs=[pair], system="toy", inference=inference, record=record)
    said = json.loads(record.read_text())
    assert {key: said[key] for key in ("device", "max_length", "precision", "threads", "truncation")} == {
        "device": "cpu",
        "max_length": 16,
        "precision": found,
        "threads": 1,
        "truncation": "longest_first",
    }
    assert said["processor"]["architecture"]
