"""Transplanting: a model trained on the source language gets embeddings for the words of other languages."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.json_files import write_json


def transplant_embeddings(
    *, model: str | Path, lexicons: Mapping[str, str | Path], out: str | Path, overwrite: bool = False
) -> dict[str, Any]:
    """Copy a model; pieces of target-language words only start from the mean of their translations' pieces.

    After WECHSEL (Minixhofer et al. 2022, arXiv 2112.06598), with a bilingual lexicon in place of subword similarities.
    A translation of rank r weighs 1 / r. The result is what ``start.json`` holds.

    Args:
        model: folder of a model trained on the source language, its tokenizer covering the target languages.
        lexicons: source-to-target lexicons.
        out: folder to write.
        overwrite: replace the folder whatever it holds.
    """
    import numpy as np
    import polars as pl
    import torch

    from switchrank.formats.tables import LEXICON, read_table
    from switchrank.models.origin import inherited
    from switchrank.models.pretrained import CPU, open_both
    from switchrank.models.writing import save_model
    from switchrank.train.embeddings import cutter, translated_rows

    opened, tokenizer = open_both(model, device=CPU)
    weights, cut = opened.get_input_embeddings().weight, cutter(tokenizer)
    old = weights.detach().numpy()
    frame = pl.concat([read_table(path, LEXICON) for _, path in sorted(lexicons.items())])
    sources, targets = cut(frame["source"].to_list()), cut(frame["target"].to_list())
    known = np.zeros(len(old), bool)
    known[[number for ids in sources for number in ids]] = True
    new, found = translated_rows(old, sources, targets, frame["rank"].to_numpy(), len(old))
    found &= ~known
    with torch.no_grad():
        weights.copy_(torch.from_numpy(np.where(found[:, None], new, old).astype(np.float32)))
    replaced = {"init": ["transplant"], "languages": sorted(lexicons), "replaced": int(found.sum())}
    record = inherited(Path(model)) | replaced
    with atomic_folder(out, "a transplanted model", overwrite=overwrite) as folder:
        save_model(opened, folder, Path(model))
        write_json(folder / "start.json", record)
    return record
