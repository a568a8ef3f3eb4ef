"""Text to learn words from: its lines as they are, and no markup, statements or binary data taken for prose."""

from __future__ import annotations

import bz2
import gzip

import pytest

from switchrank.core.errors import UserError
from switchrank.embeddings.train import SkipGram, train_vectors
from switchrank.text.running_text import read_prose

WIKI = b"""<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xml:lang="sw">
  <page><title>Mti</title><ns>0</ns><revision><text>Mti ni mmea.</text></revision></page>
</mediawiki>
"""
SQL = b"-- MySQL dump 10.19\n--\n/*!40101 SET NAMES utf8mb4 */;\nINSERT INTO `page` VALUES (1,0,'Mti');\n"


def test_lines_come_without_their_ends_and_without_a_byte_order_mark(tmp_path):
    (tmp_path / "text.gz").write_bytes(gzip.compress("\ufeffone < two\r\n\n<b>three</b>\u2028 four".encode()))
    assert list(read_prose(tmp_path / "text.gz")) == ["one < two", "", "<b>three</b>\u2028 four"]


def test_prose_about_markup_and_statements_is_prose(tmp_path):
    lines = ["-- an aside", "In SQL:", "INSERT INTO t VALUES (1);", "<mediawiki> is a root, <?xml begins a file"]
    (tmp_path / "text").write_text("\n".join(lines), encoding="utf-8")
    assert list(read_prose(tmp_path / "text")) == lines


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (WIKI, "a pages-articles dump, given as text: end its name in .xml, .xml.bz2"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- a dump -->\n' + WIKI, "a pages-articles dump, given as text"),
        (b'<?xml version="1.0"?>\n<Error><Code>NoSuchKey</Code></Error>', "XML, given as text"),
        (b"\n<!DOCTYPE html><p>Not found", "holds a web page (HTML), not data"),
        (SQL, "an SQL dump, given as text"),
        (b"/*M!999999\\- enable the sandbox mode */ \n" + SQL, "an SQL dump, given as text"),
        (b"one two\nthree\0four\n", "line 2: binary data (a zero byte), not text"),
        (b"one two\n\x89PNG\n", "line 2: not UTF-8"),
    ],
)
def test_a_file_that_is_no_prose_is_refused_by_its_content_whatever_its_name(tmp_path, content, problem, pack):
    (tmp_path / "sw.txt").write_bytes(pack(content))
    with pytest.raises(UserError) as error:
        train_vectors(texts=[tmp_path / "sw.txt"], out=tmp_path / "store", training=SkipGram(min_count=1))
    assert str(error.value).startswith(f"{tmp_path / 'sw.txt'}: {problem}")
    assert [path.name for path in tmp_path.iterdir()] == ["sw.txt"]
