"""Sweeps: one setting of a system, of its corpus or of its lexicon varied, each value a system of its own.

A sweep is expanded in the plain config before it is checked, so that everything downstream sees systems only.
"""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from switchrank.config.lexicons import Lexicon
from switchrank.config.models import Corpus
from switchrank.config.sections import Finding, Section, suffix_of
from switchrank.config.systems import CROSS, RUN_KEYS, TRAININGS, System, Train, Training

Plain = dict[str, Any]
_KINDS: dict[str, TypeAdapter[Section]] = {
    "systems": TypeAdapter(System),
    "corpora": TypeAdapter(Corpus),
    "lexicons": TypeAdapter(Lexicon),
}


def is_of_corpus(key: str) -> bool:
    """Whether a sweep varies a key of its system's corpus or lexicon, not of the system itself."""
    return key.partition(".")[0] not in System.model_fields


def expand_sweeps(data: Plain) -> Plain:
    """A config mapping with the systems of its sweeps written out; what is wrong with it is left for the checks.

    The value that the varied system has itself, written or by default, gets no system of its own. What ``key`` may be
    is said in :class:`switchrank.config.systems.Sweep`.
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
            _vary(grown, "systems", str(sweep.get("system")), key, value, suffix_of(name, value))
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


def _vary(data: Plain, section: str, name: str, key: str, value: Any, suffix: str) -> bool:
    """Add to ``data`` the system, corpus or lexicon with another value of a key, its own or of what it is made of.

    Its name ends in ``suffix``. Returns False, and adds nothing, where there is none of this name or nothing changes.
    """
    part = data[section].get(name)
    if not isinstance(part, dict):
        return False
    of_corpus = section == "systems" and is_of_corpus(key)
    if of_corpus or (section == "corpora" and key.startswith("lexicon.")):
        link, below = ("corpus", "corpora") if of_corpus else ("lexicon", "lexicons")
        inner, made = key if of_corpus else key.removeprefix("lexicon."), str(part.get(link))
        varied: Plain | None = {**part, link: f"{made}-{suffix}"}
        changes = _vary(data, below, made, inner, value, suffix)
    elif section == "lexicons" and key == "degrade":
        varied = {"kind": "degraded", "of": name, "share": value}
        varied |= {"languages": part["languages"]} if "languages" in part else {}
        changes = bool(value) and not _same(section, part, varied)
    elif section == "systems":
        varied = _with(part, key.split("."), value)
        changes = varied is not None and not _same(section, _whole(data, part), _whole(data, varied))
    else:
        varied = {**part, key: value}
        changes = not _same(section, part, varied)
    if changes:
        data[section][f"{name}-{suffix}"] = varied
    return changes


def _with(section: Plain, keys: Sequence[str], value: Any) -> Plain | None:
    """The section with the value at a path of keys; None if the path leads through something that is no section."""
    first, *rest = keys
    inner = section.get(first) or {}
    if rest and not isinstance(inner, dict):
        return None
    return {**section, first: _with(inner, rest, value) if rest else value}


def _whole(data: Plain, system: Plain) -> Plain:
    """A system with all keys of the training that it has: its own, the run's, or those by default."""
    named, own = system.get("architecture"), system.get("train")
    architecture = next((one for one in TRAININGS if one == named), CROSS)
    kind: type[Training] = Train if architecture == CROSS else TRAININGS[architecture]
    try:
        section = kind.model_validate(data.get(RUN_KEYS[architecture]) or {})
        run = section.plain("device", "processes", "threads")
    except ValidationError:
        run = {}
    return {**system, "train": {**run, **own}} if isinstance(own, dict) else {**system, "train": run}


def _same(section: str, one: Plain, other: Plain) -> bool:
    """Whether two sections mean the same: a key that is not written has its default. A wrong one equals only itself."""
    kind = _KINDS[section]
    try:
        return one == other or kind.validate_python(one).plain() == kind.validate_python(other).plain()
    except ValidationError:
        return False
