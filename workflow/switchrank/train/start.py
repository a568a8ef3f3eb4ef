"""The starting checkpoint of a run: the same bytes for every system, so that only training data differ.

Nothing heavy is imported at the top, so that the command's help is quick.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.seeds import derive_seed

INITS = ("mimetic", "vectors")


def build_start(
    *,
    out: str | Path,
    tokenizer: str | Path | None = None,
    model: str | Path | None = None,
    preset: str | Mapping[str, Any] = "tiny",
    init: Sequence[str] | None = None,
    vectors: Mapping[str, str | Path] | None = None,
    vectors_share: float = 1.0,
    seed: int = 1,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a folder with tokenizer, config, initial weights and ``start.json`` (what was done).

    A small BERT over a tokenizer of yours, or an existing model.

      mimetic   query and key weights start equal, value times output near minus identity (arXiv 2305.09828):
                without it a small model from scratch hardly learns to match words
      vectors   word embeddings start from aligned word vectors: translations start close together

    Args:
        out: folder to write.
        tokenizer: folder of a tokenizer: make a small model over it.
        model: folder or hub name of a model to start from, with a new head of one output where it has none.
        preset: tiny or small; or a mapping of BERT config values.
        init: mimetic, vectors (default: both that can be had), done in that order.
        vectors: aligned vector stores.
        vectors_share: their share of the norm of a word embedding.
        seed: of the weights.
        overwrite: replace the folder whatever it holds.

    Raises:
        UserError: both or neither of tokenizer and model, an unknown preset or init, a model that cannot be had;
            ``out`` holds other things.
    """
    import torch

    if (tokenizer is None) == (model is None):
        problem = "none of them given" if model is None else "both given"
        raise UserError("switchrank train start", "--tokenizer, --model", problem, "choose one; see --help")
    torch.manual_seed(derive_seed(seed, "start"))
    with atomic_folder(out, "a starting model", overwrite=overwrite) as folder:
        if tokenizer is None:
            from switchrank.models.finished import copy_model

            record = copy_model(str(model), folder, new_head=True)
        else:
            from switchrank.train.scratch import make_model

            possible = INITS if vectors else INITS[:1]
            named = list(possible if init is None else init)
            record = make_model(Path(tokenizer), folder, preset, named, vectors or {}, vectors_share)
        record["seed"] = seed
        write_json(folder / "start.json", record)
    return record
