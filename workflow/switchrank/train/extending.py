"""Extending: a pretrained WordPiece model gets pieces, and embeddings, for languages that it cannot write."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.core.progress import progress
from switchrank.core.seeds import generator
from switchrank.formats.tables import LEXICON, read_table
from switchrank.models.folder import START_RECORD, TOKENIZER, check_model, read_object
from switchrank.models.origin import origin_of, start_record
from switchrank.train.embeddings import Matrix
from switchrank.train.new_pieces import INNER, Extended
from switchrank.train.new_rows import Materials, Way, without_accents
from switchrank.train.tokenizer import count_chunks
from switchrank.train.vocabulary import load_weights, write_tokenizer, write_weights

_MAX_CHARACTERS = 20_000_000
_EXAMPLES = 10
_DRAWN = "random"


def extend_vocabulary(
    *,
    model: str | Path,
    out: str | Path,
    texts: Mapping[str, Sequence[str | Path]],
    source: str = "en",
    lexicons: Mapping[str, str | Path] | None = None,
    vectors: Mapping[str, str | Path] | None = None,
    rows: Sequence[Way] = ("copy", "lexicon", "parts"),
    pieces: int = 30_000,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write a model with pieces for further languages; all that it had keep their numbers and embeddings.

    A language's pieces are learned from its texts and the words of its lexicon. Letters keep their accents, which the
    model's own tokenizer may strip: words of the source language that so were a single piece get one of their own.
    Embeddings come from the first way that finds one, else from a normal distribution with the mean and variance of
    those that there are; means get the median norm of these:

      copy      the piece in another form: case, compatible characters, begins a word or not
      lexicon   the mean over the pieces of a word's translations, as in a transplant
      vectors   the mean over the old pieces with the nearest aligned word vectors (WECHSEL, arXiv 2112.06598)
      parts     the mean over the old pieces that it is cut into

    Args:
        model: folder of a model with a WordPiece vocabulary.
        out: folder to write.
        texts: of each language .txt, .gz or .parquet (:func:`switchrank.train.tokenizer.read_texts`), 20 million
            characters at most; those of the source language tell what becomes of it.
        source: the language that the model knows.
        lexicons: lexicons from the source language.
        vectors: aligned vector stores, that of the source language among them.
        rows: ways to embeddings, in the order in which they are tried.
        pieces: new ones at most, shared evenly by the languages.
        overwrite: replace the folder whatever it holds.

    Returns:
        What is added to ``start.json``: of each language the ``pieces`` it brought, the share of them that each way
        found, and the share of its words with unknown parts before and after; and as ``changed`` of the source
        language's words the shares cut otherwise for their accents, and for new pieces, with examples.

    Raises:
        UserError: the vocabulary is no WordPiece, a language has nothing to learn from, something that a way needs is
            not given, a file is damaged, or ``out`` holds other things.
    """
    check_model(model)
    folder, lexicons, vectors = Path(model), dict(lexicons or {}), dict(vectors or {})
    described = read_object(folder / TOKENIZER)
    _check(folder, described, rows, source, lexicons, vectors)
    weights, name = load_weights(folder, max(described["model"]["vocab"].values()) + 1, "leave out extend")
    old: Matrix = weights[name].float().numpy()
    extended = Extended(described, len(old))
    spoken = count_chunks(texts.get(source, []), _MAX_CHARACTERS)
    known = extended.words(spoken)
    extended.added |= dict.fromkeys(_accented(extended, known), source)
    plain = frozenset(extended.added)
    languages = [language for language in dict.fromkeys([*texts, *lexicons]) if language != source]
    words: dict[str, dict[str, float]] = {}
    for place, language in enumerate(progress(languages, what="new pieces", unit="languages")):
        words[language] = _words(extended, texts.get(language, []), lexicons.get(language))
        if not words[language]:
            todo = f"give it some, or leave {language} out"
            raise UserError(out, language, "no text and no lexicon to learn pieces from", todo)
        room = (pieces - len(extended.added)) // (len(languages) - place)
        extended.add(language, words[language], room, known)
    materials = Materials(extended, old, plain, lexicons, vectors, source)
    made, ways = _rows(materials, rows)
    record = {
        "source": source,
        "pieces": len(extended.added),
        "languages": _shares(extended, words, ways),
        "changed": _changed(extended, spoken),
    }
    with atomic_folder(out, "an extended model", overwrite=overwrite) as new:
        import torch

        write_weights(weights | {name: torch.from_numpy(np.concatenate([old, made]))}, new)
        write_json(new / "config.json", read_object(folder / "config.json") | {"vocab_size": len(old) + len(made)})
        write_tokenizer(extended.described(), folder, new)
        write_json(new / START_RECORD, (start_record(folder) or origin_of(folder)) | {"extend": record})
    return record


