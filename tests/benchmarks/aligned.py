"""Lexicons from parallel text: word alignment of 100,000 lines, beside NLTK's IBM model 1 on some of them.

Lines are made up: 5 to 35 words that follow Zipf's law; each is translated word by word, a word in ten is lost, and
what is left is shuffled within a few places. One process, one thread.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.formats.tables import BITEXT, LEXICON, read_table, write_table
from tests.benchmarks.clock import Alone, alone, seconds
from tests.benchmarks.inputs import spellings, zipf_words
from tests.benchmarks.machine import package_version
from tests.benchmarks.row import Row, timed

LINES = {"small": 100_000, "large": 400_000}
PEER_LINES = 500
VOCABULARY = 30_000
ITERATIONS = 5
MOST_SECONDS, MOST_MB = 60, 1000
"""What 100,000 lines may take."""
FREQUENT = 5


def aligned(scale: str) -> list[Row]:
    """A lexicon from lines on disk."""
    count = LINES[scale]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines, meant = made_up(count)
        write_table(lines, folder / "lines.parquet", BITEXT)
        ours = alone(_induce, folder)
        found = read_table(folder / "out.parquet", LEXICON)
        peer = seconds(partial(_nltk, lines.head(PEER_LINES)))
    cells = int((lines["source"].str.count_matches(" ") + 1).dot(lines["target"].str.count_matches(" ") + 1))
    return [
        timed(
            ours,
            name="lexicon-bitext",
            size=f"{count:,} lines, {cells:,} pairs of words, {ITERATIONS} iterations",
            peer=peer * count / PEER_LINES,
            peer_name="IBMModel1, both directions",
            peer_version=f"nltk {package_version('nltk')}",
            checked=_checked(lines, found, meant),
            note=f"The peer is timed on {PEER_LINES:,} lines and scaled. {_kept(count, ours)}",
        )
    ]


def made_up(count: int) -> tuple[pl.DataFrame, dict[str, str]]:
    """Lines (``BITEXT``), and what each source word means."""
    rng = np.random.default_rng(11)
    words = spellings(2 * VOCABULARY, rng)
    sources, targets = words[:VOCABULARY], [words[VOCABULARY + n] for n in rng.permutation(VOCABULARY)]
    lengths = rng.integers(5, 36, count)
    line = np.repeat(np.arange(count), lengths)
    word = zipf_words(len(line), VOCABULARY, rng)
    kept = rng.random(len(line)) >= 0.1
    kept[np.cumsum(lengths) - lengths] = True
    order = np.lexsort((np.arange(len(line)) + rng.uniform(0, 4, len(line)), line))
    order = order[kept[order]]
    sides = {
        "source": (pl.Series(sources).gather(word), line),
        "target": (pl.Series(targets).gather(word[order]), line[order]),
    }
    texts = {
        side: pl.DataFrame({"line": of, "word": some})
        .group_by("line", maintain_order=True)
        .agg(pl.col("word").str.join(" "))["word"]
        for side, (some, of) in sides.items()
    }
    return pl.DataFrame({"id": np.arange(1, count + 1), **texts}), dict(zip(sources, targets, strict=True))


def _induce(folder: Path) -> Callable[[], None]:
    from switchrank.lexicon.aligned import induce_from_bitext

    def work() -> None:
        induce_from_bitext(
            bitext=[folder / "lines.parquet"],
            source="en",
            target="de",
            out=folder / "out.parquet",
            iterations=ITERATIONS,
        )

    return work


def _nltk(lines: pl.DataFrame) -> None:
    from nltk.translate import AlignedSent, IBMModel1

    pairs = [(source.split(), target.split()) for source, target in lines.select("source", "target").iter_rows()]
    IBMModel1([AlignedSent(target, source) for source, target in pairs], ITERATIONS)
    IBMModel1([AlignedSent(source, target) for source, target in pairs], ITERATIONS)


def _checked(lines: pl.DataFrame, found: pl.DataFrame, meant: dict[str, str]) -> str:
    """How many of the frequent words have their true translation first."""
    counts = lines["source"].str.split(" ").explode().value_counts(name="times").filter(pl.col("times") >= FREQUENT)
    best = dict(found.filter(rank=1).select("source", "target").iter_rows())
    right = sum(best.get(word) == meant[word] for word in counts["source"])
    return (
        f"Of {len(counts):,} words that occur {FREQUENT} times, {right / len(counts):.1%} have their true translation "
        "first; links are those of plain Python and of NLTK on small texts (tests/unit/lexicon/test_ibm.py)."
    )


def _kept(count: int, ours: Alone) -> str:
    if count != LINES["small"]:
        return ""
    held = ours.seconds <= MOST_SECONDS and ours.peak_rss_mb <= MOST_MB
    return f"Asked: at most {MOST_SECONDS} s and {MOST_MB:,} MB, {'kept' if held else 'not kept'}."
