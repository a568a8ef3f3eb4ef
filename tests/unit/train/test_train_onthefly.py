"""Training on a corpus that is not written: the bytes of one that is, and nothing else in place of what it names."""

from __future__ import annotations

import json
import os
import signal

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from train_world import ENGLISH, FOREIGN, bytes_of, corpus_frame, strike, train_record

from switchrank.core.errors import UserError
from switchrank.corpus.onthefly import SwitchedPairs
from switchrank.corpus.switch import switch_corpus
from switchrank.corpus.tokens import build_tokens
from switchrank.corpus.unwritten import open_record, record_corpus
from switchrank.formats.tables import CORPUS, DOCUMENTS, INSTANCES, LEXICON, QUERIES, read_table, write_table
from switchrank.models.pretrained import open_tokenizer
from switchrank.train.batches import Pairs

MIXED = {"sides": {"query": "xx", "passage": "xx"}, "languages": ["qaa", "qab"]}
RECIPES = {
    "plain": {"sides": {"query": "en", "passage": "en"}},
    "bl-cs": {"sides": {"query": "qaa", "passage": "en"}},
    "ml-cs": {**MIXED, "translations": 2},
    "wiki-cs": {**MIXED, "p": 1.0, "mix": "instance", "drop_stopwords": True},
    "treebank": {**MIXED, "treebank": True},
    "substring": {**MIXED, "p": 1.0, "mix": "instance", "substring_replace": True},
}


@pytest.fixture
def parts(tmp_path):
    """What a corpus is switched from: instances that do not count from 0, token tables, two lexicons."""
    frame = corpus_frame()
    queries = frame.select("qid", text="query", group=pl.lit("")).unique("qid", keep="first", maintain_order=True)
    documents = frame.select(docid="pid", text="passage", group=pl.lit(""))
    instances = frame.select("qid", "pid", "label").with_row_index("instance", offset=1000)
    for name, table, schema in (
        ("queries", queries, QUERIES),
        ("documents", documents, DOCUMENTS),
        ("instances", instances, INSTANCES),
    ):
        write_table(table, tmp_path / f"{name}.parquet", schema)
    for name in ("queries", "documents"):
        for cut in ("unicode", "treebank"):
            build_tokens(texts=tmp_path / f"{name}.parquet", out=tmp_path / cut / name, treebank=cut == "treebank")
    lexicons = {"qaa": FOREIGN, "qab": [f"{word[1:]}o" for word in ENGLISH]}
    for language, words in lexicons.items():
        rows = [(source, target, None, 1) for source, target in zip(ENGLISH, words, strict=True)]
        rows += [(source, f"{target}a", None, 2) for source, target, *_ in rows]
        write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / f"{language}.parquet", LEXICON)

    def parts(recipe):
        cut = tmp_path / ("treebank" if recipe.get("treebank") else "unicode")
        return {
            "instances": tmp_path / "instances.parquet",
            "queries": cut / "queries",
            "documents": cut / "documents",
            "lexicons": {language: tmp_path / f"{language}.parquet" for language in lexicons},
            "recipe": recipe,
        }

    return parts


@pytest.fixture
def recorded(parts, tmp_path):
    """Writes a corpus into ``tmp_path/written`` and the record of the same one into ``tmp_path/unwritten``."""

    def recorded(recipe):
        switch_corpus(**parts(recipe), out=tmp_path / "written")
        record_corpus(**parts(recipe), out=tmp_path / "unwritten")
        return tmp_path / "written/train-00000.parquet", tmp_path / "unwritten/on-the-fly.json"

    return recorded


def same_model(one, other):
    """Assert that two trainings gave one model, and that their records differ in what they were trained from alone."""
    assert bytes_of(one, "train.json") == bytes_of(other, "train.json")
    first, second = (train_record(folder)[1] for folder in (one, other))
    for record in (first, second):
        record["inputs"].pop("corpus/00000")
        record.pop("code")
    assert first == second


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_model_has_the_bytes_of_one_that_is_trained_on_the_written_corpus(recorded, run, recipe):
    written, record = recorded(RECIPES[recipe])
    changes = {"eval_every": 5, "steps": 12}  # 96 pairs of a corpus of 40
    same_model(run("a", corpus=[written], **changes), run("b", corpus=[record], reader=SwitchedPairs, **changes))


@pytest.mark.parametrize("objective", ["pairwise", "listwise"])
def test_groups_of_a_query_are_the_same(recorded, run, objective):
    written, record = recorded(MIXED)
    one = run("a", corpus=[written], objective=objective)
    same_model(one, run("b", corpus=[record], reader=SwitchedPairs, objective=objective))


def test_a_run_that_is_stopped_between_two_windows_goes_on_to_the_same_bytes(recorded, run, monkeypatch):
    written, record = recorded(MIXED)
    monkeypatch.setattr("switchrank.train.loop._AHEAD", 4)
    with monkeypatch.context() as patch:
        strike(patch, 5, lambda: os.kill(os.getpid(), signal.SIGTERM))
        with pytest.raises(SystemExit):
            run("b", corpus=[record], reader=SwitchedPairs)
    resumed = run("b", corpus=[record], reader=SwitchedPairs)
    assert train_record(resumed)[0]["timing"]["stops"] == 1
    same_model(run("a", corpus=[written]), resumed)


