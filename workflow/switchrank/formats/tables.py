"""Parquet and CSV tables that stages hand to each other: one schema each, checked at both ends."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError

Schema = dict[str, "type[pl.DataType] | pl.DataType"]

DOCUMENTS: Schema = {"docid": pl.String, "text": pl.String, "group": pl.String}
"""One language of a collection, in source order; ``group`` is the article or topic a document belongs to."""
QUERIES: Schema = {"qid": pl.String, "text": pl.String, "group": pl.String}
JUDGEMENTS: Schema = {"qid": pl.String, "docid": pl.String, "relevance": pl.Int32}
"""Relevance 1 and up is relevant; ids are those of the documents of one language."""
TRIPLES: Schema = {"qid": pl.String, "positive": pl.String, "negative": pl.String}
WORDS: Schema = {"word": pl.String, "norm": pl.Float32}
"""Words of a vector store by falling frequency; row i of the ``.npy`` beside it is the unit vector of word i, ``norm``
the length it had before."""
LEXICON: Schema = {"source": pl.String, "target": pl.String, "score": pl.Float32, "rank": pl.Int32}
"""``source`` is a look-up key (:func:`switchrank.text.words.key`), n-grams joined by one space; ``score`` is null for
titles; ``rank`` counts from 1 (best). Ordered by source vocabulary rank (vectors) or code points (titles), then by
rank."""
INSTANCES: Schema = {"instance": pl.UInt64, "qid": pl.String, "pid": pl.String, "label": pl.Int8}
"""Training (or development) pairs by id, in a fixed order; ``instance`` counts from 0 and keys all random draws."""
PIECES: Schema = {"piece": pl.String, "key": pl.UInt32, "word": pl.Boolean}
"""Distinct strings of a token table; ``key`` numbers the look-up keys of ``KEYS`` (null for gaps)."""
KEYS: Schema = {"key": pl.String}
TOKENS: Schema = {"id": pl.String, "pieces": pl.List(pl.UInt32)}
"""A text as piece numbers, alternating gap, word, gap, ..., gap: joined they are the text, byte for byte."""
CORPUS: Schema = {
    "qid": pl.String,
    "query": pl.String,
    "pid": pl.String,
    "passage": pl.String,
    "label": pl.Int8,
    "query_lang": pl.String,
    "passage_lang": pl.String,
}
CANDIDATES: Schema = {"qid": pl.String, "docid": pl.String, "rank": pl.Int32}
"""Documents to re-rank, queries in source order, ``rank`` from 1 in first-stage order."""
QUALITY: Schema = {
    "lexicon": pl.String,
    "src": pl.String,
    "tgt": pl.String,
    "gold": pl.String,
    "p_at_1": pl.Float64,
    "p_at_5": pl.Float64,
    "mrr": pl.Float64,
    "coverage": pl.Float64,
    "gold_size": pl.Int64,
}
METRICS: Schema = {
    "run": pl.String,
    "system": pl.String,
    "testset": pl.String,
    "setup": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seen": pl.String,
    "seed": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "queries": pl.Int64,
}
PER_QUERY: Schema = {
    "system": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seed": pl.Int64,
    "qid": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
}
SIGNIFICANCE: Schema = {
    "system": pl.String,
    "baseline": pl.String,
    "testset": pl.String,
    "setup": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "baseline_value": pl.Float64,
    "delta": pl.Float64,
    "ci_low": pl.Float64,
    "ci_high": pl.Float64,
    "test": pl.String,
    "p_value": pl.Float64,
    "correction": pl.String,
    "p_corrected": pl.Float64,
    "significant": pl.Boolean,
    "family": pl.String,
    "family_size": pl.Int64,
    "queries": pl.Int64,
    "seeds": pl.Int64,
}

EFFECTS: Schema = {
    "system": pl.String,
    "baseline": pl.String,
    "testset": pl.String,
    "setup": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "delta": pl.Float64,
    "boot_low": pl.Float64,
    "boot_high": pl.Float64,
    "effect_size": pl.Float64,
    "queries": pl.Int64,
    "seeds": pl.Int64,
}
"""Size of each difference in SIGNIFICANCE: bootstrap interval over queries, and Cohen's d of the paired differences."""
DRAW: Schema = {"id": pl.String, "lang": pl.String}
"""Which language each document or query of a mixed pool was given."""
BIAS: Schema = {
    "system": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seed": pl.Int64,
    "measure": pl.String,
    "value": pl.Float64,
    "queries": pl.Int64,
}
"""How a system treats the languages of a mixed pool; ``measure`` is one of ``rank_distance``, ``own_language_top10``,
``own_language_pool``, ``rankc``."""
ABLATION: Schema = {
    "ablation": pl.String,
    "start": pl.String,
    "language": pl.String,
    "examples": pl.Int64,
    "seed": pl.Int64,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "value": pl.Float64,
    "epochs": pl.Float64,
}
"""Target-language fine-tuning: one row per row of the ablation table, test pair and metric. ``epochs``: how many passes
over its training pairs the tested weights have seen; 0 without labels."""
EQUIVALENCE: Schema = {
    "start": pl.String,
    "reference": pl.String,
    "language": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "reference_value": pl.Float64,
    "examples": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}
