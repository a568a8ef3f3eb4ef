"""Words, texts and pairs of a micro world, shared by the tests of the train room."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from switchrank.formats.tables import CORPUS

MICRO = {"num_hidden_layers": 1, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 16}
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
    """Every file of a folder by its name."""
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.name not in leave_out}
