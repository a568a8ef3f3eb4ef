"""Pretraining: each objective is what plain transformers and torch make of the same views, within an equal budget."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file
from torch.nn.functional import cross_entropy, normalize
from train_world import ENGLISH, FOREIGN, bytes_of, train_record, weights
from transformers import AutoTokenizer, BertForMaskedLM

from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, LEXICON, write_table
from switchrank.models.masked_head import MASKED_HEAD
from switchrank.train.line_tables import read_lines, read_pairs
from switchrank.train.loop import _seed_everything
from switchrank.train.method import Context, Data, Step
from switchrank.train.methods.pretrain import Pretrain, PretrainSettings
from switchrank.train.pretraining import pretrain_encoder
from switchrank.train.processes import ALONE
from switchrank.train.settings import parse_settings
from switchrank.train.training import train_model
from switchrank.train.units import OrderBySize, OrderOfBoth

SETTINGS = {"steps": 2, "batch_size": 8, "max_length": 24, "warmup": 0}
OBJECTIVES = ("mlm", "mlm-cs", "tlm", "simcse", "cs", "translation", "crop")


@pytest.fixture
def files(bilingual):
    return {
        "texts": [bilingual / "en/train.parquet", bilingual / "qaa/train.parquet"],
        "bitext": [bilingual / "en-qaa/train.parquet"],
        "lexicons": [bilingual / "en-qaa.parquet"],
    }


@pytest.fixture
def pretrain(deep_folder, files, tmp_path):
    """Pretrain into ``tmp_path/<name>``; returns the folder. ``without`` names files that are not given."""

    def pretrain(name="model", objectives=("mlm",), *, without=(), model=deep_folder, given=files, **changes):
        kept = {role: paths for role, paths in given.items() if role not in without}
        weighted = objectives if isinstance(objectives, dict) else dict.fromkeys(objectives, 1.0)
        settings = {**SETTINGS, "objectives": weighted, **changes}
        pretrain_encoder(model=model, out=tmp_path / name, settings=settings, work=tmp_path / "work", **kept)
        return tmp_path / name

    return pretrain


@pytest.fixture
def opened(files):
    """The method as the loop opens it, without dropout, on a folder."""

    def opened(folder, objective, **changes):
        data = Data({"start": folder, "lexicon": files["lexicons"]} | {r: files[r] for r in ("texts", "bitext")})
        settings = parse_settings(
            SETTINGS | {"objectives": {objective: 1.0}, "dropout": None, **changes}, PretrainSettings
        )
        _seed_everything(1)
        method = Pretrain(Context(data, settings, 1, torch.device("cpu"), "fp32", ALONE))
        method.trained.eval()
        return method

    return opened


def step_of(method, number=0):
    """A step, its only view, and its loss."""
    units = method.order(1).rows(number, number + 1)
    (view,) = method._views_of(number, units).values()
    return view, sum(loss.item() for loss in method.losses(Step(number, units, units)))


def listed(texts):
    """The pieces of each text."""
    bounds = zip(texts.starts, texts.starts + texts.lengths, strict=True)
    return [texts.ids[start:end].tolist() for start, end in bounds]


def sides_of(view):
    return [listed(side) for side in (view.first, view.second)]


def stock_with_head(folder):
    """transformers' masked language model of a folder, with the head that lies beside it."""
    model = BertForMaskedLM.from_pretrained(folder).eval()
    head = load_file(folder / MASKED_HEAD)
    predictions = model.cls.predictions
    theirs = {
        "dense.weight": predictions.transform.dense.weight,
        "dense.bias": predictions.transform.dense.bias,
        "norm.weight": predictions.transform.LayerNorm.weight,
        "norm.bias": predictions.transform.LayerNorm.bias,
        "bias": predictions.bias,
    }
    with torch.no_grad():
        for name, parameter in theirs.items():
            parameter.copy_(head[name])
    return model


