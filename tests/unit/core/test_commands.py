"""What can be typed: every command and flag of the list, each explained with an example that can be typed too."""

from __future__ import annotations

import csv
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import get_origin

import pytest
from tests.commands import DOORS, ENTRIES
from tests.conftest import ROOT

from switchrank.core.command import EXAMPLES, Door, Option, examples_of

LISTED = Path(__file__).with_name("commands.tsv")
"""All commands with their options: what people's scripts call. A line more is a new option, a line less breaks them."""


def rows_of(words: str, door: Door) -> list[dict[str, str]]:
    """The lines of the list that are a command's."""
    placed = iter(range(1, len(door.options) + 1))
    rows = []
    for option in door.options:
        flag = f"argument {next(placed)}" if option.name in door.command.places else option.flag
        usual = option.default if option.read is None or isinstance(option.default, str) else ""
        usual = "" if option.required or usual is None or usual is False else usual
        rows.append(
            {
                "command": words,
                "option": flag,
                "values": values_of(door, option),
                "required": "required" if option.required else "",
                "default": " ".join(map(str, usual)) if isinstance(usual, tuple) else str(usual),
                "choices": " ".join(map(str, option.values)),
            }
        )
    return sorted(rows, key=lambda row: row["option"])


def values_of(door: Door, option: Option) -> str:
    if "tuple" in str(option.hint):
        return "1 or more of 4"
    if get_origin(option.hint) is not list:
        return "flag" if option.hint is bool else "1"
    least, most = door.count(option) or (1, None)
    return str(least) if least == most else "1 or more" if least else "any number"


def typed_in(block: str) -> tuple[str, list[str]]:
    """The command of a call, with a comment before it perhaps, and what is typed after its words."""
    call = block[block.index("switchrank ") :].replace("\\\n", " ").partition(" | ")[0]
    given = shlex.split(call, comments=True)[1:]
    words = next(words for count in (3, 2, 1) if (words := " ".join(given[:count])) in DOORS)
    return words, given[len(words.split()) :]


def test_every_command_and_option_of_the_list_is_there_and_no_other():
    listed: dict[str, list[dict[str, str]]] = {}
    with LISTED.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            listed.setdefault(row["command"], []).append(row)
    assert set(DOORS) == set(listed)
    for words, door in DOORS.items():
        assert rows_of(words, door) == listed[words], words


@pytest.mark.parametrize("words", DOORS)
def test_every_command_shows_calls_of_itself_that_can_be_typed(words):
    blocks = examples_of(f"switchrank {words}", ENTRIES[words])
    own = [block for block in blocks if typed_in(block)[0] == words]
    assert own
    for block in own:
        DOORS[words].parse(typed_in(block)[1])


def test_every_example_is_of_a_command():
    shown = {block for words in DOORS for block in examples_of(f"switchrank {words}", ENTRIES[words])}
    assert set(EXAMPLES.read_text(encoding="utf-8").strip().split("\n\n")) <= shown


def test_every_help_is_drawn_without_the_libraries_that_take_long_to_load():
    """Models are opened by torch, which alone takes longer than all the rest."""
    code = (
        "import sys\nfrom switchrank import cli\nfrom tests.commands import ENTRIES\n"
        "for words in ENTRIES:\n"
        "    assert cli.main([*words.split(), '--help']) == 0, words\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert not [name for name in ("torch", "transformers", "snakemake") if f"'{name}'" in done.stderr]
    assert [words for words in DOORS if f"Usage: switchrank {words}" not in done.stdout] == []


def test_the_help_of_a_stage_loads_nothing_heavy():
    """``rank`` is a command of its own, whose help is in its module."""
    code = (
        "import sys\nfrom switchrank import cli\n"
        "for words in ([], *([stage] for stage in cli.STAGES if stage != 'rank')):\n"
        "    assert cli.main([*words, '--help']) == 0\n"
        "print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("torch", "transformers", "ranx", "polars", "faiss", "numba", "matplotlib", "snakemake")
    assert not [name for name in heavy if f"'{name}'" in done.stderr]


def test_every_option_of_a_command_is_explained():
    unexplained = [f"{words} {one.flag}" for words, door in DOORS.items() for one in door.options if not one.help]
    assert unexplained == []


DOCUMENTS = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md", ROOT / "config" / "README.md"]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_call_that_a_document_shows_can_be_typed(document):
    """Calls in blocks of code; those with three dots in place of words cannot be."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", document.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    for line in (line for line in lines if line.startswith("switchrank ") and " ... " not in line):
        words, given = typed_in(line)
        DOORS[words].parse(given)
