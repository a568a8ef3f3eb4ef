from __future__ import annotations

import re
from functools import partial

from switchrank.collections.trec.reader import ROWS
from switchrank.identify.columns import columns_of, is_whole
from switchrank.identify.entries import DOCUMENTS, JUDGEMENTS, QUERIES, collection
from switchrank.identify.kinds import NAMES, TAGS, Kind, judgements, texts

_TOP = re.compile(rb"<top>", re.IGNORECASE)
_DOC = re.compile(rb"<doc>", re.IGNORECASE)
_DOCNO = re.compile(rb"<docno>\s*+([^<\s]++)\s*+</docno>", re.IGNORECASE)
_ITER = {b"0", b"Q0", b"q0"}
_entry = partial(
    collection,
    "trec",
    languages="[$language]",
    splits="[test]",
    documents='"documents.trec"  # <DOC>',
    queries='"topics.{split}"  # <top>',
    judgements=JUDGEMENTS,
)
KINDS = (
    Kind(
        "trec-topics",
        "TREC topics: <top>, <num>, <title>",
        "queries",
        lambda source: source.head.lstrip().startswith(b"<") and bool(_TOP.search(source.head[:4096])),
        TAGS,
        texts(ROWS.queries),
        same="num",
        texts="title",
        entry=_entry(queries="$path"),
    ),
    Kind(
        "trec-documents",
        "TREC documents: <DOC>, <DOCNO>, text",
        "documents",
        lambda source: (
            source.head.lstrip().startswith(b"<")
            and bool(_DOC.search(source.head[:4096]) and _DOCNO.search(source.head[:65536]))
        ),
        TAGS + 1,
        texts(ROWS.documents),
        same="DOCNO",
        entry=_entry(documents="$path"),
    ),
    Kind(
        "trec-qrels",
        "TREC judgements (qrels): query, 0, document, relevance",
        "judgements",
        lambda source: columns_of(source).most_words(4, lambda row: row[1] in _ITER and is_whole(row[3])),
        NAMES - 1,
        judgements(ROWS.judgements),
        ("qid", "0", "docid", "relevance"),
        entry=collection(
            "msmarco",
            languages="[$language]",
            splits="[test]",
            documents=DOCUMENTS,
            queries=QUERIES,
            judgements="$path",
        ),
    ),
)
