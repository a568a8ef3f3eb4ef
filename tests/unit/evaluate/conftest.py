"""Writers of small judgement, run and score tables."""

from __future__ import annotations

import polars as pl
import pytest

from switchrank.formats.tables import JUDGEMENTS, PER_QUERY, write_table


@pytest.fixture
def judge(tmp_path):
    """Write JUDGEMENTS rows and give their path."""

    def write(rows, name="judgements.parquet"):
        write_table(pl.DataFrame(rows, schema=JUDGEMENTS, orient="row"), tmp_path / name, JUDGEMENTS)
        return tmp_path / name

    return write


@pytest.fixture
def trec(tmp_path):
    """Write ``{qid: [docids best first]}`` as a TREC run whose scores all tie, and give its path."""

    def write(lists, name="run.trec"):
        lines = [f"{qid} Q0 {d} {rank} 0 x" for qid, docids in lists.items() for rank, d in enumerate(docids, 1)]
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines))
        return tmp_path / name

    return write


@pytest.fixture
def scored(tmp_path):
    """Write PER_QUERY from ``{(system, query_lang, doc_lang, seed): [values]}`` for one test set, and give its path."""

    def write(values, testset="world", metric="mrr@10", qids=None):
        rows = [
            (system, testset, query, document, seed, qid, metric, value)
            for (system, query, document, seed), column in values.items()
            for qid, value in zip(qids or [f"q{n:03}" for n in range(len(column))], column, strict=True)
        ]
        path = tmp_path / f"{testset}-{metric}.parquet"
        write_table(pl.DataFrame(rows, schema=PER_QUERY, orient="row"), path, PER_QUERY)
        return path

    return write
