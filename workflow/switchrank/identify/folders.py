"""Folders: collections in the layout of their makers, models, datasets, and files of one format side by side."""

from __future__ import annotations

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.core.errors import UserError
from switchrank.identify import languages
from switchrank.identify.found import Found, shorten
from switchrank.identify.kinds import FolderKind
from switchrank.identify.look import entries, folder_kinds, inspect_file, with_entry
from switchrank.identify.weights import PICKLED

MOST_FILES = 2000
_ABOUT = ("readme*", "license*", "licence*", "manifest*", "_about*", ".*", "*.md", "*.py")
_MIXED = FolderKind("folder", "a folder of files: ", why="files of several kinds: look at one of them for its entry")
_PARALLEL = FolderKind(
    "parallel-text",
    "parallel text, line by line",
    why="no key reads parallel sentences: one side alone can be a text of vectors",
)


def inspect_folder(path: Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a folder is, and what each file in it is.

    Raises:
        UserError: no file in it is known.
    """
    special = _model(path) or _dataset(path)
    if special:
        return with_entry(special, path, entries().get(special.format, ""), "")
    names = _names(path)
    members, unknown = _members(path, names, quick=quick, what=what)
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
    return with_entry(found, path, kind.entry, kind.why)


def _names(path: Path) -> list[str]:
    """Files of a folder that may be data, in order."""
    found = []
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and not any(fnmatch.fnmatch(file.name.lower(), about) for about in _ABOUT):
            found.append(name)
        if len(found) >= MOST_FILES:
            break
    return found


def _members(path: Path, names: Iterable[str], *, quick: bool, what: str | None) -> tuple[dict[str, Found], list[str]]:
    members, unknown = {}, []
    for name in names:
        try:
            members[name] = inspect_file(path / name, quick=quick, what=what and f"{what} {name}"[:60])
        except UserError as error:
            unknown.append(f"{name}: {shorten(error.problem)}")
    return members, unknown


def _laid_out(path: Path, names: list[str]) -> tuple[Found, FolderKind] | None:
    """A folder whose files have the names that its makers gave them."""
    fitting = [kind for kind in folder_kinds() if kind.needs and all(_any(names, need) for need in kind.needs)]
    if not fitting:
        return None
    kind = max(fitting, key=lambda kind: kind.sure)
    found = Found(kind.format, kind.title, "files", values=kind.values(path, names))
    called = {name: code for code, name in MMARCO_NAMES.items()}
    told = [match[1] for name in names if kind.language and (match := re.search(kind.language, name))]
    found.languages = list(dict.fromkeys(called.get(name) or languages.code(name) or name for name in told))
    found.notes += [f"holds {other.title} too" for other in fitting if other is not kind]
    return found, kind


def _any(names: list[str], pattern: str) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for name in names)


def _alike(path: Path, members: dict[str, Found]) -> tuple[Found, FolderKind]:
    """A folder whose files are of one format, one for each language; or just files."""
    kinds = Counter(one.format for one in members.values())
    format, count = kinds.most_common(1)[0]
    files = {_side(one): path / name for name, one in members.items()}
    whole = count == len(members)
    for kind in folder_kinds() if whole and len(files) == count else ():
        if kind.each and fnmatch.fnmatch(format, kind.each):
            first = next(iter(members.values()))
            return Found(kind.format, kind.title, "files", values=kind.sides(files, first)), kind
    if format == "text" and whole and len({one.rows for one in members.values()}) == 1 and count > 1:
        return Found(_PARALLEL.format, _PARALLEL.title, "files"), _PARALLEL
    listed = ", ".join(f"{number} {name}" for name, number in kinds.items())
    return Found(_MIXED.format, f"{_MIXED.title}{listed}", "files"), _MIXED


def _side(member: Found) -> str:
    """The language of a file, or the languages of its questions and paragraphs."""
    return member.values.get("side") or (member.languages or ["xx"])[0]


def _model(path: Path) -> Found | None:
    """A Hugging Face model folder."""
    config = path / "config.json"
    if not config.is_file():
        return None
    try:
        told = json.loads(config.read_bytes()[: 1 << 24])
    except (ValueError, RecursionError):
        told = None
    weights = sorted(path.glob("*.safetensors"))
    pickles = sorted([*path.glob("*.bin"), *path.glob("*.pt"), *path.glob("*.ckpt")])
    if not isinstance(told, dict) or not ("model_type" in told or weights or pickles):
        return None
    kind = str(told.get("model_type", "of unknown type"))[:40]
    found = Found("model-folder", f"a Hugging Face model ({kind})", "files of weights", len(weights))
    found.fields = [str(name)[:80] for name in told.get("architectures") or []][:5]
    for file in weights:
        part = inspect_file(file)
        found.counts["parameters"] = found.counts.get("parameters", 0) + part.counts.get("parameters", 0)
        found.problems += [f"{file.name}: {problem}" for problem in part.problems]
    if not weights:
        found.problems.append(PICKLED if pickles else "holds no weights: model.safetensors is missing")
    if not any((path / name).is_file() for name in ("tokenizer.json", "vocab.txt", "sentencepiece.bpe.model")):
        found.notes.append("holds no tokenizer that is known (tokenizer.json, vocab.txt, sentencepiece.bpe.model)")
    return found


def _dataset(path: Path) -> Found | None:
    """What ``datasets.Dataset.save_to_disk`` writes."""
    splits = path / "dataset_dict.json"
    if splits.is_file():
        parts = sorted(part.name for part in path.iterdir() if (part / "state.json").is_file())
        found = Found("datasets-splits", "a Hugging Face dataset of several splits", "splits", len(parts))
        found.samples = parts[:20]
        found.notes.append("a collection reads the folder of one split")
        return found
    if not (path / "state.json").is_file():
        return None
    found = Found("datasets", "a Hugging Face dataset on disk", "rows")
    for file in sorted(path.glob("*.arrow")):
        part = inspect_file(file)
        found.rows += part.rows
        found.fields, found.samples = part.fields, part.samples
        found.problems += [f"{file.name}: {problem}" for problem in part.problems]
    if not found.fields:
        found.problems.append("holds no Arrow file")
    return found
