"""What the command says before it needs MTEB, and where that is missing."""

import sys

from switchrank.cli import main


def test_what_must_be_installed_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "mteb", None)
    assert main(["mteb", "--model", "m", "--tasks", "t", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("switchrank mteb: mteb must be installed for it (")
    assert told.endswith("): pip install 'switchrank[mteb]'\n")


def test_results_are_not_written_over_a_file(tmp_path, capsys):
    out = tmp_path / "mine"
    out.write_text("mine")
    assert main(["mteb", "--model", "m", "--tasks", "t", "--out", str(out)]) == 2
    assert capsys.readouterr().err == f"{out}: a file where a folder is to be written: name a folder\n"
    assert out.read_text() == "mine"
