"""Aligning vectors: a rotated copy comes back, seed pairs of every kind, the record, the errors."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.embeddings.align import align_vectors
from switchrank.embeddings.keep import keep_vectors
from switchrank.formats.tables import LEXICON, write_table
from switchrank.formats.vectors import load_vectors, vector_files, write_vectors

WORDS, DIM = 300, 16


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@pytest.fixture
def stores(tmp_path: Path) -> Path:
    """English words e0.. and the same space, turned and noisy, as foreign words f0.. (and one word spelled alike)."""
    draw = generator(1, "test", "align")
    english = unit(draw.standard_normal((WORDS, DIM)))
    turn = np.linalg.qr(draw.standard_normal((DIM, DIM)))[0]
    foreign = unit(english @ turn + 0.02 * draw.standard_normal((WORDS, DIM)))
    write_vectors(tmp_path / "en", [f"e{i}" for i in range(WORDS - 1)] + ["2024"], english)
    write_vectors(tmp_path / "fo", [f"F{i}" for i in range(WORDS - 1)] + ["2024"], foreign, np.full(WORDS, 3, "f4"))
    (tmp_path / "seeds.txt").write_text("".join(f"E{i}\tf{i}\n" for i in range(60)) + "no\tnein\nnew york\tny\n")
    return tmp_path


def translated(stores: Path) -> float:
    """Share of foreign words whose nearest English word is their translation."""
    en, fo = load_vectors(stores / "en"), load_vectors(stores / "aligned")
    return float(np.mean((fo.matrix @ en.matrix.T).argmax(axis=1) == np.arange(WORDS)))


def align(stores: Path, **options: object) -> dict[str, object]:
    given: dict[str, object] = {"seed_pairs": {"kind": "dictionary", "path": str(stores / "seeds.txt")}, **options}
    return align_vectors(vectors=stores / "fo", target=stores / "en", out=stores / "aligned", **given)  # type: ignore


def test_a_turned_copy_of_the_space_is_turned_back(stores: Path) -> None:
    record = align(stores, refinements=0)
    assert translated(stores) == 1.0
    assert record["orthogonality"] < 1e-9  # type: ignore[operator]


def test_words_and_norms_are_unchanged_and_rows_stay_unit_length(stores: Path) -> None:
    align(stores)
    before, after = load_vectors(stores / "fo"), load_vectors(stores / "aligned")
    assert after.words == before.words
    np.testing.assert_array_equal(after.norms, before.norms)
    np.testing.assert_allclose(np.linalg.norm(after.matrix, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(after.matrix @ after.matrix.T, before.matrix @ before.matrix.T, atol=1e-5)


def test_refinement_recovers_from_a_handful_of_seeds(stores: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (stores / "seeds.txt").write_text("".join(f"e{i} f{i}\n" for i in range(12)))
    align(stores, refinements=0)
    rough = translated(stores)
    align(stores, refinements=3)
    assert rough < 0.95 < translated(stores)
    assert "only 12 usable seed pairs" in capsys.readouterr().err


def test_the_record_tells_seed_pairs_and_rounds(stores: Path) -> None:
    record = align(stores, refinements=2, criterion="nn")
    assert record == json.loads((stores / "aligned.json").read_text())
    assert record["seed_pairs"] == {"kind": "dictionary", "given": 62, "usable": 60}
    rounds = record["rounds"]
    assert [entry["pairs"] for entry in rounds] == [60, WORDS, WORDS]  # type: ignore[attr-defined]
    assert all(entry["mean_cosine"] > 0.9 for entry in rounds)  # type: ignore[attr-defined]


def test_seed_pairs_from_a_lexicon_are_its_first_ranks_of_single_words(stores: Path) -> None:
    rows = [(f"e{i}", f"F{i}", None, 1) for i in range(80)] + [("e0", "F1", None, 2), ("e1 e2", "F3", None, 1)]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), stores / "titles.parquet", LEXICON)
    record = align(stores, seed_pairs={"kind": "lexicon", "path": str(stores / "titles.parquet")})
    assert record["seed_pairs"] == {"kind": "lexicon", "given": 81, "usable": 80}
    assert translated(stores) == 1.0


def test_identical_strings_include_numerals(stores: Path) -> None:
    record = align(stores, seed_pairs={"kind": "identical"}, refinements=0)
    assert record["seed_pairs"] == {"kind": "identical", "given": 1, "usable": 1}


def test_equal_inputs_give_equal_bytes(stores: Path) -> None:
    def content() -> list[bytes]:
        align(stores)
        return [file.read_bytes() for file in (*vector_files(stores / "aligned"), stores / "aligned.json")]

    assert content() == content()


def test_seeds_that_no_vector_knows_are_refused(stores: Path) -> None:
    (stores / "seeds.txt").write_text("yes ja\n")
    with pytest.raises(UserError, match="none of the 1 dictionary seed pairs"):
        align(stores)
    assert not (stores / "aligned.npy").exists()


def test_spaces_of_different_dimensions_are_refused(stores: Path) -> None:
    write_vectors(stores / "fo", ["a"], np.ones((1, 3), dtype=np.float32))
    with pytest.raises(UserError, match="3 dimensions"):
        align(stores)


def test_an_unknown_kind_of_seed_pairs_is_refused(stores: Path) -> None:
    with pytest.raises(UserError, match="'magic' is not known"):
        align(stores, seed_pairs={"kind": "magic"})


def test_a_kept_store_is_a_copy_with_a_record(stores: Path) -> None:
    keep_vectors(vectors=stores / "fo", out=stores / "kept")
    before, after = load_vectors(stores / "fo"), load_vectors(stores / "kept")
    assert before.words == after.words
    np.testing.assert_array_equal(before.matrix, after.matrix)
    np.testing.assert_array_equal(before.norms, after.norms)
    assert json.loads((stores / "kept.json").read_text()) == {"method": "kept", "words": WORDS, "dimensions": DIM}
