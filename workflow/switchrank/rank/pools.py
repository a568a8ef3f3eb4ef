"""Mixed pools, the ``xx`` sides of a test set: each text in a language drawn for it, or all documents in all languages.

A *drawn* pool follows create_multilingual.py of the paper's code; a *union* pool is the multilingual setting of XQuAD-R
and MLQA-R. DRAW says which id is in which language. Tables are read one language at a time.
"""

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, DRAW, JUDGEMENTS, QUERIES, Schema, read_table, write_table

Paths = Mapping[str, str | Path]
"""One table per language."""


def schema_of(path: str | Path) -> Schema:
    """That of a table of texts: QUERIES or DOCUMENTS."""
    try:
        columns = pl.read_parquet_schema(path)
    except (pl.exceptions.PolarsError, OSError):
        return DOCUMENTS  # reading it says what is wrong
    return QUERIES if "qid" in columns else DOCUMENTS


def _read_texts(path: str | Path, schema: Schema) -> pl.DataFrame:
    table = read_table(path, schema)
    if not table["text"].str.contains(r"\S").any():
        problem = "no text, and a pool without a language is not the pool that was asked for"
        raise UserError(path, "", problem, "give a table that has some, or leave this language out")
    column = next(iter(schema))
    twice = table.filter(table[column].is_duplicated())
    if len(twice):
        raise UserError(path, f"{column} {twice[column][0]}", "twice", "keep one row of each id")
    return table


def _numbered(texts: Paths, schema: Schema) -> tuple[pl.Series, dict[str, NDArray[np.int64]]]:
    """All ids, in order of first appearance, and the place in them of each row of each language."""
    column = next(iter(schema))
    ids = pl.DataFrame(schema={"id": pl.String, "number": pl.Int64})
    numbers = {}
    for language, path in texts.items():
        table = _read_texts(path, schema).select(id=column)
        new = table.join(ids, on="id", how="anti", maintain_order="left")
        ids = pl.concat([ids, new.with_columns(number=pl.int_range(len(ids), len(ids) + len(new), dtype=pl.Int64))])
        numbers[language] = table.join(ids, on="id", how="left", maintain_order="left")["number"].to_numpy()
    return ids["id"], numbers


def _drawn(ids: pl.Series, numbers: Mapping[str, NDArray[np.int64]], seed: int, purpose: str) -> NDArray[np.int64]:
    """For each id the place of its language in the ascending order of languages.

    Every language gives every id a uniform weight, and the heaviest language that has the id wins (rendezvous hashing,
    Thaler and Ravishankar 1998, doi:10.1109/90.663936). So no draw depends on other ids or on the order of languages.
    """
    # Of the bytes of the ids alone: polars hashes differ between its versions.
    digests = (hashlib.blake2b(text.encode(), digest_size=8).digest() for text in ids)
    coordinates = np.fromiter((int.from_bytes(digest, "little") for digest in digests), np.uint64, len(ids))
    weights = np.full((len(numbers), len(ids)), -1.0)
    for place, language in enumerate(sorted(numbers)):
        rows = numbers[language]
        weights[place, rows] = counter_uniform(derive_seed(seed, "pool", purpose, language), coordinates[rows])
    winner: NDArray[np.int64] = weights.argmax(axis=0)
    return winner


def draw_pool(*, texts: Paths, purpose: str, out: str | Path, draw_out: str | Path, seed: int = 1) -> dict[str, int]:
    """Write a pool in which every id has the text of one language, all languages that have it being equally likely.

    Args:
        texts: DOCUMENTS or QUERIES of each language, with the same ids.
        purpose: what is drawn, such as ``world-mlir6/documents``; other purposes have draws of their own.
        out: the pool to write (.parquet), with the schema of the input; rows in the order of the first language's
            table, then ids that it does not have.
        draw_out: DRAW to write: the language of each id, in the order of ``out``.
        seed: seed of the draw.

    Returns:
        The number of texts of each language. Ids that a language does not have are counted on standard error.

    Raises:
        UserError: no languages, a language without any text, an id twice, an unreadable table.
    """
    if not texts:
        raise UserError("pool", purpose, "no languages", "give the texts of at least one")
    schema = schema_of(next(iter(texts.values())))
    column = next(iter(schema))
    ids, numbers = _numbered(texts, schema)
    winner = _drawn(ids, numbers, seed, purpose)
    languages = sorted(texts)
    parts = []
    for language, path in texts.items():
        rows = numbers[language]
        table = read_table(path, schema).with_columns(number=pl.Series(rows))
        parts.append(table.filter(pl.Series(winner[rows] == languages.index(language))))
        if missing := len(ids) - len(rows):
            problem = f"{missing} of {len(ids)} ids have no text in {language}: drawn among the other languages"
            print(f"{path}: {problem}", file=sys.stderr)
    pool = pl.concat(parts).sort("number")
    drawn = pl.Series("lang", languages, dtype=pl.String).gather(winner)
    write_table(pool, out, schema)
    write_table(pl.DataFrame({"id": pool[column], "lang": drawn}), draw_out, DRAW)
    return {language: len(part) for language, part in zip(texts, parts, strict=True)}


