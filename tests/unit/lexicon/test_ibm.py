"""Word alignment: as plain Python and NLTK align, in whatever blocks, with the prior that is asked for."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest

from switchrank.lexicon import ibm
from switchrank.lexicon.ibm import NO_WORD, Links, Side, link_words

Lines = list[tuple[list[int], list[int]]]
"""Word numbers of the source, and of the target, of each line."""

ODD = [(7, 5), (5, 7), (3, 5), (11, 7), (7, 3), (1, 1), (3, 1), (5, 11)]
"""Lengths of lines in which no two words are equally far from a word of the other side, so that no choice is a tie."""


def sides(lines: Lines) -> tuple[Side, Side]:
    made = []
    for number in (0, 1):
        words = np.array([word for line in lines for word in line[number]], dtype=np.int32)
        lengths = np.array([len(line[number]) for line in lines], dtype=np.int64)
        made.append(Side(words, lengths, int(words.max()) + 1))
    return made[0], made[1]


def counted(links: Links) -> dict[tuple[int, int], int]:
    columns = (links.source.tolist(), links.target.tolist(), links.times.tolist())
    return {(source, target): count for source, target, count in zip(*columns, strict=True)}


def random_lines(seed: int, lengths: list[tuple[int, int]], repeats: int) -> Lines:
    """Lines whose targets are the sources' numbers, with a few others among them, over a vocabulary of 15."""
    draw = np.random.default_rng(seed)
    lines = []
    for left, right in lengths * repeats:
        source = draw.integers(0, 15, left)
        target = source[np.minimum((np.arange(right) * left) // right, left - 1)]
        noise = draw.random(right) < 0.3
        lines.append((source.tolist(), np.where(noise, draw.integers(0, 15, right), target).tolist()))
    return lines


class Plain:
    """One direction of the model, as it is written down: loops over lines, words and words."""

    def __init__(self, lines: Lines, prior: float) -> None:
        self.lines, self.prior = lines, prior
        self.by_word = {(maker, word): 1.0 for makers, words in lines for maker in makers for word in words}
        self.by_none = {word: 1.0 for _, words in lines for word in words}

    def weights(self, makers: list[int], words: list[int], place: int) -> tuple[list[float], float]:
        length, others = len(words), len(makers)
        near = [math.exp(-self.prior * abs((i + 1) / others - (place + 1) / length)) for i in range(others)]
        word = words[place]
        weights = [
            (1 - NO_WORD) * one / sum(near) * self.by_word[maker, word] for one, maker in zip(near, makers, strict=True)
        ]
        return weights, NO_WORD * self.by_none[word]

    def learn(self) -> None:
        counts, none, totals = Counter(), Counter(), Counter()
        for makers, words in self.lines:
            for place, word in enumerate(words):
                weights, by_none = self.weights(makers, words, place)
                whole = sum(weights) + by_none
                none[word] += by_none / whole
                for maker, weight in zip(makers, weights, strict=True):
                    counts[maker, word] += weight / whole
                    totals[maker] += weight / whole
        self.by_word = {pair: count / totals[pair[0]] for pair, count in counts.items()}
        self.by_none = {word: count / sum(none.values()) for word, count in none.items()}

    def choices(self, makers: list[int], words: list[int]) -> list[int | None]:
        chosen: list[int | None] = []
        for place in range(len(words)):
            weights, none = self.weights(makers, words, place)
            best = max(range(len(makers)), key=weights.__getitem__)
            chosen.append(best if weights[best] > none else None)
        return chosen


def plain_links(lines: Lines, iterations: int, prior: float) -> Counter[tuple[int, int]]:
    turned = [(target, source) for source, target in lines]
    forward, backward = Plain(lines, prior), Plain(turned, prior)
    for _ in range(iterations):
        forward.learn()
        backward.learn()
    links: Counter[tuple[int, int]] = Counter()
    for source, target in lines:
        makers, made = forward.choices(source, target), backward.choices(target, source)
        links.update((source[i], target[j]) for j, i in enumerate(makers) if i is not None and made[i] == j)
    return links


@pytest.mark.parametrize("prior", [1.0, 4.0])
@pytest.mark.parametrize("iterations", [1, 5])
def test_links_are_those_of_the_model_in_plain_python(iterations, prior):
    lines = random_lines(1, ODD, 12)
    expected = plain_links(lines, iterations, prior)
    assert counted(link_words(*sides(lines), iterations=iterations, prior=prior)) == expected
    assert sum(expected.values()) > 0.3 * sum(len(target) for _, target in lines)


def nltk_links(lines: Lines, iterations: int) -> Counter[tuple[int, int]]:
    """Links in which both directions of NLTK's model agree."""
    from nltk.translate import AlignedSent, IBMModel1

    pairs = [([f"s{word}" for word in source], [f"t{word}" for word in target]) for source, target in lines]
    chosen = []
    for turned in (False, True):
        aligned = [AlignedSent(*(pair if turned else pair[::-1])) for pair in pairs]
        IBMModel1(aligned, iterations)
        chosen.append([{link for link in one.alignment if link[1] is not None} for one in aligned])
    links: Counter[tuple[int, int]] = Counter()
    for (source, target), forward, backward in zip(lines, *chosen, strict=True):
        links.update((source[i], target[j]) for j, i in forward if (i, j) in backward)
    return links


def test_without_a_prior_links_are_those_of_nltk(monkeypatch):
    monkeypatch.setattr(ibm, "NO_WORD", 1 / 6)  # its words are as likely made by none as by each of five
    draw = np.random.default_rng(3)
    lines = []
    for _ in range(150):
        source = draw.permutation(20)[:5]
        target = np.where(draw.random(5) < 0.2, 20 + draw.permutation(5), source)
        lines.append((source.tolist(), draw.permutation(target).tolist()))
    assert counted(link_words(*sides(lines), iterations=5, prior=0)) == nltk_links(lines, 5)


def test_neither_blocks_nor_merging_change_what_is_linked(monkeypatch):
    lines = random_lines(2, ODD, 12)
    whole = link_words(*sides(lines), iterations=3, prior=4.0)
    monkeypatch.setattr(ibm, "CELLS", 40)
    monkeypatch.setattr(ibm, "_MERGED", 30)
    monkeypatch.setattr(ibm, "_AT_ONCE", 7)
    assert counted(link_words(*sides(lines), iterations=3, prior=4.0)) == counted(whole)


def test_the_prior_tells_words_apart_that_always_come_together():
    lines = [([0, 1, 2], [0, 1, 2])] * 20
    assert counted(link_words(*sides(lines), iterations=5, prior=4.0)) == {(0, 0): 20, (1, 1): 20, (2, 2): 20}


def test_what_is_linked_does_not_depend_on_the_order_of_the_languages():
    lines = random_lines(4, ODD, 12)
    forward = counted(link_words(*sides(lines), iterations=4, prior=4.0))
    turned = counted(link_words(*sides([(target, source) for source, target in lines]), iterations=4, prior=4.0))
    assert turned == {(target, source): count for (source, target), count in forward.items()}


def test_many_rounds_and_the_strongest_prior_leave_numbers_that_are_finite():
    lines = random_lines(5, [(90, 80), (1, 60), (70, 1)], 3)
    links = link_words(*sides(lines), iterations=60, prior=50.0)
    assert len(links.times)
    assert links.times.min() >= 1
