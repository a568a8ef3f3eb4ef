"""Writers of small labelled splits, test sets, ablation tables and scores."""

from __future__ import annotations

import polars as pl
import pytest

from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, PER_QUERY, QUERIES, write_table


def put(path, rows, schema):
    """Write rows as a table and give its path."""
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), path, schema)
    return path


@pytest.fixture
def split(tmp_path):
    """Write a split whose query ``name`` has a text and one relevant document; give its three paths."""

    def write(names=(), side="train", texts=None, documents=None, unjudged=(), passages=None):
        texts, documents = texts or {}, documents or {}
        answers = {name: documents.get(name, f"{side}-d-{name}") for name in names}
        asked = [(name, texts.get(name, f"{side} question {name}"), "") for name in [*unjudged, *names]]
        judged = [(name, docid, 1) for name, docid in answers.items()] + [(name, "other", 0) for name in unjudged]
        passages, docids = passages or {}, [*dict.fromkeys(answers.values()), "other"]
        held = [(docid, passages.get(docid, f"text of {docid}"), "") for docid in docids]
        return {
            "queries": put(tmp_path / f"{side}-queries.parquet", asked, QUERIES),
            "judgements": put(tmp_path / f"{side}-judgements.parquet", judged, JUDGEMENTS),
            "documents": put(tmp_path / f"{side}-documents.parquet", held, DOCUMENTS),
        }

    return write


@pytest.fixture
def scored(tmp_path):
    """Write PER_QUERY from ``{"start language examples seed": values}`` on one pair; give its path."""

    def write(values, pair=("de", "de"), testset="world", metric="mrr@10", qids=None, seed=None):
        rows = [
            ("_".join(name.split()), testset, *pair, seed or int(name.split()[3]), qid, metric, float(value))
            for name, column in values.items()
            for qid, value in zip(qids or [f"q{number}" for number in range(len(column))], column, strict=True)
        ]
        return put(tmp_path / f"{testset}-{'-'.join(pair)}-{metric}.parquet", rows, PER_QUERY)

    return write
