"""Reads a collection from BiPaR: English and Chinese paragraphs of novels, their questions, all in both languages.

Format: SQuAD-style JSON, parallel paragraph by paragraph; a question's id ends in the kind of its file, ``_EN``,
``_ZH``, ``_CROSS_QEN`` (English questions, Chinese paragraphs) or ``_CROSS_QZH`` (Jing et al. 2019, arXiv 1910.05040;
repository sharejing/BiPaR). Without that ending the ids of all four files are the same. The two crosslingual files
hold nothing that the two monolingual ones do not: either two give the whole collection.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from switchrank.collections.parsed import Parsed, Relevance
from switchrank.collections.spec import CollectionSpec
from switchrank.collections.squad import reader as squad

check_roles = squad.check_roles
_ENDING = re.compile(r"_(CROSS_Q)?(EN|ZH)$")


def read_collection(
    spec: CollectionSpec, files: Mapping[str, str], folder: Path, *, relevance: Relevance = "gold"
) -> Parsed:
    """Read a collection as :func:`squad.read_collection` does, under ids without their endings.

    Raises:
        UserError: a defect of a file, or files that are not parallel.
    """
    return squad.read_collection(spec, files, folder, relevance=relevance, question_id=without_ending)


def without_ending(qid: str) -> str:
    """The id that a question has in all of BiPaR's files."""
    return _ENDING.sub("", qid)
