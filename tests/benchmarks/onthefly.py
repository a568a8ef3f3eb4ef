"""A corpus that is switched on the fly beside the same one written: disk, memory, and seconds until batches are ready.

``python -m tests.benchmarks.onthefly [INSTANCES]``; inputs as in :mod:`tests.benchmarks.switch`. Batches of 1,000 steps
of 32 pairs are made ready as training does it, 100 steps ahead, and nothing is trained.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from switchrank.corpus.onthefly import SwitchedPairs
from switchrank.corpus.switch import switch_corpus
from switchrank.corpus.unwritten import record_corpus
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.batches import Batcher, Pairs
from switchrank.train.method import Reader
from switchrank.train.tokenizer import Sources, build_tokenizer
from switchrank.train.units import Order
from tests.benchmarks import switch
from tests.benchmarks.clock import Alone, alone
from tests.benchmarks.machine import threads

STEPS, AHEAD, BATCH = 1000, 100, 32
SHAPE: dict[str, Any] = {"max_length": 256, "truncation": "longest_first", "token_budget": 16_384}


def main(count: int) -> None:
    """Print a table for so many instances, and for four times as many of the same texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        switch._inputs(folder, count)
        switch._tokens(folder)
        texts = [folder / "documents.parquet"]
        build_tokenizer(Sources({"en": texts}), size=16_000, max_characters=5_000_000, out=folder / "tokenizer")
        print("| instances | texts | making: CPU s | disk MB | peak RSS MB | training: CPU s to open "
              "| texts of 1,000 steps | batches of them | peak RSS MB |\n|" + "--:|" * 9)  # fmt: skip
        for times in (1, 4):
            switch._instances(folder, times * count)
            for word, make, reader, file in (
                ("written", switch_corpus, Pairs, "train-00000.parquet"),
                ("on the fly", record_corpus, SwitchedPairs, "on-the-fly.json"),
            ):
                made = alone(_make, folder, make)
                read = alone(_read, folder, reader, file)
                print(_row(times * count, word, made, _megabytes([folder / "corpus" / file]), read), flush=True)
        files = [file for table in ("queries", "documents") for file in (folder / "tokens" / table).iterdir()]
        print(f"\nToken tables, which both are switched from: {_megabytes(files):.0f} MB.")


def _row(count: int, word: str, made: Alone, disk: float, read: Alone) -> str:
    numbers = [made.result, disk, made.peak_rss_mb, *read.result, read.peak_rss_mb]
    cells = [f"{count:,}", word, *(f"{number:,.0f}" if number >= 20 else f"{number:.2f}" for number in numbers)]
    return f"| {' | '.join(cells)} |"


def _megabytes(files: Iterable[Path]) -> float:
    return sum(file.stat().st_size for file in files) / 1e6


def _make(folder: Path, make: Any) -> float:
    """Processor seconds to make the corpus, or its record."""
    began = time.process_time()
    lexicons = switch.lexicon_files(folder)
    make(
        instances=folder / "instances.parquet",
        queries=folder / "tokens/queries",
        documents=folder / "tokens/documents",
        lexicons=lexicons,
        recipe={**switch.RECIPE, "languages": list(lexicons)},
        out=folder / "corpus",
        threads=threads(),
    )
    return time.process_time() - began


def _read(folder: Path, reader: Reader, file: str) -> tuple[float, float, float]:
    """Processor seconds to open the corpus, and of 1,000 steps those until texts are tokenised, and for the rest."""
    began = time.process_time()
    pairs = reader([folder / "corpus" / file])
    batcher = Batcher(pairs, open_tokenizer(folder / "tokenizer"), **SHAPE)
    order = Order(len(pairs), BATCH, seed=1)
    opened, texts = time.process_time(), 0.0
    for step in range(STEPS):
        if step % AHEAD == 0:
            rows, start = order.rows(step, step + AHEAD), time.process_time()
            batcher.prepare(rows)
            texts += time.process_time() - start
        for batch in batcher.split(order.rows(step, step + 1)):
            assert np.isfinite(pairs.label[batch.rows]).all()
    return opened - began, texts, time.process_time() - opened - texts


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
