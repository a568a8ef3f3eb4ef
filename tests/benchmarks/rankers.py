"""Rankers and encoders of MiniLM's shape with random weights, and generated text of MS MARCO's lengths."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.inputs import spellings, zipf_words

Numbers = NDArray[np.int64]
QUERY_WORDS, PASSAGE_WORDS = (6.0, 0.4), (56.0, 0.4)
"""Median and spread (of the logarithm) of the words in an MS MARCO query and passage."""
_WORDS = 30_000


@dataclass(frozen=True)
class Shape:
    """Of an encoder."""

    layers: int
    width: int

    @property
    def name(self) -> str:
        """Such as ``6 x 384``."""
        return f"{self.layers} x {self.width}"


MINILM, BASE = Shape(6, 384), Shape(12, 768)


@cache
def _words() -> list[str]:
    return spellings(_WORDS, np.random.default_rng(11))


def texts(count: int, words: tuple[float, float], seed: int) -> list[str]:
    """Zipf-distributed words; the number of words of a text is log-normal, at most 200."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(np.exp(rng.normal(np.log(words[0]), words[1], count)), 2, 200).astype(int)
    drawn = zipf_words(int(lengths.sum()), _WORDS, rng)
    spelled, ends = _words(), np.cumsum(lengths)
    return [" ".join(spelled[n] for n in drawn[end - size : end]) for end, size in zip(ends, lengths, strict=True)]


def ranker_folder(folder: Path, shape: Shape = MINILM, vocabulary: int = 16_000) -> Path:
    """Write a BERT ranker, its logits spread like a trained one's, and a tokenizer trained on generated text."""
    import torch
    from transformers import BertForSequenceClassification

    model = _random_model(BertForSequenceClassification, folder, shape, vocabulary)
    with torch.no_grad():
        model.classifier.weight.mul_(8)
    model.config.sentence_transformers = {"activation_fn": "torch.nn.modules.linear.Identity", "version": "5.0.0"}
    model.save_pretrained(folder)
    return folder


def encoder_folder(folder: Path, shape: Shape = MINILM, *, max_length: int, vocabulary: int = 16_000) -> Path:
    """The same of a dual encoder that sentence-transformers opens: vectors are means of states, of length 1."""
    from transformers import BertModel

    from switchrank.models.recipe import Recipe, write_recipe

    _random_model(BertModel, folder, shape, vocabulary).save_pretrained(folder)
    write_recipe(Recipe(max_length=max_length), folder, shape.width)
    return folder


def masked_folder(folder: Path, shape: Shape = MINILM, vocabulary: int = 16_000) -> Path:
    """The same of a masked language model."""
    from transformers import BertForMaskedLM

    _random_model(BertForMaskedLM, folder, shape, vocabulary).save_pretrained(folder)
    return folder


def _random_model(kind: Any, folder: Path, shape: Shape, vocabulary: int) -> Any:
    """A model of a BERT class; its tokenizer is written into the folder."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertTokenizerFast

    trained = BertWordPieceTokenizer()
    trained.train_from_iterator(texts(2_000, PASSAGE_WORDS, seed=12), vocab_size=vocabulary, show_progress=False)
    tokenizer = BertTokenizerFast(tokenizer_object=trained._tokenizer, model_max_length=512)
    tokenizer.save_pretrained(folder)
    torch.manual_seed(13)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.width,
        num_hidden_layers=shape.layers,
        num_attention_heads=max(1, shape.width // 64 if shape.width >= 768 else shape.width // 32),
        intermediate_size=4 * shape.width,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.05,
        num_labels=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    return kind(config)


def operations(shape: Shape, lengths: Numbers) -> tuple[float, float]:
    """Floating-point operations of the linear layers and attention of a forward pass over pairs, real tokens only.

    Returns:
        Those of all layers for all tokens, and those that the logits depend on: in the last layer, keys and values of
        all tokens and the rest for the first token of each pair.
    """
    width, tokens = shape.width, float(lengths.sum())
    layer = 24 * width**2 * tokens + 4 * width * float((lengths**2).sum())
    last = 4 * width**2 * tokens + 20 * width**2 * len(lengths) + 4 * width * tokens
    return shape.layers * layer, (shape.layers - 1) * layer + last


def has_bf16() -> bool:
    """Does this CPU compute in bf16?"""
    import torch

    found = torch.cpu.get_capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def has_amx() -> bool:
    """Has this CPU units for products of whole tiles in bf16?"""
    import torch

    return bool(torch.cpu.get_capabilities().get("amx_bf16"))
