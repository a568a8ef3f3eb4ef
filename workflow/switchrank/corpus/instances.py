"""Training and development instances: which documents are paired with which queries, and with which label.

Where the data brings triples, the walk of the MS MARCO cross-encoder example of sentence-transformers (repository
UKPLab/sentence-transformers) is followed, as in Litschko, Artemova and Plank (2023). Elsewhere every judged pair is a
positive, and its negatives are drawn from the best BM25 documents that nobody judged relevant.
"""

import sys
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, product
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.formats.streams import count_rows, read_slices, write_stream
from switchrank.formats.tables import DOCUMENTS, INSTANCES, JUDGEMENTS, QUERIES, TRIPLES, read_table, scan_table
from switchrank.text.splitting import language_splitter
from switchrank.text.words import Splitter

_BLOCK_POSITIVES = 1024


@dataclass(frozen=True)
class Pairing:
    """Which documents each query is paired with.

    Attributes:
        negatives: negatives per positive.
        pool: draw from this many best by BM25.
        random_negatives: share of negatives, 0 to 1, that are any document from the start.
        rounds: take every positive this many times, with fresh negatives.
        limit: stop after this many instances.
        seed: seed of the draws.
    """

    negatives: int = 4
    pool: int = 100
    random_negatives: float = 0.0
    rounds: int = 1
    limit: int | None = None
    seed: int = 1

    def __post_init__(self) -> None:
        for place in ("negatives", "pool", "rounds"):
            if getattr(self, place) < 1:
                raise UserError("instances", place, f"{getattr(self, place)!r}", "give a whole number from 1")
        if not 0 <= self.random_negatives <= 1:
            problem = f"{self.random_negatives!r} is no share"
            raise UserError("instances", "random_negatives", problem, "give a number 0 to 1")


USUAL = Pairing()


def build_instances(
    *,
    queries: str | Path,
    documents: str | Path,
    judgements: str | Path,
    out: str | Path,
    triples: str | Path | None = None,
    pairing: Pairing = USUAL,
    threads: int = 1,
    vocabulary: str | Path | None = None,
) -> dict[str, int]:
    """Write the instances (``INSTANCES``) of one split, numbered from 0.

    Triples are walked with a counter: where it is divisible by ``negatives + 1`` the pair (query, positive) with label
    1 is taken, else (query, negative) with label 0. Triples with an id of no table, or whose negative is judged
    relevant, are passed over without counting.

    Without triples each judged pair, in the order of the queries, is followed by negatives drawn from the ``pool`` best
    BM25 documents, and by random ones where these are too few. No document judged relevant for a query is its negative.

    Args:
        queries: queries table (parquet: qid, text, group) of one split, in the source language.
        documents: documents table (parquet: docid, text, group).
        judgements: judgements table (parquet: qid, docid, relevance).
        out: the parquet file to write.
        triples: walk these triples (parquet: qid, positive, negative) instead of BM25.
        pairing: see :class:`Pairing`.
        threads: threads of the search; the result does not depend on it.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text for BM25.

    Returns:
        ``instances``, ``positives``, and ``short``: positives that got fewer negatives because there are no more.

    Raises:
        UserError: a table is missing or of another schema, a number out of range, or no instance is left.
    """
    query_table, document_table = read_table(queries, QUERIES), read_table(documents, DOCUMENTS)
    relevant = read_table(judgements, JUDGEMENTS).filter(pl.col("relevance") > 0)
    counts = {"instances": 0, "positives": 0, "short": 0}
    blocks: Iterator[pl.DataFrame]
    if triples is not None:
        blocks = _walk(triples, query_table["qid"], document_table["docid"], relevant, pairing.negatives)
    else:
        positives = _Positives(relevant, query_table, document_table, pairing)
        if positives.unknown:
            problem = f"{positives.unknown} of {relevant.height} judgements passed over"
            print(f"{judgements}: {problem}: their query or document is in no table", file=sys.stderr)
        blocks = positives.blocks(positives.hard_negatives(language_splitter(vocabulary), threads), counts)
    with atomic_path(out) as path:
        write_stream(_numbered(blocks, pairing.limit, counts), path, INSTANCES)
        if not counts["positives"]:
            raise UserError(triples or judgements, "", "no instance is left", "check that its ids are of this split")
    if counts["short"]:
        problem = f"{counts['short']} positives have fewer than {pairing.negatives} negatives: too few documents"
        print(f"{out}: {problem}", file=sys.stderr)
    return counts


def _numbered(blocks: Iterator[pl.DataFrame], limit: int | None, counts: dict[str, int]) -> Iterator[pl.DataFrame]:
    """Blocks of qid, pid, label as ``INSTANCES``, up to ``limit``; keeps the counts."""
    for block in blocks:
        numbered = block.with_row_index("instance", offset=counts["instances"])
        numbered = numbered.head(numbered.height if limit is None else limit - counts["instances"])
        counts["instances"] += numbered.height
        counts["positives"] += int((numbered["label"] == 1).sum())
        yield numbered.select([pl.col(name).cast(dtype) for name, dtype in INSTANCES.items()])
        if counts["instances"] == limit:
            return


