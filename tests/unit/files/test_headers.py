"""A header where data begins is told by every reader of files without one, and no row of data is taken for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from switchrank.ablation.rows import read_ablation
from switchrank.collections.records import read_records
from switchrank.collections.rows import read_topics, triple_rows
from switchrank.collections.separate import read_judgements, read_queries
from switchrank.core.errors import UserError
from switchrank.files.headers import is_header
from switchrank.formats.pairs import read_pairs
from switchrank.formats.trec import read_run
from switchrank.lexicon.titlefiles import TitleFiles, read_titles
from switchrank.rank.files import read_texts


def titles(path: Path) -> list[tuple[str, str]]:
    return list(read_titles("wikititles", TitleFiles([path], "en", "de", {}, False), Counter()))


def numbered(path: Path) -> list[Any]:
    return list(read_records(path, separator="\t", header=False, columns=["1", "2"]))


def quoted(path: Path) -> list[Any]:
    return list(read_records(path, separator=",", header=False, columns=["1", "2"]))


READERS: list[tuple[Callable[[Path], Any], str, str]] = [
    (read_queries, "qid\ttext", "q1\twhat is it"),
    (read_queries, "Query_ID\tQuery", "q1\twhat is it"),
    (read_queries, "id\ttitle\ttext\tdate", "q1\twhat\tis it\t2020"),
    (read_texts, "docid\tcontents", "d1\tsome text"),
    (read_judgements, "query-id\tcorpus-id\tscore", "q1\td1\t1"),
    (read_judgements, "qid 0 docid relevance", "q1 0 d1 1"),
    (read_topics, "docid\ttopic", "d1\tanimals"),
    (lambda path: list(triple_rows(path)), "qid\tpositive\tnegative", "q1\td1\td2"),
    (lambda path: list(triple_rows(path, ids=False)), "query\tpos\tneg", "what is it\tthis is\tthat is"),
    (numbered, "query\tpositive", "what is it\tthis is it"),
    (quoted, '"id","text"', 'd1,"some, text"'),
    (read_pairs, "source\ttarget", "cat\tkatze"),
    (read_pairs, "word translation", "cat katze"),
    (lambda path: read_pairs(path, columns=[2, 1]), "target\tsource\tnote", "katze\tcat\t-"),
    (titles, "source\ttarget", "Cat\tKatze"),
]


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize(("read", "header", "row"), READERS, ids=[header for _, header, _ in READERS])
def test_a_header_is_one_line_and_without_it_the_file_is_read(tmp_path, read, header, row, mark):
    file = tmp_path / "file"
    file.write_text(f"{mark}{header}\n{row}\n", encoding="utf-8")
    with pytest.raises(UserError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}: line 1: a header (")
    assert ") where data begins: leave this line out" in str(error.value)
    file.write_text(f"{mark}{row}\n{header}\n" if "score" not in header and "relevance" not in header else row)
    assert len(read(file))


@pytest.mark.parametrize(("line", "sign"), [("id,title,text", ","), ("qid;text", ";"), ('"id";"text"', ";")])
def test_a_table_between_commas_or_semicolons_is_told_how_to_be_read(tmp_path, line, sign):
    file = tmp_path / "file"
    file.write_text(f"{line}\nq1{sign}what{sign}is it\n")
    with pytest.raises(UserError) as error:
        read_queries(file)
    problem = f"a table with {sign!r} between its columns ({line})"
    assert str(error.value) == f'{file}: line 1: {problem}: read it with format: tsv and separator: "{sign}"'


@pytest.mark.parametrize(
    "row",
    [
        ["1", "text"],
        ["id", "ich weiß nicht, was soll es bedeuten"],
        ["text", "text"],
        ["title", "Titel"],
        ["q1", "query"],
        ["answer", "the answer is 42"],
        ["id"],
        [""],
        ["", ""],
        ["id", ""],
    ],
)
def test_rows_that_only_look_like_a_header_are_data(row):
    assert not is_header(row)


@pytest.mark.parametrize("pair", [["source", "source"], ["word", "Wort"], ["target", "cible"], ["term", "term"]])
def test_words_that_are_names_of_columns_too_have_translations(pair):
    assert not is_header(pair, words=True)


def test_a_byte_order_mark_is_no_part_of_an_ablation_table_or_a_run(tmp_path):
    (tmp_path / "rows.tsv").write_text("\ufeffid\tstart\tlanguage\texamples\tseed\na\tnone\tde\t0\t1\n")
    assert [row.id for row in read_ablation(tmp_path / "rows.tsv", languages=["de"], systems=[])] == ["a"]
    (tmp_path / "run").write_text("\ufeffq1 Q0 d1 1 9 x\n")
    assert read_run(tmp_path / "run")["qid"].to_list() == ["q1"]


def test_fields_between_semicolons_may_be_quoted_as_spreadsheets_write_them(tmp_path):
    (tmp_path / "t.csv").write_text('\ufeffid;text\n1;"one; two"\n2;"say ""so"""\n', encoding="utf-8")
    rows = [dict(row) for _, row in read_records(tmp_path / "t.csv", separator=";", columns=["id", "text"])]
    assert rows == [{"id": "1", "text": "one; two"}, {"id": "2", "text": 'say "so"'}]
