"""The files of a corpus: their names, which a workflow needs before they exist, and how its statistics are written."""

import json
from pathlib import Path
from typing import Any

SAMPLED = 10_000
"""Instances that are written to look at, where only a sample is."""
RECORD = "on-the-fly.json"
"""What a corpus is switched from, where its texts are not written (:mod:`switchrank.corpus.unwritten`)."""


def corpus_files(*, shards: int = 1, name: str = "train") -> list[str]:
    """What :func:`switchrank.corpus.switch.switch_corpus` writes, relative to its folder, in instance order.

    That is the shards of ``train`` and then ``stats.json``, or one file of another ``name``, such as ``dev``.
    """
    if name != "train":
        return [f"{name}.parquet"]
    return [*(f"train-{shard:05d}.parquet" for shard in range(shards)), "stats.json"]


def write_statistics(stats: dict[str, Any], path: Path) -> None:
    """Write the statistics of a corpus as JSON."""
    path.write_text(json.dumps(stats, sort_keys=True, indent=1) + "\n", encoding="utf-8")
