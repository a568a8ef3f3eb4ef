"""Which instruction sets a run was computed with: they decide, beside config, threads and precision, how sums round.

Only names of processors and instructions: no name of a machine, no path.
"""

import os
import platform
from importlib import import_module, util
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_LIMITS = (
    "ATEN_CPU_CAPABILITY",
    "DNNL_MAX_CPU_ISA",
    "FAISS_OPT_LEVEL",
    "FAISS_SIMD_LEVEL",
    "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS",
    "NPY_DISABLE_CPU_FEATURES",
    "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)
"""Variables by which a library uses fewer instructions than the processor has."""
_BLAS_USERS = ("faiss", "numpy", "scipy.linalg")
"""Packages that may bring an OpenBLAS of their own."""


def processor() -> dict[str, Any]:
    """The processor as torch sees it: ``architecture``; ``name`` and ``instructions`` where they are known; ``torch``,
    the set that its own kernels use; ``limits``, the variables set that forbid some to oneDNN and MKL."""
    import torch

    try:
        able = torch.cpu.get_capabilities()
    except (AttributeError, RuntimeError):  # a torch without it, or a processor that it cannot tell
        able = {}
    return {
        "architecture": platform.machine(),
        "name": str(able.get("cpu_name", "")) or platform.processor(),
        "instructions": " ".join(sorted(name for name, has in able.items() if has is True)),
        "torch": torch.backends.cpu.get_cpu_capability(),
        "limits": {name: os.environ[name] for name in _LIMITS if name in os.environ},
    }


def computed_on(device: "torch.device") -> dict[str, Any]:
    """The device by its kind or model, and the :func:`processor` beside it."""
    import torch

    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    return {"device": name, "processor": processor()}


def kernels() -> dict[str, str]:
    """What the libraries beside torch chose: ``faiss`` its instruction set, and each OpenBLAS, by who brings it
    (``openblas of numpy``), the processor that its kernels are for. A library that is not there is left out."""
    import threadpoolctl

    for package in _BLAS_USERS:
        if util.find_spec(package.partition(".")[0]):
            import_module(package)
    found = {
        f"openblas of {_owner(Path(blas['filepath']))}": str(blas["architecture"])
        for blas in threadpoolctl.threadpool_info()
        if blas.get("internal_api") == "openblas" and blas.get("architecture")
    }
    if util.find_spec("faiss"):
        import faiss

        if hasattr(faiss, "SIMDConfig"):
            found["faiss"] = str(faiss.SIMDConfig.get_level_name())
    return dict(sorted(found.items()))


def _owner(library: Path) -> str:
    """The package of a shared library, which wheels keep in ``numpy.libs`` or ``numpy/.dylibs``; else its own name."""
    folder = library.parent
    if folder.name == ".dylibs":
        return folder.parent.name
    return folder.name.removesuffix(".libs") if folder.name.endswith(".libs") else library.name.partition(".")[0]
