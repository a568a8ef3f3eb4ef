"""The keys of what is tested: test sets, their candidates, ranking, measures and tests of significance."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from switchrank.config.sections import Count, Distinct, Language, LanguageList, Name, Section, Seed, Share
from switchrank.files.addresses import filled, placeholders

MAIN_METRIC = "mrr@10"
"""What is tested against the baseline and drawn."""


class Candidates(Section):
    bm25: Count | None = Field(None, description="this many documents by BM25")
    run: str | None = Field(
        None, description="a TREC run; the same for every pair, or with `{query}` and `{document}` one for each"
    )
    system: Name | None = Field(
        None, description="so many documents (`depth`) by a system of this run that embeds queries and documents apart"
    )
    depth: Count = Field(100, description="with `system`: documents per query")
    every: bool = Field(False, alias="all", description="all documents")
    query_language: Literal["source", "document"] | Language = Field(
        "source",
        description="BM25 on source-language text with ids kept (as published), in the document language, or with the "
        "queries of a language named on documents of another",
    )
    relevant: Literal["keep", "add"] = Field("keep", description="`add` puts missing relevant documents in")

    @model_validator(mode="after")
    def _one(self) -> Candidates:
        if (self.bm25 is not None) + (self.run is not None) + (self.system is not None) + self.every != 1:
            raise ValueError("give exactly one of bm25, run, all, system")
        self._refuse(() if self.system else {"depth"}, "without system", "leave it out")
        return self

    def run_file(self, query: str, document: str) -> str:
        """The run that a pair of languages has its candidates from."""
        return filled(str(self.run), {"query": query, "document": document})

    @property
    def by_pair(self) -> bool:
        """Whether pairs with one document language may have different candidates."""
        return "query" in placeholders(self.run or "")


class Testset(Section):
    collection: Name = Field(description="a collection with a test split")
    pairs: str | None = Field(
        None, description="TSV: id, query, document, own_model (yes: pair-wise systems train for it)"
    )
    mixed: Literal["seen", "all"] | LanguageList | None = Field(
        None, description="instead of pairs: mixed pools en-xx, xx-en, xx-xx over the source and these languages"
    )
    pool: Literal["drawn", "every"] = Field(
        "drawn",
        description="mixed: one language drawn per document (as published), or every document in every language",
    )
    seed: Seed = Field(0, description="mixed: seed of the draws per document and per query")
    candidates: Candidates = Field(description="what is re-ranked")
    queries: Count | None = Field(None, description="a seeded sample of the test queries, the same in every pair")
    documents: Literal["parallel", "own"] = Field(
        "parallel", description="parallel: ids mean the same in all languages; own: each language has its own ids"
    )

    @model_validator(mode="after")
    def _one(self) -> Testset:
        if (self.pairs is None) == (self.mixed is None):
            raise ValueError("give either pairs (a table) or mixed (languages of a pool)")
        if self.mixed and self.pool == "drawn" and self.documents == "own":
            raise ValueError("a language is drawn per document, and these are not parallel: write pool: every")
        return self


class Rank(Section):
    token_budget: Count = Field(16_384, description="padded tokens per batch")
    threads: Count = Field(1, description="CPU threads per ranking job")
    sigmoid_scores: bool = Field(False, description="compatibility: scores are probabilities, ties included")
    depth: Count | None = Field(
        None,
        description="documents of a query that its run file keeps, the best ones; default: every candidate. What lies "
        "below counts as not found in map, recall and the tables of bias and shift",
    )


class Evaluate(Section):
    metrics: Distinct[Literal["mrr@10", "ndcg@10", "map", "recall@100"]] = Field(
        ["mrr@10", "ndcg@10", "map", "recall@100"],
        description="measures, values 0 to 1, mrr@10 among them: it is what is tested and drawn",
    )
    baseline: Name = Field("zero-shot", description="the system every other is tested against")
    references: Distinct[Literal["random", "bm25"]] = Field(["random", "bm25"], description="reference rows")
    tests: Distinct[Literal["t", "fisher"]] = Field(
        ["t"],
        min_length=1,
        description="two-sided paired tests over queries: t-test, Fisher's randomisation; the first marks the report",
    )
    correction: Literal["holm", "bonferroni", "none"] = Field("holm", description="for multiple tests")
    families: Literal["setup", "testset", "run"] = Field(
        "setup", description="what is corrected together: a setup of a test set, a test set, or the whole run"
    )
    permutations: Count = Field(100_000, description="sign flips of the randomisation test")
    resamples: Count = Field(10_000, description="bootstrap resamples of an interval")
    alpha: Share = Field(0.05, description="level at which a corrected p counts as significant")
