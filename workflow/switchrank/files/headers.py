"""Header lines where data belongs: names of columns in the first line of a file that should have none.

Read as data, a header is a document, a query or a translation that nobody wrote. It is recognised by its words alone:
an id called ``id`` beside a text called ``text``, or nothing but names of columns, no two alike. No data is that.
"""

import re
from collections.abc import Sequence
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


def is_header(fields: Sequence[str], *, words: bool = False) -> bool:
    """Whether the fields of a row of ids and texts, or of ``words``, are names of columns."""
    names = _names(fields)
    if not 1 < len(names) == len(set(names)):
        return False
    named = names[0] in _IDS and any(name in _IDS | _TEXTS for name in names[1:])
    return all(name in _WORDS for name in names) if words else named or all(name in _TEXTS for name in names)


def refuse_header(path: str | Path, fields: Sequence[str], todo: str, *, words: bool = False) -> None:
    """Raise UserError if the ``fields`` of a file's first row are a header; ``words``: of word pairs."""
    if is_header(fields, words=words):
        problem = f"a header ({', '.join(field.strip() for field in fields)}) where data begins"
        raise UserError(path, "line 1", problem, todo)


def is_id_name(name: str) -> bool:
    """Whether a column is named as ids are."""
    return _names([name])[0] in _IDS


def header_separator(line: str) -> str:
    """The comma or semicolon between the column names in a line; empty where it holds none."""
    return next((sign for sign in ",;" if sign in line and is_header(line.split(sign))), "")


def _names(fields: Sequence[str]) -> list[str]:
    return [_PLAIN.sub("", field).casefold() for field in fields]
