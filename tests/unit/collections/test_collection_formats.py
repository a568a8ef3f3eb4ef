"""A format is one folder: it is found because it is there, and no other format's code decides what it reads."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from switchrank.collections.sections import FORMATS
from switchrank.collections.spec import code_of, folders, module_of, names, recognisers
from switchrank.core import digest
from switchrank.identify.kinds import described
from switchrank.identify.look import entries

ROOM = digest.PACKAGE / "collections"
USES = {
    "mmarco": {"msmarco"},
    "ciral": {"miracl"},
    "mldr": {"tevatron"},
    "parquet": {"tsv"},
    "bipar": {"squad"},
    "questions": {"afriqa"},
}
"""Formats whose files are written as those of others, or named by them, and are read by their code."""


def reached(module: str) -> set[str]:
    """The folders of formats whose code a module can reach."""
    seen, waiting = set(), [module]
    while waiting:
        one = waiting.pop()
        if one not in seen and (source := digest._source(one)):
            seen.add(one)
            waiting += digest._parsed(source)[1]
    return {name.split(".")[1] for name in seen if name.startswith("collections.") and name.count(".") == 2}


def test_every_folder_is_a_format_with_a_section_and_a_reader():
    found = {path.name for path in ROOM.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert found == set(folders().values())
    assert folders().keys() == FORMATS.keys()
    tags = [tag for section in FORMATS.values() for tag in get_args(section.model_fields["format"].annotation)]
    assert {*tags} == {*names()}
    for name, section in FORMATS.items():
        assert section.__module__ == module_of(folders()[name], "section")


@pytest.mark.parametrize("format", sorted(folders()))
def test_the_digest_of_a_format_covers_no_other(format):
    folder = folders()[format]
    own = {folder} if (ROOM / folder / "reader.py").is_file() else set()
    assert reached(code_of(format)) == own | USES.get(folder, set())


@pytest.mark.parametrize("format", sorted(folders()))
def test_what_a_section_says_and_how_files_are_recognised_is_in_no_digest(format):
    seen, waiting = set(), [code_of(format)]
    while waiting:
        one = waiting.pop()
        if one not in seen and (source := digest._source(one)):
            seen.add(one)
            waiting += digest._parsed(source)[1]
    assert not [name for name in seen if name.endswith((".section", ".recognise")) or name.startswith("identify")]


def test_a_reader_reads_a_collection_and_checks_its_roles():
    for name in names():
        reader = import_module(f"switchrank.{code_of(name)}")
        assert callable(reader.read_collection)
        assert callable(reader.check_roles)


def test_the_sections_are_loaded_without_a_reader_or_anything_heavy():
    code = (
        "import sys; import switchrank.config.models\n"
        "heavy = {'polars', 'numpy', 'scipy', 'sentencex', 'torch'} & set(sys.modules)\n"
        "ours = [name for name in sys.modules if name.startswith('switchrank.')]\n"
        "read = [name for name in ours if name.endswith(('.reader', '.recognise'))]\n"
        "sys.exit(str([heavy, read]) if heavy or read else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nothing_outside_of_the_folders_names_a_module_inside_but_where_it_says_why():
    """What knows a format is in its folder; who needs a piece of it imports it, and is listed here."""
    allowed = {
        "joined.section": {"config", "run"},  # a collection of collections has no files of its own
        "mmarco.names": {"config", "sources", "identify", "collections"},  # names of languages in anybody's files
        "afriqa.names": {"collections"},
        "large_scale_clir.recognise": {"identify"},  # runs of three columns are told from its judgements
    }
    for file in digest.PACKAGE.rglob("*.py"):
        inside = file.relative_to(digest.PACKAGE).parts
        if inside[0] == "collections" and len(inside) == 3:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            name = node.module if isinstance(node, ast.ImportFrom) and node.module else ""
            parts = name.removeprefix("switchrank.collections.").split(".")
            if name.startswith("switchrank.collections.") and parts[0] in folders().values():
                assert inside[0] in allowed.get(".".join(parts[:2]), set()), f"{Path(*inside)} imports {name}"


def test_what_recognises_files_declares_kinds():
    for name in recognisers():
        module = import_module(name)
        assert getattr(module, "KINDS", ()) or getattr(module, "FOLDERS", ())


def test_what_is_said_of_kinds_is_said_of_kinds_that_there_are():
    modules = {name.rpartition(".")[0]: import_module(name) for name in recognisers()}
    for package in (f"switchrank.collections.{folder}" for folder in folders().values()):
        said, module = described(package), modules.get(package)
        signs, more = getattr(module, "KINDS", {}), getattr(module, "FOLDERS", {})
        of_folders = {name for name, one in said.items() if one.keys() & {"needs", "each"}}
        assert said.keys() - of_folders - entries().keys() == signs.keys(), package
        assert more.keys() <= of_folders, package
