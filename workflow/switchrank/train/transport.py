"""Optimal transport between the tokens of two texts: plans that say how much of each token goes to each of the other.

A plan is solved for a cost of each two tokens and a weight of each token. All solvers work with logarithms, in float32
at least: at a small ``eps`` the kernel ``exp(-cost / eps)`` underflows otherwise. Texts of unequal length are solved as
a batch: a token that is none has the log weight minus infinity, and nothing goes to it or comes from it.
"""

import torch
from torch import Tensor


def sinkhorn(cost: Tensor, log_a: Tensor, log_b: Tensor, eps: float, iterations: int) -> Tensor:
    """The plan ``T`` of least ``<T, cost> - eps * entropy(T)`` whose rows add up to ``a`` and columns to ``b``.

    Sinkhorn's iterations (Cuturi 2013, arXiv 1306.0895) in the log domain (Peyré and Cuturi 2019, arXiv 1803.00567,
    section 4.4). Columns are exact; how far rows are from ``a`` after so many, :func:`marginal_error` tells.

    Args:
        cost: ``(..., n, m)``, finite.
        log_a: logarithms of the weights of rows, ``(..., n)``; minus infinity for none, of one token at least finite.
        log_b: the same of columns, ``(..., m)``.
        eps: strength of the entropy, above 0, in units of the cost; towards 0 the plan is that of exact transport.
        iterations: updates of rows and then columns.

    Returns:
        ``(..., n, m)``, float32 or, for such costs, float64.

    Example:
        >>> cost = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
        >>> half = torch.full((2,), 0.5).log()
        >>> sinkhorn(cost, half, half, eps=0.05, iterations=10).round(decimals=3)
        tensor([[0.5000, 0.0000],
                [0.0000, 0.5000]])
    """
    return _scaled(cost, log_a, log_b, eps, iterations, power=1.0)


def unbalanced(cost: Tensor, log_a: Tensor, log_b: Tensor, eps: float, rho: float, iterations: int) -> Tensor:
    """The same where weights need not be met: ``rho`` times their Kullback-Leibler divergence is paid instead.

    The scaling of Chizat et al. 2018 (arXiv 1607.05816): a token without a counterpart may be left where it is. A
    large ``rho`` (above 0, in units of the cost) comes to :func:`sinkhorn`.
    """
    return _scaled(cost, log_a, log_b, eps, iterations, power=rho / (rho + eps))


def _scaled(cost: Tensor, log_a: Tensor, log_b: Tensor, eps: float, iterations: int, power: float) -> Tensor:
    log_a, log_b = _wide(log_a), _wide(log_b)
    kernel = _wide(cost) / -eps
    columns = torch.zeros_like(log_b).masked_fill(log_b.isneginf(), float("-inf"))
    rows = torch.zeros_like(log_a)
    for _ in range(iterations):
        rows = power * (log_a - torch.logsumexp(kernel + columns[..., None, :], -1))
        columns = power * (log_b - torch.logsumexp(kernel + rows[..., None], -2))
    return (kernel + rows[..., None] + columns[..., None, :]).exp()


def ipot(cost: Tensor, log_a: Tensor, log_b: Tensor, eps: float, iterations: int) -> Tensor:
    """The plan of exact transport, approached by proximal steps, of which each is one update of rows and columns.

    IPOT (Xie et al. 2018, arXiv 1802.04307, algorithm 1 with L = 1); its ``beta`` is ``eps``. Arguments and result are
    those of :func:`sinkhorn`; ChenRocks/UNITER aligns tokens by ``eps=0.5, iterations=50``.
    """
    log_a, log_b, kernel = _wide(log_a), _wide(log_b), _wide(cost) / -eps
    rows_there, there = log_a.isfinite(), log_b.isfinite()
    columns = torch.zeros_like(log_b).masked_fill(~there, float("-inf"))
    columns = columns - there.sum(-1, keepdim=True).log()
    plan = torch.zeros_like(kernel)
    for _ in range(iterations):
        step = kernel + plan
        rows = (log_a - torch.logsumexp(step + columns[..., None, :], -1)).where(rows_there, log_a)
        columns = (log_b - torch.logsumexp(step + rows[..., None], -2)).where(there, log_b)
        plan = step + rows[..., None] + columns[..., None, :]
    return plan.exp()


def plan_entropy(plan: Tensor) -> Tensor:
    """The entropy of each plan in nats, ``(...,)`` of ``(..., n, m)``, of what it moves as shares of all it moves.

    It is ``log(n)`` where each of ``n`` equal tokens goes to one other, ``log(n * m)`` where all goes everywhere.
    """
    shares = plan / plan.sum((-2, -1), keepdim=True)
    return -torch.xlogy(shares, shares).sum((-2, -1))


def marginal_error(plan: Tensor, log_a: Tensor, log_b: Tensor) -> Tensor:
    """How far rows and columns of each plan are from their weights: the sum of absolute differences, ``(...,)``."""
    rows, columns = plan.sum(-1) - _wide(log_a).exp(), plan.sum(-2) - _wide(log_b).exp()
    return rows.abs().sum(-1) + columns.abs().sum(-1)


def _wide(values: Tensor) -> Tensor:
    return values.to(torch.promote_types(values.dtype, torch.float32))
