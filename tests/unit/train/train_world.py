"""Words, texts and pairs of a micro world, shared by the tests of the train room."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.formats.tables import CORPUS

MICRO = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
SETTINGS = {"steps": 10, "batch_size": 8, "lr": 1e-2, "warmup": 2, "max_length": 24, "dropout": 0.1, "log_every": 3}
ENGLISH = ["the", "sun", "moon", "river", "stone", "bird", "tree", "cloud", "fire", "wind", "salt", "bread"]
FOREIGN = [f"{word[::-1]}um" for word in ENGLISH]


def sentences(words: list[str], count: int, seed: int) -> list[str]:
    """Short texts over ``words``, the first ones more often."""
    drawn = np.random.default_rng(seed).geometric(0.2, size=(count, 6)) % len(words)
    return [" ".join(words[number] for number in row) for row in drawn]


def corpus_frame(count: int = 40, seed: int = 1) -> pl.DataFrame:
    """Pairs where the first of each four is relevant: its passage holds the query's words."""
    rows = []
    for number, text in enumerate(sentences(ENGLISH, count, seed)):
        label = int(number % 4 == 0)
        query = " ".join(text.split()[: 2 + number % 3]) if label else ENGLISH[number % len(ENGLISH)]
        rows.append((f"q{number // 4}", query, f"p{number}", text * (1 + number % 2), label, "en", "en"))
    return pl.DataFrame(rows, schema=CORPUS, orient="row")


def bytes_of(folder: Path, *leave_out: str) -> dict[str, bytes]:
    """Every file below a folder by its path in it, hidden ones aside."""
    files = (file for file in sorted(folder.rglob("[!.]*")) if file.is_file() and file.name not in leave_out)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def weights(folder):
    """The tensors of a model folder."""
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


def train_record(folder):
    """``train.json``, and the same without ``timing``."""
    record = json.loads((folder / "train.json").read_text())
    return record, {key: value for key, value in record.items() if key != "timing"}


def same(one, other):
    """Assert that two model folders are equal, wall times aside."""
    assert bytes_of(one, "train.json") == bytes_of(other, "train.json")
    assert train_record(one)[1] == train_record(other)[1]


def strike(monkeypatch, step, deed):
    """Do something just before the gradients of a step (counted from 0) are applied."""
    from switchrank.train import loop

    rate = loop.learning_rate
    monkeypatch.setattr(
        loop, "learning_rate", lambda now, settings: (deed() if now == step else None, rate(now, settings))[1]
    )


def parallel_frame(language: str, count: int = 24) -> pl.DataFrame:
    """Pairs in one of the languages, equal ids in both: every query has a passage with its words, and two others."""
    words = {"en": ENGLISH, "qaa": FOREIGN}[language]
    rows = []
    for number in range(count):
        drawn = np.random.default_rng(number).permutation(len(words))
        query, passages = drawn[:3], [drawn[:6], np.roll(drawn, 3)[:6], drawn[5:9]]
        for place, passage in enumerate(passages):
            texts = (" ".join(words[one] for one in text) for text in (query, passage))
            qid, pid = f"q{number}", f"p{number}-{place}"
            rows.append((qid, next(texts), pid, next(texts), int(place == 0), language, language))
    return pl.DataFrame(rows, schema=CORPUS, orient="row")
