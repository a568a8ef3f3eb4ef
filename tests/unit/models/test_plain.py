"""Models opened without transformers are those that transformers opens, bit by bit, and so are their folders."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from families import FAMILIES
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import (
    AutoModelForSequenceClassification,
    PreTrainedTokenizerFast,
)

from switchrank.models import pretrained
from switchrank.models.packed import ranking_forward, training_forward
from switchrank.models.plain import PlainRanker, open_plain
from switchrank.models.pretrained import CPU, open_both
from switchrank.models.writing import save_model

SHAPE = {
    "vocab_size": 40,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 40,
    "type_vocab_size": 2,
    "pad_token_id": 1,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "num_labels": 1,
    "initializer_range": 0.3,
}
HEADS = {"bert": ("classifier.", "bert.pooler."), "roberta": ("classifier.",), "xlm-roberta": ("classifier.",)}


def saved(family: str, folder: Path, **changes: object) -> Path:
    """A folder that transformers writes."""
    torch.manual_seed(5)
    config, kind = FAMILIES[family]
    kind(config(**SHAPE | changes)).save_pretrained(folder)
    return folder


def by_transformers(folder: Path, **options: object) -> torch.nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False, dtype=torch.float32, **options
    )


def opened(folder: Path, *, new_head: bool = True, **changes: object) -> PlainRanker:
    model = open_plain(folder, new_head=new_head, changes=changes)
    assert isinstance(model, PlainRanker)
    return model


def change(folder: Path, *, without: tuple[str, ...] = (), **values: object) -> Path:
    """Change ``config.json``."""
    told = json.loads((folder / "config.json").read_text()) | values
    (folder / "config.json").write_text(json.dumps({key: told[key] for key in told if key not in without}))
    return folder


def reweigh(folder: Path, change) -> Path:
    """Change ``model.safetensors``."""
    save_file(change(load_file(folder / "model.safetensors")), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("[!.]*"))}


def same_parameters(ours: torch.nn.Module, theirs: torch.nn.Module) -> None:
    one, other = list(ours.named_parameters()), list(theirs.named_parameters())
    assert [name for name, _ in one] == [name for name, _ in other]
    for (name, mine), (_, stock) in zip(one, other, strict=True):
        assert mine.dtype == stock.dtype, name
        assert mine.requires_grad == stock.requires_grad, name
        assert torch.equal(mine, stock), name


@pytest.mark.parametrize("family", FAMILIES)
def test_parameters_have_the_names_order_and_values_of_the_stock_class(family, tmp_path):
    folder = saved(family, tmp_path / "model")
    ours, theirs = opened(folder, new_head=False), by_transformers(folder)
    same_parameters(ours, theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert ours.training is theirs.training is False
    assert (ours.config.num_labels, ours.base_model_prefix) == (1, theirs.base_model_prefix)
    assert torch.equal(ours.get_input_embeddings().weight, theirs.get_input_embeddings().weight)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("dropout", [None, 0.0, 0.25])
def test_a_saved_folder_has_the_bytes_that_transformers_writes(family, dropout, tmp_path):
    folder = saved(family, tmp_path / "model", classifier_dropout=0.5)
    change(folder, position_embedding_type="absolute", gradient_checkpointing=False, transformers_version="4.40.0")
    backend = Tokenizer(WordLevel({"[PAD]": 0, "[UNK]": 1, "a": 2}, unk_token="[UNK]"))
    PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]").save_pretrained(folder)
    for name, device in (("ours", CPU), ("theirs", None)):
        (tmp_path / name).mkdir()
        model = open_both(folder, dropout=dropout, device=device)[0]
        assert isinstance(model, PlainRanker) is (device is not None)
        save_model(model, tmp_path / name)
    assert files(tmp_path / "ours") == files(tmp_path / "theirs")
    assert sorted(files(tmp_path / "ours")) == ["config.json", "model.safetensors"]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_head_that_is_missing_is_drawn_as_transformers_draws_it(family, tmp_path):
    folder = saved(family, tmp_path / "model", initializer_range=0.07)
    reweigh(folder, lambda held: {name: held[name] for name in held if not name.startswith(HEADS[family])})
    change(folder, without=("id2label", "label2id"), architectures=["SomeModel"])
    models, after = [], []
    for opening in (opened, lambda folder: by_transformers(folder, num_labels=1)):
        torch.manual_seed(11)
        models.append(opening(folder))
        after.append(torch.rand(3))
    same_parameters(*models)
    assert torch.equal(*after)
    drawn = [value for name, value in models[0].named_parameters() if "classifier" in name and name.endswith("weight")]
    assert all(0.04 < value.std() < 0.1 for value in drawn)


def test_weights_in_half_precision_are_opened_in_single(tmp_path):
    folder = reweigh(saved("bert", tmp_path / "m"), lambda held: {name: held[name].half() for name in held})
    same_parameters(opened(folder), by_transformers(folder))


def batch(family: str) -> dict[str, torch.Tensor]:
    lengths = torch.tensor([9, 30, 4, 9])
    mask = (torch.arange(30) < lengths[:, None]).long()
    ids = torch.randint(3, 40, mask.shape, generator=torch.Generator().manual_seed(1)) * mask + (1 - mask)
    types = {"token_type_ids": mask * (ids % 2)} if family == "bert" else {}
    return {"input_ids": ids, "attention_mask": mask} | types


@pytest.mark.parametrize("family", FAMILIES)
def test_training_draws_the_same_dropout_and_gives_the_same_gradients(family, tmp_path):
    folder = saved(family, tmp_path / "model", hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.1)
    models, logits = (opened(folder), by_transformers(folder)), []
    for model in models:
        torch.manual_seed(7)
        logits.append(training_forward(model.train())(batch(family)))
        logits[-1].square().sum().backward()
    assert torch.equal(*logits)
    theirs = dict(models[1].named_parameters())
    for name, parameter in models[0].named_parameters():
        assert (parameter.grad is None) == (theirs[name].grad is None), name
        assert parameter.grad is None or torch.equal(parameter.grad, theirs[name].grad), name


@pytest.mark.parametrize("family", FAMILIES)
def test_ranking_gives_the_same_bits(family, tmp_path):
    folder = saved(family, tmp_path / "model")
    models = opened(folder), by_transformers(folder)
    with torch.inference_mode():
        ours, theirs = (ranking_forward(model, None)(batch(family)) for model in models)
    assert torch.equal(ours, theirs)


LEFT_ALONE = {
    "another activation": {"hidden_act": "relu"},
    "a decoder": {"is_decoder": True},
    "cross attention": {"add_cross_attention": True},
    "relative positions": {"position_embedding_type": "relative_key"},
    "two labels": {"id2label": {"0": "a", "1": "b"}, "label2id": {"a": 0, "b": 1}},
    "heads that do not divide the width": {"num_attention_heads": 3},
    "a size that is a text": {"hidden_size": "32"},
    "no size": {"intermediate_size": 0},
    "a share above 1": {"hidden_dropout_prob": 1.5},
    "no padding": {"pad_token_id": None},
    "a key that is not known": {"pruned_heads": {"1": [0]}},
    "another kind of model": {"model_type": "electra"},
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_a_config_that_asks_for_anything_else_is_left_to_transformers(name, tmp_path):
    folder = saved("bert", tmp_path / "model")
    assert open_plain(folder, new_head=True, changes={}) is not None
    assert open_plain(change(folder, **LEFT_ALONE[name]), new_head=True, changes={}) is None


@pytest.mark.parametrize("key", ["hidden_act", "use_cache", "label2id", "type_vocab_size"])
def test_a_config_that_leaves_anything_to_defaults_is_left_to_transformers(key, tmp_path):
    folder = change(saved("bert", tmp_path / "model"), without=(key,))
    assert open_plain(folder, new_head=False, changes={}) is None


DAMAGED = {
    "a layer is missing": lambda held: {name: held[name] for name in held if ".layer.1." not in name},
    "another shape": lambda held: held | {"classifier.weight": torch.zeros(2, 32)},
    "no prefix": lambda held: {name.removeprefix("bert."): held[name] for name in held},
}


@pytest.mark.parametrize("name", DAMAGED)
def test_weights_that_do_not_fit_are_left_to_transformers(name, tmp_path):
    folder = reweigh(saved("bert", tmp_path / "model"), DAMAGED[name])
    assert open_plain(folder, new_head=True, changes={}) is None


def test_a_head_that_is_missing_makes_no_ranker(tmp_path):
    folder = reweigh(saved("bert", tmp_path / "model"), lambda held: {k: v for k, v in held.items() if k[0] == "b"})
    assert open_plain(folder, new_head=False, changes={}) is None


def test_a_gpu_gets_the_model_of_transformers(bert_folder):
    for device, ours in ((CPU, True), (torch.device("cuda"), False), (None, False)):
        model, _ = open_both(bert_folder, device=device)
        assert isinstance(model, PlainRanker) is ours


IMPORTS = """
import sys
import switchrank.rank.inference, switchrank.rank.score
import switchrank.train.training, switchrank.train.loop, switchrank.train.methods.cross_encoder
from switchrank.models.pretrained import CPU, open_both
from switchrank.models.packed import ranking_forward, training_forward
model, tokenizer = open_both(sys.argv[1], device=CPU)
ranking_forward(model, None), training_forward(model)
print(*{"transformers", "torch._dynamo", "sympy", "pandas", "numba", "scipy"} & sys.modules.keys())
"""


@pytest.mark.parametrize("fixture", ["bert_folder", "roberta_folder"])
def test_opening_imports_nothing_that_is_slow_to_import(fixture, request):
    command = [sys.executable, "-P", "-c", IMPORTS, str(request.getfixturevalue(fixture))]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_trained_folders_and_runs_are_the_same_bytes_whoever_opens_the_model(
    bert_folder, roberta_folder, monkeypatch, tmp_path
):
    for folder in (bert_folder, roberta_folder):
        made = []
        for name in ("ours", "theirs"):
            with monkeypatch.context() as patch:
                if name == "theirs":
                    patch.setattr(pretrained, "open_plain", lambda *_, **__: None)
                    patch.setattr(pretrained, "open_fast_tokenizer", lambda _: None)
                made.append(trained_and_ranked(folder, tmp_path / folder.name / name))
        assert made[0] == made[1]


def trained_and_ranked(start: Path, out: Path) -> dict[str, bytes]:
    """The files of a model that is trained for a few steps, but for times, and its run."""
    import polars as pl

    from switchrank.formats.tables import CANDIDATES, CORPUS, DOCUMENTS, QUERIES, write_table
    from switchrank.rank.inference import rank_pairs
    from switchrank.train.method import Data
    from switchrank.train.training import train_model

    words = ["red", "fox", "blue", "whale", "sea", "stones", "runs"]
    texts = [" ".join(words[: number % 7 + 1]) for number in range(24)]
    rows = [(f"q{n // 4}", texts[n], f"p{n}", texts[-n], int(n % 4 == 0), "en", "en") for n in range(24)]
    out.mkdir(parents=True)
    write_table(pl.DataFrame(rows, CORPUS, orient="row"), out / "train.parquet", CORPUS)
    corpus = out / "train.parquet"
    train_model(
        Data({"corpus": [corpus], "dev": corpus, "start": start}),
        out=out / "model",
        work=out / "work",
        settings={
            "steps": 5,
            "warmup": 0.2,
            "batch_size": 8,
            "lr": 1e-2,
            "max_length": 24,
            "dropout": 0.1,
            "eval_every": 2,
        },
        seed=3,
    )
    (out / "model" / "train.json").unlink()
    for name, schema in (("queries", QUERIES), ("documents", DOCUMENTS)):
        table = pl.DataFrame([(str(n), text, "") for n, text in enumerate(texts)], schema, orient="row")
        write_table(table, out / f"{name}.parquet", schema)
    rows = [(str(n), str((n * 5 + k) % 24), k + 1) for n in range(24) for k in range(4)]
    listed = pl.DataFrame(rows, CANDIDATES, orient="row")
    write_table(listed, out / "candidates.parquet", CANDIDATES)
    pair = {name: str(out / f"{name}.parquet") for name in ("queries", "documents", "candidates")}
    rank_pairs(model=out / "model", pairs=[pair | {"out": str(out / "en-en" / "seed1.trec")}], system="toy")
    return files(out / "model") | files(out / "en-en")