def _check(
    folder: Path,
    described: Mapping[str, Any],
    rows: Sequence[Way],
    source: str,
    lexicons: Mapping[str, str | Path],
    vectors: Mapping[str, str | Path],
) -> None:
    vocabulary = described["model"]
    if vocabulary.get("type") != "WordPiece" or vocabulary.get("continuing_subword_prefix") != INNER:
        problem = f"a vocabulary of type {vocabulary.get('type')} cannot be extended"
        raise UserError(folder, TOKENIZER, problem, "start from a model with a WordPiece vocabulary")
    if "lexicon" in rows and not lexicons:
        raise UserError(folder, "rows", "lexicon without a lexicon", "give lexicons, or leave lexicon out")
    if "vectors" in rows and not {source} < vectors.keys():
        problem = f"vectors without those of {source} and of another language"
        raise UserError(folder, "rows", problem, "give them, or leave vectors out")


def _accented(extended: Extended, words: Mapping[str, float]) -> list[str]:
    """Words with accents that are a single piece without them, the most frequent first."""
    found = [word for word in words if word not in extended.old and without_accents(word) in extended.old]
    return sorted(found, key=lambda word: (-words[word], word))


def _words(extended: Extended, texts: Sequence[str | Path], lexicon: str | Path | None) -> dict[str, float]:
    phrases = read_table(lexicon, LEXICON)["target"].to_list() if lexicon else []
    return extended.words(count_chunks(texts, _MAX_CHARACTERS), phrases)


def _rows(materials: Materials, rows: Sequence[Way]) -> tuple[Matrix, list[str]]:
    """Embeddings of the new pieces, and the way by which each was found."""
    old, count = materials.rows, len(materials.rows)
    draws = generator(0, "extend").standard_normal((len(materials.pieces), old.shape[1]))
    made = (old.mean(axis=0) + old.std(axis=0) * draws).astype(np.float32)
    ways = np.full(len(made), _DRAWN, dtype=object)
    for way in rows:
        found, there = materials.by(way)
        new = there[count:] & (ways == _DRAWN)
        made[new] = found[count:][new] if way == "copy" else _as_long(found[count:][new], old)
        ways[new] = way
    return made, ways.tolist()


def _as_long(rows: Matrix, old: Matrix) -> Matrix:
    """Rows with the norm of an old one, by the median: means are shorter, and count for less beside positions."""
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    length = float(np.median(np.linalg.norm(old, axis=1)))
    return (rows * length / np.where(norms > 0, norms, 1.0)).astype(np.float32)


def _shares(extended: Extended, words: Mapping[str, Mapping[str, float]], ways: Sequence[str]) -> dict[str, Any]:
    """Of each language, how many pieces it brought, the share of each way, and of words with unknown parts."""
    frame = pl.DataFrame({"language": list(extended.added.values()), "way": ways})
    after, told = extended.after(), dict[str, dict[str, Any]]()
    for language in dict.fromkeys([*extended.added.values(), *words]):
        found = Counter(frame.filter(language=language)["way"])
        shares = {way: round(count / found.total(), 4) for way, count in sorted(found.items())}
        told[language] = {"pieces": found.total(), **shares}
        if language in words:
            lost = [extended.lost(tokenizer, words[language]) for tokenizer in (extended.before, after)]
            told[language]["unknown"] = [round(share, 4) for share in lost]
    return told


def _changed(extended: Extended, chunks: Counter[str]) -> dict[str, Any]:
    """The shares of the source language's words that are cut otherwise than before, with frequent examples."""
    texts, after = list(chunks), extended.after()
    cut = [
        [one.ids for one in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        for tokenizer in (extended.before, extended.bare, after)
    ]
    by: dict[str, Counter[str]] = {"accents": Counter(), "pieces": Counter()}
    for text, before, bare, now in zip(texts, *cut, strict=True):
        if now != before:
            by["pieces" if before == bare else "accents"][text] = chunks[text]
    total = max(1, chunks.total())
    shares = {cause: round(counts.total() / total, 6) for cause, counts in by.items()}
    ordered = sorted(by["pieces"], key=lambda text: (-chunks[text], text))
    return {"words": chunks.total()} | shares | {"examples": ordered[:_EXAMPLES]}
