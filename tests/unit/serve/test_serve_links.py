"""Words of a query and of a passage that say the same, by lexicons."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from served import WORDS, write_lexicon

from switchrank.core.errors import UserError
from switchrank.serve.links import Links


@pytest.fixture(scope="module")
def links(lexicon, tmp_path_factory):
    folder = tmp_path_factory.mktemp("links")
    spanish = [("fox", "zorro"), ("sea", "mar"), ("sea", "marina"), ("bridge", "puente")]
    spanish = write_lexicon(folder / "en-es.parquet", spanish)
    chinese = write_lexicon(folder / "en-zh.parquet", [("fox", "狐狸"), ("bridge", "桥")])
    return Links([lexicon, spanish, chinese])


def linked(links: Links, query: str, text: str) -> list[tuple[str, str]]:
    """Pairs of the query's phrase and the text's."""
    asked, (found,) = links.between(query, [text])
    phrases = {number: query[start:end] for start, end, number in asked}
    return [(phrases[number], text[start:end]) for start, end, number in found]


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Fuchs?", "The fox, a fox.", [("Fuchs", "fox"), ("Fuchs", "fox")]),
        ("a FOX", "Der Fuchs rennt", [("FOX", "Fuchs")]),
        ("el zorro", "der Fuchs", [("zorro", "Fuchs")]),
        ("zorro", "红狐狸跑过桥", [("zorro", "狐狸")]),
        ("狐狸和桥", "der Fuchs, el puente", [("狐狸", "Fuchs"), ("桥", "puente")]),
        ("Faust 1831", "In 1831 FAUST was done", [("1831", "1831"), ("Faust", "FAUST")]),
        ("blue whale", "Ein blauer Wal und ein Wal", [("blue whale", "blauer Wal"), ("blue whale", "Wal")]),
        ("whale, blue", "ein blauer Wal", [("whale", "Wal")]),
        ("the fox", "der Fuchs, the", [("fox", "Fuchs")]),
        ("mar", "la marina, el mar, the sea, das Meer", [("mar", "mar"), ("mar", "sea"), ("mar", "Meer")]),
        ("Wolf", "fox", []),
        ("", "fox", []),
        ("fox", "", []),
    ],
)
def test_words_are_linked_directly_through_the_source_language_or_as_the_same_word(links, query, text, expected):
    assert linked(links, query, text) == expected


def test_links_are_numbered_as_in_the_query_over_all_texts(links):
    asked, found = links.between("sea and fox", ["Fuchs", "nothing", "mar y zorro"])
    assert asked == [(0, 3, 1), (8, 11, 2)]
    assert found == [[(0, 5, 2)], [], [(0, 3, 1), (6, 11, 2)]]


def test_a_word_that_no_text_has_is_not_marked_in_the_query(links):
    assert links.between("sea fox bridge", ["puente"])[0] == [(8, 14, 1)]


TEXT = st.lists(st.sampled_from([*WORDS, *WORDS.values(), "狐狸", "桥", ",", "…", "𝔣"]), max_size=12).map(" ".join)


@given(query=TEXT, text=TEXT)
def test_marked_phrases_ascend_and_never_overlap(links, query, text):
    asked, found = links.between(query, [text])
    for spans, whole in ((asked, query), (found[0], text)):
        ends = [0, *(place for span in spans for place in span[:2]), len(whole)]
        assert ends == sorted(ends)
        assert all(whole[start:end].strip() == whole[start:end] != "" for start, end, _ in spans)
    assert {number for *_, number in found[0]} == {number for *_, number in asked}
    assert [number for *_, number in asked] == list(range(1, len(asked) + 1))


def test_what_is_no_lexicon_is_refused(tmp_path, docs):
    with pytest.raises(UserError, match=r"nowhere\.parquet: no such file"):
        Links([tmp_path / "nowhere.parquet"])
    with pytest.raises(UserError, match="not a readable tsv table"):
        Links([docs])
