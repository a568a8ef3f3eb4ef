"""Rows that are more than memory should hold come back sorted into parts."""

from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.formats.tables import LEXICON, read_table
from switchrank.lexicon import titles
from switchrank.lexicon.titles import parts_by_source, spilled, titles_lexicon

SCHEMA = pl.Schema({"source": pl.String, "number": pl.Int64})


@pytest.fixture(scope="module", autouse=True)
def little_memory():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(titles, "HELD", 4)
        patch.setattr(titles, "_EVERY", 1)
        yield


@settings(max_examples=60, deadline=None)
@given(sources=st.lists(st.text(st.sampled_from("ab\u00e9\uffff\U0001f600"), min_size=1, max_size=3), max_size=40))
def test_every_row_comes_back_once_beside_those_of_its_source(tmp_path_factory, sources):
    rows = [(source, number) for number, source in enumerate(sources)]
    files = spilled(iter(rows), SCHEMA, tmp_path_factory.mktemp("store"))
    parts = [sorted(part.rows(), key=lambda row: row[0]) for part in parts_by_source(files)]
    if len(sources) > 12:
        assert len(parts) > 1 or len(set(sources)) < 4
    assert [row for part in parts for row in part] == sorted(rows, key=lambda row: row[0])
    for before, after in pairwise(parts):
        assert not before or not after or before[-1][0] < after[0][0]


@pytest.mark.parametrize("onesided", [False, True])
def test_a_lexicon_is_the_same_whether_its_pairs_fit_in_memory_or_not(tmp_path, monkeypatch, onesided):
    pairs = [f"Town {n % 13} ({n})\tMji {n % 7}\n" for n in range(90)]
    (tmp_path / "titles.tsv").write_text("".join(pairs))
    told = []
    for held in (4, 1000):
        monkeypatch.setattr(titles, "HELD", held)
        out = tmp_path / f"{held}.parquet"
        told.append(
            titles_lexicon(
                files=[tmp_path / "titles.tsv"],
                format="wikititles",
                language="sw",
                out=out,
                onesided_titles=onesided,
            )
        )
    assert told[0] == told[1]
    assert read_table(tmp_path / "4.parquet", LEXICON).equals(read_table(tmp_path / "1000.parquet", LEXICON))
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1000.parquet", "4.parquet", "titles.tsv"]
