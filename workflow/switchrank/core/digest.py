"""Digests that decide what must run again: of library code, of files, of plain values.

A rule's ``params`` carry :func:`code_digest` of the module it calls: over the syntax trees of that module and of all
that it can import inside this package. So comments change nothing, and an edited line of code changes exactly the rules
that can reach it, as written down in ``tests/dag/triggers.tsv``.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PACKAGE = Path(__file__).parents[1]
SILENT = {"core.cache", "core.digest", "core.errors", "core.locks", "core.progress", "train.launch"}
"""Modules that no output depends on: they talk to people, name what may be used again, start and stop processes, keep
them out of each other's way, or cache compiled code."""
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def value_digest(value: Any) -> str:
    """SHA-256 of a JSON-plain value; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def code_digest(*modules: str) -> str:
    """SHA-256 over the code reachable from modules of this package, named relative to it (``"lexicon.induce"``).

    A data file beside a module counts where the module names it; modules that no output depends on (``SILENT``) do not.

    Raises:
        ModuleNotFoundError: an unknown module.
    """
    reached: dict[str, str] = {}
    data: dict[str, str] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in reached or module in SILENT:
            continue
        source = _source(module)
        if source is None:
            raise ModuleNotFoundError(f"switchrank.{module}")
        reached[module], imported, named = _parsed(source)
        data |= {file.relative_to(PACKAGE).as_posix(): _data_digest(file) for file in sorted(named)}
        waiting.extend(sorted(imported - reached.keys()))
    return value_digest([reached, data])


def _data_digest(file: Path) -> str:
    """A data file by its bytes; YAML by what it says, in its order, since comments change nothing."""
    if file.suffix != ".yaml":
        return file_digest(file)
    return hashlib.sha256(json.dumps(yaml.safe_load(file.read_text(encoding="utf-8"))).encode()).hexdigest()


def _source(module: str) -> Path | None:
    stem = PACKAGE.joinpath(*module.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


@cache
def _parsed(source: Path) -> tuple[str, set[str], set[Path]]:
    """The digest of a module's code, the modules that it imports, and the data files beside it that it names."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    imported: set[str] = set()
    words: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(_inside(alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(_inside(node.module))
            imported.update(_inside(f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            words.add(node.value)
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    known = {module for module in imported if module and _source(module)}
    data = {file for file in source.parent.iterdir() if file.name in words and file.suffix != ".py" and file.is_file()}
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest(), known, data


def _inside(module: str) -> str:
    return module.removeprefix("switchrank.") if module.startswith("switchrank.") else ""
