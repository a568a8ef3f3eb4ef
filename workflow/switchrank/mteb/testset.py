"""Test sets of ours as tasks of MTEB: a subset for each language pair, whole collections or candidates to re-rank."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_relevant, read_table

if TYPE_CHECKING:
    from mteb.abstasks import AbsTaskRetrieval

SPLIT = "test"
_UNROUNDED = {"ndcg@10": "ndcg_cut_10", "map": "map_cut_1000", "recall@100": "recall_100"}
"""Measures of our tables that MTEB rounds to five digits, and what they are called query by query."""


@dataclass(frozen=True)
class PairTables:
    """The tables of a language pair; paths.

    Attributes:
        queries, documents, judgements: QUERIES, DOCUMENTS and JUDGEMENTS.
        candidates: CANDIDATES to re-rank; None: all documents are searched, which a cross-encoder cannot.
    """

    queries: str | Path
    documents: str | Path
    judgements: str | Path
    candidates: str | Path | None = None

    @property
    def files(self) -> list[str | Path]:
        return [file for file in (self.queries, self.documents, self.judgements, self.candidates) if file]


def retrieval_task(name: str, pairs: Mapping[str, PairTables]) -> AbsTaskRetrieval:
    """A test set as a task for ``mteb.evaluate``, scored with its main measure MRR@10.

    Measures are MTEB's, whose nDCG, MAP and recall have five digits; beside them are ``ndcg@10``, ``map`` and
    ``recall@100`` as in our tables. Documents with equal scores may be in another order than in our runs, and average
    precision ends at rank 1000.

    Args:
        name: of the task.
        pairs: by ``query-document`` languages, such as ``de-en``.

    Raises:
        UserError: a table is missing; a query has no candidate, or one that is not among the documents.

    >>> names = ("queries-test-de", "documents-en", "judgements-test-en")  # doctest: +SKIP
    >>> tables = PairTables(*(f"results/xquad/sources/xquad/{name}.parquet" for name in names))
    >>> mteb.evaluate(open_model("e5-small"), retrieval_task("xquad", {"de-en": tables}))
    """
    from mteb.abstasks import AbsTaskRetrieval
    from mteb.abstasks.task_metadata import TaskMetadata

    given = dict(pairs)
    revision = _revision(file for tables in given.values() for file in tables.files)
    reranks = all(tables.candidates for tables in given.values())

    class Testset(AbsTaskRetrieval):  # type: ignore[misc]
        metadata = TaskMetadata(
            name=name,
            description=f"{name}, a test set of switchrank",
            dataset={"path": name, "revision": revision},
            type="Reranking" if reranks else "Retrieval",
            category="t2t",
            eval_splits=[SPLIT],
            eval_langs={pair: [_language(side) for side in pair.split("-")] for pair in given},
            main_score="mrr_at_10",
            is_public=False,
        )
        data_loaded: bool = False

        def load_data(self, *_: Any, **__: Any) -> None:
            if not self.data_loaded:
                self.dataset = {pair: {SPLIT: _loaded(tables)} for pair, tables in given.items()}
                self.data_loaded = True

        def task_specific_scores(
            self, scores: Mapping[str, Mapping[str, float]], *_: Any, **__: Any
        ) -> dict[str, float]:
            return {
                measure: sum(one[theirs] for one in scores.values()) / len(scores)
                for measure, theirs in _UNROUNDED.items()
            }

    return Testset()


def _revision(files: Iterable[str | Path]) -> str:
    """A digest of the tables, in the place of a commit of the hub."""
    digests = []
    for file in files:
        if not Path(file).is_file():
            raise UserError(file, "", "no such file", "run the stage that makes it, or correct the path")
        digests.append(file_digest(file))
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:40]


def _loaded(tables: PairTables) -> dict[str, Any]:
    """The tables of a pair as MTEB has them: queries with a relevant document, and their candidates, if any."""
    from datasets import Dataset

    documents, judged = read_table(tables.documents, DOCUMENTS), read_relevant(tables.judgements)
    queries = read_table(tables.queries, QUERIES).join(judged, on="qid", how="semi", maintain_order="left")
    judged = judged.join(queries, on="qid", how="semi", maintain_order="left")
    by_query = judged.group_by("qid", maintain_order=True).agg("docid", "relevance")
    return {
        "corpus": Dataset.from_polars(documents.select(id="docid", title=pl.lit(""), text="text")),
        "queries": Dataset.from_polars(queries.select(id="qid", text="text")),
        "relevant_docs": {qid: dict(zip(*found, strict=True)) for qid, *found in by_query.iter_rows()},
        "top_ranked": _candidates(tables, queries, documents) if tables.candidates else None,
    }


def _candidates(tables: PairTables, queries: pl.DataFrame, documents: pl.DataFrame) -> dict[str, list[str]]:
    table = read_table(tables.candidates or "", CANDIDATES).join(queries, on="qid", how="semi", maintain_order="left")
    strangers = table.join(documents, on="docid", how="anti")
    if len(strangers):
        problem, todo = f"not in {tables.documents}", "give the candidates that were made for these documents"
        raise UserError(str(tables.candidates), f"document {strangers['docid'][0]}", problem, todo)
    missing = queries.join(table, on="qid", how="anti")
    if len(missing):
        problem = f"{len(missing)} queries have no candidate, which MTEB cannot score"
        raise UserError(str(tables.candidates), f"query {missing['qid'][0]}", problem, "leave these queries out")
    return dict(table.sort("qid", "rank").group_by("qid", maintain_order=True).agg("docid").iter_rows())


def _language(code: str) -> str:
    """A language as MTEB writes it, with its usual script; one that it does not know has no script."""
    from mteb.languages.iso_mappings import _hf_lang_to_iso_lang_script

    return _hf_lang_to_iso_lang_script(code) or f"{code}-Zyyy"
