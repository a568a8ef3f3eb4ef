"""Convert one file of pickled weights to safetensors; run as a program, in a process that may do nothing else.

``python -m switchrank.models.unpickle SOURCE TARGET`` says why it refuses a file, with exit code 3. The pickle is read
by torch's restricted reader (``weights_only``). Should that fail to hold, the process has no network and may not write,
start or look up anything.
"""

import ctypes
import os
import pickle
import re
import resource
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

EXIT_REFUSED = 3
_NEW_NETWORK, _NEW_USER = 0x40000000, 0x10000000
_DENIED = (
    "socket.", "subprocess.", "pty.", "ftplib.", "urllib.", "http.", "smtplib.", "shutil.", "pickle.find_class",
    "os.system", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.startfile", "os.kill", "os.putenv",
    "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "os.chown",
    "ctypes.dlopen", "ctypes.dlsym",
)  # fmt: skip
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_MEMORY = 4
"""Memory that reading may take, in sizes of the file, beside what the process has already."""
_SPARE_MEMORY = 1 << 30


class _Refused(Exception):
    """The file is not weights."""


def main(source: Path, target: Path) -> int:
    if sys.platform == "linux":  # leave the network, where the system lets a process
        library = ctypes.CDLL(None)
        if library.unshare(_NEW_NETWORK) != 0:
            library.unshare(_NEW_NETWORK | _NEW_USER)
    usage = Path("/proc/self/statm")
    if usage.is_file():  # bound the address space, so that a file cannot unfold into more than it can need
        now = int(usage.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = now + _MEMORY * source.stat().st_size + _SPARE_MEMORY
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (most if hard < 0 else min(most, hard), hard))
    sys.addaudithook(_deny)
    try:
        _convert(source, target)
    except _Refused as refusal:
        print(refusal)
        return EXIT_REFUSED
    return 0


def _deny(event: str, arguments: tuple[Any, ...]) -> None:
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITING
    if writes or event.startswith(_DENIED):
        raise PermissionError(f"{event} is not allowed while weights are converted")


def _convert(source: Path, target: Path) -> None:
    weights = _read(source)
    try:
        save_file(weights, target, metadata={"format": "pt"})
        written = load_file(target)
    except (SafetensorError, ValueError, LookupError, RuntimeError, OSError, MemoryError) as error:
        raise _Refused(f"cannot be written as safetensors ({_first_line(error)})") from error
    for name, tensor in weights.items():
        other = written[name]
        alike = tensor.dtype == other.dtype and tensor.shape == other.shape
        if not (alike and torch.equal(*(one.reshape(-1).view(torch.uint8) for one in (tensor, other)))):  # NaN is NaN
            raise _Refused(f"{name} changed on the way")


def _read(source: Path) -> dict[str, torch.Tensor]:
    """The tensors of a pickle by name, contiguous; those that share memory (tied weights) each get a copy."""
    try:
        loaded = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _Refused(_unpickling_problem(error)) from error
    except Exception as error:  # the reader of a damaged file fails in as many ways as there are damages
        raise _Refused(f"damaged, or no weights ({_first_line(error)})") from error
    if not isinstance(loaded, Mapping) or not loaded:
        raise _Refused(f"holds {type(loaded).__name__}, not weights by name")
    weights: dict[str, torch.Tensor] = {}
    memory: set[int] = set()
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor) or tensor.layout is not torch.strided:
            raise _Refused(f"{str(name)[:80]!r} is {type(tensor).__name__}, not a dense tensor")
        place = tensor.untyped_storage().data_ptr()
        weights[name] = tensor.detach().clone(memory_format=torch.contiguous_format) if place in memory else tensor
        weights[name] = weights[name].detach().contiguous()
        memory.add(place)
    return weights


def _unpickling_problem(error: Exception) -> str:
    found = re.search(r"GLOBAL ([\w.]+)", str(error))
    if found:
        return f"refused: it asks for {found[1]}, which no weights need"
    said = re.search(r"WeightsUnpickler error: ([^\n]{1,200})", str(error))
    return f"damaged, or more than weights ({said[1].strip() if said else type(error).__name__})"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
