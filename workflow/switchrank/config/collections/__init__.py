"""The collection sections of a config file, one per format, told apart by the key ``format``.

A new format is a section here (its keys, its files by role, its reader's options) and one line in
:data:`switchrank.sources.shapes.READ_BY`.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from switchrank.config.collections.base import CollectionSection, Instances
from switchrank.config.collections.folders import Beir, Ciral, ClirMatrix, LargeScaleClir, Miracl, Mldr, Mmarco
from switchrank.config.collections.joined import Joined
from switchrank.config.collections.records import Afriqa, Bipar, Pairs, Questions, Squad
from switchrank.config.collections.separate import (
    JudgementColumns,
    MsMarco,
    NeuClir,
    Parquet,
    Tevatron,
    TextColumns,
    Trec,
    Tsv,
)

Collection = Annotated[
    MsMarco
    | Mmarco
    | Miracl
    | Ciral
    | Mldr
    | Tevatron
    | Beir
    | Trec
    | NeuClir
    | ClirMatrix
    | LargeScaleClir
    | Tsv
    | Parquet
    | Pairs
    | Squad
    | Bipar
    | Afriqa
    | Questions
    | Joined,
    Field(discriminator="format"),
]
FORMATS: dict[str, type[CollectionSection]] = {
    "msmarco": MsMarco,
    "mmarco": Mmarco,
    "miracl": Miracl,
    "ciral": Ciral,
    "mldr": Mldr,
    "tevatron": Tevatron,
    "beir": Beir,
    "trec": Trec,
    "neuclir": NeuClir,
    "clirmatrix": ClirMatrix,
    "large-scale-clir": LargeScaleClir,
    "tsv": Tsv,
    "parquet": Parquet,
    "pairs": Pairs,
    "squad": Squad,
    "bipar": Bipar,
    "afriqa": Afriqa,
    "questions": Questions,
    "joined": Joined,
}
"""The section of each format, in the order of the reference."""

__all__ = ["FORMATS", "Collection", "CollectionSection", "Instances", "JudgementColumns", "TextColumns"]
