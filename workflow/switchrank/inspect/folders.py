"""Folders: collections in the layout of their makers, models, datasets, and files of one format side by side."""

from __future__ import annotations

import fnmatch
import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.inspect import languages
from switchrank.inspect.entries import entry_for
from switchrank.inspect.found import Found, shorten
from switchrank.inspect.registry import inspect_file
from switchrank.inspect.weights import PICKLED
from switchrank.mmarco import MMARCO_NAMES

MOST_FILES = 2000
_ABOUT = ("readme*", "license*", "licence*", "manifest*", "_about*", ".*", "*.md", "*.py")


@dataclass(frozen=True)
class Layout:
    """A folder as its makers publish it: file names (patterns, packed or not) that must all be there."""

    format: str
    title: str
    needs: tuple[str, ...]
    language: str = ""
    """Finds the language in a file name."""


LAYOUTS = (
    Layout("beir-folder", "a BEIR collection", ("corpus.jsonl*", "queries.jsonl*", "qrels/*.tsv*")),
    Layout(
        "mmarco-folder",
        "mMARCO",
        ("*collections/*_collection.tsv*", "*queries/*_queries.*.tsv*"),
        r"(?:^|/)([a-z]+)_collection\.tsv",
    ),
    Layout("msmarco-folder", "MS MARCO passage ranking", ("collection.tsv*", "queries.*.tsv*", "qrels.*.tsv*")),
    Layout(
        "miracl-folder",
        "MIRACL",
        ("*topics.miracl-*", "*qrels.miracl-*"),
        r"topics\.miracl-v[\d.]+-([a-z]{2,3})-",
    ),
    Layout("ciral-folder", "CIRAL", ("*topics.ciral-*", "*qrels.ciral-*"), r"topics\.ciral-v[\d.]+-([a-z]{2,3})-"),
    Layout("mldr-folder", "MLDR", ("mldr-v1.0-*/corpus.jsonl*",), r"mldr-v[\d.]+-([a-z]{2,3})/"),
    Layout(
        "afriqa-folder",
        "AfriQA",
        ("*gold_span_passages.afriqa.*",),
        r"gold_span_passages\.afriqa\.([a-z]{2,3})\.",
    ),
    Layout(
        "large-scale-clir-folder",
        "Large-Scale CLIR (Sasaki et al. 2018)",
        ("english/wiki_en.queries*", "*/wiki_*.documents*", "*/en2*.rel*"),
        r"en2([a-z]{2,3})\.rel",
    ),
)


def inspect_folder(path: Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a folder is, and what each file in it is.

    Raises:
        UserError: no file in it is known.
    """
    special = _model(path) or _dataset(path)
    if special:
        special.entry = entry_for(special, str(path))
        return special
    names = _names(path)
    members, unknown = _members(path, names, quick=quick, what=what)
    if not members:
        raise UserError(path, "", f"a folder of {len(names):,} files, none of them known", "give one that holds data")
    found = _laid_out(path, names) or _alike(path, members)
    found.rows = len(names)
    for member in members.values():
        about = found.counts.get(member.unit, 0)
        found.counts[member.unit] = about + member.rows
    found.samples = [f"{name}: {one.title}, {one.rows:,} {one.unit}" for name, one in members.items()]
    found.problems += [f"{name}: {problem}" for name, one in members.items() for problem in one.problems]
    found.notes += [f"{name}: not recognised" for name in unknown]
    found.languages = found.languages or list(dict.fromkeys(code for one in members.values() for code in one.languages))
    found.entry = entry_for(found, str(path))
    return found


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


def _laid_out(path: Path, names: list[str]) -> Found | None:
    fitting = [
        layout for layout in LAYOUTS if all(any(fnmatch.fnmatch(name, need) for name in names) for need in layout.needs)
    ]
    if not fitting:
        return None
    layout = fitting[0]
    found = Found(layout.format, layout.title, "files")
    found.languages = _languages(layout, names)
    found.values = _values(path, layout, names)
    found.notes += [f"holds {other.title} too" for other in fitting[1:]]
    return found


def _languages(layout: Layout, names: list[str]) -> list[str]:
    if not layout.language:
        return []
    called = {name: code for code, name in MMARCO_NAMES.items()}
    found = [match[1] for name in names if (match := re.search(layout.language, name))]
    return list(dict.fromkeys(called.get(name) or languages.code(name) or name for name in found))


def _values(path: Path, layout: Layout, names: list[str]) -> dict[str, str]:
    """Facts that the entry of a layout needs."""

    def first(*patterns: str) -> str:
        for pattern in patterns:
            for name in names:
                if fnmatch.fnmatch(name, pattern):
                    return str(path / name)
        return patterns[0]

    match layout.format:
        case "beir-folder":
            qrels = Path(first("qrels/test.tsv*", "qrels/dev.tsv*", "qrels/*.tsv*")).name
            return {"split": qrels.partition(".")[0]}
        case "mmarco-folder":
            return {"version": "v1" if any("helsinki" in name for name in names) else "v2"}
        case "msmarco-folder":
            return {
                "documents": first("collection.tsv*"),
                "train_queries": first("queries.train.tsv*"),
                "test_queries": first("queries.dev.small.tsv*", "queries.dev.tsv*"),
                "train_judgements": first("qrels.train.tsv*"),
                "test_judgements": first("qrels.dev.small.tsv*", "qrels.dev.tsv*"),
            }
        case "ciral-folder":
            return {"documents": "passages.jsonl"}
        case "large-scale-clir-folder":
            return {"name": Path(first("*/en2*.rel*")).parent.name}
    return {}


def _alike(path: Path, members: dict[str, Found]) -> Found:
    """A folder whose files are of one format, one for each language; or just files."""
    kinds = Counter(one.format for one in members.values())
    kind, count = kinds.most_common(1)[0]
    each = {_side(one): path / name for name, one in members.items() if one.format == kind}
    whole = count == len(members) and len(each) == count
    if kind in {"squad", "bipar"} and whole:
        values = {"documents": next(iter(members.values())).values["documents"], "files": _sides(each, kind)}
        return Found(f"{kind}-folder", "SQuAD-like questions, one file a language", "files", values=values)
    if kind.startswith("vectors-") and whole:
        lines = [f"    {code}: {{path: {json.dumps(str(file))}}}" for code, file in each.items()]
        title = "word vectors, one file a language"
        return Found("vectors-folder", title, "files", values={"vectors": "\n".join(lines)})
    if kind == "text" and count == len(members) and len({one.rows for one in members.values()}) == 1 and count > 1:
        return Found("parallel-text", "parallel text, line by line", "files")
    return Found(
        "folder", "a folder of files: " + ", ".join(f"{number} {name}" for name, number in kinds.items()), "files"
    )


def _side(member: Found) -> str:
    """The language of a file, or the languages of its questions and paragraphs."""
    return member.values.get("pair") or (member.languages or ["xx"])[0]


def _sides(each: dict[str, Path], kind: str) -> str:
    """The keys that name SQuAD-like files; where some are in two languages, as in MLQA, they share ids only."""
    alone = [f"{code}: {json.dumps(str(file))}" for code, file in each.items() if "-" not in code]
    crossed = [f"{code}: {json.dumps(str(file))}" for code, file in each.items() if "-" in code]
    named = {"files": alone, "crossed": crossed}
    keys = [f"{key}: {{{', '.join(files)}}}" for key, files in named.items() if files]
    return "\n    ".join([*keys, "parallel: false"] if crossed and kind == "squad" else keys)


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
