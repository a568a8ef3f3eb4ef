"""The table of changes: what each changes, which test must fail with it, and what it would have broken."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("mutants.toml")


class StaleError(Exception):
    """The library does not have the line that a change is made to."""


@dataclass(frozen=True)
class Mutant:
    """A change of one line.

    Attributes:
        name: what it does, in short, such as ``clip-nothing``.
        file: the module, relative to the package.
        line: a whole line as it is, without the white space around it; it occurs exactly once in the file.
        instead: what stands there instead; it is indented as the line was.
        test: the test that must fail, as ``tests/unit/....py::test_...``.
        harm: what a user would have got, in one sentence.
    """

    name: str
    file: str
    line: str
    instead: str
    test: str
    harm: str

    @property
    def module(self) -> str:
        """The module's dotted name below the package."""
        return ".".join(Path(self.file).with_suffix("").parts).removesuffix(".__init__")

    def applied(self, package: Path) -> str:
        """The text of the module with the change made; the file stays as it is.

        Raises:
            StaleError: there is no such file, or it has the line not at all or more than once.
        """
        if not (package / self.file).is_file():
            raise StaleError(f"there is no {self.file}")
        lines = (package / self.file).read_text(encoding="utf-8").splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if line.strip() == self.line]
        if len(found) != 1:
            raise StaleError(f"{self.file} has the line {len(found)} times, not once: {self.line}")
        lines[found[0]] = lines[found[0]].replace(self.line, self.instead)
        return "".join(lines)


def read_mutants(path: Path = TABLE) -> list[Mutant]:
    """All changes, in the order of the table."""
    return [Mutant(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["mutant"]]
