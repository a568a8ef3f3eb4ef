"""Lexicons of encoders: whose words are encoded by what, what is refused, and who judges itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT

from switchrank.config.encoders import lexicon_origins
from switchrank.config.load import checked_plan
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError

FOLDER = "results/demo"
ENC = {"kind": "encoder", "model": "e5-small-q4", "languages": ["qaa"]}
STARTS = {
    "e5": {"model": "e5-small-q4"},
    "warm": {"from": "e5", "corpus": "english"},
    "ranker": {"model": "bge-reranker-v2-m3"},
    "moved": {"from": "e5", "transplant": "all"},
}


def plan(enc: dict[str, Any], **sections: Any) -> Plan:
    """The plan of the demo with a lexicon of an encoder, and some sections changed."""
    data = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    data["lexicons"] |= {"all": {"kind": "merged", "of": ["titles"]}, "enc": ENC | enc}
    for name, section in ({"starts": STARTS} | sections).items():
        data[name] = {**data.get(name, {}), **section}
    return checked_plan(data, "demo.yaml", {}, [ROOT])


@pytest.mark.parametrize(
    ("words", "files"),
    [
        ("vectors", [f"{FOLDER}/vectors/raw/qaa.words.parquet"]),
        ("texts", [f"{FOLDER}/sources/world/documents-qaa.parquet"]),
        ({"en": "en.txt", "qaa": "qaa.txt"}, ["qaa.txt"]),
    ],
)
def test_words_are_those_of_vectors_of_documents_or_of_a_list(words: Any, files: list[str]) -> None:
    assert plan({"words": words}).word_files("enc", "qaa") == files


def test_what_is_encoded_alike_is_encoded_once() -> None:
    others = {"near": ENC | {"criterion": "nn"}, "fewer": ENC | {"max_words": 100}}
    made = plan({}, lexicons=others)
    assert (
        made.lexicon_vectors("near", "qaa") == made.lexicon_vectors("enc", "qaa") == f"{FOLDER}/vectors/encoded/enc/qaa"
    )
    assert made.lexicon_vectors("fewer", "en") == f"{FOLDER}/vectors/encoded/fewer/en"
    assert made.lexicon_vectors("clwe", "en") == f"{FOLDER}/vectors/aligned/en"


def test_lists_of_words_are_inputs_of_the_run() -> None:
    named = plan({"words": {"en": "en.txt", "qaa": "qaa.txt"}}).named_inputs()
    assert {("lexicons.enc", "en.txt"), ("lexicons.enc", "qaa.txt")} <= {*named}


def test_such_a_lexicon_translates_into_the_source_language_too() -> None:
    made = plan({}, systems={"tt": {"model": "ml-cs", "test": {"translate": "enc"}}})
    assert made.lexicon_file("enc", "qaa", reverse=True) == f"{FOLDER}/lexicons/enc/qaa-en.parquet"


VECTORS = {language: {"text": [f"{language}.txt"]} for language in ("en", "qaa", "qab", "qac")}


@pytest.mark.parametrize(
    ("enc", "sections", "said"),
    [
        ({"words": {"en": "en.txt"}}, {}, "lexicons.enc.words: no list of qaa: name a file, words: {qaa: PATH}, or "),
        ({"words": {"en": "a", "qaa": "b{lang}"}}, {}, "lexicons.enc.words: unknown placeholder {lang}"),
        ({"words": {"en": "a", "qaa": "b", "qzz": "c"}}, {}, "lexicons.enc.words: unknown language qzz"),
        (
            {"words": "vectors", "languages": ["qad"]},
            {"vectors": {"languages": VECTORS}},
            "lexicons.enc.words: no vectors of qad: name a file, words: {qad: PATH}, or leave qad out of languages",
        ),
        ({"model": "bge-reranker-v2-m3"}, {}, "lexicons.enc.model: bge-reranker-v2-m3 is a cross-encoder, which reads"),
        ({"model": "Qwen3-Reranker-0.6B"}, {}, "lexicons.enc.model: Qwen3-Reranker-0.6B is a causal language"),
        ({"model": "e6-small"}, {}, "lexicons.enc.model: unknown model e6-small: did you mean"),
        ({"model": "warm"}, {}, "lexicons.enc.model: starts.warm is trained as a cross-encoder, which encodes no word"),
        ({"model": "ranker"}, {}, "lexicons.enc.model: bge-reranker-v2-m3 is a cross-encoder, which reads"),
        (
            {"model": "labse"},
            {"starts": STARTS | {"labse": {"model": "LaBSE"}, "xlm-roberta-base": {"model": "LaBSE"}}, "lexicons": {
                "two": ENC | {"model": "xlm-roberta-base"}}},
            "lexicons.two.model: xlm-roberta-base is a start and a known model: give the start another name",
        ),
        (
            {"model": "moved"},
            {"lexicons": {"all": {"kind": "merged", "of": ["titles", "enc"], "languages": ["qaa"]}}},
            "lexicons.enc.model: moved is itself made with enc: name the model that it is made from, e5-small-q4",
        ),
        (
            {"model": "small"},
            {
                "starts": STARTS | {"small": {"model": "e5-small-q4", "vocabulary": "run"}},
                "corpora": {"enc-cs": {"from": "world", "lexicon": "enc", "languages": ["qaa"]}},
            },
            "lexicons.enc.model: small is itself made with enc",
        ),
        ({"raw_dot": True}, {}, "lexicons.enc.raw_dot: has no meaning with criterion 'csls'"),
    ],
)  # fmt: skip
def test_what_cannot_be_made_is_one_line(enc: dict[str, Any], sections: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as raised:
        plan(enc, **sections)
    (line,) = [line for line in str(raised.value).splitlines() if "lexicons." in line]
    assert said in line


def test_a_folder_that_is_no_encoder_is_told_before_the_first_job(bert_folder: Path) -> None:
    from switchrank.run.plan.files import start_mistakes

    (mistake,) = start_mistakes(plan({"model": str(bert_folder)}))
    assert "a cross-encoder, which reads pairs of texts" in str(mistake)


def test_systems_that_start_from_what_made_their_lexicon_are_told() -> None:
    corpora = {"enc-cs": {"from": "world", "lexicon": "some", "languages": ["qaa"]}}
    systems = {
        "own": {"corpus": "enc-cs", "start": "e5"},
        "other": {"corpus": "enc-cs"},
        "plain": {"corpus": "english", "start": "e5"},
        "own-tt": {"model": "own", "test": {"translate": "clwe"}},
    }
    some = {"some": {"kind": "merged", "of": ["enc", "titles"], "languages": ["qaa"]}}
    made = plan({"model": "e5"}, corpora=corpora, systems=systems, lexicons=some)
    assert lexicon_origins(made) == [{"lexicon": "enc", "model": "e5-small-q4", "systems": ["own", "own-tt"]}]
    assert lexicon_origins(plan({}, corpora={}, systems={})) == []
