"""Transport plans: against POT's, which are stored, and by the laws that plans obey."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from plans_by_pot import FILE
from scipy.optimize import linear_sum_assignment

from switchrank.train.transport import ipot, marginal_error, plan_entropy, sinkhorn, unbalanced

MANY = 2_000
CASES = json.loads(FILE.read_text())["cases"]
by_pot = pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['eps']}-{case.get('rho', 'met')}")


def uniform(size):
    return torch.full((size,), 1 / size).log()


def draw(seed, rows, columns):
    """A cost in the range of cosines, and weights of both sides."""
    rng = np.random.default_rng(seed)
    a, b = (torch.from_numpy(rng.dirichlet(np.full(size, 3.0))).float() for size in (rows, columns))
    return torch.from_numpy(rng.uniform(0, 2, (rows, columns))).float(), a.log(), b.log()


@by_pot
def test_a_plan_is_that_of_pot(case):
    cost, a, b = (torch.tensor(case[name], dtype=torch.float64) for name in ("cost", "a", "b"))
    if "rho" in case:
        plan = unbalanced(cost, a.log(), b.log(), case["eps"], case["rho"], MANY)
    else:
        plan = sinkhorn(cost, a.log(), b.log(), case["eps"], MANY)
    np.testing.assert_allclose(plan, case["plan"], rtol=1e-6, atol=1e-12)


@by_pot
def test_proximal_steps_come_to_the_exact_plan_of_pot(case):
    cost, a, b = (torch.tensor(case[name], dtype=torch.float64) for name in ("cost", "a", "b"))
    np.testing.assert_allclose(ipot(cost, a.log(), b.log(), 0.5, MANY), case["exact"], atol=1e-6)


def test_proximal_steps_are_those_of_the_algorithm():
    """Xie et al. 2018, algorithm 1 with L = 1, in plain numbers; beta is large enough for them."""
    cost, log_a, log_b = draw(3, 3, 5)
    a, b, kernel = log_a.exp().double(), log_b.exp().double(), (-cost.double() / 0.5).exp()
    plan, sigma = torch.ones(3, 5, dtype=torch.float64), torch.full((5,), 1 / 5, dtype=torch.float64)
    for _ in range(7):
        step = kernel * plan
        delta = a / (step @ sigma)
        sigma = b / (step.T @ delta)
        plan = delta[:, None] * step * sigma
    torch.testing.assert_close(ipot(cost, log_a, log_b, 0.5, 7).double(), plan, rtol=1e-4, atol=1e-7)


sizes = st.integers(1, 6)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 99), sizes, sizes)
def test_weights_are_met(seed, rows, columns):
    cost, a, b = draw(seed, rows, columns)
    for plan in (sinkhorn(cost, a, b, 0.2, 300), ipot(cost, a, b, 0.5, 300)):
        assert (plan >= 0).all()
        torch.testing.assert_close(plan.sum(0), b.exp(), rtol=1e-4, atol=1e-6)
        assert marginal_error(plan, a, b) < 1e-2


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 99), sizes, sizes)
def test_sides_may_be_exchanged(seed, rows, columns):
    cost, a, b = draw(seed, rows, columns)
    torch.testing.assert_close(sinkhorn(cost, a, b, 0.3, 200), sinkhorn(cost.T, b, a, 0.3, 200).T, rtol=1e-3, atol=1e-5)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 99), st.integers(2, 6))
def test_with_little_entropy_a_plan_of_equal_weights_is_the_best_assignment(seed, size):
    cost = draw(seed, size, size)[0].double()
    best = linear_sum_assignment(cost)
    same = uniform(size).double()
    for plan in (sinkhorn(cost, same, same, 0.01, 500), ipot(cost, same, same, 0.1, 500)):
        assert (plan * cost).sum() == pytest.approx(cost[best].mean().item(), abs=0.02)  # eps * log(6) is 0.018


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 99), sizes, sizes, st.sampled_from(["sinkhorn", "ipot", "unbalanced"]))
def test_a_batch_of_unequal_texts_has_the_plan_of_each_alone(seed, rows, columns, solver):
    solve = {
        "sinkhorn": lambda *given: sinkhorn(*given, 0.1, 40),
        "ipot": lambda *given: ipot(*given, 0.5, 40),
        "unbalanced": lambda *given: unbalanced(*given, 0.1, 1.0, 40),
    }[solver]
    alone, wide = draw(seed, rows, columns), draw(seed + 1, 7, 8)
    padded = torch.full((7, 8), 1.0), torch.full((7,), -torch.inf), torch.full((8,), -torch.inf)
    padded[0][:rows, :columns], padded[1][:rows], padded[2][:columns] = alone
    both = solve(*(torch.stack(pair) for pair in zip(padded, wide, strict=True)))
    assert both.isfinite().all()
    torch.testing.assert_close(both[0, :rows, :columns], solve(*alone))
    torch.testing.assert_close(both[1], solve(*wide))
    assert both[0, rows:].sum() == both[0, :, columns:].sum() == 0


def test_weights_that_cost_much_to_leave_unmet_are_met():
    cost, a, b = draw(4, 3, 4)
    torch.testing.assert_close(unbalanced(cost, a, b, 0.2, 1e5, 500), sinkhorn(cost, a, b, 0.2, 500), rtol=1e-3, atol=0)


def test_a_token_without_a_counterpart_is_left_where_it_is():
    cost = torch.tensor([[0.0, 2.0], [2.0, 0.0], [2.0, 2.0]])
    plan = unbalanced(cost, uniform(3), uniform(2), 0.05, 0.3, 200)
    assert plan[2].sum() < 0.1 * plan[:2].sum(1).min()
    assert sinkhorn(cost, uniform(3), uniform(2), 0.05, 500)[2].sum() == pytest.approx(1 / 3, rel=1e-3)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_costs_in_half_precision_underflow_nowhere(dtype):
    """exp(-2 / 0.02) is 4e-44, below the least number of any half precision."""
    cost = torch.tensor([[2.0, 1.5], [1.5, 2.0]], dtype=dtype)
    plan = sinkhorn(cost, uniform(2), uniform(2), 0.02, 50)
    assert plan.dtype == torch.float32
    torch.testing.assert_close(plan, torch.tensor([[0.0, 0.5], [0.5, 0.0]]), rtol=0, atol=1e-6)


def test_the_entropy_of_a_plan_says_how_far_it_spreads():
    assert plan_entropy(torch.eye(4) / 4).item() == pytest.approx(np.log(4))
    assert plan_entropy(torch.full((2, 3, 5), 1 / 15)).tolist() == pytest.approx([np.log(15)] * 2)
    assert plan_entropy(torch.eye(4) * 7).item() == pytest.approx(np.log(4))


def test_how_far_a_plan_is_from_its_weights_is_told():
    plan = torch.tensor([[0.5, 0.0], [0.25, 0.25]])
    assert marginal_error(plan, uniform(2), uniform(2)).item() == pytest.approx(0.5)  # |.75 - .5| + |.25 - .5|
    cost, a, b = draw(5, 6, 6)
    few, more = (marginal_error(sinkhorn(cost, a, b, 0.05, count), a, b) for count in (1, 200))
    assert more < 0.1 * few
