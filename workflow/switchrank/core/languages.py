"""The languages of a run: their order, those that training has seen, and what a pair of them is (moir, clir, mlir)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from switchrank.core.errors import UserError

MIXED = "xx"
"""The language of a side of several languages."""


@dataclass(frozen=True)
class Languages:
    """The languages of a run.

    Attributes:
        source: language of the training data.
        seen: languages that code-switching used.
        unseen: languages that are only tested on; pictures and tables mark them with *.
        mixed: languages of the xx sides of a test set.
    """

    source: str = "en"
    seen: Sequence[str] = ()
    unseen: Sequence[str] = ()
    mixed: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def place(self, language: str) -> int:
        """Where a language stands: source, seen, unseen, each in the order given, then those listed nowhere."""
        listed = [self.source, *self.seen, *self.unseen]
        return listed.index(language) if language in listed else len(listed)

    def ordered(self, found: Iterable[str]) -> list[str]:
        """``found`` without repeats, by place; languages listed nowhere by code."""
        return sorted(set(found), key=lambda language: (self.place(language), language))

    def starred(self, language: str) -> str:
        return starred(language, language in self.unseen)

    def _side(self, testset: str, language: str) -> bool:
        if language == MIXED and testset not in self.mixed:
            raise UserError("evaluate", f"test set {testset}", "a mixed side of unknown languages", "list them")
        members = self.mixed[testset] if language == MIXED else [language]
        known = {self.source, *self.seen}
        strangers = sorted({*members} - known - {*self.unseen})
        if strangers:
            raise UserError("evaluate", f"test set {testset}", f"unknown language {strangers[0]}", "list it as unseen")
        return set(members) <= known

    def seen_sides(self, testset: str, query: str, document: str) -> str:
        """``both``, ``query``, ``document`` or ``none``: the sides whose languages are all seen (or the source)."""
        sides = (self._side(testset, query), self._side(testset, document))
        return {(True, True): "both", (True, False): "query", (False, True): "document"}.get(sides, "none")


def starred(language: str, unseen: bool) -> str:
    """The label of a language: ``fr*`` when it was not in training."""
    return f"{language}*" if unseen else language


def setup(query: str, document: str) -> str:
    """``mlir`` if a side is mixed, ``moir`` if both sides are one language, else ``clir``."""
    if MIXED in (query, document):
        return "mlir"
    return "moir" if query == document else "clir"