@pytest.mark.parametrize("objective", ["mlm", "mlm-cs", "tlm"])
def test_masked_losses_are_those_of_transformers_of_the_same_weights_and_masks(pretrain, opened, objective):
    folder = pretrain(steps=3, lr=1e-2)
    method, stock, tokenizer = (
        opened(folder, objective, mask=0.5),
        stock_with_head(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    view, loss = step_of(method)
    (first, second), count = method._terms[objective]._masked(objective, 0, view)
    assert count > 10
    total = 0.0
    sides = [listed(texts) for side in (first, second) for texts in (side.inputs, side.labels)]
    for read, asked, more, more_asked in zip(*sides, strict=True):
        pair = objective == "tlm"
        ids, labels = [2, *read, 3], [-100, *asked, -100]
        types = [0] * len(ids) + [1] * (len(more) + 1) * pair
        ids, labels = ids + [*more, 3] * pair, labels + [*more_asked, -100] * pair
        logits = stock(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])).logits[0]
        total += cross_entropy(logits, torch.tensor(labels), reduction="sum").item()
    assert (tokenizer.cls_token_id, tokenizer.sep_token_id) == (2, 3)
    assert loss == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("objective", ["simcse", "cs", "translation", "crop"])
@pytest.mark.parametrize(("layer", "pooling"), [(None, "mean"), (2, "cls")])
def test_contrastive_losses_are_torchs_cross_entropy_of_transformers_vectors(
    deep_folder, opened, objective, layer, pooling
):
    method = opened(deep_folder, objective, layer=layer, pooling=pooling)
    view, loss = step_of(method)
    stock = BertForMaskedLM.from_pretrained(deep_folder).eval().bert

    def vector(ids):
        states = stock(input_ids=torch.tensor([[2, *ids, 3]]), output_hidden_states=True).hidden_states
        states = states[-1 if layer is None else layer][0]
        return states.mean(0) if pooling == "mean" else states[0]

    first, second = (normalize(torch.stack([vector(ids) for ids in side]), dim=-1) for side in sides_of(view))
    scores = first @ second.T / 0.05
    same = torch.from_numpy(view.lines[:, None] == view.lines) & ~torch.eye(len(view.rows), dtype=torch.bool)
    scores = scores.masked_fill(same, float("-inf"))
    own = torch.arange(len(view.rows))
    expected = (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
    assert loss == pytest.approx(expected.item(), rel=1e-4)


def test_objectives_are_summed_by_their_weights(pretrain):
    folders = {
        "mlm": pretrain("mlm", {"mlm": 1.0}, steps=1, dropout=0.0),
        "cs": pretrain("cs", {"cs": 1.0}, steps=1, dropout=0.0),
        "both": pretrain("both", {"mlm": 0.1, "cs": 2.0, "crop": 0.0}, steps=1, dropout=0.0),
    }
    loss = {name: train_record(folder)[0]["loss"][0][1] for name, folder in folders.items()}
    assert loss["both"] == pytest.approx(0.1 * loss["mlm"] + 2 * loss["cs"], rel=1e-5)
    before = train_record(folders["both"])[0]["before"]
    assert set(before) == {"loss", "mlm", "cs"}
    assert before["loss"] == pytest.approx(0.1 * before["mlm"] + 2 * before["cs"])


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_budget_of_tokens_is_the_same_for_every_objective(pretrain, objective):
    record = train_record(pretrain(objectives=[objective], steps=0, tokens=1_500))[0]
    assert record["tokens"] == pytest.approx(1_500, rel=0.1)
    assert record["params"]["steps"] == record["loss"][-1][0]


def test_what_switching_does_not_change_is_counted_and_left_out(opened, deep_folder):
    view, _ = step_of(opened(deep_folder, "cs", p=1.0))
    first, second = sides_of(view)
    assert view.unchanged > 0
    assert all(one != other for one, other in zip(first, second, strict=True))
    unswitched = opened(deep_folder, "cs", p=0.0)
    view, loss = step_of(unswitched)
    assert (len(view.rows), view.unchanged, view.tokens, loss) == (0, 8, 0, 0)


def test_the_tokens_read_and_the_rows_unchanged_are_told(pretrain, files):
    record = train_record(pretrain(objectives=["cs"], p=0.3, steps=4))[0]
    assert 0 < record["unchanged"] < 32
    assert record["tokens"] > 100
    assert record["covered"] == {"en": {"qaa": 10}}
    lines = {language: sum(counts.values()) for language, counts in record["texts"].items()}
    assert lines == {language: len(texts) for language, texts in read_lines(files["texts"]).items()}


def test_it_learns_what_is_predicted_on_lines_that_it_is_not_trained_on(pretrain):
    record = train_record(pretrain(objectives=["mlm", "translation"], steps=40, lr=3e-3, dropout=0.0))[0]
    after = record["dev"][-1]
    assert after["mlm"] < record["before"]["mlm"] - 0.3
    assert after["translation"] < record["before"]["translation"]


def test_held_out_lines_are_never_trained_on(opened, deep_folder):
    method = opened(deep_folder, "mlm", held_out=7)
    (pool,) = method._pools.values()
    seen = {int(line) for step in range(40) for line in step_of_lines(method, step)}
    assert seen == set(pool.trained.tolist())
    assert len(pool.held_out) == 7
    assert not seen & set(pool.held_out.tolist())


def step_of_lines(method, number):
    (view,) = method._views_of(number, method.order(1).rows(number, number + 1)).values()
    return view.lines


def test_the_head_lies_beside_the_encoder_and_further_pretraining_goes_on_with_it(pretrain):
    first = pretrain("first", steps=30, lr=3e-3)
    second = pretrain("second", model=first, steps=1, lr=1e-30)
    one, other = (train_record(folder)[0] for folder in (first, second))
    assert other["before"]["mlm"] == pytest.approx(one["dev"][-1]["mlm"], rel=1e-5)
    told = json.loads((second / "start.json").read_text())
    assert (told["masked_head"], told["trained"], len(told["pretrained"])) == (MASKED_HEAD, True, 2)
    assert told["pretrained"][1]["objectives"] == {"mlm": 1.0}
    contrastive = pretrain("third", ["simcse"], model=second)
    assert "masked_head" not in json.loads((contrastive / "start.json").read_text())
    assert MASKED_HEAD not in bytes_of(contrastive)


def test_a_ranker_is_trained_from_what_it_writes(pretrain, world, tmp_path):
    folder = pretrain(objectives=["cs"])
    data = Data({"corpus": [world / "train.parquet"], "start": folder})
    train_model(data, out=tmp_path / "ranker", settings={"steps": 1, "warmup": 0, "max_length": 24})
    assert MASKED_HEAD not in bytes_of(tmp_path / "ranker")
    assert "objectives cs 1" in (folder / "README.md").read_text().replace("\n", " ")


def test_layers_above_the_one_that_is_asked_for_stay_as_they_are(pretrain, deep_folder):
    changed = weights(pretrain(objectives=["translation"], layer=1, lr=1e-2, weight_decay=0.0))
    moved = {name for name, tensor in weights(deep_folder).items() if not torch.equal(changed[name], tensor)}
    assert any(".layer.0." in name for name in moved)
    assert not any(".layer.1." in name or ".layer.2." in name for name in moved)


def test_languages_are_drawn_by_a_power_of_their_size():
    def drawn(exponent):
        units = OrderBySize([900, 100], 10, 1, exponent).rows(0, 100)
        return float((units >= 900).mean())

    assert drawn(1.0) == pytest.approx(0.1)
    assert drawn(0.0) == pytest.approx(0.5)
    assert drawn(0.5) == pytest.approx(0.25)


def test_lines_of_a_language_come_in_turn():
    units = OrderBySize([6, 2], 8, 1, 0.0).rows(0, 3)
    counts = np.bincount(units, minlength=8)
    assert counts[:6].tolist() == [2] * 6
    assert counts[6:].tolist() == [6, 6]


def test_a_step_takes_units_of_both_orders_side_by_side():
    first, second = (OrderBySize([count], 3, 1, 1.0) for count in (10, 5))
    both = OrderOfBoth(first, second, 10)
    found = both.rows(1, 3).reshape(2, 6)
    np.testing.assert_array_equal(found[:, :3].ravel(), first.rows(1, 3))
    np.testing.assert_array_equal(found[:, 3:].ravel() - 10, second.rows(1, 3))
    np.testing.assert_array_equal(both.rows(2, 3), found[1])


def test_lines_and_pairs_are_distinct_and_known_by_their_places(bilingual, tmp_path):
    (tmp_path / "sw.txt").write_text("moja\n\nmbili\nmoja\n", encoding="utf-8")
    lines = read_lines([tmp_path / "sw.txt", bilingual / "qaa/train.parquet"])
    assert list(lines) == ["sw", "qaa"]
    assert lines["sw"].to_list() == ["moja", "mbili"]
    ((pair, rows),) = read_pairs([bilingual / "en-qaa/train.parquet"] * 2).items()
    assert pair == ("en", "qaa")
    assert len(rows) == len(rows.unique())
    words = zip(rows["source"].str.split(" "), rows["target"].str.split(" "), strict=True)
    assert all(
        FOREIGN[ENGLISH.index(one)] == other
        for source, target in words
        for one, other in zip(source, target, strict=True)
    )


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"steps": 0}, "train settings: tokens: 0: say how many tokens to read, or give steps or epochs"),
        ({"tokens": 5}, "train settings: tokens: 5 beside steps: give one of the two"),
        ({"objectives": {"mlmcs": 1.0}}, "objectives: 'mlmcs' is not known: did you mean mlm-cs?"),
        ({"objectives": {"electra": 1.0}}, "objectives: 'electra' is not known: known are mlm, mlm-cs, "),
        ({"objectives": {}}, "objectives: none has a weight: write one"),
        ({"objectives": {"mlm": 0}}, "objectives: none has a weight"),
        ({"objectives": {"mlm": -1}}, "objectives.mlm: -1 is not a number of at least 0: write one"),
        ({"objectives": {"mlm": True}}, "objectives.mlm: True is not a number"),
        ({"objectives": ["mlm"]}, r"objectives: \['mlm'\] is no mapping of numbers: write one, such as"),
        ({"objectives": {"simcse": 1}, "dropout": 0.0}, "dropout: 0, so that simcse reads the same vector twice"),
        ({"temperature": 0}, "temperature: 0 is not a number above 0"),
    ],
)
def test_settings_that_cannot_be_are_one_line(changes, problem):
    with pytest.raises(UserError, match=problem) as told:
        parse_settings(SETTINGS | changes, PretrainSettings)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("objective", "without", "problem"),
    [
        ("mlm", ["texts"], "train: texts: not given, and mlm cannot do without: give texts, or leave out"),
        ("translation", ["bitext"], "train: bitext: not given, and translation cannot do without"),
        ("cs", ["lexicons"], "train: lexicon: not given, and cs cannot do without"),
        ("tlm", ["lexicons", "bitext"], "train: lexicon: not given, and tlm cannot do without"),
    ],
)
def test_an_objective_without_its_data_is_one_line(pretrain, objective, without, problem):
    with pytest.raises(UserError, match=problem):
        pretrain(objectives=[objective], without=without)


