"""``switchrank search``: what an encoder finds and a ranker puts first, in a terminal and as JSON."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from served import TEXTS, make_encoder, write_docs
from tests.conftest import ROOT

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.trec import read_run
from switchrank.models.dual_encoder import DualEncoder
from switchrank.serve.options import LONGEST_QUERY, Searched
from switchrank.serve.searcher import SHOWN, open_searcher


@pytest.fixture(scope="module")
def searched(encoder_folder, bert_folder, docs, lexicon, tmp_path_factory):
    index = tmp_path_factory.mktemp("searched") / "index"
    return Searched(str(encoder_folder), docs, ranker=str(bert_folder), index=index, lexicon=[str(lexicon)])


@pytest.fixture(scope="module")
def searcher(searched):
    return open_searcher(searched)


@pytest.fixture
def command(searched, capsys):
    """``command(query, *words, docs=...)``: exit code, standard output, standard error."""
    usual = {"encoder": searched.encoder, "docs": searched.docs, "index": searched.index}

    def run(query: str, *words: str, **instead: object) -> tuple[int, str, str]:
        options = [word for name, value in (usual | instead).items() for word in (f"--{name}", str(value))]
        code = main(["search", query, *options, *words])
        return code, *capsys.readouterr()

    return run


def test_what_is_retrieved_is_nearest_of_all(searcher, encoder_folder):
    encoder = DualEncoder.open(encoder_folder)
    scores = encoder.encode(list(TEXTS.values()), "document") @ encoder.encode(["ein fuchs"], "query")[0]
    found = searcher.search("ein fuchs", top=5)
    order = np.argsort(-scores, kind="stable")[:5]
    assert [hit.docid for hit in found.retrieved] == [list(TEXTS)[at] for at in order]
    np.testing.assert_allclose([hit.score for hit in found.retrieved], scores[order], atol=1e-6)
    assert [hit.rank for hit in found.retrieved] == [1, 2, 3, 4, 5]


def test_a_ranker_orders_what_was_retrieved_as_rank_does(searcher, docs, bert_folder, tmp_path):
    (tmp_path / "q.tsv").write_text("q\tein fuchs\n")
    run = ["--model", str(bert_folder), "--queries", str(tmp_path / "q.tsv"), "--docs", str(docs)]
    assert main(["rank", *run, "--out", str(tmp_path / "out.trec")]) == 0
    expected = read_run(tmp_path / "out.trec").sort("rank")
    found = searcher.search("ein fuchs", top=20)
    assert [hit.docid for hit in found.reranked] == expected["docid"].to_list()
    np.testing.assert_allclose([hit.score for hit in found.reranked], expected["score"], rtol=1e-5)
    before = {hit.docid: hit.rank for hit in found.retrieved}
    assert [hit.retrieved_rank for hit in found.reranked] == [before[hit.docid] for hit in found.reranked]
    assert set(found.seconds) == {"encode", "search", "rerank"}


def test_only_the_first_ones_are_reranked(searcher):
    found = searcher.search("ein fuchs", top=5, depth=3)
    assert {hit.docid for hit in found.reranked} == {hit.docid for hit in found.retrieved[:3]}
    assert len(found.retrieved) == 5


def test_linked_words_are_told_of_what_is_shown(searcher):
    found = searcher.search("Fuchs", top=8)
    texts = {hit.docid: [hit.text[start:end] for start, end, _ in hit.links] for hit in found.reranked}
    assert found.links == [(0, 5, 1)]
    assert {docid: words for docid, words in texts.items() if words} == {
        "en-1": ["fox"],
        "de-1": ["fuchs"],
        "html": ["fox"],
    }


def test_of_a_long_document_its_beginning_is_shown_and_all_of_it_is_ranked(encoder_folder, tmp_path):
    texts = {"words": "fox " * 400, "run": "狐" * 2000, "short": "fox"}
    docs = write_docs(tmp_path / "d.tsv", texts)
    found = open_searcher(Searched(str(encoder_folder), docs)).search("fox")
    shown = {hit.docid: hit.text for hit in found.retrieved}
    assert found.reranked is None
    assert shown["short"] == "fox"
    assert shown["run"] == "狐" * SHOWN + " …"
    assert shown["words"] == " ".join(["fox"] * (SHOWN // 4)) + " …"


QUERIES = [
    ("", "query: empty: type some words"),
    (" \t\n\u3000", "query: empty"),
    ("x" * 1001, "query: 1,001 characters"),
]


@pytest.mark.parametrize(("query", "message"), [*QUERIES, ("x" * (1 << 20), "query: 1,048,576 characters: shorten it")])
def test_a_query_of_nothing_or_of_a_megabyte_is_a_mistake(searcher, query, message):
    with pytest.raises(UserError, match=message):
        searcher.search(query)


def test_the_longest_query_is_answered(searcher):
    assert searcher.search(" " + "x" * LONGEST_QUERY + " ").retrieved


@pytest.mark.parametrize(
    ("numbers", "message"),
    [({"top": 0}, "search: top: 0 documents: give 1 to 100"), ({"top": 101}, "101"), ({"depth": 1001}, "1 to 1,000")],
)
def test_numbers_of_documents_are_bounded(searcher, numbers, message):
    with pytest.raises(UserError, match=message):
        searcher.search("fox", **numbers)


def test_the_command_shows_both_rankings(command, searched):
    code, out, _ = command("ein fuchs", "--ranker", searched.ranker, "--top", "3")
    lines = out.splitlines()
    assert code == 0
    assert lines[0].startswith("Re-ranked by ")
    assert lines[1].split() == ["rank", "before", "score", "docid", "text"]
    assert [line.split()[0] for line in lines[2:5]] == ["1", "2", "3"]
    assert lines[6].startswith("Retrieved by ")
    assert lines[7].split() == ["rank", "score", "docid", "text"]
    assert lines[-1].startswith("8 documents: query encoded in ")
    assert all(len(line) <= 100 for line in lines)


def test_json_says_everything(command, searcher, searched):
    code, out, _ = command("ein fuchs", "--ranker", searched.ranker, "--json", "--lexicon", *searched.lexicon)
    told, expected = json.loads(out), json.loads(json.dumps(searcher.search("ein fuchs").plain()))
    assert code == 0
    assert set(told.pop("seconds")) == {"encode", "search", "rerank"}
    expected.pop("seconds")
    assert told == expected


def test_what_would_steer_a_terminal_is_not_printed(command, tmp_path):
    docs = write_docs(tmp_path / "d.tsv", {"a": "one\x1b[31m red\u202e\x85two\rthree"})
    code, out, _ = command("one", docs=docs, index=tmp_path / "index")
    assert code == 0
    assert "one [31m red two three" in out
    assert not set(out) & {"\x1b", "\u202e", "\x85", "\r"}


def test_texts_are_cut_at_the_width_that_they_have_on_a_screen(command, tmp_path):
    docs = write_docs(tmp_path / "d.tsv", {"a": "狐" * 500})
    code, out, _ = command("one", docs=docs, index=tmp_path / "index")
    assert code == 0
    (line,) = (line for line in out.splitlines() if "狐" in line)
    assert line.endswith("狐…")
    assert 98 <= len(line) + line.count("狐") <= 100


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"encoder": "bert_folder"}, "config.json: a cross-encoder, which reads pairs of texts"),
        ({"ranker": "encoder_folder"}, "weights: no weights for classifier"),
        ({"encoder": "nowhere"}, "nowhere: no such model folder"),
        ({"lexicon": "nowhere"}, "nowhere: no such file"),
    ],
)
def test_models_that_cannot_do_what_they_are_given_for_are_told(
    command, bert_folder, encoder_folder, tmp_path, wrong, message
):
    known = {"bert_folder": bert_folder, "encoder_folder": encoder_folder}
    instead = {name: known.get(value, tmp_path / value) for name, value in wrong.items()}
    code, out, err = command("fox", **instead)
    assert (code, out) == (2, "")
    assert message in err


def test_an_index_that_another_encoder_made_is_one_line(command, bert_folder, tmp_path, searched):
    assert command("fox")[0] == 0
    code, _, err = command("fox", encoder=make_encoder(tmp_path / "other", bert_folder, seed=9))
    assert code == 2
    (line,) = err.splitlines()
    assert line.startswith(f"{searched.index}: made by another encoder: ")


DOCUMENT = (ROOT / "docs" / "search.md").read_text(encoding="utf-8")


def shown(language: str) -> str:
    """The block of code in a language that the document shows."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return str(block)


def test_the_python_that_the_document_shows_runs(encoder_folder, bert_folder, tmp_path, monkeypatch, capsys):
    (tmp_path / "e5-small-q4").symlink_to(encoder_folder)
    (tmp_path / "my-ranker").symlink_to(bert_folder)
    write_docs(tmp_path / "docs.tsv")
    monkeypatch.chdir(tmp_path)
    exec(shown("python"), {})
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["1", "2", "3"]


def test_the_json_that_the_document_shows_has_the_fields_of_an_answer(searcher):
    told, found = json.loads(shown("json")), searcher.search("fox").plain()
    assert set(told) == set(found)
    assert set(told["seconds"]) == set(found["seconds"])
    for name in ("retrieved", "reranked"):
        assert set(told[name][0]) == set(found[name][0])
