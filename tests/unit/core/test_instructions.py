"""What instruction sets a run says it was made with."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
import threadpoolctl
import torch
from tests.conftest import ROOT

from switchrank.core.instructions import kernels, processor
from switchrank.run.provenance import write_provenance

TOLD = "import json, switchrank.core.instructions as made; print(json.dumps([made.processor(), made.kernels()]))"
on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="these variables are about x86")


def told(**environment: str) -> tuple[dict, dict]:
    done = subprocess.run(
        [sys.executable, "-c", TOLD], env=os.environ | environment, capture_output=True, text=True, check=True
    )
    processor_, kernels_ = json.loads(done.stdout)
    return processor_, kernels_


def test_a_processor_is_told_by_what_torch_uses_of_it():
    found = processor()
    assert found["architecture"] == platform.machine()
    assert found["torch"] == torch.backends.cpu.get_cpu_capability()
    assert found["instructions"].split() == sorted(set(found["instructions"].split()))


@on_x86
def test_instructions_that_are_forbidden_show_and_so_does_what_forbids_them():
    limited, chosen = told(ATEN_CPU_CAPABILITY="default", OPENBLAS_CORETYPE="Nehalem")
    assert limited["torch"] == "DEFAULT"
    assert limited["limits"] == {"ATEN_CPU_CAPABILITY": "default", "OPENBLAS_CORETYPE": "Nehalem"}
    assert chosen["openblas of numpy"] == "Nehalem"
    assert processor()["limits"] == {name: os.environ[name] for name in limited["limits"] if name in os.environ}


def test_every_library_that_chooses_for_itself_is_named():
    assert "faiss" in kernels()
    if "linux" in sys.platform:
        assert {"openblas of numpy", "openblas of scipy"} <= kernels().keys()


@pytest.mark.parametrize(
    ("able", "expected"),
    [
        (lambda: {"arm_neon": True, "arm_sve": False, "l2_cache_size": 1 << 20, "cpu_name": "Neoverse"}, "arm_neon"),
        (lambda: {}, ""),
    ],
)
def test_other_architectures_are_told_too(able, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", able)
    assert processor()["instructions"] == expected


def test_a_torch_that_cannot_tell_is_no_failure(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities")
    assert processor()["instructions"] == ""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("/a/site-packages/numpy.libs/libscipy_openblas64_-3.so", "numpy"),
        ("/a/site-packages/scipy/.dylibs/libopenblas.0.dylib", "scipy"),
        ("/opt/conda/lib/libopenblasp-r0.3.so", "libopenblasp-r0"),
    ],
)
def test_a_library_is_named_by_its_package_and_not_by_its_folder(path, owner, monkeypatch):
    blas = {"internal_api": "openblas", "filepath": path, "architecture": "armv8"}
    unknown = {"internal_api": "openmp", "filepath": "/a/libgomp.so"}
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: [blas, unknown])
    found = {name: kernel for name, kernel in kernels().items() if name != "faiss"}
    assert found == {f"openblas of {owner}": "armv8"}


def test_provenance_holds_them_and_names_neither_machine_nor_folder(tmp_path):
    write_provenance(config={"run": "made-up"}, out=tmp_path / "provenance.json")
    text = Path(tmp_path, "provenance.json").read_text()
    made = json.loads(text)["processor"]
    assert made == processor() | {"kernels": kernels()}
    assert not re.search(rf"\b{re.escape(platform.node())}\b", text)
    assert not any(part in text for part in (str(Path.home()), str(ROOT), sys.prefix, "site-packages"))
