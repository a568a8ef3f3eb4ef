"""What first stages allow, and which test documents training has met, worked by hand on a handful of texts."""

import json

import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.exposure import exposure_table
from switchrank.evaluate.first_stage import first_stage_table
from switchrank.evaluate.testsets import table_of_testsets
from switchrank.formats.tables import (
    CANDIDATES,
    DOCUMENTS,
    EXPOSURE,
    FIRST_STAGE,
    INSTANCES,
    JUDGEMENTS,
    QUERIES,
    TESTSETS,
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
def pair(table):
    """German queries on English documents: names alone are spelled alike. Candidates come from English queries."""
    english = [
        ("d1", "Berlin is a city", ""),
        ("d2", "a red house", ""),
        ("d3", "a city house", ""),
        ("d4", "Rome", ""),
    ]
    return {
        "query_lang": "de",
        "doc_lang": "en",
        "way": "own",
        "search": "de-en",
        "queries": table("q.parquet", QUERIES, ("q1", "Stadt Berlin", ""), ("q2", "rotes Haus", ""), ("q3", "Rom", "")),
        "documents": table("d.parquet", DOCUMENTS, *english),
        "judgements": table(
            "j.parquet", JUDGEMENTS, ("q1", "d1", 1), ("q2", "d2", 2), ("q3", "d4", 1), ("q3", "d1", 0)
        ),
        "candidates": table(
            "c.parquet", CANDIDATES, *[(q, d, r) for q in ("q1", "q2") for r, d in ((1, "d1"), (2, "d2"))]
        ),
    }


def stage(tmp_path, *pairs):
    first_stage_table(testset="t", pairs=list(pairs), out=tmp_path / "f.parquet")
    return read_table(tmp_path / "f.parquet", FIRST_STAGE).rows()


def test_a_query_as_it_is_finds_what_is_spelled_alike_and_the_candidates_are_told_beside_it(pair, tmp_path):
    used = pair | {"way": "used", "search": "en-en"}
    assert stage(tmp_path, used, pair) == [
        ("t", "de", "en", "used", "en-en", 2, 2 / 3, 3),
        ("t", "de", "en", "own", "de-en", 2, 1 / 3, 3),
    ]


def test_translated_texts_are_searched_instead(pair, table, tmp_path):
    translated = table("t.parquet", QUERIES, ("q1", "town Berlin", ""), ("q2", "red house", ""), ("q3", "Rome", ""))
    found = stage(tmp_path, pair | {"way": "translated", "search": "de-en by clwe", "queries": translated})
    assert found == [("t", "de", "en", "translated", "de-en by clwe", 2, 1.0, 3)]


@pytest.mark.parametrize(("depth", "recall"), [(2, 0.0), (3, 1.0)])
def test_a_search_keeps_as_many_documents_as_the_longest_list(pair, table, tmp_path, depth, recall):
    # d1 shares "a city Berlin" with the query, d3 "a city house", and d2, the relevant one, "a house"
    search = pair | {
        "queries": table("city.parquet", QUERIES, ("q1", "a city house Berlin", "")),
        "judgements": table("red.parquet", JUDGEMENTS, ("q1", "d2", 1)),
        "candidates": table("list.parquet", CANDIDATES, *[("q1", f"d{rank}", rank) for rank in range(1, depth + 1)]),
    }
    assert stage(tmp_path, search)[0][5:7] == (depth, recall)


def test_a_judged_query_without_text_or_candidates_counts_as_not_found(pair, table, tmp_path):
    alone = pair | {"queries": table("one.parquet", QUERIES, ("q1", "Berlin", ""))}
    assert stage(tmp_path, alone)[0][6:] == (1 / 3, 3)


@pytest.mark.parametrize(
    ("change", "problem"),
    [({"way": "guessed"}, "unknown way guessed"), ({"queries": "none.parquet"}, "no such file")],
)
def test_a_wrong_way_and_a_missing_table_are_errors(pair, tmp_path, change, problem):
    with pytest.raises(UserError, match=problem):
        stage(tmp_path, pair | change)


def test_judgements_without_a_relevant_document_are_an_error(pair, table, tmp_path):
    with pytest.raises(UserError, match="no positive judgement"):
        stage(tmp_path, pair | {"judgements": table("none.parquet", JUDGEMENTS, ("q1", "d1", 0))})


@pytest.fixture
def tested(pair):
    """The test set of ``pair`` for the table of test sets."""
    names = ("documents", "judgements", "candidates")
    part = {
        "testset": "t",
        "collection": "c",
        "format": "tsv",
        "relevance": "gold",
        "doc_lang": "en",
        "search": "en-en",
    }
    return part | {name: pair[name] for name in names}


def recalls(tmp_path, tested, searches, **changes):
    write_table(pl.DataFrame(searches, schema=FIRST_STAGE, orient="row"), tmp_path / "s.parquet", FIRST_STAGE)
    table_of_testsets(
        testsets=[tested | changes],
        first_stage=[str(tmp_path / "s.parquet")],
        out=tmp_path / "t.csv",
        first_stage_out=tmp_path / "all.csv",
    )
    assert read_table(tmp_path / "all.csv", FIRST_STAGE).rows() == searches
    return read_table(tmp_path / "t.csv", TESTSETS).select("own_recall", "translated_recall").row(0)


def test_recall_without_translations_is_the_mean_over_the_pairs_that_candidates_were_not_searched_for(tested, tmp_path):
    def search(query, document, way, recall, testset="t"):
        return (testset, query, document, way, f"{query}-{document}", 2, recall, 3)

    searches = [
        search("en", "en", "own", 1.0),
        search("de", "en", "used", 1.0),
        search("de", "en", "own", 0.25),
        search("de", "en", "translated", 0.75),
        search("sw", "en", "own", 0.125),
        search("de", "de", "own", 0.5),
        search("fr", "en", "own", 0.0, "other"),
        search("xx", "xx", "own", 0.375),
    ]
    assert recalls(tmp_path, tested, searches) == ((0.25 + 0.125) / 2, 0.75)
    assert recalls(tmp_path, tested, searches, search="en-en de-en") == (0.125, None)
    assert recalls(tmp_path, tested, searches, search="run") == ((0.25 + 0.125) / 2, 0.75)
    assert recalls(tmp_path, tested, searches, doc_lang="xx") == (0.375, None)
    assert recalls(tmp_path, tested, searches, doc_lang="de") == (None, None)


@pytest.fixture
def exposed(pair, table):
    """d1 was a positive of one training query and a negative of another, d2 a negative; the training text of d9 is that
    of d4, which no query lists but one needs."""
    met = [(0, "t1", "d1", 1), (1, "t1", "d2", 0), (2, "t2", "d1", 0), (3, "t2", "d9", 1), (4, "t2", "d2", 0)]
    texts = [("d1", "other", ""), ("d2", "another", ""), ("d9", "Rome", ""), ("d8", "a red house", "")]
    return {
        "training": "c",
        "systems": ["zero-shot", "ml-cs"],
        "instances": table("i.parquet", INSTANCES, *met),
        "training_documents": table("training.parquet", DOCUMENTS, *texts),
        "testset": "t",
        "tested": [{name: pair[name] for name in ("documents", "judgements", "candidates")}],
        "by": "id",
        "own_ids": False,
    }


def met(tmp_path, exposed):
    exposure_table(pairs=[exposed], out=tmp_path / "e.csv")
    return read_table(tmp_path / "e.csv", EXPOSURE).rows()


def test_by_id_a_document_is_what_it_was_in_training(exposed, tmp_path):
    # candidates d1 and d2, and d4, which is relevant and no candidate; d1, d2 and d4 are relevant
    assert met(tmp_path, exposed) == [("c", "zero-shot ml-cs", "t", "id", 3, 1, 2, 3, 1, 2)]


def test_by_text_ids_mean_nothing(exposed, tmp_path):
    # d4 is "Rome", as d9, a positive; "a red house" is d2's text, but d8 is in no training pair
    assert met(tmp_path, exposed | {"by": "text"})[0][3:] == ("text", 3, 1, 0, 3, 1, 0)


def test_a_document_in_two_languages_is_one_document_unless_ids_are_each_languages_own(exposed, table, tmp_path):
    german = [("d1", "Berlin ist eine Stadt", ""), ("d2", "ein rotes Haus", ""), ("d4", "Rom", "")]
    part = exposed["tested"][0] | {"documents": table("de.parquet", DOCUMENTS, *german)}
    both = exposed | {"by": "text", "tested": [part, *exposed["tested"]]}
    assert met(tmp_path, both)[0][4:] == (3, 1, 0, 3, 1, 0)
    assert met(tmp_path, both | {"own_ids": True})[0][4:] == (6, 1, 0, 6, 1, 0)


def test_where_every_document_is_a_candidate_every_document_counts(exposed, tmp_path):
    part = exposed["tested"][0] | {"candidates": None}
    assert met(tmp_path, exposed | {"tested": [part]})[0][4:] == (4, 1, 2, 3, 1, 2)


def test_another_way_to_compare_is_an_error(exposed, tmp_path):
    with pytest.raises(UserError, match="unknown value name: write id or text"):
        met(tmp_path, exposed | {"by": "name"})


def test_the_commands_make_the_same_tables(pair, exposed, tmp_path):
    (tmp_path / "pairs.json").write_text(json.dumps([pair]))
    (tmp_path / "exposed.json").write_text(json.dumps([exposed]))
    first_stage_table(testset="t", pairs=[pair], out=tmp_path / "library-f.csv")
    exposure_table(pairs=[exposed], out=tmp_path / "library-e.csv")
    pairs = ["--pairs", tmp_path / "pairs.json", "--testset", "t", "--out", tmp_path / "f.csv"]
    assert main(["evaluate", "first-stage", *map(str, pairs)]) == 0
    assert (
        main(["evaluate", "exposure", "--pairs", str(tmp_path / "exposed.json"), "--out", str(tmp_path / "e.csv")]) == 0
    )
    for name in ("f.csv", "e.csv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / f"library-{name}").read_bytes()
