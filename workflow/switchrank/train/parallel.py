"""Pairs of a query and a relevant passage in several languages: equal ids are the same text in each of them.

Tables of a corpus in one language each, such as those of translated collections or of switched text beside its
originals, make such pairs; so do rows whose query and passage differ in language, such as bitext.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.ragged import Numbers
from switchrank.formats.tables import CORPUS, SCORES, read_table
from switchrank.models.encode import distinct_texts
from switchrank.models.recipe import Kind


class ParallelPairs:
    """The distinct pairs of a query and a relevant passage, in the order they are met, and their negatives.

    A unit of training is a pair with a language for each side: one number, made and taken apart by :meth:`units` and
    :meth:`parts`. Where an id has several texts in a language, the first counts.

    Attributes:
        languages: codes in alphabetical order, L of them.
        texts: the distinct texts, each with the prompt of its kind.
        query, passage: of each pair the number of its query and of its passage among those ids.
        queries, passages: int64 ``(ids, L)``: the number of the text of each id in each language, -1 where it has none.

    Args:
        paths: tables with ``CORPUS`` columns, in order; label 1 is relevant, 0 a negative of that query.
        prompts: what is put before texts.
        parallel: whether equal ids in several languages are the same text; else each language has its own.

    Raises:
        UserError: no such table, or no row with label 1.
    """

    def __init__(self, paths: Sequence[str | Path], prompts: Mapping[Kind, str], *, parallel: bool = True) -> None:
        frame = pl.concat([read_table(path, CORPUS) for path in paths])
        self.source = paths[0]
        self._qids, query = _numbered(frame.select("qid", "query_lang"), parallel)
        self._pids, passage = _numbered(frame.select("pid", "passage_lang"), parallel)
        relevant = frame["label"].to_numpy() > 0
        if not relevant.any():
            raise UserError(self.source, "", "no row with label 1", "give tables with queries and relevant passages")
        self.languages = sorted({*frame["query_lang"].unique(), *frame["passage_lang"].unique()})
        sides = (
            pl.lit(prompts.get("query", "")) + pl.col("query"),
            pl.lit(prompts.get("document", "")) + pl.col("passage"),
        )
        self.texts, texts = distinct_texts(pl.concat([frame.select(side.alias("text"))["text"] for side in sides]))
        of_query, of_passage = texts[: len(frame)], texts[len(frame) :]
        self.queries = self._versions(query, frame["query_lang"], of_query, len(self._qids))
        self.passages = self._versions(passage, frame["passage_lang"], of_passage, len(self._pids))
        keys = query * len(self._pids) + passage
        self._relevant, first = np.unique(keys[relevant], return_index=True)
        self.query, self.passage = (side[relevant][np.sort(first)] for side in (query, passage))
        others = np.setdiff1d(keys[~relevant], self._relevant)
        self._negatives = others % len(self._pids)
        self._starts = np.searchsorted(others, np.arange(len(self._qids) + 1) * len(self._pids))

    def __len__(self) -> int:
        return len(self.query)

    def _versions(self, ids: Numbers, codes: pl.Series, texts: Numbers, count: int) -> Numbers:
        table = np.full((count, len(self.languages)), -1, np.int64)
        columns = codes.replace_strict(self.languages, range(len(self.languages)), return_dtype=pl.Int64).to_numpy()
        places, first = np.unique(ids * len(self.languages) + columns, return_index=True)
        table.ravel()[places] = texts[first]
        return table

    def units(self, pairs: Numbers, languages: Numbers) -> Numbers:
        """The units of some pairs with the languages of both sides, ``(n, 2)``."""
        count = len(self.languages)
        return (pairs * count + languages[:, 0]) * count + languages[:, 1]

    def parts(self, units: Numbers) -> tuple[Numbers, Numbers, Numbers]:
        """The pairs of some units, the languages of their queries, and those of their passages."""
        count = len(self.languages)
        return units // count**2, units // count % count, units % count

    def has(self, pairs: Numbers, query: Numbers | int, passage: Numbers | int) -> NDArray[np.bool_]:
        """Whether pairs have their query and their passage in these languages."""
        there: NDArray[np.bool_] = self.queries[self.query[pairs], query] >= 0
        there &= self.passages[self.passage[pairs], passage] >= 0
        return there

    def counts(self) -> Numbers:
        """How many pairs have their query in one language and their passage in another, ``(L, L)``."""
        queries, passages = self.queries[self.query] >= 0, self.passages[self.passage] >= 0
        found: Numbers = (queries.T.astype(np.float64) @ passages).astype(np.int64)
        return found

    def is_relevant(self, queries: Numbers, passages: Numbers) -> NDArray[np.bool_]:
        """Whether passages are known to be relevant to queries, both numbers of ids, of the broadcast shape."""
        keys = queries * len(self._pids) + passages
        places = np.searchsorted(self._relevant, keys).clip(max=len(self._relevant) - 1)
        found: NDArray[np.bool_] = self._relevant[places] == keys
        return found

    def negatives(self, query: int) -> Numbers:
        """The passages that are known not to be relevant to a query, numbers of ids in order."""
        return self._negatives[self._starts[query] : self._starts[query + 1]]

    def scores(self, path: str | Path) -> "Scores":
        """The scores of a teacher, by the ids of queries and passages; raises UserError for a damaged table."""
        frame = read_table(path, SCORES)
        known = frame.join(self._qids, on="qid").join(self._pids, on="pid", suffix="_passage")
        if known.is_empty():
            raise UserError(path, "", "no pair of the corpus", "give scores of the pairs that are trained on")
        keys = (known["number"].cast(pl.Int64) * len(self._pids) + known["number_passage"]).to_numpy()
        order = np.argsort(keys, kind="stable")
        scores = known["score"].to_numpy()[order].astype(np.float32)
        return Scores(keys[order], scores, len(self._pids))


class Scores:
    """Scores of queries and passages by the numbers of their ids."""

    def __init__(self, keys: Numbers, scores: NDArray[np.float32], passages: int) -> None:
        self._keys, self._scores, self._passages = keys, scores, passages

    def of(self, queries: Numbers, passages: Numbers) -> NDArray[np.float32]:
        """The scores of the broadcast shape, NaN where there is none, as of a passage -1."""
        keys = queries * self._passages + passages
        places = np.searchsorted(self._keys, keys).clip(max=len(self._keys) - 1)
        known = (self._keys[places] == keys) & (passages >= 0)
        return np.where(known, self._scores[places], np.float32("nan"))


def _numbered(ids: pl.DataFrame, parallel: bool) -> tuple[pl.DataFrame, Numbers]:
    """The distinct ids with a ``number`` each, in the order they are met, and the number of every row.

    ``ids`` has ids and languages; ids that are not parallel are others in each language.
    """
    keys = ids.columns[: 1 if parallel else 2]
    distinct = ids.select(keys).unique(maintain_order=True).with_row_index("number")
    numbers = ids.join(distinct, on=keys, how="left", maintain_order="left")["number"]
    return distinct, numbers.to_numpy().astype(np.int64)
