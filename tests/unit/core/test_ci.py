"""What runs on every change and what runs before a release: what is left out is told, and no failure is hidden."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import ROOT
from tests.slurm import cluster

ALWAYS = ["segmenters", "mteb", "test", "test-long", "paper-mini", "test-kill", "test-mutants", ".venv/fuzz", "fuzz"]
DEBIAN = 'NAME="Debian"\nID=debian\n'


def program(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def ran(
    folder: Path, script: str = "all", *, python: str = "true", make: str = "true", **environment: str
) -> tuple[int, list[str], str]:
    """The script in a checkout whose tools are stand-ins: its exit status, the targets it made, what it printed."""
    (folder / "checkout/.ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / script, folder / "checkout/.ci" / script)
    program(folder / "checkout/.venv/bin/python", python)
    program(folder / "bin/make", f'[ "$1" = --no-print-directory ] && shift\necho "$1" >> {folder}/made\n{make}')
    plain = {name: value for name, value in os.environ.items() if name != "SWITCHRANK_DATA"}
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [folder / "checkout/.ci" / script],
        env=plain | {"PATH": path} | environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, (folder / "made").read_text().split(), done.stdout


def test_every_change_is_linted_and_tested(tmp_path):
    assert ran(tmp_path, "run")[:2] == (0, ["lint", "test"])


@pytest.mark.parametrize("broken", ["lint", "test"])
def test_what_fails_ends_it(tmp_path, broken):
    code, made, _ = ran(tmp_path, "run", make=f'test "$1" != {broken}')
    assert code != 0
    assert made[-1] == broken


def test_where_a_slurm_can_be_started_and_a_gpu_is_seen_both_are_tested(tmp_path):
    (tmp_path / "data").mkdir()
    code, made, printed = ran(tmp_path, SWITCHRANK_DATA=str(tmp_path / "data"))
    assert (code, made) == (0, [*ALWAYS, "test-slurm", "test-gpu", "test-real"])
    assert "skipped" not in printed
    assert printed.endswith("left out: 0\n")


def test_what_is_left_out_is_told_with_the_reason(tmp_path):
    code, made, printed = ran(tmp_path, python='echo "$2 cannot run here"')
    assert (code, made) == (0, ALWAYS)
    assert "skipped: tests/slurm, the smoke config on a real Slurm: tests.slurm cannot run here\n" in printed
    assert "skipped: tests/gpu, what only a GPU shows: tests.gpu cannot run here\n" in printed
    assert "skipped: tests/real, real data: read 0 folders" in printed
    assert printed.split("left out: 3\n")[1].count("\n- ") == 2  # three lines, two after the first


def test_a_fuzzer_that_does_not_install_is_told(tmp_path):
    code, made, printed = ran(tmp_path, make='[ "$1" != .venv/fuzz ] || { echo "atheris does not install"; exit 1; }')
    assert code == 0
    assert "fuzz" not in made
    assert "- coverage-guided fuzzing: atheris does not install\n" in printed


@pytest.mark.parametrize("broken", [{"python": "exit 1"}, {"make": 'test "$1" != test-slurm'}])
def test_a_slurm_that_fails_is_a_failure(tmp_path, broken):
    assert ran(tmp_path, **broken)[0] != 0


def real(
    folder: Path, switchrank: str = "true", configs: tuple[str, ...] = ("afriqa", "xquad")
) -> tuple[int, str, str]:
    """`make real` in a checkout with these configs: its exit status, the runs it started, what it printed."""
    for name in [*configs, "demo", "demo-pretrained", "paper", "paper-mini", "xquad-public"]:
        (folder / "checkout/config").mkdir(parents=True, exist_ok=True)
        (folder / f"checkout/config/{name}.yaml").touch()
    (folder / "checkout/.ci").mkdir()
    shutil.copy(ROOT / ".ci/real", folder / "checkout/.ci/real")
    program(
        folder / "checkout/.venv/bin/switchrank", f'[ $1 != plan ] || echo "wall time: 9 min on 2 cores"\n{switchrank}'
    )
    program(folder / "checkout/.venv/bin/snakemake", f'echo "$@" >> {folder}/started; echo "started: $4"')
    script = folder / "checkout/.ci/real"
    done = subprocess.run([script], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    started = folder / "started"
    return done.returncode, started.read_text() if started.exists() else "", done.stdout


def test_real_runs_start_one_after_the_other_when_all_is_told(tmp_path):
    code, started, printed = real(tmp_path)
    runs = ["config/afriqa.yaml", "config/xquad.yaml"]
    assert code == 0
    assert started == "".join(f"--cores 2 --configfile {config}\n" for config in runs)
    assert printed.splitlines() == [
        "left out: config/xquad-public.yaml: made for machines without the data of the others",
        *(line for config in runs for line in (f"to run: {config}", "wall time: 9 min on 2 cores")),
        *(f"started: {config}" for config in runs),
    ]


def test_a_real_run_without_its_data_is_left_out_with_the_reason(tmp_path):
    missing = '[ "$2 $3" != "check config/xquad.yaml" ] || { echo "$3: no such file: en.json"; echo more; exit 2; }'
    code, started, printed = real(tmp_path, missing)
    assert (code, started) == (0, "--cores 2 --configfile config/afriqa.yaml\n")
    assert printed.startswith("left out: config/xquad.yaml: no such file: en.json\nleft out: config/xquad-public.yaml")


def test_without_any_data_the_run_of_public_data_is_started(tmp_path):
    code, started, printed = real(tmp_path, '[ "$2" != check ] || { echo "$3: SWITCHRANK_DATA is not set"; exit 2; }')
    assert (code, started) == (0, "--cores 2 --configfile config/xquad-public.yaml\n")
    assert printed.startswith("left out: config/afriqa.yaml: SWITCHRANK_DATA is not set\n")


def test_files_that_cannot_be_fetched_end_it_before_anything_runs(tmp_path):
    assert real(tmp_path, '[ "$2" != fetch ]')[:2] == (1, "")


@pytest.fixture
def debian(tmp_path, monkeypatch):
    """Root on a Debian without Slurm, as far as the tests of Slurm can see; where its configuration would be."""
    (tmp_path / "os-release").write_text(DEBIAN)
    monkeypatch.setattr(cluster, "SYSTEM", tmp_path / "os-release")
    monkeypatch.setattr(cluster, "FOLDER", tmp_path / "etc")
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_packages_that_cannot_be_had_are_told_with_what_apt_said(debian):
    program(debian / "bin/apt-get", 'echo "E: Unable to locate package slurm-wlm" >&2\nexit 100')
    told = "the packages slurm-wlm and munge cannot be installed (E: Unable to locate package slurm-wlm)"
    assert cluster.why_not() == told


def test_packages_are_installed_where_that_works(debian):
    daemons = [debian / "bin" / name for name in cluster.DAEMONS]
    made = "\n".join(f'echo "#!/bin/sh" > {path}\n/bin/chmod +x {path}' for path in daemons)
    program(debian / "bin/apt-get", made)
    assert cluster.why_not() == ""


def test_a_slurm_of_somebody_else_is_left_alone(debian):
    (debian / "etc").mkdir()
    (debian / "etc/slurm.conf").write_text("ClusterName=production\n")
    assert cluster.why_not() == f"{debian}/etc/slurm.conf belongs to a Slurm that is there already"


@pytest.mark.parametrize(("system", "user"), [("ID=fedora\n", 0), (DEBIAN, 1000)])
def test_elsewhere_and_for_others_nothing_is_installed(debian, monkeypatch, system, user):
    (debian / "os-release").write_text(system)
    monkeypatch.setattr(os, "getuid", lambda: user)
    assert cluster.why_not() == "starting Slurm needs root on Debian"
