"""What a change makes run again: exactly the rules that can see it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.conftest import Workflow

pytestmark = pytest.mark.slow
SHOWN = {"report_zip", "provenance", "all", "table_page"}
TABLED = SHOWN | {"tables", "mrr_picture", "gain_picture", "sweep", "sweep_picture", "overlap", "overlap_picture"}
SCORED = TABLED | {"score_runs", "bias", "bias_picture", "shift", "shift_picture"}
TUNED = {"score_rows", "ablation_tables", "ablation_picture", "rank_row_zs_8"}
OF_ALL_PAIRS = ("zero_shot_en_en", "ml_cs_xx_xx", "wiki_cs_xx_xx", "gold_cs_xx_xx", "ml_cs_degrade_0_5_xx_xx")
OF_SOME_PAIRS = ("bl_cs_en_qaa", "fine_tuning_en_qaa", "ml_cs_tt_xx_xx")
RANKED = (
    SCORED
    | TUNED
    | {f"rank_{name}_{testset}" for name in OF_ALL_PAIRS + OF_SOME_PAIRS for testset in ("world", "own")}
    | {f"rank_{name}_{testset}" for name in OF_ALL_PAIRS for testset in ("world_mlir3", "every_mlir4")}
)
LISTED = (
    SCORED
    | {"candidates", "testsets", "coverage", "rank_random_own", "rank_bm25_own"}
    | {f"rank_{name}_own" for name in OF_ALL_PAIRS + OF_SOME_PAIRS}
)
TRAINED = RANKED | {"train_model", "tuned_model", "loss_picture"}


def planned(workflow: Workflow) -> set[str]:
    """Rules that a dry run would run."""
    printed = workflow.run("-n").stdout
    return set(re.findall(r"^([a-z_0-9]+) +\d+$", printed, re.MULTILINE)) - {"total"}


def change(finished: Workflow, tmp_path: Path, path: str, value: object) -> Workflow:
    """The finished run under a config with one leaf changed."""
    config = yaml.safe_load(finished.config.read_text())
    *sections, leaf = path.split(".")
    section = config
    for name in sections:
        section = section[name]
    section[leaf] = value
    file = tmp_path / "changed.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return Workflow(finished.folder, file)


@pytest.mark.parametrize(
    ("path", "value", "rules"),
    [
        ("evaluate.correction", "bonferroni", TABLED),
        ("rank", {"token_budget": 1024}, RANKED),
        ("testsets.own.candidates.relevant", "keep", LISTED),
        ("train.lr", 2.0e-3, TRAINED),
        ("ablation.train.lr", 2.0e-3, SHOWN | TUNED | {"tuned_model"}),
    ],
)
def test_a_changed_leaf_reruns_the_rules_that_use_it(finished, tmp_path, path, value, rules):
    config = yaml.safe_load(finished.config.read_text())
    config.setdefault(path.split(".")[0], {})
    assert planned(change(finished, tmp_path, path, value)) == rules


def test_touched_scripts_other_hash_seeds_and_locales_rerun_nothing(finished):
    script = Path(__file__).parents[2] / "workflow" / "scripts" / "train.py"
    os.utime(script)
    printed = finished.run("-n", PYTHONHASHSEED="77", LC_ALL="C").stdout
    assert "Nothing to be done" in printed
