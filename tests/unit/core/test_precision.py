"""What precision ``auto`` means, decided by what a device has and how wide a model is."""

import pytest
import torch

from switchrank.core.precision import find_precision

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def cpu_has(monkeypatch, *units):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: dict.fromkeys(units, True))


@pytest.mark.parametrize(
    ("units", "width", "found", "why"),
    [
        (["avx512_bf16"], 384, "bf16", "this CPU has avx512_bf16"),
        (["avx512_bf16", "amx_bf16"], None, "bf16", "this CPU has avx512_bf16 and amx_bf16"),
        (["avx512_bf16"], 64, "bf16", "this CPU has avx512_bf16"),
        (["avx512_bf16"], 32, "fp32", "a model of width 32 gains nothing from bf16"),
        ([], 384, "fp32", "this CPU has neither avx512_bf16 nor amx_bf16"),
    ],
)
def test_auto_on_a_cpu_goes_by_its_units_and_the_width_of_the_model(monkeypatch, capsys, units, width, found, why):
    cpu_has(monkeypatch, *units)
    assert find_precision("auto", CPU, width) == found
    assert capsys.readouterr().err == f"precision auto: {found}, since {why}\n"


@pytest.mark.parametrize(("able", "found", "has"), [(True, "bf16", "has"), (False, "fp16", "lacks")])
def test_auto_on_a_gpu_goes_by_its_bf16(monkeypatch, capsys, able, found, has):
    monkeypatch.setattr(
        torch.cuda, "is_bf16_supported", lambda *, including_emulation: able and not including_emulation
    )
    assert find_precision("auto", GPU, 32) == found
    assert capsys.readouterr().err == f"precision auto: {found}, since this GPU {has} bf16\n"


@pytest.mark.parametrize("wanted", ["fp32", "fp16", "bf16"])
def test_what_is_asked_for_is_kept_and_emulated_bf16_is_said(monkeypatch, capsys, wanted):
    cpu_has(monkeypatch)
    assert find_precision(wanted, CPU) == wanted
    said = "precision bf16: slow, since this CPU has neither avx512_bf16 nor amx_bf16: write auto or fp32\n"
    assert capsys.readouterr().err == (said if wanted == "bf16" else "")
    cpu_has(monkeypatch, "avx512_bf16")
    find_precision(wanted, CPU)
    assert capsys.readouterr().err == ""


def test_bf16_that_a_gpu_lacks_is_kept_and_said(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda *, including_emulation: including_emulation)
    assert find_precision("bf16", GPU) == "bf16"
    assert capsys.readouterr().err == "precision bf16: slow, since this GPU lacks bf16: write auto or fp32\n"
