"""The command line: help for every stage, errors as one line, exit codes."""

import subprocess
import sys

import pytest
from tests.conftest import ROOT

from switchrank import cli


@pytest.mark.parametrize("stage", sorted(cli.STAGES))
def test_every_stage_explains_itself(stage, capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main([stage, "--help"])
    assert stopped.value.code == 0
    assert "usage: switchrank " + stage in capsys.readouterr().out


def test_help_and_the_module_form_are_the_command():
    done = subprocess.run([sys.executable, "-m", "switchrank", "--help"], capture_output=True, text=True, check=True)
    assert all(stage in done.stdout for stage in cli.STAGES)


def test_a_user_error_is_one_line_on_stderr_and_exit_code_2(tmp_path, capsys):
    assert cli.main(["config", "check", str(tmp_path / "none.yaml")]) == 2
    error = capsys.readouterr().err
    assert error == f"{tmp_path}/none.yaml: no such config file: correct the path after --configfile\n"


def test_a_reader_that_has_seen_enough_is_no_traceback():
    command = [sys.executable, "-m", "switchrank", "config", "check", "config/demo.yaml"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_starting_the_command_imports_nothing_heavy():
    code = "import sys, switchrank.cli; switchrank.cli.build_parser('train'); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not [name for name in ("torch", "transformers", "ranx", "polars", "snakemake") if f"'{name}'" in done.stdout]


def test_the_library_never_imports_snakemake():
    from switchrank.core.digest import PACKAGE

    for source in PACKAGE.rglob("*.py"):
        assert "import snakemake" not in source.read_text(encoding="utf-8"), source


def test_no_stage_imports_another_stage():
    import ast

    from switchrank.core.digest import PACKAGE

    stages = set(cli.STAGES) - {"config", "plan"}  # these two tell others what a run consists of
    for stage in stages:
        for source in (PACKAGE / stage).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    parts = name.split(".")
                    foreign = parts[0] == "switchrank" and len(parts) > 1 and parts[1] in stages - {stage}
                    assert not foreign, f"{source}: {name}"
