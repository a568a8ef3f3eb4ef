"""Vectors made of others: by hand, and laws that hold for any."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.encoded import unit_rows
from switchrank.formats.tables import DOCUMENTS, DRAW, write_table
from switchrank.rank import derived
from switchrank.rank.derived import mix_vectors, pool_vectors, shift_vectors
from switchrank.rank.pools import join_pool


def saved(path: Path, rows, model: str = "one") -> Path:
    """A file of vectors and its record."""
    np.save(path, np.array(rows, dtype=np.float32))
    path.with_suffix(".json").write_text(json.dumps({"model": model}))
    return path


def random_rows(seed: int, rows: int, dimensions: int = 6):
    return unit_rows(np.random.default_rng(seed).standard_normal((rows, dimensions)).astype(np.float32))


def test_the_mean_of_lines_is_taken_off_by_hand(tmp_path):
    vectors = saved(tmp_path / "v.npy", [[1, 0], [0, 1]])
    lines = [saved(tmp_path / "a.npy", [[1, 0]]), saved(tmp_path / "b.npy", [[0.6, 0.8], [0.2, 0.7]])]
    shift_vectors(vectors=vectors, lines=lines, out=tmp_path / "out.npy")
    # the mean of the three lines is (.6, .5): (.4, -.5) and (-.6, .5) remain
    expected = [[0.4 / 0.41**0.5, -0.5 / 0.41**0.5], [-0.6 / 0.61**0.5, 0.5 / 0.61**0.5]]
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)
    assert json.loads((tmp_path / "out.json").read_text()) == {"model": "one", "shifted": True}


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), block=st.sampled_from([24, 1 << 20]))
def test_what_all_vectors_of_a_language_have_in_common_makes_no_difference(tmp_path, monkeypatch, seed, block):
    monkeypatch.setattr("switchrank.formats.matrices._BYTES", block)
    vectors, lines, common = (random_rows(seed + part, rows) for part, rows in enumerate((5, 9, 1)))
    for name, added in (("plain", 0), ("moved", 3 * common)):
        files = saved(tmp_path / f"v-{name}.npy", vectors + added), saved(tmp_path / f"l-{name}.npy", lines + added)
        shift_vectors(vectors=files[0], lines=[files[1]], out=tmp_path / f"{name}.npy")
    plain, moved = np.load(tmp_path / "plain.npy"), np.load(tmp_path / "moved.npy")
    np.testing.assert_allclose(moved, plain, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1, atol=1e-6)


def test_two_vectors_of_a_text_are_mixed_by_hand(tmp_path):
    files = saved(tmp_path / "v.npy", [[1, 0], [0.6, 0.8]]), saved(tmp_path / "w.npy", [[0, 1], [0.6, 0.8]])
    words = ["--vectors", str(files[0]), "--others", str(files[1]), "--weight", "0.25", "--out"]
    assert main(["rank", "mix", *words, str(tmp_path / "out.npy")]) == 0
    expected = [[0.75 / 0.625**0.5, 0.25 / 0.625**0.5], [0.6, 0.8]]
    np.testing.assert_allclose(np.load(tmp_path / "out.npy"), expected, atol=1e-6)
    for weight, same in ((0, files[0]), (1, files[1])):
        mix_vectors(vectors=files[0], others=files[1], weight=weight, out=tmp_path / "out.npy")
        np.testing.assert_allclose(np.load(tmp_path / "out.npy"), np.load(same), atol=1e-7)


@pytest.fixture
def languages(tmp_path) -> dict[str, dict[str, str]]:
    """Tables of two languages and the vectors of their texts."""
    made: dict[str, dict[str, str]] = {"tables": {}, "vectors": {}}
    for seed, (language, ids) in enumerate({"de": ["d1", "d2", "d3"], "en": ["d3", "d1"]}.items()):
        table = tmp_path / f"{language}.parquet"
        write_table(pl.DataFrame([(i, i, "") for i in ids], schema=DOCUMENTS, orient="row"), table, DOCUMENTS)
        made["tables"][language] = str(table)
        made["vectors"][language] = str(saved(tmp_path / f"{language}.npy", random_rows(seed, len(ids))))
    return made


@pytest.mark.parametrize("rows", [1, 100])
def test_a_drawn_pool_has_the_vectors_of_the_languages_that_were_drawn(languages, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(derived, "_ROWS", rows)
    drawn = [("d3", "en"), ("d2", "de"), ("d1", "en")]
    write_table(pl.DataFrame(drawn, schema=DRAW, orient="row"), tmp_path / "draw.parquet", DRAW)
    pool_vectors(draw=tmp_path / "draw.parquet", **languages, out=tmp_path / "pool.npy")
    german, english = (np.load(languages["vectors"][language]) for language in ("de", "en"))
    np.testing.assert_array_equal(np.load(tmp_path / "pool.npy"), [english[0], german[1], english[1]])
    assert json.loads((tmp_path / "pool.json").read_text())["model"] == "one"


def test_a_pool_of_everything_has_the_vectors_of_every_language(languages, tmp_path):
    from switchrank.formats.tables import JUDGEMENTS

    judged = tmp_path / "judged.parquet"
    write_table(pl.DataFrame([("q1", "d1", 1)], schema=JUDGEMENTS, orient="row"), judged, JUDGEMENTS)
    outs = {name: tmp_path / f"pool-{name}.parquet" for name in ("out", "judgements_out", "draw_out")}
    join_pool(documents=languages["tables"], judgements={"de": judged, "en": judged}, **outs)
    words = [f"{language}={path}" for language, path in languages["tables"].items()]
    files = [f"{language}={path}" for language, path in languages["vectors"].items()]
    given = ["--draw", str(outs["draw_out"]), "--tables", *words, "--vectors", *files]
    assert main(["rank", "pool", "vectors", *given, "--out", str(tmp_path / "pool.npy")]) == 0
    expected = np.concatenate([np.load(languages["vectors"][language]) for language in ("de", "en")])
    np.testing.assert_array_equal(np.load(tmp_path / "pool.npy"), expected)


def test_what_cannot_be_derived_is_one_line(languages, tmp_path):
    vectors, out = saved(tmp_path / "v.npy", [[1, 0], [0, 1]]), tmp_path / "out.npy"
    write_table(pl.DataFrame([("d2", "en")], schema=DRAW, orient="row"), tmp_path / "draw.parquet", DRAW)
    write_table(pl.DataFrame(schema=DRAW), tmp_path / "none.parquet", DRAW)
    wide, other = saved(tmp_path / "wide.npy", [[1, 0, 0]]), saved(tmp_path / "other.npy", [[1, 0]], "another")
    empty, one = saved(tmp_path / "empty.npy", np.empty((0, 2))), saved(tmp_path / "one.npy", [[1, 0]])
    pool = {"draw": tmp_path / "draw.parquet", **languages}
    german = {name: {"de": files["de"]} for name, files in languages.items()}
    short = languages["vectors"] | {"en": one}
    cases = [
        (shift_vectors, {"vectors": vectors, "lines": [wide]}, "wide.npy: vectors of 3 dimensions, where .* has 2"),
        (shift_vectors, {"vectors": vectors, "lines": [other]}, "other.npy: made by another model than"),
        (shift_vectors, {"vectors": vectors, "lines": [empty]}, "empty.npy: no vectors of lines: give parallel text"),
        (mix_vectors, {"vectors": vectors, "others": one}, "one.npy: 1 vectors, where .*v.npy has 2: give those of"),
        (
            mix_vectors,
            {"vectors": vectors, "others": vectors, "weight": 1.5},
            "mix: weight: 1.5: write a number from 0",
        ),
        (pool_vectors, pool, "draw.parquet: id d2: not in the en table: give those that the pool was made of"),
        (pool_vectors, pool | german, "draw.parquet: language en: no table or no vectors: give both of every language"),
        (pool_vectors, pool | {"vectors": short}, "one.npy: 1 vectors for 2 texts of .*en.parquet: encode this table"),
        (pool_vectors, pool | {"draw": tmp_path / "none.parquet"}, "none.parquet: no texts: give the draw of a pool"),
    ]
    for function, given_files, problem in cases:
        with pytest.raises(UserError, match=problem) as told:
            function(**given_files, out=out)
        assert "\n" not in str(told.value)
        assert not out.exists()
