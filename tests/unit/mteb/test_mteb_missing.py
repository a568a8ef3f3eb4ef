"""Without MTEB the command says how to get it."""

import sys

from switchrank.cli import main


def test_what_must_be_installed_is_one_line(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "mteb", None)
    assert main(["mteb", "--model", "m", "--tasks", "t", "--out", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert told.startswith("switchrank mteb: mteb must be installed for it (")
    assert told.endswith("): pip install 'switchrank[mteb]'\n")
