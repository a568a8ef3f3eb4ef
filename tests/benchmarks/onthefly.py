"""A corpus that is switched on the fly beside the same one written: disk, memory, and seconds until batches are ready.

Part ``switch-on-the-fly`` of ``make bench-large``, or a table by ``python -m tests.benchmarks.onthefly [INSTANCES]``;
inputs as in :mod:`tests.benchmarks.switch`. Batches of 1,000 steps of 32 pairs are made ready as training does it, 100
steps ahead, and nothing is trained.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

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
from tests.benchmarks.row import Row

STEPS, AHEAD, BATCH = 1000, 100, 32
INSTANCES_OF = {"small": 500_000, "large": 20_000_000}
"""At ``large`` scale as many as the published experiment has."""
WRITTEN = switch_corpus, Pairs, "train-00000.parquet"
UNWRITTEN = record_corpus, SwitchedPairs, "on-the-fly.json"
"""What makes a corpus, what reads it, and the file that it lies in."""
SHAPE: dict[str, Any] = {"max_length": 256, "truncation": "longest_first", "token_budget": 16_384}


def on_the_fly(scale: str) -> list[Row]:
    """Row ``switch-on-the-fly``: beside a written corpus of a fifth of the instances, of the same texts."""
    count = INSTANCES_OF[scale]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder, count // 5)
        written, theirs = _measure(folder, *WRITTEN)
        size = _megabytes([folder / "corpus" / WRITTEN[-1]])
        _, fifth = _measure(folder, *UNWRITTEN)
        if fifth.result.checksum != theirs.result.checksum:
            raise AssertionError("batches of a corpus that is switched on the fly are not those of the written one")
        switch._instances(folder, count)
        recorded, ours = _measure(folder, *UNWRITTEN)
    pairs = STEPS * BATCH
    return [
        Row(
            name="switch-on-the-fly",
            unit="pairs/s",
            size=f"{count:,} instances, {STEPS:,} steps of {BATCH} made ready",
            ours=pairs / ours.seconds,
            peer=pairs / theirs.seconds,
            peer_name=f"a written corpus of {count // 5:,} instances",
            peak_rss_mb=max(recorded.peak_rss_mb, ours.peak_rss_mb),
            checked=f"All token ids of {STEPS:,} steps over the fifth are those of the written corpus.",
            note=f"Opening counts. Making it takes {recorded.result:.1f} s of processor time and hardly any room, "
            f"writing the fifth {written.result:.1f} s and {size:,.0f} MB. Reading takes {ours.peak_rss_mb:,.0f} MB, "
            f"a fifth of the instances {fifth.peak_rss_mb:,.0f} MB, and those written {theirs.peak_rss_mb:,.0f} MB.",
        )
    ]


def _prepare(folder: Path, count: int) -> None:
    """Texts and instances, token tables, and a tokenizer."""
    switch._inputs(folder, count)
    switch._tokens(folder)
    texts = [folder / "documents.parquet"]
    build_tokenizer(Sources({"en": texts}), size=16_000, max_characters=5_000_000, out=folder / "tokenizer")


def _measure(folder: Path, make: Any, reader: Reader, file: str) -> tuple[Alone, Alone]:
    """Making a corpus and reading it."""
    return alone(_make, folder, make), alone(_read, folder, reader, file)


def main(count: int) -> None:
    """Print a table for so many instances, and for four times as many of the same texts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder, count)
        print("| instances | texts | making: CPU s | disk MB | peak RSS MB | training: CPU s to open "
              "| texts of 1,000 steps | batches of them | peak RSS MB |\n|" + "--:|" * 9)  # fmt: skip
        for times in (1, 4):
            switch._instances(folder, times * count)
            for word, way in (("written", WRITTEN), ("on the fly", UNWRITTEN)):
                made, read = _measure(folder, *way)
                print(_row(times * count, word, made, _megabytes([folder / "corpus" / way[-1]]), read), flush=True)
        files = [file for table in ("queries", "documents") for file in (folder / "tokens" / table).iterdir()]
        print(f"\nToken tables, which both are switched from: {_megabytes(files):.0f} MB.")


def _row(count: int, word: str, made: Alone, disk: float, read: Alone) -> str:
    numbers = [made.result, disk, made.peak_rss_mb, *read.result.seconds, read.peak_rss_mb]
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


@dataclass(frozen=True)
class Steps:
    """Processor ``seconds`` to open a corpus, and of 1,000 steps those until texts are tokenised, and for the rest; and
    a checksum of the token ids of all batches."""

    seconds: tuple[float, float, float]
    checksum: int


def _read(folder: Path, reader: Reader, file: str) -> Steps:
    began = time.process_time()
    pairs = reader([folder / "corpus" / file])
    batcher = Batcher(pairs, open_tokenizer(folder / "tokenizer"), **SHAPE)
    order = Order(len(pairs), BATCH, seed=1)
    opened, texts, checksum = time.process_time(), 0.0, 0
    for step in range(STEPS):
        if step % AHEAD == 0:
            rows, start = order.rows(step, step + AHEAD), time.process_time()
            batcher.prepare(rows)
            texts += time.process_time() - start
        for batch in batcher.split(order.rows(step, step + 1)):
            assert np.isfinite(pairs.label[batch.rows]).all()
            checksum = crc32(batch.inputs["input_ids"].numpy(), checksum)
    return Steps((opened - began, texts, time.process_time() - opened - texts), checksum)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
