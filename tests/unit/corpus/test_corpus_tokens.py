"""Token tables: lossless, and the same whatever came before."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.corpus.tokens import build_tokens
from switchrank.formats.tables import DOCUMENTS, KEYS, PIECES, QUERIES, TOKENS, read_table, write_table
from switchrank.switching.pieces import PieceTable
from switchrank.text.words import key, split_words

glue = st.sampled_from(
    [" ", "  ", "\u0308", "\u200d", "\u00ad", "a", "B", "don't", ".", "3", "\n", "\U0001f1e6", "日", "\u3000"]
)
text = st.text() | st.lists(glue).map("".join)


@settings(deadline=None)
@given(st.lists(text))
def test_pieces_joined_are_the_text_and_cut_where_words_are_cut(texts):
    table = PieceTable()
    encoded = table.encode_all(pl.Series(texts, dtype=pl.String)).to_list()
    pieces, keys = table.tables()
    strings = pieces["piece"].to_list()
    for text, numbers in zip(texts, encoded, strict=True):
        assert "".join(strings[number] for number in numbers) == text
        words, gaps = split_words(text)
        assert [strings[number] for number in numbers[1::2]] == words
        assert [strings[number] for number in numbers[::2]] == gaps
        assert all(keys["key"][pieces["key"][number]] == key(strings[number]) for number in numbers[1::2])
    assert len(set(strings)) == len(strings)


def test_words_and_gaps_are_numbered_as_they_are_met():
    table = PieceTable()
    assert table.encode_all(pl.Series(["The cat, the CAT."])).to_list() == [[0, 1, 2, 3, 4, 5, 2, 6, 7]]
    pieces, keys = table.tables()
    assert pieces["piece"].to_list() == ["", "The", " ", "cat", ", ", "the", "CAT", "."]
    assert keys["key"].to_list() == ["the", "cat"]
    assert pieces.filter("word")["key"].to_list() == [0, 1, 0, 1]
    assert pieces.filter(~pl.col("word"))["key"].is_null().all()


@pytest.fixture
def texts(tmp_path):
    rows = {"docid": ["b", "a"], "text": ["A cat sat.", ""], "group": ["g", "g"]}
    write_table(pl.DataFrame(rows), tmp_path / "documents.parquet", DOCUMENTS)
    write_table(pl.DataFrame(rows).rename({"docid": "qid"}), tmp_path / "queries.parquet", QUERIES)
    return tmp_path


@pytest.mark.parametrize("name", ["documents", "queries"])
def test_a_table_of_texts_becomes_three_tables(texts, name):
    counts = build_tokens(texts=texts / f"{name}.parquet", out=texts / "tokens")
    tokens = read_table(texts / "tokens/tokens.parquet", TOKENS)
    pieces = read_table(texts / "tokens/pieces.parquet", PIECES)
    keys = read_table(texts / "tokens/keys.parquet", KEYS)
    assert tokens["id"].to_list() == ["b", "a"]
    assert ["".join(pieces["piece"].gather(numbers)) for numbers in tokens["pieces"]] == ["A cat sat.", ""]
    assert keys["key"].to_list() == ["a", "cat", "sat"]
    assert counts == {"texts": 2, "words": 3, "pieces": pieces.height, "keys": 3}


def test_equal_texts_give_equal_bytes(texts):
    for out in ("one", "two"):
        build_tokens(texts=texts / "documents.parquet", out=texts / out)
    for name in ("tokens", "pieces", "keys"):
        assert (texts / f"one/{name}.parquet").read_bytes() == (texts / f"two/{name}.parquet").read_bytes()


def test_a_missing_or_foreign_table_is_an_error_and_leaves_nothing(texts):
    with pytest.raises(UserError, match="no such file"):
        build_tokens(texts=texts / "none.parquet", out=texts / "tokens")
    write_table(pl.DataFrame({"key": ["a"]}), texts / "keys.parquet", KEYS)
    with pytest.raises(UserError, match="columns"):
        build_tokens(texts=texts / "keys.parquet", out=texts / "tokens")
    assert not (texts / "tokens").exists()
