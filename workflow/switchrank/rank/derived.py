"""Vectors that are made of others: systems that need no training of their own."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.encoded import check_same_model, open_vectors, read_ids, read_record, unit_rows, write_record
from switchrank.formats.matrices import Floats, matrix_writer, open_matrix, read_blocks
from switchrank.formats.tables import DRAW, read_table
from switchrank.rank.pools import Paths, schema_of
from switchrank.search.blocks import Indices

_ROWS = 65_536
"""Vectors that are copied at once."""


def shift_vectors(*, vectors: str | Path, lines: Sequence[str | Path], out: str | Path) -> None:
    """Write vectors less the mean of their language, each made as long as 1 again.

    The mean is that of lines of parallel text in the same language. As lines that translate each other mean the same,
    what their means differ by is language (Libovický et al. 2020, arXiv 2004.05160).

    Args:
        vectors: those of texts of one language, of queries or documents (.npy).
        lines: those of lines of this language, encoded as the same kind of text (.npy).
        out: the vectors to write (.npy), with the record of --vectors.

    Raises:
        UserError: a file that is damaged or of another model, no lines.
    """
    for file in lines:
        check_same_model(file, vectors)
    mean = _mean(lines)
    with matrix_writer(out) as writer:
        for block in read_blocks(vectors):
            writer.append(unit_rows(block - mean))
    write_record(out, read_record(vectors) | {"shifted": True})


def mix_vectors(*, vectors: str | Path, others: str | Path, out: str | Path, weight: float = 0.5) -> None:
    """Write the weighted mean of each text's vector and another one of it, such as that of its translation.

    Each is made as long as 1 again.

    Args:
        vectors: those of some texts (.npy).
        others: those of the same texts in another form, in the same order (.npy).
        out: the vectors to write (.npy), with the record of --vectors.
        weight: of the others, from 0 to 1.

    Raises:
        UserError: a file that is damaged or of another model, another number of texts, a weight that is none.
    """
    if not 0 <= weight <= 1:
        raise UserError("mix", "weight", f"{weight}", "write a number from 0 to 1")
    check_same_model(others, vectors)
    rows = [len(open_matrix(file)) for file in (others, vectors)]
    if rows[0] != rows[1]:
        raise UserError(others, "", f"{rows[0]} vectors, where {vectors} has {rows[1]}", "give those of the same texts")
    with matrix_writer(out) as writer:
        for ours, theirs in zip(read_blocks(vectors), read_blocks(others), strict=True):
            writer.append(unit_rows(np.float32(1 - weight) * ours + np.float32(weight) * theirs))
    write_record(out, read_record(vectors) | {"mixed": weight})


def pool_vectors(*, draw: str | Path, tables: Paths, vectors: Paths, out: str | Path) -> None:
    """Write the vectors of a mixed pool, taken from those of its languages, so that no text is encoded twice.

    Args:
        draw: DRAW of the pool, in the order of its texts.
        tables: DOCUMENTS or QUERIES of each language.
        vectors: their vectors (.npy), in the order of the tables.
        out: the vectors to write (.npy), with the record of those of the first language that is drawn.

    Raises:
        UserError: a language without its table or vectors, an id that its table does not have, vectors of another table
            or model.
    """
    pool = read_table(draw, DRAW)
    if pool.is_empty():
        raise UserError(draw, "", "no texts", "give the draw of a pool")
    rows, matrices = np.empty(len(pool), np.int64), {}
    first = vectors.get(pool["lang"][0], "")
    for language in pool["lang"].unique(maintain_order=True):
        if language not in tables or language not in vectors:
            raise UserError(draw, f"language {language}", "no table or no vectors", "give both of every language")
        ids = read_ids(tables[language], schema_of(tables[language]))
        matrices[language] = open_vectors(vectors[language], len(ids), tables[language])
        check_same_model(vectors[language], first)
        here = (pool["lang"] == language).to_numpy()
        rows[here] = _rows_of(pool["id"].filter(here), ids, language, draw)
    with matrix_writer(out) as writer:
        for start in range(0, len(pool), _ROWS):
            languages, numbers = pool["lang"][start : start + _ROWS], rows[start : start + _ROWS]
            block = np.empty((len(numbers), matrices[languages[0]].shape[1]), np.float32)
            for language in languages.unique():
                here = (languages == language).to_numpy()
                block[here] = matrices[language][numbers[here]]
            writer.append(block)
    write_record(out, read_record(first))


def _rows_of(wanted: pl.Series, ids: pl.Series, language: str, draw: str | Path) -> Indices:
    """The rows of ``ids`` that a pool has ``wanted``; one that unites its languages has their names before the ids."""
    named = pl.format("{}:{}", pl.lit(language), "id")
    rows = pl.DataFrame({"id": ids}).with_row_index("row")
    both = pl.concat([rows, rows.with_columns(named.alias("id"))]).unique("id", keep="first", maintain_order=True)
    found = pl.DataFrame({"id": wanted}).join(both, on="id", how="left", maintain_order="left")["row"]
    if found.null_count():
        strange = wanted.filter(found.is_null())[0]
        raise UserError(draw, f"id {strange}", f"not in the {language} table", "give those that the pool was made of")
    return found.cast(pl.Int64).to_numpy()


def _mean(files: Sequence[str | Path]) -> Floats:
    """The mean of all rows of some files, float32 ``(d,)``."""
    count = sum(len(open_matrix(file)) for file in files)
    if not count:
        raise UserError(", ".join(map(str, files)), "", "no vectors of lines", "give parallel text that has some")
    sums = sum(block.sum(axis=0, dtype=np.float64) for file in files for block in read_blocks(file))
    return np.asarray(sums / count, dtype=np.float32)
