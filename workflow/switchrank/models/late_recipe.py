"""What makes token vectors besides an encoder, and the files in which sentence-transformers 6 says so.

``sentence_transformers.MultiVectorEncoder`` opens them. Its modules are an encoder, a projection of token states, a
mask of tokens that are not scored, and a normalisation.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.models.folder import MODULES, check_safetensors, module_folders, read_object
from switchrank.models.recipe import KINDS, Kind

MARKERS: dict[Kind, str] = {"query": "[Q] ", "document": "[D] "}
"""What is put before texts; each is one added token (Khattab and Zaharia 2020, arXiv 2004.12832, section 3.2)."""
_BASE, _OWN = "sentence_transformers.base.modules", "sentence_transformers.multi_vector_encoder.modules"
_CLASSES = {
    "Transformer": f"{_BASE}.transformer.Transformer",
    "Dense": f"{_BASE}.dense.Dense",
    "MultiVectorMask": f"{_OWN}.multi_vector_mask.MultiVectorMask",
    "Normalize": f"{_BASE}.normalize.Normalize",
}
"""The kinds of modules in their order, and where their classes are."""
_PLACES = dict(zip(_CLASSES, ("", "1_Dense", "2_MultiVectorMask", "3_Normalize"), strict=True))
_TRANSFORMER, _SETTINGS = "sentence_bert_config.json", "config_sentence_transformers.json"
_WEIGHTS, _WEIGHT = "model.safetensors", "linear.weight"
_TOKENS = {"module_input_name": "token_embeddings", "module_output_name": "token_embeddings"}
_OLDEST = "6.0.0"
"""The first version of sentence-transformers that has this kind of model."""


@dataclass(frozen=True)
class LateRecipe:
    """How texts become token vectors.

    Attributes:
        dimensions: of a vector.
        prompts: what is put before a text, by its kind.
        lengths: tokens of a text that are read, special ones and the prompt included; all that the model can, of a
            kind that is left out.
        skipped: pieces of documents that have no vector, such as punctuation.
    """

    dimensions: int
    prompts: Mapping[Kind, str]
    lengths: Mapping[Kind, int]
    skipped: tuple[str, ...] = ()


def read_late_recipe(model: str | Path) -> LateRecipe:
    """The recipe of a folder of ``MultiVectorEncoder``.

    Raises UserError for another folder or a hub name, and for what makes token vectors in another way, such as by
    queries that are filled up with mask tokens.
    """
    folder = Path(model)
    kinds = module_folders(folder)
    if "MultiVectorMask" not in kinds:
        problem = "an encoder with one vector for each text" if "Pooling" in kinds else "no vector for each token"
        todo = "give a folder that sentence_transformers.MultiVectorEncoder opens, or train one (switchrank train late)"
        raise UserError(model, MODULES, problem, todo)
    if list(kinds) != list(_CLASSES):
        problem = f"the modules {', '.join(kinds)}, which cannot be opened"
        raise UserError(folder, MODULES, problem, f"give a model of {', '.join(_CLASSES)}")
    transformer, settings = read_object(folder / _TRANSFORMER), read_object(folder / _SETTINGS)
    dense, mask = (read_object(folder / kinds[kind] / "config.json") for kind in ("Dense", "MultiVectorMask"))
    plain = dense.get("bias") is False and str(dense.get("activation_function")).endswith(".Identity")
    for strange, problem in (
        (transformer.get("query_expansion"), "queries are filled up with tokens of their own (query_expansion)"),
        (transformer.get("do_lower_case"), "do_lower_case, which is not done"),
        (not plain or dense.get("use_residual"), "a projection that is not linear, or has a bias"),
        (mask.get("keep_only_token_ids") or mask.get("skiplist_tasks") != ["document"], "a mask of another kind"),
        (settings.get("similarity_fn_name") not in (None, "maxsim"), "scores that are no MaxSim"),
    ):
        if strange:
            raise UserError(folder, MODULES, problem, "give a model that switchrank train late has written")
    prompts = settings.get("prompts") or {}
    lengths = {kind: transformer.get(f"{kind}_length") for kind in KINDS}
    return LateRecipe(
        dimensions=int(dense["out_features"]),
        prompts={kind: str(prompts[kind]) for kind in KINDS if prompts.get(kind)},
        lengths={kind: int(length) for kind, length in lengths.items() if length},
        skipped=tuple(map(str, mask.get("skiplist_words") or ())),
    )


def write_late_recipe(recipe: LateRecipe, folder: Path, projection: Any) -> None:
    """Write the files from which sentence-transformers takes a recipe and a projection, ``(dimensions, width)``."""
    from safetensors.torch import save_file

    modules = [
        {"idx": number, "name": str(number), "path": _PLACES[kind], "type": place}
        for number, (kind, place) in enumerate(_CLASSES.items())
    ]
    write_json(folder / MODULES, modules)
    dense = {"in_features": projection.shape[1], "out_features": projection.shape[0], "bias": False, **_TOKENS}
    configs: dict[str, dict[str, Any]] = {
        "Dense": dense | {"activation_function": "torch.nn.modules.linear.Identity"},
        "MultiVectorMask": {"skiplist_words": list(recipe.skipped), "skiplist_tasks": ["document"]},
        "Normalize": _TOKENS,
    }
    for kind, config in configs.items():
        (folder / _PLACES[kind]).mkdir()
        write_json(folder / _PLACES[kind] / "config.json", config)
    tensors = {_WEIGHT: projection.detach().float().cpu().contiguous()}
    save_file(tensors, folder / _PLACES["Dense"] / _WEIGHTS, metadata={"format": "pt"})
    write_json(folder / _TRANSFORMER, {f"{kind}_length": recipe.lengths[kind] for kind in KINDS})
    prompts = {kind: recipe.prompts.get(kind, "") for kind in KINDS}
    told = {"model_type": "MultiVectorEncoder", "prompts": prompts, "similarity_fn_name": "maxsim"}
    write_json(folder / _SETTINGS, {"__version__": {"sentence_transformers": _OLDEST}, **told})


def read_projection(model: str | Path, recipe: LateRecipe, width: int) -> Any:
    """The projection of a folder whose recipe was read, float32 ``(dimensions, width)``.

    Raises UserError for a damaged one.
    """
    from safetensors.torch import load_file

    place = _PLACES["Dense"]
    folder = Path(model) / module_folders(Path(model)).get("Dense", place)
    check_safetensors(folder / _WEIGHTS)
    found = load_file(folder / _WEIGHTS).get(_WEIGHT)
    if found is None or tuple(found.shape) != (recipe.dimensions, width):
        held = "missing" if found is None else str(tuple(found.shape))
        problem = f"{_WEIGHT} is {held} where its config says {(recipe.dimensions, width)}"
        raise UserError(folder, _WEIGHTS, problem, "fetch the model again, or train it again")
    return found.float()
