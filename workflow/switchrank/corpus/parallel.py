"""Training pairs whose texts are given in the languages of the pair: translated training data, for comparison."""

from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.corpus.files import corpus_files, write_statistics
from switchrank.formats.tables import CORPUS, DOCUMENTS, INSTANCES, JUDGEMENTS, QUERIES, read_table, write_table


def parallel_corpus(
    *,
    instances: str | Path,
    queries: str | Path,
    documents: str | Path,
    query_lang: str,
    passage_lang: str,
    out: str | Path,
    name: str = "train",
    judgements: str | Path | None = None,
    own_judgements: str | Path | None = None,
) -> dict[str, Any]:
    """Write the corpus (``CORPUS``, in instance order) of ``instances`` with the texts of two languages.

    Pairs and labels are those of the source language, as in the Fine-tuning upper reference of Litschko et al. (2023,
    section 4). Pairs without a text in these languages are left out and counted.

    Args:
        instances: instances (parquet).
        queries: queries table in the query language (parquet), under the ids of the source language.
        documents: documents table in the passage language (parquet).
        query_lang: language of the queries.
        passage_lang: language of the passages.
        out: the folder to write into (:func:`switchrank.corpus.files.corpus_files`).
        name: 'train' (with stats.json) or one file.
        judgements: judgements table of the source language, where passages have other ids in the passage language;
            goes with --own-judgements. Passages are then the same that are relevant to the same query, and have the
            ids of the source language.
        own_judgements: judgements table of the passage language.

    Returns:
        ``{"instances": pairs written, "left_out": pairs without a text}``.

    Raises:
        UserError: a file is missing or of another schema, only one table of judgements, or no pair has both texts.
    """
    if (judgements is None) != (own_judgements is None):
        raise UserError("corpus", "judgements", "of one language only", "give those of both languages, or neither")
    pairs = read_table(instances, INSTANCES)
    asked = read_table(queries, QUERIES).select("qid", pl.col("text").alias("query"))
    read = read_table(documents, DOCUMENTS).select(pl.col("docid").alias("pid"), pl.col("text").alias("passage"))
    if judgements is not None and own_judgements is not None:
        read = _in_source_ids(read, judgements, own_judgements)
    table = pairs.join(asked, on="qid", how="inner", maintain_order="left").join(
        read, on="pid", how="inner", maintain_order="left"
    )
    if table.is_empty():
        raise UserError(queries, "", f"no pair has its texts in {query_lang} and {passage_lang}", "check the ids")
    counts = {"instances": len(table), "left_out": len(pairs) - len(table)}
    languages = {"query_lang": pl.lit(query_lang), "passage_lang": pl.lit(passage_lang)}
    write_table(table.with_columns(**languages), Path(out) / corpus_files(name=name)[0], CORPUS)
    if name == "train":
        with atomic_path(Path(out) / "stats.json") as temporary:
            write_statistics(counts, temporary)
    return counts


def _in_source_ids(passages: pl.DataFrame, judgements: str | Path, own_judgements: str | Path) -> pl.DataFrame:
    """Passages under the ids of those of the source language that are relevant to the same query.

    Where several would have one id, the one that is relevant to the earliest judged query has it.
    """
    source, own = (
        read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0).select("qid", "docid")
        for path in (judgements, own_judgements)
    )
    same = source.join(own, on="qid", suffix="_own", how="inner", maintain_order="left_right")
    same = same.unique("docid", keep="first", maintain_order=True).select(pid="docid_own", source="docid")
    return same.join(passages, on="pid", how="inner", maintain_order="left").select(pid="source", passage="passage")