"""How many labelled queries ``start`` needs to reach ``reference`` without any; null where it never does."""
CURVE: Schema = {
    "start": pl.String,
    "language": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "metric": pl.String,
    "examples": pl.Int64,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "queries": pl.Int64,
    "seeds": pl.Int64,
}
"""One point of a learning curve: ``value`` is the mean over queries of seed averages, ``low`` and ``high`` its 95%
bootstrap interval over queries; ``queries`` and ``seeds`` say how many. By language, test pair and metric, then by
start in the order of the ablation table, then by ``examples``."""
SWEEP: Schema = {
    "sweep": pl.String,
    "system": pl.String,
    "x": pl.String,
    "testset": pl.String,
    "setup": pl.String,
    "seen": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seed": pl.Int64,
    "metric": pl.String,
    "value": pl.Float64,
    "switched": pl.Float64,
    "p_at_1": pl.Float64,
}
"""One setting varied: ``x`` is its value as text, ``switched`` the measured share of switched content words of the
corpus, ``p_at_1`` the mean quality of its lexicon (null where there is no gold)."""
OVERLAP: Schema = {
    "system": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seed": pl.Int64,
    "low": pl.Float64,
    "high": pl.Float64,
    "metric": pl.String,
    "value": pl.Float64,
    "queries": pl.Int64,
}
"""A metric over the queries whose words occur in a relevant passage to a share from ``low`` (inclusive) to ``high``."""
SHIFT: Schema = {
    "system": pl.String,
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "seed": pl.Int64,
    "drop": pl.Float64,
    "drop_sd": pl.Float64,
    "pairs": pl.Int64,
}
"""How far the score of a relevant passage falls when it is in ``doc_lang`` and not in the query's language."""
TESTSETS: Schema = {
    "testset": pl.String,
    "collection": pl.String,
    "format": pl.String,
    "relevance": pl.String,
    "doc_lang": pl.String,
    "documents": pl.Int64,
    "queries": pl.Int64,
    "relevant": pl.Float64,
    "candidates": pl.Float64,
    "candidate_recall": pl.Float64,
    "chance": pl.Float64,
    "search": pl.String,
    "own_recall": pl.Float64,
    "translated_recall": pl.Float64,
}
"""What each test set holds; ``relevance`` is ``gold`` or ``answer``, ``relevant`` and ``candidates`` are means per
query, ``candidate_recall`` the share of queries with a relevant candidate, which MRR cannot exceed, ``chance`` the
MRR@10 of a random order of the candidates. ``search`` says what found them: ``query-document`` languages of the text
that BM25 searched, ``run`` or ``all``; ``own_recall`` is what ``candidate_recall`` would be, on average over the pairs
of two or mixed languages that these candidates come to by translation alone, if each query searched as it is,
``translated_recall`` if a lexicon translated query and documents (null where there is none)."""
FIRST_STAGE: Schema = {
    "testset": pl.String,
    "query_lang": pl.String,
    "doc_lang": pl.String,
    "way": pl.String,
    "search": pl.String,
    "depth": pl.Int64,
    "recall": pl.Float64,
    "queries": pl.Int64,
}
"""Share of queries with a relevant document among ``depth`` candidates, as they are ``used`` and as BM25 would find
them with the pair's ``own`` texts or with ``translated`` ones."""
EXPOSURE: Schema = {
    "training": pl.String,
    "systems": pl.String,
    "testset": pl.String,
    "by": pl.String,
    "documents": pl.Int64,
    "positives": pl.Int64,
    "negatives": pl.Int64,
    "relevant": pl.Int64,
    "relevant_positives": pl.Int64,
    "relevant_negatives": pl.Int64,
}
"""Test documents that were positives or negatives in the training pairs of the collection ``training``, of which
``systems`` learn; ``by`` is how documents were compared, ``id`` or ``text``."""
WARNINGS: Schema = {"kind": pl.String, "subject": pl.String, "warning": pl.String}
"""What must be known before results are believed; ``kind`` is ``chance``, ``queries`` or ``coverage``, ``subject`` the
system on its test set, the test set, or the lexicon and its language."""
COVERAGE: Schema = {
    "lexicon": pl.String,
    "lang": pl.String,
    "testset": pl.String,
    "side": pl.String,
    "words": pl.Int64,
    "covered": pl.Int64,
    "share": pl.Float64,
}
"""Running words that a lexicon covers. ``side`` is ``query`` or ``document`` (test words that are words of a target)
or ``training`` (source words that have a translation; ``testset`` is then the corpus); ``share`` is null without
words."""


