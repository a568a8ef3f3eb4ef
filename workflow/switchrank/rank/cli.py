"""``switchrank rank``: your own files by default; candidates, test sets, vectors, fusion, pools as subcommands."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchrank.core.command import ONE_EACH, Command, Group


def _files_of(pairs: list[tuple[str, str, str, str]]) -> list[dict[str, str]]:
    return [dict(zip(("queries", "documents", "candidates", "out"), pair, strict=True)) for pair in pairs]


def _print_counts(counts: Mapping[str, int]) -> None:
    for language, count in counts.items():
        print(f"{language}\t{count}")


def retrieve(
    *,
    queries: str | Path,
    documents: str | Path,
    query_vectors: str | Path,
    document_vectors: str | Path,
    out: str | Path,
    candidates: str | Path | None = None,
    system: str = "switchrank",
    depth: int | None = None,
    threads: int = 1,
) -> None:
    """Rank documents for queries by the cosine of their vectors, or by MaxSim of those of their tokens.

    Without candidates all documents are searched, whose vectors need not fit in memory.

    Args:
        queries: QUERIES table.
        documents: DOCUMENTS table.
        query_vectors: vectors of the queries (.npy), by ``switchrank rank encode`` or ``encode-tokens``.
        document_vectors: vectors of the documents, likewise, by the same model.
        out: the TREC run to write.
        candidates: rank only these documents of each query (CANDIDATES table).
        system: tag in the last column.
        depth: documents of a query that the run keeps (default: 1000, with --candidates all of them).
        threads: CPU threads; they change no byte.
    """
    from switchrank.formats.encoded import read_record
    from switchrank.rank.dense import retrieve_pairs
    from switchrank.rank.late import max_sim_pairs

    names = ("queries", "documents", "query_vectors", "document_vectors", "out")
    pair = dict(zip(names, map(str, (queries, documents, query_vectors, document_vectors, out)), strict=True))
    given = {} if candidates is None else {"candidates": str(candidates)}
    rank = max_sim_pairs if "tokens" in read_record(document_vectors) else retrieve_pairs
    rank(pairs=[pair | given], system=system, depth=depth, threads=threads)


def _with_record(given: Mapping[str, Any]) -> list[Path]:
    from switchrank.formats.encoded import record_file

    return [Path(given["out"]), record_file(given["out"])]


def _with_spans(given: Mapping[str, Any]) -> list[Path]:
    from switchrank.formats.token_vectors import spans_file

    return [*_with_record(given), spans_file(given["out"])]


_PAIR: dict[str, Any] = {
    "writes": lambda given: [pair[3] for pair in given["pairs"]],
    "flags": {"pairs": "pair"},
    "forms": {"pairs": "QUERIES DOCUMENTS CANDIDATES OUT"},
    "counts": {"pairs": ONE_EACH},
    "reads": {"pairs": _files_of},
}
_OF_LANGUAGES = dict.fromkeys(("texts", "documents", "judgements", "candidates", "tables"), "LANG=TABLE")

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
    "vectors": Command(
        "rank.derived:pool_vectors",
        "the vectors of a pool's texts, taken from those of its languages",
        writes=_with_record,
        forms=_OF_LANGUAGES,
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
        "encode": Command(
            "rank.dense:encode_table",
            "turn the texts of a table into vectors with a dual encoder",
            writes=_with_record,
            unasked={"truncation"},
        ),
        "encode-tokens": Command(
            "rank.late:encode_tokens",
            "turn the tokens of the texts of a table into vectors by late interaction",
            writes=_with_spans,
            unasked={"truncation"},
        ),
        "retrieve": Command(retrieve),
        "shift": Command(
            "rank.derived:shift_vectors",
            "take the mean of their language off vectors, so that languages lie closer together",
            writes=_with_record,
        ),
        "mix": Command(
            "rank.derived:mix_vectors",
            "the weighted mean of each text's vector and another one, such as that of its translation",
            writes=_with_record,
        ),
        "fuse": Command("rank.fuse:fuse_runs", "make one run of several"),
        "pool": Group(_POOLS, "make a mixed pool of documents or queries in several languages"),
    },
    alone=Command("rank.files:rank_files", "re-rank your own files with a trained model"),
)
