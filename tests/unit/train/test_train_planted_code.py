"""Code that a model folder brings along never runs: neither for the start of training nor for ranking."""

from __future__ import annotations

import json
import shutil
from contextlib import nullcontext, suppress

import numpy as np
import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.formats.tables import WORDS, write_table
from switchrank.formats.vectors import load_vectors
from switchrank.models.pretrained import open_both, open_tokenizer
from switchrank.rank.score import Reranker

PLANTED = 'open({trace!r}, "w").write("was here")\nfrom transformers import *\n'


@pytest.fixture
def planted(start_folder, tmp_path):
    """A model folder that asks for its own code (``auto_map``), and the file that this code would write."""
    folder, trace = tmp_path / "planted", tmp_path / "was-here"
    shutil.copytree(start_folder, folder)
    for file, auto in (
        ("config.json", {"AutoConfig": "own.C", "AutoModelForSequenceClassification": "own.M"}),
        ("tokenizer_config.json", {"AutoTokenizer": [None, "own.T"]}),
    ):
        told = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps(told | {"auto_map": auto}))
    (folder / "own.py").write_text(PLANTED.format(trace=str(trace)))
    return folder, trace


@pytest.mark.parametrize("own_type", [False, True])
@pytest.mark.parametrize("opening", [open_both, open_tokenizer, Reranker])
def test_code_in_a_model_folder_is_never_run(planted, opening, own_type):
    folder, trace = planted
    if own_type:
        told = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps(told | {"model_type": "planted", "architectures": ["M"]}))
    with suppress(UserError) if own_type else nullcontext():
        opening(folder)
    assert not trace.exists()


def test_a_pickled_matrix_in_place_of_vectors_is_refused(tmp_path):
    class Planted:
        def __reduce__(self):
            return (open, (str(tmp_path / "was-here"), "w"))

    write_table(pl.DataFrame({"word": ["a"], "norm": [1.0]}, schema=WORDS), tmp_path / "v.words.parquet", WORDS)
    np.save(tmp_path / "v.npy", np.array([Planted()], dtype=object), allow_pickle=True)
    with pytest.raises(UserError) as error:
        load_vectors(tmp_path / "v")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "was-here").exists()
