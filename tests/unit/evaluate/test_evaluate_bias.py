"""How a system treats the languages of a mixed pool, against values worked out by hand."""

import json
import math

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.evaluate.bias import bias_table, language_ranks, own_language_shares
from switchrank.formats.tables import BIAS, DRAW, PER_QUERY, read_table, write_table

E = math.e
DOCUMENTS = [(f"{lang}:{docid}", lang) for lang in ("en", "de", "it") for docid in "abcdef"]
JUDGED = [
    *[("q1", f"{lang}:a", 1) for lang in ("en", "de", "it")],
    *[("q2", docid, 1) for docid in ("en:a", "en:b", "de:a", "de:b")],
    ("q3", "en:c", 1),
    ("q4", "en:c", 1),
    ("q4", "de:c", 1),
    ("q1", "en:f", 0),
]
RUN = {
    "q1": ["de:a", "en:b", "en:a", "de:c"],
    "q2": ["en:c", "de:b", "de:c", "en:b", "en:a", "de:a"],
    "q3": ["de:a", "en:c"],
}


@pytest.fixture
def draw(tmp_path):
    """Write DRAW rows and give their path."""

    def write(rows, name="draw.parquet"):
        write_table(pl.DataFrame(rows, schema=DRAW, orient="row"), tmp_path / name, DRAW)
        return tmp_path / name

    return write


@pytest.fixture
def measured(tmp_path):
    """Make the table and give ``{(query_lang, measure): (value, queries)}``."""

    def make(runs, pools=None, **options):
        bias_table(runs=runs, pools=pools or {}, out=tmp_path / "bias.csv", **options)
        table = read_table(tmp_path / "bias.csv", BIAS)
        return {(row["query_lang"], row["measure"]): (row["value"], row["queries"]) for row in table.to_dicts()}

    return make


def describe(path, query_lang="de", doc_lang="xx", system="toy", seed=1, testset="union"):
    labels = {"system": system, "testset": testset, "query_lang": query_lang, "doc_lang": doc_lang, "seed": seed}
    return {"path": str(path), **labels}


def test_the_measures_of_a_union_pool_are_those_by_hand(measured, trec, draw, judge, capsys):
    """Distances: q1 has de at 1, en at 3, it nowhere, so 4 + 1: 5 - 1 = 4; q2 has de best at 2, en best at 4: 2. q3 is
    relevant in one language only, q4 has no candidates. Shares of de: 2 of 4, 3 of 6, 1 of 2."""
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    assert measured([describe(trec(RUN))], pools) == {
        ("de", "rank_distance"): ((4 + 2) / 2, 2),
        ("de", "own_language_top10"): (0.5, 3),
        ("de", "own_language_pool"): (0.5, 3),
    }
    assert "1 queries with relevant documents have no candidates" in capsys.readouterr().err


EVERY = ["rank_distance", "max_rank", "own_language", "rankc", "rank_correlation"]


def test_the_worst_rank_is_that_of_the_worst_language_and_what_a_run_lacks_comes_after_its_last(
    measured, trec, draw, judge
):
    """Ranks by language as above: q1 3, 1 and, it not being in the run of four, 5; q2 4 and 2. Cut off after two, q1
    has de at 1 and the others at 3, q2 de at 2 and en at 3."""
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    ranks = ["rank_distance", "max_rank"]
    assert measured([describe(trec(RUN))], pools, measures=ranks) == {
        ("de", "rank_distance"): ((4 + 2) / 2, 2),
        ("de", "max_rank"): ((5 + 4) / 2, 2),
    }
    cut = trec({qid: docids[:2] for qid, docids in RUN.items()}, "cut.trec")
    assert measured([describe(cut)], pools, measures=ranks) == {
        ("de", "rank_distance"): ((2 + 1) / 2, 2),
        ("de", "max_rank"): (3, 2),
    }


