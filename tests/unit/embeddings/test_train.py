"""Training vectors on text: same bytes, the shared word rule, text without spaces."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.embeddings.train import SkipGram, train_vectors
from switchrank.formats.vectors import load_vectors, vector_files
from switchrank.text.segmenters import RunSegmenter
from switchrank.text.words import Segmenter

HOT, COLD = ["sun", "fire", "oven", "steam"], ["ice", "snow", "frost", "sleet"]


def lines(count: int = 600, joiner: str = " ") -> list[str]:
    """Sentences about hot things and sentences about cold things."""
    draw = generator(1, "test", "train")
    return [joiner.join(draw.choice([HOT, COLD][i % 2], 6)) for i in range(count)]


def write(path: Path, rows: list[str]) -> Path:
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def train(tmp_path: Path, rows: list[str], out: str = "store", **options: object) -> list[str]:
    text = {name: options.pop(name) for name in ("language", "unspaced", "segmenter") if name in options}
    training = SkipGram(**{"dim": 16, "epochs": 5, "min_count": 2, "threshold": 1.0, **options})  # type: ignore[arg-type]
    texts = [write(tmp_path / "text.txt", rows)]
    train_vectors(texts=texts, out=tmp_path / out, training=training, **text)  # type: ignore[arg-type]
    return load_vectors(tmp_path / out).words


def test_words_that_keep_company_come_out_close_and_rows_are_unit_length(tmp_path: Path) -> None:
    words = train(tmp_path, lines())
    assert sorted(words) == sorted(HOT + COLD)
    store = load_vectors(tmp_path / "store")
    np.testing.assert_allclose(np.linalg.norm(store.matrix, axis=1), 1, rtol=1e-5)
    assert (store.norms > 0).all()
    cosines = store.matrix @ store.matrix.T
    is_hot = np.array([word in HOT for word in words])
    same = is_hot[:, None] == is_hot
    assert cosines[same & ~np.eye(8, dtype=bool)].mean() > cosines[~same].mean() + 0.2


def test_equal_text_and_seed_give_equal_bytes_and_another_seed_other_vectors(tmp_path: Path) -> None:
    for out, seed in (("a", 1), ("b", 1), ("c", 2)):
        train(tmp_path, lines(200), out, seed=seed)
    bytes_of = {out: [file.read_bytes() for file in vector_files(tmp_path / out)] for out in "abc"}
    assert bytes_of["a"] == bytes_of["b"]
    assert bytes_of["a"] != bytes_of["c"]


def test_words_are_lower_case_without_punctuation_by_falling_frequency(tmp_path: Path) -> None:
    rows = ["Sun, sun! (SUN) the stra\u00dfe \u2014 __label__x </s>", "the Sun.", "the sun", "Stra\u00dfe __label__x s"]
    assert train(tmp_path, rows) == ["sun", "the", "__label__x", "s", "stra\u00dfe"]


def test_spellings_of_one_word_share_a_vector_and_the_most_frequent_one_is_kept(tmp_path: Path) -> None:
    rows = ["co\u00adoperate l\u2019eau cooperate", "cooperate l\u2019eau l'eau", "e\u0301te\u0301 \u00c9T\u00c9"]
    assert train(tmp_path, rows) == ["cooperate", "l\u2019eau", "\u00e9t\u00e9"]


def test_turkish_words_keep_their_dotless_i(tmp_path: Path) -> None:
    rows = ["I\u015eIK \u0130zmir \u0131\u015f\u0131k", "izmir \u0130zmir I\u015f\u0131k"]
    assert train(tmp_path, rows, language="tr") == ["izmir", "\u0131\u015f\u0131k"]


def test_max_words_keeps_the_most_frequent(tmp_path: Path) -> None:
    assert train(tmp_path, ["a a a b b c", "c d d d d"], max_words=2) == ["d", "a"]


def test_several_and_compressed_files_are_read_in_order(tmp_path: Path) -> None:
    plain = write(tmp_path / "a.txt", ["x y"] * 5)
    packed = tmp_path / "b.txt.gz"
    packed.write_bytes(gzip.compress(b"y z\n" * 5))
    train_vectors(texts=[plain, packed], out=tmp_path / "store", training=SkipGram(dim=4, threshold=1.0))
    assert load_vectors(tmp_path / "store").words == ["y", "x", "z"]


def test_nothing_but_the_store_is_left_behind(tmp_path: Path) -> None:
    train(tmp_path, lines(50))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["store.npy", "store.words.parquet", "text.txt"]


def test_what_a_killed_training_leaves_is_removed_by_the_next(tmp_path: Path) -> None:
    killed = "import os, pathlib, sys; from switchrank.core.atomic import scratch_folder\n"
    killed += "with scratch_folder(pathlib.Path(sys.argv[1])): os._exit(9)"
    done = subprocess.run([sys.executable, "-c", killed, str(tmp_path / "store")], check=False)
    assert done.returncode == 9
    (left,) = tmp_path.iterdir()
    train(tmp_path, lines(50))
    assert not left.exists()


def test_unspaced_text_gets_words_and_is_cut_by_them_alone(tmp_path: Path) -> None:
    draw = generator(2, "test", "unspaced")
    spoken = sorted({"".join(draw.choice(list("aeioukmtrsnl"), 5)) for _ in range(80)})
    rows = ["".join(draw.choice(spoken, 7)) for _ in range(700)]
    words = train(tmp_path, rows, unspaced=True)
    assert len(set(spoken) & set(words)) > 0.9 * len(spoken)
    assert set(Segmenter(words)(rows[0])[0]) <= set(words)


def test_unspaced_text_is_cut_by_a_segmenter_where_one_is_named(tmp_path: Path, monkeypatch) -> None:
    pairs = RunSegmenter(lambda run: [run[i : i + 2] for i in range(0, len(run), 2)])
    monkeypatch.setattr("switchrank.embeddings.train.load_segmenter", {"segmenter:icu": pairs}.__getitem__)
    assert train(tmp_path, ["\u5357\u4eac\u5e02\u957f"] * 3, segmenter="segmenter:icu", unspaced=True) == [
        "\u5357\u4eac",
        "\u5e02\u957f",
    ]


def test_words_that_subsampling_never_lets_through_get_no_vector(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = train(tmp_path, ["a b c d e f g h i j k"] * 10, threshold=1e-9)
    assert 0 < len(words) < 11
    assert np.isfinite(load_vectors(tmp_path / "store").matrix).all()
    assert f"{11 - len(words)} words were never trained on" in capsys.readouterr().err


def test_text_with_too_few_repeated_words_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="lower min_count"):
        train(tmp_path, ["a b c"], min_count=5)
    with pytest.raises(UserError, match="lower min_count"):
        train(tmp_path, [""], unspaced=True)


def test_text_that_is_not_utf8_is_named_by_line(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_bytes(b"fine\n\xff\xfe\n")
    with pytest.raises(UserError, match=r"bad\.txt: line 2: not UTF-8"):
        train_vectors(texts=[tmp_path / "bad.txt"], out=tmp_path / "store")
    assert [path.name for path in tmp_path.iterdir()] == ["bad.txt"]
