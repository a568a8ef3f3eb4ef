"""What a test set knows already: its query ids, its query texts, and the documents that answer its queries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, QUERIES, read_table
from switchrank.words import key

Paths = Sequence[str | Path]


def read_relevant(path: str | Path) -> pl.DataFrame:
    """The rows of JUDGEMENTS with a positive relevance."""
    return read_table(path, JUDGEMENTS).filter(pl.col("relevance") > 0)


def folded(text: str) -> str:
    """The form in which texts are compared: the look-up key, runs of white space as one space."""
    return " ".join(key(text).split())


@dataclass(frozen=True)
class Tested:
    """The test side of a comparison: id to table, folded text to query id, relevant document to query id."""

    ids: dict[str, str]
    texts: dict[str, str]
    documents: dict[str, str]
    shared_ids: bool
    strict_documents: bool

    @classmethod
    def read(cls, queries: Paths, judgements: Paths, *, shared_ids: bool, strict_documents: bool) -> Tested:
        """Read QUERIES and JUDGEMENTS of all languages of the test sets.

        Raises:
            UserError: documents are to be compared, and no judgements are given.
        """
        if strict_documents and queries and not judgements:
            problem = "relevant documents are to be compared, and there are none of the test sets"
            raise UserError("ablation", "test judgements", problem, "give the judgements of every test set")
        ids: dict[str, str] = {}
        texts: dict[str, str] = {}
        for path in queries:
            frame = read_table(path, QUERIES)
            ids.update(dict.fromkeys(frame["qid"], str(path)))
            texts.update({folded(text): qid for qid, text in frame.select("qid", "text").iter_rows()})
        documents: dict[str, str] = {}
        for path in judgements:
            documents.update(read_relevant(path).select("docid", "qid").iter_rows())
        return cls(ids, texts, documents, shared_ids, strict_documents)

    def clash(self, qid: str, text: str, relevant: Sequence[str]) -> str | None:
        """Why a query with these relevant documents must not be trained on, or None."""
        if self.shared_ids and qid in self.ids:
            return f"is also a test query, of {self.ids[qid]}"
        same = self.texts.get(folded(text))
        if same is not None:
            return f"has the text of test query {same}"
        shared = next((docid for docid in relevant if docid in self.documents), None)
        if self.strict_documents and shared is not None:
            return f"its document {shared} is relevant for test query {self.documents[shared]} too"
        return None
