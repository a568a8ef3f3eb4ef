"""Small sound files of every format, made up: what the fuzzers start from."""

from __future__ import annotations

import io
import json
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from switchrank.collections.rows import JudgementRows, TextRows

LAST = "zebulon"
"""A word that is in no sample: a sound row with it, put at the end of any bytes, has to come out or be refused."""


def lines(*rows: str) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def json_lines(*records: Any) -> bytes:
    return lines(*(json.dumps(record) for record in records))


def parquet(**columns: list[Any]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return file.getvalue()


def arrow(**columns: list[Any]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(columns).write_ipc_stream(file)
    return file.getvalue()


def npy(*rows: list[float], dtype: str = "<f4") -> bytes:
    file = io.BytesIO()
    np.save(file, np.array(rows, dtype=dtype))
    return file.getvalue()


def zipped(**files: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


def tarred(**files: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


def texts(reads: TextRows, shape: Mapping[str, Any], *rows: tuple[str, str], header: bool = True) -> bytes:
    """Documents or queries as a function reads them with settings; without a header on demand."""
    match f"{reads.__module__.split('.')[2]}.{reads.__name__}":
        case "rows.text_rows":
            return lines(*(f"{name}\t{text}" for name, text in rows))
        case "trec.document_rows":
            return lines(*(f"<DOC>\n<DOCNO>{name}</DOCNO>\n<TEXT>{text}</TEXT>\n</DOC>" for name, text in rows))
        case "trec.topic_rows":
            return lines(*(f"<top>\n<num> Number: {name}\n<title> {text}\n</top>" for name, text in rows))
        case "neuclir.topic_rows":
            versions = [(name, [{"lang": "en", shape["text"][0]: text}]) for name, text in rows]
            return json_lines(*({shape["id"]: name, "topics": version} for name, version in versions))
        case "tevatron.document_rows" if "inside" in shape:
            given = [{shape["id"]: name, shape["text"][0]: text} for name, text in rows]
            return json_lines(*({"query_id": "q", "positive_passages": [passage]} for passage in given))
    return records(
        shape, [shape["id"], *shape["text"]], [[name, *[text] * len(shape["text"])] for name, text in rows], header
    )


def judgements(reads: JudgementRows, shape: Mapping[str, Any], *rows: tuple[str, str], header: bool = True) -> bytes:
    """Judgements as a function reads them with settings."""
    match f"{reads.__module__.split('.')[2]}.{reads.__name__}":
        case "rows.judgement_rows":
            return lines(*(f"{qid} 0 {docid} 1" for qid, docid in rows))
        case "tevatron.list_rows":
            name = next(iter(shape["lists"]))
            return json_lines(*({shape["id"]: qid, name: [{shape["document"]: docid}]} for qid, docid in rows))
        case "clirmatrix.graded_rows":
            return json_lines(*({shape["id"]: qid, shape["graded"]: [[docid, 3]]} for qid, docid in rows))
    names = [shape["query"], shape["document"], *([shape["relevance"]] if shape["relevance"] else [])]
    return records(shape, names, [[qid, docid, "1"][: len(names)] for qid, docid in rows], header)


def records(shape: Mapping[str, Any], names: list[str], rows: list[list[str]], header: bool) -> bytes:
    """JSON lines, or delimited text where the shape names a separator."""
    separator = shape.get("separator", "")
    if not separator:
        return json_lines(*(dict(zip(names, row, strict=True)) for row in rows))
    if not shape.get("header", True):
        places = {int(name) - 1: number for number, name in enumerate(names)}
        width = range(max(places) + 1)
        rows = [[row[places[place]] if place in places else "x" for place in width] for row in rows]
    first = [names] if header and shape.get("header", True) else []
    return lines(*(separator.join(row) for row in [*first, *rows]))


MILL = "Ada Lee built a mill. It burned in 1850."


def squad(*questions: dict[str, Any], context: str = MILL, **more: Any) -> bytes:
    paragraph = {"context": context, "qas": list(questions), **more}
    return json.dumps({"data": [{"title": "Mills", "paragraphs": [paragraph]}]}).encode()


def asked(qid: str, **more: Any) -> dict[str, Any]:
    return {"id": qid, "question": f"Who {qid}?", "answers": [{"text": "Ada Lee", "answer_start": 0}], **more}


def afriqa(name: str, **more: Any) -> dict[str, Any]:
    pivot = {"text": ["Ada Lee"], "answer_start": [0]}
    known = {"id": name, "question_lang": f"nani {name}", "question_translated": f"who {name}", "title": "Mill"}
    return {**known, "context": f"{MILL} {name}", "answer_pivot": pivot, **more}


def mkqa(number: int, text: str) -> dict[str, Any]:
    answer = {"type": "entity", "text": "Ada Lee", "aliases": ["Lee"]}
    return {"example_id": number, "queries": {"en": text, "de": text}, "answers": {"en": [answer], "de": [answer]}}


def word2vec(*words: str) -> bytes:
    rows = [word.encode() + b" " + struct.pack("<3f", 1, 2, number + 1) + b"\n" for number, word in enumerate(words)]
    return b"%d 3\n" % len(words) + b"".join(rows)


def fasttext(*words: str) -> bytes:
    """A model of version 12 with 10 buckets, field by field as ``args.cc``, ``dictionary.cc``, ``densematrix.cc``."""
    head = struct.pack("<ii12id", 793712314, 12, 3, 5, 5, 1, 5, 1, 2, 2, 10, 3, 6, 100, 1e-4)
    dictionary = struct.pack("<iiiqq", len(words), len(words), 0, 99, -1)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 7, 0) for word in words)
    rows = [len(words) + 10, len(words)]
    matrices = [struct.pack("<?qq", False, n, 3) + struct.pack(f"<{3 * n}f", *range(1, 3 * n + 1)) for n in rows]
    return head + dictionary + entries + b"".join(matrices)


PAGE_TABLE = b"""CREATE TABLE `page` (
  `page_id` int(8) unsigned NOT NULL,
  `page_namespace` int(11) NOT NULL,
  `page_title` varbinary(255) NOT NULL,
  `page_is_redirect` tinyint(1) NOT NULL,
  PRIMARY KEY (`page_id`)
) ENGINE=InnoDB;
"""
PAGE = PAGE_TABLE + b"INSERT INTO `page` VALUES (1,0,'Cat',0),(2,0,'It\\'s_(a)',0),(3,14,'Cats',0),(4,0,'Old',1);\n"
LAST_PAGE = f"INSERT INTO `page` VALUES (9,0,'{LAST}',0);\n".encode()
LANGLINKS_TABLE = b"""CREATE TABLE `langlinks` (
  `ll_from` int(8) unsigned NOT NULL,
  `ll_lang` varbinary(35) NOT NULL,
  `ll_title` varbinary(255) NOT NULL
) ENGINE=InnoDB;
"""
LANGLINKS = LANGLINKS_TABLE + b"INSERT INTO `langlinks` VALUES (1,'de','Katze'),(2,'de','O\\'B'),(1,'sw','Paka');\n"
LANGLINKS_9 = LANGLINKS + b"INSERT INTO `langlinks` VALUES (9,'de','Neun');\n"
LAST_LINK = f"INSERT INTO `langlinks` VALUES (7,'de','{LAST}');\n".encode()
PAGE_7 = PAGE + b"INSERT INTO `page` VALUES (7,0,'Seven',0);\n"


def wiki_page(title: str, text: str) -> str:
    return f"<page><title>{title}</title><ns>0</ns><revision><text>{text}</text></revision></page>\n"


WIKI_HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
<siteinfo><namespaces><namespace key="14">Category</namespace></namespaces></siteinfo>
"""
WIKI = f"{WIKI_HEAD}{wiki_page('Cat', 'A [[cat|Cat]] is {{a}} &amp; sits. [[de:Katze]]')}"
LAST_WIKI = f"{wiki_page(LAST, f'{LAST} is prose. [[de:Letzte]]')}</mediawiki>\n".encode()

TEI_ENTRY = '<entry><form><orth>{}</orth></form><sense><cit type="trans"><quote>{}</quote></cit></sense></entry>\n'
TEI = '<?xml version="1.0"?>\n<TEI xmlns="http://www.tei-c.org/ns/1.0"><text><body>\n' + TEI_ENTRY.format("paka", "cat")
PSQ = b'{"cat": {"gato": 0.8, "felino": 0.2}, "dog": {"perro": 1}}'
LAST_TEI = f"{TEI_ENTRY.format(LAST, 'last')}</body></text></TEI>\n".encode()


def entity(en: str, de: str) -> str:
    links = {"enwiki": {"title": en}, "dewiki": {"title": de}}
    labels = {"en": {"language": "en", "value": en}, "de": {"language": "de", "value": de}}
    return json.dumps({"id": "Q1", "labels": labels, "sitelinks": links})


def linguatools(de: str, en: str) -> str:
    return f'<translation id="1"><entry lang="de">{de}</entry><entry lang="en">{en}</entry></translation>\n'


def cldr(language: str, **names: str) -> bytes:
    return json.dumps({"main": {language: {"localeDisplayNames": {"territories": names}}}}).encode()


CONFIG = b"""run: small
languages: {source: en, seen: [de]}
collections:
  mine: {format: msmarco, languages: [en, de], documents: "{lang}", queries: "q.{split}.{lang}", judgements: "{split}"}
corpora:
  zero-shot: {from: mine}
systems:
  zero-shot: {corpus: zero-shot}
start: {preset: tiny, tokenizer: {texts: {en: [text]}}}
train: {steps: 10, warmup: 0.1}
testsets:
  t-mlir2: {collection: mine, mixed: seen, candidates: {all: true}}
"""
