"""Sweeps: one setting of a system's corpus or lexicon varied, each value a system of its own.

A sweep is expanded in the plain config before it is checked, so that everything downstream sees systems only.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from switchrank.errors import UserError

Plain = dict[str, Any]
DEGRADE = "lexicon.degrade"


def suffix_of(sweep: str, value: object) -> str:
    """What a value adds to the names of its corpus, lexicon and system."""
    return f"{sweep}-{text_of(value).replace('.', '-').lower()}"


def text_of(value: object) -> str:
    """A value as it stands in tables."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def expand_sweeps(data: Plain, path: str | Path) -> Plain:
    """A config mapping with the systems of its sweeps written out.

    The value that the swept system has itself gets no system of its own. ``key`` is a key of the corpus, or
    ``lexicon.<key>`` of its lexicon; ``lexicon.degrade`` makes a degraded lexicon of that share.

    Raises:
        UserError: a sweep names a system, or a system a corpus or lexicon, that is not there.
    """
    sweeps = data.get("sweeps") or {}
    if not isinstance(sweeps, dict) or not all(isinstance(sweep, dict) for sweep in sweeps.values()):
        return data  # the models say what is wrong
    grown = {**data, **{name: dict(data.get(name) or {}) for name in ("lexicons", "corpora", "systems")}}
    for name, sweep in sweeps.items():
        key, values = sweep.get("key"), sweep.get("values")
        for value in values if isinstance(key, str) and isinstance(values, list) else []:
            _add(grown, name, str(sweep.get("system")), key, value, path)
    return grown


def _add(data: Plain, sweep: str, system: str, key: str, value: Any, path: str | Path) -> None:
    part = _section(data, "systems", system, f"sweeps.{sweep}.system", path)
    corpus_name = str(part.get("corpus"))
    corpus = _section(data, "corpora", corpus_name, f"sweeps.{sweep}.system", path)
    suffix = suffix_of(sweep, value)
    changed, same = _changed(data, corpus, key, value, suffix, f"sweeps.{sweep}.key", path)
    if not same:
        data["corpora"][f"{corpus_name}-{suffix}"] = changed
        data["systems"][f"{system}-{suffix}"] = {**part, "corpus": f"{corpus_name}-{suffix}"}


def _changed(
    data: Plain, corpus: Plain, key: str, value: Any, suffix: str, place: str, path: str | Path
) -> tuple[Plain, bool]:
    """The corpus with one key set, and whether that changes nothing."""
    if not key.startswith("lexicon."):
        return {**corpus, key: value}, corpus.get(key) == value
    lexicon_name = str(corpus.get("lexicon"))
    lexicon = _section(data, "lexicons", lexicon_name, place, path)
    inner = key.removeprefix("lexicon.")
    if key == DEGRADE:
        languages = {"languages": lexicon["languages"]} if "languages" in lexicon else {}
        new, same = {"kind": "degraded", "of": lexicon_name, "share": value, **languages}, not value
    else:
        new, same = {**lexicon, inner: value}, lexicon.get(inner) == value
    if not same:
        data["lexicons"][f"{lexicon_name}-{suffix}"] = new
    return {**corpus, "lexicon": f"{lexicon_name}-{suffix}"}, same


def _section(data: Plain, kind: str, name: str, place: str, path: str | Path) -> Plain:
    found = data[kind].get(name)
    if not isinstance(found, dict):
        raise UserError(path, place, f"{name} is not among {kind}", f"declared: {', '.join(data[kind]) or 'none'}")
    return found
