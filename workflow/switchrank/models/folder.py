"""What a model folder of ours consists of, and what any must hold before it is opened.

It is looked at in milliseconds and without torch, so that a defect is found when a run starts: transformers answers
some with a traceback, and others, such as a tokenizer without its vocabulary, with meaningless scores.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError

PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
SAFETENSORS = ("model.safetensors", "model.safetensors.index.json")
TOKENIZER = "tokenizer.json"
TOKENIZER_FILES = (TOKENIZER, "tokenizer_config.json")
MODEL_FILES = ("config.json", "model.safetensors", *TOKENIZER_FILES)
"""What every model folder of ours holds."""
STARTING_FILES = (*MODEL_FILES, "start.json")
TRAINED_FILES = (*MODEL_FILES, "README.md", "train.json")
START_RECORD, TRAINING_RECORD = STARTING_FILES[-1], TRAINED_FILES[-1]
"""What tells how a model came to be: one that was built, copied or transplanted, and one that was trained."""
MODULES = "modules.json"
"""What tells sentence-transformers what a model consists of."""
ORIGIN_RECORD = "origin.json"
"""What tells where a known model was had from, before it is copied into a run."""
VOCABULARIES = {
    *("vocab.txt", "vocab.json", "bpe.codes"),
    *("spiece.model", "spm.model", "sentencepiece.bpe.model", "tokenizer.model"),
}
"""Where slow tokenizers keep their pieces; transformers makes a fast one of them."""
_AGAIN = "fetch the model again"
_CLASSIFIER = "ForSequenceClassification"
OPENED = ("bert", "modernbert", "roberta", "xlm-roberta")
"""Architectures, by ``model_type``, that can be started from, encode words, or rank."""


def is_folder(name: str | Path) -> bool:
    """Whether a name is that of a folder, not one on a hub; raises UserError for a path where there is none."""
    looks_like_path = isinstance(name, Path) or str(name).startswith((".", "/", "~")) or str(name).count("/") > 1
    if looks_like_path and not Path(name).is_dir():
        raise UserError(name, "", "no such model folder", "correct the path, or make it first")
    return Path(name).is_dir()


def check_model(name: str | Path, *, finished: bool = False) -> None:
    """Raise UserError where a folder does not hold a whole model with at most one label, and its tokenizer.

    A name on a hub is not looked at. One that is ``finished`` is to rank as it is, which needs a classifier.
    """
    if not is_folder(name):
        return
    folder = Path(name)
    _check_config(folder, finished)
    refuse_pickle(folder)
    _check_weights(folder)
    check_tokenizer(folder)


def check_encoder(name: str | Path) -> None:
    """Raise UserError where a folder does not hold a whole model that can encode a text by itself, and its tokenizer.

    A name on a hub is not looked at. Starts of ours are encoders, though they have a head already.
    """
    check_model(name)
    if is_folder(name) and not Path(name, START_RECORD).is_file():
        refuse_ranker(name, read_object(Path(name, "config.json")))


def refuse_ranker(name: str | Path, config: Mapping[str, Any]) -> None:
    """Raise UserError for the config of a model that gives a single text no vector: a decoder or a cross-encoder."""
    kind, names = config.get("model_type"), config.get("architectures") or []
    if kind not in OPENED or config.get("is_decoder"):
        problem = f"a model of type {kind}{' that decodes' if kind in OPENED else ''}, which is no encoder"
        raise UserError(name, "config.json", problem, f"give one of type {', '.join(OPENED)}")
    if any(str(one).endswith(_CLASSIFIER) for one in names):
        problem = "a cross-encoder, which reads pairs of texts and gives a single one no vector"
        raise UserError(name, "config.json", problem, "give the encoder that it was made from, or another")


def module_folders(folder: Path) -> dict[str, str]:
    """The kinds of the modules that sentence-transformers makes of a folder, each with its place in it.

    Empty for a folder that does not tell them; raises UserError for a damaged list.
    """
    if not (folder / MODULES).is_file():
        return {}
    try:
        return {str(one["type"]).rpartition(".")[2]: str(one["path"]) for one in read_json(folder / MODULES)}
    except (TypeError, LookupError) as error:
        raise UserError(folder, MODULES, "not a list of modules", _AGAIN) from error


def is_dual_encoder(name: str | Path) -> bool:
    """Whether a folder tells that it is an encoder with a pooling, whatever the kind of model that it was made from."""
    return "Pooling" in module_folders(Path(name))


def is_late_interaction(name: str | Path) -> bool:
    """Whether a folder tells that it is an encoder with a vector for each token."""
    return "MultiVectorMask" in module_folders(Path(name))


def check_tokenizer(name: str | Path) -> None:
    """Raise UserError where a folder holds no tokenizer, or a damaged one; a name on a hub is not looked at."""
    if not is_folder(name):
        return
    folder = Path(name)
    if not any(Path(folder, file).is_file() for file in (TOKENIZER, *VOCABULARIES)):
        todo = "copy the tokenizer's files into it: a model is of no use without the pieces it was trained with"
        raise UserError(folder, TOKENIZER, "no such file, nor another vocabulary", todo)
    for file in TOKENIZER_FILES:
        if Path(folder, file).is_file():
            read_object(folder / file)


def has_safetensors(folder: str | Path) -> bool:
    return any(Path(folder, name).is_file() for name in SAFETENSORS)


def refuse_pickle(model: str | Path, reason: str = "") -> None:
    """Raise UserError with the command that converts the weights, where a folder has a pickle only, or a hub name no
    safetensors by the ``reason`` that transformers gives."""
    if Path(model).is_dir():
        only_pickle = not has_safetensors(model) and any(Path(model, name).is_file() for name in PICKLES)
    else:
        only_pickle = "cannot be loaded with `safetensors`" in reason
    if only_pickle:
        problem = "its weights are only a pickle, which can run any code"
        command = f"switchrank import-model --model {model} --out FOLDER"
        todo = f"convert it to safetensors once, `{command}`, and give FOLDER"
        raise UserError(model, "model", problem, todo)


def check_safetensors(file: Path) -> None:
    """Raise UserError for a file of weights that is missing, empty, cut short by its header, or no safetensors file."""
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        raise UserError(file.parent, file.name, "no such file", "fetch the model again, with its weights")
    if not file.stat().st_size:
        raise UserError(file.parent, file.name, "empty", _AGAIN)
    try:
        with safe_open(file, framework="np"):
            pass
    except (SafetensorError, OSError) as error:
        problem = f"truncated, or not a file of safetensors ({error})"
        raise UserError(file.parent, file.name, problem, _AGAIN) from error


def _check_config(folder: Path, finished: bool) -> None:
    file = folder / "config.json"
    if not file.is_file():
        raise UserError(folder, "", "no config.json: not a Hugging Face model folder", "give the folder of a model")
    config = read_object(file)
    if not isinstance(config.get("model_type"), str):
        raise UserError(folder, file.name, "no model_type", "give the config.json that belongs to the model")
    names = config.get("architectures")
    if not (isinstance(names, list) and any(str(name).endswith(_CLASSIFIER) for name in names)):
        if finished:
            raise UserError(folder, file.name, "an encoder without a classifier", "give a trained cross-encoder")
        return
    given = config.get("id2label")
    labels = len(given) if isinstance(given, dict) else config.get("num_labels", 2)  # transformers omits a number of 2
    if labels != 1:
        problem = f"a classifier with {labels if isinstance(labels, int) else 2} labels"
        todo = "a re-ranker has one: give one that was trained with one label, or an encoder without a classifier"
        raise UserError(folder, file.name, problem, todo)


def _check_weights(folder: Path) -> None:
    single, index = (folder / name for name in SAFETENSORS)
    if single.is_file():
        check_safetensors(single)
        return
    if not index.is_file():
        raise UserError(folder, single.name, "no such file", "give a folder that holds the weights of its model")
    for name in sorted(set(weight_map(index).values())):
        check_safetensors(folder / name)


def weight_map(index: Path) -> dict[str, str]:
    """Which file holds each tensor, by an index of weights; raises UserError where it names none."""
    places = read_object(index).get("weight_map")
    if not isinstance(places, dict) or not places:
        raise UserError(index.parent, index.name, "its weight_map names no file", _AGAIN)
    return {name: str(file) for name, file in places.items()}


def read_json(file: Path) -> Any:
    """What a JSON file of a model folder holds; UserError for a damaged file."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise UserError(file.parent, file.name, f"not JSON ({error})", _AGAIN) from error


def read_object(file: Path) -> dict[str, Any]:
    """The object in a JSON file of a model folder; UserError for a damaged file, or another value."""
    value = read_json(file)
    if not isinstance(value, dict):
        kinds = {list: "a list", str: "a text", type(None): "null"}
        held = kinds.get(type(value), "a number or truth value")
        raise UserError(file.parent, file.name, f"holds {held} where an object belongs", _AGAIN)
    return value
