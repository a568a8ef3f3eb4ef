"""Train word vectors on monolingual text: fastText skip-gram over the words that the rest of switchrank sees.

Words are cut by :mod:`switchrank.text.words` and put under :func:`switchrank.text.equality.key` before fastText reads
them, so that vectors, lexicons and switching agree on what a word is; the store has the most frequent spelling, in
lower case. Text without spaces is cut by a segmenter, or by a vocabulary that is learned from it first
(:mod:`switchrank.text.learned_words`), exactly as later text will be cut by the words of the vectors.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import fasttext
import fasttext_pybind
import numpy as np

from switchrank.core.atomic import scratch_folder
from switchrank.core.errors import UserError
from switchrank.core.progress import native_progress, progress
from switchrank.core.seeds import derive_seed
from switchrank.formats.vectors import write_vectors
from switchrank.text.equality import key, lower
from switchrank.text.learned_words import learn_vocabulary
from switchrank.text.running_text import read_prose
from switchrank.text.segmenters import load_segmenter
from switchrank.text.words import Segmenter, Splitter, split_words

LEARNED_WORDS = 50_000
"""Words learned at most from unspaced text, before ``min_count`` and ``max_words`` are applied."""


@dataclass(frozen=True)
class SkipGram:
    """How vectors are trained.

    Attributes:
        dim: dimensions.
        epochs: passes over the text.
        window: context words on each side.
        min_count: rarer words get no vector.
        max_words: keep only the most frequent words.
        negatives: words drawn as negatives for each word in context.
        lr: learning rate at the start; it falls to 0.
        threshold: subsampling of frequent words (fastText's t).
        minn: shortest character n-gram; 0 trains on whole words.
        maxn: longest character n-gram; 0 trains on whole words.
        seed: of everything that is drawn.
    """

    dim: int = 100
    epochs: int = 5
    window: int = 5
    min_count: int = 5
    max_words: int | None = None
    negatives: int = 5
    lr: float = 0.05
    threshold: float = 1e-4
    minn: int = 0
    maxn: int = 0
    seed: int = 1


USUAL = SkipGram()
_END = "</s>"
"""The word that fastText has for the end of a line."""
_FASTTEXT_NAMES = {"epochs": "epoch", "window": "ws", "min_count": "minCount", "negatives": "neg", "threshold": "t"}
"""What fastText calls the settings that have another name there."""


def train_vectors(
    *,
    texts: Sequence[str | Path],
    out: str | Path,
    language: str = "",
    unspaced: bool = False,
    segmenter: str | None = None,
    training: SkipGram = USUAL,
    threads: int = 1,
) -> dict[str, int]:
    """Write the vector store ``out`` (prefix): fastText skip-gram with negative sampling (Bojanowski et al. 2017).

    Words come by falling frequency, equally frequent ones in code point order; rows are made unit length. Equal texts
    and settings give equal bytes with ``threads=1``; fastText's threads race, so more of them are not reproducible.

    Args:
        texts: UTF-8 text files (.gz, .xz too), a sentence or paragraph a line.
        out: writes PREFIX.words.parquet and PREFIX.npy.
        language: code of the language; lower case depends on it (:func:`switchrank.text.equality.lower`).
        unspaced: no spaces between words: learn the words first.
        segmenter: cut unspaced text by icu, jieba or sudachi (:func:`switchrank.text.segmenters.load_segmenter`).
        training: see :class:`SkipGram`.
        threads: more than 1 is faster but not reproducible.

    Returns:
        ``{"words": n, "dim": d}``; UserError if a file is missing, not UTF-8 or no text (XML, SQL, binary), or no word
        occurs ``min_count`` times.
    """
    paths = [Path(path) for path in texts]
    if segmenter is not None:
        split: Splitter = load_segmenter(segmenter)
    else:
        split = _learned_splitter(paths, training) if unspaced else split_words
    spellings = _Spellings(language)
    with scratch_folder(Path(out)) as folder:
        words_file = folder / "words.txt"
        with words_file.open("w", encoding="utf-8", newline="\n") as file:
            for words in _cut(paths, split, "cut text"):
                file.write(" ".join(map(spellings.key, words)) + "\n" if words else "")
        try:
            model = _skipgram(words_file, training, threads)
        except (ValueError, RuntimeError) as error:
            problem, todo = f"fastText cannot train on it ({error})", "give more text or lower min_count"
            raise UserError(", ".join(map(str, paths)), "", problem, todo) from error
    keys, frequencies = model.get_words(include_freq=True)
    ranked = sorted((row for row, word in enumerate(keys) if word != _END), key=lambda i: (-frequencies[i], keys[i]))
    chosen = ranked[: training.max_words]
    matrix = model.get_input_matrix()[chosen]
    norms = np.linalg.norm(matrix, axis=1)
    trained = np.flatnonzero(norms > 0)
    if len(trained) < len(chosen):
        # On one thread fastText starts all but the most frequent words at zero, and a word whose every occurrence fell
        # to subsampling stays there.
        print(f"warning: {len(chosen) - len(trained)} words were never trained on and get no vector", file=sys.stderr)
    words = [spellings.best(keys[row], int(frequencies[row])) for row in np.array(chosen)[trained].tolist()]
    write_vectors(out, words, matrix[trained] / norms[trained, None], norms[trained])
    return {"words": len(words), "dim": training.dim}


class _Spellings:
    """How the text writes its words: lower-case spellings that are not the word's look-up key are counted."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def key(self, word: str) -> str:
        """The look-up key of ``word``, whose spelling is counted."""
        folded = key(word)
        if not word.isascii() or self._language:
            spelling = lower(word, self._language)
            if spelling != folded:
                self._counts[folded][spelling] += 1
        return folded

    def best(self, folded: str, frequency: int) -> str:
        """The most frequent spelling of a key that occurs ``frequency`` times; of equally frequent ones the first."""
        others = self._counts.get(folded)
        if not others:
            return folded
        counts = {**others, folded: frequency - others.total()}
        return min(counts, key=lambda spelling: (-counts[spelling], spelling))


def _cut(paths: list[Path], splitter: Splitter, what: str) -> Iterator[list[str]]:
    for line in progress(chain.from_iterable(map(read_prose, paths)), what=what, unit="lines"):
        yield splitter(line)[0]


def _learned_splitter(paths: list[Path], training: SkipGram) -> Segmenter:
    """Learn words, then keep those that cutting the whole text by longest match uses often enough to get a vector."""
    learned = learn_vocabulary(chain.from_iterable(map(read_prose, paths)), size=LEARNED_WORDS, seed=training.seed)
    counts = Counter(map(key, chain.from_iterable(_cut(paths, Segmenter(learned), "count words"))))
    frequent = [word for word in counts if counts[word] >= training.min_count]
    return Segmenter(sorted(frequent, key=lambda word: (-counts[word], word))[: training.max_words])


def _skipgram(path: Path, training: SkipGram, threads: int) -> fasttext.FastText._FastText:
    """What ``fasttext.train_unsupervised`` does, in its own two steps: it takes no ``seed`` and the binding does."""
    arguments = fasttext_pybind.args()
    settings = {_FASTTEXT_NAMES.get(name, name): value for name, value in vars(training).items() if name != "max_words"}
    seed = derive_seed(training.seed, "embeddings", "train") % 2**31
    for name, value in (settings | {"thread": threads, "seed": seed}).items():
        setattr(arguments, name, value)
    arguments.model, arguments.loss = fasttext_pybind.model_name.skipgram, fasttext_pybind.loss_name.ns
    arguments.input, arguments.output = str(path), ""
    arguments.label = " "  # no word can begin with the label prefix, whatever the text holds
    arguments.bucket = 2_000_000 if arguments.maxn else 0
    arguments.verbose = 2
    model = fasttext.FastText._FastText(args=arguments)
    with native_progress():
        fasttext_pybind.train(model.f, arguments)
    return model
