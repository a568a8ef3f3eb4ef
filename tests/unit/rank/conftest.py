"""A made-up collection in two languages and candidates for it."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, write_table

DOCUMENT_ROWS = [
    ("d3", "the red fox runs"),
    ("d1", "a blue whale swims in the sea"),
    ("d2", "the red whale"),
    ("d5", "stones"),
    ("d4", "the red fox runs"),
]
QUERY_ROWS = [("q2", "red fox"), ("q1", "whale"), ("q3", "unicorn"), ("q9", "sea")]
JUDGEMENT_ROWS = [("q1", "d1", 1), ("q2", "d3", 2), ("q2", "d5", 1), ("q3", "d2", 1), ("q9", "d1", 0)]


@pytest.fixture
def collection(tmp_path) -> dict[str, Path]:
    """Paths of documents, queries, judgements; q9 has no positive judgement, q3 shares no word with a document."""
    paths = {name: tmp_path / f"{name}.parquet" for name in ("documents", "queries", "judgements")}
    tables = [
        (paths["documents"], DOCUMENTS, [(*row, "") for row in DOCUMENT_ROWS]),
        (paths["queries"], QUERIES, [(*row, "") for row in QUERY_ROWS]),
        (paths["judgements"], JUDGEMENTS, JUDGEMENT_ROWS),
    ]
    for path, schema, rows in tables:
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), path, schema)
    return paths


@pytest.fixture
def candidates(tmp_path) -> Path:
    """Candidates of q2 and q1."""
    path = tmp_path / "candidates.parquet"
    rows = [("q2", "d3", 1), ("q2", "d5", 2), ("q2", "d4", 3), ("q2", "d1", 4), ("q1", "d1", 1), ("q1", "d2", 2)]
    write_table(pl.DataFrame(rows, schema=CANDIDATES, orient="row"), path, CANDIDATES)
    return path


@pytest.fixture(scope="session")
def dual_folder(bert_folder, tmp_path_factory) -> Path:
    """A dual encoder with prompts: the encoder of ``bert_folder``."""
    from transformers import BertModel

    from switchrank.models.dual_encoder import DualEncoder
    from switchrank.models.writing import copy_tokenizer

    folder = tmp_path_factory.mktemp("dual")
    BertModel.from_pretrained(bert_folder).save_pretrained(folder / "plain")
    copy_tokenizer(bert_folder, folder / "plain")
    DualEncoder.open(folder / "plain", prompts={"query": "q", "document": "p"}).save(folder / "dual")
    return folder / "dual"
