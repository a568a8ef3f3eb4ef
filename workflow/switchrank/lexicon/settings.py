"""Which settings of a search for translations go together: what rules and config ask of it, free of heavy imports."""

from __future__ import annotations

from switchrank.core.errors import UserError


def check_search(*, criterion: str, search: str, raw_dot: bool) -> None:
    """Raise UserError where ``raw_dot`` is asked for with a criterion or search that lengths of vectors are not for."""
    if raw_dot and criterion != "nn":
        raise UserError("lexicon", "raw_dot", f"has no meaning with criterion {criterion!r}", "write criterion: nn")
    if raw_dot and search != "exact":
        raise UserError("lexicon", "raw_dot", f"has no meaning with search {search!r}", "write search: exact")
