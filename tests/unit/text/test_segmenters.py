"""Segmenters: what a library may and may not do to text, and what is said where one is missing."""

import re
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.formats.vectors import write_vectors
from switchrank.text import segmenters
from switchrank.text.segmenters import LIBRARIES, LONGEST_RUN, RunSegmenter, load_segmenter, segmenter_spec
from switchrank.text.splitting import language_splitter
from switchrank.text.words import join_words, key, split_words

MIXED = st.text(
    st.sampled_from(
        "我用南京長江カタガか\u3099ｶﾞーー々〆ภาษาที่ไทខ្មែរမြန်မာລາວab1'_.，。 \u200b\u200d\ufe0f\u0301\U00020000\ud800\0"
    )
)


def pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(0, len(run), 2)]


def cut_into_pairs(text: str):
    return RunSegmenter(pairs)(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("南京市长江", ["南京", "市长", "江"]),
        ("我用iPhone手机，2020年", ["我用", "iPhone", "手机", "2020", "年"]),
        ("don't 南京 3.14", ["don't", "南京", "3.14"]),
        ("ไทย ไทย", ["ไท", "ย", "ไท", "ย"]),
        ("Привет мир", ["Привет", "мир"]),
        ("", []),
        ("。。", []),
    ],
)
def test_a_segmenter_sees_only_runs_of_unspaced_characters(text, words):
    assert cut_into_pairs(text)[0] == words
    assert join_words(*cut_into_pairs(text)) == text


def test_a_segmenter_sees_composed_characters_without_invisible_ones_and_the_text_stays_as_it_is():
    seen = []

    def cut(run):
        seen.append(run)
        return pairs(run)

    text = "か\u3099き\u3099葛\U000e0100城\u3099"
    words, gaps = RunSegmenter(cut)(text)
    assert seen == ["がぎ葛城\u3099"]
    assert words == ["か\u3099き\u3099", "葛\U000e0100城\u3099"]
    assert join_words(words, gaps) == text


@pytest.mark.parametrize(
    "cut",
    [
        lambda _: [],
        lambda run: [run + run],
        lambda run: ["", run[:1], "", run[1:], ""],
        lambda run: [run.replace("江", "河")],
        lambda run: [*run],
    ],
)
@given(text=MIXED)
@settings(max_examples=60)
def test_whatever_a_library_answers_no_character_is_lost_and_no_word_is_empty(cut, text):
    words, gaps = RunSegmenter(cut)(text)
    assert join_words(words, gaps) == text
    assert all(words)
    assert len(gaps) == len(words) + 1


def test_a_library_that_changes_the_text_is_not_followed():
    assert RunSegmenter(lambda _: ["京都"])("南京 ab")[0] == ["南", "京", "ab"]


def test_a_word_never_begins_with_a_mark():
    assert RunSegmenter(lambda run: [*run])("ที่นี่")[0] == ["ที่", "นี่"]


def test_a_run_without_end_is_handed_over_in_blocks():
    longest = []

    def cut(run):
        longest.append(len(run))
        return [run]

    text = "江" * (2 * LONGEST_RUN + 1)
    assert join_words(*RunSegmenter(cut)(text)) == text
    assert longest == [LONGEST_RUN, LONGEST_RUN, 1]


def test_a_segmenter_that_is_not_there_is_one_line_that_says_what_to_install(monkeypatch):
    monkeypatch.setattr(segmenters, "_installed", lambda _: "")
    assert segmenter_spec("jieba") == "segmenter:jieba"
    with pytest.raises(UserError, match=r"rjieba must be installed .*pip install 'switchrank\[segmenters\]'$"):
        load_segmenter("segmenter:jieba")


def test_a_segmenter_of_another_version_than_planned_is_refused(monkeypatch):
    monkeypatch.setattr(segmenters, "_installed", lambda _: "2.0")
    assert segmenter_spec("icu") == "segmenter:icu@2.0"
    with pytest.raises(UserError, match=r"version 2\.0 here, and 1\.0 was asked for"):
        load_segmenter("segmenter:icu@1.0")


def test_a_broken_installation_is_one_line(monkeypatch):
    monkeypatch.setattr(segmenters, "_installed", lambda _: "2.0")
    monkeypatch.setitem(sys.modules, "rjieba", None)
    with pytest.raises(UserError, match="rjieba cannot be used"):
        load_segmenter("segmenter:jieba")


def test_an_unknown_segmenter_is_refused():
    with pytest.raises(UserError, match="write one of icu, jieba, sudachi"):
        load_segmenter("segmenter:mecab")


def test_a_language_is_split_by_unicode_a_vocabulary_or_a_segmenter(tmp_path, monkeypatch):
    import numpy as np

    write_vectors(tmp_path / "zh", ["南京"], np.ones((1, 2), dtype=np.float32), np.ones(1, dtype=np.float32))
    monkeypatch.setattr(segmenters, "_installed", lambda _: "1")
    library = segmenters._Library(("x",), frozenset(), lambda: pairs)
    monkeypatch.setitem(LIBRARIES, "icu", library)
    assert language_splitter(None) is split_words
    assert language_splitter(tmp_path / "zh")("在南京市")[0] == ["在", "南京", "市"]
    assert language_splitter("segmenter:icu")("在南京市")[0] == ["在南", "京市"]


SENTENCES = {
    # words as the reference tokenisations of the libraries' own documentation give them
    "icu": ("ภาษาไทย", ["ภาษา", "ไทย"]),
    "jieba": ("我来到北京清华大学", ["我", "来到", "北京", "清华大学"]),
    "sudachi": ("国家公務員", ["国家", "公務", "員"]),
}


@pytest.fixture(params=list(LIBRARIES))
def installed(request):
    for package in LIBRARIES[request.param].packages:
        pytest.importorskip({"icu4py": "icu4py.breakers"}.get(package, re.sub("-", "_", package.lower())))
    return request.param, load_segmenter(segmenter_spec(request.param))


def test_an_installed_segmenter_knows_words(installed):
    name, split = installed
    text, words = SENTENCES[name]
    assert split(text)[0] == words


def test_an_installed_segmenter_is_lossless_and_cuts_equal_text_alike(installed):
    split = installed[1]

    @given(MIXED | st.text())
    def law(text):
        words, gaps = split(text)
        assert join_words(words, gaps) == text
        assert (words, gaps) == split(text)
        composed = split(unicodedata.normalize("NFC", text))[0]
        assert [*map(key, composed)] == [*map(key, words)]

    law()
