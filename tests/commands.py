"""All commands, each by its words, with what it takes: for tests that walk them."""

from __future__ import annotations

from collections.abc import Iterator

from switchrank.cli import STAGES, commands_of
from switchrank.core.command import Command, Door, Group


def every_entry(path: str, entry: Command | Group) -> Iterator[tuple[str, Command | Group]]:
    """Commands and groups from here on, each with the words that lead to it."""
    yield path, entry
    for name, inner in entry.commands.items() if isinstance(entry, Group) else ():
        yield from every_entry(f"{path} {name}", inner)


ENTRIES = {words: entry for stage in STAGES for words, entry in every_entry(stage, commands_of(stage))}
_RUN = {words: entry.alone if isinstance(entry, Group) else entry for words, entry in ENTRIES.items()}
DOORS = {words: Door(f"switchrank {words}", command) for words, command in _RUN.items() if command}
