"""What is warned of before results are believed, and where it is told."""

import json

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.warnings import warnings_table
from switchrank.formats.tables import COVERAGE, TESTSETS, WARNINGS, read_table, warning_lines, write_table

# 64 queries, reciprocal ranks of 1 and 0 in turn: mean .5, standard error .063.
EVEN = [1.0, 0.0] * 32


@pytest.fixture
def tested(tmp_path):
    """Write TESTSETS from ``{doc_lang: (queries, chance)}`` and give its path."""

    def write(languages, testset="world"):
        fixed = (testset, "c", "squad", "gold")
        found = ("en-en", None, None)
        rows = [(*fixed, lang, 9, many, 1.0, 9.0, 1.0, chance, *found) for lang, (many, chance) in languages.items()]
        write_table(pl.DataFrame(rows, schema=TESTSETS, orient="row"), tmp_path / "testsets.csv", TESTSETS)
        return tmp_path / "testsets.csv"

    return write


@pytest.fixture
def warned(tmp_path):
    """Make the table and give its rows."""

    def make(**given):
        warnings_table(out=tmp_path / "warnings.csv", **given)
        return read_table(tmp_path / "warnings.csv", WARNINGS).rows()

    return make


def covered(tmp_path, *rows):
    table = pl.DataFrame([(*row, row[-1] / row[-2]) for row in rows], schema=COVERAGE, orient="row")
    write_table(table, tmp_path / "coverage.csv", COVERAGE)
    return tmp_path / "coverage.csv"


@pytest.mark.parametrize(("chance", "warns"), [(0.5, True), (0.6, True), (0.41, True), (0.38, False), (0.0, False)])
def test_a_model_that_is_not_surely_above_chance_is_warned_of(scored, tested, warned, chance, warns):
    """1.645 standard errors below .5 are .396."""
    found = warned(per_query=scored({("ml-cs", "de", "en", 1): EVEN}), testsets=tested({"en": (64, chance)}))
    assert [row[:2] for row in found] == ([("chance", "ml-cs on world")] if warns else [])


def test_seeds_are_averaged_before_a_query_counts(scored, tested, warned):
    """Two seeds that differ on each query have the same mean on each: no spread, surely above."""
    values = {("ml-cs", "de", "en", 1): EVEN, ("ml-cs", "de", "en", 2): [1 - value for value in EVEN]}
    assert warned(per_query=scored(values), testsets=tested({"en": (64, 0.49)})) == []


def test_language_pairs_at_chance_are_counted_and_named(scored, tested, warned):
    values = {("ml-cs", lang, "en", 1): np.zeros(64) for lang in ("da", "de", "es", "fr", "it", "nl", "pl")}
    values |= {("ml-cs", "en", "en", 1): np.ones(64), ("zero-shot", "de", "en", 1): np.ones(64)}
    ((_, subject, text),) = warned(per_query=scored(values), testsets=tested({"en": (64, 0.1)}))
    assert subject == "ml-cs on world"
    assert text == (
        "ml-cs ranks world no better than chance in 7 of 8 language pairs "
        "(da-en, de-en, es-en, fr-en, it-en and 2 more): believe no comparison with it there; "
        "look at its training loss and its data, or train it longer"
    )


def test_reference_rankings_and_other_metrics_are_not_judged(scored, tested, warned):
    values = {("random", "de", "en", 1): EVEN, ("bm25", "de", "en", 1): EVEN}
    given = {"testsets": tested({"en": (64, 0.9)})}
    assert warned(per_query=scored(values), **given) == []
    assert len(warned(per_query=scored(values), references=["random"], **given)) == 1
    assert warned(per_query=scored({("ml-cs", "de", "en", 1): EVEN}, metric="map"), **given) == []


def test_one_query_is_told_from_no_chance(scored, tested, warned):
    found = warned(per_query=scored({("ml-cs", "de", "en", 1): [1.0]}), testsets=tested({"en": (1, 0.1)}))
    assert [row[0] for row in found] == ["chance", "queries"]


def test_test_sets_of_fewer_than_50_queries_are_warned_of(scored, tested, warned):
    values = scored({("ml-cs", "de", "en", 1): np.ones(64)})
    ((kind, subject, text),) = warned(per_query=values, testsets=tested({"en": (49, 0), "de": (50, 0), "it": (7, 0)}))
    assert (kind, subject) == ("queries", "world")
    assert text == (
        "world has fewer than 50 queries with a relevant document (49 for en, 7 for it): "
        "differences there are mostly luck; test on more queries"
    )