DAMAGE = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError)
"""What Polars raises over a file that is damaged; some defects of Parquet files make it panic."""


def reason(error: BaseException) -> str:
    """What Polars says is wrong, in one line."""
    return (str(error).splitlines() or ["no reason given"])[0]


def read_table(path: str | Path, schema: Schema) -> pl.DataFrame:
    """Read a ``.parquet`` or ``.csv`` table of ours.

    Raises:
        UserError: the file is missing, unreadable, or its columns are not those of ``schema``.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.read_csv(path, schema=schema) if path.suffix == ".csv" else pl.read_parquet(path)
    except DAMAGE as error:
        problem = f"not a readable {path.suffix[1:]} table ({reason(error)})"
        raise UserError(path, "", problem, "delete it and rerun") from error
    if dict(frame.schema) != dict(pl.Schema(schema)):
        raise UserError(path, "columns", f"found {dict(frame.schema)}", f"expected {dict(pl.Schema(schema))}")
    return frame


def read_relevant(path: str | Path) -> pl.DataFrame:
    """The rows of JUDGEMENTS with a positive relevance."""
    return read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0)


def scan_table(path: str | Path, schema: Schema) -> pl.LazyFrame:
    """A ``.parquet`` table of ours, not read yet; for what does not fit in memory.

    Raises:
        UserError: as :func:`read_table`, for the file's columns.
    """
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        found = pl.read_parquet_schema(path)
    except DAMAGE as error:
        raise UserError(path, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error
    if found != dict(pl.Schema(schema)):
        raise UserError(path, "columns", f"found {found}", f"expected {dict(pl.Schema(schema))}")
    return pl.scan_parquet(path)


def write_table(frame: pl.DataFrame, path: str | Path, schema: Schema, metadata: dict[str, str] | None = None) -> None:
    """Write ``frame`` atomically with exactly the columns, order and dtypes of ``schema``.

    ``metadata`` goes into the head of a Parquet file, where ``polars.read_parquet_metadata`` finds it.

    Parquet is zstd; CSV has Unix line ends and shortest round-trip floats. Equal frames give equal bytes.
    """
    frame = frame.select([pl.col(name).cast(dtype) for name, dtype in schema.items()])
    with atomic_path(path) as temporary:
        if Path(path).suffix == ".csv":
            frame.write_csv(temporary)
        else:
            frame.write_parquet(temporary, compression="zstd", statistics=True, metadata=metadata or None)
