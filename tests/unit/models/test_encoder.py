"""Vectors of texts: the mean of the states of their pieces in all layers, as transformers has them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from switchrank.core.errors import UserError
from switchrank.models.encoder import LONGEST, Encoder

TEXTS = ["a", "dog", "hund", "strasse", "dog hund", "b"]


@pytest.fixture(params=["bert_folder", "roberta_folder"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """An encoder, not the ranker that it is the body of."""
    return as_encoder(request.getfixturevalue(request.param), tmp_path / "encoder")


def as_encoder(ranker: Path, out: Path, **config: object) -> Path:
    shutil.copytree(ranker, out)
    described = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps(described | {"architectures": None} | config))
    return out


@torch.inference_mode()
def by_transformers(folder: Path, text: str) -> Any:
    from transformers import AutoModel, AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(folder)(text, return_tensors="pt")
    _, *layers = AutoModel.from_pretrained(folder).eval()(**inputs, output_hidden_states=True).hidden_states
    return torch.stack(layers)[:, 0, 1:-1].mean((0, 1)).numpy()


def test_a_vector_is_the_mean_over_the_pieces_of_its_text_alone(folder: Path) -> None:
    found = Encoder(folder)(TEXTS)
    assert found.dtype == np.float32
    assert np.allclose(found, [by_transformers(folder, text) for text in TEXTS], atol=1e-5)


def test_what_stands_beside_a_text_changes_rounding_only(folder: Path) -> None:
    encoder = Encoder(folder)
    assert np.allclose(encoder(TEXTS[::-1])[::-1], encoder(TEXTS), atol=1e-6)
    assert np.array_equal(encoder(TEXTS), encoder(TEXTS))


def test_the_end_of_a_long_text_is_not_read(bert_folder: Path, tmp_path: Path) -> None:
    encoder = Encoder(as_encoder(bert_folder, tmp_path / "encoder"))
    same, other = encoder(["a" * LONGEST + "b", "a" * LONGEST + "c"])
    assert np.array_equal(same, other)


def test_a_text_without_pieces_has_the_vector_of_the_special_tokens(bert_folder: Path, tmp_path: Path) -> None:
    assert np.isfinite(Encoder(as_encoder(bert_folder, tmp_path / "encoder"))([""])).all()


def test_a_cross_encoder_gives_no_vector(bert_folder: Path) -> None:
    with pytest.raises(UserError, match="a cross-encoder, which reads pairs of texts"):
        Encoder(bert_folder)


def test_a_start_of_ours_is_an_encoder_though_it_has_a_head(bert_folder: Path, tmp_path: Path) -> None:
    start = shutil.copytree(bert_folder, tmp_path / "start")
    (start / "start.json").write_text("{}")
    assert Encoder(start)(["a"]).shape == (1, 32)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "gpt2"}, "a model of type gpt2, which is no encoder"),
        ({"is_decoder": True}, "a model of type bert that decodes, which is no encoder"),
    ],
)
def test_a_decoder_is_told(config: dict[str, object], said: str, bert_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=said):
        Encoder(as_encoder(bert_folder, tmp_path / "decoder", **config))
