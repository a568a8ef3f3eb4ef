"""Reading .vec files: what counts as a row, what is skipped, what is refused."""

from __future__ import annotations

import gzip
import lzma
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.embeddings.read import import_vectors
from switchrank.formats.vectors import Vectors, load_vectors, vector_files


def imported(tmp_path: Path, content: bytes, name: str = "a.vec", max_words: int | None = None) -> Vectors:
    (tmp_path / name).write_bytes(content)
    import_vectors(path=tmp_path / name, out=tmp_path / "store", max_words=max_words)
    return load_vectors(tmp_path / "store")


def test_rows_become_unit_vectors_and_their_lengths_are_kept(tmp_path: Path) -> None:
    store = imported(tmp_path, b"2 2\nhot 3 4\ncold 0 -2\n")
    assert store.words == ["hot", "cold"]
    np.testing.assert_allclose(store.matrix, [[0.6, 0.8], [0, -1]], rtol=1e-6)
    np.testing.assert_allclose(store.norms, [5, 2])
    assert store.matrix.dtype == np.float32


@pytest.mark.parametrize(("name", "pack"), [("a.vec", bytes), ("a.vec.gz", gzip.compress), ("a.vec.xz", lzma.compress)])
def test_plain_and_compressed_files_give_the_same_store(tmp_path: Path, name: str, pack: type[bytes]) -> None:
    assert imported(tmp_path, pack(b"a 1 0\nb 0 1\n"), name).words == ["a", "b"]


def test_the_header_is_optional_and_trailing_spaces_and_carriage_returns_are_ignored(tmp_path: Path) -> None:
    assert imported(tmp_path, b"a 1 0 \r\nb 0 1 ").words == ["a", "b"]
    assert imported(tmp_path, b"2 2\na 1 0 \nb 0 1 \n").words == ["a", "b"]


def test_words_may_hold_spaces_and_foreign_line_separators(tmp_path: Path) -> None:
    words = ["new york", "a\u2028b", "c\u0085d", "10 000", "."]
    text = "5 2\n" + "".join(f"{word} 1 {i}.5\n" for i, word in enumerate(words))
    assert imported(tmp_path, text.encode()).words == words


def test_reading_stops_after_the_asked_number_of_words(tmp_path: Path) -> None:
    content = b"4 2\na 1 0\na 1 1\nb 0 1\nc 1 1\n"
    assert imported(tmp_path, content, max_words=2).words == ["a", "b"]


def test_a_short_file_is_no_error_when_only_its_beginning_was_asked_for(tmp_path: Path) -> None:
    assert imported(tmp_path, b"400000 2\na 1 0\nb 0 1\n", max_words=1).words == ["a"]


def test_repeated_words_and_rows_without_direction_are_skipped_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = "a 1 0\na 0 1\nzero 0 0\nnan nan 1\ninf inf 1\ne\u0301 1 1\n\u00e9 1 2\n".encode() + b"\xff 1 1\n"
    store = imported(tmp_path, rows)
    assert store.words == ["a", "\u00e9"]
    np.testing.assert_allclose(store.matrix[0], [1, 0])
    warnings = capsys.readouterr().err
    assert "skipped 2 repeated words" in warnings
    assert "skipped 3 rows without a direction" in warnings
    assert "skipped 1 words that are not UTF-8" in warnings


@pytest.mark.parametrize("row", ["broken 1", "broken 1.5 2.0 3", "broken 1 x", " 1 2", "broken"])
def test_rows_of_the_wrong_dimension_are_skipped_while_rare(
    tmp_path: Path, row: str, capsys: pytest.CaptureFixture[str]
) -> None:
    good = [f"w{i} 1 {i}" for i in range(1001)]
    store = imported(tmp_path, "\n".join([*good[:500], row, *good[500:]]).encode())
    assert store.words == [line.split()[0] for line in good]
    assert "skipped 1 rows that are not a word and 2 numbers" in capsys.readouterr().err


