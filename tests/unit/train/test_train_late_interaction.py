"""Late interaction learns what sentence-transformers would teach it, however finely a step is split."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import torch
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.multi_vector_encoder import losses
from sentence_transformers.multi_vector_encoder.scoring import colbert_kd_scores, colbert_scores
from torch.nn.functional import normalize
from train_world import train_record

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import SCORES, write_table
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.late_interaction import LateEncoder
from switchrank.search.max_sim import max_sim as max_sim_of_two
from switchrank.train import contrast
from switchrank.train.contrast import info_nce, max_sim, max_sim_of_own
from switchrank.train.method import Context, Data, Step
from switchrank.train.methods.late_interaction import LateInteraction, LateInteractionSettings
from switchrank.train.processes import ALONE
from switchrank.train.settings import parse_settings
from switchrank.train.training import train_model

PLAIN = {"steps": 4, "batch_size": 8, "warmup": 0, "lr": 1e-3, "max_length": 24, "dropout": 0.0, "log_every": 1} | {
    "dim": 8,
    "query_length": 12,
}


def token_vectors(*shape, seed=0):
    """Unit vectors of tokens, some texts shorter than others: zeros behind their last token."""
    generator = torch.Generator().manual_seed(seed)
    vectors = normalize(torch.randn(*shape, generator=generator), dim=-1)
    lengths = torch.randint(1, shape[-2] + 1, shape[:-2], generator=generator)
    there = torch.arange(shape[-2]) < lengths[..., None]
    return vectors * there[..., None], there


@pytest.mark.parametrize("at_once", [1 << 24, 40])
def test_scores_and_gradients_are_those_of_sentence_transformers(monkeypatch, at_once):
    monkeypatch.setattr(contrast, "_AT_ONCE", at_once)
    (queries, of_queries), (documents, of_documents) = token_vectors(3, 4, 5), token_vectors(6, 7, 5, seed=1)
    given = [queries.requires_grad_(), documents.requires_grad_()]
    peer = colbert_scores(queries, documents[:, None], of_queries, of_documents[:, None])
    ours = max_sim(*given)
    torch.testing.assert_close(ours, peer)
    weights = torch.arange(18.0).view(3, 6)
    gradients = [torch.autograd.grad((weights * scores).sum(), given) for scores in (ours, peer)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other)


def test_scores_of_own_candidates_are_those_of_sentence_transformers():
    (queries, of_queries), (documents, of_documents) = token_vectors(3, 4, 5), token_vectors(3, 2, 7, 5, seed=1)
    peer = colbert_kd_scores(queries, documents, of_queries, of_documents)
    torch.testing.assert_close(max_sim_of_own(queries, documents), peer)
    documents[1, 1] = 0
    assert max_sim_of_own(queries, documents)[1, 1] == 0


def test_infonce_over_max_sim_is_torchs_cross_entropy():
    (queries, _), (documents, _) = token_vectors(3, 4, 5), token_vectors(6, 7, 5, seed=1)
    scores = torch.tensor(
        [[max_sim_of_two(q[q.any(1)], d[d.any(1)]) for d in documents.numpy()] for q in queries.numpy()]
    )
    expected = torch.nn.functional.cross_entropy(scores / 0.5, torch.arange(3))
    torch.testing.assert_close(info_nce(queries, documents, 0.5, score=max_sim), expected)


@pytest.fixture
def opened(parallel, start_folder):
    """A method, opened with these settings."""

    def opened(files=None, **changes):
        torch.manual_seed(5)
        settings = parse_settings(PLAIN | changes, LateInteractionSettings)
        data = Data({"corpus": parallel, "start": start_folder} | (files or {}))
        return LateInteraction(Context(data, settings, 1, torch.device("cpu"), "fp32", ALONE))

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


@pytest.mark.parametrize("split", [False, True])
def test_loss_and_gradients_are_those_of_sentence_transformers(opened, tmp_path, split):
    method = opened(negatives=1, **({"token_budget": 60} if split else {}))
    method._encoder.save(tmp_path / "start")
    model = MultiVectorEncoder(str(tmp_path / "start"), device="cpu").train()
    batch = method._finder.of(0, method.order(1).rows(0, 1))
    texts = [method._pairs.texts[column].to_list() for column in batch.texts.T]
    features = [model.preprocess(column, task="document" if place else "query") for place, column in enumerate(texts)]
    loss = losses.MultiVectorMultipleNegativesRankingLoss(model, scale=1.0)(features, None)
    loss.backward()
    ours, found = gradients(method)
    assert ours == pytest.approx(loss.item(), abs=1e-5)
    theirs = {f"encoder.{name}": one.grad for name, one in model[0].auto_model.named_parameters()}
    theirs["projection.weight"] = model[1].linear.weight.grad
    assert found.keys() == {name for name in theirs if ".pooler." not in name}
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, theirs[name], atol=1e-5, rtol=1e-4)


def test_cached_gradients_are_those_of_the_whole_batch_with_all_terms_and_dropout(opened, parallel, tmp_path):
    frame = pl.read_parquet(parallel[0]).select("qid", "pid", score=pl.col("label").cast(pl.Float64))
    write_table(frame, tmp_path / "scores.parquet", SCORES)
    terms = {"reverse": 0.4, "align": 0.7, "teacher": 0.5, "negatives": 2, "margin": 3.0}
    more = {"batches": "hybrid", "dropout": 0.2} | terms
    files = {"scores": tmp_path / "scores.parquet"}
    whole, found = gradients(opened(files, **more, token_budget=100_000))
    split, parts = gradients(opened(files, **more, token_budget=50))
    assert split == pytest.approx(whole, abs=1e-5)
    for name, gradient in found.items():
        torch.testing.assert_close(parts[name], gradient, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", ["kl", "margin"])
def test_a_teachers_scores_draw_its_own_scores_towards_them(opened, parallel, tmp_path, kind):
    frame = pl.read_parquet(parallel[0]).select("qid", "pid", score=pl.col("label").cast(pl.Float64) * 4)
    write_table(frame, tmp_path / "scores.parquet", SCORES)
    files = {"scores": tmp_path / "scores.parquet"}
    taught, untaught = (
        gradients(opened(files, teacher=weight, teacher_loss=kind, negatives=2))[0] for weight in (1.0, 0.0)
    )
    assert np.isfinite(taught)
    assert taught > untaught


def test_training_finds_passages_in_both_languages_and_writes_what_sentence_transformers_opens(
    parallel, start_folder, tmp_path
):
    files = {"corpus": parallel, "start": start_folder, "dev": parallel[1]}
    settings = PLAIN | {"steps": 40, "lr": 1e-2, "batches": "hybrid", "eval_every": 40}
    folder = tmp_path / "model"
    train_model(Data(files), method="late-interaction", out=folder, work=tmp_path / "work", settings=settings)
    record = train_record(folder)[0]
    assert record["prompts"] == {"query": "[Q] ", "document": "[D] "}
    assert record["dev"][-1]["mrr@10"] > 0.8
    encoder, peer = LateEncoder.open(folder), MultiVectorEncoder(str(folder), device="cpu")
    frame = pl.read_parquet(parallel[1]).filter(pl.col("label") == 1)
    english = pl.read_parquet(parallel[0]).filter(pl.col("label") == 1)["passage"].to_list()
    queries, passages = encoder.encode(frame["query"].to_list(), "query"), encoder.encode(english, "document")
    scores = np.array([[max_sim_of_two(query, passage) for passage in passages] for query in queries])
    assert (scores.argmax(1) == np.arange(len(scores))).mean() > 0.5
    theirs = peer.similarity(peer.encode_query(frame["query"].to_list()), peer.encode_document(english))
    np.testing.assert_allclose(scores, theirs.numpy(), atol=1e-4)
    card = (folder / "README.md").read_text()
    assert "Trained with switchrank" in card
    assert "12 tokens of a query and 24 of a passage are read" in card


def test_the_command_trains_what_the_library_trains(parallel, start_folder, tmp_path, capsys):
    given = [f"{key}={json.dumps(value)}" for key, value in PLAIN.items()]
    files = ["--corpus", *map(str, parallel), "--start", str(start_folder), "--out", str(tmp_path / "model")]
    main(["train", "late", *given, *files])
    assert json.loads(capsys.readouterr().out)["steps"] == 4
    assert LateEncoder.open(tmp_path / "model").recipe.dimensions == 8


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"dim": 0}, "dim: 0 is not a whole number of at least 1: write one"),
        ({"pooling": "mean"}, "pooling: unknown key: known keys are"),
        ({"teacher": 1.0}, "train: scores: not given, and this method needs it: give scores"),
    ],
)
def test_settings_that_cannot_be_are_one_line(parallel, start_folder, tmp_path, changes, problem):
    data = Data({"corpus": parallel, "start": start_folder})
    with pytest.raises(UserError, match=problem) as told:
        train_model(data, method="late-interaction", out=tmp_path / "model", work=tmp_path, settings=PLAIN | changes)
    assert "\n" not in str(told.value)


def test_a_dual_encoder_is_not_trained_from_late_interaction_but_late_interaction_from_a_dual_encoder(
    opened, parallel, start_folder, tmp_path
):
    DualEncoder.open(start_folder, prompts={"query": "sun ", "document": "moon "}).save(tmp_path / "dual")
    method = opened({"start": tmp_path / "dual"})
    assert method.record()["prompts"] == {"query": "[Q] ", "document": "[D] "}
    method._encoder.save(tmp_path / "late")
    data = Data({"corpus": parallel, "start": tmp_path / "late"})
    settings = {key: value for key, value in PLAIN.items() if key != "dim"}
    with pytest.raises(UserError, match="late interaction, which has a vector for each token and none for a text"):
        train_model(data, method="contrastive", out=tmp_path / "model", work=tmp_path, settings=settings)
