"""One reader for dictionaries of every kind: lexicons, seeds of an alignment and gold."""

from __future__ import annotations

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.pairs import read_entries, read_pairs, read_translations
from switchrank.formats.tables import LEXICON, QUALITY, read_table, write_table
from switchrank.lexicon.quality import lexicon_quality

TEI = """<?xml version="1.0" encoding="UTF-8"?>
<!--<!DOCTYPE TEI SYSTEM "freedict-P5.dtd">-->
<TEI xmlns="http://www.tei-c.org/ns/1.0"><teiHeader><title>x</title></teiHeader><text><body>
<entry><form><orth>paka</orth><orth type="variant">nyau</orth></form>
  <sense><def><note>small</note>cat, kitten (young)</def></sense></entry>
<entry><form><orth>kula</orth></form><sense><cit type="trans"><quote>to eat</quote></cit>
  <cit type="example"><quote>Anakula.</quote></cit></sense></entry>
<entry><form><orth>mapaka</orth></form><sense><note type="def">plural of paka</note></sense></entry>
<entry><form><orth>mbwa</orth></form><trans><tr>dog</tr></trans></entry>
</body></text></TEI>"""
ENTRIES = [(["paka", "nyau"], ["cat", "kitten"]), (["kula"], ["to eat"]), (["mapaka"], []), (["mbwa"], ["dog"])]


@pytest.fixture
def write(tmp_path):
    def write(text, name="dictionary"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_muse_files_have_a_space_or_a_tab(write):
    assert read_pairs(write("cat katze\ncat\tKater\nnew york\tNew  York\n\n")) == [
        ("cat", "katze"),
        ("cat", "kater"),
        ("new york", "new york"),
    ]


def test_more_columns_are_not_guessed(write):
    with pytest.raises(UserError, match=r"line 1: 3 fields between tabs: say which with columns"):
        read_pairs(write("1\tcat\tKatze\n"))
    assert read_pairs(write("1\tcat\tKatze\n"), columns=[2, 3]) == [("cat", "katze")]


def test_columns_by_name_stand_in_the_first_line(write, capsys):
    text = "de\tid\ten\nKatze\t1\tcat\n\t2\tdog\n"
    assert read_pairs(write(text), columns=["en", "de"]) == [("cat", "katze")]
    assert "1 rows with an empty side left out" in capsys.readouterr().err
    with pytest.raises(UserError, match="line 1: no column 'fr'"):
        read_pairs(write(text), columns=["en", "fr"])
    with pytest.raises(UserError, match="line 2: 1 fields"):
        read_pairs(write("a\tb\nc\n"), columns=[1, 2])


def test_tei_entries_of_all_its_styles(write, capsys):
    path = write(TEI)
    assert list(read_entries(path)) == ENTRIES
    expected = [(head, word) for heads, words in ENTRIES for head in heads for word in words]
    assert read_pairs(path) == expected
    assert read_pairs(path, reverse=True) == [(word, head) for head, word in expected]
    assert "1 entries without a headword or a translation left out" in capsys.readouterr().err


def test_swadesh_lists_are_joined_by_line(write):
    lists = [write("I\nthou\tyou\n\nhe\n", "eng"), write("ich\ndu\tSie\nsie\n\n", "deu")]
    assert read_pairs(lists) == [("i", "ich"), ("thou", "du"), ("thou", "sie"), ("you", "du"), ("you", "sie")]
    with pytest.raises(UserError, match=r"1 lines, .*eng has 4"):
        read_pairs([lists[0], write("ich\n", "cut")])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "panlex"}, "1 files for format panlex"),
        ({"format": "tsv"}, "columns go with format tsv"),
        ({"format": "tei"}, "not well-formed XML"),
        ({"format": "odd"}, "'odd' is not known"),
        ({"columns": [1]}, "1 columns"),
    ],
)
def test_a_wrong_declaration_is_one_line(write, options, message):
    with pytest.raises(UserError, match=message):
        read_pairs(write("cat katze\n"), **options)


def test_gold_may_be_of_any_kind(write, tmp_path):
    table = pl.DataFrame([("cat", "paka", None, 1), ("dog", "x", None, 1)], schema=LEXICON, orient="row")
    write_table(table, tmp_path / "l.parquet", LEXICON)
    pair = {"src": "en", "tgt": "sw"}
    gold = {"name": "freedict", **pair, "path": [str(write(TEI))], "reverse": True}
    lexicon_quality(
        lexicons=[{"lexicon": "l", **pair, "path": str(tmp_path / "l.parquet")}], gold=[gold], out=tmp_path / "q.csv"
    )
    assert read_table(tmp_path / "q.csv", QUALITY).select("p_at_1", "coverage", "gold_size").rows() == [(0.25, 0.5, 4)]


def test_the_command_line_takes_every_kind(write, tmp_path):
    out = f"--out={tmp_path / 'l.parquet'}"
    assert main(["lexicon", "dictionary", "--path", str(write(TEI)), "--reverse", out]) == 0
    assert read_table(tmp_path / "l.parquet", LEXICON)["source"].to_list()[:2] == ["cat", "cat"]
    assert main(["lexicon", "dictionary", "--path", str(write("1\ta\tb\n")), "--columns", "2", "3", out]) == 0


PSQ = '{"Dog": {"Köter": 0.2, "Hund": 0.7, "": 0.1}, "cat": {"Katze": 1}, "dog": {"hund": 0.75, "tier": 0}}'


def test_probabilities_are_known_by_content_and_the_most_probable_translation_comes_first(write, capsys):
    path = write(PSQ)
    expected = [("dog", "hund", 0.75), ("dog", "hund", 0.7), ("dog", "köter", 0.2), ("cat", "katze", 1.0)]
    assert read_translations(path) == read_translations(path, format="psq") == expected
    assert read_pairs(path) == [(source, target) for source, target, _ in expected]
    assert "2 translations without a word or of probability 0 left out" in capsys.readouterr().err
    turned = [("köter", "dog", 0.2), ("hund", "dog", 0.75), ("hund", "dog", 0.7), ("katze", "cat", 1.0)]
    assert read_translations(path, reverse=True) == turned


def test_dictionaries_without_probabilities_have_none(write):
    assert read_translations(write("cat katze\n")) == [("cat", "katze", None)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('["dog"]', r'no JSON object of source words: write {"source": {"target": probability}}'),
        ('{"dog": "Hund"}', "word 'dog': no object of target words"),
        ('{"dog": {"Hund": "0.5"}}', "word 'dog': 'Hund' has '0.5', which is no probability"),
        ('{"dog": {"Hund": 1.5}}', "'Hund' has '1.5', which is no probability"),
        ('{"dog": {"Hund": -0.1}}', "'Hund' has '-0.1', which is no probability"),
        ('{"dog": {"Hund": NaN}}', "'Hund' has 'nan', which is no probability"),
        ('{"dog": {"Hund": true}}', "'Hund' has 'True', which is no probability"),
        (r'{"dog": {"\ud800": 0.5}}', "word 'dog': half of a surrogate pair"),
        ('{"dog": {"Hund": 0.5}', "line 1 column 22: not JSON"),
        ('{"dog": {"Hund": 0}}', "holds no pair"),
    ],
)
def test_a_table_that_holds_no_probabilities_is_one_line(write, text, message):
    with pytest.raises(UserError, match=message) as caught:
        read_pairs(write(text), format="psq")
    assert "\n" not in str(caught.value)
