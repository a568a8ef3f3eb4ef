"""Sweeps: one setting of a system, of its corpus or of its lexicon varied, each value a system of its own.

A sweep is expanded in the plain config before it is checked, so that everything downstream sees systems only.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from switchrank.config.lexicons import Lexicon
from switchrank.config.models import Corpus
from switchrank.config.sections import Finding, Section, suffix_of
from switchrank.config.systems import System, Train

Plain = dict[str, Any]
DEGRADE = "lexicon.degrade"
_CORPUS: TypeAdapter[Section] = TypeAdapter(Corpus)
_LEXICON: TypeAdapter[Section] = TypeAdapter(Lexicon)
_SYSTEM: TypeAdapter[Section] = TypeAdapter(System)
_TRAIN: TypeAdapter[Section] = TypeAdapter(Train)


def is_of_corpus(key: str) -> bool:
    """Whether a sweep varies a key of its system's corpus or lexicon, not of the system itself."""
    return key.partition(".")[0] not in System.model_fields


def expand_sweeps(data: Plain) -> Plain:
    """A config mapping with the systems of its sweeps written out; what is wrong with it is left for the checks.

    The value that the varied system has itself, written or by default, gets no system of its own. ``key`` is one of the
    system (``start``, ``train.<key>``), of its corpus, or ``lexicon.<key>`` of its lexicon; ``lexicon.degrade`` makes a
    degraded lexicon of that share.
    """
    sweeps = data.get("sweeps") or {}
    if not isinstance(sweeps, dict) or not all(isinstance(sweep, dict) for sweep in sweeps.values()):
        return data
    sections = {name: data.get(name) or {} for name in ("lexicons", "corpora", "systems")}
    if not all(isinstance(section, dict) for section in sections.values()):
        return data
    grown = {**data, **{name: dict(section) for name, section in sections.items()}}
    for name, sweep in sweeps.items():
        key, values = sweep.get("key"), sweep.get("values")
        for value in values if isinstance(key, str) and isinstance(values, list) else []:
            _add(grown, name, str(sweep.get("system")), key, value)
    return grown


def name_sweeps(findings: Sequence[Finding], data: Plain) -> list[Finding]:
    """Findings as a user can act on them: in place of a section that a sweep made, the sweep is named.

    What is wrong with the varied section itself is reported for that one alone.
    """
    sweeps = data.get("sweeps")
    suffixes = {
        f"-{suffix_of(name, value)}": name
        for name, sweep in (sweeps.items() if isinstance(sweeps, dict) else ())
        if isinstance(sweep, dict) and isinstance(sweep.get("values"), list)
        for value in sweep["values"]
    }
    known, named = {(place, problem) for place, problem, _ in findings}, []
    for place, problem, todo in findings:
        section, _, rest = place.partition(".")
        name, dot, key = rest.partition(".")
        made = name not in (data.get(section) or {}) and section in ("lexicons", "corpora", "systems")
        suffix = next((suffix for suffix in suffixes if made and name.endswith(suffix)), None)
        if suffix is None:
            named.append((place, problem, todo))
        elif (f"{section}.{name.removesuffix(suffix)}{dot}{key}", problem) not in known:
            named.append((f"sweeps.{suffixes[suffix]}", f"{key}: {problem}" if key else problem, todo))
    return named


def _add(data: Plain, sweep: str, system: str, key: str, value: Any) -> None:
    part, suffix = data["systems"].get(system), suffix_of(sweep, value)
    if not isinstance(part, dict):
        return
    if not is_of_corpus(key):
        varied = _with(part, key.split("."), value)
        if varied is not None and not _same(_SYSTEM, _whole(data, part), _whole(data, varied)):
            data["systems"][f"{system}-{suffix}"] = varied
        return
    corpus_name = str(part.get("corpus"))
    corpus = data["corpora"].get(corpus_name)
    changed = _changed(data, corpus, key, value, suffix) if isinstance(corpus, dict) else None
    if changed is not None:
        data["corpora"][f"{corpus_name}-{suffix}"] = changed
        data["systems"][f"{system}-{suffix}"] = {**part, "corpus": f"{corpus_name}-{suffix}"}


def _with(section: Plain, keys: Sequence[str], value: Any) -> Plain | None:
    """The section with the value at a path of keys; None if the path leads through something that is no section."""
    first, *rest = keys
    inner = section.get(first) or {}
    if rest and not isinstance(inner, dict):
        return None
    return {**section, first: _with(inner, rest, value) if rest else value}


def _whole(data: Plain, system: Plain) -> Plain:
    """A system with all keys of the training that it has: its own, the run's, or those by default."""
    given, own = data.get("train"), system.get("train")
    try:
        run = _TRAIN.validate_python(given).plain("device", "processes", "threads")
    except ValidationError:
        run = {}
    return {**system, "train": {**run, **own}} if isinstance(own, dict) else {**system, "train": run}


def _changed(data: Plain, corpus: Plain, key: str, value: Any, suffix: str) -> Plain | None:
    """The corpus with one key set, or None where that changes nothing; a changed lexicon is added to ``data``."""
    if not key.startswith("lexicon."):
        varied = {**corpus, key: value}
        return None if _same(_CORPUS, corpus, varied) else varied
    name = str(corpus.get("lexicon"))
    lexicon = data["lexicons"].get(name)
    inner = key.removeprefix("lexicon.")
    if not isinstance(lexicon, dict):
        return None
    if key == DEGRADE:
        languages = {"languages": lexicon["languages"]} if "languages" in lexicon else {}
        varied = {"kind": "degraded", "of": name, "share": value, **languages}
    else:
        varied = {**lexicon, inner: value}
    if (key == DEGRADE and not value) or _same(_LEXICON, lexicon, varied):
        return None
    data["lexicons"][f"{name}-{suffix}"] = varied
    return {**corpus, "lexicon": f"{name}-{suffix}"}


def _same(kind: TypeAdapter[Section], one: Plain, other: Plain) -> bool:
    """Whether two sections mean the same: a key that is not written has its default. A wrong one equals only itself."""
    try:
        return one == other or kind.validate_python(one).plain() == kind.validate_python(other).plain()
    except ValidationError:
        return False
