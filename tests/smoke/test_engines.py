"""FAISS, ranx and fastText do the work of their stages: without any of them its stage does not run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from switchrank.formats.tables import JUDGEMENTS, write_table
from switchrank.formats.vectors import write_vectors

STUB = """
def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise RuntimeError(f"the stub of {__name__} was asked for {name}")
"""


@pytest.fixture
def stubbed(tmp_path: Path) -> Path:
    """Stand-ins for the three engines, found before the installed ones by whoever has this folder on PYTHONPATH."""
    folder = tmp_path / "stubs"
    folder.mkdir()
    return folder


def switchrank(*words: str | Path, stubs: Path | None = None) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([*map(str, [stubs] if stubs else []), *filter(None, [os.environ.get("PYTHONPATH")])])
    command = [sys.executable, "-m", "switchrank", *words]
    return subprocess.run(command, text=True, capture_output=True, env=os.environ | {"PYTHONPATH": path}, check=False)


def embeddings(folder: Path) -> list[str | Path]:
    (folder / "text").write_text("one two three four\n" * 20)
    return ["embeddings", "train", "--texts", folder / "text", "--out", folder / "vectors", "--dim", "4"]


def lexicon(folder: Path) -> list[str | Path]:
    for side in ("source", "target"):
        matrix = np.random.default_rng(1).normal(size=(30, 8)).astype(np.float32)
        write_vectors(folder / side, [f"{side}{number}" for number in range(30)], matrix)
    given = ["--source", folder / "source", "--target", folder / "target", "--csls-k", "3"]
    return ["lexicon", "induce", *given, "--out", folder / "lexicon.parquet"]


def evaluate(folder: Path) -> list[str | Path]:
    (folder / "run.trec").write_text("q1 Q0 d2 1 2.0 x\nq1 Q0 d1 2 1.0 x\n")
    write_table(pl.DataFrame({"qid": ["q1"], "docid": ["d1"], "relevance": [1]}), folder / "qrels.parquet", JUDGEMENTS)
    run = {"path": str(folder / "run.trec"), "system": "x", "query_lang": "de", "doc_lang": "en", "seed": 1}
    (folder / "runs.json").write_text(json.dumps([run]))
    given = ["--runs", folder / "runs.json", "--judgements", f"en={folder / 'qrels.parquet'}", "--testset", "test"]
    return ["evaluate", "score", *given, "--out", folder / "scores.parquet"]


@pytest.mark.parametrize(("engine", "stage"), [("faiss", lexicon), ("ranx", evaluate), ("fasttext", embeddings)])
def test_without_its_engine_a_stage_does_not_run(engine: str, stage, stubbed: Path, tmp_path: Path) -> None:
    command = stage(tmp_path)
    done = switchrank(*command)
    assert done.returncode == 0, done.stderr
    (stubbed / f"{engine}.py").write_text(STUB)
    out = Path(command[command.index("--out") + 1])
    without = switchrank(*command[: command.index("--out") + 1], out.with_name("again" + out.suffix), stubs=stubbed)
    assert without.returncode != 0
    assert f"the stub of {engine} was asked for" in without.stderr
    assert not list(tmp_path.glob("again*"))
