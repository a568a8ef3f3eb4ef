"""Candidates per query: from BM25, from a run, or all documents."""

import gzip

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, JUDGEMENTS, QUERIES, read_table, write_table
from switchrank.formats.vectors import write_vectors
from switchrank.rank.candidates import FirstStage, build_candidates


@pytest.fixture
def lists(collection, tmp_path):
    """Build candidates and give them as docids per query."""

    def build(**options):
        build_candidates(**collection, out=tmp_path / "out.parquet", **options)
        table = read_table(tmp_path / "out.parquet", CANDIDATES)
        assert table["rank"].to_list() == [n for _, g in table.group_by("qid", maintain_order=True) for n in _ranks(g)]
        return {str(name[0]): group["docid"].to_list() for name, group in table.group_by("qid", maintain_order=True)}

    return build


def _ranks(group: pl.DataFrame) -> range:
    return range(1, len(group) + 1)


def write_run_lines(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_queries_keep_source_order_and_those_without_a_positive_judgement_are_out(lists):
    assert list(lists(first_stage=FirstStage(all=True))) == ["q2", "q1", "q3"]


def test_all_documents_come_in_source_order(lists):
    assert lists(first_stage=FirstStage(all=True))["q3"] == ["d3", "d1", "d2", "d5", "d4"]


def test_bm25_puts_documents_with_more_query_words_first_and_breaks_ties_by_docid(lists):
    found = lists(first_stage=FirstStage(bm25=3))
    assert found["q2"] == ["d3", "d4", "d2"]
    assert found["q1"][:2] == ["d2", "d1"]


def test_bm25_ties_do_not_depend_on_the_order_of_the_documents(lists, collection):
    before = lists(first_stage=FirstStage(bm25=3))
    documents = read_table(collection["documents"], DOCUMENTS)
    write_table(documents.reverse(), collection["documents"], DOCUMENTS)
    assert lists(first_stage=FirstStage(bm25=3)) == before


@pytest.mark.parametrize("k", [1, 2, 4, 5, 50])
def test_bm25_gives_every_query_equally_many_distinct_candidates(lists, k):
    found = lists(first_stage=FirstStage(bm25=k))
    assert {len(docids) for docids in found.values()} == {min(k, 5)}
    assert all(len(set(docids)) == len(docids) for docids in found.values())


def test_the_random_fill_depends_on_the_seed_only(lists):
    one, again, other = (lists(first_stage=FirstStage(bm25=4), seed=seed)["q3"] for seed in (1, 1, 2))
    assert one == again
    assert any(lists(first_stage=FirstStage(bm25=4), seed=seed)["q3"] != one for seed in range(2, 6))
    assert set(other) <= {"d1", "d2", "d3", "d4", "d5"}


def test_every_query_has_a_random_fill_of_its_own(lists, collection):
    documents = [(f"d{n}", "stones", "") for n in range(1, 60)]
    queries = [(f"q{n}", "unicorn", "") for n in range(20)]
    judgements = [(f"q{n}", "d1", 1) for n in range(20)]
    for name, rows, schema in (
        ("documents", documents, DOCUMENTS),
        ("queries", queries, QUERIES),
        ("judgements", judgements, JUDGEMENTS),
    ):
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), collection[name], schema)
    filled = [frozenset(docids) for docids in lists(first_stage=FirstStage(bm25=10)).values()]
    assert len(set(filled)) == 20
    assert len(frozenset.union(*filled)) > 40


def test_a_missing_relevant_document_takes_the_last_place_of_an_irrelevant_one(lists):
    assert lists(first_stage=FirstStage(bm25=3), relevant="add")["q2"] == ["d3", "d4", "d5"]


def test_adding_keeps_the_number_of_candidates(lists):
    for k in (1, 2, 3, 5):
        assert {len(found) for found in lists(first_stage=FirstStage(bm25=k), relevant="add").values()} == {k}


def test_adding_gives_as_many_relevant_documents_as_there_is_room_for(lists):
    assert lists(first_stage=FirstStage(bm25=1), relevant="add")["q2"] == ["d3"]
    assert set(lists(first_stage=FirstStage(bm25=2), relevant="add")["q2"]) == {"d3", "d5"}


