"""Tables, vector stores and TREC runs between the stages."""

import bz2
import gzip
import lzma

import numpy as np
import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.formats.tables import JUDGEMENTS, read_table, write_table
from switchrank.formats.trec import read_run
from switchrank.formats.trec_writing import write_run
from switchrank.formats.vectors import load_vectors, write_vectors

ROWS = pl.DataFrame({"qid": ["q1"], "docid": ["d1"], "relevance": [1]})


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_table_comes_back_with_its_schema(tmp_path, suffix):
    write_table(ROWS, tmp_path / f"t{suffix}", JUDGEMENTS)
    frame = read_table(tmp_path / f"t{suffix}", JUDGEMENTS)
    assert frame.schema == pl.Schema(JUDGEMENTS)
    assert frame.rows() == [("q1", "d1", 1)]


def test_equal_tables_have_equal_bytes(tmp_path):
    for name in "ab":
        write_table(ROWS, tmp_path / f"{name}.parquet", JUDGEMENTS)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda _: None, "no such file"),
        (lambda path: path.write_bytes(b"PAR1 broken"), "not a readable parquet table"),
        (lambda path: ROWS.drop("docid").write_parquet(path), "columns: found"),
    ],
)
def test_a_missing_broken_or_foreign_table_is_one_line(tmp_path, make, problem):
    path = tmp_path / "t.parquet"
    make(path)
    with pytest.raises(UserError, match=problem) as caught:
        read_table(path, JUDGEMENTS)
    assert "\n" not in str(caught.value)


def test_vectors_come_back_memory_mapped(tmp_path):
    matrix = np.eye(3, 4, dtype=np.float32)
    write_vectors(tmp_path / "en", ["a", "b c", "\u2028"], matrix)
    vectors = load_vectors(tmp_path / "en")
    assert vectors.words == ["a", "b c", "\u2028"]
    assert isinstance(vectors.matrix, np.memmap)
    assert np.array_equal(vectors.matrix, matrix)


def test_words_without_their_rows_are_an_error(tmp_path):
    write_vectors(tmp_path / "en", ["a"], np.ones((1, 2), np.float32))
    write_vectors(tmp_path / "de", ["a", "b"], np.ones((2, 2), np.float32))
    (tmp_path / "de.npy").rename(tmp_path / "en.npy")
    with pytest.raises(UserError, match="2 rows for 1 words"):
        load_vectors(tmp_path / "en")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"\x93NUMPY\x01\x00\x10\x00{'shape': (2,     ", "not a whole .npy file"),
        (b"\x93NUMPY\x01\x00\x04\x00{}\n ", "not a whole .npy file"),
        (b"", "not a whole .npy file"),
    ],
)
def test_a_damaged_matrix_is_one_line(tmp_path, content, problem):
    write_vectors(tmp_path / "en", ["a"], np.ones((1, 2), np.float32))
    (tmp_path / "en.npy").write_bytes(content)
    with pytest.raises(UserError, match=problem) as caught:
        load_vectors(tmp_path / "en")
    assert "\n" not in str(caught.value)


def test_a_matrix_of_another_shape_is_one_line(tmp_path):
    write_vectors(tmp_path / "en", ["a"], np.ones((1, 2), np.float32))
    np.save(tmp_path / "en.npy", np.ones(1))
    with pytest.raises(UserError, match=r"an array of shape \(1,\) and type float64, not rows of float32"):
        load_vectors(tmp_path / "en")


def test_a_run_is_ranked_by_written_score_then_by_document_id(tmp_path):
    scores = pl.DataFrame(
        {
            "qid": ["q2", "q2", "q2", "q1"],
            "docid": ["b", "a", "c", "a"],
            "score": [0.5, 0.5 + 1e-12, 2.0, -1.25],
        }
    )
    write_run(scores, tmp_path / "r.trec", "mine")
    assert (tmp_path / "r.trec").read_text() == (
        "q2 Q0 c 1 2 mine\nq2 Q0 a 2 0.5 mine\nq2 Q0 b 3 0.5 mine\nq1 Q0 a 1 -1.25 mine\n"
    )
    assert read_run(tmp_path / "r.trec").rows()[0] == ("q2", "c", 1, 2.0)
    write_run(scores, tmp_path / "short.trec", "mine", depth=1)
    assert (tmp_path / "short.trec").read_text() == "q2 Q0 c 1 2 mine\nq1 Q0 a 1 -1.25 mine\n"


@pytest.mark.parametrize("score", [-11.0, 0.7, 3.1415927, 1e-6])
def test_a_run_tells_float32_scores_apart_that_differ_in_their_last_bit(tmp_path, score):
    low = np.float32(score)
    high = np.nextafter(low, np.float32(np.inf))
    scores = pl.DataFrame({"qid": ["q", "q"], "docid": ["a", "b"], "score": np.array([low, high])})
    write_run(scores, tmp_path / "r.trec", "mine")
    run = read_run(tmp_path / "r.trec")
    assert run["docid"].to_list() == ["b", "a"]
    assert run["score"].cast(pl.Float32).to_list() == [high, low]


def test_a_run_may_be_packed_and_has_to_be_utf8(tmp_path):
    line = "q1 Q0 d\u00e9 1 0.5 x\n"
    for pack in (bytes, gzip.compress, bz2.compress, lzma.compress):
        (tmp_path / "r.trec").write_bytes(pack(line.encode()))
        assert read_run(tmp_path / "r.trec").rows() == [("q1", "d\u00e9", 1, 0.5)]
    (tmp_path / "r.trec").write_bytes(f"q1 Q0 a 1 1 x\n{line}".encode("latin-1"))
    with pytest.raises(UserError, match=r"r\.trec: line 2: not UTF-8"):
        read_run(tmp_path / "r.trec")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("q1 Q0 d1 1 0.5\n", "line 1: 5 fields"),
        ("q1 Q0 d1 one 0.5 x\n", "whole rank"),
        ("q1 Q0 d1 1 0.5 x\nq1 Q0 d1 2 0.4 x\n", "query q1: document d1 twice"),
    ],
)
def test_a_bad_run_is_one_line(tmp_path, text, problem):
    (tmp_path / "r.trec").write_text(text)
    with pytest.raises(UserError, match=problem):
        read_run(tmp_path / "r.trec")
