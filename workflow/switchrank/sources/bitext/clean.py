"""Which lines of a parallel text something can be learned from."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from switchrank.sources.bitext.aligned import Lines
from switchrank.sources.bitext.files import Drop
from switchrank.sources.bitext.hashes import text_hash
from switchrank.sources.lines import check_letters
from switchrank.text.equality import key
from switchrank.text.scripts import is_foreign_to

Row = tuple[int, str, str, int, int]
"""Line number, both sides, the hashes of both."""


class Cleaner:
    """Leaves out lines that nothing can be learned from, and counts them.

    Attributes:
        counts: ``lines`` read, and those left out by reason.
    """

    def __init__(self, languages: Sequence[str], drop: Collection[Drop], max_ratio: float) -> None:
        self.counts: Counter[str] = Counter()
        self._languages, self._drop, self._max_ratio = languages, frozenset(drop), max_ratio
        self._foreign = [is_foreign_to(language) for language in languages]
        self._strange = [0, 0]

    def kept(self, lines: Lines) -> Iterator[Row]:
        """Yield the lines that stay, without white space at the ends of their sides."""
        for number, *sides in lines:
            source, target = (side.strip() for side in sides)
            self.counts["lines"] += 1
            if reason := self._reason(source, target):
                self.counts[reason] += 1
            else:
                yield number, source, target, text_hash(source), text_hash(target)

    def _reason(self, source: str, target: str) -> str:
        """Why a line is left out; empty if it stays."""
        if not source or not target:
            return "empty"
        if "equal" in self._drop and key(source) == key(target):
            return "equal"
        if "script" in self._drop:
            strange = [foreign(side) for foreign, side in zip(self._foreign, (source, target), strict=True)]
            if any(strange):
                self._strange = [count + one for count, one in zip(self._strange, strange, strict=True)]
                return "script"
        return "ratio" if "ratio" in self._drop and self._is_uneven(source, target) else ""

    def _is_uneven(self, source: str, target: str) -> bool:
        short, long = sorted((len(source), len(target)))
        if long <= self._max_ratio * short:
            return False
        short, long = sorted((len(source.encode()), len(target.encode())))
        return long > self._max_ratio * short

    def check_sides(self, files: Sequence[str | Path]) -> None:
        """UserError where most lines of a side are in letters of other languages."""
        looked_at = self.counts["lines"] - self.counts["empty"] - self.counts["equal"]
        todo = "correct the languages, their order or the columns, or take script out of drop"
        for file, language, strange in zip((files[0], files[-1]), self._languages, self._strange, strict=True):
            check_letters(file, language, strange, looked_at, todo)
