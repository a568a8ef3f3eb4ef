"""Files of every shape give the rows that are written in them, and any bytes give rows or one clear error."""

from __future__ import annotations

import json
from functools import partial
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from ir_datasets.formats import TrecQueries

from switchrank.collections.beir import reader as beir
from switchrank.collections.clirmatrix import reader as clirmatrix
from switchrank.collections.neuclir.reader import topic_rows
from switchrank.collections.records import read_records, table_files, text_rows
from switchrank.collections.rows import TextRows
from switchrank.collections.separate import TextFile, file_parts, holds_texts, read_judgements, read_queries
from switchrank.collections.tevatron import reader as tevatron
from switchrank.collections.trec import reader as trec
from switchrank.core.errors import UserError

INSIDE = partial(tevatron.ROWS.documents, inside=True)
TREC_DOCS = """<?xml version="1.0"?>
<DOC>
<DOCNO> AP-1 </DOCNO>
<TITLE>first
headline</TITLE>
<TEXT>
some &amp; text
</TEXT>
</DOC>
<doc><docno>2</docno>all <b>in</b> a line</doc><doc><docno>3</docno><text></text></doc>
"""
TOPICS = """<top>
<num> Number: 301
<title> Organized
 Crime
<desc> Description:
Who is it?
</top>
<TOP><NUM>302</NUM><TITLE>second</TITLE></TOP>
<topic number="7"><title>third</title></topic>
"""


def texts(path: str | Path, kind: str, reads: TextRows, language: str = "") -> list[tuple[str, str]]:
    frames = TextFile(path, kind, reads, language).batches()
    return pl.concat(frames).rows()


def jsonl(*records: object) -> str:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def test_trec_documents_are_their_text_without_tags(write) -> None:
    path = write("d.trec.gz", TREC_DOCS)

    assert texts(path, "document", trec.document_rows) == [
        ("AP-1", "first headline some & text"),
        ("2", "all in a line"),
    ]
    assert texts(path, "document", partial(trec.document_rows, fields=["title", "text"]))[0] == (
        "AP-1",
        "first headline some & text",
    )
    assert texts(path, "document", partial(trec.document_rows, fields=["TEXT"])) == [("AP-1", "some & text")]


def test_trec_topics_need_no_closing_tags_and_lose_their_labels(write) -> None:
    path = write("t.txt", TOPICS)

    assert texts(path, "query", trec.topic_rows) == [("301", "Organized Crime"), ("302", "second"), ("7", "third")]
    assert texts(path, "query", partial(trec.topic_rows, fields=["title", "desc"]))[0] == (
        "301",
        "Organized Crime Who is it?",
    )
    assert [qid for qid, _ in texts(path, "query", partial(trec.topic_rows, by_position=True))] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<doc><docno>1</docno>x", r"line 1: <doc> without an end"),
        ("<doc>\n<doc><docno>1</docno></doc>", r"line 1: <doc> without an end"),
        ("</doc>", "line 1: </doc> without a beginning"),
        ("<doc>x</doc>", "line 1: a document without <docno>"),
        ("\nhello\n<doc><docno>1</docno>x</doc>", "line 2: text outside of an element: 'hello'"),
        ("<!DOCTYPE html>\n<p>404 Not Found</p>", r"holds a web page \(HTML\), not data"),
        ("<doc><docno>1 2</docno>x</doc>", "line 1: id '1 2'"),
        ("<doc><docno>1</docno>x</doc>\n<doc><docno>1</docno>y</doc>", "lines 1 and 2: document id 1 twice"),
        ("", "holds no document"),
    ],
)
def test_a_defect_of_tagged_text_is_named_with_its_line(write, content, message) -> None:
    file = TextFile(write("d.trec", content), "document", trec.document_rows)
    with pytest.raises(UserError, match=message):
        file.check_ids(pl.concat(file.batches())["id"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<top><title>x</top>", "a topic without <num>"),
        ("<top><num>1<desc>x</top>", "without <title>: name one of desc"),
        ("<top>x</top>", "a topic without <num>"),
    ],
)
def test_a_topic_has_a_number_and_the_wanted_element(write, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read_queries(write("t", content), trec.topic_rows)


def test_members_of_json_lines_are_joined_by_a_space_and_missing_ones_are_skipped(write) -> None:
    path = write(
        "c.jsonl",
        jsonl(
            {"_id": 7, "title": "T", "text": "a\u2028b"},
            {"_id": "x", "title": "", "text": "c"},
            {"_id": "y", "text": "d"},
        )
        + "\n",
    )

    assert texts(path, "document", beir.ROWS.documents) == [("7", "T a\u2028b"), ("x", "c"), ("y", "d")]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", r"line 2 column 2: not JSON"),
        ("[]", "line 2: not a JSON object"),
        ('{"id": "a", "text": ["x"]}', "line 2: member 'text' is not text"),
        ('{"id": true, "text": "x"}', "line 2: member 'id' is not text"),
        ('{"id": "a"}', "line 2: no member 'text': known: id"),
        ('{"id": "a", "text": "\\ud800"}', "line 2 'text': half of a surrogate pair"),
        ("[" * 100_000, "line 2: JSON nested too deeply"),
        ("1" * 5000, "line 2: JSON with a number that is too long"),
    ],
)
def test_a_defective_json_line_is_named(write, line, message) -> None:
    path = write("c.jsonl", '{"id": "0", "text": "fine"}\n' + line + "\n")
    with pytest.raises(UserError, match=message) as caught:
        texts(path, "document", partial(text_rows, id="id", text=["text"]))
    assert "\n" not in str(caught.value)


