"""Opening models for training and ranking: stock transformers classes with one output, safetensors, no foreign code.

On a CPU the plainest of them are opened without transformers (:mod:`switchrank.models.plain`), with the same results,
seconds earlier.
"""

import os
from pathlib import Path
from typing import Any

import torch

from switchrank.core.errors import UserError, in_one_line
from switchrank.core.offline import is_offline
from switchrank.models.encode import read_template
from switchrank.models.folder import (
    MODULES,
    check_encoder,
    check_model,
    check_tokenizer,
    is_dual_encoder,
    is_folder,
    is_late_interaction,
    refuse_pickle,
    refuse_ranker,
)
from switchrank.models.plain import open_fast_tokenizer, open_plain

Model = Any
"""A transformers model, or :class:`switchrank.models.plain.PlainRanker`."""
CPU = torch.device("cpu")
_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


def open_both(
    name: str | Path,
    *,
    new_head: bool = True,
    dropout: float | None = None,
    device: torch.device | None = None,
) -> tuple[Model, Any]:
    """A sequence classification model with one output, float32, on the CPU, and its tokenizer (:func:`open_tokenizer`).

    Args:
        name: a folder, or a hub name that is cached or can be fetched.
        new_head: an encoder gets a head of its own, drawn from torch's global generator: seed it first. Else the
            model must be a trained ranker.
        dropout: the share that any kind of model drops of hidden values and of attention, in place of its config's.
        device: where it will be used. Told that it is the CPU, this need not import transformers for every model; the
            model then has the parameters of the stock class and, but for :mod:`switchrank.models.packed`, no forward.

    Raises:
        UserError: they cannot be had; the weights are no safetensors, damaged or not those of the config; the model has
            more than one label, or the tokenizer pieces that it has no embedding for.
    """
    check_model(name)
    if not new_head and is_dual_encoder(name):
        problem = "a dual encoder, which gives each text a vector and reads no pairs"
        raise UserError(name, MODULES, problem, "give a trained cross-encoder")
    if not new_head and is_late_interaction(name):
        problem = "late interaction, which gives each token a vector and reads no pairs"
        raise UserError(name, MODULES, problem, "give a trained cross-encoder")
    changes = {} if dropout is None else dict.fromkeys(_DROPOUTS, dropout)
    quick = device == CPU and is_folder(name)
    plain = open_plain(Path(name), new_head=new_head, changes=changes) if quick else None
    model: Model = _open_stock(name, new_head, changes) if plain is None else plain
    tokenizer = open_tokenizer(name)
    pieces, rows = tokenizer.vocab_size, len(model.get_input_embeddings().weight)
    if pieces > rows:
        problem = f"the tokenizer has {pieces} pieces, the model {rows} embeddings"
        raise UserError(name, "tokenizer", problem, "give the tokenizer that the model was trained with")
    return model, tokenizer


def open_encoder(
    name: str | Path, *, dropout: float | None = None, device: torch.device | None = None
) -> tuple[Model, Any]:
    """The same of a model that gives single texts vectors; its head is not used, and nothing is drawn for it.

    Raises UserError for a cross-encoder or a decoder too.
    """
    check_encoder(name)
    with torch.random.fork_rng(devices=[]):
        model, tokenizer = open_both(name, dropout=dropout, device=device)
    if not is_folder(name):
        refuse_ranker(name, model.config.to_dict())
    return model, tokenizer


def freeze_body(model: Model) -> None:
    """Leave of a model its embeddings of pieces and its head to be trained."""
    embeddings = model.get_input_embeddings().weight
    for name, parameter in getattr(model, model.base_model_prefix).named_parameters():
        parameter.requires_grad_(parameter is embeddings or name.startswith("pooler."))


