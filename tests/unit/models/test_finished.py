"""A ranker that somebody else has trained, copied into a run: the same scores, and its origin on record."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from switchrank.core.digest import file_digest
from switchrank.core.errors import UserError
from switchrank.models.finished import copy_ranker
from switchrank.models.folder import STARTING_FILES
from switchrank.rank.score import Reranker


def logit(folder: Path) -> float:
    """The score that transformers itself gives a pair."""
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.inference_mode():
        return float(model.eval()(**tokenizer("eine frage", "a passage", return_tensors="pt")).logits)


def test_a_copy_gives_the_same_scores_and_tells_what_it_is_of(bert_folder, tmp_path):
    record = copy_ranker(model=bert_folder, out=tmp_path / "peer")
    assert logit(tmp_path / "peer") == logit(bert_folder)
    assert all((tmp_path / "peer" / name).is_file() for name in STARTING_FILES)
    assert json.loads((tmp_path / "peer" / "start.json").read_text()) == record
    assert record["model"] == bert_folder.name
    weights = file_digest(tmp_path / "peer" / "model.safetensors")
    assert record["digests"]["model.safetensors"] == weights


def test_a_copy_of_a_model_of_ours_reads_pairs_as_long_as_it_was_trained_on(bert_folder, tmp_path):
    ours = tmp_path / "ours"
    shutil.copytree(bert_folder, ours)
    (ours / "train.json").write_text(json.dumps({"params": {"max_length": 24, "truncation": "only_second"}}))
    copy_ranker(model=ours, out=tmp_path / "peer")
    opened = Reranker(tmp_path / "peer")
    assert (opened.max_length, opened.truncation) == (24, "only_second")


def test_an_encoder_is_no_finished_ranker(bert_folder, tmp_path):
    from transformers import BertModel

    folder = tmp_path / "encoder"
    shutil.copytree(bert_folder, folder)
    BertModel.from_pretrained(bert_folder).save_pretrained(folder)
    with pytest.raises(UserError, match=re.escape("give a trained cross-encoder")):
        copy_ranker(model=folder, out=tmp_path / "peer")
    assert not (tmp_path / "peer").exists()
