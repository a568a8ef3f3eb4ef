"""Model folders whose vocabulary is changed: embeddings and tokenizer are written anew, the rest as it is."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.models.folder import TOKENIZER_FILES, read_object

if TYPE_CHECKING:
    from torch import Tensor

_EMBEDDINGS = "embeddings.word_embeddings.weight"
_SPECIAL = tuple(f"{name}_token" for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"))


def load_weights(folder: Path, pieces: int, todo: str) -> "tuple[dict[str, Tensor], str]":
    """The weights of a model by name, and the name of its word embeddings.

    UserError, with what to do, where it has none for so many pieces.
    """
    from safetensors.torch import load_file

    weights = load_file(folder / "model.safetensors")
    name = next((name for name in weights if name.endswith(_EMBEDDINGS)), None)
    if name is None or pieces > len(weights[name]):
        raise UserError(folder, "model.safetensors", "no embeddings of these pieces", todo)
    return weights, name


def write_weights(weights: "Mapping[str, Tensor]", made: Path) -> None:
    from safetensors.torch import save_file

    save_file(dict(weights), made / "model.safetensors", metadata={"format": "pt"})


def write_tokenizer(described: Mapping[str, Any], folder: Path, made: Path) -> None:
    """Write a ``tokenizer.json`` and the settings that the tokenizer of ``folder`` has; its README.md too."""
    from switchrank.models.pretrained import open_tokenizer

    text = json.dumps(described, ensure_ascii=False)
    (made / TOKENIZER_FILES[0]).write_text(text, encoding="utf-8")
    given: dict[str, Any] = {}
    for file in ("special_tokens_map.json", TOKENIZER_FILES[1]):
        given |= read_object(folder / file) if (folder / file).is_file() else {}
    tokens = {key: given[key] for key in _SPECIAL if given.get(key)}
    settings = {key: token["content"] if isinstance(token, dict) else token for key, token in tokens.items()}
    inputs = list(open_tokenizer(folder).model_input_names)
    length = min(int(given.get("model_max_length") or 512), 1 << 20)
    settings |= {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": length}
    write_json(made / TOKENIZER_FILES[1], settings | {"model_input_names": inputs})
    if (folder / "README.md").is_file():
        shutil.copyfile(folder / "README.md", made / "README.md")
