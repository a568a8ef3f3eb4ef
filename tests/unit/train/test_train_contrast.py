"""Contrastive losses are those of sentence-transformers, and by hand."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.sentence_transformer import losses
from torch.nn.functional import normalize

from switchrank.train.contrast import distillation, info_nce

NAN = float("nan")


def numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).requires_grad_()


def vectors(*shape, seed=0):
    return normalize(numbers(*shape, seed=seed), dim=-1)


@pytest.mark.parametrize("both", [False, True])
def test_loss_and_gradients_are_those_of_sentence_transformers(both):
    given = [numbers(6, 5, seed=seed) for seed in range(3)]
    queries, passages, negatives = (normalize(one, dim=-1) for one in given)
    directions = ("query_to_doc", "doc_to_query")[: 1 + both]
    peer = losses.MultipleNegativesRankingLoss(None, scale=8.0, directions=directions, partition_mode="per_direction")
    expected = peer.compute_loss_from_embeddings(given, None)
    theirs = torch.autograd.grad(expected, given)
    found = info_nce(queries, torch.cat([passages, negatives]), 1 / 8, both=both)
    ours = torch.autograd.grad(found, given)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(ours, theirs, atol=1e-6, rtol=1e-5)


def test_the_reverse_loss_is_added_to_that_of_sentence_transformers_by_its_weight():
    given = [numbers(6, 5, seed=seed) for seed in range(3)]
    queries, passages, negatives = (normalize(one, dim=-1) for one in given)
    peers = [
        losses.MultipleNegativesRankingLoss(None, scale=8.0, directions=directions, partition_mode="per_direction")
        for directions in (("query_to_doc",), ("query_to_doc", "doc_to_query"))
    ]
    forward, mean = (peer.compute_loss_from_embeddings(given, None) for peer in peers)
    expected = forward + 0.3 * (2 * mean - forward)
    theirs = torch.autograd.grad(expected, given)
    found = info_nce(queries, torch.cat([passages, negatives]), 1 / 8, reverse=0.3)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found, given), theirs, atol=1e-6, rtol=1e-5)


@settings(max_examples=20)
@given(order=st.permutations(range(5)), other=st.permutations(range(3)), both=st.booleans())
def test_the_order_of_rows_and_of_negatives_does_not_change_the_loss(order, other, both):
    queries, passages, negatives = vectors(5, 4), vectors(5, 4, seed=1), vectors(3, 4, seed=2)
    excluded = torch.rand(5, 8, generator=torch.Generator().manual_seed(3)) < 0.3
    columns = [*order, *(5 + number for number in other)]
    candidates = torch.cat([passages, negatives])
    one = info_nce(queries, candidates, 0.1, excluded=excluded, margin=0.5, both=both)
    moved = info_nce(
        queries[list(order)],
        candidates[columns],
        0.1,
        excluded=excluded[list(order)][:, columns],
        margin=0.5,
        both=both,
    )
    torch.testing.assert_close(one, moved)


def test_what_is_excluded_is_as_if_it_were_not_there_and_the_passage_itself_always_is():
    queries, candidates = vectors(2, 4), vectors(4, 4, seed=1)
    excluded = torch.tensor([[True, False, True, False], [False, True, False, False]])
    cosines = (queries @ candidates.T / 0.5).exp()
    first = -(cosines[0, 0] / cosines[0, [0, 1, 3]].sum()).log()
    second = -(cosines[1, 1] / cosines[1].sum()).log()
    torch.testing.assert_close(info_nce(queries, candidates, 0.5, excluded=excluded), (first + second) / 2)


def test_candidates_far_above_the_passage_are_no_negatives():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    candidates = torch.tensor([[0.6, 0.8], [0.28, 0.96], [0.8, 0.6], [1.0, 0.0]])
    kept = (queries @ candidates.T).exp()
    expected = -(kept[0, 0] / kept[0, :3].sum()).log() - (kept[1, 1] / kept[1].sum()).log()
    torch.testing.assert_close(info_nce(queries, candidates, 1.0, margin=0.25), expected / 2)


def test_a_teacher_is_followed_by_divergence_from_its_softmax():
    cosines = torch.tensor([[0.9, 0.2, 0.4], [0.5, 0.1, 0.3]], requires_grad=True)
    taught = torch.tensor([[2.0, -1.0, 0.0], [1.0, NAN, 3.0]])
    rows = [(cosines[0] / 0.5, taught[0]), (cosines[1, [0, 2]] / 0.5, taught[1, [0, 2]])]
    expected = [
        torch.nn.functional.kl_div(ours.log_softmax(0), theirs.softmax(0), reduction="sum") for ours, theirs in rows
    ]
    found = distillation(cosines, taught, 0.5)
    torch.testing.assert_close(found, sum(expected) / 2)
    assert torch.isfinite(torch.autograd.grad(found, cosines)[0]).all()


def test_a_teacher_is_followed_by_its_margins():
    cosines = torch.tensor([[0.9, 0.2, 0.4], [0.5, 0.1, 0.3]])
    taught = torch.tensor([[2.0, -1.0, 0.0], [1.0, NAN, 3.0]])
    expected = (((1.4 - 3.0) ** 2 + (1.0 - 2.0) ** 2) / 2 + (0.4 + 2.0) ** 2) / 2
    assert distillation(cosines, taught, 0.5, "margin").item() == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["kl", "margin"])
def test_queries_whose_passage_or_negatives_a_teacher_has_not_scored_have_no_part(kind):
    cosines = torch.tensor([[0.9, 0.2], [0.5, 0.1], [0.3, 0.2]], requires_grad=True)
    taught = torch.tensor([[NAN, 1.0], [1.0, NAN], [0.5, 0.1]])
    alone = distillation(cosines[2:], taught[2:], 0.1, kind)
    torch.testing.assert_close(distillation(cosines, taught, 0.1, kind), alone)
    nothing = distillation(cosines, torch.full_like(taught, NAN), 0.1, kind)
    assert nothing.item() == 0
    assert torch.autograd.grad(nothing, cosines)[0].count_nonzero() == 0
