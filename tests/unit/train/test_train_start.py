"""The starting checkpoint: equal bytes for equal inputs, named initialisations, stock classes."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from train_world import ENGLISH, FOREIGN, MICRO, bytes_of

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, write_table
from switchrank.models.pretrained import open_both, open_tokenizer
from switchrank.train.embeddings import fit_width, mix, piece_vectors
from switchrank.train.start import build_start
from switchrank.train.transplant import transplant_embeddings

WORDS = "bert.embeddings.word_embeddings.weight"


def vectors(world):
    return {language: world / language for language in ("en", "qaa")}


def test_equal_inputs_give_equal_bytes_and_another_seed_other_weights(world, tokenizer_folder, tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        build_start(tokenizer=tokenizer_folder, preset=MICRO, vectors=vectors(world), out=tmp_path / name, seed=seed)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    weights = [load_file(tmp_path / name / "model.safetensors")["classifier.weight"] for name in "ac"]
    assert not torch.equal(*weights)


def test_mimetic_attention_compares_tokens_and_takes_them_away(start_folder):
    weights = load_file(start_folder / "model.safetensors")
    layer = "bert.encoder.layer.0.attention."
    query, key = weights[f"{layer}self.query.weight"], weights[f"{layer}self.key.weight"]
    segments = weights["bert.embeddings.token_type_embeddings.weight"]
    axis = torch.nn.functional.normalize(segments[0] - segments[1], dim=0)
    torch.testing.assert_close(query @ axis, -(key @ axis))
    across = axis.roll(1) - (axis.roll(1) @ axis) * axis
    torch.testing.assert_close(query @ across, key @ across)
    value, output = weights[f"{layer}self.value.weight"], weights[f"{layer}output.dense.weight"]
    diagonal = torch.diagonal(output @ value)
    assert diagonal.mean() == pytest.approx(-1.0, abs=0.1)
    assert weights[WORDS].std() == pytest.approx(0.1, rel=0.1)
    assert weights["bert.embeddings.position_embeddings.weight"].std() == pytest.approx(0.01, rel=0.2)


def test_translations_start_close_together_only_with_vectors(world, tokenizer_folder, tmp_path):
    number = open_tokenizer(tokenizer_folder).get_vocab()
    pairs = [(number[a], number[b]) for a, b in zip(ENGLISH, FOREIGN, strict=True) if a in number and b in number]
    assert len(pairs) > 4
    cosines = {}
    for init in (["mimetic"], ["mimetic", "vectors"]):
        build_start(
            tokenizer=tokenizer_folder, preset=MICRO, init=init, vectors=vectors(world), out=tmp_path / init[-1]
        )
        rows = load_file(tmp_path / init[-1] / "model.safetensors")[WORDS]
        left, right = rows[[a for a, _ in pairs]], rows[[b for _, b in pairs]]
        cosines[init[-1]] = torch.nn.functional.cosine_similarity(left, right).mean().item()
    assert abs(cosines["mimetic"]) < 0.3
    assert cosines["vectors"] > 0.7


def test_a_word_gives_its_vector_to_its_piece_and_its_parts_get_the_weighted_mean(tmp_path):
    from switchrank.formats.vectors import write_vectors

    rows = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    write_vectors(tmp_path / "en", ["ab", "ac", "a"], rows)
    cut = {"ab": [1, 2], "ac": [1, 3], "a": [0]}
    found_rows, found = piece_vectors({"en": tmp_path / "en"}, lambda words: [cut[word] for word in words], 5)
    mean = np.array([1, 0.5, 1 / 3]) / (11 / 6)
    centred = rows - mean
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    part = (centred[0] + 0.5 * centred[1]) / 1.5
    expected = [centred[2], part / np.linalg.norm(part), centred[0], centred[1], np.zeros(3)]
    assert found.tolist() == [True, True, True, True, False]
    np.testing.assert_allclose(found_rows, expected, atol=1e-6)


@pytest.mark.parametrize("width", [4, 16])
def test_rows_of_another_width_keep_what_they_say(width):
    rng = np.random.default_rng(1)
    rows = np.zeros((50, 8), np.float32)
    rows[:, :4] = rng.normal(size=(50, 4))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    rotation = np.linalg.qr(rng.normal(size=(width, width)))[0].astype(np.float32)
    fitted = fit_width(rows, width, rotation)
    np.testing.assert_allclose(fitted @ fitted.T, rows @ rows.T, atol=1e-5)


def test_the_share_of_the_norm_that_comes_from_vectors_is_kept():
    rng = np.random.default_rng(2)
    current = rng.normal(scale=0.1, size=(400, 64)).astype(np.float32)
    rows = rng.normal(size=(400, 64)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    found = np.arange(400) < 300
    mixed = mix(current, rows, found, 0.6)
    cosines = (mixed * rows).sum(1) / np.linalg.norm(mixed, axis=1)
    assert cosines[:300].mean() == pytest.approx(0.6, abs=0.02)
    assert mixed[:300].std() == pytest.approx(0.1, rel=0.03)
    np.testing.assert_array_equal(mixed[300:], current[300:])


def test_what_was_done_is_written_beside_the_weights(world, tokenizer_folder, tmp_path):
    build_start(tokenizer=tokenizer_folder, preset="tiny", vectors=vectors(world), out=tmp_path / "s", seed=3)
    record = json.loads((tmp_path / "s" / "start.json").read_text())
    assert (record["preset"], record["init"], record["seed"]) == ("tiny", ["mimetic", "vectors"], 3)
    assert record["vectors"] == ["en", "qaa"]
    assert str(tmp_path) not in (tmp_path / "s" / "config.json").read_text()


def test_a_model_folder_can_be_the_start_and_keeps_its_weights_and_tokenizer(start_folder, tmp_path):
    build_start(model=start_folder, out=tmp_path / "again")
    assert bytes_of(tmp_path / "again", "start.json") == bytes_of(start_folder, "start.json")


@pytest.mark.parametrize("name", ["/nowhere/model", "nobody/no-such-model-0"])
def test_a_model_that_cannot_be_had_is_one_line(tmp_path, monkeypatch, name):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError) as error:
        build_start(model=name, out=tmp_path / "s")
    assert str(error.value).startswith(name)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "s").exists()


def test_pickled_weights_are_refused(start_folder, tmp_path):
    for file in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (tmp_path / file).write_bytes((start_folder / file).read_bytes())
    torch.save(load_file(start_folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"only a pickle.*switchrank import-model"):
        open_both(tmp_path)[0]


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"preset": "huge"}, "unknown preset"),
        ({"init": ["magic"]}, "unknown initialisation magic"),
        ({"init": ["vectors"]}, "needs aligned word vectors"),
        ({"model": "x/y"}, "--tokenizer, --model: both given: choose one"),
    ],
)
def test_wrong_options_are_named(tokenizer_folder, tmp_path, options, problem):
    with pytest.raises(UserError, match=problem):
        build_start(tokenizer=tokenizer_folder, out=tmp_path / "s", **options)


def test_transplanted_pieces_take_the_mean_of_their_translations(start_folder, tmp_path):
    number = open_tokenizer(start_folder).get_vocab()
    target = next(word for word in FOREIGN if word in number)
    rows = [
        ("sun", target, None, 1),
        ("moon", target, None, 2),
        ("river", "stone", None, 1),
        ("stone", "river", None, 1),
    ]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "en-qaa.parquet", LEXICON)
    record = transplant_embeddings(
        model=start_folder, lexicons={"qaa": tmp_path / "en-qaa.parquet"}, out=tmp_path / "new"
    )
    old, new = (load_file(folder / "model.safetensors")[WORDS] for folder in (start_folder, tmp_path / "new"))
    sun, moon, changed = number["sun"], number["moon"], number[target]
    torch.testing.assert_close(new[changed], (old[sun] + 0.5 * old[moon]) / 1.5)
    assert record["replaced"] == 1
    assert (new != old).any(dim=1).sum() == 1