def test_columns_are_named_by_the_header_or_numbered(write) -> None:
    named = write("n.tsv", "text\tnote\tid\nhello\t-\td1\n")
    numbered = write("m.tsv", "d1\ttitle\ttext\twith a tab\n")
    quoted = write("q.csv", 'id,text\nd1,"two\nlines, and ""quotes"""\n')

    assert texts(named, "document", partial(text_rows, id="id", text=["text"], separator="\t")) == [("d1", "hello")]
    shape = partial(text_rows, id="1", text=["2", "3"], separator="\t", header=False)
    assert texts(numbered, "document", shape) == [("d1", "title text\twith a tab")]
    assert texts(quoted, "document", partial(text_rows, id="id", text=["text"], separator=",")) == [
        ("d1", 'two\nlines, and "quotes"')
    ]


@pytest.mark.parametrize(
    ("content", "separator", "message"),
    [
        ("id\tbody\nd1\tx\n", "\t", "line 1: no column text in the header: name one of id, body"),
        ("id\ttext\ttext\nd1\tx\ty\n", "\t", "line 1: two columns of one name"),
        ("id\ttext\nd1\n", "\t", "line 2: 1 fields: write 2: id, text"),
        ('id,text\nd1,"x\n', ",", "not text separated by ','"),
        ("id,text\nd1,x,y\n", ",", "line 2: 3 fields"),
    ],
)
def test_a_defective_row_of_columns_is_named(write, content, separator, message) -> None:
    with pytest.raises(UserError, match=message):
        texts(write("t", content), "document", partial(text_rows, id="id", text=["text"], separator=separator))


def test_parquet_and_saved_datasets_are_read_in_the_order_of_their_shards(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("switchrank.collections.records.BATCH", 2)
    frame = pl.DataFrame({"docid": [1, 2, 3], "text": ["one", "two", "three"], "other": [[1], [2], [3]]})
    frame.write_parquet(tmp_path / "named-anything")
    saved = tmp_path / "saved"
    saved.mkdir()
    frame[:2].write_ipc_stream(saved / "data-00000-of-00002.arrow")
    frame[2:].write_ipc_stream(saved / "data-00001-of-00002.arrow")
    shards = [{"filename": f"data-0000{number}-of-00002.arrow"} for number in range(2)]
    (saved / "state.json").write_text(json.dumps({"_data_files": shards}))
    shape = partial(text_rows, id="docid", text=["text"])
    expected = [("1", "one"), ("2", "two"), ("3", "three")]

    assert texts(tmp_path / "named-anything", "document", shape) == expected
    assert texts(saved, "document", shape) == expected
    assert [path.name for path in table_files(saved)] == [shard["filename"] for shard in shards]


def test_a_dataset_of_splits_asks_for_one(tmp_path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "dataset_dict.json").write_text('{"splits": ["train"]}')

    with pytest.raises(UserError, match="a dataset of several splits: name the folder of one: train"):
        list(read_records(tmp_path))


@pytest.mark.parametrize("listed", ["../../etc/passwd", "/etc/passwd", 5])
def test_the_list_of_a_dataset_cannot_point_outside(tmp_path, listed) -> None:
    (tmp_path / "state.json").write_text(json.dumps({"_data_files": [{"filename": listed}]}))

    with pytest.raises(UserError, match="name files of this folder"):
        list(read_records(tmp_path))


@pytest.mark.parametrize("content", ["[]", "{}", '{"_data_files": 3}', '{"_data_files": [{}]}', "{"])
def test_a_broken_list_of_a_dataset_is_one_line(tmp_path, content) -> None:
    (tmp_path / "state.json").write_text(content)

    with pytest.raises(UserError, match="does not list the files"):
        list(read_records(tmp_path))


def test_an_empty_folder_is_one_line(tmp_path) -> None:
    with pytest.raises(UserError, match="without Parquet or Arrow files"):
        list(read_records(tmp_path))


def test_a_truncated_table_is_one_line(tmp_path) -> None:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"id": ["a"] * 1000, "text": ["b"] * 1000}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])

    with pytest.raises(UserError, match="not a readable table"):
        list(read_records(path))


