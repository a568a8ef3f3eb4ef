"""Models that others have trained, copied into a run: as starts, or as rankers that are scored beside the run's own."""

import shutil
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.digest import file_digest
from switchrank.core.json_files import write_json
from switchrank.models.folder import START_RECORD, TOKENIZER_FILES, TRAINING_RECORD
from switchrank.models.origin import origin_of
from switchrank.models.pretrained import CPU, open_both
from switchrank.models.writing import save_model


def copy_model(name: str | Path, folder: Path, *, new_head: bool) -> dict[str, Any]:
    """Write the model and tokenizer that :func:`switchrank.models.pretrained.open_both` opens into ``folder``.

    Returns what records say of where it comes from (:func:`switchrank.models.origin.origin_of`).
    """
    opened, tokenizer = open_both(name, device=CPU, new_head=new_head)
    usual = all(Path(name, file).is_file() for file in TOKENIZER_FILES)
    save_model(opened, folder, Path(name) if usual else None)
    if not usual:
        tokenizer.save_pretrained(folder)
    return origin_of(name)


def copy_ranker(*, model: str | Path, out: str | Path, overwrite: bool = False) -> dict[str, Any]:
    """Write a folder with a finished cross-encoder as it is, and ``start.json``: its name, licence and files' digests.

    ``model`` is a folder or hub name; ``overwrite`` replaces an older ``out`` whatever it holds. Raises UserError for
    what is no ranker with one label and a tokenizer, cannot be had, or where ``out`` holds other things.
    """
    with atomic_folder(out, "a finished model", overwrite=overwrite) as folder:
        record = copy_model(model, folder, new_head=False)
        if Path(model, TRAINING_RECORD).is_file():  # how long the pairs were that it was trained on
            shutil.copyfile(Path(model, TRAINING_RECORD), folder / TRAINING_RECORD)
        record["digests"] = {file.name: file_digest(file) for file in sorted(folder.iterdir())}
        write_json(folder / START_RECORD, record)
    return record