def pool_judgements(*, judgements: str | Path, draw: str | Path, out: str | Path) -> None:
    """Write the judgements of a drawn pool: those of the source language whose document is in the pool.

    Args:
        judgements: JUDGEMENTS of the source language; drawing keeps ids, so they hold whatever was drawn.
        draw: DRAW of the pool's documents.
        out: JUDGEMENTS of the pool; those left out are counted on standard error.

    Raises:
        UserError: no relevant document is in the pool.
    """
    judged = read_table(judgements, JUDGEMENTS)
    pool = read_table(draw, DRAW).select(docid="id")
    kept = judged.join(pool, on="docid", how="semi", maintain_order="left")
    if not (kept["relevance"] > 0).any():
        raise UserError(judgements, "", f"no relevant document is in the pool {draw}", "give those of its collection")
    if len(kept) < len(judged):
        left_out = f"{len(judged) - len(kept)} judgements left out: their document is not in the pool"
        print(f"{judgements}: {left_out}", file=sys.stderr)
    write_table(kept, out, JUDGEMENTS)


def _united(tables: Paths, schema: Schema, pool: pl.DataFrame) -> pl.DataFrame:
    """Rows of all languages with prefixed docids, plus ``query`` (order of first appearance) and ``language``."""
    parts = []
    for number, (language, path) in enumerate(tables.items()):
        prefixed = pl.format("{}:{}", pl.lit(language), "docid")
        table = read_table(path, schema).with_columns(docid=prefixed, language=pl.lit(number))
        strangers = table.join(pool, left_on="docid", right_on="id", how="anti", maintain_order="left")
        if len(strangers):
            docid = strangers["docid"][0].removeprefix(f"{language}:")
            problem = f"{len(strangers)} rows with documents that the {language} collection does not have"
            raise UserError(path, f"document {docid}", problem, "give the table of this document language")
        parts.append(table)
    rows = pl.concat(parts)
    queries = rows.select(pl.col("qid").unique(maintain_order=True)).with_row_index("query")
    return rows.join(queries, on="qid", how="left", maintain_order="left")


def join_pool(
    *,
    documents: Paths,
    judgements: Paths,
    out: str | Path,
    judgements_out: str | Path,
    draw_out: str | Path,
    candidates: Paths | None = None,
    candidates_out: str | Path | None = None,
) -> None:
    """Write a pool of every document in every language; document ``d1`` in German becomes ``de:d1``.

    Args:
        documents: DOCUMENTS of each language; the pool holds them language by language, in this order.
        judgements: JUDGEMENTS of each language; a query's relevant documents are those of all languages.
        out: DOCUMENTS of the pool.
        judgements_out: JUDGEMENTS of the pool: relevant in any language; queries in order of first appearance.
        draw_out: DRAW to write: the language of each new id.
        candidates: CANDIDATES of each language: a query's lists are merged by rank, equal ranks in the order of
            languages, and ranked anew from 1.
        candidates_out: CANDIDATES of the pool; goes with --candidates.

    Raises:
        UserError: no languages, a language without text or without one of its tables, an id twice, a judgement or
            candidate of a document that the language does not have.
    """
    if not documents:
        raise UserError("pool", "documents", "no languages", "give the documents of at least one")
    if (candidates is None) != (candidates_out is None):
        raise UserError("pool", "candidates", "read but not written, or written from nothing", "give both or neither")
    for what, tables in (("judgements", judgements), ("candidates", documents if candidates is None else candidates)):
        for language in sorted({*documents} ^ {*tables}):
            lacking = what if language in documents else "documents"
            raise UserError("pool", f"language {language}", f"no {lacking}", "give all tables of every language")
    pool = pl.concat(
        _read_texts(path, DOCUMENTS)
        .with_columns(lang=pl.lit(language))
        .with_columns(docid=pl.format("{}:{}", "lang", "docid"))
        for language, path in documents.items()
    )
    draw = pool.select(id="docid", lang="lang")
    judged = _united({language: judgements[language] for language in documents}, JUDGEMENTS, draw)
    write_table(pool, out, DOCUMENTS)
    write_table(draw, draw_out, DRAW)
    write_table(judged.sort("query", "language", maintain_order=True), judgements_out, JUDGEMENTS)
    if candidates is not None and candidates_out is not None:
        listed = _united({language: candidates[language] for language in documents}, CANDIDATES, draw)
        merged = listed.sort("query", "rank", "language", maintain_order=True)
        ranked = merged.with_columns(rank=pl.int_range(1, pl.len() + 1).over("qid"))
        write_table(ranked, candidates_out, CANDIDATES)
