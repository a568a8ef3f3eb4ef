"""Lexicons that are given, and lexicons made worse on purpose."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, read_table, write_table
from switchrank.lexicon.derived import degrade_lexicon, merge_lexicons
from switchrank.lexicon.dictionary import dictionary_lexicon


def rows(path):
    return read_table(path, LEXICON).rows()


def test_a_dictionary_becomes_a_lexicon_in_file_order_without_repeats(tmp_path):
    (tmp_path / "en-de.txt").write_text("Cat\tKatze\ndog Hund\ncat\tKater\ncat\tKatze\nnew york\tNew York\n")
    counts = dictionary_lexicon(path=tmp_path / "en-de.txt", out=tmp_path / "out.parquet")
    assert counts == {"words": 3, "rows": 4}
    assert rows(tmp_path / "out.parquet") == [
        ("cat", "katze", None, 1),
        ("cat", "kater", None, 2),
        ("dog", "hund", None, 1),
        ("new york", "new york", None, 1),
    ]


def test_the_scores_of_a_table_of_probabilities_are_the_probabilities(tmp_path):
    (tmp_path / "en-de.json").write_text(
        '{"Dog": {"Koeter": 0.25, "Hund": 0.5}, "cat": {"Katze": 1}, "dog": {"hund": 0.75}}'
    )
    assert dictionary_lexicon(path=tmp_path / "en-de.json", out=tmp_path / "out.parquet") == {"words": 2, "rows": 3}
    assert rows(tmp_path / "out.parquet") == [
        ("dog", "hund", 0.75, 1),
        ("dog", "koeter", 0.25, 2),
        ("cat", "katze", 1.0, 1),
    ]


def test_sources_are_look_up_keys_and_targets_are_lower_case_words_as_they_are_written(tmp_path):
    (tmp_path / "en-de.txt").write_text(
        "Stra\u00dfe\tSTRA\u00dfE\nword\tlo\u0301gos\nodos\tοδός\nlight\tışık\n", encoding="utf-8"
    )
    dictionary_lexicon(path=tmp_path / "en-de.txt", out=tmp_path / "out.parquet")
    assert [row[:2] for row in rows(tmp_path / "out.parquet")] == [
        ("strasse", "stra\u00dfe"),
        ("word", "l\u00f3gos"),
        ("odos", "οδός"),
        ("light", "ışık"),
    ]


def test_a_line_without_a_pair_is_named_and_nothing_is_written(tmp_path):
    (tmp_path / "bad.txt").write_text("cat\tkatze\ndog\n")
    with pytest.raises(UserError, match="line 2"):
        dictionary_lexicon(path=tmp_path / "bad.txt", out=tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def stored(path, *table):
    write_table(pl.DataFrame(table, schema=LEXICON, orient="row"), path, LEXICON)
    return str(path)


def test_a_merged_lexicon_has_the_translations_of_the_first_then_those_of_the_next(tmp_path):
    first = stored(tmp_path / "a.parquet", ("cat", "katze", 0.5, 1), ("cat", "tier", 0.25, 2), ("dog", "hund", 0.75, 1))
    next_ = stored(
        tmp_path / "b.parquet", ("sun", "sonne", None, 1), ("cat", "kater", None, 1), ("cat", "katze", None, 2)
    )
    assert main(["lexicon", "merge", "--lexicons", first, next_, "--out", str(tmp_path / "out.parquet")]) == 0
    assert rows(tmp_path / "out.parquet") == [
        ("cat", "katze", 0.5, 1),
        ("cat", "tier", 0.25, 2),
        ("cat", "kater", None, 3),
        ("dog", "hund", 0.75, 1),
        ("sun", "sonne", None, 1),
    ]


def test_a_lexicon_merged_with_itself_is_itself(lexicon, tmp_path):
    merge_lexicons(lexicons=[str(lexicon), str(lexicon)], out=tmp_path / "out.parquet")
    assert rows(tmp_path / "out.parquet") == rows(lexicon)


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory):
    path = tmp_path_factory.mktemp("lexicon") / "en-de.parquet"
    table = [(f"w{n}", f"t{n}{rank}", 1.0 / rank, rank) for n in range(20) for rank in (1, 2)]
    write_table(pl.DataFrame(table, schema=LEXICON, orient="row"), path, LEXICON)
    return path


@given(share=st.floats(0, 1), seed=st.integers(0, 5))
def test_exactly_the_share_of_words_gets_the_translations_of_others_and_no_translation_is_lost(lexicon, share, seed):
    out = lexicon.with_name("worse.parquet")
    counts = degrade_lexicon(lexicon=lexicon, share=share, out=out, seed=seed)
    before, after = rows(lexicon), rows(out)
    assert [(source, rank) for source, _, _, rank in after] == [(source, rank) for source, _, _, rank in before]
    assert sorted(row[1] for row in after) == sorted(row[1] for row in before)
    changed = {new[0] for old, new in zip(before, after, strict=True) if old[1] != new[1]}
    expected = round(share * 20)
    assert len(changed) == counts["changed"] == (expected if expected > 1 else 0)


def test_a_larger_share_changes_the_words_of_a_smaller_one_too(lexicon):
    changed = []
    for share in (0.25, 0.5):
        out = lexicon.with_name("step.parquet")
        degrade_lexicon(lexicon=lexicon, share=share, out=out, seed=3)
        changed.append({new[0] for old, new in zip(rows(lexicon), rows(out), strict=True) if old[1] != new[1]})
    assert changed[0] < changed[1]


def test_a_share_beyond_one_is_an_error(lexicon, tmp_path):
    with pytest.raises(UserError, match="from 0 to 1"):
        degrade_lexicon(lexicon=lexicon, share=1.5, out=tmp_path / "out.parquet")


def test_the_command_line_does_both(tmp_path):
    from switchrank import cli

    (tmp_path / "en-de.txt").write_text("cat katze\ndog hund\n")
    made, worse = tmp_path / "made.parquet", tmp_path / "worse.parquet"
    assert cli.main(["lexicon", "dictionary", f"--path={tmp_path / 'en-de.txt'}", f"--out={made}"]) == 0
    assert cli.main(["lexicon", "degrade", f"--lexicon={made}", "--share=1", f"--out={worse}"]) == 0
    assert [row[:2] for row in rows(worse)] == [("cat", "hund"), ("dog", "katze")]
