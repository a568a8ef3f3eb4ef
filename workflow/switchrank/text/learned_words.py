"""Learn the words of text that is written without spaces, from the text alone.

A unigram language model over substrings (Kudo 2018, arXiv 1804.10959, section 3.2): expectation maximisation over all
ways to cut a sample gives every frequent substring its expected count. Words that often occur together stay apart: a
substring that shorter words explain nearly as well is dropped (minimum description length, as in de Marcken 1996, arXiv
cmp-lg/9611002), and the learned rates at which characters begin and end words count against unusual ones.
"""

import math
from collections import defaultdict
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from switchrank.core.progress import progress
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.text.words import key, split_runs

SAMPLE = 1_000_000
"""Characters that words are learned from; longer text is thinned by a seeded draw of lines."""
LONGEST = 12
"""Characters in the longest word considered."""
_RARE = 4
"""Substrings rarer than this in the sample are not considered."""
_SAVINGS = (0.0, 2.0, 4.0, 4.0)
"""Nats a word must save, times its squared length, to stay, in a sample of ``SAMPLE`` characters (fewer in a smaller
one): one pruning after the other, each followed by some rounds."""
_EDGE_WEIGHT = 0.5
"""Weight of the character habits in a word's score: half, since begin and end see the same boundary."""
_ROUNDS = 3
_LANE = 256

Floats = NDArray[np.float32]


def learn_vocabulary(lines: Iterable[str], *, size: int, seed: int) -> list[str]:
    """The words of unspaced text, at most ``size``, by falling expected count, as look-up keys.

    Spaces and punctuation bound words as usual. Where the text is long, ``seed`` draws a sample of its lines.
    """
    runs = "".join(run + "\0" for run in _sample(lines, seed))
    codes = np.frombuffer(runs.encode("utf-32-le"), dtype=np.uint32)
    if not len(codes):
        return []
    ids, words = _candidates(codes)
    lengths = np.array([len(word) for word in words])
    counts = np.asarray(np.bincount(ids[ids >= 0], minlength=len(words)) * lengths, dtype=np.float64)
    lattice = _lattice(codes, ids, len(words))
    habits = np.zeros(len(words))
    with progress(total=len(_SAVINGS) * _ROUNDS, what="learn words", unit="rounds") as bar:
        for saving in _SAVINGS:
            _prune(counts, _scores(counts, habits), words, saving * len(codes) / SAMPLE)
            for _ in range(_ROUNDS):
                counts = _expected_counts(lattice, _scores(counts, habits))
                counts[(lengths > 1) & (counts < 1)] = 0
                counts[lengths == 1] += 0.1  # every character stays a way out, so that each text can be cut
                habits = _edge_habits(counts, words)
                bar.update()
    best = np.argsort(-counts, kind="stable")
    return [words[index] for index in best[:size] if counts[index] >= 1]


def _sample(lines: Iterable[str], seed: int) -> list[str]:
    """Runs of the text, at most about ``SAMPLE`` characters: a line stays if its draw is below a falling bar."""
    draw_key, bar, total = derive_seed(seed, "segment", "sample"), 1.0, 0
    kept: list[tuple[float, list[str]]] = []
    for number, line in enumerate(lines):
        draw = float(counter_uniform(draw_key, number))
        if draw >= bar:
            continue
        runs = [key(run) for run in split_runs(line)[0]]
        kept.append((draw, runs))
        total += sum(map(len, runs))
        while total > SAMPLE and len(kept) > 1:
            bar /= 2
            kept = [(draw, runs) for draw, runs in kept if draw < bar]
            total = sum(len(run) for _, runs in kept for run in runs)
    return [run for _, runs in kept for run in runs]


def _candidates(codes: NDArray[np.uint32]) -> tuple[NDArray[np.int32], list[str]]:
    """Frequent substrings: ``ids[n - 1, i]`` numbers the one of length n that starts at i (-1: none), and their text.

    ``codes`` are the code points of all runs, each run followed by a 0.
    """
    # Lengths grow one by one, from places whose shorter substring was frequent; a 64-bit rolling hash tells them apart.
    ids = np.full((LONGEST, len(codes)), -1, dtype=np.int32)
    words: list[str] = []
    places = np.flatnonzero(codes)
    hashes = np.zeros(len(codes), dtype=np.uint64)
    for length in range(1, LONGEST + 1):
        places = places[places + length <= len(codes)]
        places = places[codes[places + length - 1] != 0]
        last = codes[places + length - 1].astype(np.uint64)
        hashes[places] = (hashes[places] ^ last) * np.uint64(0x9E3779B97F4A7C15)
        hashes[places] ^= hashes[places] >> np.uint64(29)
        _, first, inverse, counts = np.unique(
            hashes[places], return_index=True, return_inverse=True, return_counts=True
        )
        frequent = counts >= (_RARE if length > 1 else 1)
        numbers = np.where(frequent, np.cumsum(frequent) - 1 + len(words), -1)[inverse]
        ids[length - 1, places] = numbers
        words += [codes[i : i + length].tobytes().decode("utf-32-le") for i in places[first[frequent]]]
        places = places[numbers >= 0]
    return ids, words