def test_a_run_gives_its_documents_by_rank_cut_to_the_depth(lists, tmp_path):
    run = write_run_lines(
        tmp_path / "r.trec", ["q2 Q0 d1 2 5 x", "q2 Q0 d4 1 9 x", "q2 Q0 d2 3 1 x", "q9 Q0 d1 1 1 x", "q1 Q0 d5 1 1 x"]
    )
    assert lists(first_stage=FirstStage(run=str(run))) == {"q2": ["d4", "d1", "d2"], "q1": ["d5"]}
    assert lists(first_stage=FirstStage(run=str(run), depth=2))["q2"] == ["d4", "d1"]
    filled = lists(first_stage=FirstStage(run=str(run), depth=4, fill=True))
    assert {len(docids) for docids in filled.values()} == {4}


def test_adding_to_a_run_without_depth_replaces_its_last_document(lists, tmp_path):
    run = write_run_lines(tmp_path / "r.trec", ["q2 Q0 d3 1 5 x", "q2 Q0 d4 2 4 x", "q2 Q0 d2 3 1 x"])
    found = lists(first_stage=FirstStage(run=str(run)), relevant="add")
    assert found == {"q2": ["d3", "d4", "d5"], "q1": ["d1"], "q3": ["d2"]}


def test_ms_marco_runs_and_top1000_files_are_read(lists, tmp_path):
    run = write_run_lines(tmp_path / "run.tsv", ["q2\td1\t2", "q2\td4\t1"])
    assert lists(first_stage=FirstStage(run=str(run)))["q2"] == ["d4", "d1"]
    top = tmp_path / "top1000.dev.gz"
    top.write_bytes(gzip.compress(b'q2\td5\tred fox\tsome "text\nq2\td1\tred fox\t\n'))
    assert lists(first_stage=FirstStage(run=str(top)))["q2"] == ["d5", "d1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [("q2 Q0 d77 1 1 x", "document d77"), ("q77 Q0 d1 1 1 x", "query q77"), ("q2\td1\tfirst", "r.trec: ")],
)
def test_a_run_with_strange_lines_is_an_error(lists, tmp_path, line, message):
    run = write_run_lines(tmp_path / "r.trec", [line])
    with pytest.raises(UserError, match=message):
        lists(first_stage=FirstStage(run=str(run)))


@pytest.mark.parametrize("given", [{}, {"bm25": 3, "all": True}, {"bm25": -1}, {"run": "x", "fill": True}])
def test_an_unusable_first_stage_is_an_error(lists, given):
    with pytest.raises(UserError, match="candidates"):
        lists(first_stage=FirstStage(**given))


def test_judged_documents_must_exist(collection, tmp_path):
    write_table(pl.DataFrame([("q1", "d0", 1)], schema=JUDGEMENTS, orient="row"), collection["judgements"], JUDGEMENTS)
    with pytest.raises(UserError, match="document d0"):
        build_candidates(**collection, first_stage=FirstStage(all=True), out=tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_unspaced_text_is_cut_by_the_vocabulary(collection, tmp_path):
    rows = [("d1", "redfox", ""), ("d2", "bluewhale", ""), ("d3", "sea", ""), ("d5", "whalesea", "")]
    write_table(pl.DataFrame(rows, schema=DOCUMENTS, orient="row"), collection["documents"], DOCUMENTS)
    words = ["red", "fox", "blue", "whale", "sea"]
    write_vectors(tmp_path / "vectors", words, np.eye(5, dtype=np.float32))
    build_candidates(
        **collection, first_stage=FirstStage(bm25=2), vocabulary=tmp_path / "vectors", out=tmp_path / "out.parquet"
    )
    table = read_table(tmp_path / "out.parquet", CANDIDATES)
    assert set(table.filter(pl.col("qid") == "q1")["docid"]) == {"d2", "d5"}


def test_the_command_writes_the_same_bytes_as_the_function(collection, tmp_path):
    flags = [word for name, path in collection.items() for word in (f"--{name}", str(path))]
    assert main(["rank", "candidates", *flags, "--bm25", "3", "--out", str(tmp_path / "a.parquet")]) == 0
    build_candidates(**collection, first_stage=FirstStage(bm25=3), out=tmp_path / "b.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
