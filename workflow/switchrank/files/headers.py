"""Header lines where the first row of data belongs: names of columns that a file without a header starts with.

Read as data, a header is a document, a query or a translation that nobody wrote. It is told by its words alone: an id
that is called ``id`` beside a text that is called ``text``, or names of columns and nothing else, no two alike. No row
of data is that.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from switchrank.core.errors import UserError

_PLAIN = re.compile(r"[\W_]+")
_ID_NAMES = """
id qid queryid topicid questionid docid docno documentid pid passageid corpusid articleid pageid
"""
_TEXT_NAMES = """
query question topic text title passage document doc content contents context body abstract answer positive negative pos
neg anchor sentence group label relevance score grade rank language lang url
"""
_WORD_NAMES = "source target src tgt trg word term translation translations lemma headword"
_IDS, _TEXTS, _WORDS = (frozenset(names.split()) for names in (_ID_NAMES, _TEXT_NAMES, _WORD_NAMES))


def is_header(fields: Sequence[str]) -> bool:
    """Whether the fields of a row of ids and texts are names of columns."""
    names = _names(fields)
    named = names[0] in _IDS and any(name in _IDS | _TEXTS for name in names[1:])
    return _differ(names) and (named or all(name in _TEXTS for name in names))


def is_word_header(fields: Sequence[str]) -> bool:
    """Whether a pair of words is one of names of columns, such as ``source target``."""
    names = _names(fields)
    return _differ(names) and all(name in _WORDS for name in names)


def refuse_header(path: str | Path, fields: Sequence[str], todo: str, *, words: bool = False) -> None:
    """Refuse the first row of a file where it is a header.

    Args:
        path: the file.
        fields: the fields of its first row.
        todo: what to do about it.
        words: it is a file of word pairs.

    Raises:
        UserError: it is one.
    """
    if is_word_header(fields) if words else is_header(fields):
        problem = f"a header ({', '.join(field.strip() for field in fields)}) where data begins"
        raise UserError(path, "line 1", problem, todo)


def is_id_name(name: str) -> bool:
    """Whether a column is called as ids are."""
    return _names([name])[0] in _IDS


def header_separator(line: str) -> str:
    """The comma or semicolon between the names of columns in a line; the empty string where it holds no such names."""
    return next((sign for sign in ",;" if sign in line and is_header(line.split(sign))), "")


def _names(fields: Sequence[str]) -> list[str]:
    return [_PLAIN.sub("", field).casefold() for field in fields]


def _differ(names: Collection[str]) -> bool:
    return 1 < len(names) == len(set(names))
