"""Losses between the tokens of two texts: against plain loops over one pair of texts at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from switchrank.models.encode import Template
from switchrank.train.pair_measures import pair_measures
from switchrank.train.token_alignment import (
    Transport,
    content_tokens,
    cosine_costs,
    direction_errors,
    greedy_errors,
    greedy_pairs,
    max_sim_errors,
)
from switchrank.train.transport import sinkhorn

LENGTHS = [(3, 5), (6, 2), (1, 1), (4, 4)]


@pytest.fixture
def sides():
    """Vectors and weights of pairs of texts, those at padding not zero; and the pairs one by one."""
    rng = np.random.default_rng(2)
    vectors = [torch.from_numpy(rng.normal(size=(4, size, 8))).float() for size in (6, 5)]
    weights = [torch.zeros(4, size) for size in (6, 5)]
    for number, lengths in enumerate(LENGTHS):
        for side, length in zip(weights, lengths, strict=True):
            side[number, :length] = 1 / length
    alone = [
        [side[number, :length].numpy() for side, length in zip(vectors, lengths, strict=True)]
        for number, lengths in enumerate(LENGTHS)
    ]
    return (*vectors, *weights), alone


def cosines(one, other):
    return (one / np.linalg.norm(one, axis=1, keepdims=True)) @ (other / np.linalg.norm(other, axis=1, keepdims=True)).T


def greedy(one, other):
    """The pairs of the nearest tokens, one after the other."""
    cost, paired = 1 - cosines(one, other), []
    while len(paired) < min(cost.shape):
        free = [
            (cost[i, j], i, j)
            for i in range(len(one))
            for j in range(len(other))
            if i not in [i for i, _ in paired] and j not in [j for _, j in paired]
        ]
        paired.append(min(free)[1:])
    return paired


def test_costs_are_cosine_distances(sides):
    given, alone = sides
    for cost, (one, other) in zip(cosine_costs(*given[:2]), alone, strict=True):
        np.testing.assert_allclose(cost[: len(one), : len(other)], 1 - cosines(one, other), atol=1e-6)


def test_tokens_are_paired_greedily(sides):
    given, alone = sides
    expected = [np.mean([np.mean((one[i] - other[j]) ** 2) for i, j in greedy(one, other)]) for one, other in alone]
    np.testing.assert_allclose(greedy_errors(*given), expected, rtol=1e-5)


def test_of_equal_costs_the_first_is_paired_first():
    paired = greedy_pairs(torch.zeros(1, 2, 3), torch.ones(1, 2).bool(), torch.ones(1, 3).bool())
    assert paired.int().tolist() == [[[1, 0, 0], [0, 1, 0]]]


def test_each_token_counts_by_the_nearest_one(sides):
    given, alone = sides
    near = [cosines(one, other) for one, other in alone]
    expected = [((1 - one.max(1)).mean() + (1 - one.max(0)).mean()) / 2 for one in near]
    np.testing.assert_allclose(max_sim_errors(*given), expected, rtol=1e-5, atol=1e-6)


def test_directions_of_texts_are_compared(sides):
    given, alone = sides
    means = [[(side / np.linalg.norm(side, axis=1, keepdims=True)).mean(0) for side in pair] for pair in alone]
    expected = [1 - one @ other / np.linalg.norm(one) / np.linalg.norm(other) for one, other in means]
    np.testing.assert_allclose(direction_errors(*given), expected, rtol=1e-5, atol=1e-6)


def test_the_cost_of_a_plan_has_its_gradient_through_the_cost_alone(sides):
    theirs, ours, *weights = sides[0]
    ours = ours.requires_grad_()
    errors = Transport("sinkhorn", 0.05, 30).errors(theirs, ours, *weights)
    cost = cosine_costs(theirs, ours)
    plan = sinkhorn(cost.detach(), *(one.log() for one in weights), 0.05, 30)
    torch.testing.assert_close(errors, (plan * cost).sum((1, 2)))
    found, expected = (torch.autograd.grad(loss.sum(), ours)[0] for loss in (errors, (plan * cost).sum((1, 2))))
    torch.testing.assert_close(found, expected)
    assert found.abs().sum() > 0


@pytest.mark.parametrize("losses", [Transport("ipot", 0.5, 50).errors, greedy_errors, max_sim_errors, direction_errors])
def test_gradients_are_finite_and_none_goes_to_padding(sides, losses):
    theirs, ours, *weights = sides[0]
    ours = ours.requires_grad_()
    (gradient,) = torch.autograd.grad(losses(theirs, ours, *weights).sum(), ours)
    assert gradient.isfinite().all()
    assert gradient[weights[1] > 0].abs().sum() > 0
    assert not gradient[weights[1] == 0].any()


@pytest.mark.parametrize("losses", [Transport("sinkhorn", 0.01, 200).errors, greedy_errors, max_sim_errors])
def test_equal_texts_in_another_order_are_no_distance_apart(losses):
    tokens, order = torch.eye(5)[None], torch.tensor([3, 1, 4, 0, 2])
    weights = torch.full((1, 5), 0.2)
    assert losses(tokens, tokens[:, order], weights, weights).item() == pytest.approx(0, abs=1e-4)


def test_special_tokens_and_padding_are_no_content():
    template = Template([np.array([2]), np.array([3, 3]), np.array([], int)], None, 0, 0)
    inputs = {"attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 1, 0]])}
    assert content_tokens(inputs, template).int().tolist() == [[0, 1, 1, 0, 0], [0, 1, 0, 0, 0]]


def test_the_nearest_target_is_right_where_its_text_is():
    sources = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 2.0]])
    targets = torch.tensor([[1.0, 0.1], [1.0, 0.0], [3.0, 0.0]])
    found = pair_measures(sources, targets, (np.array([0, 1, 2]), np.array([0, 0, 2])), "found")
    assert found["found"] == pytest.approx(2 / 3)  # the second text is right for both of the first sources
    assert found["found_back"] == 0  # of the targets the second and third have the first source, the first the second
    unit = [side / side.norm(dim=1, keepdim=True) for side in (sources, targets)]
    every = unit[0] @ unit[1].T
    assert found["pair_cosine"] == pytest.approx(every.diagonal().mean().item())
    assert found["random_cosine"] == pytest.approx(every[~torch.eye(3).bool()].mean().item())


def test_vectors_that_are_all_alike_are_seen_by_the_cosine_of_random_pairs():
    alike = torch.ones(4, 3) + 1e-3 * torch.eye(4)[:, :3]
    found = pair_measures(alike, alike, (np.arange(4), np.arange(4)), "found")
    assert found["random_cosine"] > 0.999
