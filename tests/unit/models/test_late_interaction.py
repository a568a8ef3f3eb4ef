"""Late interaction gives the vectors and scores of sentence-transformers, whose folders it reads and writes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from families import FAMILIES
from sentence_transformers import MultiVectorEncoder
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, AutoTokenizer, BertTokenizer, PreTrainedTokenizerFast

from switchrank.core.errors import UserError
from switchrank.models.dual_encoder import DualEncoder
from switchrank.models.late_interaction import LateEncoder, begin, punctuation
from switchrank.models.late_recipe import MARKERS
from switchrank.models.pretrained import open_both, open_encoder
from switchrank.search.max_sim import max_sim

WORDS = ["the", "sun", "moon", "river", "stone", "bird", ",", ".", "?", "。", "-"]
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
QUERIES = ["the sun?", "", "moon, river. stone bird the sun the moon the river", "an unknown bird"]
DOCUMENTS = ["the sun, the moon.", "bird", "", "?", "stone 。river-bird the sun the moon the stone the river"]
LENGTHS = {"query": 8, "document": 12}


def fast_tokenizer():
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(SPECIAL + WORDS)}, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    around = {"single": "[CLS] $A [SEP]", "pair": "[CLS] $A [SEP] $B:1 [SEP]:1"}
    backend.post_processor = processors.TemplateProcessing(**around, special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), SPECIAL, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=16, **names)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """An encoder of each family; ``wordpiece`` has the tokenizer of BERT, and rows to spare."""
    made = {family: tmp_path_factory.mktemp(family) for family in (*FAMILIES, "wordpiece")}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    for family, folder in made.items():
        config = FAMILIES["bert" if family == "wordpiece" else family][0]
        rows = len(SPECIAL + WORDS) + 8 * (family == "wordpiece")
        places = {"max_position_embeddings": 24, "vocab_size": rows, "pad_token_id": 0, "initializer_range": 0.3}
        torch.manual_seed(2)
        AutoModel.from_config(config(**sizes, **places)).save_pretrained(folder)
        if family == "wordpiece":
            (folder / "vocab.txt").write_text("\n".join(SPECIAL + WORDS) + "\n")
            BertTokenizer(vocab=str(folder / "vocab.txt"), model_max_length=16).save_pretrained(folder)
        else:
            fast_tokenizer().save_pretrained(folder)
    return made


def made_late(folder, **changes):
    """A model of late interaction that is made of an encoder, with a projection that is drawn."""
    torch.manual_seed(3)
    model, tokenizer = open_encoder(folder)
    how = {"dimensions": 8, "lengths": LENGTHS, "skip_punctuation": True} | changes
    recipe, projection = begin(model, tokenizer, folder, **how)
    return LateEncoder(model.eval(), tokenizer, recipe, projection, source=folder, precision="fp32")


@pytest.fixture(scope="module")
def late(folders, tmp_path_factory):
    """A folder of late interaction."""
    folder = tmp_path_factory.mktemp("late") / "late"
    made_late(folders["bert"]).save(folder)
    return folder


def same_vectors(ours, theirs):
    assert [len(one) for one in ours] == [len(one) for one in theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize("family", [*FAMILIES, "wordpiece"])
def test_a_written_folder_gives_the_same_vectors_and_scores_in_sentence_transformers(folders, tmp_path, family):
    encoder = made_late(folders[family])
    encoder.save(tmp_path / "made")
    peer, again = MultiVectorEncoder(str(tmp_path / "made"), device="cpu"), LateEncoder.open(tmp_path / "made")
    assert again.recipe == encoder.recipe
    queries, documents = again.encode(QUERIES, "query"), again.encode(DOCUMENTS, "document")
    same_vectors(queries, peer.encode_query(QUERIES, convert_to_numpy=True))
    same_vectors(documents, peer.encode_document(DOCUMENTS, convert_to_numpy=True))
    same_vectors(queries, encoder.encode(QUERIES, "query"))
    scores = peer.similarity(peer.encode_query(QUERIES), peer.encode_document(DOCUMENTS)).numpy()
    ours = [[max_sim(query, document) for document in documents] for query in queries]
    np.testing.assert_allclose(ours, scores, atol=1e-4)
    assert np.ptp(scores, axis=1).min() > 0.01


def test_a_marker_is_one_token_and_punctuation_has_vectors_in_queries_alone(late):
    encoder = LateEncoder.open(late)
    tokenizer = AutoTokenizer.from_pretrained(late)
    assert [tokenizer.tokenize(f"{marker}the sun") for marker in MARKERS.values()] == [
        ["[Q]", "the", "sun"],
        ["[D]", "the", "sun"],
    ]
    lengths = {kind: [len(one) for one in encoder.encode(["the sun, the moon.", "?"], kind)] for kind in MARKERS}
    assert lengths == {"query": [8, 4], "document": [7, 3]}  # [CLS] [Q] the sun , the moon [SEP]; cut after 8
    assert all(np.allclose(np.linalg.norm(one, axis=1), 1) for one in encoder.encode(QUERIES, "query"))


def test_markers_begin_as_the_mean_of_all_embeddings_and_no_other_changes(folders, late):
    before = open_encoder(folders["bert"])[0].get_input_embeddings().weight
    after = open_encoder(late)[0].get_input_embeddings().weight
    assert torch.equal(after[: len(before)], before)
    assert len(after) == len(before) + 2
    torch.testing.assert_close(after[len(before) :], before.mean(0).expand(2, -1))


def test_spare_rows_become_those_of_markers(folders, tmp_path):
    made_late(folders["wordpiece"]).save(tmp_path / "made")
    before, after = (
        open_encoder(one)[0].get_input_embeddings().weight for one in (folders["wordpiece"], tmp_path / "made")
    )
    assert len(before) == len(after)
    numbers = AutoTokenizer.from_pretrained(tmp_path / "made").convert_tokens_to_ids(["[Q]", "[D]"])
    torch.testing.assert_close(after[numbers], before.mean(0).expand(2, -1))


def test_a_projection_keeps_lengths_as_far_as_its_dimensions_allow(folders):
    weight = made_late(folders["bert"]).projection.weight
    torch.testing.assert_close(weight @ weight.T, torch.eye(8), atol=1e-5, rtol=0)


def test_training_goes_on_from_the_markers_and_the_projection_of_late_interaction(late):
    first, again = LateEncoder.open(late), made_late(late, lengths={"query": 9, "document": 10}, skip_punctuation=False)
    assert torch.equal(again.projection.weight, first.projection.weight)
    assert again.recipe.prompts == first.recipe.prompts == MARKERS
    assert (again.recipe.lengths, again.recipe.skipped) == ({"query": 9, "document": 10}, ())
    assert len(again.encode(["the sun, ?"], "document")[0]) == 7
    with pytest.raises(UserError, match="train settings: dim: 4, where the starting model has 8: write the same"):
        made_late(late, dimensions=4)


def test_a_folder_that_sentence_transformers_wrote_is_read_as_it_says(folders, tmp_path):
    dense = Dense(32, 6, bias=False, activation_function=torch.nn.Identity(), module_input_name="token_embeddings")
    modules = [
        Transformer(str(folders["bert"]), query_length=7, document_length=9),
        dense,
        MultiVectorMask(["?", ","]),
        Normalize(module_input_name="token_embeddings"),
    ]
    peer = MultiVectorEncoder(modules=modules, prompts={"query": "sun ", "document": "moon "}, device="cpu")
    peer.save_pretrained(str(tmp_path / "peer"))
    encoder = LateEncoder.open(tmp_path / "peer")
    assert encoder.recipe.lengths == {"query": 7, "document": 9}
    same_vectors(encoder.encode(DOCUMENTS, "document"), peer.encode_document(DOCUMENTS, convert_to_numpy=True))
    same_vectors(encoder.encode(DOCUMENTS, "query"), peer.encode_query(DOCUMENTS, convert_to_numpy=True))


def test_texts_come_in_parts_threads_and_batches_to_the_same_vectors(late, monkeypatch):
    many, cores = [" ".join(np.random.default_rng(n).choice(WORDS, n % 9)) for n in range(20)], torch.get_num_threads()
    whole = LateEncoder.open(late).encode(many, "document")
    monkeypatch.setattr(LateEncoder, "_chunk", 7)
    try:
        parts = LateEncoder.open(late, threads=2, token_budget=20).encode(many, "document")
    finally:
        torch.set_num_threads(cores)
    same_vectors(parts, whole)
    assert LateEncoder.open(late).encode([], "query") == []


def test_bf16_differs_by_rounding_only(late):
    whole, half = (LateEncoder.open(late, precision=one).encode(QUERIES, "query") for one in ("fp32", "bf16"))
    assert all(np.abs(one - other).max() < 0.05 for one, other in zip(whole, half, strict=True))


def test_the_digest_is_that_of_what_vectors_follow_from(folders, late, tmp_path):
    first = LateEncoder.open(late).digest()
    assert LateEncoder.open(late).digest() == first
    made_late(folders["bert"], skip_punctuation=False).save(tmp_path / "other")
    assert len({first, LateEncoder.open(tmp_path / "other").digest(), made_late(folders["roberta"]).digest()}) == 3


def test_punctuation_is_that_of_every_script():
    pieces = ["word", "##.", "...", "▁?", "Ġ,", "。", "،", "[SEP]", "a.", "▁", "##", "$", "—", "##s"]
    assert set(punctuation(pieces)) == {"##.", "...", "▁?", "Ġ,", "。", "،", "$", "—"}


def test_an_encoder_where_late_interaction_is_asked_for_and_the_reverse_are_one_line(folders, late, tmp_path):
    DualEncoder.open(folders["bert"]).save(tmp_path / "dual")
    with pytest.raises(UserError, match=r"dual: modules.json: an encoder with one vector for each text: give a folder"):
        LateEncoder.open(tmp_path / "dual")
    with pytest.raises(UserError, match=r"modules.json: no vector for each token: give a folder that sentence_trans"):
        LateEncoder.open(folders["bert"])
    with pytest.raises(UserError, match=r"late: modules.json: late interaction, which has a vector for each token and"):
        DualEncoder.open(late)
    with pytest.raises(
        UserError, match=r"late: modules.json: late interaction, which gives each token a vector and re"
    ):
        open_both(late, new_head=False)


@pytest.mark.parametrize(
    ("file", "change", "problem"),
    [
        ("sentence_bert_config.json", {"query_expansion": {"strategy": "fixed"}}, "queries are filled up with tokens"),
        ("1_Dense/config.json", {"bias": True}, "a projection that is not linear, or has a bias"),
        ("1_Dense/config.json", {"out_features": 9}, r"linear.weight is \(8, 32\) where its config says \(9, 32\)"),
        ("2_MultiVectorMask/config.json", {"skiplist_tasks": ["query"]}, "a mask of another kind"),
        ("config_sentence_transformers.json", {"similarity_fn_name": "meanmaxsim"}, "scores that are no MaxSim"),
    ],
)
def test_token_vectors_that_are_made_in_another_way_are_one_line(folders, tmp_path, file, change, problem):
    made_late(folders["bert"]).save(tmp_path / "made")
    place = tmp_path / "made" / file
    place.write_text(json.dumps(json.loads(place.read_text()) | change))
    with pytest.raises(UserError, match=problem) as told:
        LateEncoder.open(tmp_path / "made")
    assert "\n" not in str(told.value)
