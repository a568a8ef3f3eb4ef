"""The config entry that reads what was found: templates, and the facts that they ask for."""

from __future__ import annotations

import json
from string import Template

from switchrank.identify.found import Found

_BOOLEANS = {"no", "on", "off", "yes", "y", "n"}
_IDS = ("id", "_id", "docid", "doc_id", "pid", "qid", "query_id", "url")
_TEXTS = ("text", "contents", "passage", "body", "context", "query", "question", "title")
_PLAIN = {"language", "languages", "split", "version", "name", "files", "vectors", "side", "sides"}
"""Values that are YAML already; all others are paths and are quoted."""


def filled(template: str, found: Found, path: str) -> str:
    """A template with its ``$names`` filled in; values of the finding take precedence over guesses from languages."""
    known = [json.dumps(code) if code in _BOOLEANS else code for code in found.languages or ["xx"]]
    columns = [name.partition(" (")[0] for name in found.fields]
    facts = {
        "language": known[0],
        "languages": ", ".join(known),
        "source": known[0] if len(known) > 1 else "en",
        "target": known[1] if len(known) > 1 else known[0],
        "split": "train" if "train" in path.rpartition("/")[2] else "test",
        "side": known[0],
        "sides": "files",
        "first": json.dumps(next((name for name in _IDS if name in columns), "id")),
        "second": json.dumps(next((name for name in _TEXTS if name in columns), "text")),
        "path": quoted(path),
    }
    facts |= {name: value if name in _PLAIN else quoted(value) for name, value in found.values.items()}
    if any(f"${name}" in template and facts[name] == "xx" for name in ("language", "side")):
        found.notes.append("xx: neither the data nor its name tells the language; write its code")
    return Template(template).safe_substitute(facts).rstrip("\n")


def quoted(text: str) -> str:
    """A text in quotation marks, as YAML."""
    return json.dumps(text, ensure_ascii=False)
