"""``switchrank rank``: your own files by default; candidates, test sets, reference rankings, pools as subcommands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from switchrank.core.command import ONE_EACH, Command, Group
from switchrank.core.errors import UserError
from switchrank.rank.inference import USUAL, Inference

Pairs = list[tuple[str, str, str, str]]


@dataclass(frozen=True)
class Method:
    """Where candidates come from: one of bm25, from_run and all.

    Attributes:
        bm25: K documents by BM25; random ones fill up short lists.
        from_run: the documents of a TREC or MS MARCO run, or top1000 file.
        all: all documents.
        depth: first documents of --from-run that are taken.
        fill: fill short lists of --from-run up to --depth at random.
    """

    bm25: int | None = None
    from_run: str | None = None
    all: bool = False
    depth: int | None = None
    fill: bool = False


def _method(given: Method) -> dict[str, Any]:
    ways: list[dict[str, Any]] = []
    if given.bm25 is not None:
        ways.append({"bm25": given.bm25})
    if given.from_run is not None:
        ways.append({"run": given.from_run, "depth": given.depth, "fill": given.fill})
    if given.all:
        ways.append({"all": True})
    if len(ways) != 1:
        problem = "none of them given" if not ways else "more than one of them given"
        todo = "choose one; see switchrank rank candidates --help"
        raise UserError("switchrank rank candidates", "--bm25, --from-run, --all", problem, todo)
    return ways[0]


def _files_of(pairs: Pairs) -> list[dict[str, str]]:
    return [dict(zip(("queries", "documents", "candidates", "out"), pair, strict=True)) for pair in pairs]


def _runs(given: Mapping[str, Any]) -> list[str]:
    return [pair[3] for pair in given["pairs"]]


def score_pairs(
    *,
    model: str,
    system: str,
    pairs: Sequence[dict[str, str]],
    inference: Inference = USUAL,
    sigmoid_scores: bool = False,
) -> None:
    """Score all pairs of a test set with one model.

    Args:
        model: folder of a trained cross-encoder.
        system: tag in the last column.
        pairs: tables of one language pair and the run to write; repeat for every pair.
        sigmoid_scores: compatibility: float32 probabilities, ties included.
    """
    from switchrank.rank.score import rank_pairs

    rank_pairs(model=model, pairs=list(pairs), system=system, inference=inference, sigmoid_scores=sigmoid_scores)


def reference(
    *,
    kind: Literal["random", "bm25"],
    pairs: Sequence[dict[str, str]],
    testset: str = "",
    seed: int = 1,
    vocabulary: str | None = None,
    query_vocabulary: str | None = None,
) -> None:
    """Rank the candidates of a test set by chance or by BM25.

    Args:
        kind: chance, or BM25 on each pair's own texts.
        pairs: tables of one language pair and the run to write; repeat for every pair.
        testset: name of the test set (part of the random seed).
        seed: seed of the random ranking.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced documents.
        query_vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced queries.
    """
    from switchrank.rank.reference import rank_reference

    named = {"vocabulary": vocabulary, "query_vocabulary": query_vocabulary}
    extra = {name: value for name, value in named.items() if value is not None}
    rank_reference(kind=kind, pairs=[{**pair, **extra} for pair in pairs], testset=testset, seed=seed)


def _told(counts: Mapping[str, int]) -> None:
    for language, count in counts.items():
        print(f"{language}\t{count}")


_PAIR: dict[str, Any] = {
    "writes": _runs,
    "flags": {"pairs": "pair"},
    "forms": {"pairs": "QUERIES DOCUMENTS CANDIDATES OUT"},
    "counts": {"pairs": ONE_EACH},
    "reads": {"pairs": _files_of},
}
_OF_LANGUAGES = dict.fromkeys(("texts", "documents", "judgements", "candidates"), "LANG=TABLE")

_POOLS = {
    "draw": Command(
        "rank.pools:draw_pool",
        "give every id the text of one language, drawn uniformly from those that have it; print how many each got",
        forms=_OF_LANGUAGES,
        shown=_told,
    ),
    "join": Command(
        "rank.pools:join_pool",
        "put every document in every language into one pool, LANG:ID its new id",
        forms=_OF_LANGUAGES,
    ),
    "judgements": Command(
        "rank.pools:pool_judgements",
        "the judgements of a drawn pool: those of the source language whose document is in it",
    ),
}

COMMANDS = Group(
    {
        "candidates": Command(
            "rank.candidates:build_candidates",
            "choose the documents that are re-ranked for each query of a test set",
            forms={"bm25": "K", "from_run": "FILE"},
            reads={"method": _method},
        ),
        "testset": Command(score_pairs, **_PAIR),
        "reference": Command(reference, places=["kind"], **_PAIR),
        "pool": Group(_POOLS, "make a mixed pool of documents or queries in several languages"),
    },
    alone=Command("rank.files:rank_files", "re-rank your own files with a trained model"),
)
