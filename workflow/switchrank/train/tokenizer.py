"""One subword tokenizer per run, shared by all its languages and systems.

A language that only has word vectors is counted by Zipf's law: word of rank r occurs 1/r as often as the first.
Languages are balanced by exponential smoothing as in XLM (Conneau and Lample 2019, arXiv 1901.07291, section 3.1).

A unigram model (Kudo 2018, arXiv 1804.10959) without word-boundary markers: a word is the same piece at the start of a
sentence, after a space, and in unspaced text. Its pieces are all frequent characters, the most frequent words (so that
word vectors can start them), and what byte-pair merges (Sennrich et al. 2016, arXiv 1508.07909) find in the others. The
unigram trainer of the ``tokenizers`` package is not used because its result differs from process to process.
"""

import json
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, chain, product, repeat
from pathlib import Path
from typing import NamedTuple

import polars as pl
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.formats.tables import DAMAGE, reason
from switchrank.formats.vectors import load_vectors
from switchrank.text.running_text import read_prose
from switchrank.text.splitting import language_splitter
from switchrank.text.words import Splitter

SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS_AND_SIGNS = r"[\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}\s]"
_ALPHABET_MASS = 0.9999
_MERGE_STRINGS = 500_000
_FITTED_WORDS = 200_000
_ROUNDS = 3
_COLUMNS = ("text", "query", "passage")
_ROWS = 50_000


@dataclass(frozen=True)
class Sources:
    """What a tokenizer learns the words of each language from.

    Attributes:
        texts: .txt, .gz or .parquet (:func:`read_texts`).
        vectors: vector stores, for the words of languages without text, and to cut unspaced text.
        unspaced: written without spaces.
        segmenters: what cuts an unspaced language instead (:func:`switchrank.text.segmenters.load_segmenter`).
    """

    texts: Mapping[str, Sequence[str | Path]] = field(default_factory=dict)
    vectors: Mapping[str, str | Path] = field(default_factory=dict)
    unspaced: Sequence[str] = ()
    segmenters: Mapping[str, str] = field(default_factory=dict)


class Word(NamedTuple):
    """A word, its probability over all languages, and whether it was seen more than once."""

    text: str
    probability: float
    repeated: bool