def test_only_what_is_asked_for_is_measured(measured, trec, draw, judge):
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    runs = [describe(trec(RUN), language) for language in ("de", "en")]
    told = {name: {measure for _, measure in measured(runs, pools, measures=[name])} for name in EVERY}
    assert told == {name: {name} for name in EVERY} | {"own_language": {"own_language_top10", "own_language_pool"}}
    with pytest.raises(UserError, match="unknown measure rank: write rank_distance, max_rank"):
        measured(runs, pools, measures=["rank"])
    with pytest.raises(UserError, match="none given"):
        measured(runs, pools, measures=[])


def test_scores_per_query_are_those_whose_means_the_table_has(trec, draw, judge, tmp_path):
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    runs = [describe(trec(RUN), language) for language in ("it", "de")]
    bias_table(runs=runs, pools=pools, out=tmp_path / "b.csv", measures=EVERY, per_query_out=tmp_path / "q.parquet")
    scores = read_table(tmp_path / "q.parquet", PER_QUERY)
    asked = scores.filter(query_lang="de", metric="max_rank")
    assert asked.select("system", "testset", "doc_lang", "seed", "qid", "value").rows() == [
        ("toy", "union", "xx", 1, "q1", 5.0),
        ("toy", "union", "xx", 1, "q2", 4.0),
    ]
    keys = ["query_lang", "metric"]
    means = scores.group_by(keys).agg(pl.col("value").mean(), queries=pl.len().cast(pl.Int64)).sort(keys)
    table = read_table(tmp_path / "b.csv", BIAS).rename({"measure": "metric"})
    of_runs = table.filter(~pl.col("metric").str.starts_with("rankc"), pl.col("metric") != "rank_correlation")
    assert means.equals(of_runs.select(*keys, "value", "queries").sort(keys))
    assert scores["query_lang"].is_sorted()


def test_the_top_is_ten_documents_and_the_pool_all(measured, trec, draw):
    """q1: 7 of the first 10 and 7 of 20 in de; q2, a shorter list: 1 of 4."""
    documents = [(f"d{n}", "de" if n < 7 else "en") for n in range(20)]
    run = {"q1": [docid for docid, _ in documents], "q2": ["d6", "d7", "d8", "d9"]}
    found = measured([describe(trec(run))], {"union": {"documents": draw(documents)}})
    assert found == {
        ("de", "own_language_top10"): (pytest.approx((7 / 10 + 1 / 4) / 2), 2),
        ("de", "own_language_pool"): (pytest.approx((7 / 20 + 1 / 4) / 2), 2),
    }


def test_drawn_queries_are_in_the_language_drawn_for_them(measured, trec, draw):
    """q1 in de finds 2 of 4 in its language, q2 in en 3 of 6; q3 is in fr, which the pool does not have."""
    queries = draw([("q1", "de"), ("q2", "en"), ("q3", "fr"), ("q9", "en")], "queries.parquet")
    found = measured([describe(trec(RUN), "xx")], {"union": {"documents": draw(DOCUMENTS), "queries": queries}})
    assert found == {("xx", "own_language_top10"): (0.5, 2), ("xx", "own_language_pool"): (0.5, 2)}


def test_a_language_that_the_pool_does_not_have_has_no_shares(measured, trec, draw, judge):
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    assert set(measured([describe(trec(RUN), "fr")], pools)) == {("fr", "rank_distance")}


def test_rankc_is_the_mean_over_the_other_query_languages(measured, trec):
    """en against de: q1 the same (1), q2 turned round; en against it: q1 the same; de against it: q1 the same."""
    turned = E / (E**2 + E)
    runs = [
        describe(trec({"q1": ["a", "b", "c"], "q2": ["a", "b"]}, "en.trec"), "en", "en"),
        describe(trec({"q1": ["a", "b", "c"], "q2": ["b", "a"]}, "de.trec"), "de", "en"),
        describe(trec({"q1": ["a", "b", "c"], "q2": ["x"]}, "it.trec"), "it", "en"),
    ]
    assert measured(runs) == {
        ("en", "rankc"): (pytest.approx(((1 + turned) / 2 + 1) / 2), 1),
        ("de", "rankc"): (pytest.approx(((1 + turned) / 2 + 1) / 2), 1),
        ("it", "rankc"): (pytest.approx(1), 1),
    }
    assert measured(runs[:2], depth=1)["en", "rankc"] == (pytest.approx((1 + 0) / 2), 2)


