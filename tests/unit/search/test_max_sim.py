"""MaxSim is that of a plain loop and of sentence-transformers, whatever else is compared at the time."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_transformers.util.similarity import maxsim

from switchrank.core.errors import UserError
from switchrank.search import max_sim as module
from switchrank.search.max_sim import max_sim, score_pairs, search


class Vectors(list):
    """The vectors of the tokens of texts in memory."""

    @property
    def tokens(self):
        return sum(map(len, self))


def texts(count, seed, most=6):
    """Texts of 1 to ``most`` unit vectors with 8 dimensions."""
    rng = np.random.default_rng(seed)
    drawn = [rng.normal(size=(rng.integers(1, most + 1), 8)) for _ in range(count)]
    return Vectors((one / np.linalg.norm(one, axis=1, keepdims=True)).astype(np.float32) for one in drawn)


def by_hand(query, document):
    return sum(max(sum(a * b for a, b in zip(one, other, strict=True)) for other in document) for one in query)


QUERIES, DOCUMENTS = texts(5, 1), texts(30, 2)
EXPECTED = np.array([[by_hand(query, document) for document in DOCUMENTS] for query in QUERIES])


def test_scores_are_those_of_a_plain_loop_and_of_sentence_transformers():
    query, document = (one.ravel() for one in np.indices(EXPECTED.shape))
    found = score_pairs(QUERIES, DOCUMENTS, query, document).reshape(EXPECTED.shape)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, EXPECTED, atol=1e-5)
    peer = maxsim(*([torch.from_numpy(one) for one in side] for side in (QUERIES, DOCUMENTS)))
    np.testing.assert_allclose(found, peer.numpy(), atol=1e-5)


@given(seed=st.integers(0, 99), count=st.integers(1, 12), k=st.integers(1, 14), threads=st.integers(1, 3))
@settings(max_examples=20, deadline=None)
def test_a_search_finds_what_sorting_all_scores_finds_and_equal_documents_by_their_numbers(seed, count, k, threads):
    documents = texts(count, seed)
    documents += documents[: count // 2]  # equal ones
    numbers = np.random.default_rng(seed).permutation(len(documents)).astype(np.int64)
    found, scores = search(QUERIES, documents, k, numbers=numbers, threads=threads)
    for row, query in enumerate(QUERIES):
        each = [max_sim(query, document) for document in documents]
        order = sorted(range(len(documents)), key=lambda place: (-each[place], numbers[place]))[:k]
        assert found[row].tolist() == numbers[order].tolist()
        assert scores[row].tolist() == [each[place] for place in order]


def test_the_score_of_a_pair_depends_on_nothing_else(monkeypatch):
    monkeypatch.setattr(module, "_QUERIES", 2)
    numbers, scores = search(QUERIES, DOCUMENTS, 30)
    for row in range(len(QUERIES)):
        alone = score_pairs(QUERIES, DOCUMENTS, np.full(30, row), numbers[row])
        assert alone.tolist() == scores[row].tolist()


def test_a_document_without_tokens_matches_nothing():
    assert max_sim(QUERIES[0], DOCUMENTS[0][:0]) == 0


def test_nobody_asks_and_nothing_is_found():
    numbers, scores = search(Vectors(), DOCUMENTS, 3)
    assert numbers.shape == scores.shape == (0, 3)


def test_what_cannot_be_searched_is_one_line(monkeypatch):
    with pytest.raises(UserError, match="search: k: 0 documents per query: give 1 or more"):
        search(QUERIES, DOCUMENTS, 0)
    monkeypatch.setattr(module, "MOST", 10)
    line = rf"search: documents: {DOCUMENTS.tokens} vectors of tokens, and every query is compared .* \(at most 10\)"
    with pytest.raises(UserError, match=line):
        search(QUERIES, DOCUMENTS, 1)
