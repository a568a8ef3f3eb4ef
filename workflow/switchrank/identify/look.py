"""What a file or folder is: files by the kinds that are declared, folders by their layout or the files in them."""

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from switchrank.collections.spec import folders, recognisers
from switchrank.core.errors import UserError
from switchrank.files.reading import disk_errors
from switchrank.identify import binary, languages, others
from switchrank.identify.found import Found, filled, quoted, shorten
from switchrank.identify.kinds import FolderKind, Kind, counted, described
from switchrank.identify.source import Source

_MOST_FILES = 2000
_ABOUT = ("readme*", "license*", "licence*", "manifest*", "_about*", ".*", "*.md", "*.py")
"""Files of a folder that hold no data."""
_MIXED = FolderKind("folder", "a folder of files: ", why="files of several kinds: look at one of them for its entry")
_PARALLEL = FolderKind(
    "parallel-text",
    "parallel text, line by line",
    entry="bitext:\n  mine:\n    files:\n$files",
)


@cache
def _modules() -> list[Any]:
    return [*map(import_module, recognisers()), others, binary]


def _described() -> Iterator[dict[str, Any]]:
    packages = [*(f"switchrank.collections.{folder}" for folder in folders().values()), __package__]
    return (said for package in packages for said in described(package).values())


@cache
def kinds() -> list[Kind]:
    """Every kind of file, the surest first."""
    signs = [(module.__package__, *sign) for module in _modules() for sign in getattr(module, "KINDS", {}).items()]
    found = [Kind(sign=sign, **described(package)[name]) for package, name, sign in signs]
    return sorted(found, key=lambda kind: kind.sign.sure)


@cache
def folder_kinds() -> list[FolderKind]:
    """Every kind of folder; the functions of some are in ``FOLDERS`` of the modules."""
    more = {name: more for module in _modules() for name, more in getattr(module, "FOLDERS", {}).items()}
    declared = [said for said in _described() if said.keys() & {"needs", "each"}]
    return [FolderKind(**said, **more.get(said["format"], {})) for said in declared]


@cache
def entries() -> dict[str, tuple[str, str]]:
    """``(entry, why there is none)`` of kinds recognised by their first bytes, and of special folders, by format."""
    bare = [said for said in _described() if said.keys() <= {"format", "entry", "why"}]
    return {said["format"]: (said.get("entry", ""), said.get("why", "")) for said in bare}


def _with_entry(found: Found, path: Path, entry: str, why: str) -> Found:
    if entry:
        found.entry = filled(entry, found, str(path))
    elif why:
        found.notes.append(why)
    return found


