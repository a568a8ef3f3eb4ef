"""How the vectors of a dual encoder are made besides its weights, and the files in which sentence-transformers says so.

They are written with the module names of its version 2, which all later versions read.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.models.folder import MODULES, is_late_interaction, module_folders, read_object

Kind = Literal["query", "document"]
Pooling = Literal["mean", "cls", "last"]
KINDS: tuple[Kind, ...] = get_args(Kind)
POOLINGS: tuple[Pooling, ...] = get_args(Pooling)
_MODES: dict[Pooling, tuple[str, str]] = {
    "mean": ("mean", "pooling_mode_mean_tokens"),
    "cls": ("cls", "pooling_mode_cls_token"),
    "last": ("lasttoken", "pooling_mode_lasttoken"),
}
"""What a pooling is called by version 6 of sentence-transformers, and by those before."""
_TOLD = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")
"""The modes that all versions know, and are told of; some refuse a folder that has another name in it, even if it is
off."""
_POOLING, _TRANSFORMER = "1_Pooling", "sentence_bert_config.json"
_SETTINGS = "config_sentence_transformers.json"
_NAMES: dict[Kind, tuple[str, ...]] = {"query": ("query",), "document": ("document", "passage", "corpus")}
"""Under which names the prompt of a kind is looked up, as by sentence-transformers."""
_OLDEST = "2.2.0"


@dataclass(frozen=True)
class Recipe:
    """How texts become vectors.

    Attributes:
        pooling: which states of tokens make the vector of a text: the ``mean`` of all, special ones and the prompt
            included; the first (``cls``); or the ``last``.
        normalised: whether vectors have length 1.
        prompts: what is put before a text, by its kind.
        max_length: tokens of a text that are read, special ones and the prompt included; None: all that the model can.
    """

    pooling: Pooling = "mean"
    normalised: bool = True
    prompts: Mapping[Kind, str] = field(default_factory=dict)
    max_length: int | None = None


def read_recipe(model: str | Path) -> Recipe:
    """The recipe of a folder of sentence-transformers; of another folder, or a name on a hub, the usual one.

    Raises UserError for what is made in another way, such as by a further layer.
    """
    folder = Path(model)
    if not (folder / MODULES).is_file():
        return Recipe()
    kinds = module_folders(folder)
    if is_late_interaction(folder):
        problem = "late interaction, which has a vector for each token and none for a text"
        raise UserError(folder, MODULES, problem, "give an encoder that is pooled")
    unknown = sorted(kinds.keys() - {"Transformer", "Pooling", "Normalize"})
    if unknown or not {"Transformer", "Pooling"} <= kinds.keys():
        problem = f"a module {unknown[0]}, which cannot be opened" if unknown else f"only {', '.join(kinds)}"
        raise UserError(folder, MODULES, problem, "give an encoder that is pooled, and no more")
    settings, transformer = (_optional(folder / name) for name in (_SETTINGS, _TRANSFORMER))
    if transformer.get("do_lower_case"):
        raise UserError(
            folder, _TRANSFORMER, "do_lower_case, which is not done", "give an encoder whose tokenizer does it"
        )
    prompts = settings.get("prompts") or {}
    found = {kind: [prompts[name] for name in names if prompts.get(name)] for kind, names in _NAMES.items()}
    return Recipe(
        pooling=_pooling(folder / kinds["Pooling"] / "config.json"),
        normalised="Normalize" in kinds,
        prompts={kind: str(some[0]) for kind, some in found.items() if some},
        max_length=transformer.get("max_seq_length"),
    )


def write_recipe(recipe: Recipe, folder: Path, width: int) -> None:
    """Write the files from which sentence-transformers takes a recipe; ``width`` is that of a vector."""
    kinds = [("Transformer", ""), ("Pooling", _POOLING), *([("Normalize", "2_Normalize")] if recipe.normalised else [])]
    modules = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(kinds)
    ]
    write_json(folder / MODULES, modules)
    modes = {f"pooling_mode_{name}": False for name in _TOLD} | {_MODES[recipe.pooling][1]: True}
    for _, path in kinds[1:]:
        (folder / path).mkdir()  # also where it stays empty: version 2.3 looks for it
    write_json(folder / _POOLING / "config.json", {"word_embedding_dimension": width, **modes})
    write_json(folder / _TRANSFORMER, {"max_seq_length": recipe.max_length, "do_lower_case": False})
    prompts = {kind: recipe.prompts.get(kind, "") for kind in KINDS}
    settings = {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"}
    write_json(folder / _SETTINGS, {"__version__": {"sentence_transformers": _OLDEST}, **settings})


def _pooling(file: Path) -> Pooling:
    config = read_object(file)
    given = config.get("pooling_mode") or [key for key, on in config.items() if key.startswith("pooling_mode_") and on]
    modes = [given] if isinstance(given, str) else list(given)
    found = [pooling for pooling, names in _MODES.items() if modes in ([name] for name in names)]
    if not found or config.get("include_prompt") is False:
        problem = f"pools by {' and '.join(modes) or 'nothing'}{'' if not found else ', without the prompt'}"
        raise UserError(
            file.parent.parent, file.parent.name, problem, f"known are {', '.join(POOLINGS)}, of all tokens"
        )
    return found[0]


def _optional(file: Path) -> dict[str, Any]:
    return read_object(file) if file.is_file() else {}
