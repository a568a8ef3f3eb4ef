"""AdamW, its learning rate as a function of the step, and one optimiser step."""

from itertools import chain
from typing import Any

import torch
from torch.optim.adamw import adamw

from switchrank.train.settings import Settings

EPSILON = 1e-6
_BETAS = (0.9, 0.999)
_SWITCHES = {"fused": True, "amsgrad": False, "maximize": False}
_OPTIONS: dict[str, Any] = {"beta1": _BETAS[0], "beta2": _BETAS[1], "eps": EPSILON} | _SWITCHES
_MOMENTS = ("exp_avg", "exp_avg_sq", "step")


class FusedAdamW:
    """:class:`torch.optim.AdamW` with ``fused=True``, on a CPU: the same steps, groups and state.

    Making a :class:`torch.optim.Optimizer` imports torch's compiler, which takes longer than a short training.
    """

    def __init__(self, groups: list[dict[str, Any]], *, lr: float) -> None:
        self.param_groups = [{**group, "lr": lr} for group in groups]
        self.state: dict[torch.Tensor, dict[str, torch.Tensor]] = {}

    @torch.no_grad()
    def step(self) -> None:
        for group in self.param_groups:
            moved = [parameter for parameter in group["params"] if parameter.grad is not None]
            for parameter in moved:
                if parameter not in self.state:
                    moments = {name: torch.zeros_like(parameter) for name in _MOMENTS[:2]}
                    self.state[parameter] = {"step": torch.zeros((), dtype=torch.float32), **moments}
            states = [self.state[parameter] for parameter in moved]
            means, squares, steps = ([state[name] for state in states] for name in _MOMENTS)
            gradients = [parameter.grad for parameter in moved]
            options = _OPTIONS | {name: group[name] for name in ("lr", "weight_decay")}
            adamw(moved, gradients, means, squares, [], steps, **options)

    def zero_grad(self, *, set_to_none: bool = True) -> None:
        assert set_to_none
        for parameter in parameters_of(self):
            parameter.grad = None


Optimiser = torch.optim.AdamW | FusedAdamW


def parameters_of(optimiser: Optimiser) -> list[torch.Tensor]:
    """The parameters that are stepped, in the order of their groups."""
    return list(chain.from_iterable(group["params"] for group in optimiser.param_groups))


def make_optimiser(model: torch.nn.Module, settings: Settings) -> Optimiser:
    """AdamW without weight decay on vectors (biases and layer norms), epsilon 1e-6, betas 0.9 and 0.999."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if all(parameter.device.type == "cpu" for parameter in trained):
        return FusedAdamW(groups, lr=settings.lr)
    return torch.optim.AdamW(groups, lr=settings.lr, betas=_BETAS, eps=EPSILON, fused=True)


def learning_rate(step: int, settings: Settings) -> float:
    """Learning rate of a step counted from 0: linear from 0 up to ``lr``, then linear down to 0 at ``falls_to``."""
    warmup = settings.warmup_steps
    if step < warmup:
        return settings.lr * step / warmup
    return settings.lr * (settings.falls_to - step) / max(1, settings.falls_to - warmup)


def apply_gradients(
    model: torch.nn.Module, optimiser: Optimiser, scaler: torch.amp.GradScaler, lr: float, clip: float
) -> None:
    """Clip, step, and drop the gradients."""
    for group in optimiser.param_groups:
        group["lr"] = lr
    scaled: Any = optimiser
    if clip:
        scaler.unscale_(scaled)
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    scaler.step(scaled)
    scaler.update()
    optimiser.zero_grad(set_to_none=True)
