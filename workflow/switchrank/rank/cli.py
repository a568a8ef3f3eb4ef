"""``switchrank rank``: your own files by default; candidates, test sets, reference rankings, pools as subcommands."""

from collections.abc import Mapping
from typing import Any

from switchrank.core.command import ONE_EACH, Command, Group


def _files_of(pairs: list[tuple[str, str, str, str]]) -> list[dict[str, str]]:
    return [dict(zip(("queries", "documents", "candidates", "out"), pair, strict=True)) for pair in pairs]


def _print_counts(counts: Mapping[str, int]) -> None:
    for language, count in counts.items():
        print(f"{language}\t{count}")


_PAIR: dict[str, Any] = {
    "writes": lambda given: [pair[3] for pair in given["pairs"]],
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
        shown=_print_counts,
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
            flags={"run": "from-run"},
            forms={"bm25": "K", "run": "FILE"},
        ),
        "testset": Command(
            "rank.inference:rank_pairs",
            "score all pairs of a test set with one model",
            unasked={"depth", "record"},
            **_PAIR,
        ),
        "reference": Command(
            "rank.reference:rank_reference",
            "rank the candidates of a test set by chance or by BM25",
            places=["kind"],
            unasked={"system", "depth"},
            **_PAIR,
        ),
        "pool": Group(_POOLS, "make a mixed pool of documents or queries in several languages"),
    },
    alone=Command("rank.files:rank_files", "re-rank your own files with a trained model"),
)
