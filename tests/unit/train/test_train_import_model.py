"""Pickled weights become safetensors once, in a process of its own; what is no weights is refused in one line."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from switchrank.core.errors import UserError
from switchrank.models.import_model import import_model
from switchrank.models.pretrained import open_both
from switchrank.models.unpickle import _read, _Refused
from switchrank.train.start import build_start

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json")


@pytest.fixture
def pickled(start_folder, tmp_path) -> Path:
    """A model folder whose weights are a pickle only."""
    folder = tmp_path / "pickled"
    folder.mkdir()
    for file in FILES:
        (folder / file).write_bytes((start_folder / file).read_bytes())
    torch.save(load_file(start_folder / "model.safetensors"), folder / "pytorch_model.bin")
    return folder


class Evil:
    """A pickle of this runs a call when it is read."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def test_a_converted_model_has_the_weights_of_the_pickle_and_can_be_the_start(pickled, start_folder, tmp_path):
    record = import_model(model=pickled, out=tmp_path / "new")
    expected, written = (load_file(folder / "model.safetensors") for folder in (start_folder, tmp_path / "new"))
    assert expected.keys() == written.keys()
    assert all(torch.equal(expected[name], written[name]) for name in expected)
    assert {file.name for file in (tmp_path / "new").glob("[!.]*")} == {*FILES, "model.safetensors", "import.json"}
    assert record["tensors"] == len(expected)
    assert str(tmp_path) not in (tmp_path / "new" / "import.json").read_text()
    build_start(model=tmp_path / "new", out=tmp_path / "start")
    assert load_file(tmp_path / "start" / "model.safetensors").keys() == expected.keys()


def test_weights_in_several_files_stay_in_several_files_with_an_index(pickled, tmp_path):
    weights = torch.load(pickled / "pytorch_model.bin", weights_only=True)
    (pickled / "pytorch_model.bin").unlink()
    names = sorted(weights)
    shards = {f"pytorch_model-0000{i + 1}-of-00002.bin": names[i::2] for i in range(2)}
    for file, held in shards.items():
        torch.save({name: weights[name] for name in held}, pickled / file)
    index = {"metadata": {}, "weight_map": {name: file for file, held in shards.items() for name in held}}
    (pickled / "pytorch_model.bin.index.json").write_text(json.dumps(index))
    import_model(model=pickled, out=tmp_path / "new")
    opened = open_both(tmp_path / "new")[0]
    assert all(torch.equal(opened.state_dict()[name], weights[name]) for name in names)
    assert (tmp_path / "new" / "model-00001-of-00002.safetensors").is_file()


def test_tied_weights_views_halves_and_nan_are_kept_under_every_name(pickled, tmp_path):
    table = torch.arange(12, dtype=torch.float32).reshape(3, 4)
    weights = {"a": table, "b": table, "turned": table.T, "part": table[1], "nan": torch.full((2,), float("nan"))}
    weights |= {"half": torch.ones(2, dtype=torch.bfloat16), "one": torch.tensor(7), "none": torch.empty(0)}
    torch.save(weights, pickled / "pytorch_model.bin")
    import_model(model=pickled, out=tmp_path / "new")
    written = load_file(tmp_path / "new" / "model.safetensors")
    assert written.keys() == weights.keys()
    assert all(torch.equal(written[name], weights[name]) for name in weights if name != "nan")
    assert written["nan"].isnan().all()
    assert written["half"].dtype == torch.bfloat16


def test_a_pickle_that_runs_code_is_refused_and_does_nothing(pickled, tmp_path):
    trace = tmp_path / "was-here"
    torch.save({"a": Evil(os.system, f"touch {trace}")}, pickled / "pytorch_model.bin")
    with pytest.raises(
        UserError, match=r"pytorch_model\.bin: refused: it asks for \w+\.system, which no weights"
    ) as error:
        import_model(model=pickled, out=tmp_path / "new")
    assert "\n" not in str(error.value)
    assert not trace.exists()
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("call", [open, eval, os.remove])
def test_whatever_a_pickle_calls_is_refused_by_name(tmp_path, call, legacy):
    path = tmp_path / "pytorch_model.bin"
    torch.save({"a": Evil(call, str(tmp_path / "x"))}, path, _use_new_zipfile_serialization=not legacy)
    with pytest.raises(_Refused, match=rf"refused: it asks for (\w+\.)?{call.__name__}, which no weights need"):
        _read(path)


UNKNOWN = {
    "a newer protocol": pickle.dumps({"a": 1}, 4),
    "a call of a newer protocol": pickle.dumps(Evil(os.system, "true"), 4),
    "an instance of a class": b"(S'true'\nios\nsystem\n.",
    "a registered extension": b"\x80\x02\x82\x01.",
    "something that lies elsewhere": b"\x80\x02X\x01\x00\x00\x00aQ.",
}


