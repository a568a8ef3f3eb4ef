"""What labelled queries must not overlap with: the queries of the test sets and of the starting models' training.

A side of the comparison is known by its query ids, its query texts, the documents that answer its queries, and the
texts of these documents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, INSTANCES, QUERIES, read_relevant, read_table, scan_table
from switchrank.text.words import key

Paths = Sequence[str | Path]


@dataclass(frozen=True)
class Apart:
    """What labelled queries must not overlap with.

    Attributes:
        test_queries: QUERIES of the test sets, in all their languages.
        test_judgements: their JUDGEMENTS.
        strict_documents: no document may be relevant on both sides either. This needs collections in which an id means
            the same document; shared documents are counted either way.
        shared_ids: false where labelled and test queries come from collections that number their queries
            independently, so that an id on both sides means nothing; then texts alone are compared.
        training: what the starting models were trained on: mappings with ``queries``, ``judgements`` and ``documents``
            (tables of a training split in one language), ``shared_ids``, and where pairs were drawn ``instances``.
            Here no relevant document may be on both sides, by id where ids are shared, and by text.
    """

    test_queries: Paths = ()
    test_judgements: Paths = ()
    strict_documents: bool = False
    shared_ids: bool = True
    training: Sequence[Mapping[str, Any]] = ()


def folded(text: str) -> str:
    """The form in which texts are compared: the look-up key, runs of white space as one space."""
    return " ".join(key(text).split())


def read_passages(documents: str | Path, docids: pl.Series) -> dict[str, str]:
    """The folded texts of some documents, by id; the other texts are not held."""
    wanted = docids.unique().rename("docid").to_frame().lazy()
    found = scan_table(documents, DOCUMENTS).join(wanted, on="docid", how="semi").select("docid", "text").collect()
    return {docid: folded(text) for docid, text in found.iter_rows()}


@dataclass(frozen=True)
class Side:
    """One side: query id to table, folded text to query id, relevant document to query id, its folded text to its id.

    Attributes:
        what: ``test`` or ``training``, for people.
        shared_ids: whether ids mean the same as on the labelled side.
        strict_documents: whether a relevant document (by id where ids are shared) may be of one side only.
    """

    what: str
    shared_ids: bool
    strict_documents: bool
    ids: dict[str, str] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    documents: dict[str, str] = field(default_factory=dict)
    passages: dict[str, str] = field(default_factory=dict)
    negatives: set[str] = field(default_factory=set)
    """Documents that training pairs hold as not relevant, where ids are shared."""

    @classmethod
    def tested(cls, apart: Apart) -> Side:
        """Read QUERIES and JUDGEMENTS of all languages of the test sets.

        Raises:
            UserError: documents are to be compared, and no judgements are given.
        """
        if apart.strict_documents and apart.test_queries and not apart.test_judgements:
            problem = "relevant documents are to be compared, and there are none of the test sets"
            raise UserError("ablation", "test judgements", problem, "give the judgements of every test set")
        side = cls("test", apart.shared_ids, apart.strict_documents)
        for path in apart.test_queries:
            side._add_queries(path)
        for path in apart.test_judgements:
            side.documents.update(read_relevant(path).select("docid", "qid").iter_rows())
        return side

    @classmethod
    def trained(cls, tables: Mapping[str, Any]) -> Side:
        """Read what a starting model was trained on.

        Args:
            tables: ``queries``, ``judgements`` and ``documents``, the training split in one language; ``shared_ids``;
                where there is one, ``instances``: the pairs it was trained on.
        """
        shared = bool(tables["shared_ids"])
        side = cls("training", shared, strict_documents=shared)
        side._add_queries(tables["queries"])
        relevant = read_relevant(tables["judgements"])
        side.documents.update(relevant.select("docid", "qid").iter_rows())
        passages = read_passages(tables["documents"], relevant["docid"])
        side.passages.update({text: docid for docid, text in passages.items()})
        if tables.get("instances") and shared:
            pairs = scan_table(tables["instances"], INSTANCES).filter(pl.col("label") == 0)
            side.negatives.update(pairs.select(pl.col("pid").unique()).collect(engine="streaming")["pid"])
        return side

    def _add_queries(self, path: str | Path) -> None:
        frame = read_table(path, QUERIES)
        self.ids.update(dict.fromkeys(frame["qid"], str(path)))
        self.texts.update({folded(text): qid for qid, text in frame.select("qid", "text").iter_rows()})

    def clash(self, qid: str, text: str, relevant: Mapping[str, str]) -> str | None:
        """Why a query with these relevant documents (folded text by id) must not be a label, or None."""
        if self.shared_ids and qid in self.ids:
            return f"is also a {self.what} query, of {self.ids[qid]}"
        same = self.texts.get(folded(text))
        if same is not None:
            return f"has the text of {self.what} query {same}"
        for docid, passage in relevant.items():
            if self.strict_documents and docid in self.documents:
                return f"its document {docid} is relevant for {self.what} query {self.documents[docid]} too"
            if passage and passage in self.passages:
                twin = self.passages[passage]
                asked = f"{self.what} query {self.documents[twin]}"
                return f"its document {docid} has the text of {twin}, relevant for {asked}"
        return None
