"""A dual encoder gives the vectors of sentence-transformers, from whose folders it is opened and whose it writes."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from families import FAMILIES
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoModel, PreTrainedTokenizerFast

from switchrank.core.errors import UserError
from switchrank.models.dual_encoder import DualEncoder, pool
from switchrank.models.pretrained import open_encoder
from switchrank.models.recipe import POOLINGS, Recipe, read_recipe
from switchrank.models.writing import save_model

WORDS = ["the", "sun", "moon", "river", "stone", "bird", "query", "passage", ":"]
TEXTS = ["the sun", "", "moon river stone bird the sun the moon the river", "bird", "an unknown bird"]
PROMPTS = {"query": "query: ", "document": "passage: "}


@pytest.fixture(scope="module")
def tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    backend = Tokenizer(models.WordLevel({word: n for n, word in enumerate(special + WORDS)}, unk_token="[UNK]"))
    backend.normalizer, backend.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.BertPreTokenizer()
    around = {"single": "[CLS] $A [SEP]", "pair": "[CLS] $A [SEP] $B:1 [SEP]:1"}
    backend.post_processor = processors.TemplateProcessing(**around, special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    names = dict(zip(("pad_token", "unk_token", "cls_token", "sep_token"), special, strict=True))
    return PreTrainedTokenizerFast(tokenizer_object=backend, model_max_length=16, **names)


@pytest.fixture(scope="module")
def folders(tokenizer, tmp_path_factory):
    """An encoder of each family, without a head."""
    made = {family: tmp_path_factory.mktemp(family) for family in FAMILIES}
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    places = {"max_position_embeddings": 24, "vocab_size": 13, "pad_token_id": 0, "initializer_range": 0.3}
    for family, (config, _) in FAMILIES.items():
        torch.manual_seed(2)
        AutoModel.from_config(config(**sizes, **places)).save_pretrained(made[family])
        tokenizer.save_pretrained(made[family])
    return made


@pytest.fixture(scope="module")
def folder(folders):
    return folders["bert"]


@pytest.mark.parametrize(("family", "pooling"), zip(FAMILIES, POOLINGS, strict=True))
def test_a_written_folder_gives_the_same_vectors_in_sentence_transformers(folders, tmp_path, family, pooling):
    folder = folders[family]
    encoder = DualEncoder.open(folder, pooling=pooling, prompts=PROMPTS)
    encoder.save(tmp_path / "made")
    peer, again = SentenceTransformer(str(tmp_path / "made"), device="cpu"), DualEncoder.open(tmp_path / "made")
    assert again.recipe == encoder.recipe == Recipe(pooling, prompts=PROMPTS, max_length=16)
    modules = json.loads((tmp_path / "made/modules.json").read_text())
    assert all((tmp_path / "made" / module["path"]).is_dir() for module in modules)
    for kind, theirs in (("query", peer.encode_query), ("document", peer.encode_document), (None, peer.encode)):
        ours = encoder.encode(TEXTS, kind)
        np.testing.assert_allclose(ours, theirs(TEXTS), atol=1e-5)
        np.testing.assert_allclose(ours, again.encode(TEXTS, kind), atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("mode", "pooling", "normalised"), [("mean", "mean", False), ("cls", "cls", True), ("lasttoken", "last", True)]
)
def test_a_folder_that_sentence_transformers_wrote_is_read_as_it_says(folder, tmp_path, mode, pooling, normalised):
    transformer = Transformer(str(folder), max_seq_length=9)
    modules = [transformer, Pooling(32, mode), *([Normalize()] if normalised else [])]
    peer = SentenceTransformer(modules=modules, prompts={"query": "query: ", "passage": "passage: "}, device="cpu")
    peer.save_pretrained(str(tmp_path / "peer"))
    encoder = DualEncoder.open(tmp_path / "peer")
    assert encoder.recipe == Recipe(pooling, normalised, PROMPTS, 9)
    np.testing.assert_allclose(encoder.encode(TEXTS, "query"), peer.encode_query(TEXTS), atol=1e-5)


def test_a_start_of_ours_is_an_encoder_and_loses_its_head(folder, tmp_path):
    from switchrank.train.start import build_start

    build_start(model=folder, out=tmp_path / "start")
    encoder = DualEncoder.open(tmp_path / "start")
    encoder.save(tmp_path / "made")
    np.testing.assert_allclose(encoder.encode(TEXTS), DualEncoder.open(folder).encode(TEXTS), atol=1e-6)
    np.testing.assert_allclose(DualEncoder.open(tmp_path / "made").encode(TEXTS), encoder.encode(TEXTS), atol=1e-6)
    told = json.loads((tmp_path / "made" / "config.json").read_text())
    assert told["architectures"][0].endswith("Model")
    assert "sentence_transformers" not in told


def test_the_digest_is_that_of_the_weights_however_they_are_opened(folders, tmp_path):
    from switchrank.train.start import build_start

    digests = set()
    for family in ("bert", "roberta"):
        build_start(model=folders[family], out=tmp_path / family)
        plain = DualEncoder.open(tmp_path / family)
        model, tokenizer = open_encoder(tmp_path / family)
        stock = DualEncoder(model, tokenizer, plain.recipe, source=tmp_path / family)
        assert type(stock.model) is not type(plain.model)
        assert stock.digest() == plain.digest()
        digests.add(plain.digest())
    assert len(digests) == 2


def test_each_kind_of_text_has_its_length(folder):
    short = DualEncoder.open(folder, lengths={"query": 4})
    long = DualEncoder.open(folder)
    np.testing.assert_array_equal(short.encode(["the sun moon river"], "query"), long.encode(["the sun"], "query"))
    np.testing.assert_array_equal(*(one.encode(["the sun moon river"], "document") for one in (short, long)))


def test_bf16_differs_by_rounding_only(folder):
    whole, half = (DualEncoder.open(folder, precision=precision).encode(TEXTS) for precision in ("fp32", "bf16"))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half, whole, atol=0.05)


def test_texts_come_in_parts_and_in_any_batches_to_the_same_vectors(folder, monkeypatch):
    many = [" ".join(np.random.default_rng(n).choice(WORDS, n % 9)) for n in range(40)]
    whole = DualEncoder.open(folder).encode(many)
    monkeypatch.setattr(DualEncoder, "_chunk", 7)
    encoder = DualEncoder.open(folder, token_budget=20)
    parts = list(encoder.encode_stream(iter(many)))
    assert [len(part) for part in parts] == [7] * 5 + [5]
    np.testing.assert_allclose(np.concatenate(parts), whole, atol=1e-6)
    assert DualEncoder.open(folder).encode([]).shape == (0, 32)


def test_the_number_of_threads_changes_no_byte(folder):
    many, cores = [" ".join(np.random.default_rng(n).choice(WORDS, n % 9)) for n in range(40)], torch.get_num_threads()
    one, three = (DualEncoder.open(folder, threads=threads, token_budget=30) for threads in (1, 3))
    try:
        found = three.encode(many)
        assert torch.get_num_threads() == 3
        torch.set_num_threads(1)
        np.testing.assert_array_equal(found, one.encode(many))
    finally:
        torch.set_num_threads(cores)


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_that_runs_out_halves_what_is_encoded_at_once(folder, monkeypatch, capsys, threads):
    encoder, whole = DualEncoder.open(folder, threads=threads), DualEncoder.open(folder).encode(TEXTS)
    states = encoder._states

    def forward(inputs, draw=None):
        if inputs["input_ids"].numel() > limit:
            raise torch.OutOfMemoryError("out of memory")
        return states(inputs, draw)

    monkeypatch.setattr(encoder, "_states", forward)
    limit = 20
    np.testing.assert_allclose(encoder.encode(TEXTS), whole, atol=1e-6)
    assert "encode: out of memory: token budget lowered to " in capsys.readouterr().err
    limit = 5
    with pytest.raises(UserError, match="encode: max_length: out of memory with one text of 12 tokens: lower it"):
        encoder.encode(TEXTS)


def test_pooling_looks_at_no_padding():
    states = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [0.0, 0.0]], [[1.0, 1.0], [2.0, 2.0], [6.0, 3.0]]])
    lengths = torch.tensor([2, 3])
    assert pool(states, lengths, "mean").tolist() == [[2.0, 3.0], [3.0, 2.0]]
    assert pool(states, lengths, "cls").tolist() == [[1.0, 2.0], [1.0, 1.0]]
    assert pool(states, lengths, "last").tolist() == [[3.0, 4.0], [6.0, 3.0]]


def test_opening_an_encoder_draws_nothing_from_torchs_generator(folder):
    before = torch.get_rng_state()
    DualEncoder.open(folder)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"pooling": "max"}, "pooling: 'max' is not known: choose mean or cls or last"),
        ({"precision": "int8"}, "precision: 'int8' is not known: choose fp32, bf16, fp16 or auto"),
        ({"lengths": {"query": 2}}, "max_length: 2 tokens are taken by special ones alone: make it larger"),
    ],
)
def test_options_that_cannot_be_are_one_line(folder, options, problem):
    with pytest.raises(UserError, match=problem) as told:
        DualEncoder.open(folder, **options)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("texts", "kind", "problem"),
    [
        ("the sun", None, "encode: texts: one text where a list belongs: put it into a list"),
        (["the sun"], "passage", "encode: kind: 'passage' is not known: choose query or document"),
    ],
)
def test_texts_and_kinds_that_cannot_be_are_one_line(folder, texts, kind, problem):
    with pytest.raises(UserError, match=problem):
        DualEncoder.open(folder).encode(texts, kind)


def test_vectors_that_are_not_finite_are_one_line(folder):
    encoder = DualEncoder.open(folder)
    encoder._states = lambda inputs, _: torch.full((*inputs["input_ids"].shape, 32), float("nan"))
    with pytest.raises(UserError, match="vectors: the model gives vectors that are not finite: encode in fp32"):
        encoder.encode(TEXTS)


def test_a_trained_ranker_is_no_encoder(tokenizer, tmp_path):
    config, ranker = FAMILIES["bert"]
    model = ranker(config(hidden_size=8, num_attention_heads=1, intermediate_size=8, num_labels=1, vocab_size=13))
    save_model(model, tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(UserError, match="a cross-encoder, which reads pairs of texts"):
        DualEncoder.open(tmp_path)


@pytest.mark.parametrize(
    ("file", "content", "problem"),
    [
        ("modules.json", {"a": 1}, "modules.json: not a list of modules: fetch the model again"),
        (
            "modules.json",
            [
                {"path": "", "type": "x.Transformer"},
                {"path": "1_Pooling", "type": "x.Pooling"},
                {"path": "2_Dense", "type": "x.Dense"},
            ],
            "modules.json: a module Dense, which cannot be opened: give an encoder that is pooled, and no more",
        ),
        ("modules.json", [{"path": "", "type": "x.Transformer"}], "modules.json: only Transformer: give an encoder"),
        ("1_Pooling/config.json", {"pooling_mode": "max"}, "1_Pooling: pools by max: known are mean, cls, last"),
        (
            "1_Pooling/config.json",
            {"pooling_mode_mean_tokens": True, "pooling_mode_cls_token": True},
            "1_Pooling: pools by pooling_mode_mean_tokens and pooling_mode_cls_token: known are",
        ),
        (
            "1_Pooling/config.json",
            {"pooling_mode": "mean", "include_prompt": False},
            "1_Pooling: pools by mean, without the prompt: known are mean, cls, last, of all tokens",
        ),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case, which is not done: give an encoder"),
    ],
)
def test_what_cannot_be_opened_of_a_folder_is_one_line(folder, tmp_path, file, content, problem):
    DualEncoder.open(folder).save(tmp_path / "made")
    (tmp_path / "made" / file).write_text(json.dumps(content))
    with pytest.raises(UserError, match=problem) as told:
        read_recipe(tmp_path / "made")
    assert "\n" not in str(told.value)
