"""Made-up files of every format, a few rows each."""

from __future__ import annotations

import json
import struct

PASSAGE = "A passage of a collection is a text of several sentences, and most are longer than what people ask. " * 4
SENTENCE = "This is a sentence of several words and an end."


def lines(*rows: str, times: int = 6) -> bytes:
    """The rows again and again, ``#`` replaced by a running number."""
    return "".join(f"{row.replace('#', str(n))}\n" for n in range(times) for row in rows).encode()


def records(times: int = 4, **members: object) -> bytes:
    """JSON lines; ``#`` in a text is a running number."""
    text = json.dumps(members, ensure_ascii=False)
    return lines(text, times=times)


def squad(**question: object) -> bytes:
    """One paragraph with one question."""
    asked = {"id": "q1", "question": "Who sat?", "answers": [{"text": "A cat", "answer_start": 0}]} | question
    return json.dumps({"data": [{"title": "T", "paragraphs": [{"context": "A cat sat.", "qas": [asked]}]}]}).encode()


def vectors_binary() -> bytes:
    rows = [f"word{n}".encode() + b" " + struct.pack("<4f", *range(4)) for n in range(5)]
    return b"5 4\n" + b"\n".join(rows) + b"\n"


def fasttext_binary(*words: str, buckets: int = 10) -> bytes:
    """``src/fasttext.cc``, ``args.cc``, ``dictionary.cc``, ``densematrix.cc`` of fastText, version 12."""
    head = struct.pack("<ii12id", 793712314, 12, 3, 5, 5, 1, 5, 1, 2, 2, buckets, 3, 6, 100, 1e-4)
    dictionary = struct.pack("<iiiqq", len(words), len(words), 0, 99, -1)
    entries = b"".join(word.encode() + b"\0" + struct.pack("<qb", 7, 0) for word in words)
    matrices = b"".join(
        struct.pack("<?qq", False, rows, 3) + bytes(rows * 3 * 4) for rows in (len(words) + buckets, len(words))
    )
    return head + dictionary + entries + matrices


