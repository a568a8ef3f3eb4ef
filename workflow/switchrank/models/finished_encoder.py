"""Encoders that others have trained, copied into a run as dual encoders that are scored beside the run's own."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import file_digest
from switchrank.core.json_files import write_json
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.folder import START_RECORD
from switchrank.models.origin import origin_of
from switchrank.models.recipe import Kind


def copy_encoder(
    *, model: str | Path, out: str | Path, prompts: Mapping[Kind, str] | None = None, overwrite: bool = False
) -> dict[str, Any]:
    """Write a folder with a finished encoder as it is, and ``start.json``: its name, licence and files' digests.

    Vectors are made as its folder says, or by the mean of all states where it says nothing; ``prompts`` are for a
    folder that has none. ``overwrite`` replaces an older ``out`` whatever it holds.

    Raises UserError for what encodes no single text, cannot be had, or where ``out`` holds other things.
    """
    encoder = DualEncoder.open(model)
    if prompts and not encoder.recipe.prompts:
        encoder.recipe = replace(encoder.recipe, prompts=dict(prompts))
    record = origin_of(model)
    with atomic_folder(out, "a finished model", overwrite=overwrite) as folder:
        encoder.write(folder, origin=record, name=str(record["model"]))
        record["digests"] = {file.name: file_digest(file) for file in sorted(folder.iterdir()) if file.is_file()}
        write_json(folder / START_RECORD, record)
    return record
