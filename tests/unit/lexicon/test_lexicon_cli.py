"""The lexicon command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from switchrank.cli import main
from switchrank.formats.tables import QUALITY, read_table
from switchrank.formats.vectors import write_vectors


def test_induce_and_quality_from_the_command_line(tmp_path: Path) -> None:
    write_vectors(tmp_path / "en", ["one", "two"], np.eye(2, dtype=np.float32))
    write_vectors(tmp_path / "de", ["eins", "zwei"], np.eye(2, dtype=np.float32))
    (tmp_path / "gold.txt").write_text("one eins\ntwo zwei\n")
    stores = ["--source", f"{tmp_path}/en", "--target", f"{tmp_path}/de"]
    out = f"{tmp_path}/lexicon.parquet"
    assert main(["lexicon", "induce", *stores, "--out", out, "--criterion", "nn"]) == 0
    table = f"{tmp_path}/quality.csv"
    names = ["--src", "en", "--tgt", "de", "--gold", f"{tmp_path}/gold.txt"]
    assert main(["lexicon", "quality", "--lexicon", out, *names, "--out", table]) == 0
    assert read_table(table, QUALITY)["p_at_1"].to_list() == [1.0]


@pytest.mark.parametrize("command", ["induce", "titles", "quality"])
def test_every_command_explains_itself(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["lexicon", command, "--help"]) == 0
    assert "--out" in capsys.readouterr().out


def test_a_missing_store_is_one_line_and_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--source", f"{tmp_path}/en", "--target", f"{tmp_path}/de", "--out", f"{tmp_path}/out.parquet"]
    assert main(["lexicon", "induce", *arguments]) == 2
    assert "en.words.parquet: no such file" in capsys.readouterr().err
