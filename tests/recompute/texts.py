"""Where the texts and candidates of a test set lie."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import polars as pl

from tests.recompute.design import MIXED
from tests.recompute.finished import Finished
from tests.recompute.why import texts

Candidates = dict[str, set[str]]


def text_path(run: Finished, testset: str, kind: str, language: str) -> Path:
    """The table of the queries or documents of a test set in one language, or mixed."""
    if language == MIXED:
        return run.folder / "pools" / testset / f"{kind}.parquet"
    name = "queries-test" if kind == "queries" else kind
    return run.folder / "sources" / run.design.testsets[testset].collection / f"{name}-{language}.parquet"


def documents(run: Finished, testset: str, language: str) -> dict[str, str]:
    """Documents of a test set by id."""
    return texts(text_path(run, testset, "documents", language))


def candidates(run: Finished, testset: str, language: str) -> Candidates | None:
    """Documents by query; a pool that is drawn has those of the source language. None: every document is one."""
    given = run.design.testsets[testset]
    if not given.listed:
        return None
    named = run.design.source if language == MIXED and not given.every else language
    listed: Candidates = defaultdict(set)
    for qid, docid, _ in pl.read_parquet(run.folder / "testsets" / testset / f"candidates-{named}.parquet").rows():
        listed[qid].add(docid)
    return listed
