"""Ranking by late interaction: texts become vectors of tokens once, in files, and MaxSim compares them.

Candidates are scored, or all documents of a small collection are searched (:mod:`switchrank.search.max_sim`).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from switchrank.core.progress import progress
from switchrank.formats.encoded import check_same_model, write_record
from switchrank.formats.matrices import Floats
from switchrank.formats.token_vectors import HALF, StoredTokens, open_tokens, token_rows, write_spans
from switchrank.models.recipe import Kind
from switchrank.rank.inference import USUAL, Inference, check_system
from switchrank.rank.sides import Pair, Side, by_docid, found_by, rank_in_memory, rank_sides, refuse_infinite
from switchrank.rank.texts import Texts, first_equal, new_texts, scan_texts
from switchrank.search.blocks import Indices
from switchrank.search.choices import DEPTH
from switchrank.search.max_sim import score_pairs, search

if TYPE_CHECKING:
    from switchrank.models.late_interaction import LateEncoder

_Tokens = Side[StoredTokens]


def encode_tokens(
    *,
    model: str | Path,
    table: str | Path,
    kind: Kind,
    out: str | Path,
    column: str = "text",
    inference: Inference = USUAL,
) -> None:
    """Write the vectors of the tokens of a table's texts, in half precision, and a record beside them.

    Equal texts are encoded and written once. Memory does not grow with the texts, but for some numbers each.

    Args:
        model: folder of a model of late interaction.
        table: a table with texts (.parquet): queries or documents.
        kind: as what they are encoded, which decides their marker, their length and whether punctuation has vectors.
        out: the vectors to write (.npy); which are those of each text is in a .spans.npy file beside it, and what made
            them in a .json file.
        column: which column holds the texts.
        inference: how texts become vectors.

    Raises:
        UserError: no such table or column, no texts; see
            :meth:`switchrank.models.late_interaction.LateEncoder.open`.
        NoGpuError: a GPU was asked for and none is there.
    """
    texts = scan_texts(Path(table), column)
    _encode(_open(model, inference), texts, kind, out, table)


def _open(model: str | Path, inference: Inference) -> "LateEncoder":
    from switchrank.models.late_interaction import LateEncoder

    return LateEncoder.open(model, **inference.of_texts("late interaction"))


def _encode(encoder: "LateEncoder", texts: pl.LazyFrame, kind: Kind, out: str | Path, source: str | Path) -> None:
    from switchrank.core.instructions import computed_on

    first = first_equal(texts, source)
    new = np.flatnonzero(first == np.arange(len(first)))
    counts: list[int] = []
    what = f"encode {Path(source).name}"
    with token_rows(out) as writer, progress(total=len(new), what=what, unit="texts") as bar:
        for part in encoder.encode_stream(new_texts(texts, first), kind):
            writer.append(np.concatenate(part))
            counts += map(len, part)
            bar.update(len(part))
    lengths = np.array(counts, np.int64)
    spans = np.stack([np.cumsum(lengths) - lengths, lengths], axis=1)
    write_spans(out, spans[np.searchsorted(new, first)])
    told = {"model": encoder.digest(), "kind": kind, "texts": len(first), "dimensions": encoder.dimensions}
    told |= {"tokens": int(lengths.sum()), "precision": encoder.precision}
    write_record(out, told | computed_on(encoder.model.device))


def max_sim_pairs(
    *, pairs: Sequence[Pair], system: str = "switchrank", depth: int | None = None, threads: int = 1
) -> None:
    """Rank documents for the queries of each pair by MaxSim, and write one TREC run for each.

    Of a pair without candidates all documents are searched, if their tokens are few enough to be compared one by one.
    Of equal scores the lower docid comes first.

    Args:
        pairs: tables of one language pair, the vectors of their tokens, and the run to write; repeat for every pair.
        system: tag in the last column.
        depth: documents of a query that a run keeps; default: 1000 of a search, else all candidates.
        threads: CPU threads; they change no byte.

    Raises:
        UserError: vectors that are damaged, of another model or of another table; candidates that name unknown ids; too
            many tokens to be searched.
    """
    check_system(system)
    searched = partial(_searched, depth=DEPTH if depth is None else depth, threads=threads)
    check = partial(check_same_model, dtype=HALF)
    rank_sides(pairs, system, depth, opened=_opened, check=check, compared=_compared, searched=searched)


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

    Vectors are written to a temporary folder, and errors are those of :func:`encode_tokens` and :func:`max_sim_pairs`.
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


def _opened(ids: pl.Series, source: str | Path, vectors: str | Path) -> _Tokens:
    return Side(ids, source, vectors, open_tokens(vectors, len(ids), source))


def _searched(queries: Sequence[_Tokens], documents: _Tokens, *, depth: int, threads: int) -> Iterator[pl.DataFrame]:
    """The best documents of each side's queries, as ``qid docid score``."""
    names, places = by_docid(documents)
    for side in queries:
        how: dict[str, Any] = {"numbers": places, "threads": threads, "what": "search"}
        numbers, scores = search(side.matrix, documents.matrix, depth, **how)
        refuse_infinite(scores, documents)
        yield from found_by([side], names, numbers, scores)


def _compared(queries: _Tokens, query: Indices, documents: _Tokens, document: Indices) -> Floats:
    """The MaxSim of queries with documents, by their rows in both sides, float32 ``(n,)``."""
    return score_pairs(queries.matrix, documents.matrix, query, document, what="candidates")
