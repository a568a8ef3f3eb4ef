"""One optimiser step: how fast it is taken, how far at most, what decays, and that nothing of it is left over."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from switchrank.models.pretrained import open_both
from switchrank.train.checkpoint import optimiser_tensors, restore_optimiser
from switchrank.train.optimiser import EPSILON, AdamW, apply_gradients, learning_rate, make_optimiser
from switchrank.train.settings import Settings, parse_settings

OFF = torch.amp.GradScaler("cpu", enabled=False)


def test_the_learning_rate_rises_and_falls_in_straight_lines():
    settings = parse_settings({"steps": 10, "lr": 1.0, "warmup": 0.2}, Settings)
    rates = [learning_rate(step, settings) for step in range(10)]
    assert rates == pytest.approx([0, 0.5, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])


def test_a_longer_schedule_ends_at_the_published_share_of_the_peak():
    published = {"steps": 200_000, "schedule_steps": 312_500, "warmup": 5_000, "lr": 1.0}
    settings = parse_settings(published, Settings)
    # 312,500 - 5,000 steps of falling; 112,500 of them are left after step 200,000
    assert learning_rate(200_000, settings) == pytest.approx(112_500 / 307_500)
    assert learning_rate(199_999, settings) == pytest.approx(0.366, abs=5e-4)
    assert learning_rate(2_500, settings) == 0.5
    usual = parse_settings(published | {"schedule_steps": None}, Settings)
    assert learning_rate(199_999, usual) == pytest.approx(1 / 195_000)


@pytest.mark.parametrize("warmup", [0, 0.1, 999])
def test_the_learning_rate_falls_to_nothing(warmup):
    settings = parse_settings({"steps": 1000, "lr": 0.5, "warmup": warmup}, Settings)
    decaying = 1000 - settings.warmup_steps
    assert learning_rate(999, settings) == pytest.approx(0.5 / decaying)
    assert learning_rate(1000, settings) == 0


def test_biases_and_layer_norms_do_not_decay(start_folder):
    model = open_both(start_folder)[0]
    decayed, spared = make_optimiser(model, parse_settings({}, Settings)).param_groups
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert (decayed["weight_decay"], spared["weight_decay"]) == (0.01, 0.0)
    assert all("bias" in names[id(p)] or "LayerNorm" in names[id(p)] for p in spared["params"])
    assert not any("bias" in names[id(p)] or "LayerNorm" in names[id(p)] for p in decayed["params"])


def stepped(gradients, *, clip=0.0, rates=None):
    """Two weights that start at 0 after AdamW steps along some gradients; the optimiser, the model."""
    model = torch.nn.Linear(2, 1, bias=False)
    torch.nn.init.zeros_(model.weight)
    optimiser = make_optimiser(model, parse_settings({"lr": 0.1, "weight_decay": 0.0}, Settings))
    for gradient, rate in zip(gradients, rates or [0.1] * len(gradients), strict=True):
        (model.weight * torch.tensor([gradient])).sum().backward()
        apply_gradients(model, optimiser, OFF, rate, clip)
    return model, optimiser


def first_moment(optimiser):
    """Adam's mean of the gradients it was given, divided by what a single step weighs (1 - beta1 = 0.1)."""
    (state,) = optimiser.state.values()
    return (state["exp_avg"] / 0.1).squeeze().tolist()


@pytest.mark.parametrize(
    ("clip", "given"),
    [
        (0.0, [3.0, 4.0]),
        (1.0, [0.6, 0.8]),
        (2.5, [1.5, 2.0]),
        (5.1, [3.0, 4.0]),
    ],
)
def test_a_gradient_longer_than_the_limit_is_cut_to_it(clip, given):
    _, optimiser = stepped([[3.0, 4.0]], clip=clip)
    assert first_moment(optimiser) == pytest.approx(given, rel=1e-5)


def test_a_step_leaves_no_gradient_to_the_next():
    model, optimiser = stepped([[3.0, 4.0], [0.0, 0.0]])
    assert model.weight.grad is None
    assert first_moment(optimiser) == pytest.approx([0.9 * 3.0, 0.9 * 4.0])


def test_every_step_is_taken_at_its_own_learning_rate():
    # Under one gradient throughout, a step of Adam is as long as the learning rate.
    model, _ = stepped([[1.0, -1.0]] * 3, rates=[0.0, 0.5, 0.25])
    assert model.weight.squeeze().tolist() == pytest.approx([-0.75, 0.75], rel=1e-4)


def trained(optimiser_of, steps: int, kept=None):
    """A layer and its optimiser after some steps, in the last of which the bias has no gradient."""
    torch.manual_seed(3)
    layer = torch.nn.Linear(70, 3)
    groups = [
        {"params": [layer.weight], "weight_decay": 0.1},
        {"params": [layer.bias], "weight_decay": 0.0},
    ]
    optimiser = optimiser_of(groups)
    if kept is not None:
        layer.load_state_dict(kept["layer"])
        restore_optimiser(optimiser, kept["state"])
    for step in range(kept["step"] if kept else 0, steps):
        inputs = torch.randn(9, 70, generator=torch.Generator().manual_seed(step))
        layer(inputs).square().mean().backward()
        if step == steps - 1:
            layer.bias.grad = None
        for group in optimiser.param_groups:
            group["lr"] = 0.1 / (step + 1)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    return layer, optimiser


def torchs(groups, kind=torch.optim.AdamW):
    return kind(groups, lr=0.1, betas=(0.9, 0.999), eps=EPSILON, fused=True)


def ours(groups):
    return torchs(groups, AdamW)


def test_steps_on_a_cpu_are_those_of_torchs_own_adamw_bit_by_bit():
    (mine, own), (stock, other) = trained(ours, 7), trained(torchs, 7)
    assert torch.equal(mine.weight, stock.weight)
    assert torch.equal(mine.bias, stock.bias)
    one, two = optimiser_tensors(own), optimiser_tensors(other)
    assert (one["0.step"].item(), one["1.step"].item()) == (7.0, 6.0)
    assert one.keys() == two.keys()
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize("first", [ours, torchs])
def test_state_that_either_kept_is_gone_on_with_by_the_other(first):
    second = torchs if first is ours else ours
    layer, optimiser = trained(first, 4)
    kept = {"layer": layer.state_dict(), "state": optimiser_tensors(optimiser), "step": 4}
    resumed, _ = trained(second, 7, kept)
    whole, after = trained(torchs, 4)
    straight, _ = trained(torchs, 7, {"layer": whole.state_dict(), "state": optimiser_tensors(after), "step": 4})
    assert torch.equal(resumed.weight, straight.weight)
    assert torch.equal(resumed.bias, straight.bias)


def test_a_first_optimiser_imports_no_compiler():
    code = "import sys, torch, switchrank.train.optimiser as o; layer = torch.nn.Linear(2, 2)"
    code += "; layer.bias.grad = torch.ones(2)"
    code += "; made = o.make_optimiser(layer, o.Settings(steps=1)); made.step(); made.zero_grad()"
    code += "; print('torch._dynamo' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
