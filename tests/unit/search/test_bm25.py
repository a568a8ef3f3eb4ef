"""BM25 against the formula, and against an index of all words."""

import math

import bm25s
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.search.bm25 import Bm25, best
from switchrank.text.words import split_words


def test_scores_follow_the_lucene_formula_with_k1_09_and_b_04():
    documents = ["Red fox, red!", "blue whale", "the sea", ""]
    scores = Bm25(documents, ["RED"], split=split_words).scores(0)
    idf = math.log(1 + (4 - 1 + 0.5) / (1 + 0.5))
    average = (3 + 2 + 2 + 0) / 4
    expected = idf * 2 / (2 + 0.9 * (1 - 0.4 + 0.4 * 3 / average))
    assert scores.tolist() == pytest.approx([expected, 0, 0, 0], rel=1e-6)


def test_a_word_twice_in_the_query_counts_twice():
    index = Bm25(["red fox", "sea"], ["red", "red red"], split=split_words)
    assert index.scores(1) == pytest.approx(2 * index.scores(0))


def test_queries_that_share_no_word_score_zero_everywhere():
    index = Bm25(["red fox", "sea"], ["unicorn", "", "?!"], split=split_words)
    assert [index.scores(query).tolist() for query in range(3)] == [[0, 0]] * 3
    assert Bm25(["", ""], ["red"], split=split_words).scores(0).tolist() == [0, 0]


texts = st.lists(st.lists(st.sampled_from("abcdef"), max_size=8).map(" ".join), min_size=1, max_size=8)


@settings(max_examples=30, deadline=None)
@given(documents=texts.filter(any), queries=texts)
def test_leaving_out_words_that_no_query_holds_changes_no_score(documents, queries):
    index = Bm25(documents, queries, split=split_words)
    whole = bm25s.BM25(k1=0.9, b=0.4)
    whole.index([text.split() for text in documents], show_progress=False)
    for number, query in enumerate(queries):
        known = [word for word in query.split() if word in whole.vocab_dict]
        expected = whole.get_scores(known) if known else np.zeros(len(documents))
        assert index.scores(number) == pytest.approx(expected, abs=1e-6)


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 10))
def test_best_is_a_stable_sort_of_the_positive_scores(scores, k):
    expected = sorted((i for i, s in enumerate(scores) if s > 0), key=lambda i: (-scores[i], i))[:k]
    assert best(np.array(scores, dtype=np.float32), k).tolist() == expected
