"""An encoder that somebody else has trained, copied into a run: the same vectors, its prompts, its origin on record."""

import json
import re
import shutil

import numpy as np
import pytest

from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.finished_encoder import copy_encoder
from switchrank.models.folder import STARTING_FILES

TEXTS = ["eine frage", "a passage"]


@pytest.fixture
def encoder_folder(bert_folder, tmp_path):
    """A plain encoder, which says nothing about vectors of texts."""
    from transformers import BertModel

    folder = tmp_path / "encoder"
    shutil.copytree(bert_folder, folder)
    BertModel.from_pretrained(bert_folder).save_pretrained(folder)
    return folder


def test_a_copy_gives_the_same_vectors_and_tells_what_it_is_of(encoder_folder, tmp_path):
    record = copy_encoder(model=encoder_folder, out=tmp_path / "e5")
    given, copied = (DualEncoder.open(folder).encode(TEXTS, "query") for folder in (encoder_folder, tmp_path / "e5"))
    assert np.array_equal(given, copied)
    assert all((tmp_path / "e5" / name).is_file() for name in (*STARTING_FILES, "modules.json"))
    assert json.loads((tmp_path / "e5" / "start.json").read_text()) == record
    assert record["digests"]["model.safetensors"] == file_digest(tmp_path / "e5" / "model.safetensors")


def test_prompts_are_kept_where_a_folder_has_some_and_else_those_that_are_known(encoder_folder, tmp_path):
    copy_encoder(model=encoder_folder, out=tmp_path / "e5", prompts={"query": "q: ", "document": "d: "})
    copy_encoder(model=tmp_path / "e5", out=tmp_path / "again", prompts={"query": "other: "})
    for name in ("e5", "again"):
        assert DualEncoder.open(tmp_path / name).recipe.prompts == {"query": "q: ", "document": "d: "}


def test_a_cross_encoder_is_no_finished_encoder(bert_folder, tmp_path):
    with pytest.raises(UserError, match=re.escape("a cross-encoder, which reads pairs of texts")):
        copy_encoder(model=bert_folder, out=tmp_path / "e5")
    assert not (tmp_path / "e5").exists()
