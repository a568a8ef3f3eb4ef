"""``switchrank search``: what is found for one query, as tables in the terminal or as JSON."""

import json
import re
import shutil
import sys
from collections.abc import Iterator, Sequence

from switchrank.core.command import ONE_EACH, Command
from switchrank.serve.options import Searched, check_numbers, checked_query

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+")
"""What would move the cursor, end a line, or turn the direction of what stands beside it."""
_STAGES = {"encode": "query encoded", "search": "searched", "rerank": "re-ranked"}
_LEAST = 20
"""Columns of a terminal that a text gets at least."""


def search(*, query: str, searched: Searched, top: int = 10, depth: int = 100, as_json: bool = False) -> None:
    """Search documents in any language for a query in any language.

    The encoder makes a vector of each document once: the index. It is used again as long as encoder and documents are
    the same. With a ranker, the first --depth documents are re-ranked, and both rankings are shown.

    Args:
        query: what is searched for.
        searched: what is searched, and by which models.
        top: documents of each ranking that are shown.
        depth: documents that are re-ranked.
        as_json: print everything as one JSON object.

    Raises:
        UserError: see :func:`switchrank.serve.searcher.open_searcher`; a query of nothing, or that is too long.
    """
    checked_query(query)
    check_numbers(top, depth)
    from switchrank.serve.searcher import open_searcher

    searcher = open_searcher(searched)
    found = searcher.search(query, top=top, depth=depth)
    if as_json:
        print(json.dumps(found.plain(), ensure_ascii=False))
        return
    encoder, ranker = searcher.names
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 100
    if found.reranked is not None:
        moved = [(hit.rank, hit.retrieved_rank, hit.score, hit.docid, hit.text) for hit in found.reranked]
        print(f"Re-ranked by {ranker}", *_table(("rank", "before", "score", "docid", "text"), moved, width), sep="\n")
        print()
    rows = [(hit.rank, hit.score, hit.docid, hit.text) for hit in found.retrieved]
    print(f"Retrieved by {encoder}", *_table(("rank", "score", "docid", "text"), rows, width), sep="\n")
    times = ", ".join(f"{_STAGES[stage]} in {1000 * taken:.0f} ms" for stage, taken in found.seconds.items())
    print(f"\n{len(searcher):,} documents: {times}")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], width: int) -> Iterator[str]:
    """Lines of a table: numbers to the right, and of the last column, the text, what there is room for."""
    from rich.cells import cell_len, set_cell_size

    cells = [[f"{value:.4f}" if isinstance(value, float) else _plain(str(value)) for value in row] for row in rows]
    sizes = [max(map(cell_len, column)) for column in zip(head, *cells, strict=True)]
    room = max(_LEAST, width - sum(sizes[:-1]) - 2 * len(sizes[:-1]))
    for row, values in zip([head, *cells], [rows[0], *rows], strict=True):
        padded = [
            cell + " " * (size - cell_len(cell)) if isinstance(value, str) else " " * (size - cell_len(cell)) + cell
            for cell, size, value in zip(row[:-1], sizes, values, strict=False)
        ]
        text = row[-1] if cell_len(row[-1]) <= room else set_cell_size(row[-1], room - 1).rstrip() + "…"
        yield "  ".join([*padded, text]).rstrip()


def _plain(text: str) -> str:
    return " ".join(_CONTROL.sub(" ", text).split())


COMMANDS = Command(
    search,
    places=["query"],
    flags={"as_json": "json"},
    forms={"encoder": "MODEL", "ranker": "MODEL", "docs": "FILE", "index": "FOLDER"},
    counts={"lexicon": ONE_EACH},
)
