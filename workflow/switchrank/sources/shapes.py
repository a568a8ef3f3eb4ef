"""The formats that are known, and how the files of each are written: a shape for documents, queries and judgements.

Standard library only, so that a workflow can ask while it is being parsed. A shape is a plain mapping: its ``kind``
names a reader, the other keys are that reader's settings. A collection's ``options`` override single settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Shape = Mapping[str, Any]

KINDS: dict[str, dict[str, dict[str, type]]] = {
    "documents": {
        "tsv": {},
        "trec": {"fields": list},
        "passages": {"lists": list, "id": str, "text": list},
        "records": {"id": str, "text": list, "separator": str, "header": bool},
    },
    "queries": {
        "tsv": {},
        "trec": {"fields": list, "by_position": bool},
        "topics": {"id": str, "text": list, "codes": dict},
        "records": {"id": str, "text": list, "separator": str, "header": bool},
    },
    "judgements": {
        "qrels": {},
        "lists": {"id": str, "lists": dict, "document": str},
        "graded": {"id": str, "graded": str},
        "records": {"query": str, "document": str, "relevance": str, "separator": str, "header": bool},
    },
}
"""Kinds of shape by table, with the type of each setting."""
OPTIONAL = {"fields", "by_position", "separator", "header"}
"""Settings that a reader has a default for."""

_TSV: Shape = {"kind": "tsv"}
_QRELS: Shape = {"kind": "qrels"}
_PASSAGES = ["title", "text"]
_COLUMNS: dict[str, Shape] = {
    "documents": {"kind": "records", "id": "docid", "text": ["text"]},
    "queries": {"kind": "records", "id": "qid", "text": ["text"]},
    "judgements": {"kind": "records", "query": "qid", "document": "docid", "relevance": "relevance"},
}
SEPARATE: dict[str, dict[str, Shape]] = {
    "msmarco": {"documents": _TSV, "queries": _TSV, "judgements": _QRELS},
    "mmarco": {"documents": _TSV, "queries": _TSV, "judgements": _QRELS},
    "miracl": {
        "documents": {"kind": "records", "id": "docid", "text": _PASSAGES},
        "queries": _TSV,
        "judgements": _QRELS,
    },
    "ciral": {
        "documents": {"kind": "records", "id": "docid", "text": _PASSAGES},
        "queries": _TSV,
        "judgements": _QRELS,
    },
    "tevatron": {
        "documents": {"kind": "records", "id": "docid", "text": _PASSAGES},
        "queries": {"kind": "records", "id": "query_id", "text": ["query"]},
        "judgements": {
            "kind": "lists",
            "id": "query_id",
            "lists": {"positive_passages": 1, "negative_passages": 0},
            "document": "docid",
        },
    },
    "beir": {
        "documents": {"kind": "records", "id": "_id", "text": _PASSAGES},
        "queries": {"kind": "records", "id": "_id", "text": ["text"]},
        "judgements": {
            "kind": "records",
            "query": "query-id",
            "document": "corpus-id",
            "relevance": "score",
            "separator": "\t",
        },
    },
    "trec": {"documents": {"kind": "trec"}, "queries": {"kind": "trec"}, "judgements": _QRELS},
    "neuclir": {
        "documents": {"kind": "records", "id": "id", "text": _PASSAGES},
        "queries": {"kind": "topics", "id": "topic_id", "text": ["topic_title"], "codes": {}},
        "judgements": _QRELS,
    },
    "clirmatrix": {
        "documents": _TSV,
        "queries": {"kind": "records", "id": "src_id", "text": ["src_query"]},
        "judgements": {"kind": "graded", "id": "src_id", "graded": "tgt_results"},
    },
    "large-scale-clir": {
        "documents": {"kind": "records", "id": "1", "text": ["2", "3"], "separator": "\t", "header": False},
        "queries": {"kind": "records", "id": "1", "text": ["3"], "separator": "\t", "header": False},
        "judgements": _QRELS,
    },
    "tsv": _COLUMNS,
    "parquet": _COLUMNS,
}
"""Formats whose documents, queries and judgements are files of their own."""
SEPARATE |= {"mldr": SEPARATE["tevatron"], "datasets": SEPARATE["parquet"]}
RECORDS = ("pairs", "squad", "bipar", "afriqa", "questions")
"""Formats whose files hold question, passage and answers together, record by record."""
FORMATS = (*SEPARATE, *RECORDS, "joined")
READ_BY: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(SEPARATE, ("sources.separate",)),
    "pairs": ("sources.pairs",),
    "squad": ("sources.squad",),
    "bipar": ("sources.bipar",),
    "afriqa": ("sources.afriqa",),
    "questions": ("sources.open_questions", "sources.separate"),
    "joined": ("sources.joined",),
}
"""The modules that read a format; the first has ``read_collection``."""
WITH_TRIPLES = (*SEPARATE, "pairs")
"""Formats that may bring the negatives to train on."""


def shape_error(table: str, shape: Shape) -> str | None:
    """What is wrong with a shape, or None."""
    kinds = KINDS[table]
    if shape.get("kind") not in kinds:
        return f"kind {shape.get('kind')!r} is none of {', '.join(kinds)}"
    settings = kinds[shape["kind"]]
    for key, value in shape.items():
        if key != "kind" and key not in settings:
            return f"unknown key {key}; known: {', '.join(settings) or 'none'}"
        if key != "kind" and not isinstance(value, settings[key]) and not (key == "relevance" and value is None):
            return f"{key} is no {settings[key].__name__}"
    missing = [key for key in settings if key not in shape and key not in OPTIONAL]
    return f"no {missing[0]}" if missing else None