def _walk(
    triples: str | Path, qids: pl.Series, docids: pl.Series, relevant: pl.DataFrame, negatives: int
) -> Iterator[pl.DataFrame]:
    frame = scan_table(triples, TRIPLES)
    rows, walked = count_rows(frame), 0
    judged = relevant.select("qid", negative="docid")
    known = {"qid": qids, "positive": docids, "negative": docids}
    with progress(total=rows, what="triples", unit="triples") as bar:
        for part in read_slices(frame, 0, rows, 1 << 20):
            kept = part.join(judged, on=["qid", "negative"], how="anti", maintain_order="left")
            for column, ids in known.items():
                kept = kept.join(ids.rename(column).to_frame(), on=column, how="semi", maintain_order="left")
            first = pl.int_range(walked, walked + pl.len()) % (negatives + 1) == 0
            pid = pl.when(first).then("positive").otherwise("negative")
            yield kept.select("qid", pid=pid, label=first.cast(pl.Int8))
            walked += kept.height
            bar.update(part.height)
    if walked < rows:
        problem = f"{rows - walked} of {rows} triples passed over"
        print(f"{triples}: {problem} (ids of no table, or a negative that is judged relevant)", file=sys.stderr)


class _Positives:
    """Judged pairs in the order of the queries, and the negatives that are drawn for each.

    ``unknown`` counts judgements whose query or document is in no table.
    """

    def __init__(self, relevant: pl.DataFrame, queries: pl.DataFrame, documents: pl.DataFrame, pairing: Pairing):
        self._queries, self._documents, self._pairing = queries, documents, pairing
        pairs = relevant
        for ids, row in ((queries.select("qid"), "query"), (documents.select("docid"), "document")):
            pairs = pairs.join(ids.with_row_index(row), on=ids.columns, how="inner", maintain_order="left")
        self.unknown = relevant.height - pairs.height
        pairs = pairs.sort("query", maintain_order=True)
        self._pairs = list(zip(pairs["query"].to_list(), pairs["document"].to_list(), strict=True))
        self._relevant: defaultdict[int, set[int]] = defaultdict(set)
        for query, document in self._pairs:
            self._relevant[query].add(document)

    def hard_negatives(self, split: Splitter, threads: int) -> dict[int, NDArray[np.int64]]:
        """Per query with a positive, the best BM25 documents that are not relevant, at most ``pool``, best first."""
        from switchrank.search.bm25 import Bm25, best

        asked, pool = list(self._relevant), self._pairing.pool
        index = Bm25(self._documents["text"].to_list(), self._queries["text"].gather(asked).to_list(), split=split)

        def search(number: int) -> NDArray[np.int64]:
            relevant = self._relevant[asked[number]]
            found = best(index.scores(number), pool + len(relevant))
            return found[~np.isin(found, list(relevant))][:pool]

        with ThreadPoolExecutor(threads) as workers:
            found = workers.map(search, range(len(asked)))
            bar = progress(found, total=len(asked), what="hard negatives", unit="queries")
            return dict(zip(asked, bar, strict=True))

    def blocks(self, hard: dict[int, NDArray[np.int64]], counts: dict[str, int]) -> Iterator[pl.DataFrame]:
        """Every positive, followed by its negatives; every draw is keyed by round and number of the positive."""
        negatives = self._pairing.negatives
        widest = max((len(found) for found in hard.values()), default=0)
        for round_, first in product(range(self._pairing.rounds), range(0, len(self._pairs), _BLOCK_POSITIVES)):
            rows = np.arange(first, min(first + _BLOCK_POSITIVES, len(self._pairs)))
            u_hard = self._uniform("hard", round_, rows, widest)
            u_random = self._uniform("random", round_, rows, 4 * negatives)
            query, document, label = [], [], []
            for at, row in enumerate(rows.tolist()):
                asked, relevant = self._pairs[row]
                chosen = self._choose(hard[asked], self._relevant[asked], u_hard[at], u_random[at])
                counts["short"] += len(chosen) < negatives
                query += [asked] * (1 + len(chosen))
                document += [relevant, *chosen]
                label += [1, *[0] * len(chosen)]
            ids = {"qid": self._queries["qid"].gather(query), "pid": self._documents["docid"].gather(document)}
            yield pl.DataFrame({**ids, "label": label})

    def _uniform(self, purpose: str, round_: int, positives: NDArray[np.int64], count: int) -> NDArray[np.float64]:
        """Draws of shape ``(positives, count)``."""
        key = derive_seed(self._pairing.seed, "negatives", purpose)
        return counter_uniform(key, round_, positives[:, None], np.arange(count)[None, :])

    def _choose(
        self, hard: NDArray[np.int64], relevant: set[int], u_hard: NDArray[np.float64], u_random: NDArray[np.float64]
    ) -> list[int]:
        """The negatives: hard ones first, then random ones; fewer only where no other document is left."""
        negatives, documents = self._pairing.negatives, self._documents.height
        random = round(self._pairing.random_negatives * negatives)
        order = np.argsort(u_hard[: len(hard)], kind="stable")
        chosen = dict.fromkeys(hard[order[: negatives - random]].tolist())
        drawn = (u_random * documents).astype(np.int64).tolist()
        for document in chain(drawn, range(drawn[-1], documents), range(drawn[-1])):
            if len(chosen) == negatives:
                break
            if document not in relevant:
                chosen[document] = None
        return list(chosen)