def inspect_path(path: str | Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a file or folder is, whatever it is called, with the config entry that reads it.

    ``quick`` reads the first megabytes only and estimates the numbers; ``what`` names a progress bar. UserError: it is
    missing, unreadable, or of no known format; or no file of the folder is.
    """
    inspect = _inspect_folder if Path(path).is_dir() else _inspect_file
    return inspect(Path(path), quick=quick, what=what)


def _inspect_file(path: Path, *, quick: bool = False, what: str | None = None) -> Found:
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise UserError(path, "", problem, "correct the path")
    if not path.stat().st_size:
        raise UserError(path, "", "empty", "fetch or make the file again")
    with disk_errors(path):
        packed = binary.inspect_packed(path)
    if packed:
        return packed
    source = Source(path, quick=quick, what=what)
    if found := binary.inspect_start(source):
        return _with_entry(found, path, *entries().get(found.format, ("", "")))
    for kind in kinds() if source.is_text else ():
        if kind.sign.fits(source):
            return _with_entry(counted(kind, source), path, kind.entry, kind.why)
    content = "text" if source.is_text else "bytes"
    start = shorten(source.head[:40] if source.is_text else source.head[:8].hex(" "))
    problem = source.damage or f"{content} of no format that is known, starting with {start!r}"
    raise UserError(source.path, "", problem, "see switchrank inspect --help for the formats that are known")


def _inspect_folder(path: Path, *, quick: bool, what: str | None) -> Found:
    special = _model(path) or _dataset(path)
    if special:
        return _with_entry(special, path, *entries().get(special.format, ("", "")))
    files = (file for file in sorted(path.rglob("*")) if file.is_file() and not _any([file.name.lower()], _ABOUT))
    names = [file.relative_to(path).as_posix() for file in islice(files, _MOST_FILES)]
    members, unknown = dict[str, Found](), []
    for name in names:
        try:
            members[name] = _inspect_file(path / name, quick=quick, what=what and f"{what} {name}"[:60])
        except UserError as error:
            unknown.append(f"{name}: {shorten(error.problem)}")
    if not members:
        raise UserError(path, "", f"a folder of {len(names):,} files, none of them known", "give one that holds data")
    found, kind = _laid_out(path, names) or _alike(path, members)
    found.rows = len(names)
    for member in members.values():
        found.counts[member.unit] = found.counts.get(member.unit, 0) + member.rows
    found.samples = [f"{name}: {one.title}, {one.rows:,} {one.unit}" for name, one in members.items()]
    found.problems += [f"{name}: {problem}" for name, one in members.items() for problem in one.problems]
    found.notes += [f"{name}: not recognised" for name in unknown]
    found.languages = found.languages or list(dict.fromkeys(code for one in members.values() for code in one.languages))
    return _with_entry(found, path, kind.entry, kind.why)


def _any(names: Iterable[str], patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for name in names for pattern in patterns)


def _laid_out(path: Path, names: list[str]) -> tuple[Found, FolderKind] | None:
    """A folder whose files have the names that its makers gave them."""
    fitting = [kind for kind in folder_kinds() if kind.needs and all(_any(names, [need]) for need in kind.needs)]
    if not fitting:
        return None
    kind = max(fitting, key=lambda kind: kind.sure)
    found = Found(kind.format, kind.title, "files", values=kind.values(path, names))
    parts = [match[1] for name in names if kind.language and (match := re.search(kind.language, name))]
    found.languages = list(dict.fromkeys(languages.NAMED.get(name) or languages.code(name) or name for name in parts))
    found.notes += [f"holds {other.title} too" for other in fitting if other is not kind]
    return found, kind


def _alike(path: Path, members: dict[str, Found]) -> tuple[Found, FolderKind]:
    """A folder whose files are of one format, one for each language; or just files."""
    kinds = Counter(one.format for one in members.values())
    format, count = kinds.most_common(1)[0]
    files = {one.values.get("side") or (one.languages or ["xx"])[0]: path / name for name, one in members.items()}
    whole = count == len(members)
    for kind in folder_kinds() if whole and len(files) == count else ():
        if kind.each and fnmatch.fnmatch(format, kind.each):
            first = next(iter(members.values()))
            return Found(kind.format, kind.title, "files", values=kind.sides(files, first)), kind
    if format == "text" and whole and len({one.rows for one in members.values()}) == 1 and count > 1:
        sides = "\n".join(f"      {language}: {quoted(str(file))}" for language, file in files.items())
        untold = "" if len(files) == count else "neither data nor names tell all languages: name the files under bitext"
        kind = replace(_PARALLEL, why=untold, entry="" if untold else _PARALLEL.entry)
        return Found(kind.format, kind.title, "files", values={"files": sides}), kind
    listed = ", ".join(f"{number} {name}" for name, number in kinds.items())
    return Found(_MIXED.format, f"{_MIXED.title}{listed}", "files"), _MIXED


def _model(path: Path) -> Found | None:
    try:
        config = json.loads((path / "config.json").read_bytes()[: 1 << 24])
    except (OSError, ValueError, RecursionError):
        return None
    weights = sorted(path.glob("*.safetensors"))
    pickles = sorted([*path.glob("*.bin"), *path.glob("*.pt"), *path.glob("*.ckpt")])
    if not isinstance(config, dict) or not ("model_type" in config or weights or pickles):
        return None
    kind = str(config.get("model_type", "of unknown type"))[:40]
    found = Found("model-folder", f"a Hugging Face model ({kind})", "files of weights", len(weights))
    found.fields = [str(name)[:80] for name in config.get("architectures") or []][:5]
    for file in weights:
        part = _inspect_file(file)
        found.counts["parameters"] = found.counts.get("parameters", 0) + part.counts.get("parameters", 0)
        found.problems += [f"{file.name}: {problem}" for problem in part.problems]
    if not weights:
        found.problems.append(binary.PICKLED if pickles else "holds no weights: model.safetensors is missing")
    if not any((path / name).is_file() for name in ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model")):
        found.notes.append("holds no tokenizer that is known (tokenizer.json, vocab.txt, sentencepiece.bpe.model)")
    return found


def _dataset(path: Path) -> Found | None:
    """What ``datasets.Dataset.save_to_disk`` writes."""
    if (path / "dataset_dict.json").is_file():
        parts = sorted(part.name for part in path.iterdir() if (part / "state.json").is_file())
        found = Found("datasets-splits", "a Hugging Face dataset of several splits", "splits", len(parts))
        found.samples = parts[:20]
        found.notes.append("a collection reads the folder of one split")
        return found
    if not (path / "state.json").is_file():
        return None
    found = Found("datasets", "a Hugging Face dataset on disk", "rows")
    for file in sorted(path.glob("*.arrow")):
        part = _inspect_file(file)
        found.rows += part.rows
        found.fields, found.samples = part.fields, part.samples
        found.problems += [f"{file.name}: {problem}" for problem in part.problems]
    if not found.fields:
        found.problems.append("holds no Arrow file")
    return found
