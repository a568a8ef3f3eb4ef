"""The table of docs/architecture.md is what the library does: who may import from whom, and no room is left out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from tests.conftest import ROOT

LIBRARY = ROOT / "workflow" / "switchrank"
ROW = re.compile(r"^\| (\w+) \| ([\w, ]*)\|$", re.MULTILINE)
TABLE = {
    room: {name.strip() for name in others.split(",") if name.strip()}
    for room, others in ROW.findall((ROOT / "docs/architecture.md").read_text(encoding="utf-8"))
    if room != "room"
}


def imported(file: Path) -> Iterator[str]:
    """Rooms that a module imports from, at its top or inside a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in names if name.startswith("switchrank."))


def at_the_top(file: Path) -> set[str]:
    """Modules of the library that a module imports whenever it is imported, by dotted name."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("switchrank"):
            for name in (node.module, *(f"{node.module}.{alias.name}" for alias in node.names)):
                parts = name.split(".")[1:]
                if parts and LIBRARY.joinpath(*parts).with_suffix(".py").is_file():
                    found.add(".".join(parts))
    return found


def strangers(room: str, folder: Path = LIBRARY) -> dict[str, set[str]]:
    """By module of a room: the rooms it imports from although the table does not say so."""
    found = {}
    for file in sorted((folder / room).rglob("*.py")):
        allowed = TABLE[room] | {room, "__version__"} | ({"config", "run"} if file.stem.endswith("cli") else set())
        found[file.relative_to(folder).as_posix()] = set(imported(file)) - allowed
    return {name: rooms for name, rooms in found.items() if rooms}


def test_every_room_has_a_row():
    rooms = {file.parent.relative_to(LIBRARY).parts[0] for file in LIBRARY.glob("*/**/*.py")}
    assert rooms == set(TABLE)


def test_nothing_lies_loose():
    assert {file.name for file in LIBRARY.glob("*.py")} == {"__init__.py", "__main__.py", "cli.py"}


@pytest.mark.parametrize("room", TABLE)
def test_a_room_imports_only_what_the_table_names(room):
    assert strangers(room) == {}


@pytest.mark.parametrize("room", TABLE)
def test_the_table_names_only_what_is_imported(room):
    used = {name for file in (LIBRARY / room).rglob("*.py") for name in imported(file)}
    assert set(TABLE[room]) <= used


def test_no_stage_imports_another():
    stages = {"sources", "embeddings", "lexicon", "corpus", "train", "rank", "evaluate", "ablation", "report"}
    assert {room for room in stages if TABLE[room] & (stages | {"config", "run"})} == set()


def test_no_modules_import_each_other_in_a_circle():
    modules = {".".join(file.relative_to(LIBRARY).with_suffix("").parts): file for file in LIBRARY.rglob("*.py")}
    graph = {name: at_the_top(file) for name, file in modules.items()}
    assert any(graph.values())
    assert set(TopologicalSorter(graph).static_order()) >= set(graph)  # raises CycleError


def test_the_library_never_imports_snakemake():
    text = "\n".join(file.read_text(encoding="utf-8") for file in LIBRARY.rglob("*.py"))
    assert not re.search(r"^\s*(import|from) snakemake", text, re.MULTILINE)


def test_an_import_that_the_table_does_not_name_is_seen(tmp_path):
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "low.py").write_text("def late():\n    from switchrank.train import loop\n")
    assert strangers("core", tmp_path) == {"core/low.py": {"train"}}
