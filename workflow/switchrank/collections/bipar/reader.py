"""Reads a collection from BiPaR: English and Chinese paragraphs of novels, their questions, all in both languages.

Format: SQuAD-style JSON, parallel paragraph by paragraph; a question's id ends in the kind of its file, ``_EN``,
``_ZH``, ``_CROSS_QEN`` (English questions, Chinese paragraphs) or ``_CROSS_QZH`` (Jing et al. 2019, arXiv 1910.05040;
repository sharejing/BiPaR). Without that ending the ids of all four files are the same. The two crosslingual files
hold nothing that the two monolingual ones do not: either two give the whole collection.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from switchrank.collections.spec import CollectionSpec, Parsed, Relevance, check_sides
from switchrank.collections.squad.reader import read_collection as read_squad

check_roles = check_sides
_without_ending = partial(re.compile(r"_(CROSS_Q)?(EN|ZH)$").sub, "")


def read_collection(
    spec: CollectionSpec, files: Mapping[str, str], folder: Path, *, relevance: Relevance = "gold"
) -> Parsed:
    """Read a collection as :mod:`switchrank.collections.squad.reader` does, under ids without their endings."""
    return read_squad(spec, files, folder, relevance=relevance, question_id=_without_ending)
