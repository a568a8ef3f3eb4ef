"""Real files of word vectors: their counts are those of the folders' README files, text and binary agree."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from switchrank.embeddings.read import import_vectors
from switchrank.formats.vector_kinds import vector_kind
from switchrank.formats.vectors import load_vectors

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
JOINT = {"en": 10_000, "de": 10_000, "es": 10_000, "fi": 10_000, "it": 10_000, "sw": 10_000, "tr": 6758, "ru": 6440}
POLARITY = DATA / "word-vectors" / "pang_lee_polarity_fasttext"


@pytest.mark.parametrize("language", JOINT)
def test_joint_vectors_have_their_words(tmp_path, language, capsys):
    made = import_vectors(path=DATA / "vectors-joint" / f"{language}.vec.xz", out=tmp_path / language)
    assert made == {"words": JOINT[language], "dim": 64}
    assert "warning" not in capsys.readouterr().err


def test_text_and_binary_of_one_model_are_the_same_words_and_vectors(tmp_path, capsys):
    """Five of the 1,694 words are single bytes of another encoding, a dash or quotation mark each."""
    kinds = {"vec": "text", "bin": "fasttext"}
    for suffix, kind in kinds.items():
        path = Path(f"{POLARITY}.{suffix}.xz")
        assert vector_kind(path) == kind
        assert import_vectors(path=path, out=tmp_path / suffix) == {"words": 1689, "dim": 100}
        assert "skipped 5 words that are not UTF-8" in capsys.readouterr().err
    text, binary = (load_vectors(tmp_path / suffix) for suffix in kinds)
    assert text.words == binary.words
    rows = [store.matrix * store.norms[:, None] for store in (text, binary)]
    np.testing.assert_allclose(rows[0], rows[1], rtol=2e-4, atol=1e-6)


def test_a_model_without_ngrams_has_no_vectors_for_unseen_words_and_says_so(tmp_path, capsys):
    (tmp_path / "unseen").write_text("filmgoers\nactingly\n", encoding="utf-8")
    made = import_vectors(path=f"{POLARITY}.bin.xz", out=tmp_path / "s", max_words=100, extra_words=tmp_path / "unseen")
    assert made == {"words": 100, "dim": 100}
    assert "skipped 2 extra words without a known n-gram" in capsys.readouterr().err
