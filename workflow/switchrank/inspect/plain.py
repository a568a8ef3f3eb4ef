"""Plain text: sentences, words or ids, one a line. The last guess, so it is a careful one."""

from __future__ import annotations

from collections.abc import Sequence

from switchrank.inspect import languages
from switchrank.inspect.found import Found
from switchrank.inspect.rows import BROKEN, Layout, count_rows, is_utf8
from switchrank.inspect.source import Source

_SHARE = 0.9


def inspect(source: Source) -> Found | None:
    """What lines of text are; nothing where most are no text."""
    lines = source.head_lines()
    if not source.is_text or not lines or source.is_marked:
        return None
    readable = sum(is_utf8(line) and _printable(line) for line in lines)
    if readable < _SHARE * len(lines):
        return None
    return _counted(source, lines)


def _printable(line: bytes) -> bool:
    return not any(letter < 32 and letter != 9 for letter in line)


def _counted(source: Source, lines: Sequence[bytes]) -> Found:
    single = sum(len(line.split()) == 1 for line in lines)
    spaced = sum(line.count(b" ") for line in lines)
    if single >= _SHARE * len(lines) and all(line.isascii() and any(48 <= b <= 57 for b in line) for line in lines):
        layout = Layout("ids", "a list of ids", "ids", ("id",), b"\n", identity=(0,))
    elif single >= _SHARE * len(lines) and max(map(len, lines)) < 60 and (spaced or len(lines) > 1):
        layout = Layout("word-list", "a list of words", "words", ("word",), b"\n", texts=(0,))
    else:
        layout = Layout("text", "plain text, a sentence or paragraph a line", "lines", ("text",), b"\n", texts=(0,))
    found = count_rows(source, layout)
    found.languages = languages.from_name(source.path)
    if layout.format == "text":
        found.notes.append("text that vectors or a tokenizer can be trained on")
    if any(BROKEN in problem for problem in found.problems):
        found.notes.append("bytes that are not UTF-8 point to Latin-1 or Windows-1252: convert them with iconv")
    return found
