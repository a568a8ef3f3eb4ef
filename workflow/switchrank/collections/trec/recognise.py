import re

from switchrank.collections.trec.reader import ROWS
from switchrank.identify.kinds import NAMES, TAGS, Sign, judgements, texts
from switchrank.identify.source import Source, is_whole

_TOP = re.compile(rb"<top>", re.IGNORECASE)
_DOC = re.compile(rb"<doc>", re.IGNORECASE)
_DOCNO = re.compile(rb"<docno>\s*+([^<\s]++)\s*+</docno>", re.IGNORECASE)
_ITER = {b"0", b"Q0", b"q0"}


def _is_tagged(source: Source, tag: re.Pattern[bytes]) -> bool:
    return source.head.lstrip().startswith(b"<") and bool(tag.search(source.head[:4096]))


def _are_documents(source: Source) -> bool:
    return _is_tagged(source, _DOC) and bool(_DOCNO.search(source.head[:65536]))


def _are_judgements(source: Source) -> bool:
    return source.columns.most_words(4, lambda row: row[1] in _ITER and is_whole(row[3]))


KINDS = {
    "trec-topics": Sign(TAGS, lambda source: _is_tagged(source, _TOP), texts(ROWS.queries)),
    "trec-documents": Sign(TAGS + 1, _are_documents, texts(ROWS.documents)),
    "trec-qrels": Sign(NAMES - 1, _are_judgements, judgements(ROWS.judgements)),
}
