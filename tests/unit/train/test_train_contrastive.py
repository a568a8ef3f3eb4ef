"""A dual encoder learns what sentence-transformers would teach it, however finely a step is split."""

from __future__ import annotations

import json
from dataclasses import asdict

import numpy as np
import polars as pl
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer import losses
from train_world import parallel_frame, train_record

from switchrank.core.errors import UserError
from switchrank.formats.tables import CORPUS, SCORES, write_table
from switchrank.models.dual_encoder import DualEncoder
from switchrank.train.method import Context, Data, Step
from switchrank.train.methods.contrastive import Contrastive, ContrastiveSettings
from switchrank.train.processes import ALONE
from switchrank.train.settings import parse_settings
from switchrank.train.training import train_model

PLAIN = {"steps": 4, "batch_size": 8, "warmup": 0, "lr": 1e-3, "max_length": 24, "dropout": 0.0, "log_every": 1}
PROMPTS = {"query_prompt": "sun ", "document_prompt": "moon "}


@pytest.fixture
def opened(parallel, start_folder):
    """A method, opened with these settings."""

    def opened(files=None, **changes):
        settings = parse_settings(PLAIN | changes, ContrastiveSettings)
        data = Data({"corpus": parallel, "start": start_folder} | (files or {}))
        return Contrastive(Context(data, settings, 1, torch.device("cpu"), "fp32", ALONE))

    return opened


def gradients(method, step=0):
    """The loss of a step, and the gradient of every parameter that has one."""
    units = method.order(1).rows(step, step + 1)
    method.trained.zero_grad()
    total = torch.zeros(())
    for loss in method.losses(Step(step, units, units)):
        loss.backward()
        total += loss.detach()
    named = method.trained.named_parameters()
    return total.item(), {name: parameter.grad.clone() for name, parameter in named if parameter.grad is not None}


@pytest.mark.parametrize(
    ("peer", "kept"),
    [(losses.MultipleNegativesRankingLoss, {}), (losses.CachedMultipleNegativesRankingLoss, {"mini_batch_size": 3})],
)
@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
def test_loss_and_gradients_are_those_of_sentence_transformers(opened, tmp_path, peer, kept, pooling):
    split = {"token_budget": 60} if kept else {}
    method = opened(negatives=1, temperature=0.2, pooling=pooling, directions="both", **PROMPTS, **split)
    method._encoder.save(tmp_path / "start")
    model = SentenceTransformer(str(tmp_path / "start"), device="cpu").train()
    batch = method._finder.of(0, method.order(1).rows(0, 1))
    texts = [method._pairs.texts[column].to_list() for column in batch.texts.T]
    way = {"directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    loss = peer(model, scale=5.0, **way, **kept)([model.preprocess(column) for column in texts], None)
    loss.backward()
    ours, found = gradients(method)
    assert ours == pytest.approx(loss.item(), abs=1e-5)
    theirs = {name: parameter.grad for name, parameter in model[0].auto_model.named_parameters()}
    assert found.keys() == {name for name in theirs if not name.startswith("pooler.")}
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, theirs[name], atol=1e-5, rtol=1e-4)


def test_cached_gradients_are_those_of_the_whole_batch_with_all_terms_and_dropout(opened, parallel, tmp_path):
    frame = pl.read_parquet(parallel[0]).select("qid", "pid", score=pl.col("label").cast(pl.Float64))
    write_table(frame, tmp_path / "scores.parquet", SCORES)
    terms = {"reverse": 0.4, "align": 0.7, "teacher": 0.5, "negatives": 2, "margin": 0.3}
    more = {"batches": "hybrid", "dropout": 0.2} | terms
    files = {"scores": tmp_path / "scores.parquet"}
    whole, found = gradients(opened(files, **more, token_budget=100_000))
    split, parts = gradients(opened(files, **more, token_budget=50))
    assert split == pytest.approx(whole, abs=1e-5)
    for name, gradient in found.items():
        torch.testing.assert_close(parts[name], gradient, atol=1e-5, rtol=1e-4)
    parted = opened(files, **more, token_budget=50)
    units = parted.order(1).rows(0, 1)
    assert len(list(parted.losses(Step(0, units, units)))) > 5


