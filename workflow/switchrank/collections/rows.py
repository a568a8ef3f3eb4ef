"""How the files of a collection are written: for each of its tables the function that reads the rows of a file.

Such a function takes the file and :class:`About`, yields rows, and has its settings bound (``functools.partial``); the
options of a collection override single settings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from inspect import Parameter, signature
from typing import Any

from switchrank.core.errors import Defect, UserError, refuse

TextRow = tuple[str, str, str]
"""Place in the file, id, text."""
JudgementRow = tuple[str, str, str, int]
"""Place in the file, query, document, relevance."""
TextRows = Callable[..., Iterator[TextRow]]
JudgementRows = Callable[..., Iterator[JudgementRow]]
_KINDS: dict[str, type] = {"Sequence": list, "Mapping": dict, "str": str, "bool": bool}


@dataclass(frozen=True)
class About:
    """What a function that reads rows may have to know of a file.

    Attributes:
        kind: what a row holds, ``document``, ``query`` or ``judgement``.
        language: which language to take where a row brings several.
        seen: passages of the files before, for files that repeat them; it grows.
        defect: is given a row that cannot be used.
    """

    kind: str = "document"
    language: str = ""
    seen: dict[str, bytes] = field(default_factory=dict)
    defect: Defect = refuse


@dataclass(frozen=True)
class Rows:
    """How documents, queries and judgements are written."""

    documents: TextRows
    queries: TextRows
    judgements: JudgementRows

    def changed(self, options: Mapping[str, Any]) -> Rows:
        """The same with single settings replaced.

        Raises:
            UserError: an unknown or missing setting, or a value of another kind.
        """
        return Rows(
            **{name: with_settings(rows, options.get(name, {}), f"options.{name}") for name, rows in vars(self).items()}
        )


def with_settings(rows: Callable[..., Any], given: Any, place: str) -> Callable[..., Any]:
    """``rows`` with settings of its own.

    Raises:
        UserError: as :meth:`Rows.changed`.
    """
    if not isinstance(given, Mapping):
        raise UserError("collection", place, "not a mapping", "write a mapping")
    known = {name: one for name, one in signature(rows).parameters.items() if one.kind is Parameter.KEYWORD_ONLY}
    for name, value in given.items():
        if name not in known:
            problem = f"unknown key {name}"
            raise UserError("collection", place, problem, f"known: {', '.join(known) or 'none'}")
        written = str(known[name].annotation)
        kind = _KINDS[re.split(r"\W", written)[0]]
        if not isinstance(value, kind) and not (value is None and written.endswith("None")):
            raise UserError("collection", place, f"{name} is no {kind.__name__}", "correct it")
    missing = [name for name, one in known.items() if one.default is Parameter.empty and name not in given]
    if missing:
        raise UserError("collection", place, f"no {missing[0]}", "name it")
    return partial(rows, **given)
