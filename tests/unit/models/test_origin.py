"""The licence of weights from elsewhere: told as their model card states it, by all that is made from them."""

from __future__ import annotations

import json
import shutil

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from switchrank.models.finished import copy_ranker
from switchrank.models.origin import card_metadata, caution, inherited, origin_of
from switchrank.train.start import build_start


def card(folder, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "README.md").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(
    ("text", "licence"),
    [
        ("---\nlicense: cc-by-nc-4.0\ntags: [a]\n---\n# M\n", "cc-by-nc-4.0"),
        ("\ufeff---\r\nlicense: MIT\r\n---\r\n", "MIT"),
        ("---\nlicense: [mit, cc-by-nc-sa-4.0]\n---\n", "mit, cc-by-nc-sa-4.0"),
        ("---\nlicense: other\nlicense_name: my-terms\nlicense_link: LICENSE\n---\n", "other (my-terms)"),
        ("---\nlicense: other\n---\n", "other"),
        ("---\ntags: [a]\n---\nlicense: mit\n", "not stated"),
        ("license: mit\n", "not stated"),
        ("---\nlicense: no\n---\n", "not stated"),
        ("---\nlicense: ''\n---\n", "not stated"),
        ("---\nlicense: [\n---\n", "not stated"),
        ("---\n- license\n---\n", "not stated"),
        ("---\nlicense: mit\n", "not stated"),
        ("", "not stated"),
    ],
)
def test_the_licence_is_that_of_the_front_matter(tmp_path, text, licence):
    assert origin_of(card(tmp_path / "m", text)) == {"model": "m", "licence": licence}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("m")


@given(text=st.text())
@settings(max_examples=50)
def test_no_card_is_too_strange(place, text):
    assert isinstance(origin_of(card(place, f"---\n{text}\n---\n"))["licence"], str)


@pytest.mark.parametrize(
    ("licence", "found"),
    [
        *[(name, "non-commercial") for name in ("cc-by-nc-4.0", "CC-BY-NC-SA-3.0", "mit, cc-by-nc-nd-4.0")],
        *[
            (name, "non-commercial")
            for name in ("other (flux-1-dev-non-commercial-license)", "PolyForm-Noncommercial-1.0.0")
        ],
        *[(name, "unknown") for name in ("not stated", "other", "other (my-terms)", "unknown", "mit, other")],
        *[(name, "") for name in ("Apache-2.0", "mit", "cc-by-sa-4.0", "NCSA", "openrail++", "gemma")],
    ],
)
def test_what_speaks_against_using_a_model(licence, found):
    assert caution(licence) == found


@pytest.mark.parametrize(
    ("told", "front_matter"),
    [
        (
            {"model": "all-MiniLM-L6-v2", "licence": "Apache-2.0", "base_model": "o/m"},
            {"license": "apache-2.0", "base_model": "o/m"},
        ),
        ({"model": "m", "licence": "not stated"}, {"license": "unknown"}),
        ({"model": "m", "licence": "mit, cc-by-nc-4.0"}, {"license": ["mit", "cc-by-nc-4.0"]}),
        ({"model": "m", "licence": "other (my-terms)"}, {"license": "other", "license_name": "my-terms"}),
        ({"preset": "tiny"}, {}),
    ],
)
def test_a_card_tells_it_in_the_keys_of_the_hub(tmp_path, told, front_matter):
    assert card_metadata(told) == front_matter
    written = origin_of(card(tmp_path / "m", f"---\n{yaml.safe_dump(front_matter)}---\n"))
    assert caution(written["licence"]) == caution(told.get("licence", "not stated"))


def test_a_folder_in_the_cache_of_the_hub_has_the_name_of_its_repository(tmp_path):
    folder = card(tmp_path / "models--owner--some-model" / "snapshots" / ("c" * 40), "---\nlicense: mit\n---\n")
    assert origin_of(folder) == {"model": "owner/some-model", "licence": "mit", "base_model": "owner/some-model"}


@pytest.fixture
def licensed(bert_folder, tmp_path):
    """A ranker whose card forbids commercial use."""
    shutil.copytree(bert_folder, tmp_path / "theirs")
    return card(tmp_path / "theirs", "---\nlicense: cc-by-nc-4.0\n---\n")


def test_starts_and_finished_rankers_tell_the_licence_of_their_card(licensed, tmp_path):
    for make, name in ((build_start, "start"), (copy_ranker, "peer")):
        make(model=licensed, out=tmp_path / name)
        told = json.loads((tmp_path / name / "start.json").read_text())
        assert (told["model"], told["licence"]) == ("theirs", "cc-by-nc-4.0")
        assert inherited(tmp_path / name) == {"model": "theirs", "licence": "cc-by-nc-4.0"}


def test_a_model_made_of_one_of_ours_has_the_licence_that_this_was_made_under(licensed, tmp_path):
    """Start, model trained from it, in another run the copy of that, and one trained from the copy."""
    build_start(model=licensed, out=tmp_path / "start")
    trained = {"start": json.loads((tmp_path / "start" / "start.json").read_text())}
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "train.json").write_text(json.dumps(trained))
    assert origin_of(tmp_path / "model") == {"model": "model", "licence": "cc-by-nc-4.0", "trained": True}
    (tmp_path / "again").mkdir()
    (tmp_path / "again" / "start.json").write_text(json.dumps(origin_of(tmp_path / "model")))
    assert inherited(tmp_path / "again")["licence"] == "cc-by-nc-4.0"


def test_a_file_of_training_data_in_the_folder_of_others_is_no_record(licensed):
    for content in ([{"text": "a"}], {"text": "a"}, {"start": "here"}):
        (licensed / "train.json").write_text(json.dumps(content))
        assert origin_of(licensed) == {"model": "theirs", "licence": "cc-by-nc-4.0"}


def test_a_model_from_scratch_has_no_licence_of_others_and_an_old_record_none_that_is_known(tmp_path):
    for name, start, licence in (("new", {"preset": "tiny"}, None), ("old", {}, "not stated")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.json").write_text(json.dumps({"start": start}))
        assert origin_of(tmp_path / name).get("licence") == licence