def test_on_a_cpu_no_more_is_encoded_at_once_than_freed_memory_holds(opened, monkeypatch):
    method = opened(token_budget=1_000)
    width = method._encoder.model.config.intermediate_size
    monkeypatch.setattr("switchrank.core.allocator.LARGEST_KEPT", 200 * width * 4)
    assert (method.budget.size, opened(token_budget=1_000).budget.size) == (1_000, 200)


@pytest.mark.parametrize(
    "term", [{"reverse": 1.0}, {"align": 1.0}, {"teacher": 1.0}, {"teacher": 1.0, "teacher_loss": "margin"}]
)
def test_a_weight_adds_its_term(opened, parallel, tmp_path, term):
    frame = pl.read_parquet(parallel[0]).select("qid", "pid", score=pl.col("label").cast(pl.Float64))
    write_table(frame, tmp_path / "scores.parquet", SCORES)
    files = {"scores": tmp_path / "scores.parquet"}
    values = [
        gradients(opened(files, **{**term, name: weight}))[0] for name in list(term)[:1] for weight in (0.0, 0.5, 1.0)
    ]
    assert values[2] > values[0]
    assert values[1] == pytest.approx((values[0] + values[2]) / 2, rel=1e-5)


def test_a_relevant_passage_of_another_row_is_no_negative(opened, tmp_path):
    frame = parallel_frame("en", 8).filter(pl.col("label") == 1)
    also = frame.with_columns(pid=pl.lit("p0-0"), passage=pl.lit(frame["passage"][0]))
    for name, table in (("apart", frame), ("shared", pl.concat([frame, also[1:2]]))):
        write_table(table, tmp_path / f"{name}.parquet", CORPUS)
    one, other = (opened({"corpus": tmp_path / f"{name}.parquet"}, batch_size=8) for name in ("apart", "shared"))
    assert one.count == 8
    assert other.count == 9
    units = one.order(1).rows(0, 1)
    apart, shared = (sum(loss.item() for loss in method.losses(Step(0, units, units))) for method in (one, other))
    assert shared < apart


def test_training_brings_queries_to_their_passages_in_both_languages_and_writes_an_encoder(
    parallel, start_folder, tmp_path
):
    files = {"corpus": parallel, "start": start_folder, "dev": parallel[1]}
    settings = PLAIN | PROMPTS | {"steps": 40, "lr": 1e-2, "batches": "hybrid", "eval_every": 40, "query_length": 12}
    train_model(Data(files), method="contrastive", out=tmp_path / "model", work=tmp_path / "work", settings=settings)
    record = train_record(tmp_path / "model")[0]
    assert record["languages"] == ["en", "qaa"]
    assert record["prompts"] == {"query": "sun ", "document": "moon "}
    assert record["dev"][-1]["mrr@10"] > 0.8
    assert record["loss"][-1][1] < record["loss"][0][1] / 2
    encoder = DualEncoder.open(tmp_path / "model")
    assert asdict(encoder.recipe) == {
        "pooling": "mean",
        "normalised": True,
        "prompts": {"query": "sun ", "document": "moon "},
        "max_length": 24,
    }
    frame = pl.read_parquet(parallel[1]).filter(pl.col("label") == 1)
    queries = encoder.encode(frame["query"].to_list(), "query")
    english = pl.read_parquet(parallel[0]).filter(pl.col("label") == 1)["passage"].to_list()
    found = (queries @ encoder.encode(english, "document").T).argmax(1)
    assert (found == np.arange(len(found))).mean() > 0.5
    card = (tmp_path / "model" / "README.md").read_text()
    assert "Trained with switchrank" in card
    assert '"sun " before a query and "moon " before a document is its prompt.' in card
    peer = SentenceTransformer(str(tmp_path / "model"), device="cpu")
    np.testing.assert_allclose(peer.encode_document(english), encoder.encode(english, "document"), atol=1e-5)