def test_many_rows_of_the_wrong_dimension_are_refused_with_the_first_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.vec: line 3: not a word and 2 numbers \(2 of 4 rows"):
        imported(tmp_path, b"4 2\na 1 0\nb 1\nc 1 1\nd 7\n")
    assert not vector_files(tmp_path / "store")[0].exists()


@pytest.mark.parametrize(("name", "pack"), [("a.vec.gz", gzip.compress), ("a.vec.xz", lzma.compress)])
def test_broken_off_archives_are_refused(tmp_path: Path, name: str, pack: type[bytes]) -> None:
    whole = pack("".join(f"w{i} {i}.123 1\n" for i in range(1, 3000)).encode())
    with pytest.raises(UserError, match="truncated or corrupt"):
        imported(tmp_path, whole[: len(whole) // 2], name)
    assert sorted(path.name for path in tmp_path.iterdir()) == [name]


def test_a_file_with_fewer_rows_than_promised_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="line 1: the header promises 9 rows, the file has 1"):
        imported(tmp_path, b"9 2\na 1 0\n")


def test_a_file_with_more_rows_than_promised_is_read_whole_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert imported(tmp_path, b"1 2\na 1 0\nb 0 1\n").words == ["a", "b"]
    assert "the header promises 1 rows, the file has at least 2" in capsys.readouterr().err


def test_a_last_row_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    good = "".join(f"w{i} 1 {i}\n" for i in range(2000))
    with pytest.raises(UserError, match="line 2001: broken off in the middle of a row of 2 numbers"):
        imported(tmp_path, f"{good}last 1".encode())
    assert imported(tmp_path, f"{good}last 1".encode(), max_words=5).words == ["w0", "w1", "w2", "w3", "w4"]


def test_without_a_header_most_rows_tell_the_dimensions(tmp_path: Path) -> None:
    rows = ["new york 1 2", ", 1 2", *(f"w{i} 1 {i}" for i in range(9))]
    assert imported(tmp_path, "\n".join(rows).encode()).words[:3] == ["new york", ",", "w0"]


def test_a_byte_order_mark_is_no_part_of_the_first_word(tmp_path: Path) -> None:
    assert imported(tmp_path, b"\xef\xbb\xbf1 2\na 1 0\n").words == ["a"]
    assert imported(tmp_path, b"\xef\xbb\xbfa 1 0\n").words == ["a"]


def test_a_file_that_is_something_else_is_given_up_early(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"line 2: .*\(\d{4} of \d{4} rows"):
        imported(tmp_path, b"9000000 100\n" + b"some text\n" * 2_000_000)
    with pytest.raises(UserError, match="line 2: longer than 1 MiB"):
        imported(tmp_path, b"1 2\n" + b"x" * 5_000_000)
    with pytest.raises(UserError, match="line 1: 99999 dimensions cannot be right"):
        imported(tmp_path, b"1 99999\na 1\n")


@pytest.mark.parametrize("content", [b"", b"0 5\n", b"word\n"])
def test_files_without_vectors_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(UserError):
        imported(tmp_path, content)


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"none\.vec: no such file"):
        import_vectors(path=tmp_path / "none.vec", out=tmp_path / "store")


WORD = st.text(st.characters(codec="utf-8", exclude_characters="\n\r "), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(words=st.lists(WORD, min_size=1, max_size=30), chunk=st.integers(16, 200), header=st.booleans())
def test_any_words_come_back_however_the_file_is_read(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], chunk: int, header: bool
) -> None:
    tmp_path = tmp_path_factory.mktemp("read")
    lines = [f"{len(words)} 3"] * header + [f"{word} {i}.5 1 -2e-1" for i, word in enumerate(words)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("switchrank.embeddings.read._CHUNK", chunk)
        store = imported(tmp_path, "\n".join(lines).encode())
    assert store.words == list(dict.fromkeys(unicodedata.normalize("NFC", word) for word in words))
    np.testing.assert_allclose(np.linalg.norm(store.matrix, axis=1), 1, rtol=1e-5)
