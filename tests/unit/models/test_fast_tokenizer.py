"""Tokenizers that are opened without transformers cut any text as those that transformers opens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from switchrank.core.errors import UserError
from switchrank.models.encode import assemble, read_template, tokenise, truncated
from switchrank.models.plain import FastTokenizer, open_fast_tokenizer
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.tokenizer import Sources, build_tokenizer

ODD = ["", " ", "\t\n", "a" * 300, "äÄ ß", "\ufb01 \ufdfa", "e\u0301", "\u200b\u200dx", "🧑\u200d🚀 a"]
ODD += ["東京タワー", "ไทยไม่เว้นวรรค", "[SEP] [MASK]<s>", "red東foxタ 京"]
text = st.one_of(st.sampled_from(ODD), st.text(max_size=30), st.text(alphabet="abc äß東タ1,.", max_size=60))


@pytest.fixture(scope="session")
def unigram_folder(tmp_path_factory) -> Path:
    """A tokenizer of our own, without a model beside it, over spaced and unspaced text."""
    folder = tmp_path_factory.mktemp("unigram")
    (folder / "en.txt").write_text("red fox\nblue whale\nred whale a b c\n" * 5, encoding="utf-8")
    (folder / "ja.txt").write_text("東京タワー\n東タ京\n" * 5, encoding="utf-8")
    texts = {language: [folder / f"{language}.txt"] for language in ("en", "ja")}
    build_tokenizer(Sources(texts), size=60, out=folder / "tokenizer", max_length=48)
    return folder / "tokenizer"


FOLDERS = ["bert_folder", "roberta_folder", "unigram_folder"]


@pytest.mark.parametrize("fixture", FOLDERS)
def test_it_says_of_itself_what_transformers_says(fixture, request):
    folder = request.getfixturevalue(fixture)
    ours, theirs = open_fast_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    assert ours is not None
    for name in ("vocab_size", "model_max_length", "model_input_names", "pad_token_id", "pad_token_type_id", "is_fast"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert (len(ours), ours.get_vocab()) == (len(theirs), theirs.get_vocab())
    assert sorted(ours.all_special_tokens) == sorted(theirs.all_special_tokens)
    assert ours.name_or_path == str(folder)
    assert ours.backend_tokenizer.to_str() == theirs.backend_tokenizer.to_str()


@pytest.mark.parametrize("fixture", FOLDERS)
@pytest.mark.parametrize("truncation", ["longest_first", "only_second"])
@settings(max_examples=80, deadline=None)
@given(pairs=st.lists(st.tuples(text, text), min_size=1, max_size=5), max_length=st.integers(8, 40))
def test_pairs_of_odd_texts_become_the_inputs_that_transformers_makes(fixture, truncation, pairs, max_length, request):
    folder = request.getfixturevalue(fixture)
    ours, theirs = open_fast_tokenizer(folder), AutoTokenizer.from_pretrained(folder)
    template = read_template(ours)
    room = max_length - template.specials
    if truncation == "only_second":  # which tokenizers refuse where the query alone is too long
        pairs = [(query[:3], passage) for query, passage in pairs]
    left, right = (tokenise(ours, [pair[side] for pair in pairs], limit=room) for side in (0, 1))
    found = assemble(template, *truncated(left, right, room=room, truncation=truncation))
    limits = {"truncation": truncation, "max_length": max_length, "padding": True, "return_tensors": "np"}
    expected = theirs(*(list(side) for side in zip(*pairs, strict=True)), **limits)
    assert sorted(found) == sorted(expected)
    for name, values in found.items():
        np.testing.assert_array_equal(values, expected[name])


def settled(**changes: object):
    """Change ``tokenizer_config.json``; None takes a key away."""

    def change(folder: Path) -> None:
        file = folder / "tokenizer_config.json"
        told = json.loads(file.read_text()) | changes
        file.write_text(json.dumps({key: value for key, value in told.items() if value is not None}))

    return change


def described(**changes: object):
    """Change ``tokenizer.json``."""

    def change(folder: Path) -> None:
        file = folder / "tokenizer.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changes))

    return change


PADDED = {"strategy": {"Fixed": 9}, "direction": "Right", "pad_to_multiple_of": None} | {
    "pad_id": 0,
    "pad_type_id": 0,
    "pad_token": "[PAD]",
}
LEFT_ALONE = {
    "a class of its own": settled(tokenizer_class="BertTokenizer"),
    "no class": settled(tokenizer_class=None),
    "a setting that is not known": settled(split_special_tokens=True),
    "more special tokens": settled(extra_special_tokens=["[X]"]),
    "a special token that the file has not": settled(mask_token="[NEW]"),
    "no length": settled(model_max_length=None),
    "no template": described(post_processor=None),
    "its own truncation": described(
        truncation={"direction": "Right", "max_length": 9, "strategy": "LongestFirst", "stride": 0}
    ),
    "its own padding": described(padding=PADDED),
    "tokens in another file": lambda folder: (folder / "added_tokens.json").write_text('{"more": 84}'),
    "no settings": lambda folder: (folder / "tokenizer_config.json").unlink(),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_not_plain_is_left_to_transformers(name, bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "copy")
    assert isinstance(open_tokenizer(folder), FastTokenizer)
    LEFT_ALONE[name](folder)
    assert open_fast_tokenizer(folder) is None
    if name == "a special token that the file has not":
        assert "[NEW]" in open_tokenizer(folder).get_vocab()
    elif name != "no template":  # transformers then gives pairs no special tokens, which nothing here can use
        assert not isinstance(open_tokenizer(folder), FastTokenizer)


def test_a_tokenizer_without_padding_is_an_error_whoever_opens_it(bert_folder, tmp_path):
    folder = shutil.copytree(bert_folder, tmp_path / "copy")
    settled(pad_token=None)(folder)
    with pytest.raises(UserError, match="no padding token"):
        open_tokenizer(folder)