def test_prompts_are_those_of_the_starting_model_unless_others_are_given(opened, start_folder, tmp_path):
    DualEncoder.open(start_folder, prompts={"query": "sun ", "document": "moon "}).save(tmp_path / "start")
    start = {"start": tmp_path / "start"}
    assert opened(start).record()["prompts"] == {"query": "sun ", "document": "moon "}
    assert opened(start, query_prompt="").record()["prompts"] == {"document": "moon "}


def test_what_is_dropped_by_torchs_generator_is_the_same_when_a_part_is_encoded_again():
    from switchrank.train.gradient_cache import Part, losses_of_parts

    weight = torch.nn.Parameter(torch.ones(4))
    drawn = []

    def encode(part):
        drawn.append(torch.nn.functional.dropout(weight.expand(len(part.places), 4), 0.5))
        return drawn[-1]

    torch.manual_seed(1)
    parts = [Part(np.array([0, 2]), {}), Part(np.array([1]), {})]
    shape = {"vectors": torch.zeros(3, 4), "count": 3, "processes": ALONE}
    total = sum(loss for loss in losses_of_parts(parts, encode, lambda vectors: vectors.square().sum(), **shape))
    first, second, again = drawn
    torch.testing.assert_close(second, again.detach())
    expected = torch.cat([first, again]).square().sum()
    torch.testing.assert_close(total, expected)
    ours = torch.autograd.grad(total, weight, retain_graph=True)
    torch.testing.assert_close(ours, torch.autograd.grad(expected, weight))
    after = torch.rand(1)
    torch.manual_seed(1)
    for part in parts:
        encode(part)
    assert torch.equal(torch.rand(1), after)


def test_memory_that_runs_out_before_vectors_are_exchanged_is_told_to_all_processes():
    from switchrank.train.gradient_cache import Part, losses_of_parts

    told = []

    class Others:
        def any(self, flag):
            told.append(flag)
            return True

        def add(self, _):
            raise AssertionError

    def fails(_):
        raise torch.OutOfMemoryError("out of memory")

    for encode in (fails, lambda part: torch.zeros(len(part.places), 2)):
        shape = {"vectors": torch.zeros(1, 2), "count": 1, "processes": Others()}
        with pytest.raises(torch.OutOfMemoryError):
            list(losses_of_parts([Part(np.array([0]), {})], encode, torch.sum, **shape))
    assert told == [True, False]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"temperature": 0}, "temperature: 0 is not a number above 0: write one"),
        ({"batches": "both"}, "batches: 'both' is not known: choose mono or cross or hybrid or mixed"),
        ({"mono": 1.5}, "mono: 1.5 is not a number of at least 0 and at most 1: write one"),
        ({"query_prompt": 3}, "query_prompt: 3 is not a text: write one"),
        ({"reverse": 0.5, "directions": "both"}, "reverse: 0.5, while directions: both has the same loss in it: write"),
        ({"teacher": 1.0, "negatives": 0}, "negatives: 0, so that a teacher has nothing to compare: write 1 or more"),
        ({"teacher": 1.0}, "train: scores: not given, and this method needs it: give scores"),
        ({"batch_size": 25}, "batch_size: 24 distinct pairs in en, fewer than a batch of 25: lower it"),
    ],
)
def test_settings_that_cannot_be_are_one_line(parallel, start_folder, tmp_path, changes, problem):
    data = Data({"corpus": parallel, "start": start_folder})
    with pytest.raises(UserError, match=problem) as told:
        train_model(data, method="contrastive", out=tmp_path / "model", work=tmp_path, settings=PLAIN | changes)
    assert "\n" not in str(told.value)


def test_texts_made_in_training_are_one_line(parallel, start_folder):
    settings = parse_settings(PLAIN, ContrastiveSettings)
    data = Data({"corpus": parallel, "start": start_folder}, reader=json.loads)
    with pytest.raises(UserError, match=r"train: corpus: texts that are made in training.*\(materialise: true\)"):
        Contrastive(Context(data, settings, 1, torch.device("cpu"), "fp32", ALONE))
