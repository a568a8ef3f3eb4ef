"""The published experiment as shipped: its numbers, and that the small copy of it is a copy."""

import re
from pathlib import Path

import pytest
import yaml

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.optimiser import learning_rate
from switchrank.train.settings import parse_settings

ROOT = Path(__file__).parents[3]
SOURCES_SIZES_AND_STEPS = re.compile(
    r"run|seeds|downloads\..*|world\..*|start\..*|train\..*|testsets\.[^.]+\.candidates\.run"
    r"|collections\.mmarco\.(documents|queries\..*|judgements\..*|triples|dev|instances\.(limit|dev_negatives))"
    r"|vectors\.languages\.[a-z]+\.path|lexicons\.titles\.(page|langlinks)"
)


def leaves(value, place=""):
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in leaves(part, f"{place}.{name}").items()}
    return {place.lstrip("."): value}


@pytest.fixture(scope="module")
def plan():
    return Plan(load_config(ROOT / "config" / "paper.yaml", {}), [ROOT])


def test_the_small_copy_differs_in_sources_sizes_and_steps_only():
    paper, mini = (leaves(yaml.safe_load((ROOT / "config" / f"{n}.yaml").read_text())) for n in ("paper", "paper-mini"))
    differing = [place for place in paper.keys() | mini.keys() if paper.get(place) != mini.get(place)]
    assert [place for place in differing if not SOURCES_SIZES_AND_STEPS.fullmatch(place)] == []


def test_there_are_35_pairs_in_14_languages_and_three_setups(plan):
    pairs = {(testset, pair.id) for testset, found in plan.pairs.items() for pair in found}
    assert len(pairs) == 35
    assert len(plan.config.languages.every) == 14
    single = [pair for pair in plan.pairs["mmarco"] if pair.query == pair.document]
    assert (len(single), len(plan.pairs["mmarco"]) - len(single)) == (11, 18)
    assert len(plan.config.mixed_languages("mmarco-mlir6")) == 6
    assert len(plan.config.mixed_languages("mmarco-mlir14")) == 14


def test_all_published_systems_are_there_with_the_published_settings(plan):
    assert plan.main_systems == [
        "zero-shot",
        "fine-tuning",
        "bl-cs",
        "ml-cs",
        "wiki-cs",
        "zero-shot-tt",
        "ml-cs-tt",
    ]
    train = plan.config.train
    assert (train.steps, train.batch_size, train.lr, train.warmup, train.max_length) == (200_000, 64, 2e-5, 5_000, 512)
    settings = parse_settings(settings_of(plan), CrossEncoderSettings)
    assert learning_rate(train.steps, settings) == pytest.approx(0.366 * train.lr, rel=1e-3)
    assert plan.config.collections["mmarco"].instances.limit == 20_000_000
    assert (train.weight_decay, train.clip, train.truncation, train.keep) == (0.01, 1.0, "longest_first", "last")
    assert plan.config.lexicons["clwe"].criterion == "nn"
    assert len(plan.train_pairs("bl-cs")) == 14
    assert len(plan.train_pairs("translated")) == 28


def settings_of(plan):
    return plan.config.train.plain("device", "processes")


def test_candidates_are_the_official_english_list_for_every_pair(plan):
    official = "data/msmarco/top1000.dev"
    assert {section.candidates.run for section in plan.config.testsets.values()} == {official}
    assert plan.downloads[official].url.endswith("/msmarcoranking/top1000.dev.tar.gz!top1000.dev")
    assert {plan.candidates("mmarco-mlir6", "xx"), plan.candidates("mmarco-mlir14", "en")} == {
        f"results/paper/testsets/mmarco-mlir{size}/candidates-en.parquet" for size in (6, 14)
    }


def test_the_page_of_differences_names_only_keys_that_there_are(plan):
    page = (ROOT / "docs" / "paper.md").read_text()
    config = plan.config
    sections = [config.train, config.rank, config.collections["mmarco"].instances, *config.corpora.values()]
    known = {key for section in [*sections, *config.lexicons.values()] for key in type(section).model_fields}
    undone = re.findall(r"`(\w+): [\w_]+`", page)
    assert undone
    assert set(undone) <= known


def test_translate_test_covers_the_pairs_of_languages_with_vectors(plan):
    ranker = next(ranker for ranker in plan.rankers if ranker.system == "ml-cs-tt")
    assert ranker.trained == "ml-cs"
    assert {pair.id for pair in plan.ranked_pairs(ranker, "mmarco")} == {
        pair.id for pair in plan.pairs["mmarco"] if {pair.query, pair.document} <= {"en", "de", "it", "nl", "ru", "ar"}
    }
    assert plan.ranked_pairs(ranker, "mmarco-mlir6") == []


def test_it_plans_what_the_readme_says(plan):
    models = len(plan.models) * len(plan.config.seeds)
    runs = sum(1 for testset in plan.pairs for _ in plan.runs(testset))
    said = f"it plans {models} models, {runs} runs and {len(plan.config.downloads)} downloads"
    assert said in " ".join((ROOT / "README.md").read_text().split())
