"""The config entry that reads what was found: templates, and the facts that they ask for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from string import Template

from switchrank.identify.found import Found

QUERIES = '"queries.{split}.{lang}.tsv"  # TSV qid, text'
DOCUMENTS = '"documents.{lang}.tsv"  # TSV docid, text'
JUDGEMENTS = '"qrels.{split}.tsv"  # qid 0 docid relevance'
"""The other files of a collection whose format names each, as lines of ids and texts."""
_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_IDS = ("id", "_id", "docid", "doc_id", "pid", "qid", "query_id", "url")
_TEXTS = ("text", "contents", "passage", "body", "context", "query", "question", "title")
_PLAIN = {"language", "languages", "split", "version", "name", "files", "vectors", "side", "sides"}
"""Values that are YAML already; all others are paths and are quoted."""


def collection(format: str, /, **keys: str) -> str:
    """The entry of a collection; values are YAML with ``$names`` in it."""
    return section("collections", "mine", format=format, **keys)


def section(part: str, name: str, /, **keys: str) -> str:
    """An entry of a part of a config; values are YAML with ``$names`` in it."""
    return "".join([f"{part}:\n  {name}:\n", *(f"    {key}: {value}\n" for key, value in keys.items())])


def filled(template: str, found: Found, path: str) -> str:
    """A template with its ``$names`` filled in: values of the finding come before what is guessed from languages."""
    facts = _facts(found, path)
    if any(f"${name}" in template and facts[name] == "xx" for name in ("language", "side")):
        found.notes.append("xx: neither the data nor its name tells the language; write its code")
    return Template(template).safe_substitute(facts).rstrip("\n")


def _facts(found: Found, path: str) -> dict[str, str]:
    known = [json.dumps(code) if code in _BOOLEANS else code for code in found.languages or ["xx"]]
    columns = [name.partition(" (")[0] for name in found.fields]
    told = {name: value if name in _PLAIN else quoted(value) for name, value in found.values.items()}
    return {
        "language": known[0],
        "languages": ", ".join(known),
        "source": known[0] if len(known) > 1 else "en",
        "target": known[1] if len(known) > 1 else known[0],
        "split": "train" if "train" in path.rpartition("/")[2] else "test",
        "side": known[0],
        "sides": "files",
        "first": json.dumps(_named(columns, _IDS) or "id"),
        "second": json.dumps(_named(columns, _TEXTS) or "text"),
        "path": quoted(path),
        **told,
    }


def quoted(text: str) -> str:
    """A text as YAML has it between quotation marks."""
    return json.dumps(text, ensure_ascii=False)


def _named(columns: list[str], known: Sequence[str]) -> str:
    """The first of the known names that is a column."""
    return next((name for name in known if name in columns), "")
