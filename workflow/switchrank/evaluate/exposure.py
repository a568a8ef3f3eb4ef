"""Which test documents a model has met in training, as positives or as negatives of training queries.

Training and test queries are disjoint, but where both search one collection, as in MS MARCO, passages that are ranked
were negatives of training queries. All systems of a run learn from the same pairs, so their differences stand; their
scores may be higher than on documents that are new to them.
"""

from pathlib import Path

import polars as pl
from typing_extensions import TypedDict

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats import tables


class TestedLanguage(TypedDict):
    """One language of a test set's documents; ``candidates`` is one table, one for each pair, or None or
    none where every document is a candidate."""

    documents: str
    judgements: str
    candidates: str | list[str] | None


class Exposed(TypedDict):
    """A test set, and the training pairs of systems.

    ``by`` is ``id`` where both are of one collection, whose ids mean the same in all languages, or ``text``: a document
    was met if its text, in any of the ``tested`` languages, is that of a training document. ``training_documents`` are
    those of the source language. ``own_ids``: ids mean something else in each tested language.
    """

    training: str
    systems: list[str]
    instances: str
    training_documents: str
    testset: str
    tested: list[TestedLanguage]
    by: str
    own_ids: bool


def exposure_table(*, pairs: list[Exposed], out: str | Path) -> None:
    """Write EXPOSURE, one row per entry of ``pairs``, in their order.

    ``documents`` are the candidates of all judged queries and the relevant documents. The counts beside them say how
    many were a positive, or a negative, of a training pair; a document may be both.

    Args:
        pairs: JSON list of test sets and training pairs; see below.
        out: table to write (.csv or .parquet).

    Raises:
        UserError: a table is missing or unreadable, or ``by`` is neither ``id`` nor ``text``.
    """
    rows = [_row(pair) for pair in progress(pairs, what="exposure", unit="test sets")]
    tables.write_table(pl.DataFrame(rows, schema=tables.EXPOSURE), out, tables.EXPOSURE)


def _row(pair: Exposed) -> dict[str, str | int]:
    if pair["by"] not in ("id", "text"):
        raise UserError("exposure", "by", f"unknown value {pair['by']}", "write id or text")
    met = tables.scan_table(pair["instances"], tables.INSTANCES).select(docid="pid", label="label").unique()
    if pair["by"] == "text":
        texts = tables.scan_table(pair["training_documents"], tables.DOCUMENTS).select("docid", "text")
        met = texts.join(met, on="docid").select("text", "label").unique()
    seen = met.collect(engine="streaming")
    tested = pl.concat([_tested(part, pair, number, seen) for number, part in enumerate(pair["tested"])])
    every = tested.group_by("name").agg(pl.col("relevant", "positive", "negative").any())
    relevant = every.filter("relevant")
    row: dict[str, str | int] = {"documents": len(every), "relevant": len(relevant)}
    for prefix, documents in {"": every, "relevant_": relevant}.items():
        row |= {f"{prefix}{label}s": int(documents[label].sum()) for label in ("positive", "negative")}
    labels = {"training": pair["training"], "testset": pair["testset"], "by": pair["by"]}
    return row | labels | {"systems": " ".join(pair["systems"])}


def _tested(part: TestedLanguage, pair: Exposed, number: int, seen: pl.DataFrame) -> pl.DataFrame:
    """Documents of one language: ``name``, and whether they are relevant and were met as ``positive``, ``negative``."""
    judged = tables.read_relevant(part["judgements"])
    documents = tables.scan_table(part["documents"], tables.DOCUMENTS).select("docid", "text")
    given = part["candidates"]
    if given:
        asked = judged.lazy().select("qid").unique()
        paths = [given] if isinstance(given, str) else given
        lists = pl.concat([tables.scan_table(path, tables.CANDIDATES) for path in paths])
        listed = lists.join(asked, on="qid", how="semi").select("docid")
        wanted = pl.concat([listed, judged.lazy().select("docid")]).unique()
        documents = documents.join(wanted, on="docid", how="semi")
    key = "docid" if pair["by"] == "id" else "text"
    labels = {"positive": 1, "negative": 0}
    flags = [pl.col(key).is_in(seen.filter(label=label)[key].implode()).alias(name) for name, label in labels.items()]
    relevant = pl.col("docid").is_in(judged["docid"].implode()).alias("relevant")
    name = pl.concat_str(pl.lit(f"{number if pair['own_ids'] else 0}:"), "docid").alias("name")
    return documents.select(name, relevant, *flags).collect(engine="streaming")
