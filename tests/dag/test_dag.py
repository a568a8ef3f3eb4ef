"""The DAG of every shipped config, looked at without running it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import yaml

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from tests.conftest import ROOT, SMOKE, Workflow

STAGES = {
    "downloads": "fetch_",
    "sources": "collection_",
    "embeddings": "import_vectors|keep_vectors",
    "lexicon": "vectors_lexicon|titles_lexicon",
    "corpus": "tokens|instances|parallel|switch|on_the_fly|sample|translate",
    "train": "pretrained_model|train_model",
    "report": "report_zip|provenance|sentences|table_page|.*_picture$",
    "rank": "rank_|judgements|candidates|pool_",
    "evaluate": "score_|main_table|tables|bias|overlap|shift|sweep$|setups|first_stage|exposure|testsets|cov|warn",
}
"""The rules of each stage, by how their names begin."""
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an empty file for every outside input that a shipped config names."""
    folder = tmp_path_factory.mktemp("outside") / "data"
    for config in CONFIGS:
        given = yaml.safe_load(config.read_text())
        codes = [code for part in given["lexicons"].values() for code in part.get("codes", {}).values()]
        languages = [given["languages"]["source"], *given["languages"]["seen"], *codes]
        for name in re.findall(r"\$\{SWITCHRANK_DATA\}/([^\"]+)\"", config.read_text()):
            for file in {folder / name.replace("{lang}", lang) for lang in languages}:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.touch()
    return folder


@pytest.fixture(scope="module")
def planned(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], dict[str, int]]:
    """Jobs per rule of a config in an empty folder; Snakemake is asked once for each."""
    folder = tmp_path_factory.mktemp("planned")
    return cache(lambda config: jobs(Workflow(folder, config).run("-n", SWITCHRANK_DATA=str(data)).stdout))


def jobs(printed: str) -> dict[str, int]:
    """Jobs per rule of a dry run."""
    return {rule: int(count) for rule, count in re.findall(r"^([a-z_0-9]+) +(\d+)$", printed, re.MULTILINE)}


def threads(printed: str) -> dict[str, int]:
    """CPU threads of the rules of a dry run that ask for more than one."""
    found = re.findall(r"^(?:local)?rule (\w+):\n(?:    .*\n)*?    threads: (\d+)$", printed, re.MULTILINE)
    return {rule: int(count) for rule, count in found}


def compares_languages(plan: Plan, testset: str) -> bool:
    """Whether a query is ranked against passages of its own language and of another, the same passages in both."""
    pairs = {(pair.query, pair.document) for pair in plan.pairs[testset]}
    own = {query for query, document in pairs if query == document}
    crossed = {query for query, document in pairs if query != document}
    section = plan.config.testsets[testset]
    return section.documents == "parallel" and not section.mixed and bool(own & crossed)


@pytest.mark.parametrize("profile", ["profiles/local", "profiles/gpus", "slurm"])
def test_every_profile_is_found_from_the_root_and_plans_the_same_jobs(profile, planned, tmp_path):
    plain = planned(SMOKE)
    assert jobs(Workflow(tmp_path).run("-n", "--profile", profile).stdout) == plain
    assert plain["train_model"] > 0


def test_gpu_jobs_have_a_partition_and_a_type_of_their_own_where_the_profile_names_them(tmp_path):
    config = tmp_path / "cuda.yaml"
    config.write_text(SMOKE.read_text().replace("train: {objective", "train: {device: cuda, objective"))
    site = ["slurm_partition=main", "gpu_partition=fast", "gpu_type=a100"]
    target = ["--until", "train_model", "--quiet", "reason"]
    printed = Workflow(tmp_path, config).run("-n", "--profile", "slurm", "--default-resources", *site, *target).stdout
    asked = dict(re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", printed, re.MULTILINE))
    assert "gpu=1" in asked["train_model"]
    assert "slurm_partition=fast" in asked["train_model"]
    assert "gpu_model=a100" in asked["train_model"]
    assert "slurm_partition=main" in asked["switch"]
    assert not re.search(r"\bgpu=|gpu_model=", asked["switch"])


def test_a_training_asks_for_as_many_gpus_and_cores_as_it_has_processes(tmp_path):
    config = tmp_path / "processes.yaml"
    config.write_text(SMOKE.read_text().replace("train: {objective", "train: {device: cuda, processes: 3, objective"))
    target = ["--until", "train_model", "--quiet", "reason"]
    printed = Workflow(tmp_path, config).run("-n", "--cores", "4", "--resources", "gpu=4", *target).stdout
    asked = dict(re.findall(r"^rule (\w+):\n(?:    .*\n)*?    resources: (.*)$", printed, re.MULTILINE))
    assert "gpu=3" in asked["train_model"]
    assert threads(printed)["train_model"] == 3
    refused = Workflow(tmp_path, config).run("-n", "--resources", "gpu=2", *target, check=False)
    line = "train.processes: 3 processes need a GPU each, and 2 may be used: --resources gpu=3, or fewer processes"
    assert refused.returncode == 75
    assert refused.stdout.splitlines()[-1].endswith(line)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.stem)