def test_each_of_two_processes_switches_its_share(recorded, run):
    written, record = recorded(MIXED)
    changes = {"processes": 2, "steps": 5}
    same_model(run("a", corpus=[written], **changes), run("b", corpus=[record], reader=SwitchedPairs, **changes))


@pytest.mark.parametrize("recipe", RECIPES)
def test_statistics_are_those_of_the_written_corpus_and_no_text_is_written(recorded, recipe):
    written, record = recorded(RECIPES[recipe])
    assert sorted(file.name for file in record.parent.iterdir()) == ["on-the-fly.json", "stats.json"]
    assert (record.parent / "stats.json").read_bytes() == (written.parent / "stats.json").read_bytes()


def test_texts_are_those_of_the_written_corpus_in_any_order(recorded, monkeypatch):
    written, record = recorded(MIXED)
    monkeypatch.setattr("switchrank.corpus.switch._BLOCK_WORDS", 30)
    pairs, frame = SwitchedPairs([record]), read_table(written, CORPUS)
    rows = np.array([39, 0, 7, 7, 21])
    texts = pairs.switched(rows)
    assert texts["query"].to_list() == frame["query"][rows].to_list()
    assert texts["passage"].to_list() == frame["passage"][rows].to_list()
    assert pairs.label.tolist() == frame["label"].to_list()


def test_token_ids_are_held_for_the_pairs_of_the_last_window_only(recorded, tokenizer_folder):
    written, record = recorded(MIXED)
    tokenizer = open_tokenizer(tokenizer_folder)
    made, read = SwitchedPairs([record]).tokens(tokenizer, 9), Pairs([written]).tokens(tokenizer, 9)
    for rows in (np.array([3, 1, 3]), np.array([2, 1]), np.arange(39), np.array([8])):
        for tokens in (made, read):
            tokens.prepare(rows)
        for ours, theirs in zip(made.take(rows), read.take(rows), strict=True):
            assert ours.lengths.tolist() == theirs.lengths.tolist()
            for one, other, length in zip(ours.starts, theirs.starts, np.minimum(ours.lengths, 9), strict=True):
                assert ours.ids[one : one + length].tolist() == theirs.ids[other : other + length].tolist()
    whole = made.take(np.array([8]))[0].ids
    made.prepare(np.array([39]))
    assert len(made.take(np.array([39]))[0].ids) < len(whole)


def test_the_record_holds_the_recipe_and_the_digest_of_each_file_it_needs(recorded, tmp_path):
    _, record = recorded(RECIPES["bl-cs"])
    told = json.loads(record.read_text())
    assert told["recipe"]["sides"] == {"query": "qaa", "passage": "en"}
    assert told["lexicons"] == {"qaa": str(tmp_path / "qaa.parquet")}
    assert len(told["digests"]) == 1 + 2 * 3 + 1


@pytest.mark.parametrize("name", ["qab.parquet", "instances.parquet", "unicode/documents/tokens.parquet"])
def test_another_file_in_the_place_of_a_recorded_one_is_one_line(recorded, run, tmp_path, name):
    _, record = recorded(MIXED)
    with (tmp_path / name).open("ab") as stream:
        stream.write(b"\0")
    with pytest.raises(UserError, match="has other content than when this corpus was recorded") as told:
        run(corpus=[record], reader=SwitchedPairs)
    assert (told.value.file, told.value.place) == (str(record), str(tmp_path / name))
    assert "\n" not in str(told.value)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match="no such file"):
        open_record(record)


def test_two_corpora_or_none_are_one_line(recorded, parts, tmp_path):
    _, record = recorded(MIXED)
    with pytest.raises(UserError, match="a second corpus"):
        SwitchedPairs([record, record])
    with pytest.raises(UserError, match="no such file"):
        SwitchedPairs([tmp_path / "none.json"])
    write_table(pl.DataFrame(schema=INSTANCES), tmp_path / "instances.parquet", INSTANCES)
    record_corpus(**parts(MIXED), out=tmp_path / "empty")
    with pytest.raises(UserError, match="no training pairs"):
        SwitchedPairs([tmp_path / "empty/on-the-fly.json"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary() | st.text().map(str.encode) | st.sampled_from([b"{}", b'{"recipe": {"p": "half"}}']))
def test_any_bytes_are_one_line(tmp_path, content):
    (tmp_path / "on-the-fly.json").write_bytes(content)
    with pytest.raises(UserError) as told:
        open_record(tmp_path / "on-the-fly.json")
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(("key", "value"), [("p", "half"), ("p", 2.0), ("sides", {"query": "en"}), ("seed", None)])
def test_a_recipe_that_is_none_is_one_line(recorded, key, value):
    _, record = recorded(MIXED)
    told = json.loads(record.read_text())
    told["recipe"][key] = value
    record.write_text(json.dumps(told))
    with pytest.raises(UserError, match="recipe"):
        open_record(record)


def test_a_limit_takes_the_first_instances(recorded, parts, tmp_path):
    written, _ = recorded(MIXED)
    switch_corpus(**parts(MIXED), out=tmp_path / "written", name="sample", limit=7)
    sample = read_table(tmp_path / "written/sample.parquet", CORPUS)
    assert sample.equals(read_table(written, CORPUS)[:7])
