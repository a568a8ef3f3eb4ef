"""What a search needs, as it is typed; light enough for the command line to import."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from switchrank.core.errors import UserError

LONGEST_QUERY = 1000
"""Characters of a query."""
MOST = 100
"""Documents that are shown."""
DEEPEST = 1000
"""Documents that are re-ranked."""


@dataclass(frozen=True)
class Searched:
    """What is searched, and by which models.

    Attributes:
        encoder: a dual encoder: its folder, a hub name, or one of ``switchrank models``.
        docs: the documents: TSV, id and text a line without a header (may be packed), or Parquet.
        ranker: a cross-encoder that re-ranks what the encoder found; default: none does.
        index: folder of the index, made where there is none (default: .index behind the name of the documents).
        lexicon: lexicons (.parquet) whose words are linked between query and documents.
        device: cpu, cuda or cuda:N; exit code 75 without one.
        threads: CPU threads.
        precision: arithmetic; others than fp32 change scores a little. auto: what the device computes faster.
        overwrite: make the index anew, and replace its folder whatever that holds.
    """

    encoder: str
    docs: str | Path
    ranker: str | None = None
    index: str | Path | None = None
    lexicon: Sequence[str] = ()
    device: str = "cpu"
    threads: int = 1
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    overwrite: bool = False


def checked_query(query: str) -> str:
    """A query without white space around it; UserError for one of nothing, or longer than ``LONGEST_QUERY``."""
    query = query.strip()
    if not query:
        raise UserError("query", "", "empty", "type some words")
    if len(query) > LONGEST_QUERY:
        raise UserError("query", "", f"{len(query):,} characters", f"shorten it to {LONGEST_QUERY:,}")
    return query


def check_numbers(top: int, depth: int) -> None:
    """Raise UserError for a number of documents shown, or re-ranked, that is not offered."""
    for name, value, most in (("top", top, MOST), ("depth", depth, DEEPEST)):
        if not 1 <= value <= most:
            raise UserError("search", name, f"{value} documents", f"give 1 to {most:,}")