def test_every_config_plans_one_model_per_system_pair_and_seed(config, data, planned):
    found = planned(config)
    plan = Plan(load_config(config, {"SWITCHRANK_DATA": str(data)}), [ROOT])
    assert found["train_model"] == len(plan.models) * len(plan.config.seeds)
    trained = {corpus for system, _ in plan.models for corpus in plan.config.systems[system].corpora}
    corpora = {(corpus, pair) for corpus in trained for pair in plan.train_pairs(corpus)}
    assert sum(found.get(rule, 0) for rule in ("switch", "on_the_fly", "parallel")) == len(corpora)
    assert found.get("parallel", 0) == sum(plan.config.corpora[corpus].parallel for corpus, _ in corpora)
    assert found.get("tuned_model", 0) == sum(row.examples > 0 for row in plan.ablation)
    assert found["report_zip"] == found["provenance"] == 1
    assert found.get("shift_picture", 0) == sum(compares_languages(plan, testset) for testset in plan.config.testsets)


@pytest.mark.parametrize("name", ["xquad-public", "demo-pretrained"])
def test_a_config_of_public_addresses_plans_the_same_jobs_whether_copies_are_there_or_not(name, planned, tmp_path):
    config = ROOT / "config" / f"{name}.yaml"
    alone = jobs(Workflow(tmp_path, config).run("-n", SWITCHRANK_DATA="").stdout)
    assert alone == planned(config)
    assert alone["collection_squad"] == 1
    assert sum(count for rule, count in alone.items() if rule.startswith("fetch_")) > 7


def test_the_readme_tells_how_many_jobs_of_each_stage_the_published_experiment_has(planned):
    said = re.findall(r"(\d+) (\w+)[,.]", (ROOT / "README.md").read_text().partition("jobs by stage:")[2])
    told = {stage: int(count) for count, stage in said[:9]}
    found = dict.fromkeys(told, 0)
    for rule, count in planned(ROOT / "config" / "paper.yaml").items():
        stage = next((stage for stage, begins in STAGES.items() if re.match(begins, rule)), rule)
        found[stage] = found.get(stage, 0) + count
    assert found.pop("total") == sum(found.values())
    assert found.pop("all") == 1
    assert found == told


def test_a_stage_target_stops_after_its_stage(tmp_path):
    planned = jobs(Workflow(tmp_path).run("-n", "--", "lexicon").stdout)
    assert planned["vectors_lexicon"] == 2
    assert not {"switch", "train_model", "tables"} & planned.keys()


def test_a_config_typo_is_one_line_and_exit_code_2(tmp_path):
    config = tmp_path / "typo.yaml"
    config.write_text((ROOT / "config" / "demo.yaml").read_text().replace("correction:", "corection:"))
    done = Workflow(tmp_path, config).run("-n", check=False)
    assert done.returncode == 2
    last = done.stdout.strip().splitlines()[-1]
    assert last == f"{config}: evaluate.corection: unknown key corection: did you mean correction?"


def test_the_snakefile_stays_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) < 80


def test_scripts_are_thin():
    for script in (ROOT / "workflow" / "scripts").glob("*.py"):
        assert len(script.read_text().splitlines()) <= 30, script.name
