"""The formats that are known, and how the files of each are written: a shape for documents, queries and judgements.

Standard library only, so that a workflow can ask while it is being parsed. A shape is a plain mapping: its ``kind``
names a reader, the other keys are that reader's settings. A collection's ``options`` override single settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]

SEPARATE: dict[str, dict[str, Shape]] = {
    "msmarco": {"documents": {"kind": "tsv"}, "queries": {"kind": "tsv"}, "judgements": {"kind": "qrels"}},
}
"""Formats whose documents, queries and judgements are files of their own."""
RECORDS = ("squad",)
"""Formats whose files hold question, passage and answers together, record by record."""
FORMATS = (*SEPARATE, *RECORDS)