def test_the_rank_correlation_is_the_mean_over_the_other_query_languages(measured, trec):
    """en against de: q1 the same, q2 turned round; en and de against it: q1 the same, and q2's documents are others."""
    runs = [
        describe(trec({"q1": ["a", "b", "c"], "q2": ["a", "b"]}, "en.trec"), "en", "en"),
        describe(trec({"q1": ["a", "b", "c"], "q2": ["b", "a"]}, "de.trec"), "de", "en"),
        describe(trec({"q1": ["a", "b", "c"], "q2": ["x"]}, "it.trec"), "it", "en"),
    ]
    # a b x in en 1 2 3, in de 2 1 3, and 2.5 2.5 1 in it: deviations -1 0 1 or 0 -1 1, and .5 .5 -1
    apart = (-0.5 - 1) / math.sqrt(2 * 1.5)
    assert measured(runs, measures=["rank_correlation"]) == {
        ("en", "rank_correlation"): (pytest.approx(((1 - 1) / 2 + (1 + apart) / 2) / 2), 2),
        ("de", "rank_correlation"): (pytest.approx(((1 - 1) / 2 + (1 + apart) / 2) / 2), 2),
        ("it", "rank_correlation"): (pytest.approx((1 + apart) / 2), 2),
    }


def test_rankc_compares_runs_that_differ_in_nothing_but_the_language_of_the_queries(measured, trec, draw):
    run = trec({"q1": ["en:a", "de:a"]})
    others = [{"system": "other"}, {"seed": 2}, {"doc_lang": "en"}, {"testset": "drawn"}]
    runs = [describe(run, "en"), *(describe(run, **other) for other in others), describe(run, "xx")]
    tables = {"documents": draw(DOCUMENTS), "queries": draw([("q1", "en")], "queries.parquet")}
    pools = {"union": tables, "drawn": tables}
    assert "rankc" not in {measure for _, measure in measured(runs, pools)}
    assert ("en", "rankc") in measured([*runs, describe(run, "de")], pools)


def test_the_table_is_sorted_and_does_not_depend_on_the_order_of_runs_or_lines(trec, draw, judge, tmp_path):
    pools = {"union": {"documents": draw(DOCUMENTS), "judgements": judge(JUDGED)}}
    backwards = trec(RUN, "backwards.trec")
    backwards.write_text("".join(f"{line}\n" for line in backwards.read_text().splitlines()[::-1]))
    runs = [describe(trec(RUN), lang, system=system) for lang in ("it", "de") for system in ("b", "a")]
    bias_table(runs=runs, pools=pools, out=tmp_path / "one.csv")
    runs = [{**run, "path": str(backwards)} for run in runs[::-1]]
    bias_table(runs=runs, pools=pools, out=tmp_path / "two.csv")
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    table = read_table(tmp_path / "one.csv", BIAS)
    rows = table.select("system", "testset", "query_lang", "doc_lang", "seed", "measure").rows()
    assert rows == sorted(rows)
    assert len(rows) == 16


def listing(docids):
    rows = [("q", docid, place) for place, docid in enumerate(docids, 1)]
    schema = {"qid": pl.String, "docid": pl.String, "place": pl.Int32}
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(
    ranking=st.permutations([docid for docid, _ in DOCUMENTS]),
    depth=st.integers(1, 18),
    relevant=st.sets(st.sampled_from(DOCUMENTS), min_size=1),
)
def test_the_distance_is_0_for_one_language_and_lies_within_the_list(ranking, depth, relevant):
    rows = [("q", docid, lang) for docid, lang in sorted(relevant)]
    frame = pl.DataFrame(rows, schema=["qid", "docid", "lang"], orient="row")
    ranks = {docid: place for place, docid in enumerate(ranking[:depth], 1)}
    best: dict[str, int] = {}
    for docid, lang in relevant:
        best[lang] = min(best.get(lang, depth + 1), ranks.get(docid, depth + 1))
    (found,) = language_ranks(listing(ranking[:depth]), frame).rows()
    assert found == ("q", max(best.values()) - min(best.values()), max(best.values()))
    assert 0 <= found[1] < found[2] <= depth + 1
    assert len(best) > 1 or found[1] == 0