def build_tokenizer(
    sources: Sources,
    *,
    out: str | Path,
    size: int = 16_000,
    alpha: float = 0.3,
    word_share: float = 0.75,
    max_characters: int = 20_000_000,
    max_length: int = 512,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write the tokenizer of a run: a folder that ``AutoTokenizer.from_pretrained`` loads.

    The text of a language, or, where it has none, the words of its vectors. Languages are balanced, so that a small one
    is not cut into letters. Equal inputs give equal bytes in any process.

    Args:
        sources: what it learns from.
        out: folder to write.
        size: pieces, five special ones included; fewer are made when the text has no more to offer.
        alpha: 0 = languages weigh the same, 1 = as their text: n tokens weigh n ** alpha.
        word_share: share of the pieces beyond characters that are whole words.
        max_characters: text read per language.
        max_length: pieces per pair (``model_max_length``), special ones included.
        overwrite: replace the folder whatever it holds.

    Returns:
        Numbers of pieces: ``{"pieces", "characters", "words", "merges"}``.

    Raises:
        UserError: nothing to learn from, an unreadable file, too small a size, or ``out`` holds other things.
    """
    backend = Tokenizer(_model({}))
    backend.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase(), normalizers.NFC()])
    backend.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS_AND_SIGNS), behavior="removed", invert=True)
    words = _count(backend, sources, alpha, max_characters)
    if not words:
        raise UserError(out, "tokenizer", "no text and no word vectors to learn from", "give at least one of them")
    alphabet = _alphabet(words, size)
    room = size - len(SPECIALS) - len(alphabet)
    if room <= 0:
        raise UserError(out, f"size {size}", f"{len(alphabet)} characters leave no room", "give more pieces")
    whole = [word.text for word in words if word.repeated and len(word.text) > 1][: round(room * word_share)]
    merges = _merges(words, whole, alphabet, room - len(whole))
    pieces = [*alphabet, *whole, *merges]
    backend.model = _model(_prefer_whole(_fit(pieces, words)))
    with atomic_folder(out, "a tokenizer", overwrite=overwrite) as folder:
        _save(backend, folder, max_length)
    return {
        "pieces": len(SPECIALS) + len(pieces),
        "characters": len(alphabet),
        "words": len(whole),
        "merges": len(merges),
    }


def _count(backend: Tokenizer, sources: Sources, alpha: float, max_characters: int) -> list[Word]:
    vocabularies = {language: sources.vectors[language] for language in {*sources.unspaced} & {*sources.vectors}}
    vocabularies |= sources.segmenters
    splitters = {language: language_splitter(vocabulary) for language, vocabulary in vocabularies.items()}
    counted = {
        language: _count_texts(backend, paths, max_characters, splitters.get(language))
        for language, paths in sorted(sources.texts.items())
    }
    ranked = {
        language: _count_vectors(backend, prefix)
        for language, prefix in sources.vectors.items()
        if not sources.texts.get(language)
    }
    return balance({language: counts for language, counts in counted.items() if counts}, ranked, alpha=alpha)


def read_texts(path: str | Path) -> Iterator[str]:
    """The texts of a ``.parquet`` file (columns ``text``, or ``query`` and ``passage``), else its lines (.gz, .xz too).

    Raises UserError where it is missing, damaged, not UTF-8, no text (XML, SQL, binary), or a table without text.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such file", "correct the path, or run the stage that makes it")
    return _read_column_texts(path) if path.suffix == ".parquet" else read_prose(path)


def _read_column_texts(path: Path) -> Iterator[str]:
    try:
        frame = pl.scan_parquet(path)
        columns = [name for name in _COLUMNS if name in frame.collect_schema()]
        if not columns:
            raise UserError(path, "columns", "no column of text", f"a table with {' or '.join(_COLUMNS)} is needed")
        starts = range(0, frame.select(pl.len()).collect().item(), _ROWS)
        for column, start in product(columns, starts):
            yield from frame.select(column).slice(start, _ROWS).collect()[column]
    except DAMAGE as error:
        raise UserError(path, "", f"not a readable parquet table ({reason(error)})", "delete it and rerun") from error


def _pretokens(backend: Tokenizer, text: str) -> list[str]:
    """The strings that the tokenizer's model sees: normalised, cut at white space and punctuation."""
    return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(backend.normalizer.normalize_str(text))]


def _count_texts(
    backend: Tokenizer, paths: Sequence[str | Path], max_characters: int, split: Splitter | None
) -> Counter[str]:
    """Counts of the words of some files."""
    runs = count_words(backend, count_chunks(paths, max_characters))
    return runs if split is None else _recount(runs, lambda run: split(run)[0])


def count_chunks(paths: Sequence[str | Path], max_characters: int) -> Counter[str]:
    """Counts of what is between white space in some files, read in order; no text is begun after ``max_characters``."""
    chunks: Counter[str] = Counter()
    seen = 0
    for path in paths:
        for text in read_texts(path):
            if seen >= max_characters:
                break
            seen += len(text)
            chunks.update(text.split())
    return chunks


def count_words(backend: Tokenizer, chunks: Counter[str]) -> Counter[str]:
    """Counts of the words that the model of a tokenizer sees, of chunks of text."""
    return _recount(chunks, lambda chunk: _pretokens(backend, chunk))


def _recount(counts: Counter[str], cut: Callable[[str], list[str]]) -> Counter[str]:
    parts: Counter[str] = Counter()
    for string, count in counts.items():
        for part in cut(string):
            parts[part] += count
    return parts


def _count_vectors(backend: Tokenizer, prefix: str | Path) -> dict[str, float]:
    counts: dict[str, float] = defaultdict(float)
    for rank, word in enumerate(load_vectors(prefix).words, 1):
        for piece in _pretokens(backend, word):
            counts[piece] += 1 / rank
    return counts


def balance(
    texts: Mapping[str, Mapping[str, int]], ranked: Mapping[str, Mapping[str, float]], *, alpha: float
) -> list[Word]:
    """Words of all languages, most probable first, ties by code points.

    A language with n tokens in ``texts`` weighs n ** ``alpha``, one with ``ranked`` pseudo-counts, from vectors, as
    much as the largest other; all words of vectors count as repeated.
    """
    totals = {language: sum(counts.values()) for language, counts in texts.items()}
    totals |= dict.fromkeys(ranked, max(totals.values(), default=1))
    weights = {language: total**alpha for language, total in totals.items()}
    merged: dict[str, float] = defaultdict(float)
    repeated: set[str] = set()
    for language, counts in sorted({**texts, **ranked}.items()):
        share = weights[language] / sum(weights.values()) / sum(counts.values())
        for word, count in counts.items():
            merged[word] += share * count
            if count > 1 or language in ranked:
                repeated.add(word)
    ordered = sorted(merged.items(), key=lambda item: (-item[1], item[0]))
    return [Word(word, probability, word in repeated) for word, probability in ordered]


