"""What the package declares is all it imports: installed alone, without Snakemake, every module of it imports."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from tests.conftest import ROOT

EVERY_MODULE = """
import importlib, json, pkgutil, sys
import switchrank
names = [found.name for found in pkgutil.walk_packages(switchrank.__path__, "switchrank.")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
for name in sys.argv[1:]:
    importlib.import_module(name)
json.dump({"where": switchrank.__file__, "modules": names, "snakemake": "snakemake" in sys.modules}, sys.stdout)
"""
LATE = ["bm25s", "faiss", "fasttext", "huggingface_hub", "nltk.tokenize", "ranx", "scipy.stats", "statsmodels.api"]
"""What functions import when they are called."""


def needed(name: str, extras: frozenset[str] = frozenset()) -> Iterator[metadata.Distribution]:
    """A distribution that is installed here and all that it needs, as their metadata say."""
    waiting, met = [(name, extras)], set()
    while waiting:
        name, extras = waiting.pop()
        if (name.lower(), extras) in met:
            continue
        met.add((name.lower(), extras))
        found = metadata.distribution(name)
        yield found
        for line in found.requires or []:
            requirement = Requirement(line)
            wanted = any(not requirement.marker or requirement.marker.evaluate({"extra": e}) for e in (*extras, ""))
            if wanted:
                waiting.append((requirement.name, frozenset(requirement.extras)))


def link(distribution: metadata.Distribution, folder: Path) -> None:
    """Make an installed distribution importable from another folder."""
    for top in {Path(file).parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        place = folder / top
        if not place.exists():
            place.symlink_to(Path(str(distribution.locate_file(top))))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a new environment that holds the wheel, and of what is installed here what the wheel asks for."""
    folder = tmp_path_factory.mktemp("install")
    shutil.copytree(ROOT / "workflow/switchrank", folder / "source/workflow/switchrank")
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / file, folder / "source" / file)
    pip = [sys.executable, "-m", "pip", "-q"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", folder, folder / "source"]
    subprocess.run(wheel, check=True)
    venv.create(folder / "fresh")
    (packages,) = (folder / "fresh").glob("lib/python*/site-packages")
    (built,) = folder.glob("switchrank-*.whl")
    with_metadata = [*pip, "--python", folder / "fresh", "install", "--no-deps", built]
    subprocess.run(with_metadata, check=True)
    (declared,) = metadata.distributions(name="switchrank", path=[str(packages)])
    for line in declared.requires or []:
        requirement = Requirement(line)
        if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
            for distribution in needed(requirement.name):
                link(distribution, packages)
    return folder / "fresh/bin/python"


def test_installed_alone_every_module_imports(fresh: Path) -> None:
    done = subprocess.run([fresh, "-c", EVERY_MODULE, *LATE], text=True, capture_output=True, cwd=fresh.parent)
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout)
    assert Path(said["where"]).is_relative_to(fresh.parents[1])
    assert len(said["modules"]) > 200
    assert not said["snakemake"]


def test_snakemake_is_not_there(fresh: Path) -> None:
    done = subprocess.run([fresh, "-c", "import snakemake"], text=True, capture_output=True, cwd=fresh.parent)
    assert "No module named 'snakemake'" in done.stderr


def test_the_requirements_are_met_as_pip_sees_them(fresh: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "pip", "--python", fresh, "check"], text=True, capture_output=True)
    assert done.returncode == 0, done.stdout


def test_the_command_is_installed(fresh: Path) -> None:
    done = subprocess.run([fresh.with_name("switchrank"), "--version"], text=True, capture_output=True)
    assert done.stdout.startswith("switchrank ")
