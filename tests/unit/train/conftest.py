"""A micro world: two spaced languages whose words are translations by position, vectors, a tokenizer and a start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from train_world import ENGLISH, FOREIGN, MICRO, SETTINGS, corpus_frame, parallel_frame, sentences

from switchrank.formats.tables import BITEXT, CORPUS, LEXICON, write_table
from switchrank.formats.vectors import write_vectors


@pytest.fixture(scope="session")
def world(tmp_path_factory) -> Path:
    """Folder with ``en.txt``, ``qaa.txt``, vector stores ``en`` and ``qaa``, ``train.parquet`` and ``dev.parquet``."""
    folder = tmp_path_factory.mktemp("world")
    (folder / "en.txt").write_text("\n".join(sentences(ENGLISH, 80, 2)), encoding="utf-8")
    (folder / "qaa.txt").write_text("\n".join(sentences(FOREIGN, 80, 3)), encoding="utf-8")
    rng = np.random.default_rng(4)
    shared, own = rng.normal(size=(len(ENGLISH), 20)), rng.normal(size=(len(ENGLISH), 20))
    for language, words, matrix in (("en", ENGLISH, shared), ("qaa", FOREIGN, shared + 0.3 * own)):
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        write_vectors(folder / language, words, unit.astype(np.float32))
    write_table(corpus_frame(), folder / "train.parquet", CORPUS)
    write_table(corpus_frame(20, seed=9), folder / "dev.parquet", CORPUS)
    return folder


@pytest.fixture(scope="session")
def parallel(tmp_path_factory) -> list[Path]:
    """Tables of the same pairs in both languages."""
    folder = tmp_path_factory.mktemp("parallel")
    for language in ("en", "qaa"):
        write_table(parallel_frame(language), folder / f"{language}.parquet", CORPUS)
    return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def bilingual(tmp_path_factory) -> Path:
    """Folder with ``en/train.parquet``, ``qaa/train.parquet``, bitext ``en-qaa/train.parquet`` and a lexicon."""
    folder = tmp_path_factory.mktemp("bilingual")
    english = sentences(ENGLISH, 60, 5)
    translated = [" ".join(FOREIGN[ENGLISH.index(word)] for word in text.split()) for text in english]
    for language, texts in (("en", english), ("qaa", translated[:20])):
        (folder / language).mkdir()
        pl.DataFrame({"id": range(len(texts)), "text": texts}).write_parquet(folder / language / "train.parquet")
    (folder / "en-qaa").mkdir()
    pairs = {"id": range(len(english)), "source": english, "target": translated}
    write_table(pl.DataFrame(pairs), folder / "en-qaa" / "train.parquet", BITEXT)
    rows = {"source": ENGLISH[2:], "target": FOREIGN[2:], "score": [1.0] * 10, "rank": [1] * 10}
    write_table(pl.DataFrame(rows), folder / "en-qaa.parquet", LEXICON)
    return folder


@pytest.fixture(scope="session")
def tokenizer_folder(world) -> Path:
    from switchrank.train.tokenizer import Sources, build_tokenizer

    texts = {language: [world / f"{language}.txt"] for language in ("en", "qaa")}
    build_tokenizer(Sources(texts), size=80, out=world / "tokenizer", max_length=32)
    return world / "tokenizer"


@pytest.fixture(scope="session")
def start_folder(world, tokenizer_folder) -> Path:
    """A model of 1 layer x 16 with dropout, so that a resumed run has to put random states back."""
    from switchrank.train.start import build_start

    build_start(tokenizer=tokenizer_folder, preset=MICRO, init=["mimetic"], out=world / "start")
    return world / "start"


@pytest.fixture(scope="session")
def deep_folder(world, tokenizer_folder) -> Path:
    """The same with 3 layers, whose weights are large, so that each matters."""
    from switchrank.train.start import build_start

    preset = MICRO | {"num_hidden_layers": 3, "initializer_range": 0.4}
    build_start(tokenizer=tokenizer_folder, preset=preset, init=[], out=world / "deep")
    return world / "deep"


@pytest.fixture(scope="session")
def other_teacher(world) -> Path:
    """A model of the same width with pieces of its own."""
    from switchrank.train.start import build_start
    from switchrank.train.tokenizer import Sources, build_tokenizer

    build_tokenizer(Sources({"en": [world / "en.txt"]}), size=50, out=world / "pieces", max_length=32)
    build_start(tokenizer=world / "pieces", preset=MICRO | {"initializer_range": 0.4}, init=[], out=world / "other")
    return world / "other"


@pytest.fixture(scope="session")
def bitext(world) -> Path:
    """Lines in both languages, word by word."""
    sides = [sentences(words, 60, 6) for words in (ENGLISH, FOREIGN)]
    rows = [(number, *line) for number, line in enumerate(zip(*sides, strict=True), start=1)]
    (world / "en-qaa").mkdir()
    write_table(pl.DataFrame(rows, schema=BITEXT, orient="row"), world / "en-qaa" / "train.parquet", BITEXT)
    return world / "en-qaa" / "train.parquet"


@pytest.fixture(scope="session")
def lexicon(world) -> Path:
    """Every word with its translation and a worse one, and a word that is its own translation."""
    best = [(one, other, 0.9, 1) for one, other in zip(ENGLISH, FOREIGN, strict=True)]
    worse = [(one, other, 0.1, 2) for one, other in zip(ENGLISH, FOREIGN[1:], strict=False)]
    rows = sorted([*best, *worse, ("radio", "radio", 0.9, 1)])
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), world / "en-qaa.parquet", LEXICON)
    return world / "en-qaa.parquet"


@pytest.fixture
def run(world, start_folder, tmp_path):
    """Train into ``tmp_path/<name>``; returns the folder."""
    from switchrank.train.method import Data
    from switchrank.train.training import train_model

    def call(
        name="model",
        seed=1,
        device="cpu",
        dev=True,
        record=None,
        corpus=None,
        start=start_folder,
        processes=1,
        reader=None,
        **changes,
    ):
        files = {"corpus": corpus or [world / "train.parquet"], "start": start}
        train_model(
            Data(files | {"dev": world / "dev.parquet" if dev else None}, reader),
            out=tmp_path / name,
            work=tmp_path / "work",
            settings={**SETTINGS, **changes},
            seed=seed,
            device=device,
            processes=processes,
            record=record,
        )
        return tmp_path / name

    return call
