"""The command line: help for every stage, errors as one line, exit codes."""

import subprocess
import sys

import pytest
from tests.conftest import ROOT

from switchrank import cli


@pytest.mark.parametrize("stage", sorted(cli.STAGES))
def test_every_stage_explains_itself(stage, capsys):
    assert cli.main([stage, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: switchrank {stage} " in shown
    assert "Examples:\n" in shown


CANDIDATES = "rank candidates --queries a --documents b --judgements c --out d"
WRONG = {
    "no command": ("", "switchrank: no command: write one of sources, "),
    "another command": ("lexicn", "switchrank: unknown command 'lexicn': did you mean lexicon? "),
    "no command of a stage": ("lexicon", "switchrank lexicon: no command: write one of induce, titles, "),
    "nothing given": ("lexicon merge", "switchrank lexicon merge: missing --lexicons --out: "),
    "another option": ("lexicon merge --lexicons a --oot b", "--oot: unknown option: did you mean --out? "),
    "an option of two": (
        "lexicon induce --max 3",
        "--max: unknown option: did you mean --max-source or --max-target? ",
    ),
    "none of the values": ("lexicon induce --source a --target b --out c --criterion x", "'x': write nn or csls; "),
    "none of a list's values": ("evaluate tables --tests x --per-query a --run-name b --out c", "write t or fisher; "),
    "no number": ("lexicon induce --source a --target b --out c --k x", "--k: 'x': write a whole number; "),
    "half a number": ("lexicon induce --source a --target b --out c --k 1.5", "--k: '1.5': write a whole number; "),
    "half a number of several": (
        "ablation grid --starts a --languages b --examples 1 1.5 --seeds 1",
        "--examples: '1 1.5': write whole numbers; ",
    ),
    "a word too many": ("lexicon merge c --lexicons a --out b", "'c' is a word too many"),
    "an empty list": ("lexicon merge --lexicons --out b", "write --lexicons PATH...; "),
    "no value": ("lexicon merge --lexicons a --out", "write --out PATH; "),
    "one of two columns": ("lexicon dictionary --path a --out b --columns 1", "write --columns COLUMN COLUMN"),
    "a value twice": ("lexicon merge --lexicons c --out a --out b", "--out: given twice"),
    "three of four": ("rank reference bm25 --pair a b c", "write --pair QUERIES DOCUMENTS CANDIDATES OUT; "),
    "none of three": (CANDIDATES, "--bm25, --from-run, --all: none of them given: choose one; "),
    "two of three": (f"{CANDIDATES} --bm25 3 --all", "--bm25, --from-run, --all: more than one of them given: choose "),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_typed_is_one_line_that_says_what_can(case, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words, message = WRONG[case]
    assert cli.main(words.split()) == 2
    told = capsys.readouterr()
    assert message in told.err
    assert told.err.startswith("switchrank")
    assert told.err.endswith("--help\n")
    assert told.err.count("\n") == 1
    assert told.out == ""


def test_an_option_may_be_cut_short_and_have_its_value_behind_a_sign(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("house Haus\n")
    out = tmp_path / "en-de.parquet"
    assert cli.main(["lexicon", "dictionary", f"--pa={tmp_path}/mine.txt", f"--out={out}"]) == 0
    assert out.is_file()
    assert capsys.readouterr().err == ""


def test_the_version_is_told(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("switchrank ")


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


def test_the_library_never_imports_snakemake():
    from switchrank.core.digest import PACKAGE

    for source in PACKAGE.rglob("*.py"):
        assert "import snakemake" not in source.read_text(encoding="utf-8"), source


def test_no_stage_imports_another_stage():
    import ast

    from switchrank.core.digest import PACKAGE

    # they tell what a run consists of, open models, and hand rankers to others
    stages = set(cli.STAGES) - {"config", "plan", "models", "mteb", "search", "serve"}
    for stage in stages:
        for source in (PACKAGE / stage).rglob("*.py"):
            for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                for name in names:
                    parts = name.split(".")
                    foreign = parts[0] == "switchrank" and len(parts) > 1 and parts[1] in stages - {stage}
                    assert not foreign, f"{source}: {name}"
