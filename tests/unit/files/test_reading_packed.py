"""Packed files are unpacked strictly: all of it, or one line that says what is wrong."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.files import reading
from switchrank.files.reading import open_bytes, read_lines, read_text

LINES = "".join(f"{number}\tline {number * number} \u2028 ü\n" for number in range(4000)).encode()


def zipped(raw: bytes, *names: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names or ("data.txt",):
            archive.writestr(name, raw)
    return file.getvalue()


PACKED = {"gzip": gzip.compress, "bzip2": bz2.compress, "xz": lzma.compress, "zip": zipped}


@pytest.fixture
def write(tmp_path: Path):
    def write(raw: bytes) -> Path:
        (tmp_path / "renamed").write_bytes(raw)
        return tmp_path / "renamed"

    return write


@pytest.mark.parametrize("kind", PACKED)
def test_the_content_tells_how_a_file_is_packed(write, kind):
    assert read_text(write(PACKED[kind](LINES))).encode() == LINES


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_several_streams_are_one_text(write, kind):
    pack = PACKED[kind]
    assert read_text(write(pack(b"one\n") + pack(b"") + pack(b"two\n") + b"\0" * 700)) == "one\ntwo\n"


@pytest.mark.parametrize("kind", ["gzip", "bzip2", "xz"])
def test_bytes_behind_the_last_stream_are_not_passed_over(write, kind):
    with pytest.raises(UserError, match=f"truncated or corrupt {kind}"):
        read_text(write(PACKED[kind](b"one\n") + b"<html>gone</html>"))


@pytest.mark.parametrize("tenth", range(1, 10))
@pytest.mark.parametrize("kind", PACKED)
def test_a_file_cut_at_any_tenth_is_one_line(write, kind, tenth):
    whole = PACKED[kind](LINES)
    with pytest.raises(UserError, match=f"renamed: truncated or corrupt {kind} ") as error:
        list(read_lines(write(whole[: len(whole) * tenth // 10])))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", PACKED)
def test_a_changed_byte_is_found(write, kind):
    raw = bytearray(PACKED[kind](LINES))
    raw[len(raw) // 2] ^= 0x55
    with pytest.raises(UserError, match=f"truncated or corrupt {kind}"):
        read_text(write(bytes(raw)))


def test_an_archive_must_hold_one_file_and_is_never_unpacked_to_disk(write, tmp_path):
    with pytest.raises(UserError, match="a zip archive of 2 files: unpack it"):
        read_text(write(zipped(b"x", "a.txt", "b.txt")))
    assert read_text(write(zipped(b"x", "../../evil.txt"))) == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["renamed"]


def test_a_file_of_an_archive_need_not_have_a_name(write):
    assert read_text(write(zipped(b"x", "@").replace(b"@", b"\0"))) == "x"


@pytest.mark.parametrize("kind", PACKED)
def test_what_unpacks_without_measure_is_stopped(write, monkeypatch, kind):
    monkeypatch.setattr(reading, "_BOMB_BYTES", 1 << 20)
    monkeypatch.setattr(reading, "_BOMB_RATIO", 100)
    with pytest.raises(UserError, match="unpacks to more than 100 times its size"):
        read_text(write(PACKED[kind](bytes(1 << 24))))


def test_a_web_page_in_place_of_data_is_named(write):
    for page in (b"<!DOCTYPE html>\n<html>404", b'\n<?xml version="1.0"?>\n<html xmlns="x">', gzip.compress(b"<HTML>")):
        with pytest.raises(UserError, match="holds a web page"):
            read_text(write(page))
    assert read_text(write(b"<htmlish>")) == "<htmlish>"


def test_a_line_without_end_is_no_line(write, monkeypatch):
    monkeypatch.setattr(reading, "LONGEST_LINE", 100)
    with pytest.raises(UserError, match="line 2: longer than 100 bytes"):
        list(read_lines(write(b"short\n" + b"x" * 1000)))


def test_an_error_of_the_one_who_reads_is_not_blamed_on_the_file(write):
    with pytest.raises(OSError, match="disk full"), open_bytes(write(b"x")):
        raise OSError("disk full")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from([b"", b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"PK\x03\x04"]), rest=st.binary(max_size=200)
)
def test_any_bytes_give_text_or_one_line(write, head, rest):
    problem = ""
    try:
        read_text(write(head + rest))
    except UserError as error:
        problem = str(error)
    assert "\n" not in problem
