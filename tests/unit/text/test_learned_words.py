"""Learning words from text without spaces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.core.seeds import generator
from switchrank.text import learned_words
from switchrank.text.learned_words import learn_vocabulary
from switchrank.text.words import Segmenter, join_words, split_runs, split_words


def made_up(words: int = 150, sentences: int = 1500) -> tuple[list[str], list[list[str]]]:
    """Words of one to four syllables and sentences of them, frequent words first."""
    draw = generator(3, "test", "segment")
    syllables = [a + b for a in "kmtrsnlpbdg" for b in "aeiou"]
    vocabulary = list(dict.fromkeys("".join(draw.choice(syllables, draw.integers(1, 5))) for _ in range(words)))
    weights = 1 / (draw.permutation(len(vocabulary)) + 10.0)
    return vocabulary, [list(draw.choice(vocabulary, 8, p=weights / weights.sum())) for _ in range(sentences)]


def bounds(words: list[str]) -> set[tuple[int, int]]:
    ends = [sum(map(len, words[: i + 1])) for i in range(len(words))]
    return set(zip([0, *ends], ends, strict=False))


def test_most_words_of_a_made_up_language_are_found_and_text_is_cut_where_they_end() -> None:
    truth, sentences = made_up()
    learned = learn_vocabulary(["".join(words) for words in sentences], size=1000, seed=1)
    assert len(set(learned) & set(truth)) > 0.8 * len(truth)
    cutter = Segmenter(learned)
    pairs = [(bounds(words), bounds(cutter.cut(words))) for words in sentences[:300]]
    right = sum(len(a & b) for a, b in pairs)
    assert 2 * right / sum(len(a) + len(b) for a, b in pairs) > 0.8


def test_equal_text_gives_equal_words_most_frequent_first() -> None:
    lines = ["".join(words) for words in made_up(60, 300)[1]]
    learned = learn_vocabulary(lines, size=50, seed=1)
    assert learned == learn_vocabulary(lines, size=50, seed=1)
    assert learned[:20] == learn_vocabulary(lines, size=20, seed=1)


def test_long_text_is_thinned_to_a_sample_that_the_seed_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learned_words, "SAMPLE", 500)
    lines = [f"line{number}" for number in range(1000)]
    first, again, other = (learned_words._sample(lines, seed) for seed in (1, 1, 2))
    assert first == again != other
    assert 200 < sum(map(len, first)) <= 500


def test_nothing_is_learned_from_nothing() -> None:
    assert learn_vocabulary(["", " ,. "], size=10, seed=1) == []


def test_han_and_thai_words_longer_than_a_character_can_be_cut() -> None:
    assert Segmenter(["学生", "年的"])("是年的学生。")[0] == ["是", "年的", "学生"]
    assert Segmenter(["รัก", "ฉัน", "เธอ"])("ฉันรักเธอ")[0] == ["ฉัน", "รัก", "เธอ"]


@given(st.text(st.sampled_from("abÀßs学生ไก่ \t.,-1\u0301"), max_size=20), st.lists(st.text("abàss学生", max_size=3)))
def test_cutting_loses_nothing_and_words_touch_only_inside_runs(text: str, vocabulary: list[str]) -> None:
    for words, gaps in (split_runs(text), Segmenter(vocabulary)(text), split_words(text)):
        assert join_words(words, gaps) == text
    runs, gaps = split_runs(text)
    assert all(gaps[1:-1])
    assert len(gaps) == len(runs) + 1
