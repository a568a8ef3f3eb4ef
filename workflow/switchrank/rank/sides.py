"""Queries and documents with what they have become, whatever that is: ids, files, and the runs of language pairs."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.encoded import read_ids
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_relevant, read_table
from switchrank.formats.trec_writing import write_run
from switchrank.models.recipe import KINDS, Kind
from switchrank.rank.texts import Texts
from switchrank.search.blocks import Floats, Indices

V = TypeVar("V", bound=Any)
Pair = Mapping[str, str]
"""``queries`` and ``documents`` of a language pair, ``query_vectors`` and ``document_vectors`` of their texts, the run
``out``, and perhaps ``candidates``, or ``judgements``, so that only judged queries search; paths."""


class Side(Generic[V]):
    """The ids of queries or documents, the table they come from, and their vectors: a file, and what is in it.

    ``matrix[kept]`` are those of some texts, with a bool for each.
    """

    def __init__(self, ids: pl.Series, source: str | Path, vectors: str | Path, matrix: V) -> None:
        self.ids, self.source, self.vectors, self.matrix = ids, source, vectors, matrix

    def judged(self, judgements: str | Path) -> "Side[V]":
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


Opened = Callable[[pl.Series, str | Path, str | Path], Side[V]]
"""Opens the vectors of a side, by its ids, its table and its file of vectors."""
Encode = Callable[[pl.LazyFrame, Kind, Path, str | Path], None]
"""Writes the vectors of texts of a kind to a file; the last argument is where the texts come from."""
Compared = Callable[[Side[V], Indices, Side[V], Indices], Floats]
"""The scores of queries with documents, by their rows in both sides, float32 ``(n,)``."""
Searched = Callable[[Sequence[Side[V]], Side[V]], Iterator[pl.DataFrame]]
"""The best documents of each side's queries, ``qid docid score``."""


def rank_sides(
    pairs: Sequence[Pair],
    system: str,
    depth: int | None,
    *,
    opened: Opened[V],
    check: Callable[[str | Path, str | Path], None],
    compared: Compared[V],
    searched: Searched[V],
) -> None:
    """Write the run of each pair: the candidates as they are scored, or where it has none what is found.

    Pairs with the same documents are searched together. ``check`` raises UserError where the vectors of queries and of
    documents cannot be compared, by their files.
    """
    groups: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        groups.setdefault((str(pair["documents"]), str(pair["document_vectors"])), []).append(pair)
    for (table, vectors), group in groups.items():
        documents = opened(read_ids(table, DOCUMENTS), table, vectors)
        searching = []
        for pair in group:
            queries = opened(read_ids(pair["queries"], QUERIES), pair["queries"], pair["query_vectors"])
            check(vectors, queries.vectors)
            if candidates := pair.get("candidates"):
                scores = _scored(queries, documents, read_table(candidates, CANDIDATES), candidates, compared)
                write_run(scores, pair["out"], system, depth)
            else:
                judgements = pair.get("judgements")
                searching.append((pair["out"], queries.judged(judgements) if judgements else queries))
        found = searched([side for _, side in searching], documents)
        for (out, _), scores in zip(searching, found, strict=True):
            write_run(scores, out, system)


def rank_in_memory(
    queries: Texts,
    documents: Texts,
    candidates: pl.DataFrame | None,
    source: str | Path,
    *,
    encode: Encode,
    opened: Opened[V],
    compared: Compared[V],
    searched: Searched[V],
) -> pl.DataFrame:
    """Scores of texts in memory, as ``qid docid score``: of CANDIDATES from ``source``, else of a search.

    Vectors are written to a temporary folder.
    """

    def encoded(some: Texts, kind: Kind) -> Side[V]:
        vectors = Path(folder, f"{kind}.npy")
        encode(some.frame, kind, vectors, some.source)
        return opened(some.column, some.source, vectors)

    with TemporaryDirectory() as folder:
        asking, among = map(encoded, (queries, documents), KINDS)
        if candidates is not None:
            return _scored(asking, among, candidates, source, compared)
        (found,) = searched([asking], among)
        return found


def _scored(
    queries: Side[V], documents: Side[V], candidates: pl.DataFrame, source: str | Path, compared: Compared[V]
) -> pl.DataFrame:
    """The scores of CANDIDATES from ``source``, as ``qid docid score``."""
    query = queries.numbers(candidates["qid"], source, "query")
    document = documents.numbers(candidates["docid"], source, "document")
    scores = compared(queries, query, documents, document)
    refuse_infinite(scores, documents)
    return candidates.select("qid", "docid", pl.Series("score", scores))


def refuse_infinite(scores: Floats, documents: Side[V]) -> None:
    """Raise UserError where scores with documents are not finite, since their vectors, or those of queries, are not."""
    if not np.isfinite(scores).all():
        raise UserError(documents.vectors, "", "vectors that are not finite", "encode them again, in fp32")


def by_docid(documents: Side[V]) -> tuple[pl.Series, Indices]:
    """The ids of documents in ascending order, and the place of each document in it, by which ties are broken."""
    order = documents.ids.arg_sort()
    places = np.empty(len(order), np.int64)
    places[order.to_numpy()] = np.arange(len(order))
    return documents.ids.gather(order), places


def found_by(queries: Sequence[Side[V]], names: pl.Series, numbers: Indices, scores: Floats) -> Iterator[pl.DataFrame]:
    """Of each side the documents that its queries found, ``qid docid score``; all queries lie one after another."""
    start = 0
    for side in queries:
        part = slice(start, start + len(side.ids))
        qids = side.ids.gather(np.repeat(np.arange(len(side.ids)), numbers.shape[1]))
        found = {"docid": names.gather(numbers[part].ravel()), "score": scores[part].ravel()}
        yield pl.DataFrame({"qid": qids} | found)
        start = part.stop
