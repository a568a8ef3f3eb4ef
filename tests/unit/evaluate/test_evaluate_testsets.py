"""The tables of test sets and of lexicon coverage, worked by hand on a handful of texts."""

import json
from itertools import combinations

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.coverage import coverage_table
from switchrank.evaluate.testsets import random_reciprocal_rank, table_of_testsets
from switchrank.formats.tables import (
    CANDIDATES,
    COVERAGE,
    DOCUMENTS,
    DRAW,
    JUDGEMENTS,
    LEXICON,
    QUERIES,
    TESTSETS,
    WORDS,
    read_table,
    write_table,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture
def table(tmp_path):
    """Writes rows as a table and gives its path."""

    def table(name, schema, *rows):
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / name, schema)
        return str(tmp_path / name)

    return table


@pytest.fixture
def part(table):
    """Three judged queries: one finds a relevant document, one lists none, one has no candidates."""
    judged = [("q1", "d1", 1), ("q1", "d2", 2), ("q2", "d3", 1), ("q3", "d1", 1), ("q4", "d1", 0)]
    listed = [("q1", "d2", 1), ("q1", "d4", 2), ("q2", "d1", 1), ("q4", "d1", 1)]
    return {
        "testset": "t",
        "collection": "c",
        "format": "squad",
        "relevance": "answer",
        "doc_lang": "de",
        "documents": table("d.parquet", DOCUMENTS, *[(f"d{n}", "x", "") for n in range(1, 6)]),
        "judgements": table("j.parquet", JUDGEMENTS, *judged),
        "candidates": table("c.parquet", CANDIDATES, *listed),
        "search": "en-en",
    }


def rows(path, schema):
    return read_table(path, schema).rows()


def test_means_are_over_the_queries_with_a_relevant_document_and_one_without_candidates_counts_as_0(part, tmp_path):
    table_of_testsets(testsets=[part], out=tmp_path / "t.csv")
    # 4 relevant documents and 3 candidates of q1, q2 and q3; only q1 lists a relevant one; q4 is not judged above 0.
    # By chance the relevant one of q1's two candidates is first or second: (1 + 1/2) / 2; a third of that over three.
    assert rows(tmp_path / "t.csv", TESTSETS) == [
        ("t", "c", "squad", "answer", "de", 5, 3, 4 / 3, 1.0, 1 / 3, 1 / 4, "en-en", None, None)
    ]


def test_where_every_document_is_a_candidate_none_is_missed(part, tmp_path):
    table_of_testsets(testsets=[part | {"candidates": None}], out=tmp_path / "t.csv")
    assert rows(tmp_path / "t.csv", TESTSETS)[0][8:10] == (5.0, 1.0)


def test_a_judgement_that_stands_twice_counts_once(part, table, tmp_path):
    judged = table("twice.parquet", JUDGEMENTS, ("q1", "d2", 1), ("q1", "d2", 1))
    table_of_testsets(testsets=[part | {"judgements": judged}], out=tmp_path / "t.csv")
    assert rows(tmp_path / "t.csv", TESTSETS)[0][5:11] == (5, 1, 1.0, 2.0, 1.0, 3 / 4)


@pytest.mark.parametrize(("candidates", "relevant"), [(1, 1), (3, 0), (4, 1), (4, 2), (5, 5), (12, 1), (13, 2)])
def test_chance_is_the_mean_over_all_orders(candidates, relevant):
    firsts = [min(places) for places in combinations(range(1, candidates + 1), relevant) if relevant]
    expected = sum(1 / first for first in firsts if first <= 10) / max(1, len(firsts))
    assert random_reciprocal_rank(np.array([candidates]), np.array([relevant])) == pytest.approx([expected])


def test_a_query_without_candidates_has_no_chance():
    assert random_reciprocal_rank(np.array([0, 2]), np.array([0, 2])).tolist() == [0, 1]


def test_a_test_set_without_a_relevant_document_is_an_error(part, table, tmp_path):
    judged = table("none.parquet", JUDGEMENTS, ("q1", "d2", 0))
    with pytest.raises(UserError, match="no positive judgement"):
        table_of_testsets(testsets=[part | {"judgements": judged}], out=tmp_path / "t.csv")
    assert not (tmp_path / "t.csv").exists()


@pytest.fixture
def german(table):
    """German test texts and a lexicon with a target of two words."""
    queries = [("q1", "Die STRASSE, die rote Straße?", ""), ("q2", "rote Rose", "")]
    documents = [("d1", "York ist neu", ""), ("d2", "Haus Haus Baum", ""), ("d3", "rote rote rote", "")]
    entries = [("street", "Straße", 0.5, 1), ("new york", "New York", None, 1), ("house", "haus", 0.5, 2)]
    return {
        "lang": "de",
        "lexicons": {"clwe": table("lexicon.parquet", LEXICON, *entries)},
        "texts": [
            {
                "testset": "t",
                "side": "query",
                "texts": table("q.parquet", QUERIES, *queries),
                "chosen": [table("j.parquet", JUDGEMENTS, ("q1", "d1", 1), ("q2", "d1", 0))],
            },
            {
                "testset": "t",
                "side": "document",
                "texts": table("d.parquet", DOCUMENTS, *documents),
                "chosen": [table("c.parquet", CANDIDATES, ("q1", "d2", 1), ("q1", "d1", 2), ("q9", "d1", 1))],
            },
        ],
    }


