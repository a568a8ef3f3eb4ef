"""Plain-text word dictionaries: one ``source target`` pair a line, as MUSE, XLing-Eval and many others publish them."""

from __future__ import annotations

from pathlib import Path

from switchrank.errors import UserError
from switchrank.reading import read_lines
from switchrank.words import key

_TODO = "write `source target`, one pair a line"


def read_pairs(path: str | Path) -> list[tuple[str, str]]:
    """The pairs of a dictionary file (plain, ``.gz``, ``.xz``) as look-up keys, in file order, repeats included.

    The separator is the first tab or, on lines without one, the first white space; empty lines are passed over; runs
    of white space inside an expression become one space.

    Raises:
        UserError: the file is missing or damaged, a line is not UTF-8 or has no second field, or there is no pair.
    """
    pairs = []
    for number, line in read_lines(path):
        if not line.strip():
            continue
        fields = [" ".join(field.split()) for field in line.strip(" ").split("\t" if "\t" in line else None, 1)]
        if len(fields) < 2 or not all(fields):
            raise UserError(path, f"line {number}", f"no pair in {line[:60]!r}", _TODO)
        pairs.append((key(fields[0]), key(fields[1])))
    if not pairs:
        raise UserError(path, "", "holds no pair", _TODO)
    return pairs