def test_lexicons_that_cover_less_than_a_third_of_a_side_are_warned_of(scored, tested, warned, tmp_path):
    coverage = covered(
        tmp_path,
        ("clwe", "de", "world", "query", 300, 99),
        ("clwe", "de", "world", "document", 300, 100),
        ("clwe", "de", "ml-cs", "training", 200, 10),
        ("titles", "de", "world", "query", 300, 300),
    )
    values = scored({("ml-cs", "de", "en", 1): np.ones(64)})
    ((kind, subject, text),) = warned(per_query=values, testsets=tested({"en": (64, 0)}), coverage=coverage)
    assert (kind, subject) == ("coverage", "clwe de")
    assert text == (
        "lexicon clwe covers less than a third of the words for de (ml-cs training 5%, world query 33%): "
        "what is switched hardly meets these texts; give vectors or titles with more words, or merge lexicons"
    )


def test_models_whose_licence_forbids_use_or_is_not_known_are_warned_of(scored, tested, warned, tmp_path):
    told = {
        "ml-cs": "cc-by-nc-4.0",
        "zero-shot": "cc-by-nc-4.0",
        "peer": "not stated",
        "free": "Apache-2.0",
        "own": None,
    }
    for system, licence in told.items():
        (tmp_path / system).mkdir()
        model = {"model": {"peer": "owner/ranker"}.get(system, "theirs"), "licence": licence}
        record = {"start.json": {"preset": "tiny"} if licence is None else model}
        if system == "zero-shot":
            record = {"train.json": {"start": model}}
        for name, value in record.items():
            (tmp_path / system / name).write_text(json.dumps(value))
    values = scored({("ml-cs", "de", "en", 1): np.ones(64)})
    given = {"per_query": values, "testsets": tested({"en": (64, 0)})}
    assert warned(**given, models={system: tmp_path / system for system in told}) == [
        (
            "licence",
            "owner/ranker",
            "the licence of owner/ranker (in peer) is not known (not stated): "
            "ask its makers before you use or share these models",
        ),
        (
            "licence",
            "theirs",
            "theirs (in ml-cs, zero-shot) is under cc-by-nc-4.0, which forbids commercial use: "
            "keep to it with these models too, or start from another one",
        ),
    ]


def test_a_side_without_words_is_not_covered_badly(scored, tested, warned, tmp_path):
    table = pl.DataFrame([("clwe", "de", "world", "query", 0, 0, None)], schema=COVERAGE, orient="row")
    write_table(table, tmp_path / "coverage.csv", COVERAGE)
    values = scored({("ml-cs", "de", "en", 1): np.ones(64)})
    assert warned(per_query=values, testsets=tested({"en": (64, 0)}), coverage=tmp_path / "coverage.csv") == []


def test_a_lexicon_of_the_model_under_test_is_warned_of(scored, tested, warned):
    origin = {"lexicon": "clenc", "model": "e5-small-q4", "systems": ["ml-cs", "bl-cs"]}
    found = warned(
        per_query=scored({("ml-cs", "en", "en", 1): EVEN}), testsets=tested({"en": (60, 0.1)}), origins=[origin]
    )
    assert [row[:2] for row in found] == [("origin", "clenc")]
    assert found[0][2].startswith(
        "lexicon clenc was induced from e5-small-q4, which is also the start of ml-cs, bl-cs: "
    )


def test_the_command_makes_the_table_and_show_tells_of_it(scored, tested, tmp_path, capsys):
    scores = scored({(name, "de", "en", 1): EVEN for name in ("zero-shot", "ml-cs")})
    words = ["--run-name", "demo", "--seen", "de", "--resamples", "10", "--out", tmp_path]
    assert main(["evaluate", "tables", "--per-query", *map(str, [scores, *words])]) == 0
    assert main(["evaluate", "show", "--tables", str(tmp_path)]) == 0
    assert "warning" not in capsys.readouterr().out
    words = ["--testsets", tested({"en": (20, 0.1)}), "--out", tmp_path / "warnings.csv"]
    assert main(["evaluate", "warnings", "--per-query", *map(str, [tmp_path / "per_query.parquet", *words])]) == 0
    assert main(["evaluate", "show", "--tables", str(tmp_path)]) == 0
    assert "\nwarning: world has fewer than 50 queries" in capsys.readouterr().out


def test_no_table_is_no_warning_and_a_broken_one_an_error(tmp_path):
    assert warning_lines(tmp_path / "warnings.csv") == []
    (tmp_path / "warnings.csv").write_text("kind,sub")
    with pytest.raises(UserError):
        warning_lines(tmp_path / "warnings.csv")
