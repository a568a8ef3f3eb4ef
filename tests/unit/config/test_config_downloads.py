"""Web addresses in a config: any input path may be one; no secret and no folder of this machine gets into it."""

import json
from pathlib import Path

import pytest
import yaml

from switchrank.config.load import check_config, load_config
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError

ROOT = Path(__file__).parents[3]
PAPER = ROOT / "config" / "paper.yaml"
HEX = "0" * 64


def config(change, environment=None):
    data = yaml.safe_load(PAPER.read_text())
    change(data)
    return check_config(data, "my.yaml", environment or {})


def fails(change, environment=None):
    with pytest.raises(UserError) as caught:
        config(change, environment)
    assert all(line.startswith("my.yaml: ") for line in str(caught.value).splitlines())
    return str(caught.value)


def test_an_address_in_place_of_a_path_becomes_a_relative_path_and_a_download():
    address = f"https://dumps.example.org/enwiki-page.sql.gz?mirror=1#sha256={HEX}"
    made = config(lambda data: data["lexicons"]["titles"].update(page=address))
    path = made.lexicons["titles"].page
    assert path.startswith("data/downloads/dumps.example.org/")
    assert path.endswith("/enwiki-page.sql.gz")
    assert made.downloads[path].plain() == {"url": address, "sha256": None}
    assert Plan(made, [ROOT]).downloads[path].url == address


def test_placeholders_of_an_address_are_filled_in_for_each_language_that_is_needed():
    address = "https://example.org/{split}/get?file={name}.tsv"
    made = config(lambda data: data["collections"]["mmarco"]["queries"].update(test=address))
    plan = Plan(made, [ROOT])
    files = plan.collection_files("mmarco")
    found = {role: plan.downloads[path].url for role, path in files.items() if role.startswith("queries/test/")}
    assert len(found) == 14
    assert found["queries/test/de"] == "https://example.org/test/get?file=german.tsv"
    assert len({files[role] for role in found}) == 14


def test_a_download_may_stand_for_one_file_per_language_under_a_path_of_your_own():
    path, address = "data/c/{name}.tsv", "hf://unicamp-dl/mmarco@main/data/google/collections/{name}_collection.tsv"

    def change(data):
        data["downloads"][path] = {"url": address}
        data["collections"]["mmarco"]["documents"] = path

    downloads = Plan(config(change), [ROOT]).downloads
    assert downloads["data/c/dutch.tsv"].url == address.replace("{name}", "dutch")
    assert path not in downloads


def test_seed_dictionaries_and_lexicons_by_language_are_fetched_for_their_languages():
    def change(data):
        data["vectors"]["languages"]["it"]["aligned"] = False
        data["vectors"]["alignment"] = {"seed_pairs": "https://example.org/en-{lang}.txt"}
        data["lexicons"]["words"] = {"kind": "dictionary", "path": "https://example.org/{lang}/words.tsv"}

    urls = {download.url for download in Plan(config(change), [ROOT]).downloads.values()}
    assert {url for url in urls if "/en-" in url} == {"https://example.org/en-it.txt"}
    assert {url for url in urls if url.endswith("words.tsv")} == {
        f"https://example.org/{lang}/words.tsv" for lang in ("de", "it", "nl", "ru", "ar")
    }


def test_a_copy_beside_an_address_keeps_its_variable_and_needs_none_to_be_set():
    path, url = "data/c/{name}.tsv", "https://example.org/{name}.tsv"

    def change(data):
        data["downloads"][path] = {"url": url, "local": "${MY_DATA}/{name}.tsv.gz"}
        data["collections"]["mmarco"]["documents"] = path

    plans = [Plan(config(change, environment), [ROOT]) for environment in ({}, {"MY_DATA": "/mine"})]
    found = {"url": "https://example.org/dutch.tsv", "sha256": None, "local": "${MY_DATA}/dutch.tsv.gz"}
    assert plans[0].downloads["data/c/dutch.tsv"].plain() == found
    assert plans[0].downloads == plans[1].downloads


def test_the_published_config_names_its_downloads_itself():
    made = load_config(PAPER, {})
    assert Plan(made, [ROOT]).downloads == made.downloads
    assert len(made.downloads) == 54


def test_a_password_of_the_environment_stays_out_of_the_checked_config():
    address = "https://me:${MY_PASSWORD}@example.org/page.sql.gz?token=${MY_PASSWORD}"
    made = config(lambda data: data["lexicons"]["titles"].update(page=address), {"MY_PASSWORD": "s3cret"})
    assert "s3cret" not in json.dumps(made.plain())
    assert made.downloads[made.lexicons["titles"].page].url == address


def mirrored(mirror, **environment):
    change = lambda data: data["lexicons"]["titles"].update(page="${MIRROR}/page.gz")  # noqa: E731
    return config(change, {"MIRROR": mirror, **environment})


def test_a_variable_that_names_a_mirror_is_filled_in():
    made = mirrored("https://m.org", SWITCHRANK_SEND="MIRROR")
    assert made.downloads[made.lexicons["titles"].page].url == "https://m.org/page.gz"


