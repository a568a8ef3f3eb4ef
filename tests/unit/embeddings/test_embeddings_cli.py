"""The embeddings command, end to end on a tiny space."""

from __future__ import annotations

from pathlib import Path

import pytest

from switchrank.cli import main
from switchrank.formats.vectors import load_vectors


def test_read_align_and_keep_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "en.vec").write_text("one 1 0\ntwo 0 1\nthree 1 1\n")
    (tmp_path / "fo.vec").write_text("eins 0 1\nzwei -1 0\ndrei -1 1\n")
    (tmp_path / "seeds.txt").write_text("one eins\ntwo zwei\n")
    for language in ("en", "fo"):
        assert (
            main(["embeddings", "read", "--path", f"{tmp_path}/{language}.vec", "--out", f"{tmp_path}/{language}"]) == 0
        )
    arguments = ["--vectors", f"{tmp_path}/fo", "--target", f"{tmp_path}/en", "--out", f"{tmp_path}/aligned"]
    assert main(["embeddings", "align", *arguments, "--seed-pairs", f"{tmp_path}/seeds.txt"]) == 0
    assert main(["embeddings", "keep", "--vectors", f"{tmp_path}/en", "--out", f"{tmp_path}/kept"]) == 0
    aligned, kept = load_vectors(tmp_path / "aligned"), load_vectors(tmp_path / "kept")
    assert abs(aligned.matrix - kept.matrix).max() < 1e-6


def test_training_from_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("a b c\n" * 2000)
    out = f"{tmp_path}/store"
    assert main(["embeddings", "train", "--texts", f"{tmp_path}/text.txt", "--out", out, "--dim", "4"]) == 0
    assert load_vectors(out).matrix.shape == (3, 4)


def test_a_user_error_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["embeddings", "read", "--path", f"{tmp_path}/no.vec", "--out", f"{tmp_path}/no"]) == 2
    assert capsys.readouterr().err.splitlines()[-1] == f"{tmp_path}/no.vec: no such file: correct the path"