def safetensors() -> bytes:
    header = json.dumps({"w": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).encode()
    return struct.pack("<Q", len(header)) + header + bytes(16)


def tar() -> bytes:
    import io
    import tarfile

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("../evil.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return packed.getvalue()


PAGE_SQL = b"""-- MySQL dump
CREATE TABLE `page` (
  `page_id` int(8) unsigned NOT NULL,
  `page_namespace` int(11) NOT NULL,
  `page_title` varbinary(255) NOT NULL,
  PRIMARY KEY (`page_id`)
) ENGINE=InnoDB;
INSERT INTO `page` VALUES (1,0,'A_(b)'),(2,0,'It\\'s;_a,_(\\\\'),(3,14,'C');
"""
LANGLINKS_SQL = b"INSERT INTO `langlinks` VALUES (1,'sw','A (b)'),(1,'de','O\\'B'),\n(2,'sw','C');\n"
WIKI = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="sw">
<page><title>A</title><ns>0</ns><id>1</id><redirect title="B"/><revision><text>x &amp; y</text></revision></page>
<page><title>Talk:A</title><ns>1</ns><id>2</id><revision><text>z</text></revision></page>
</mediawiki>"""
TEI = b"""<?xml version="1.0" encoding="UTF-8"?><!DOCTYPE TEI SYSTEM "x.dtd">
<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><title>Swahili-English FreeDict</title></teiHeader><text><body>
<entry><form><orth>paka</orth></form><sense><def>cat</def></sense></entry>
<entry><form><orth>mbwa</orth></form><sense><def>dog</def></sense></entry></body></text></TEI>"""
LINGUATOOLS = b"""<?xml version="1.0"?><wikipediaTitles><translation id="1"><entry lang="de">Hund</entry>
<entry lang="en">dog</entry></translation></wikipediaTitles>"""
TOPICS = b"<top>\n<num> Number: 1\n<title> what is\nthis\n</top>\n<top>\n<num>2</num><title>that</title>\n</top>\n"
DOCUMENTS = b"<DOC>\n<DOCNO>a1</DOCNO>\nsome text\n</DOC>\n<DOC>\n<DOCNO>a2</DOCNO>\n<TEXT>more</TEXT>\n</DOC>\n"
CLDR = {"main": {"sw": {"localeDisplayNames": {"territories": {"DE": "Ujerumani", "FR": "Ufaransa"}}}}}
DICTIONARY = lines("cat\tpaka", "dog\tmbwa")
WIKIDATA = b'[\n{"id":"Q1","type":"item","labels":{"sw":{"language":"sw","value":"x"}},"sitelinks":{}},\n]\n'

FILES = [
    ("documents-tsv", 6, lines(f"#\t{PASSAGE}")),
    ("queries-tsv", 6, lines("#\twhat is it")),
    ("trec-qrels", 6, lines("# 0 d# 1")),
    ("trec-qrels", 6, lines("#\tQ0\tD#X\t1")),
    ("trec-run", 6, lines("q# Q0 d# 1 12.5 tag")),
    ("msmarco-run", 8, "".join(f"{q}\t{100 * q + r}\t{r}\n" for q in (1, 2) for r in range(1, 5)).encode()),
    ("msmarco-triples-ids", 6, lines("10#\t200#7\t300#9")),
    ("msmarco-triples-text", 6, lines(f"what is #\t{PASSAGE}\t{PASSAGE}")),
    ("msmarco-top1000", 6, lines(f"1#\t2#\twhat is it\t{PASSAGE}")),
    ("large-scale-clir-rel", 6, lines("1#\t2#\t2", times=6)),
    ("large-scale-clir-documents", 6, lines(f"#\tTitle\t{PASSAGE}")),
    ("beir-qrels", 6, b"query-id\tcorpus-id\tscore\n" + lines("q#\td#\t1")),
    ("beir-corpus", 4, records(_id="d#", title="T", text=PASSAGE)),
    ("beir-queries", 4, records(_id="q#", text="what is it")),
    ("documents-jsonl", 4, records(docid="x#", title="T", text=PASSAGE)),
    ("documents-jsonl", 4, records(id="x#", title="T", text=PASSAGE, lang="zho")),
    ("documents-jsonl", 4, records(id="x#", contents=PASSAGE)),
    ("tevatron-queries", 4, records(query_id="#", query="q", positive_passages=[{"docid": "d"}], negative_passages=[])),
    ("clirmatrix", 4, records(src_id="#", src_query="q", tgt_results=[["d1", 3]])),
    ("mkqa", 4, records(example_id="#", query="q", queries={"sw": "s"}, answers={"en": [{"type": "unanswerable"}]})),
    ("nq-open", 4, records(question="who is #", answer=["a"])),
    ("text-pairs", 4, records(question="who is #", answer=PASSAGE)),
    ("text-pairs", 4, records(query="who is #", passage=PASSAGE, lang="en")),
    ("json-array", 1, b'[\n  {"question": "who?",\n "answer": "I"}\n]'),
    (
        "afriqa-passages",
        4,
        records(
            id="#", question_lang="swali", question_translated="q", title="t", context=None, answer_pivot={},
            answer_lang="a",
        ),
    ),
    ("afriqa-queries", 4, records(id="#", question="s", translated_question="q", answers="[]", lang="swa")),
    ("hc4-topics", 4, records(topic_id="#", topics=[{"lang": "eng", "topic_title": "what is it"}])),
    ("text-triples", 4, records(query="q #", doc_pos="p", doc_neg="n")),
    ("wikidata", 1, WIKIDATA),
    ("squad", 1, squad()),
    ("bipar", 1, squad(id="TEST_a_1_QUERY_0_EN")),
    ("bipar", 1, squad(id="TEST_a_1_QUERY_0_CROSS_QEN")),
    ("squad", 1, squad(question="谁坐")),
    ("cldr", 2, json.dumps(CLDR).encode()),
    ("translation-table", 2, b'{"cat": {"paka": 0.5}, "dog": {"mbwa": 1}}'),
    ("vectors-text", 3, b"3 2\na 0.1 -2\nb 1 1e-3\nnew york 1 2\n"),
    ("vectors-text", 6, lines("w# 1 2 3 4 5 6 7 8 9 10")),
    ("vectors-word2vec", 5, vectors_binary()),
    ("vectors-fasttext", 2, fasttext_binary("paka", "mbwa")),
    ("page", 3, PAGE_SQL),
    ("langlinks", 3, LANGLINKS_SQL),
    ("langlinks", 1, b"INSERT INTO `langlinks` VALUES (1,_binary 'sw',_binary 'A');\n"),
    ("langlinks", 1, b"INSERT INTO `langlinks` VALUES\n(1, 0x7377, 0x41);\n"),
    ("mediawiki-sql", 2, b"INSERT INTO `redirect` VALUES (1,0,'A'),(2,0,'B');\n"),
    ("pages-articles", 2, WIKI.encode()),
    ("pages-articles", 2, b"\xff\xfe" + WIKI.encode("utf-16-le")),
    ("tei", 2, TEI),
    ("linguatools", 1, LINGUATOOLS),
    ("trec-topics", 2, TOPICS),
    ("trec-documents", 2, DOCUMENTS),
    ("dictionary", 12, DICTIONARY),
    ("dictionary", 12, lines("cat paka", "dog mbwa")),
    ("wikititles", 12, lines("Mount Meru # (film)\tMlima Meru # (filamu)", "New York City\tJiji la New York")),
    ("parallel-tsv", 6, lines(f"{SENTENCE}\t{SENTENCE}")),
    ("panlex", 6, b"I\nthou\tyou\nhe\tshe\nwe\nye\tyou\tyou all\nthey\n"),
    ("word-frequencies", 6, lines("word 12#")),
    ("names-table", 6, b"qid\ten\tsw\n" + lines("Q#\tcat\tpaka")),
    ("tsv-with-header", 2, b'id\ttitle\ttext\n1\tA\t"one line"\n2\tB\tone\n'),
    ("csv-with-header", 6, b"id,title,text\n" + lines('#,T,"some, text"')),
    ("csv-with-header", 6, b"\xef\xbb\xbfid;text\r\n" + lines("#;some text, and more")),
    ("csv-with-header", 2, b'docid;body\n1;"two\nlines; and ""quotes"""\n2;one\n'),
    ("csv", 6, lines("d#;some text")),
    ("csv", 6, lines('q#,"what, is it"')),
    ("question-table", 6, b"question;answer;category\n" + lines("who is #?;it is I;a")),
    ("question-table", 6, b"Question,Answer\n" + lines('who is #?,"I, again"')),
    ("question-table", 6, b"question\tanswer\n" + lines("who is #?\tit is I")),
    ("ids", 6, lines("56beb434#")),
    ("text", 6, lines(SENTENCE)),
    ("safetensors", 1, safetensors()),
]  # fmt: skip
