"""Rankers and tokenizers opened without transformers, whose import takes seconds of every short job.

A model here (BERT, RoBERTa, XLM-R) is the parameters of the stock class and nothing else: their names, order, initial
values and the bytes of the saved folder are those of transformers, and :mod:`switchrank.models.packed` knows the
forward pass. A tokenizer here is what transformers would open as its plain class for ``tokenizer.json`` and use as it
is. A folder that differs in any way, or is damaged, is opened by transformers, which also says what is wrong.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import nn

_RANKER = "ForSequenceClassification"
CLASSES = {"bert": f"Bert{_RANKER}", "roberta": f"Roberta{_RANKER}", "xlm-roberta": f"XLMRoberta{_RANKER}"}
"""The stock class of each kind of model."""
_SIZES = (
    *("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
    *("intermediate_size", "max_position_embeddings", "type_vocab_size"),
)
_SHARES = ("hidden_dropout_prob", "attention_probs_dropout_prob", "initializer_range", "layer_norm_eps")
_FIXED = {"hidden_act": "gelu", "is_decoder": False, "add_cross_attention": False}
_NEEDED = {*_SIZES, *_SHARES, *_FIXED, "pad_token_id", "classifier_dropout", "bos_token_id", "eos_token_id"} | {
    *("use_cache", "tie_word_embeddings", "model_type", "architectures", "dtype", "transformers_version")
}
"""What transformers writes into every config of these classes."""
_LABELS = {"id2label", "label2id"}
_OPTIONAL = {"position_embedding_type": "absolute", "gradient_checkpointing": False}
"""Keys of older configs, which are kept, with the only value that changes nothing."""
_TOKENIZERS = ("PreTrainedTokenizerFast", "TokenizersBackend")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_TOKENIZER_KEYS = {"tokenizer_class", "model_input_names", "model_max_length", *_SPECIAL} | {
    *("backend", "clean_up_tokenization_spaces", "is_local", "local_files_only", "name_or_path", "extra_special_tokens")
}
_INPUTS = ["input_ids", "attention_mask"]
_OTHER_FILES = ("added_tokens.json", "special_tokens_map.json")
_MOST_PIECES = 100_000
"""Beyond this transformers looks at where a tokenizer comes from."""


class _Undrawn:
    """Leaves values to :func:`open_plain`: without memory to draw them in, torch would import its compiler."""

    def reset_parameters(self) -> None: ...


class _Linear(_Undrawn, nn.Linear): ...


class _Embedding(_Undrawn, nn.Embedding): ...


class _LayerNorm(_Undrawn, nn.LayerNorm): ...


class Config(SimpleNamespace):
    """What ``config.json`` says, as attributes."""

    num_labels = 1


class PlainRanker(nn.Module):
    """The parameters of a stock sequence classification model with one output; it has no forward pass of its own."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.base_model_prefix = "bert" if config.model_type == "bert" else "roberta"
        size, dropout = config.hidden_size, config.classifier_dropout
        dropout = float(config.hidden_dropout_prob if dropout is None else dropout)
        encoder, dense, out = _encoder(config), _Linear(size, size), _Linear(size, 1)
        parts: dict[str, nn.Module]
        if config.model_type == "bert":
            encoder["pooler"] = nn.ModuleDict({"dense": dense})
            parts = {"bert": encoder, "dropout": nn.Dropout(dropout), "classifier": out}
        else:
            head = nn.ModuleDict({"dense": dense, "dropout": nn.Dropout(dropout), "out_proj": out})
            parts = {"roberta": encoder, "classifier": head}
        for name in reversed(parts) if config.model_type == "xlm-roberta" else parts:
            self.add_module(name, parts[name])

    @property
    def device(self) -> torch.device:
        return next(self.parameters()).device

    def get_input_embeddings(self) -> nn.Module:
        return self.get_submodule(f"{self.base_model_prefix}.embeddings.word_embeddings")

    def save_pretrained(self, folder: Path) -> None:
        """Write ``config.json`` and ``model.safetensors``, in the bytes of transformers."""
        self._save(folder, self, CLASSES[self.config.model_type], vars(self.config))

    def save_encoder(self, folder: Path) -> None:
        """The same of the model without its head."""
        config = {key: value for key, value in vars(self.config).items() if key not in _LABELS}
        encoder = self.get_submodule(self.base_model_prefix)
        self._save(folder, encoder, CLASSES[self.config.model_type].replace(_RANKER, "Model"), config)

    def _save(self, folder: Path, module: nn.Module, name: str, config: Mapping[str, Any]) -> None:
        written = {
            **config,
            "architectures": [name],
            "dtype": "float32",
            "transformers_version": version("transformers"),
        }
        (folder / "config.json").write_text(json.dumps(written, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        tensors = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _encoder(config: Config) -> nn.ModuleDict:
    size, pad, bert = config.hidden_size, config.pad_token_id, config.model_type == "bert"
    words = {"word_embeddings": _Embedding(config.vocab_size, size, padding_idx=pad)}
    places = _Embedding(config.max_position_embeddings, size, padding_idx=None if bert else pad)
    positions = {"position_embeddings": places}
    others: dict[str, nn.Module] = {
        "token_type_embeddings": _Embedding(config.type_vocab_size, size),
        "LayerNorm": _LayerNorm(size, eps=config.layer_norm_eps),
        "dropout": nn.Dropout(config.hidden_dropout_prob),
    }
    embeddings = nn.ModuleDict(words | positions | others if bert else words | others | positions)
    layers = nn.ModuleList(_layer(config) for _ in range(config.num_hidden_layers))
    return nn.ModuleDict({"embeddings": embeddings, "encoder": nn.ModuleDict({"layer": layers})})


def _layer(config: Config) -> nn.ModuleDict:
    size, inner = config.hidden_size, config.intermediate_size
    own = nn.ModuleDict({name: _Linear(size, size) for name in ("query", "key", "value")})
    attention = nn.ModuleDict({"self": own, "output": _output(size, config)})
    intermediate = nn.ModuleDict({"dense": _Linear(size, inner)})
    return nn.ModuleDict({"attention": attention, "intermediate": intermediate, "output": _output(inner, config)})


def _output(width: int, config: Config) -> nn.ModuleDict:
    dense, dropout = _Linear(width, config.hidden_size), nn.Dropout(config.hidden_dropout_prob)
    norm: nn.Module = _LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
    return nn.ModuleDict({"dense": dense, "LayerNorm": norm, "dropout": dropout})


def open_plain(folder: Path, *, new_head: bool, changes: Mapping[str, Any]) -> PlainRanker | None:
    """The model of a folder that ``check_model`` has seen, in float32, or None where transformers has to open it.

    Args:
        folder: the model folder.
        new_head: missing parameters of the head are drawn from torch's global generator, as transformers draws them.
        changes: config values to override where the model has them.
    """
    file = folder / "model.safetensors"
    described = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    if new_head and not _LABELS & described.keys():
        described |= {"id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0}}
    described |= {key: value for key, value in changes.items() if key in described}
    if not _is_covered(described) or not file.is_file():
        return None
    config = Config(**described)
    with torch.device("meta"):
        model = PlainRanker(config)
    try:
        with safe_open(file, framework="pt") as weights:
            held = set(weights.keys())
            found = {name: weights.get_tensor(name).float() for name in model.state_dict() if name in held}
    except (SafetensorError, OSError):
        return None
    parameters = dict(model.named_parameters())
    missing = [name for name in parameters if name not in found]
    of_head = [name for name in missing if not name.startswith(f"{model.base_model_prefix}.") or ".pooler." in name]
    if any(found[name].shape != parameters[name].shape for name in found) or missing != (of_head if new_head else []):
        return None
    for name in missing:
        empty = torch.empty(parameters[name].shape)
        std = config.initializer_range or 0.02
        found[name] = nn.init.zeros_(empty) if name.endswith(".bias") else nn.init.normal_(empty, std=std)
    model.load_state_dict(found, assign=True)
    return model.eval()


def _is_covered(config: Mapping[str, Any]) -> bool:
    needed, known = _NEEDED | _LABELS, {*_NEEDED, *_LABELS, *_OPTIONAL, "sentence_transformers"}
    if not needed <= config.keys() <= known or config["model_type"] not in CLASSES:
        return False
    only = _FIXED | {key: value for key, value in _OPTIONAL.items() if key in config}
    head, pad = config["classifier_dropout"], config["pad_token_id"]
    shares = [config[key] for key in _SHARES] + [0.0 if head is None else head]
    return (
        all(config[key] == value for key, value in only.items())
        and all(type(config[key]) is int and config[key] > 0 for key in _SIZES)
        and all(type(share) in (int, float) and 0 <= share < 1 for share in shares)
        and config["hidden_size"] % config["num_attention_heads"] == 0
        and (type(pad) is int and 0 <= pad < min(config["vocab_size"], config["max_position_embeddings"]))
        and isinstance(config["id2label"], dict)
        and len(config["id2label"]) == 1
    )


@dataclass(frozen=True)
class FastTokenizer:
    """What is asked of a transformers tokenizer, under its names."""

    name_or_path: str
    backend_tokenizer: Tokenizer
    model_max_length: int
    model_input_names: list[str]
    all_special_tokens: list[str]
    pad_token_id: int
    unk_token_id: int | None = None
    mask_token_id: int | None = None
    pad_token_type_id: int = 0
    is_fast: bool = True

    @property
    def vocab_size(self) -> int:
        return int(self.backend_tokenizer.get_vocab_size(with_added_tokens=False))

    def get_vocab(self) -> dict[str, int]:
        return dict(self.backend_tokenizer.get_vocab(with_added_tokens=True))

    def __len__(self) -> int:
        return int(self.backend_tokenizer.get_vocab_size(with_added_tokens=True))


def open_fast_tokenizer(folder: Path) -> FastTokenizer | None:
    """The tokenizer of a folder, or None where transformers has to open it."""
    described, settings = folder / "tokenizer.json", folder / "tokenizer_config.json"
    if not (described.is_file() and settings.is_file()) or any(Path(folder, name).is_file() for name in _OTHER_FILES):
        return None
    config: dict[str, Any] = json.loads(settings.read_text(encoding="utf-8"))
    try:
        backend = Tokenizer.from_file(str(described))
    except Exception:  # what this package raises has no class of its own
        return None
    special = {key: config[key] for key in _SPECIAL if config.get(key) is not None}
    added = {str(token.content) for token in backend.get_added_tokens_decoder().values() if token.special}
    own = backend.post_processor is not None and backend.truncation is None and backend.padding is None
    small = backend.get_vocab_size() <= _MOST_PIECES
    if not (own and small and _is_plain_tokenizer(config, special) and added.issuperset(special.values())):
        return None
    pad = backend.token_to_id(special["pad_token"])
    others = (special.get("unk_token"), special.get("mask_token"))
    unknown, mask = (None if token is None else backend.token_to_id(token) for token in others)
    assert pad is not None
    names, length = config.get("model_input_names", _INPUTS), config["model_max_length"]
    return FastTokenizer(str(folder), backend, length, names, list(special.values()), pad, unknown, mask)


def _is_plain_tokenizer(config: Mapping[str, Any], special: Mapping[str, Any]) -> bool:
    return (
        config.keys() <= _TOKENIZER_KEYS
        and config.get("tokenizer_class") in _TOKENIZERS
        and not config.get("extra_special_tokens")
        and isinstance(config.get("model_max_length"), int)
        and isinstance(config.get("model_input_names", _INPUTS), list)
        and "pad_token" in special
        and all(isinstance(token, str) for token in special.values())
    )
