"""Input files of others are read losslessly, and every defect is one line that names the place."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.collections.rows import read_topics, triple_rows
from switchrank.collections.separate import TextFile, read_judgements, read_queries
from switchrank.core.errors import UserError
from switchrank.files.reading import read_lines, read_text

ONE_LINE = st.text(st.characters(exclude_characters="\n", codec="utf-8")).filter(lambda text: not text.endswith("\r"))
TEXTS = st.lists(ONE_LINE.filter(lambda text: bool(text) and not text.isspace()), min_size=1, max_size=8)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts=TEXTS, ending=st.sampled_from(["\n", "\r\n"]), compressed=st.booleans())
def test_a_text_comes_out_as_it_went_in(tmp_path: Path, texts: list[str], ending: str, compressed: bool) -> None:
    raw = "".join(f"{number}\t{text}{ending}" for number, text in enumerate(texts)).encode()
    path = tmp_path / "queries.tsv"
    path.write_bytes(gzip.compress(raw) if compressed else raw)

    assert read_queries(path)["text"].to_list() == texts


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\u0085", "\x0b", "\x0c", "\x1c", "\r", "\t", '"'])
def test_only_a_newline_ends_a_line_and_only_the_first_tab_splits_it(write, separator) -> None:
    frame = read_queries(write("q.tsv", f"1\tone{separator}two\n2\tthree\n"))

    assert frame.rows() == [("1", f"one{separator}two"), ("2", "three")]


def test_the_last_line_needs_no_newline(write) -> None:
    assert read_queries(write("q.tsv", "1\tone\n2\ttwo"))["text"].to_list() == ["one", "two"]


def test_a_byte_order_mark_is_not_part_of_the_first_id(write) -> None:
    assert read_queries(write("q.tsv", "\ufeff1\tone\n"))["qid"].to_list() == ["1"]
    assert read_text(write("q.json", "\ufeff{}")) == "{}"


def test_gzip_is_told_by_content_not_by_name(tmp_path) -> None:
    (tmp_path / "named.tsv").write_bytes(gzip.compress(b"1\tone\n"))

    assert list(read_lines(tmp_path / "named.tsv")) == [(1, "1\tone")]


def test_a_truncated_gzip_is_one_line_that_says_so(tmp_path) -> None:
    whole = gzip.compress("".join(f"{n}\tsome text {n * n}\n" for n in range(3000)).encode())
    for keep in (len(whole) // 2, len(whole) - 4, 5):
        path = tmp_path / "cut.tsv.gz"
        path.write_bytes(whole[:keep])
        with pytest.raises(UserError, match=r"cut\.tsv\.gz: truncated or corrupt gzip .*: fetch or make") as caught:
            read_queries(path)
        assert "\n" not in str(caught.value)


def test_a_corrupt_gzip_is_one_line_that_says_so(tmp_path) -> None:
    raw = bytearray(gzip.compress(b"1\tone\n" * 500))
    raw[20:24] = b"\xff\xff\xff\xff"
    (tmp_path / "bad.gz").write_bytes(raw)

    with pytest.raises(UserError, match="truncated or corrupt gzip"):
        list(read_lines(tmp_path / "bad.gz"))


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(UserError, match=r"nowhere\.tsv: no such file"):
        read_text(tmp_path / "nowhere.tsv")


def test_a_folder_cannot_be_read_as_a_file(tmp_path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_text(tmp_path)


def test_bytes_that_are_not_utf8_are_named_with_their_line(write) -> None:
    with pytest.raises(UserError, match=r"q\.tsv: line 2: not UTF-8 \(byte 0xe9\): convert"):
        read_queries(write("q.tsv", b"1\tone\n2\tcaf\xe9\n"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1\tone\n2 two\n", "line 2: no tab"),
        ("1\tone\n\n", "line 2: no tab"),
        ("1\tone\n\ttwo\n", "line 2: id ''"),
        ("1 a\tone\n", "line 1: id '1 a'"),
        ("1\u00a0\tone\n", "line 1: id"),
        ("1\tone\n2\ttwo\n1\tthree\n", "lines 1 and 3: query id 1 twice"),
        ("1\tone\n1\t \n", "lines 1 and 2: query id 1 twice"),
        ("1\t\n2\tx\n1\t \n", "lines 1 and 3: query id 1 twice"),
        ("", "holds no query"),
    ],
)
def test_a_defective_line_is_named(write, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read_queries(write("q.tsv", content))


def test_empty_queries_are_left_out_and_counted(write, capsys) -> None:
    frame = read_queries(write("q.tsv", "1\tone\n2\t\n3\t \u3000\n4\tfour\n"))

    assert frame["qid"].to_list() == ["1", "4"]
    assert "warning: 2 empty queries left out, the first in line 2" in capsys.readouterr().err


def test_texts_come_in_batches_of_bounded_size(write, monkeypatch) -> None:
    monkeypatch.setattr("switchrank.collections.separate.BATCH", 3)
    file = TextFile(write("q.tsv", "".join(f"{n}\tx\n" for n in range(7))), "document")

    assert [len(batch) for batch in file.batches()] == [3, 3, 1]


@pytest.mark.parametrize(
    "content",
    [
        "q1\t0\td1\t1\nq2\t0\td2\t0\n",
        "q1 0 d1 1\r\nq2  0  d2 0\n",
        "q1\td1\t1\nq2\td2\t0\n",
        "q1 d1 1\nq2 d2 0",
        "q1\tQ0\td1\t1\t\t\nq2\t0\td2\t0 \n",
    ],
)
def test_judgements_have_three_or_four_columns_between_tabs_or_spaces(write, content) -> None:
    frame = read_judgements(write("r.tsv", content))

    assert frame.rows() == [("q1", "d1", 1, "line 1"), ("q2", "d2", 0, "line 2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("q1 d1\n", "line 1: 2 fields"),
        ("q1 0 d1 1 x\n", "line 1: 5 fields"),
        (
            "query-id\tcorpus-id\tscore\n",
            r"line 1: a header \(query-id, corpus-id, score\) where data begins: leave this line out",
        ),
        ("q1 0 d1 0.5\n", "line 1: relevance '0.5'"),
        ("q1 0 d1 1\nq2 0 d1 1\nq1 0 d1 0\n", "lines 1 and 3: document d1 for query q1 twice"),
    ],
)
def test_a_defective_judgement_is_named(write, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read_judgements(write("r.tsv", content))


def test_negative_relevance_is_kept(write) -> None:
    assert read_judgements(write("r.tsv", "q1 0 d1 -2\n"))["relevance"].to_list() == [-2]


def test_a_triple_needs_three_ids(write) -> None:
    with pytest.raises(UserError, match="line 2: 2 fields"):
        list(triple_rows(write("t.tsv", "q\ta\tb\nq\ta\n")))
    with pytest.raises(UserError, match="line 1: id ''"):
        list(triple_rows(write("t.tsv", "q\t\tb\n")))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("d1\n", "line 1: no topic"),
        ("d1\tx\nd1\ty\n", "lines 1 and 2: document id d1 twice"),
        ("", "holds no topic"),
    ],
)
def test_a_defective_topic_is_named(write, content, message) -> None:
    with pytest.raises(UserError, match=message):
        read_topics(write("g.tsv", content))
