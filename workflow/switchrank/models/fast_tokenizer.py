"""Tokenizers opened without transformers, which wraps the same library: what a model's folder says, and its backend.

This opens what transformers would open as its plain class for ``tokenizer.json`` (``PreTrainedTokenizerFast``) and use
as it is: all special tokens are in the file, it has a template of its own, and no setting is beyond ``_KNOWN``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

_PLAIN = ("PreTrainedTokenizerFast", "TokenizersBackend")
_SPECIAL = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_KNOWN = {"tokenizer_class", "model_input_names", "model_max_length", *_SPECIAL} | {
    *("backend", "clean_up_tokenization_spaces", "is_local", "local_files_only", "name_or_path", "extra_special_tokens")
}
_INPUTS = ["input_ids", "attention_mask"]
_OTHER_FILES = ("added_tokens.json", "special_tokens_map.json")
_MOST_PIECES = 100_000
"""Beyond this transformers looks at where a tokenizer comes from."""


@dataclass(frozen=True)
class FastTokenizer:
    """What is asked of a transformers tokenizer, under its names.

    Attributes:
        name_or_path: the folder.
        backend_tokenizer: the tokenizer of the ``tokenizers`` package.
        model_max_length: tokens of a pair, special ones included.
        model_input_names: what the model takes; token types only where they are named.
        all_special_tokens: as text.
        pad_token_id, pad_token_type_id: what fills up shorter pairs.
    """

    name_or_path: str
    backend_tokenizer: Tokenizer
    model_max_length: int
    model_input_names: list[str]
    all_special_tokens: list[str]
    pad_token_id: int
    pad_token_type_id: int = 0
    is_fast: bool = True

    @property
    def vocab_size(self) -> int:
        """Pieces without those that were added."""
        return int(self.backend_tokenizer.get_vocab_size(with_added_tokens=False))

    def get_vocab(self) -> dict[str, int]:
        """The number of each piece."""
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
    if not (own and small and _is_plain(config, special) and added.issuperset(special.values())):
        return None
    pad = backend.token_to_id(special["pad_token"])
    assert pad is not None
    names, length = config.get("model_input_names", _INPUTS), config["model_max_length"]
    return FastTokenizer(str(folder), backend, length, names, list(special.values()), pad)


def _is_plain(config: Mapping[str, Any], special: Mapping[str, Any]) -> bool:
    """Whether ``tokenizer_config.json`` holds nothing that is not here."""
    return (
        config.keys() <= _KNOWN
        and config.get("tokenizer_class") in _PLAIN
        and not config.get("extra_special_tokens")
        and isinstance(config.get("model_max_length"), int)
        and isinstance(config.get("model_input_names", _INPUTS), list)
        and "pad_token" in special
        and all(isinstance(token, str) for token in special.values())
    )
