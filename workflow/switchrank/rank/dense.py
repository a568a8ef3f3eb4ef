"""Ranking with a dual encoder: texts become vectors once, in files, and queries are compared with documents by them.

All documents are searched (:mod:`switchrank.search.exact`), or candidates are scored, by the same inner products.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from switchrank.core.progress import progress
from switchrank.formats.encoded import check_same_model, open_vectors, unit_rows, write_record
from switchrank.formats.matrices import Floats, matrix_writer, read_blocks
from switchrank.models.recipe import Kind
from switchrank.rank.inference import USUAL, Inference, check_system
from switchrank.rank.sides import Pair, Side, by_docid, found_by, rank_in_memory, rank_sides
from switchrank.rank.texts import Texts, first_equal, new_texts, scan_texts
from switchrank.search.blocks import Indices
from switchrank.search.choices import DEPTH
from switchrank.search.exact import inner_products, search

if TYPE_CHECKING:
    from switchrank.models.dual_encoder import DualEncoder

_ROWS = 65_536
"""Candidates that are scored at once."""
_Vectors = Side[Floats]


def encode_table(
    *,
    model: str | Path,
    table: str | Path,
    kind: Kind,
    out: str | Path,
    column: str = "text",
    inference: Inference = USUAL,
) -> None:
    """Write the vectors of a table's texts: float32 rows in its order, each as long as 1, and a record beside them.

    Equal texts are encoded once and have equal vectors. Memory does not grow with the texts, but for some numbers each.

    Args:
        model: folder or hub name of a dual encoder, or of another encoder (mean pooling, no prompts).
        table: a table with texts (.parquet): queries, documents, or parallel lines.
        kind: as what they are encoded, which decides their prompt.
        out: the vectors to write (.npy); what made them is told in a .json file beside it.
        column: which column holds the texts; of parallel lines source or target.
        inference: how texts become vectors.

    Raises:
        UserError: no such table or column, no texts; see :meth:`switchrank.models.dual_encoder.DualEncoder.open`.
        NoGpuError: a GPU was asked for and none is there.
    """
    texts = scan_texts(Path(table), column)
    _encode(_open(model, inference), texts, kind, out, table)


def _open(model: str | Path, inference: Inference) -> "DualEncoder":
    from switchrank.models.dual_encoder import DualEncoder

    return DualEncoder.open(model, **inference.of_texts("a dual encoder"))


def _encode(encoder: "DualEncoder", texts: pl.LazyFrame, kind: Kind, out: str | Path, source: str | Path) -> None:
    from switchrank.core.instructions import computed_on

    first = first_equal(texts, source)
    new = np.flatnonzero(first == np.arange(len(first)))
    row = done = 0
    what = f"encode {Path(source).name}"
    with matrix_writer(out) as writer, progress(total=len(new), what=what, unit="texts") as bar:
        for vectors in encoder.encode_stream(new_texts(texts, first), kind):
            done += len(vectors)
            stop = int(new[done]) if done < len(new) else len(first)
            earlier, own = first[row:stop], np.arange(row, stop)
            block = np.empty((stop - row, encoder.dimensions), np.float32)
            block[earlier == own] = vectors if encoder.recipe.normalised else unit_rows(vectors)
            for place in np.flatnonzero(earlier != own):
                block[place] = block[earlier[place] - row] if earlier[place] >= row else writer.row(earlier[place])
            writer.append(block)
            row = stop
            bar.update(len(vectors))
    told = {"model": encoder.digest(), "kind": kind, "texts": len(first), "dimensions": encoder.dimensions}
    write_record(out, told | {"precision": encoder.precision} | computed_on(encoder.model.device))


def retrieve_pairs(
    *, pairs: Sequence[Pair], system: str = "switchrank", depth: int | None = None, threads: int = 1
) -> None:
    """Rank documents for the queries of each pair by the cosine of their vectors, and write one TREC run for each.

    Of a pair without candidates all documents are searched; pairs with the same documents are searched together.
    Scores of equal vectors are equal, and which documents are kept of equal scores goes by ascending docid.

    Args:
        pairs: tables of one language pair, their vectors, and the run to write; repeat for every pair.
        system: tag in the last column.
        depth: documents of a query that a run keeps; default: 1000 of a search, else all candidates.
        threads: CPU threads; they change no byte.

    Raises:
        UserError: vectors that are damaged, of another model or of another table; candidates that name unknown ids.
    """
    check_system(system)
    kept = DEPTH if depth is None else depth
    searched = partial(_searched, depth=kept, threads=threads)
    rank_sides(pairs, system, depth, opened=_opened, check=check_same_model, compared=_compared, searched=searched)


def rank_texts(
    model: str | Path,
    queries: Texts,
    documents: Texts,
    candidates: pl.DataFrame | None = None,
    *,
    source: str | Path = "",
    depth: int = DEPTH,
    inference: Inference = USUAL,
) -> pl.DataFrame:
    """Scores of texts in memory, as ``qid docid score``: of CANDIDATES from ``source``, else of a search.

    Vectors are written to a temporary folder, and errors are those of :func:`encode_table` and :func:`retrieve_pairs`.
    """
    return rank_in_memory(
        queries,
        documents,
        candidates,
        source,
        encode=partial(_encode, _open(model, inference)),
        opened=_opened,
        compared=_compared,
        searched=partial(_searched, depth=depth, threads=inference.threads),
    )


def _opened(ids: pl.Series, source: str | Path, vectors: str | Path) -> _Vectors:
    return Side(ids, source, vectors, open_vectors(vectors, len(ids), source))


def _searched(queries: Sequence[_Vectors], documents: _Vectors, *, depth: int, threads: int) -> Iterator[pl.DataFrame]:
    """The best documents of each side's queries, as ``qid docid score``."""
    if not queries:
        return
    names, places = by_docid(documents)
    asked, blocks = np.concatenate([side.matrix for side in queries]), read_blocks(documents.vectors)
    numbers, scores = search(blocks, asked, depth, numbers=places, threads=threads, what="search")
    yield from found_by(queries, names, numbers, scores)


def _compared(queries: _Vectors, query: Indices, documents: _Vectors, document: Indices) -> Floats:
    """The inner products of queries with documents, by their rows in both sides, float32 ``(n,)``."""
    scores = np.empty(len(query), np.float32)
    for start in progress(range(0, len(scores), _ROWS), what="candidates", unit="blocks"):
        part = slice(start, start + _ROWS)
        sides = ((queries.matrix, query[part]), (documents.matrix, document[part]))
        (asked, ours), (used, theirs) = (_held(matrix, rows) for matrix, rows in sides)
        scores[part] = inner_products(asked, ours, used, theirs)
    return scores


def _held(matrix: Floats, rows: Indices) -> tuple[Floats, Indices]:
    """The rows that are used, in memory, and where each of them is now."""
    used, places = np.unique(rows, return_inverse=True)
    return matrix[used], places
