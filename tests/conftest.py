"""Shared by tests that run the workflow: Snakemake as a user calls it, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from xdist.scheduler import LoadScopeScheduling

# A law holds however slow the machine is, and a run that fails fails again.
settings.register_profile("switchrank", deadline=None, derandomize=True)
settings.load_profile("switchrank")

ROOT = Path(__file__).parents[1]
SMOKE = ROOT / "tests" / "smoke" / "smoke.yaml"
RUNS = ("tests/smoke/", "tests/kill/")
"""Folders whose tests share a whole run."""


@pytest.fixture(scope="session", autouse=True)
def own_surroundings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The cache folder is one of this session, shared by its processes; compiled code is kept for the next session.

    No Slurm is asked: whenever Snakemake starts, its plugin looks for one, and waits where the controller is down.
    """
    session = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        session = session.parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SWITCHRANK_CACHE", str(session / "cache"))
        patch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR") or str(ROOT / ".pytest_cache" / "numba"))
        patch.setenv("SLURM_CONF", os.devnull)
        yield


class ByRun(LoadScopeScheduling):
    """What stays together in one process: the tests of a module, and those of a folder that share a whole run."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in RUNS if nodeid.startswith(folder)), nodeid.partition("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRun:
    """How tests are dealt to processes."""
    return ByRun(config, log)


class Workflow:
    """Runs Snakemake on one config file in one folder, from this checkout or from another one."""

    def __init__(self, folder: Path, config: Path = SMOKE, root: Path = ROOT) -> None:
        self.folder, self.config, self.root = folder, config, root

    def command(self, *words: str) -> list[str]:
        """The command line, with the options every test wants."""
        start = [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(self.root / "Snakefile"),
            "--directory",
            str(self.folder),
        ]
        return [*start, "--configfile", str(self.config), "--cores", "2", *words]

    def run(self, *words: str, check: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run to the end and return what was printed (standard output and error together)."""
        done = subprocess.run(
            self.command(*words),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | environment,
            cwd=self.root,
            check=False,
        )
        assert not check or done.returncode == 0, done.stdout[-8000:]
        return done


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workflow:
    """The smoke config, run to its report once for all tests."""
    workflow = Workflow(tmp_path_factory.mktemp("smoke"))
    workflow.run()
    return workflow
