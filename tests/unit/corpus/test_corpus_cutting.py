"""Cutting many texts at once by their bytes equals cutting one after the other by the plain rule."""

from itertools import product

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.switching.pieces import ArrayPieceTable, PieceTable
from switchrank.text.words import join_words, split_words

# Every ASCII character, and from beyond what joins, glues, folds, stands alone or comes in pairs.
character = st.sampled_from([*map(chr, range(128)), *" aZ5_:;,.'\n"]) | st.sampled_from(
    "éß’\u0308\u200d\u200b\u00ad\u00a0\u3000\u05d0\u05f4日本ก็ำカー🇩🇪👩\u2028\ufeff\u0661·٫‿\U0001f1e6"
)
text = st.text(character) | st.text() | st.text(st.characters(max_codepoint=127))


def both(blocks):
    """The pieces of blocks of texts and the tables, cut at once and one by one."""
    fast, plain = ArrayPieceTable(), PieceTable()
    pieces, expected = (
        [table.encode_all(pl.Series(block, dtype=pl.String)).to_list() for block in blocks] for table in (fast, plain)
    )
    return pieces, fast.tables(), expected, plain.tables()


@settings(max_examples=400, deadline=None)
@given(st.lists(st.lists(text, max_size=6), max_size=3))
def test_blocks_of_texts_are_cut_and_numbered_as_texts_one_by_one(blocks):
    pieces, tables, expected, plain = both(blocks)
    assert pieces == expected
    assert tables[0].equals(plain[0])
    assert tables[1].equals(plain[1])


@settings(max_examples=200, deadline=None)
@given(st.lists(text, max_size=6))
def test_pieces_are_the_words_and_gaps_of_the_plain_rule(texts):
    table = ArrayPieceTable()
    rows = table.encode_all(pl.Series(texts, dtype=pl.String)).to_list()
    strings = table.tables()[0]["piece"].to_list()
    for text, row in zip(texts, rows, strict=True):
        pieces = [strings[number] for number in row]
        assert (pieces[1::2], pieces[::2]) == split_words(text)
        assert join_words(pieces[1::2], pieces[::2]) == text


@pytest.mark.parametrize("word", ["a" * 100_000, "é" * 100_000, "_" * 100_000, "日" * 10_000, "a.b" * 50_000])
def test_words_of_any_length_are_cut(word):
    blocks = [[word, f"x {word} y", f"{word}é", ""]]
    pieces, tables, expected, plain = both(blocks)
    assert pieces == expected
    assert tables[0].equals(plain[0])


def test_every_pair_of_ascii_characters_is_cut_by_the_rule_wherever_it_is():
    pairs = ["".join(pair) for pair in product(map(chr, range(128)), repeat=2)]
    pieces, _, expected, _ = both([[around.replace("*", pair) for pair in pairs] for around in ("*", "a*b", "1*2")])
    assert pieces == expected


def test_every_row_of_characters_that_matter_to_the_rule_is_cut_by_it():
    pieces, _, expected, _ = both([["".join(row) for row in product("ba1_'.:, é", repeat=4)]])
    assert pieces == expected
