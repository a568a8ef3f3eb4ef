"""Systems with another start, objective, learning rate or origin, and candidates by pair: config alone, really run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from switchrank.formats.trec import read_run
from tests.conftest import Workflow

pytestmark = pytest.mark.slow
PAIRS = ("en-en", "en-qaa", "qac-qaa", "qad-en")
STARTS = {
    "plain": {"preset": "tiny", "init": ["mimetic"], "seed": 3},
    "fewer": {"from": "plain", "layers": [1], "repair": {"steps": 4, "batch_size": 8, "max_length": 24}},
    "warm": {"from": "fewer", "corpus": "english", "train": {"steps": 4, "warmup": 1}},
    "moved": {"from": "warm", "transplant": "clwe"},
}


@pytest.fixture(scope="module")
def extended(finished: Workflow, tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The finished run under a config with systems of every kind more; only what they need is made."""
    folder = tmp_path_factory.mktemp("nodes")
    for name in ("results", ".snakemake"):
        shutil.copytree(finished.folder / name, folder / name, symlinks=True)
    config = yaml.safe_load(finished.config.read_text())
    config["starts"] = STARTS
    model = folder / "results/smoke/models/ml-cs/xx-xx/seed1"
    config["systems"] |= {
        "moved-list": {
            "corpus": "ml-cs",
            "start": "moved",
            "train": {"objective": "listwise", "lr": 5.0e-4, "steps": 6, "warmup": 1},
        },
        "peer": {"model": str(model)},
    }
    run = f"{folder}/results/smoke/runs/ml-cs/world/{{query}}-{{document}}/seed1.trec"
    given = {"collection": "world", "pairs": "tests/smoke/pairs.tsv", "candidates": {"run": run}}
    config["testsets"] = {**config["testsets"], "given": given}
    file = folder / "nodes.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    workflow = Workflow(folder, file)
    runs = [f"results/smoke/runs/{name}/world/en-qaa/seed1.trec" for name in ("moved-list", "peer")]
    runs += [f"results/smoke/runs/ml-cs/given/{pair}/seed1.trec" for pair in PAIRS]
    workflow.run("--", *runs)
    return workflow


def results(workflow: Workflow) -> Path:
    return workflow.folder / "results" / "smoke"


def test_a_system_is_trained_from_its_own_start_with_its_own_settings(extended):
    made = results(extended)
    told = json.loads((made / "models/moved-list/xx-xx/seed1/train.json").read_text())
    usual = json.loads((made / "models/ml-cs/xx-xx/seed1/train.json").read_text())
    own = {"objective": "listwise", "lr": 5.0e-4, "steps": 6, "warmup": 1}
    assert told["params"] == usual["params"] | own
    assert told["start"]["init"] == ["transplant"]
    assert told["inputs"]["start/model.safetensors"] != usual["inputs"]["start/model.safetensors"]
    warm = json.loads((made / "starts/warm/seed1/train.json").read_text())
    assert (warm["params"]["steps"], warm["seed"], warm["start"]["seed"]) == (4, 1, 3)
    assert not (made / "starts/plain/seed1").exists()


def test_a_start_with_fewer_layers_is_repaired_on_the_texts_of_the_run(extended):
    made = results(extended) / "starts/fewer/seed1"
    told = json.loads((made / "train.json").read_text())
    assert (told["layers"], told["system"], told["params"]["layers"]) == ({"kept": [1], "of": 2}, "fewer", [1])
    assert told["texts"]["trained_on"] > told["texts"]["held_out"] > 0
    assert json.loads((made / "config.json").read_text())["num_hidden_layers"] == 1


def test_nothing_that_was_there_was_made_again(finished, extended):
    for file in results(finished).glob("models/*/*/seed*/model.safetensors"):
        copy = results(extended) / file.relative_to(results(finished))
        assert copy.stat().st_mtime == file.stat().st_mtime


def test_a_finished_model_scores_as_the_model_it_is(extended):
    found, own = (results(extended) / f"runs/{name}/world/en-qaa/seed1.trec" for name in ("peer", "ml-cs"))
    assert found.read_text() == own.read_text().replace(" ml-cs\n", " peer\n")


def test_each_pair_has_the_candidates_of_its_own_run(extended):
    for pair in PAIRS:
        given, own = (results(extended) / f"runs/ml-cs/{testset}/{pair}/seed1.trec" for testset in ("given", "world"))
        assert given.read_text() == own.read_text()
        assert read_run(given).height
