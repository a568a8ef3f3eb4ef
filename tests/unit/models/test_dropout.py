"""Dropout from bits of a counter: the right share, scaled, of the dtype it is applied to."""

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from switchrank.models.dropout import Draw, Dropout, pair_states

DRAW = Draw(5, 0, np.arange(64))
LENGTHS = np.full(64, 20)


def dropout(**options):
    return Dropout(pair_states(DRAW), LENGTHS, 3, **options)


@pytest.mark.parametrize("share", [0.1, 0.5])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_share_of_zeros_is_the_one_asked_for_and_the_rest_is_scaled(share, dtype):
    drop = dropout()
    rows = drop.of_rows(torch.ones(64 * 20 + 3, 30, dtype=dtype), share)[:-3]
    weights = drop.of_attention(torch.ones(64, 2, 20, 20, dtype=dtype), share, 0)
    for found in (rows, weights):
        assert found.dtype == dtype
        assert binomtest(int((found == 0).sum()), found.numel(), share).pvalue > 1e-4
        assert set(found.unique().tolist()) == {0.0, torch.tensor(1 / (1 - share)).to(dtype).item()}


def test_no_two_places_pairs_heads_or_positions_share_their_bits():
    drop = dropout()
    hidden = [drop.of_rows(torch.ones(1283, 60), 0.5)[:-3] for _ in range(2)]
    drop.next_place()
    weights = drop.of_attention(torch.ones(64, 2, 20, 60), 0.5, 0).flatten(0, 2)
    patterns = {tuple(row.tolist()) for rows in (*hidden, weights) for row in rows}
    assert len(patterns) == 2 * 64 * 20 + 64 * 2 * 20


def test_the_same_draw_gives_the_same_bits_from_any_pair_on():
    ones = torch.ones(64, 2, 20, 20)
    whole, rest = dropout().of_attention(ones, 0.3, 0), dropout().of_attention(ones[10:], 0.3, 10)
    assert torch.equal(whole[10:], rest)


def test_first_tokens_alone_drop_what_they_drop_among_all():
    every = dropout().of_rows(torch.ones(1283, 30), 0.3)
    assert torch.equal(dropout().of_rows(torch.ones(64, 30), 0.3, first_only=True), every[:-3:20])


@pytest.mark.parametrize(("share", "active", "kept"), [(0.0, True, 1.0), (0.5, False, 1.0), (1.0, True, 0.0)])
def test_nothing_or_everything_is_dropped_where_that_is_asked(share, active, kept):
    rows = torch.ones(1283, 8)
    assert dropout(active=active).of_rows(rows, share).mean() == kept
