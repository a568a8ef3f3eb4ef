"""A toy tokenizer (one token per letter), tiny random rankers, and a made-up collection in two languages."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, write_table

LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß0123456789"


def _letters_tokenizer(pair, specials):
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    vocabulary = [*specials.values(), *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    numbers = {piece: number for number, piece in enumerate(vocabulary)}
    tokenizer = Tokenizer(models.WordPiece(numbers, unk_token=specials["unk_token"]))
    tokenizer.normalizer = normalizers.BertNormalizer(strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    cls, sep = specials["cls_token"], specials["sep_token"]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=pair, special_tokens=[(cls, numbers[cls]), (sep, numbers[sep])]
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **specials)


@pytest.fixture(scope="session")
def bert_folder(tmp_path_factory) -> Path:
    """A BERT ranker with token types; large weights, so that scores of different pairs differ well."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("bert")
    specials = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    tokenizer = _letters_tokenizer("[CLS] $A [SEP] $B:1 [SEP]:1", specials)
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        num_labels=1,
        initializer_range=0.5,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def roberta_folder(tmp_path_factory) -> Path:
    """An XLM-R ranker: two separators between the texts, no token types, positions that start after the padding id."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification

    folder = tmp_path_factory.mktemp("roberta")
    specials = {"cls_token": "<s>", "pad_token": "<pad>", "sep_token": "</s>", "unk_token": "<unk>"}
    tokenizer = _letters_tokenizer("<s> $A </s> </s> $B </s>", specials)
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.save_pretrained(folder)
    torch.manual_seed(2)
    config = XLMRobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=50,
        type_vocab_size=1,
        pad_token_id=1,
        num_labels=1,
        initializer_range=0.5,
    )
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    return folder


DOCUMENT_ROWS = [
    ("d3", "the red fox runs"),
    ("d1", "a blue whale swims in the sea"),
    ("d2", "the red whale"),
    ("d5", "stones"),
    ("d4", "the red fox runs"),
]
QUERY_ROWS = [("q2", "red fox"), ("q1", "whale"), ("q3", "unicorn"), ("q9", "sea")]
JUDGEMENT_ROWS = [("q1", "d1", 1), ("q2", "d3", 2), ("q2", "d5", 1), ("q3", "d2", 1), ("q9", "d1", 0)]


@pytest.fixture
def collection(tmp_path) -> dict[str, Path]:
    """Paths of documents, queries, judgements; q9 has no positive judgement, q3 shares no word with a document."""
    paths = {name: tmp_path / f"{name}.parquet" for name in ("documents", "queries", "judgements")}
    tables = [
        (paths["documents"], DOCUMENTS, [(*row, "") for row in DOCUMENT_ROWS]),
        (paths["queries"], QUERIES, [(*row, "") for row in QUERY_ROWS]),
        (paths["judgements"], JUDGEMENTS, JUDGEMENT_ROWS),
    ]
    for path, schema, rows in tables:
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), path, schema)
    return paths


@pytest.fixture
def candidates(tmp_path) -> Path:
    """Candidates of q2 and q1."""
    path = tmp_path / "candidates.parquet"
    rows = [("q2", "d3", 1), ("q2", "d5", 2), ("q2", "d4", 3), ("q2", "d1", 4), ("q1", "d1", 1), ("q1", "d2", 2)]
    write_table(pl.DataFrame(rows, schema=CANDIDATES, orient="row"), path, CANDIDATES)
    return path
