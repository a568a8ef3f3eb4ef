"""Rows of MediaWiki SQL dumps, whatever their year and layout."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.lexicon import dump_rows, dumps
from switchrank.lexicon.dump_rows import Block, Scan
from switchrank.lexicon.dumps import read_blocks

HEAD = b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19\n\n"
CREATE = (
    b"CREATE TABLE `t` (\n  `id` int(8) NOT NULL,\n  `title` varbinary(255),\n  PRIMARY KEY (`id`)\n) ENGINE=InnoDB;\n"
)


def read(path, columns=("id", "title")):
    rows = []
    for block in read_blocks(path, "t", columns):
        every = np.arange(block.rows)
        rows += zip(block.numbers("id", every).tolist(), block.texts("title", every), strict=True)
    return rows


def block_of(rows, names):
    return Block(Scan(rows), len(rows), names, "t.sql", "line 1")


def dump(tmp_path, body, name="t.sql.gz"):
    path = tmp_path / name
    path.write_bytes(gzip.compress(HEAD + body) if name.endswith("gz") else HEAD + body)
    return path


@pytest.mark.parametrize("name", ["t.sql", "t.sql.gz"])
def test_rows_of_several_statements_are_read_in_order(tmp_path, name):
    body = CREATE + b"INSERT INTO `t` VALUES (1,'a'),(22,'b c');\nINSERT INTO `t` VALUES (3,'');\n-- Dump completed\n"
    assert read(dump(tmp_path, body, name)) == [(1, b"a"), (22, b"b c"), (3, b"")]


def test_brackets_commas_quotes_and_backslashes_inside_a_text_are_text(tmp_path):
    body = CREATE + rb"INSERT INTO `t` VALUES (1,'a),(2,\'b\''),(2,'\\'),(3,'\\\''),(4,'x\ny\"');" + b"\n"
    assert read(dump(tmp_path, body)) == [(1, b"a),(2,'b'"), (2, b"\\"), (3, b"\\'"), (4, b'x\ny"')]


def test_null_is_an_empty_text(tmp_path):
    assert read(dump(tmp_path, CREATE + b"INSERT INTO `t` VALUES (1,NULL);\n")) == [(1, b"")]


@pytest.mark.parametrize(
    "values",
    [
        rb"(1,_binary 'it\'s',_binary 'sw'),(2,_binary 'a,_binary \'b',_binary 'de'),(3,NULL,'sw'),(4,'',_binary '')",
        rb"(1,_binary'it\'s',_binary'sw'),(2,_binary'a,_binary \'b',_binary'de'),(3,NULL,'sw'),(4,'',_binary'')",
        b"(1, 0x69742773, 0x7377),\n(2, 0x612C5F62696E617279202762, 0x6465),\n(3, NULL, 0x7377), (4, '', 0x)",
        b"(1,0x69742773,0x7377),(2,0x612c5f62696e617279202762,0x6465),(3,NULL,0x7377),(4,'','')",
    ],
    ids=["mysqldump", "without spaces", "phpMyAdmin", "hex-blob"],
)
@pytest.mark.parametrize("created", [True, False])
def test_texts_of_binary_columns_are_read_as_every_program_writes_them(tmp_path, values, created):
    create = b"CREATE TABLE `langlinks` (\n  `ll_from` int,\n  `ll_title` text,\n  `ll_lang` text\n);\n" * created
    path = dump(tmp_path, create + b"INSERT INTO `langlinks` VALUES " + values + b";\n")
    names = ["ll_from", "ll_title", "ll_lang"]
    (block,) = read_blocks(path, "langlinks", names, names=None if created else names)
    assert block.texts("ll_title", np.arange(4)) == [b"it's", b"a,_binary 'b", b"", b""]
    assert block.equal("ll_lang", "sw").tolist() == [True, False, True, False]
    assert block.numbers("ll_from", np.arange(4)).tolist() == [1, 2, 3, 4]


def test_a_cut_of_binary_columns_is_told_by_its_fields(tmp_path):
    for name, title in {"a": b"_binary 'A'", "b": b"0x41"}.items():
        (tmp_path / name).write_bytes(b"INSERT INTO `page` VALUES " + PAGE_ROWS[-12].replace(b"'A'", title) + b";")
        (block,) = read_blocks(tmp_path / name, "page", ["page_title"])
        assert block.texts("page_title", np.array([0])) == [b"A"]


def test_one_row_a_line_is_read_too(tmp_path):
    assert read(dump(tmp_path, CREATE + b"INSERT INTO `t` VALUES\n(1,'a'),\n(2,'b;');\n")) == [(1, b"a"), (2, b"b;")]


def test_other_tables_are_passed_over(tmp_path):
    other = b"CREATE TABLE `u` (\n  `x` int\n);\nINSERT INTO `u` VALUES (1);\n"
    assert read(dump(tmp_path, other + CREATE + b"INSERT INTO `t` VALUES (1,'a');\n" + other)) == [(1, b"a")]


def test_the_order_of_columns_is_that_of_the_create_table(tmp_path):
    create = b"CREATE TABLE `t` (\n  `title` varbinary(255),\n  `new` int,\n  `id` int\n);\n"
    assert read(dump(tmp_path, create + b"INSERT INTO `t` VALUES ('a',0,1),('b',0,2);\n")) == [(1, b"a"), (2, b"b")]


texts = st.lists(
    st.binary(max_size=6).filter(lambda text: b"\0" not in text)
    | st.sampled_from([b"'", b"\\", b"\\'", b"),(", b"\xff", b"\xff\\"])
)


@settings(deadline=None)
@given(texts.filter(bool))
def test_every_text_survives_the_escapes_of_mysqldump(values):
    def quoted(value):
        escaped = value.replace(b"\\", b"\\\\").replace(b"'", b"\\'").replace(b"\n", b"\\n")
        return b"'" + escaped + b"'"

    rows = b",".join(b"(%d,%s,NULL)" % (number, quoted(value)) for number, value in enumerate(values))
    block = block_of(rows, ["id", "title", "x"])
    every = np.arange(block.rows)
    assert block.texts("title", every) == values
    assert block.numbers("id", every).tolist() == list(range(len(values)))


def one_by_one(text):
    """Commas outside quotes, the first semicolon outside them, whether a quote is open at the end; byte by byte."""
    commas, end, quoted, escaped = [], None, False, False
    for place, byte in enumerate(text):
        if escaped:
            escaped = False
        elif byte == ord("\\"):
            escaped = True
        elif byte == ord("'"):
            quoted = not quoted
        elif byte == ord(",") and not quoted and end is None:
            commas.append(place)
        elif byte == ord(";") and not quoted and end is None:
            end = place
    return commas, end, quoted


ESCAPED = st.sampled_from([rb"\0", rb"\b", rb"\n", rb"\r", rb"\t", rb"\Z", rb"\'", rb"\"", rb"\\", rb"\%", b"\\\xff"])
PLAIN = st.sampled_from([b"a", b"n", b"0", b"y" * 61, b"''", "ж".encode(), b"\xff", b", ", b";"])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ESCAPED | PLAIN, max_size=5).map(b"".join), min_size=1))
def test_texts_unescaped_together_are_those_unescaped_one_by_one(written):
    rows = b",".join(b"(%d,'%b')" % row for row in enumerate(written))
    expected = [dump_rows._ESCAPE.sub(dump_rows._unescape, text) for text in written]
    assert block_of(rows, ["id", "title"]).texts("title", np.arange(len(written))) == expected


def test_a_backslash_at_the_end_of_a_number_stays():
    block = block_of(rb"('a',1\),('b',2)", ["title", "id"])
    assert block.texts("id", np.arange(block.rows)) == [b"1\\", b"2"]


SLASHES = st.sampled_from([1, 2, 62, 63, 64, 65, 128, 200]).map(lambda count: b"\\" * count)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([b"'", b",", b";", b"x", b"(1,'a", b"y" * 61]) | SLASHES | st.binary(max_size=3)))
def test_bytes_taken_64_at_a_time_are_cut_as_one_by_one(parts):
    text = b"".join(parts)
    scan = Scan(text)
    assert (scan.commas.tolist(), scan.end, scan.quoted) == one_by_one(text)


SPACES = st.sampled_from([b"", b"", b" ", b"\n", b"\t ", b" " * 61])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(*[SPACES] * 6, st.sampled_from([b"", b" a ", b"a , b", b"y" * 62])), min_size=1))
def test_white_space_around_fields_is_no_part_of_them_wherever_it_stands(rows):
    written = [b"%b(%b1%b,%b'%b'%b)%b" % (*spaces[:4], text, *spaces[4:]) for *spaces, text in rows]
    block = block_of(b",".join(written), ["id", "title"])
    every = np.arange(block.rows)
    assert block.numbers("id", every).tolist() == [1] * len(rows)
    assert block.texts("title", every) == [text for *_, text in rows]


def test_equal_compares_whole_fields():
    block = block_of(b"(1,'de',0),(11,'deu',10),(111,'fde',0)", ["id", "lang", "ns"])
    assert block.equal("lang", "de").tolist() == [True, False, False]
    assert block.equal("ns", 0).tolist() == [True, False, True]
    assert block.equal("id", 11).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"INSERT INTO `t` VALUES (1,'a');\n", "before its CREATE TABLE"),
        (b"", "no CREATE TABLE and no rows of `t`"),
        (
            CREATE.replace(b"title", b"name") + b"INSERT INTO `t` VALUES (1,'a');\n",
            "no column `title` (found: id name)",
        ),
        (CREATE + b"INSERT INTO `t` VALUES (1,'a',2),(2,'b',3);\n", "rows that do not have the 2 columns id title"),
        (CREATE + b"INSERT INTO `t` VALUES (1,'a'),(2,'b);\n", "ends inside this statement"),
        (CREATE + b"INSERT INTO `t` VALUES (1,'a'),(2", "ends inside this statement"),
        (CREATE + b"INSERT INTO `t` VALUES (x,'a');\n", "`id` is not a number"),
    ],
)
def test_a_dump_that_cannot_be_read_says_why(tmp_path, body, message):
    path = dump(tmp_path, body)
    with pytest.raises(UserError) as error:
        read(path)
    assert message in str(error.value)
    assert str(error.value).startswith(f"{path}: ")


def test_a_truncated_gzip_file_is_an_error(tmp_path):
    path = dump(tmp_path, CREATE + b"INSERT INTO `t` VALUES (1,'a');\n" * 500)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(UserError, match="truncated or corrupt gzip"):
        read(path)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        read(tmp_path / "none.sql.gz")


@pytest.mark.parametrize("chunk", [64, 71, 1 << 20])
def test_a_statement_longer_than_a_block_is_read_in_blocks(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(dumps, "_CHUNK", chunk)
    rows = [(number, rb"it\'s; (a),(b)" * (number % 4)) for number in range(300)]
    values = b",".join(b"(%d,'%s')" % row for row in rows)
    path = dump(tmp_path, CREATE + b"INSERT INTO `t` VALUES " + values + b";\nINSERT INTO `t` VALUES (7,'x');\n")
    expected = [(number, text.replace(b"\\", b"")) for number, text in rows]
    assert read(path) == [*expected, (7, b"x")]


def test_spaces_line_feeds_and_doubled_quotes_of_other_programs_are_read(tmp_path):
    body = (
        b"insert into t (title, id)\nVALUES\n ( 'a b' , 1 ) ,\n\t('it''s', 2), ('', 3) ;insert into t values (4,'x');"
    )
    found = read(dump(tmp_path, b"create table t (id int, title varchar(9), primary key (id));" + b"\n" + body))
    assert found == [(1, b"a b"), (2, b"it's"), (3, b""), (4, b"x")]


def test_a_create_table_may_hold_defaults_enums_and_keys(tmp_path):
    create = b"CREATE TABLE IF NOT EXISTS `db`.`t` (`id` int(8) DEFAULT '0,1', `kind` enum('a','b)') , "
    create += b"`title` double(3,2), UNIQUE KEY `k` (`id`,`title`)) ENGINE=InnoDB;\n"
    assert read(dump(tmp_path, create + b"INSERT INTO `t` VALUES (1,'a','x');\n")) == [(1, b"x")]


PAGE_ROWS = {
    11: b"(9,0,'A','',5,1,0,0.5,'2008',7,8)",
    12: b"(9,0,'A','',5,1,0,0.5,'2013',7,8,NULL)",
    13: b"(9,0,'A','',5,1,0,0.5,'2013','2013',7,8,'wikitext')",
    14: b"(9,0,'A','',5,1,0,0.5,'2014','2014',7,8,'wikitext',NULL)",
    -13: b"(9,0,'A','',1,0,0.5,'2018',NULL,7,8,'wikitext',NULL)",
    -12: b"(9,0,'A',1,0,0.5,'2026','2026',7,8,'wikitext','en')",
}


@pytest.mark.parametrize("fields", PAGE_ROWS)
def test_a_cut_without_create_table_is_told_by_its_fields(tmp_path, fields):
    (tmp_path / "cut.sql").write_bytes(b"INSERT INTO `page` VALUES " + PAGE_ROWS[fields] + b";\n")
    (block,) = read_blocks(tmp_path / "cut.sql", "page", ["page_title", "page_is_redirect"])
    assert len(block.names) == abs(fields)
    assert block.texts("page_title", np.array([0])) == [b"A"]
    assert block.equal("page_is_redirect", 1).tolist() == [True]


def test_a_cut_of_no_known_layout_needs_its_columns_named(tmp_path):
    (tmp_path / "cut.sql").write_bytes(b"INSERT INTO `langlinks` VALUES ('de',5,'A','x'),('fr',6,'B','y');\n")
    with pytest.raises(UserError, match=r"line 1: rows of `langlinks` with 4 fields .*: name them, columns: "):
        list(read_blocks(tmp_path / "cut.sql", "langlinks", ["ll_from"]))
    names = ["ll_lang", "ll_from", "ll_title", "more"]
    (block,) = read_blocks(tmp_path / "cut.sql", "langlinks", ["ll_from"], names=names)
    assert block.numbers("ll_from", np.arange(2)).tolist() == [5, 6]


def test_a_column_with_a_line_break_in_its_name_is_told_in_one_line(tmp_path):
    (tmp_path / "t.sql").write_bytes(
        b"CREATE TABLE `t` (\n  `id` int,\n  `a\nb` int\n);\nINSERT INTO `t` VALUES (1);\n"
    )
    with pytest.raises(UserError, match="rows that do not have the 2 columns id a b: download") as error:
        list(read_blocks(tmp_path / "t.sql", "t", ["id"]))
    assert "\n" not in str(error.value)


def test_many_statements_on_one_line_cost_linear_time(tmp_path, monkeypatch):
    scanned = []

    class Counted(Scan):
        def __init__(self, text):
            scanned.append(len(text))
            super().__init__(text)

    monkeypatch.setattr(dumps, "Scan", Counted)
    statements = 2_000
    (tmp_path / "t.sql").write_bytes(CREATE + b"INSERT INTO `t` VALUES (1,'a');" * statements)
    assert len(read(tmp_path / "t.sql")) == statements
    first, *later = scanned  # the first may see the whole line, since nobody knows yet how long statements are
    assert first < 31 * statements
    assert max(later) <= 4096