def _alphabet(words: list[Word], size: int) -> list[str]:
    mass: dict[str, float] = defaultdict(float)
    for word, probability, _ in words:
        for character in word:
            mass[character] += probability
    wanted = _ALPHABET_MASS * sum(mass.values())
    ordered = sorted(mass, key=lambda character: (-mass[character], character))[: size // 2]
    reached = accumulate((mass[character] for character in ordered), initial=0.0)
    return [character for character, before in zip(ordered, reached, strict=False) if before < wanted]


def _merges(words: list[Word], whole: list[str], alphabet: list[str], room: int) -> list[str]:
    taken = {*whole, *alphabet}
    known = set(alphabet)
    rest = [(word, weight) for word, weight, _ in words if word not in taken and known.issuperset(word)]
    if not rest or room <= 0:
        return []
    scale = _MERGE_STRINGS / sum(weight for _, weight in rest)
    repeated = chain.from_iterable(repeat(word, max(1, round(weight * scale))) for word, weight in rest)
    learner = Tokenizer(models.BPE())
    wanted = len(alphabet) + room + len(whole)
    trainer = trainers.BpeTrainer(vocab_size=wanted, min_frequency=2, show_progress=False)
    learner.train_from_iterator(repeated, trainer)
    by_merge = sorted(learner.get_vocab().items(), key=lambda item: item[1])
    return [piece for piece, _ in by_merge if piece not in taken][:room]


def _model(scores: Mapping[str, float]) -> models.Unigram:
    return models.Unigram([*((token, 0.0) for token in SPECIALS), *scores.items()], unk_id=1)


def _fit(pieces: list[str], words: list[Word]) -> dict[str, float]:
    """Log probabilities of the pieces by hard expectation maximisation, starting from 'as few pieces as possible'."""
    scores = {piece: -10.0 + 0.01 * len(piece) for piece in pieces}
    strings, weights, _ = zip(*words[:_FITTED_WORDS], strict=True)
    smallest = min(weights) / 10
    for _ in range(_ROUNDS):
        cutter = Tokenizer(_model(scores))
        mass = dict.fromkeys(pieces, smallest)
        for encoding, weight in zip(cutter.encode_batch_fast(strings), weights, strict=True):
            for piece in encoding.tokens:
                if piece in mass:
                    mass[piece] += weight
        total = math.log(math.fsum(mass.values()))
        scores = {piece: math.log(value) - total for piece, value in mass.items()}
    return scores


def _prefer_whole(scores: Mapping[str, float]) -> dict[str, float]:
    """Raise each piece just above its best cut into shorter ones, so that a word with a piece of its own keeps it."""
    final: dict[str, float] = {}
    for piece in sorted(scores, key=lambda piece: (len(piece), piece)):
        best = [0.0] + [-math.inf] * len(piece)
        for end in range(1, len(piece) + 1):
            for start in range(end):
                part = final.get(piece[start:end])
                if part is not None and best[start] + part > best[end]:
                    best[end] = best[start] + part
        final[piece] = max(scores[piece], best[-1] + 0.01)
    return {piece: final[piece] for piece in scores}


def _save(backend: Tokenizer, folder: Path, max_length: int) -> None:
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"), SPECIALS, strict=True))
    first, separator = names["cls_token"], names["sep_token"]
    backend.post_processor = processors.TemplateProcessing(
        single=f"{first} $A {separator}",
        pair=f"{first}:0 $A:0 {separator}:0 $B:1 {separator}:1",
        special_tokens=[(token, SPECIALS.index(token)) for token in (first, separator)],
    )
    backend.add_special_tokens(list(SPECIALS))
    backend.save(str(folder / "tokenizer.json"))
    config = names | {
        "backend": "tokenizers",
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "model_max_length": max_length,
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    text = json.dumps(config, indent=2, sort_keys=True) + "\n"
    (folder / "tokenizer_config.json").write_text(text, encoding="utf-8")
