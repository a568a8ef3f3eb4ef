"""Names in a config: whether each is known and what it was meant for, placeholders, and names that sweeps make."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Iterator
from string import Formatter

Finding = tuple[str, str, str]
"""Key path, what is wrong there, what to do."""


def known_name(place: str, what: str, value: str, allowed: Iterable[str]) -> Iterator[Finding]:
    """A name that is not declared, and the one it is most like; codes of languages are too short for that."""
    allowed = list(allowed)
    if value not in allowed:
        close = [] if "language" in what else difflib.get_close_matches(value, allowed, 1, 0.5)
        hint = f"did you mean {close[0]}?" if close else f"declared: {', '.join(allowed) or 'none'}"
        yield place, f"unknown {what} {value}", hint


def known_placeholders(place: str, path: str, known: Collection[str] = ()) -> Iterator[Finding]:
    """A path with braces in it: they are paired, and what they hold is among the known names."""
    try:
        used = [field for _, field, _, _ in Formatter().parse(path) if field is not None]
    except ValueError as error:
        yield place, f"{path}: {error}", "pair the braces"
        return
    todo = f"known: {{{'}, {'.join(known)}}}" if known else "nothing is filled in here: write the path out"
    for field in used:
        if field not in known:
            yield place, f"unknown placeholder {{{field}}}", todo


def suffix_of(sweep: str, value: object) -> str:
    """What a value adds to the names of its corpus, lexicon and system."""
    return f"{sweep}-{re.sub('[^a-z0-9]+', '-', text_of(value).lower()).rstrip('-')}"


def text_of(value: object) -> str:
    """A value as it stands in tables."""
    return str(value).lower() if isinstance(value, bool) else str(value)
