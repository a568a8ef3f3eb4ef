"""Which sniffers there are and in which order they look: the surest first, plain text last."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from switchrank.core.errors import UserError
from switchrank.inspect import (
    archives,
    columnar,
    json_documents,
    json_lines,
    markup,
    plain,
    separated,
    sql,
    tabular,
    vectors,
    weights,
)
from switchrank.inspect.entries import entry_for
from switchrank.inspect.found import Found, shorten
from switchrank.inspect.source import Source

Sniffer = Callable[[Source], Found | None]

SNIFFERS: tuple[Sniffer, ...] = (
    columnar.inspect,
    weights.inspect,
    vectors.inspect,
    archives.inspect_tar,
    sql.inspect,
    markup.inspect,
    json_lines.inspect,
    json_documents.inspect,
    separated.inspect,
    tabular.inspect,
    plain.inspect,
)


def inspect_file(path: Path, *, quick: bool = False, what: str | None = None) -> Found:
    """What a file is, with the config entry that reads it.

    Args:
        path: the file, whatever it is called.
        quick: read the first megabytes only, and estimate the numbers.
        what: name of a progress bar; none is shown without it.

    Raises:
        UserError: the file is missing, unreadable, empty, or of no format that is known.
    """
    if not path.is_file():
        problem = "not a file" if path.exists() else "no such file"
        raise UserError(path, "", problem, "correct the path")
    if not path.stat().st_size:
        raise UserError(path, "", "empty", "fetch or make the file again")
    try:
        packed = archives.inspect_packed(path)
    except OSError as error:
        raise UserError(path, "", f"cannot be read ({error.strerror})", "correct the path or its rights") from error
    found = packed or _sniffed(Source(path, quick=quick, what=what))
    found.entry = entry_for(found, str(path))
    return found


def _sniffed(source: Source) -> Found:
    for sniffer in SNIFFERS:
        found = sniffer(source)
        if found:
            return found
    kind = "text" if source.is_text else "bytes"
    start = shorten(source.head[:40] if source.is_text else source.head[:8].hex(" "))
    problem = source.damage or f"{kind} of no format that is known, starting with {start!r}"
    raise UserError(source.path, "", problem, "see switchrank inspect --help for the formats that are known")