def _lattice(codes: NDArray[np.uint32], ids: NDArray[np.int32], words: int) -> NDArray[np.int32]:
    """All cuts of the sample: ``[i, n - 1, lane]`` is the word of length n that ends before position i of a lane.

    The sample is laid out as parallel lanes of ``_LANE`` positions, so that a step serves all lanes; a word that
    crosses their edge is broken in two. ``words`` stands for a separator, and the number after it for no word.
    """
    separator, impossible = words, words + 1
    lanes = -(-len(codes) // _LANE)
    starts = np.full((LONGEST, lanes * _LANE), impossible, dtype=np.int32)
    starts[:, : len(codes)] = np.where(ids < 0, impossible, ids)
    starts[0, : len(codes)][codes == 0] = separator
    starts[0, len(codes) :] = separator
    grid = starts.reshape(LONGEST, lanes, _LANE)
    ends = np.full((_LANE + 1, LONGEST, lanes), impossible, dtype=np.int32)
    for length in range(1, LONGEST + 1):
        ends[length:, length - 1] = grid[length - 1, :, : _LANE - length + 1].T
    return ends


def _expected_counts(lattice: NDArray[np.int32], word_scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """One round of expectation maximisation: the expected count of every candidate under these scores."""
    scores = np.append(word_scores, [0.0, -np.inf]).astype(np.float32)[lattice]
    forward, backward = _forward(scores), _backward(scores)
    expected = np.zeros(len(word_scores) + 2)
    for length in range(1, LONGEST + 1):
        stop = _LANE + 1 - length
        share = np.exp(forward[:stop] + scores[length:, length - 1] + backward[length:] - forward[_LANE])
        ends = lattice[length:, length - 1]
        expected += np.bincount(ends.ravel(), weights=share.ravel(), minlength=len(expected))
    return expected[: len(word_scores)]


def _log_sum(terms: Floats) -> Floats:
    top = terms.max(axis=0)
    return np.asarray(top + np.log(np.exp(terms - top).sum(axis=0)), dtype=np.float32)


def _forward(scores: Floats) -> Floats:
    """Log probability of each lane's text before each position."""
    table = np.zeros((_LANE + 1, scores.shape[2]), dtype=np.float32)
    for end in range(1, _LANE + 1):
        reach = min(end, LONGEST)
        table[end] = _log_sum(scores[end, :reach] + table[end - reach : end][::-1])
    return table


def _backward(scores: Floats) -> Floats:
    """Log probability of each lane's text from each position on."""
    table = np.zeros((_LANE + 1, scores.shape[2]), dtype=np.float32)
    for start in range(_LANE - 1, -1, -1):
        reach = min(_LANE - start, LONGEST)
        diagonal = scores[np.arange(start + 1, start + reach + 1), np.arange(reach)]
        table[start] = _log_sum(diagonal + table[start + 1 : start + reach + 1])
    return table


def _scores(counts: NDArray[np.float64], habits: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a word adds to the score of a cut: its log probability and the habits of its characters."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(counts / counts.sum()) + habits)


def _edge_habits(counts: NDArray[np.float64], words: list[str]) -> NDArray[np.float64]:
    """For every word that is left the weighted log probability that its characters begin, fill and end a word so."""
    totals, begins, ends = (defaultdict[str, float](float) for _ in range(3))
    alive = np.flatnonzero(counts > 0)
    for index in alive:
        word, count = words[index], float(counts[index])
        begins[word[0]] += count
        ends[word[-1]] += count
        for character in word:
            totals[character] += count
    begin, inside_left = _log_rates(begins, totals)
    end, inside_right = _log_rates(ends, totals)
    habits = np.zeros(len(words))
    for index in alive:
        word = words[index]
        inside = sum(inside_left[c] for c in word[1:]) + sum(inside_right[c] for c in word[:-1])
        habits[index] = _EDGE_WEIGHT * (begin[word[0]] + end[word[-1]] + inside)
    return habits


def _log_rates(hits: dict[str, float], totals: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Log of each character's smoothed rate of hits, and of its rate of misses."""
    rates = {character: (hits.get(character, 0) + 0.5) / (total + 1) for character, total in totals.items()}
    return {c: math.log(rate) for c, rate in rates.items()}, {c: math.log1p(-rate) for c, rate in rates.items()}


def _prune(counts: NDArray[np.float64], scores: NDArray[np.float64], words: list[str], saving: float) -> None:
    """Drop (count 0), in place, words that save less over their best split than ``saving`` times length squared."""
    if saving <= 0:
        return
    alive = np.flatnonzero(counts > 0)
    known = dict(zip((words[i] for i in alive), scores[alive].tolist(), strict=True))
    for index in alive:
        word = words[index]
        if len(word) > 1 and (known[word] - _best_split(word, known)) * counts[index] < saving * len(word) ** 2:
            counts[index] = 0


def _best_split(word: str, scores: dict[str, float]) -> float:
    best = [0.0]
    for end in range(1, len(word) + 1):
        starts = range(1 if end == len(word) else 0, end)
        best.append(max((best[i] + scores[word[i:end]] for i in starts if word[i:end] in scores), default=-np.inf))
    return best[-1]