@pytest.mark.parametrize("content", UNKNOWN.values(), ids=UNKNOWN)
def test_no_message_advises_to_read_a_file_without_the_restriction(tmp_path, content):
    """torch's does: set weights_only to False."""
    (tmp_path / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(_Refused) as error:
        _read(tmp_path / "pytorch_model.bin")
    told = str(error.value)
    assert told.startswith("damaged, or more than weights (")
    assert "\n" not in told
    assert not {"weights_only", "False", "allowlist", "safe_globals", "trust"} & set(re.findall(r"\w+", told))


def test_the_converting_process_may_not_do_anything_else(tmp_path):
    deeds = [
        "import socket; socket.create_connection(('127.0.0.1', 9), 1)",
        "import os; os.system('true')",
        "import subprocess; subprocess.run(['true'])",
        "open('made', 'w')",
        "import os; os.open('made', os.O_CREAT | os.O_WRONLY)",
        "import os; os.remove('kept')",
        "import pickle; pickle.loads(b'cos\\nsystem\\n.')",
    ]
    (tmp_path / "kept").touch()
    code = f"""if True:
        import sys
        from switchrank.models import unpickle
        sys.addaudithook(unpickle._deny)
        for deed in {deeds!r}:
            try:
                exec(deed)
            except PermissionError as error:
                print(error)
    """
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.count("is not allowed while weights are converted") == len(deeds)
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ({"a": {"b": torch.ones(1)}}, "'a' is dict, not a dense tensor"),
        ({"a": torch.ones(2).to_sparse()}, "'a' is Tensor, not a dense tensor"),
        ([torch.ones(1)], "holds list, not weights by name"),
        ({}, "holds dict, not weights by name"),
    ],
)
def test_a_pickle_of_something_else_is_refused(tmp_path, content, problem):
    torch.save(content, tmp_path / "pytorch_model.bin")
    with pytest.raises(_Refused, match=problem):
        _read(tmp_path / "pytorch_model.bin")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9, 0.999])
def test_a_broken_off_pickle_is_refused(pickled, share):
    weights = (pickled / "pytorch_model.bin").read_bytes()
    (pickled / "pytorch_model.bin").write_bytes(weights[: int(share * len(weights))])
    with pytest.raises(_Refused, match="damaged, or no weights") as error:
        _read(pickled / "pytorch_model.bin")
    assert "\n" not in str(error.value)


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300), prefix=st.sampled_from([b"", b"PK\x03\x04", b"\x80\x02", b"\x80\x02}q\x00"]))
def test_any_bytes_are_weights_or_refused(tmp_path_factory, content, prefix):
    path = tmp_path_factory.mktemp("fuzz") / "pytorch_model.bin"
    path.write_bytes(prefix + content)
    with pytest.raises(_Refused):
        _read(path)


def test_a_folder_of_others_is_not_written_over(pickled, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "config.json").write_text("mine")
    with pytest.raises(UserError, match=r"new: holds config\.json, which switchrank did not write there"):
        import_model(model=pickled, out=tmp_path / "new")
    assert (tmp_path / "new" / "config.json").read_text() == "mine"


def test_code_and_other_pickles_of_a_folder_are_left_behind(pickled, tmp_path):
    for name in ("modeling.py", "optimizer.pt", "training_args.bin", "notes.pkl", ".env"):
        (pickled / name).write_bytes(b"x")
    import_model(model=pickled, out=tmp_path / "new")
    assert {file.name for file in (tmp_path / "new").glob("[!.]*")} == {*FILES, "model.safetensors", "import.json"}


@pytest.mark.parametrize(
    ("index", "problem"),
    [
        ('{"weight_map": {"a": "../pytorch_model.bin"}}', "no such file beside it"),
        ('{"weight_map": {"a": "gone.bin"}}', "no such file beside it"),
        ('{"weight_map": {}}', "its weight_map names no file"),
        ('{"weight_map": {"a": 1}}', "no such file beside it: '1'"),
        ("[]", "index.json: holds a list where an object belongs"),
        ("{", "index.json: not JSON"),
    ],
)
def test_a_wrong_index_is_named(pickled, tmp_path, index, problem):
    (pickled / "pytorch_model.bin").unlink()
    (pickled / "pytorch_model.bin.index.json").write_text(index)
    with pytest.raises(UserError, match=problem):
        import_model(model=pickled, out=tmp_path / "new")


def test_a_folder_without_a_pickle_or_with_safetensors_needs_no_conversion(pickled, start_folder, tmp_path):
    with pytest.raises(UserError, match="has safetensors weights already"):
        import_model(model=start_folder, out=tmp_path / "new")
    (pickled / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match=r"no pytorch_model\.bin: nothing to convert"):
        import_model(model=pickled, out=tmp_path / "new")
    with pytest.raises(UserError, match="no such model folder"):
        import_model(model="/nowhere/model", out=tmp_path / "new")


def test_models_with_a_pickle_only_are_never_opened_and_the_line_names_the_command(pickled):
    from switchrank.rank.score import Reranker

    for opening in (open_both, Reranker):
        with pytest.raises(UserError, match=r"only a pickle.*switchrank import-model --model \S+pickled --out"):
            opening(pickled)


def test_a_hub_model_with_a_pickle_only_is_named_and_converted_from_the_cache_of_the_hub(pickled, tmp_path):
    commit = "0" * 40
    repository = tmp_path / "hub" / "models--some--model"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text(commit)
    (repository / "snapshots").mkdir()
    pickled.rename(repository / "snapshots" / commit)
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}

    def run(*words):
        command = [sys.executable, "-m", "switchrank", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    refused = run("train", "start", "--model", "some/model", "--out", str(tmp_path / "start"))
    assert refused.returncode == 2
    assert "switchrank import-model --model some/model" in refused.stderr.splitlines()[-1]
    done = run("import-model", "--model", "some/model", "--out", str(tmp_path / "new"))
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "new" / "import.json").read_text())["commit"] == commit
    open_both(tmp_path / "new")[0]


def test_a_hub_name_that_cannot_be_fetched_is_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match="nobody/no-such-model-0: model: cannot be fetched") as error:
        import_model(model="nobody/no-such-model-0", out=tmp_path / "new")
    assert "\n" not in str(error.value)


def test_the_child_gets_no_credentials(pickled, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    seen = {}
    run = subprocess.run

    def spy(command, **options):
        seen.update(options["env"])
        return run(command, **options)

    monkeypatch.setattr(subprocess, "run", spy)
    import_model(model=pickled, out=tmp_path / "new")
    assert "HF_TOKEN" not in seen
