"""What a change makes run again after a finished run, as Snakemake plans it: what the change itself concerns, and all
that is made from that. Which jobs a change itself concerns is in ``tests/dag/triggers.tsv``, for every key and module.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT, Workflow

pytestmark = pytest.mark.slow
SHOWN = {"report_zip", "provenance", "all", "table_page"}
TABLED = SHOWN | {
    "main_table",
    "tables",
    "setups",
    "warnings",
    "mrr_picture",
    "gain_picture",
    "matrix_picture",
    "sweep",
    "sweep_picture",
    "overlap",
    "overlap_picture",
}
SCORED = TABLED | {"score_runs", "score_sweeps", "bias", "bias_picture", "shift", "shift_picture"}
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
    | {"candidates", "first_stage", "testsets", "exposure", "coverage", "rank_random_own", "rank_bm25_own"}
    | {f"rank_{name}_own" for name in OF_ALL_PAIRS + OF_SOME_PAIRS}
)
TRAINED = RANKED | {"train_model", "tuned_model", "loss_picture"}
NAMED = {"all", "provenance"}
TESTSETS = ("world", "own", "world_mlir3", "every_mlir4")
CORPUS = SCORED | {"switch", "train_model", "loss_picture", "sentences", "coverage"}
MEASURED = {"lexicon_quality", "lexicon_picture"}
OF_GOLD = {f"rank_gold_cs_xx_xx_{testset}" for testset in TESTSETS}
OF_POOL = {f"rank_{name}_every_mlir4" for name in ("random", "bm25", *OF_ALL_PAIRS)}
COMPARED = {"shift", "shift_picture"}
MAIN, SWEPT = {"main_table"}, {"score_sweeps"}
OF_PAIRS = MAIN | SWEPT
ASKED = {"first_stage", "testsets"}
CLWE = {"vectors_lexicon", "degraded_lexicon", "switch", "translate", "transplant", "sentences", "coverage"}


def planned(workflow: Workflow, **environment: str) -> set[str]:
    """Rules that a dry run would run."""
    printed = workflow.run("-n", **environment).stdout
    return set(re.findall(r"^([a-z_0-9]+) +\d+$", printed, re.MULTILINE)) - {"total"}


def change(finished: Workflow, tmp_path: Path, path: str, value: object) -> Workflow:
    """The finished run under a config with one leaf changed."""
    config = yaml.safe_load(finished.config.read_text())
    *sections, leaf = path.split(".")
    section = config
    for name in sections:
        section = section.setdefault(name, {})
    section[leaf] = value
    file = tmp_path / "changed.yaml"
    file.write_text(yaml.safe_dump(config, sort_keys=False))
    return Workflow(finished.folder, file)


FOLLOWED = [
    ("train.checkpoint_every", 7, NAMED),
    ("evaluate.correction", "bonferroni", TABLED),
    ("rank", {"token_budget": 1024}, RANKED),
    ("testsets.every-mlir4.seed", 1, SCORED - COMPARED - OF_PAIRS | OF_POOL | ASKED | {"pool_queries", "coverage"}),
    ("train.lr", 2.0e-3, TRAINED),
    ("lexicons.gold.reverse", True, CORPUS - SWEPT | OF_GOLD | MEASURED | {"dictionary_lexicon"}),
    (
        "sweeps.degrade.values",
        [0, 0.25],
        CORPUS - MAIN
        | MEASURED
        | {"degraded_lexicon", "exposure"}
        | {f"rank_ml_cs_degrade_0_25_xx_xx_{testset}" for testset in TESTSETS},
    ),
    ("lexicons.clwe.k", 3, TRAINED | MEASURED | CLWE | ASKED),
]
"""Keys with another value and the rules that run again: one of every stage, which are looked at on every change."""
FOLLOWED_TOO = [
    ("rank", {"threads": 2}, NAMED),
    ("train.processes", 2, NAMED),
    ("languages.right_to_left", ["qad"], NAMED | {"report_zip", "sentences"}),
    ("ablation.reference", "zero-shot", SHOWN | {"ablation_tables", "ablation_picture"}),
    ("evaluate.metrics", ["mrr@10", "map"], TABLED | TUNED - {"rank_row_zs_8"} | {"score_runs", "score_sweeps"}),
    ("testsets.own.candidates.relevant", "keep", LISTED),
    ("ablation.train.lr", 2.0e-3, SHOWN | TUNED | {"tuned_model"}),
    ("corpora.gold-cs.seed", 2, CORPUS - SWEPT | OF_GOLD),
]


@pytest.mark.parametrize(
    ("path", "value", "rules"), [*FOLLOWED, *(pytest.param(*key, marks=pytest.mark.long) for key in FOLLOWED_TOO)]
)
def test_a_changed_key_reruns_what_it_concerns_and_what_is_made_from_that(finished, tmp_path, path, value, rules):
    assert planned(change(finished, tmp_path, path, value)) == rules


def copy_checkout(folder: Path) -> None:
    """All of a checkout that a run reads."""
    for part in ("config", "envs", "profiles", "tests/smoke", "workflow"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(ROOT / "Snakefile", folder / "Snakefile")


def test_comments_touched_files_another_checkout_hash_seed_and_locale_rerun_nothing(finished, tmp_path):
    copy_checkout(tmp_path)
    for file in [*tmp_path.rglob("*.py"), *tmp_path.rglob("*.smk"), *tmp_path.rglob("*.yaml")]:
        file.write_text(file.read_text() + "\n# Why this is so.\n")
    moved = Workflow(finished.folder, tmp_path / "tests/smoke/smoke.yaml", tmp_path)
    library = str(tmp_path / "workflow")
    assert "Nothing to be done" in moved.run("-n", PYTHONPATH=library, PYTHONHASHSEED="77", LC_ALL="C").stdout


def test_an_edited_line_reruns_what_it_concerns(finished, tmp_path):
    copy_checkout(tmp_path)
    module = tmp_path / "workflow/switchrank/evaluate/significance.py"
    module.write_text(module.read_text() + "\nEDITED = True\n")
    edited = Workflow(finished.folder, finished.config, tmp_path)
    assert planned(edited, PYTHONPATH=str(tmp_path / "workflow")) == TABLED