@pytest.mark.parametrize("period", [2, 5])
def test_a_ranking_blind_to_language_has_its_pool_share_at_the_top(period):
    """Every ``period``-th document is in the query's language all the way down."""
    docids = [f"d{n}" for n in range(40)]
    languages = ["de" if n % period == 0 else "en" for n in range(40)]
    ranked = listing(docids).with_columns(lang=pl.Series(languages), own=pl.lit("de"))
    assert own_language_shares(ranked).rows() == [("q", 1 / period, 1 / period)]


@given(languages=st.lists(st.sampled_from(["en", "de"]), min_size=1, max_size=30))
def test_ranking_the_own_language_first_raises_its_share_at_the_top_as_far_as_it_goes(languages):
    ordered = sorted(languages)  # de before en
    ranked = listing([f"d{n}" for n in range(len(ordered))]).with_columns(lang=pl.Series(ordered), own=pl.lit("de"))
    top, pool = own_language_shares(ranked).row(0)[1:]
    assert pool == pytest.approx(ordered.count("de") / len(ordered))
    assert top == pytest.approx(min(10, ordered.count("de")) / min(10, len(ordered)))


def test_what_a_pool_does_not_have_is_a_user_error(measured, trec, draw, judge):
    known, few = {"documents": draw(DOCUMENTS)}, {"documents": draw(DOCUMENTS[:3], "few.parquet")}
    strange = judge([("q1", "fr:a", 1)], "strange.parquet")
    queries = draw([("q1", "de")], "queries.parquet")
    run = describe(trec(RUN))
    mixed = {**run, "query_lang": "xx"}
    cases = [
        ("test set union: documents in xx, but no pool", [run], {}),
        ("pool union: no DRAW of its documents", [run], {"union": {"queries": queries}}),
        ("pool union: unknown table query", [run], {"union": {**known, "query": queries}}),
        ("document de:a: in the pool of no language", [run], {"union": few}),
        ("document fr:a: in the pool of no language", [run], {"union": {**known, "judgements": strange}}),
        ("queries in xx: no DRAW", [mixed], {"union": known}),
        ("query q2: drawn in no language", [mixed], {"union": {**known, "queries": queries}}),
    ]
    for message, runs, pools in cases:
        with pytest.raises(UserError, match=message):
            measured(runs, pools)


def test_runs_without_candidates_twice_or_with_nothing_in_common_are_user_errors(measured, trec):
    run = describe(trec(RUN), doc_lang="en")
    with pytest.raises(UserError, match="no query has a candidate"):
        measured([describe(trec({}, "empty.trec"), doc_lang="en")])
    with pytest.raises(UserError, match="the same run as"):
        measured([run, run])
    with pytest.raises(UserError, match="none given"):
        measured([])
    with pytest.raises(UserError, match="en and it rank nothing in common"):
        measured([{**run, "query_lang": "en"}, describe(trec({"q1": ["x"]}, "other.trec"), "it", "en")])
    with pytest.raises(UserError, match="depth"):
        measured([run], depth=0)


def test_the_command_measures_a_list_of_runs(trec, draw, judge, tmp_path):
    run = {name: value for name, value in describe(trec(RUN)).items() if name != "testset"}
    (tmp_path / "runs.json").write_text(json.dumps([run]))
    words = ["--runs", tmp_path / "runs.json", "--testset", "union", "--out", tmp_path / "bias.csv"]
    pool = ["--documents", draw(DOCUMENTS), "--judgements", judge(JUDGED)]
    assert main(["evaluate", "bias", *map(str, words), *map(str, pool)]) == 0
    table = read_table(tmp_path / "bias.csv", BIAS)
    assert dict(table.select("measure", "value").rows())["rank_distance"] == 3
    assert table["testset"].unique().to_list() == ["union"]
    assert main(["evaluate", "bias", *map(str, words)]) == 2


def test_the_help_says_what_the_measures_mean(capsys):
    assert main(["evaluate", "bias", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(measure in shown for measure in (*EVERY, "own_language_top10", "own_language_pool"))
