"""``switchrank sources fetch`` and ``unpack`` as a user types them."""

import zipfile

import pytest
import yaml
from fetch_server import BODY, File, digest

from switchrank.cli import main

CONFIG = {
    "run": "mine",
    "languages": {"source": "en", "seen": ["de"]},
    "downloads": {"data/titles.gz": {"url": "{server}/titles.gz"}},
    "collections": {
        "mine": {
            "format": "msmarco",
            "languages": ["en", "de"],
            "documents": "{server}/docs.{lang}.tsv",
            "queries": "queries.{split}.{lang}.tsv",
            "judgements": "qrels.{split}.tsv",
        }
    },
    "corpora": {"english": {"from": "mine"}},
    "systems": {"zero-shot": {"corpus": "english"}},
    "start": {"preset": "tiny", "tokenizer": {"texts": {"en": ["text.en.txt"]}}},
    "train": {},
    "testsets": {"mine": {"collection": "mine", "mixed": ["de"], "candidates": {"all": True}}},
}


@pytest.fixture
def config(server, tmp_path, monkeypatch):
    """A config with three downloads, in a folder of its own; the server has two of them."""
    monkeypatch.chdir(tmp_path)
    server.files |= {"/docs.en.tsv": File(), "/docs.de.tsv": File(body=BODY[:1000])}
    data = CONFIG | {"testsets": {"mine-mlir2": CONFIG["testsets"]["mine"]}}
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(data).replace("{server}", server.url))
    return "mine.yaml"


def test_a_file_is_fetched_by_its_address(server, tmp_path):
    server.files["/a.tsv"] = File()
    words = ["sources", "fetch", f"{server.url}/a.tsv", "--out", str(tmp_path / "a.tsv")]
    assert main([*words, "--sha256", digest(BODY).upper()]) == 0
    assert (tmp_path / "a.tsv").read_bytes() == BODY


def test_a_secret_that_is_typed_is_refused_and_not_repeated(capsys, tmp_path):
    assert main(["sources", "fetch", "https://me:s3cret@h/a", "--out", str(tmp_path / "a")]) == 2
    told = capsys.readouterr().err
    assert "https://***@h/a: a password or token is written out" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["https://h/a"],
        ["--out", "a"],
        ["https://h/a", "--out", "a", "--config", "c"],
        ["https://h/a", "--out", "a", "--list"],
    ],
)
def test_half_a_command_is_one_line(capsys, words):
    assert main(["sources", "fetch", *words]) == 2
    assert capsys.readouterr().err.startswith("command line: neither one file nor a config")


def test_a_list_tells_lengths_and_fetches_nothing(server, config, tmp_path, capsys):
    assert main(["sources", "fetch", "--config", config, "--list"]) == 0
    lines = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert sorted((line[0], line[2]) for line in lines[:-1]) == [
        ("1,000", f"{server.url}/docs.de.tsv"),
        (f"{len(BODY):,}", f"{server.url}/docs.en.tsv"),
        ("unknown", f"{server.url}/titles.gz"),
    ]
    assert lines[-1] == [f"3 of 3 files to fetch: {len(BODY) + 1000:,} bytes, and 1 of unknown length"]
    assert {method for method, _, _ in server.asked} == {"HEAD"}
    assert [file.name for file in tmp_path.iterdir()] == ["mine.yaml"]


def test_everything_is_fetched_that_can_be_and_the_rest_is_told(server, config, tmp_path, capsys):
    assert main(["sources", "fetch", "--config", config]) == 2
    told = capsys.readouterr().err
    assert f"{server.url}/titles.gz: the server answers 404" in told
    assert told.splitlines()[-1].startswith("mine.yaml: downloads: 1 of 3 files could not be fetched")
    assert sorted(file.name for file in (tmp_path / "data").rglob("*.tsv")) == ["docs.de.tsv", "docs.en.tsv"]


def test_a_second_time_nothing_is_asked_and_offline_tells_what_is_missing(server, config, capsys, monkeypatch):
    main(["sources", "fetch", "--config", config])
    (capsys.readouterr(), server.asked.clear())
    monkeypatch.setenv("SWITCHRANK_OFFLINE", "1")
    assert main(["sources", "fetch", "--config", config]) == 2
    told = capsys.readouterr()
    assert [line.split("\t")[0] for line in told.out.splitlines()][:3].count("here") == 2
    assert told.err.splitlines()[1:] == [f"  data/titles.gz  from  {server.url}/titles.gz"]
    assert server.asked == []


def test_an_archive_is_unpacked(tmp_path, capsys):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a/b.tsv", "1")
    words = ["sources", "unpack", str(tmp_path / "a.zip"), "--out", str(tmp_path / "out")]
    assert main([*words, "--limit", "0"]) == 2
    assert main(words) == 0
    assert (tmp_path / "out" / "a" / "b.tsv").read_text() == "1"
    assert "1 files" in capsys.readouterr().out
