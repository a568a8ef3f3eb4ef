"""Sections of questions with answers: what makes a document relevant."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field

from switchrank.collections.section import CollectionSection

PAIR = re.compile(r"[a-z]{2,3}-[a-z]{2,3}")
"""A query and a document language, such as ``de-en``."""


class Answered(CollectionSection):
    """Shared by records with answers: what makes a document relevant."""

    relevance: Literal["gold", "answer"] = Field(
        "gold",
        description="`gold`: the passage or sentence that the question was asked about; `answer`: every document that "
        "holds one of its answers, word for word",
    )
