"""A config from a stranger: names and paths that would be commands, code or places elsewhere do nothing of the kind."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from switchrank.config.load import check_config, read_yaml
from switchrank.core.errors import UserError
from tests.conftest import ROOT, SMOKE, Workflow

TEXTS = {"documents": "d1\tone cat\nd2\ttwo dogs\n", "queries": "q1\tcat\n", "judgements": "q1\t0\td1\t1\n"}
COMMANDS = "$(touch was-here); touch was-here; `touch was-here` && 'x' \"y\" & *"


def smoke(**changes: object) -> dict:
    """The smoke config with sections replaced."""
    return yaml.safe_load(SMOKE.read_text()) | changes


@pytest.mark.parametrize(
    "name", ["../elsewhere", "/tmp/elsewhere", "a/b", "a b", "x;touch y", "$(touch y)", "..", "A", "a\nb", ""]
)
def test_a_run_has_a_plain_name_so_that_nothing_is_written_elsewhere(name):
    with pytest.raises(UserError) as error:
        check_config(smoke(run=name), "my.yaml", {})
    assert "run" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("section", ["collections", "lexicons", "corpora", "systems", "testsets"])
def test_every_name_that_becomes_a_path_is_plain(section):
    data = smoke()
    name, entry = next(iter(data[section].items()))
    data[section] = data[section] | {f"../../{name}": entry}
    with pytest.raises(UserError):
        check_config(data, "my.yaml", {})


@pytest.mark.parametrize("code", ["../qaa", "/qaa", "q a", "$(x)", "qa\na", ".", "QAA", "qaaa", "xx"])
def test_every_language_that_becomes_a_path_is_a_plain_code(code):
    data = smoke()
    data["languages"]["seen"].append(code)
    with pytest.raises(UserError) as error:
        check_config(data, "my.yaml", {})
    assert [line for line in str(error.value).splitlines() if line.startswith("my.yaml: languages.seen.2: ")]
    assert all(line.startswith("my.yaml: ") for line in str(error.value).splitlines())


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system ['touch was-here']", "!!python/name:os.system"])
def test_a_config_makes_no_python_objects(tag, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.yaml").write_text(f"run: {tag}\n")
    with pytest.raises(UserError):
        read_yaml(tmp_path / "my.yaml")
    assert not (tmp_path / "was-here").exists()


def test_no_rule_gives_a_value_to_a_shell():
    rules = "".join(
        path.read_text() for path in [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").rglob("*.smk"))]
    )
    assert not {"shell:", "run:", "shell("} & set(rules.split())
    assert "shell(" not in rules


def test_a_file_named_like_a_command_is_read_and_nothing_is_run_or_written_outside(tmp_path):
    place = tmp_path / "given" / COMMANDS
    place.mkdir(parents=True)
    for name, text in TEXTS.items():
        (place / f"{name}.tsv").write_text(text)
    collection = {"format": "msmarco", "languages": ["en"], "splits": ["test"]}
    collection |= {name: str(place / f"{name}.tsv") for name in TEXTS}
    data = smoke()
    data["collections"]["mine"] = collection
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(data))
    folder = tmp_path / "work"
    folder.mkdir()
    Workflow(folder, tmp_path / "my.yaml").run(f"results/{data['run']}/sources/mine/documents-en.parquet")
    assert not list(tmp_path.rglob("was-here"))
    assert not (ROOT / "was-here").exists()
    assert {path.name for path in folder.iterdir()} == {"results", ".snakemake"}
    assert {path.name for path in Path(folder, "results").iterdir()} == {data["run"]}
