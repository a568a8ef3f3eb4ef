"""AdamW, its learning rate as a function of the step, and one optimiser step."""

from inspect import unwrap
from itertools import chain

import torch

from switchrank.train.settings import Settings

EPSILON = 1e-6


class AdamW(torch.optim.AdamW):
    """:class:`torch.optim.AdamW` without what imports torch's compiler, which takes longer than a short training."""

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)
    step = torch.no_grad()(unwrap(torch.optim.AdamW.step))


def parameters_of(optimiser: AdamW) -> list[torch.Tensor]:
    """The parameters that are stepped, in the order of their groups."""
    return list(chain.from_iterable(group["params"] for group in optimiser.param_groups))


def make_optimiser(model: torch.nn.Module, settings: Settings) -> AdamW:
    """AdamW without weight decay on vectors (biases and layer norms), epsilon 1e-6, betas 0.9 and 0.999."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return AdamW(groups, lr=settings.lr, betas=(0.9, 0.999), eps=EPSILON, fused=True)


def learning_rate(step: int, settings: Settings) -> float:
    """Learning rate of a step counted from 0: linear from 0 up to ``lr``, then linear down to 0 at ``falls_to``."""
    warmup = settings.warmup_steps
    if step < warmup:
        return settings.lr * step / warmup
    return settings.lr * (settings.falls_to - step) / max(1, settings.falls_to - warmup)


def apply_gradients(
    model: torch.nn.Module, optimiser: AdamW, scaler: torch.amp.GradScaler, lr: float, clip: float
) -> None:
    """Clip, step, and drop the gradients."""
    for group in optimiser.param_groups:
        group["lr"] = lr
    if clip:
        scaler.unscale_(optimiser)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(optimiser)
    scaler.update()
    optimiser.zero_grad(set_to_none=True)
