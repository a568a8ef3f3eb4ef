"""Ranking with a dual encoder: texts become vectors once, in files, and queries are compared with documents by them.

All documents are searched (:mod:`switchrank.search.exact`), or candidates are scored, by the same inner products.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.formats.encoded import check_same_model, open_vectors, read_ids, unit_rows, write_record
from switchrank.formats.matrices import Floats, matrix_writer, read_blocks
from switchrank.formats.tables import CANDIDATES, DAMAGE, DOCUMENTS, QUERIES, read_relevant, read_table, reason
from switchrank.formats.trec_writing import write_run
from switchrank.models.recipe import Kind
from switchrank.rank.inference import USUAL, Inference, check_system
from switchrank.search.blocks import Indices
from switchrank.search.choices import DEPTH
from switchrank.search.exact import inner_products, search

if TYPE_CHECKING:
    from switchrank.models.dual_encoder import DualEncoder

_ROWS = 65_536
"""Texts that are read, or candidates that are scored, at once."""


class Texts(NamedTuple):
    """Texts in memory: their ids, and the file they come from."""

    ids: list[str]
    texts: list[str]
    source: str | Path


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
    texts = _scan_texts(Path(table), column)
    _encode(_open(model, inference), texts, kind, out, table)


def _scan_texts(table: Path, column: str) -> pl.LazyFrame:
    if not table.is_file():
        raise UserError(table, "", "no such file", "run the stage that makes it, or correct the path")
    try:
        frame = pl.scan_parquet(table)
        columns = frame.collect_schema()
    except DAMAGE as error:
        raise UserError(table, "", f"not a readable table ({reason(error)})", "delete it and rerun") from error
    if columns.get(column) != pl.String:
        known = ", ".join(name for name, dtype in columns.items() if dtype == pl.String)
        raise UserError(table, "columns", f"no texts in '{column}'", f"name one of {known}")
    return frame.select(text=pl.col(column).fill_null(""))


def _open(model: str | Path, inference: Inference) -> "DualEncoder":
    from switchrank.models.dual_encoder import DualEncoder

    if inference.truncation is not None:
        raise UserError("rank", "truncation", "has no meaning with a dual encoder", "leave it out")
    longest = inference.max_length
    return DualEncoder.open(
        model,
        lengths=None if longest is None else {"query": longest, "document": longest},
        device=inference.device,
        threads=inference.threads,
        precision=inference.precision,
        token_budget=inference.token_budget,
    )


def _encode(encoder: "DualEncoder", texts: pl.LazyFrame, kind: Kind, out: str | Path, source: str | Path) -> None:
    from switchrank.core.instructions import computed_on

    first = _first_equal(texts, source)
    new = np.flatnonzero(first == np.arange(len(first)))
    row = done = 0
    what = f"encode {Path(source).name}"
    with matrix_writer(out) as writer, progress(total=len(new), what=what, unit="texts") as bar:
        for vectors in encoder.encode_stream(_new_texts(texts, first), kind):
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


def _parts(texts: pl.LazyFrame) -> Iterator[pl.Series]:
    """Texts, some thousands at a time."""
    count = texts.select(pl.len()).collect().item()
    for start in range(0, count, _ROWS):
        yield texts.slice(start, _ROWS).collect()["text"]


def _first_equal(texts: pl.LazyFrame, source: str | Path) -> Indices:
    """For each text the row of the first one that equals it, by two hashes of 64 bits; blank ones are told."""
    hashes, blank = [], 0
    for part in _parts(texts):
        hashes.append(pl.DataFrame({"one": part.hash(1), "other": part.hash(2)}))
        blank += int((~part.str.contains(r"\S")).sum())
    if not hashes:
        raise UserError(source, "", "no texts", "give a table that has some")
    rows = pl.concat(hashes).with_row_index("row")
    if blank:
        print(f"{source}: {blank} of {len(rows)} texts are blank: their vectors say nothing", file=sys.stderr)
    return rows.select(pl.col("row").min().over("one", "other").cast(pl.Int64))["row"].to_numpy()


def _new_texts(texts: pl.LazyFrame, first: Indices) -> Iterator[str]:
    """Those that no earlier one equals."""
    start = 0
    for part in _parts(texts):
        some = np.arange(start, start + len(part))
        yield from part.filter(pl.Series(first[some] == some))
        start += len(part)


class _Side:
    """The ids of queries or documents, and their vectors."""

    def __init__(self, ids: pl.Series, source: str | Path, vectors: str | Path) -> None:
        self.ids, self.source, self.vectors = ids, source, vectors
        self.matrix = open_vectors(vectors, len(ids), source)

    def judged(self, judgements: str | Path) -> "_Side":
        """The queries with a positive judgement."""
        kept = self.ids.is_in(read_relevant(judgements)["qid"].implode()).to_numpy()
        if not kept.any():
            raise UserError(judgements, "", f"no query of {self.source} is judged", "give those of these queries")
        some = copy(self)
        some.ids, some.matrix = self.ids.filter(kept), self.matrix[kept]
        return some

    def numbers(self, ids: pl.Series, source: str | Path, what: str) -> Indices:
        """The rows of some ids; raises UserError where ``source`` names one that is not here."""
        rows = pl.DataFrame({"id": self.ids}).with_row_index("row")
        found = pl.DataFrame({"id": ids}).join(rows, on="id", how="left", maintain_order="left")["row"]
        if found.null_count():
            todo = f"give the candidates that were made for {self.source}"
            raise UserError(source, f"{what} {ids.filter(found.is_null())[0]}", "not in the texts", todo)
        return found.cast(pl.Int64).to_numpy()


Pair = Mapping[str, str]
"""``queries`` and ``documents`` of a language pair, ``query_vectors`` and ``document_vectors`` of their texts, the run
``out``, and perhaps ``candidates``, or ``judgements``, so that only judged queries search; paths."""


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
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((str(pair["documents"]), str(pair["document_vectors"])), []).append(pair)
    for (table, vectors), group in groups.items():
        documents = _Side(read_ids(table, DOCUMENTS), table, vectors)
        searching = []
        for pair in group:
            queries = _Side(read_ids(pair["queries"], QUERIES), pair["queries"], pair["query_vectors"])
            check_same_model(vectors, queries.vectors)
            if candidates := pair.get("candidates"):
                scores = _scored(queries, documents, read_table(candidates, CANDIDATES), candidates)
                write_run(scores, pair["out"], system, depth)
            else:
                judgements = pair.get("judgements")
                searching.append((pair["out"], queries.judged(judgements) if judgements else queries))
        found = _searched([side for _, side in searching], documents, DEPTH if depth is None else depth, threads)
        for (out, _), scores in zip(searching, found, strict=True):
            write_run(scores, out, system)


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
    encoder = _open(model, inference)

    def encoded(some: Texts, kind: Kind) -> _Side:
        vectors = Path(folder, f"{kind}.npy")
        _encode(encoder, pl.LazyFrame({"text": some.texts}, schema={"text": pl.String}), kind, vectors, some.source)
        return _Side(pl.Series(some.ids, dtype=pl.String), some.source, vectors)

    with TemporaryDirectory() as folder:
        asking, among = encoded(queries, "query"), encoded(documents, "document")
        if candidates is not None:
            return _scored(asking, among, candidates, source)
        (found,) = _searched([asking], among, depth, inference.threads)
        return found


def _searched(queries: Sequence[_Side], documents: _Side, depth: int, threads: int) -> Iterator[pl.DataFrame]:
    """The best documents of each side's queries, as ``qid docid score``."""
    if not queries:
        return
    order = documents.ids.arg_sort()
    places = np.empty(len(order), np.int64)
    places[order.to_numpy()] = np.arange(len(order))
    names, asked = documents.ids.gather(order), np.concatenate([side.matrix for side in queries])
    blocks = read_blocks(documents.vectors)
    numbers, scores = search(blocks, asked, depth, numbers=places, threads=threads, what="search")
    start = 0
    for side in queries:
        part = slice(start, start + len(side.ids))
        qids = side.ids.gather(np.repeat(np.arange(len(side.ids)), numbers.shape[1]))
        found = {"docid": names.gather(numbers[part].ravel()), "score": scores[part].ravel()}
        yield pl.DataFrame({"qid": qids} | found)
        start = part.stop


def _scored(queries: _Side, documents: _Side, candidates: pl.DataFrame, source: str | Path) -> pl.DataFrame:
    """The scores of CANDIDATES from ``source``, as ``qid docid score``."""
    query = queries.numbers(candidates["qid"], source, "query")
    document = documents.numbers(candidates["docid"], source, "document")
    scores = np.empty(len(candidates), np.float32)
    for start in progress(range(0, len(scores), _ROWS), what="candidates", unit="blocks"):
        part = slice(start, start + _ROWS)
        sides = ((queries.matrix, query[part]), (documents.matrix, document[part]))
        (asked, ours), (used, theirs) = (_held(matrix, rows) for matrix, rows in sides)
        scores[part] = inner_products(asked, ours, used, theirs)
    if not np.isfinite(scores).all():
        raise UserError(documents.vectors, "", "vectors that are not finite", "encode them again, in fp32")
    return candidates.select("qid", "docid", pl.Series("score", scores))


def _held(matrix: Floats, rows: Indices) -> tuple[Floats, Indices]:
    """The rows that are used, in memory, and where each of them is now."""
    used, places = np.unique(rows, return_inverse=True)
    return matrix[used], places