def test_files_of_a_folder_are_read_by_number(tmp_path) -> None:
    for name in ("docs-10.jsonl", "docs-2.jsonl", ".hidden"):
        (tmp_path / name).write_text("")

    assert [Path(part).name for part in file_parts([tmp_path])] == ["docs-2.jsonl", "docs-10.jsonl"]


def test_topics_give_the_first_version_in_a_language(write) -> None:
    versions = [
        {"lang": "eng", "topic_title": "a"},
        {"lang": "zho", "topic_title": "b"},
        {"lang": "zho", "topic_title": "c"},
    ]
    path = write("t.jsonl", jsonl({"topic_id": "1", "topics": versions}, {"topic_id": "2", "topics": versions[:1]}))
    reads = partial(topic_rows, id="topic_id", text=["topic_title"])

    assert texts(path, "query", partial(reads, codes={"zh": "zho"}), "zh") == [("1", "b")]
    with pytest.raises(UserError, match="no topic in rus: known: eng, zho"):
        texts(path, "query", partial(reads, codes={"ru": "rus"}), "ru")


def test_passages_inside_queries_are_documents_once_over_all_files(write) -> None:
    def row(number: int, positive: dict, negative: dict) -> dict:
        return {"query_id": number, "query": "?", "positive_passages": [positive], "negative_passages": [negative]}

    a, b, c = ({"docid": name, "title": name, "text": "t"} for name in "abc")
    paths = [write("1.jsonl", jsonl(row(1, a, b))), write("2.jsonl", jsonl(row(2, b, c), row(3, c, a)))]
    assert texts(paths, "document", INSIDE) == [("a", "a t"), ("b", "b t"), ("c", "c t")]
    other = write("3.jsonl", jsonl(row(4, a | {"text": "other"}, b)))
    with pytest.raises(UserError, match="passage a has another text"):
        texts([paths[0], other], "document", INSIDE)


def test_judgements_of_lists_and_grades(write) -> None:
    lists = write(
        "q.jsonl", jsonl({"query_id": 1, "positive_passages": [{"docid": "a"}], "negative_passages": ["b", "a"]})
    )
    matrix = write("m.jsonl", jsonl({"src_id": "9", "tgt_results": [["7", 6], [8, 0]]}) + "\n")
    qrels = write("test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\n")

    assert read_judgements(lists, tevatron.ROWS.judgements).rows() == [
        ("1", "a", 1, "line 1"),
        ("1", "b", 0, "line 1"),
    ]
    assert read_judgements(matrix, clirmatrix.ROWS.judgements).rows() == [
        ("9", "7", 6, "line 1"),
        ("9", "8", 0, "line 1"),
    ]
    assert read_judgements(qrels, beir.ROWS.judgements).rows() == [("q1", "d1", 2, "line 2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"src_id": "1", "tgt_results": [["a"]]}, "write .docid, relevance"),
        ({"src_id": "1", "tgt_results": [["a", 0.5]]}, "relevance '0.5'"),
        ({"src_id": "1", "tgt_results": "a"}, "not a list"),
        ({"src_id": "1"}, "holds no judgement"),
    ],
)
def test_a_defective_graded_list_is_named(write, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read_judgements(write("m.jsonl", jsonl(content)), clirmatrix.ROWS.judgements)


def test_triples_of_texts_are_told_from_triples_of_ids(write) -> None:
    assert not holds_texts(write("i.tsv", "1\t2\t3\n"))
    assert holds_texts(write("t.tsv", "what is it\tthis\tthat\n"))
    assert not holds_texts(write("e.tsv", ""))


def test_trec_topics_are_those_that_another_reader_finds(write) -> None:
    topic = "<top>\n<num> Number: {n}\n<title> query {n}\n\n<desc> Description:\nlong\n<narr> Narrative:\nx\n</top>\n"
    content = "".join(topic.format(n=number) for number in (1, 5))
    theirs = TrecQueries(SimpleNamespace(stream=lambda: BytesIO(content.encode())), lang="en")
    ours = texts(write("t", content), "query", trec.topic_rows)

    assert ours == [(query.query_id, query.title.strip()) for query in theirs.queries_iter()]
