"""The names of a corpus's files; cheap to import, so that a workflow can name them before they exist."""

from __future__ import annotations

SAMPLED = 10_000
"""Instances that are written to look at, where only a sample is."""
RECORD = "on-the-fly.json"
"""What a corpus is switched from, where its texts are not written (:mod:`switchrank.corpus.unwritten`)."""


def corpus_files(*, shards: int = 1, name: str = "train") -> list[str]:
    """What :func:`switchrank.corpus.switch.switch_corpus` writes, relative to its folder, in instance order.

    Args:
        shards: how many files ``train`` is cut into.
        name: ``train``, whose shards are followed by ``stats.json``, or the name of a single file such as ``dev``.
    """
    if name != "train":
        return [f"{name}.parquet"]
    return [*(f"train-{shard:05d}.parquet" for shard in range(shards)), "stats.json"]