def test_variables_that_become_an_address_are_sent_where_they_are_listed_alone():
    """HTTP_PROXY and a secret behind it would make an address of somebody else's choice."""
    with pytest.raises(
        UserError, match=r"lexicons\.titles\.page: would send environment variable MIRROR: if that host"
    ):
        mirrored("https://m.org")
    with pytest.raises(UserError, match="would send environment variable MIRROR unencrypted: write https"):
        mirrored("http://m.org", SWITCHRANK_SEND="MIRROR")


def test_a_variable_in_the_name_of_a_model_on_the_hub_is_sent_too(tmp_path):
    change = lambda data: data.update(start={"model": "somebody/${SECRET}"})  # noqa: E731
    with pytest.raises(UserError, match=r"start\.model: would send environment variable SECRET"):
        config(change, {"SECRET": "s3cret"})
    assert config(change, {"SECRET": "m", "SWITCHRANK_SEND": "SECRET"}).start.model == "somebody/m"
    folder = lambda data: data.update(start={"model": "${MODELS}/m"})  # noqa: E731
    assert config(folder, {"MODELS": str(tmp_path)}).start.model == f"{tmp_path}/m"


@pytest.mark.parametrize(
    ("place", "value", "told"),
    [
        (
            "lexicons.titles.page",
            "https://me:s3cret@example.org/a",
            "a password or token is written out: write ${NAME}",
        ),
        ("lexicons.titles.page", "https://s3cret@example.org/a", "a password or token is written out"),
        ("lexicons.titles.page", "https://example.org/a?api_key=s3cret", "a password or token is written out"),
        ("lexicons.titles.page", "https://example.org/a?X-Amz-Signature=s3cret", "a password or token is written out"),
        ("lexicons.titles.page", "ftp://me:s3cret@example.org/a", "files cannot be fetched by ftp"),
        ("lexicons.titles.page", "https:///a", "no valid host in the address"),
        ("lexicons.titles.page", "https://[::1/a", "no valid host in the address"),
        ("lexicons.titles.page", "https://example.org/a b", "a space or control character"),
        ("lexicons.titles.page", "https://example.org/a#s3cret", "the part after # is not a checksum"),
        ("lexicons.titles.page", "hf://org/set/file.tsv", "not an address on the Hugging Face hub: write hf://name@"),
        (
            "collections.mmarco.documents",
            f"https://example.org/{{lang}}#sha256={HEX}",
            "one checksum for several files",
        ),
        ("collections.mmarco.documents", "https://example.org/{lnag}.tsv", "unknown placeholder {lnag}"),
        (
            "testsets.mmarco.pairs",
            "https://example.org/pairs.tsv",
            "a web address where a file of this machine is needed",
        ),
        ("start.model", "https://example.org/model", "a web address where a file of this machine is needed"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_line_without_its_secrets(place, value, told):
    def change(data):
        *folders, last = place.split(".")
        for folder in folders:
            data = data[folder]
        data[last] = value

    line = fails(change)
    assert line.startswith(f"my.yaml: {place}: {told}")
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("downloads", "told"),
    [
        ({"a": {"url": "https://me:s3cret@h/a"}}, "downloads.a.url: a password or token is written out"),
        ({"a": {"url": "https://h/{lang}"}}, "downloads.a.url: unknown placeholder lang: declared: none"),
        (
            {"a": {"url": "https://h/a", "local": "x/{lang}"}},
            "downloads.a.local: unknown placeholder lang: declared: none",
        ),
        (
            {"a": {"url": "https://h/a", "local": "https://h/b"}},
            "downloads.a.local: a web address where the path of a copy is meant: write it as url",
        ),
        ({"a{lang}": {"url": "https://h/{lang}", "sha256": HEX}}, "downloads.a{lang}: one checksum for several files"),
        ("https://me:s3cret@h/a", "downloads: 'https://***@h/a' is not allowed"),
    ],
)
def test_a_wrong_download_is_one_line_without_its_secrets(downloads, told):
    said = fails(lambda data: data.update(downloads=downloads))
    assert any(line.startswith(f"my.yaml: {told}") for line in said.splitlines())
    assert "s3cret" not in said


OUTSIDE = [
    "../x.tsv",
    "/etc/x.tsv",
    "data/../Snakefile",
    "data/.hidden/x",
    ".git/hooks/pre-commit",
    "Snakefile",
    "data",
    "~/x",
]


@pytest.mark.parametrize(
    "path", [*OUTSIDE, "results/other/report.zip", "workflow/switchrank/new.py", "data//x", "data/x/"]
)
def test_a_config_from_a_stranger_fetches_nothing_to_where_it_would_be_run_or_taken_for_a_result(path):
    line = fails(lambda data: data.update(downloads={path: {"url": "https://example.org/x"}}))
    assert line.startswith(f"my.yaml: downloads.{path}: not a path below data/: ")


def test_a_placeholder_of_a_download_stands_for_no_folder_above_it():
    path = "data/{name}/x.tsv"

    def change(data):
        data["downloads"][path] = {"url": "https://example.org/{name}"}
        data["collections"]["mmarco"]["documents"] = "data/../x.tsv"

    assert "data/../x.tsv" not in Plan(config(change), [ROOT]).downloads