def covered(tmp_path, languages, training=()):
    coverage_table(languages=languages, training=list(training), out=tmp_path / "coverage.csv")
    return rows(tmp_path / "coverage.csv", COVERAGE)


def test_running_words_are_covered_if_they_are_a_word_of_a_target_in_any_spelling(german, tmp_path):
    # q1: Die STRASSE die rote Straße; q2 is not judged. d1: York ist neu; d2: Haus Haus Baum; d3 is no candidate.
    assert covered(tmp_path, [german]) == [
        ("clwe", "de", "t", "query", 5, 2, 0.4),
        ("clwe", "de", "t", "document", 6, 3, 0.5),
    ]


def test_only_the_first_documents_by_docid_are_looked_at(german, table, tmp_path, monkeypatch):
    monkeypatch.setattr("switchrank.evaluate.coverage.SAMPLE", 1)
    documents = german["texts"][1] | {"chosen": []}
    documents["texts"] = table("more.parquet", DOCUMENTS, ("d2", "x", ""), ("d1", "Haus y", ""))
    assert covered(tmp_path, [german | {"texts": [documents]}]) == [("clwe", "de", "t", "document", 2, 1, 0.5)]


def test_of_a_mixed_pool_the_texts_drawn_in_the_language_count_and_none_gives_no_share(german, table, tmp_path):
    drawn = table("draw.parquet", DRAW, ("d1", "it"), ("d2", "de"), ("d3", "de"))
    of_pool = [german["texts"][1] | {"draw": drawn}]
    assert covered(tmp_path, [german | {"texts": of_pool}])[0][4:] == (3, 2, 2 / 3)
    assert covered(tmp_path, [german | {"lang": "nl", "texts": of_pool}])[0][4:] == (0, 0, None)


def test_text_and_targets_without_spaces_are_cut_by_the_same_words(table, tmp_path):
    store = table("words.words.parquet", WORDS, ("猫", 1.0), ("黒い", 1.0), ("犬", 1.0))
    (tmp_path / "words.npy").touch()
    part = {
        "testset": "t",
        "side": "query",
        "texts": table("ja.parquet", QUERIES, ("q", "黒い猫と犬", "")),
        "chosen": [],
    }
    lexicon = table("ja-lexicon.parquet", LEXICON, ("black cat", "黒い猫", None, 1))
    language = {"lang": "ja", "lexicons": {"titles": lexicon}, "texts": [part]}
    cut = language | {"vocabulary": store.removesuffix(".words.parquet")}
    assert covered(tmp_path, [cut]) == [("titles", "ja", "t", "query", 4, 2, 0.5)]


def test_training_words_are_those_of_the_sides_a_language_is_on_over_all_pairs(tmp_path):
    known = {"content_tokens": 10, "languages": {"de": {"covered": 4}}}
    other = {"content_tokens": 30, "languages": {"de": {"covered": 6}, "it": {"covered": 9}}}
    plain = {"content_tokens": 99, "languages": {}}
    stats = {"a": {"query": plain, "passage": known}, "b": {"query": other, "passage": plain}}
    for name, record in stats.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(record))
    paths = [str(tmp_path / f"{name}.json") for name in stats]
    made = [{"lexicon": "clwe", "lang": lang, "corpus": "bl-cs", "stats": paths} for lang in ("it", "de", "nl")]
    assert covered(tmp_path, [], made) == [
        ("clwe", "de", "bl-cs", "training", 40, 10, 0.25),
        ("clwe", "it", "bl-cs", "training", 30, 9, 0.3),
    ]


def test_broken_statistics_are_an_error(tmp_path):
    (tmp_path / "s.json").write_text("{")
    training = [{"lexicon": "clwe", "lang": "de", "corpus": "bl-cs", "stats": [str(tmp_path / "s.json")]}]
    with pytest.raises(UserError, match="not readable statistics"):
        covered(tmp_path, [], training)


def test_the_commands_make_the_same_tables(part, german, tmp_path):
    for name, entries in (("testsets", [part]), ("languages", [german])):
        (tmp_path / f"{name}.json").write_text(json.dumps(entries))
    table_of_testsets(testsets=[part], out=tmp_path / "library-testsets.csv")
    coverage_table(languages=[german], training=[], out=tmp_path / "library-coverage.csv")
    for command, option in (("testsets", "testsets"), ("coverage", "languages")):
        words = [command, f"--{option}", tmp_path / f"{option}.json", "--out", tmp_path / f"{command}.csv"]
        assert main(["evaluate", *map(str, words)]) == 0
        assert (tmp_path / f"{command}.csv").read_bytes() == (tmp_path / f"library-{command}.csv").read_bytes()


def test_a_list_of_languages_with_a_wrong_text_is_one_line(german, tmp_path, capsys):
    (tmp_path / "l.json").write_text(json.dumps([german | {"texts": [{"testset": "t"}]}]))
    words = ["coverage", "--languages", tmp_path / "l.json", "--out", tmp_path / "o.csv"]
    assert main(["evaluate", *map(str, words)]) == 2
    printed = capsys.readouterr().err
    assert "[0].texts[0].side: missing" in printed
    assert printed.count("\n") == 1