def _open_stock(name: str | Path, new_head: bool, changes: dict[str, float]) -> Model:
    from transformers import AutoConfig, AutoModelForSequenceClassification
    from transformers.utils import logging

    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"  # else a public service is asked to convert weights
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        labels = {"num_labels": 1} if new_head else {}
        config = AutoConfig.from_pretrained(name, **_asking(), **labels)
        for key, value in changes.items():
            if hasattr(config, key):
                setattr(config, key, value)
        model, found = AutoModelForSequenceClassification.from_pretrained(
            name,
            config=config,
            use_safetensors=True,
            **_asking(),
            dtype=torch.float32,
            output_loading_info=True,
            ignore_mismatched_sizes=True,
        )
    except Exception as error:  # transformers and tokenizers raise whatever a strange file trips them into
        refuse_pickle(name, str(error))
        raise _cannot(name, "model", error) from error
    _check_weights(name, model, found, new_head)
    return model


def _asking() -> dict[str, bool]:
    """How the hub is asked: never for code, and offline not at all."""
    return {"trust_remote_code": False, "local_files_only": is_offline()}


def _check_weights(name: str | Path, model: Model, found: dict[str, Any], new_head: bool) -> None:
    encoder = f"{model.base_model_prefix}."
    for key, held, wanted in sorted(found["mismatched_keys"]):
        if not key.startswith(encoder) and held[0] != 1:
            problem, todo = f"a classifier with {held[0]} labels", "a re-ranker has one: give one, or a plain encoder"
        else:
            problem = f"{key} is {tuple(held)} where its config says {tuple(wanted)}"
            todo = "give weights and config.json of the same model"
        raise UserError(name, "weights", problem, todo)
    drawn = sorted(found["missing_keys"])
    if new_head:
        drawn = [key for key in drawn if key.startswith(encoder) and ".pooler." not in key]
    if drawn:
        more = f" and {len(drawn) - 1} more" if len(drawn) > 1 else ""
        todo = "give weights and config.json of the same model" if new_head else "give a trained cross-encoder"
        raise UserError(name, "weights", f"no weights for {drawn[0]}{more}", todo)
    if model.config.num_labels != 1:
        raise UserError(name, "config.json", f"{model.config.num_labels} labels", "give a ranker with one label")


def open_tokenizer(name: str | Path) -> Any:
    """The fast tokenizer of a folder or hub name: transformers' own, or a :class:`.FastTokenizer`.

    Raises UserError for one that is missing, damaged, without pieces, or cannot make pairs of texts in batches.
    """
    check_tokenizer(name)
    tokenizer: Any = open_fast_tokenizer(Path(name)) if is_folder(name) else None
    if tokenizer is None:
        from transformers import AutoTokenizer

        try:
            tokenizer = AutoTokenizer.from_pretrained(name, **_asking())
        except Exception as error:  # as above
            raise _cannot(name, "tokenizer", error) from error
    if not set(tokenizer.get_vocab()) - set(tokenizer.all_special_tokens):
        todo = "copy the tokenizer's files into the folder of its model"
        raise UserError(name, "tokenizer", "no pieces but special tokens", todo)
    read_template(tokenizer)
    return tokenizer


def longest_input(tokenizer: Any, config: Any) -> int:
    """Tokens that tokenizer and position embeddings allow; RoBERTa's positions start after its padding id."""
    positions = getattr(config, "max_position_embeddings", None) or tokenizer.model_max_length
    if "roberta" in config.model_type or config.model_type in ("camembert", "xmod"):
        positions -= config.pad_token_id + 1
    return int(min(tokenizer.model_max_length, positions))


def _cannot(name: str | Path, place: str, error: Exception) -> UserError:
    known = in_one_line(error)
    if known is not None:
        return known
    said = (str(error).strip().splitlines() or [""])[0].rstrip(": ")
    reason = said if said and isinstance(error, OSError | ValueError) else f"{type(error).__name__} {said}".strip()
    if Path(name).is_dir():
        return UserError(name, place, f"cannot be opened: {reason}", "give a folder that transformers can open")
    offline = " (offline mode is on)" if is_offline() else ""
    todo = "fetch it where there is a network, or give a folder with config.json, model.safetensors and tokenizer.json"
    return UserError(name, place, f"cannot be opened{offline}: {reason}", todo)
