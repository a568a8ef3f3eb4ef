"""Old versions of sentence-transformers open our folders too, and give the same vectors.

They come from the package index that pip is set to, like the model; where there is none, the tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from switchrank.files.wheels import UnreachableError
from switchrank.models.catalogue import catalogue
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.obtain import obtained

pytestmark = pytest.mark.real

BESIDE = {
    "1.2.1": ["transformers==4.26.1", "tokenizers==0.13.3", "huggingface_hub==0.16.4"],
    "5.2.0": [],
}
"""By version what is needed beside it. 5.2.0 is the oldest that may be installed with transformers 5, 1.2.1 (2021) the
oldest of all: versions before it take ``config.json`` for a file of their own."""
ENCODE = """
import sys
import numpy as np
import sentence_transformers
folder, out, *texts = sys.argv[1:]
np.save(out, sentence_transformers.SentenceTransformer(folder, device="cpu").encode(texts, show_progress_bar=False))
print(sentence_transformers.__version__)
"""
TEXTS = ["Goethe finished Faust in 1831.", "Wer schrieb Faust?", "The Rhine is 1,230 km long.", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dual encoder with prompts, made from all-MiniLM-L6-v2."""
    made = tmp_path_factory.mktemp("made") / "encoder"
    try:
        with obtained(catalogue()["all-MiniLM-L6-v2"].plain()) as source:
            DualEncoder.open(source, prompts={"query": "query: ", "document": "passage: "}).save(made)
    except UnreachableError as error:
        pytest.skip(str(error))
    return made


@pytest.mark.parametrize("version", BESIDE)
def test_an_old_version_gives_the_same_vectors(version: str, folder: Path, tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        tmp_path / "old",
    ]
    wanted = [f"sentence-transformers=={version}", *BESIDE[version]]
    installed = subprocess.run([*pip, "--target", tmp_path / "old", *wanted], capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"pip cannot install {' '.join(wanted)}: {installed.stderr.strip().splitlines()[-1]}")
    asked = [f"query: {text}" for text in TEXTS]
    done = subprocess.run(
        [sys.executable, "-c", ENCODE, folder, tmp_path / "vectors.npy", *asked],
        env=os.environ | {"PYTHONPATH": str(tmp_path / "old")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip() == version
    ours = DualEncoder.open(folder).encode(TEXTS, "query")
    np.testing.assert_allclose(np.load(tmp_path / "vectors.npy"), ours, atol=1e-5)