def test_a_layer_that_the_model_lacks_is_one_line(pretrain):
    with pytest.raises(UserError, match="deep: layer: 4, and the model has 3: name one that it has"):
        pretrain(objectives=["cs"], layer=4)


@pytest.mark.parametrize(
    ("name", "source", "problem"),
    [
        ("en-qaa", "zebra", "en-qaa.parquet: source: it covers nothing: not one word of the texts has a translation"),
        ("de-qaa", "sun", "train: lexicon: from de, and the texts are in en, qaa: give lexicons from a language"),
        ("lexicon", "sun", "lexicon.parquet: languages: two languages cannot be told from 'lexicon': call the file"),
    ],
)
def test_a_lexicon_that_has_nothing_to_do_with_the_texts_is_one_line(pretrain, files, tmp_path, name, source, problem):
    rows = {"source": [source], "target": ["x"], "score": [1.0], "rank": [1]}
    write_table(pl.DataFrame(rows), tmp_path / f"{name}.parquet", LEXICON)
    with pytest.raises(UserError, match=problem):
        pretrain(objectives=["cs"], given=files | {"lexicons": [tmp_path / f"{name}.parquet"]})


@pytest.mark.parametrize(("role", "objective"), [("texts", "mlm"), ("bitext", "translation")])
def test_too_few_lines_are_one_line(pretrain, files, tmp_path, role, objective):
    (tmp_path / "en.txt").write_text("a line\na line\n")
    (tmp_path / "en-de").mkdir()
    pair = {"id": [1], "source": ["a line"], "target": ["eine Zeile"]}
    write_table(pl.DataFrame(pair), tmp_path / "en-de" / "train.parquet", BITEXT)
    few = {"texts": [tmp_path / "en.txt"], "bitext": [tmp_path / "en-de" / "train.parquet"]}
    with pytest.raises(UserError, match=f"train: {role}: 1 lines: give files with more"):
        pretrain(objectives=[objective], given=files | few)
