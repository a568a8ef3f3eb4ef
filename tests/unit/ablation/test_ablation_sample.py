"""The labelled sample: nested, the same every time, and apart from the test sets."""

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.ablation.sample import check_no_overlap, sample_queries
from switchrank.cli import main
from switchrank.corpus.instances import build_instances
from switchrank.errors import UserError
from switchrank.formats.tables import INSTANCES, QUERIES, read_table

NAMES = [f"t{number}" for number in range(40)]


@pytest.fixture
def draw(tmp_path, split):
    """Draw a sample of the training split and give its query ids."""

    def draw(examples, seed=1, language="de", files=None, **options):
        out = tmp_path / "sample.parquet"
        sample_queries(**(files or split(NAMES)), examples=examples, seed=seed, language=language, out=out, **options)
        return read_table(out, QUERIES)["qid"].to_list()

    return draw


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(st.integers(0, 40), st.integers(0, 40), st.integers(), st.sampled_from(["de", "sw"]))
def test_of_two_samples_of_one_seed_and_language_the_smaller_begins_the_larger(draw, one, two, seed, language):
    small, large = sorted((one, two))
    begun = draw(small, seed, language)
    assert draw(large, seed, language)[:small] == begun
    assert len(set(begun)) == small


def test_equal_arguments_give_equal_bytes(tmp_path, split):
    files = split(NAMES)
    for name in ("a", "b"):
        sample_queries(**files, examples=16, seed=3, language="de", out=tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_seeds_and_languages_draw_independently(draw):
    samples = [draw(40, seed, language) for seed in (1, 2) for language in ("de", "sw")]
    assert all(sorted(sample) == sorted(NAMES) for sample in samples)
    assert len({tuple(sample) for sample in samples}) == 4
    assert len({tuple(sorted(sample[:10])) for sample in samples}) == 4


def test_no_query_is_moved_by_the_order_of_the_file_or_by_other_queries(draw, split):
    whole = draw(40)
    assert draw(20, files=split(NAMES[::2][::-1])) == [qid for qid in whole if qid in NAMES[::2]]


def test_texts_and_groups_come_along(tmp_path, split):
    files = split(NAMES)
    counts = sample_queries(**files, examples=3, seed=1, language="de", out=tmp_path / "s.parquet")
    sample = read_table(tmp_path / "s.parquet", QUERIES)
    assert set(sample.rows()) <= set(read_table(files["queries"], QUERIES).rows())
    assert counts == {"examples": 3, "eligible": 40, "left_out": 0}


def test_no_examples_give_an_empty_table(draw):
    assert draw(0) == []


def test_queries_without_a_relevant_document_that_is_there_are_not_drawn(draw, split, tmp_path):
    files = split(["a", "b"], unjudged=["x"])
    documents = pl.read_parquet(files["documents"]).filter(pl.col("docid") != "train-d-b")
    documents.write_parquet(tmp_path / "fewer.parquet")
    assert draw(1, files=files | {"documents": tmp_path / "fewer.parquet"}) == ["a"]
    assert sorted(draw(2, files=files)) == ["a", "b"]


def test_more_than_there_are_is_an_error_with_both_numbers_and_leaves_nothing(draw, split, tmp_path):
    files = split(NAMES)
    with pytest.raises(UserError, match="64 labelled queries of de asked for, 40 are eligible: ask for at most 40"):
        draw(64, files=files)
    with pytest.raises(UserError, match="examples: -1: give a whole number from 0"):
        draw(-1, files=files)
    assert not [path for path in tmp_path.iterdir() if path not in files.values()]


def test_training_pairs_can_be_made_of_the_sample_and_only_of_it(draw, split, tmp_path):
    files = split(NAMES)
    chosen = draw(5, files=files)
    counts = build_instances(
        **(files | {"queries": tmp_path / "sample.parquet"}), out=tmp_path / "instances.parquet", negatives=2
    )
    instances = read_table(tmp_path / "instances.parquet", INSTANCES)
    assert instances["qid"].unique(maintain_order=True).to_list() == chosen
    assert counts["positives"] == 5


@pytest.fixture
def compare(split):
    """Compare a labelled split with a test split."""

    def compare(strict=False, train=None, test=None, **options):
        labelled = split(**({"names": ["t0", "t1"]} | (train or {})))
        tested = split(**({"names": ["q0", "q1"], "side": "test"} | (test or {})))
        return check_no_overlap(
            sample=labelled["queries"],
            judgements=labelled["judgements"],
            test_queries=[tested["queries"]],
            test_judgements=[tested["judgements"]],
            strict_documents=strict,
            **options,
        )

    return compare


def test_splits_that_are_apart_pass_with_counts(compare):
    assert compare(strict=True) == {
        "labelled_queries": 2,
        "test_queries": 2,
        "relevant_documents": 2,
        "test_relevant_documents": 2,
        "shared_documents": 0,
    }


def test_a_planted_id_is_found(compare):
    with pytest.raises(UserError, match=r"query t1: is also a test query, of .*test-queries.parquet: leave it out"):
        compare(test={"names": ["q0", "t1"]})


def test_an_id_means_nothing_where_collections_number_their_queries_independently(compare):
    assert compare(test={"names": ["q0", "t1"]}, shared_ids=False)["labelled_queries"] == 2


def test_a_planted_text_is_found_in_other_case_spacing_and_composition(compare):
    texts = {"train": {"texts": {"t1": "Où  est le CAFE\u0301?"}}, "test": {"texts": {"q1": " où est\tle café?"}}}
    for shared_ids in (True, False):
        with pytest.raises(UserError, match="query t1: has the text of test query q1: leave it out"):
            compare(**texts, shared_ids=shared_ids)


def test_a_planted_document_is_found_where_asked_for_and_counted_always(compare):
    planted = {"train": {"documents": {"t1": "same"}}, "test": {"documents": {"q1": "same"}}}
    with pytest.raises(UserError, match="query t1: its document same is relevant for test query q1 too: leave it out"):
        compare(strict=True, **planted)
    assert compare(**planted)["shared_documents"] == 1


def test_documents_judged_irrelevant_are_no_overlap(compare):
    counts = compare(strict=True, train={"unjudged": ["t5"]}, test={"unjudged": ["q5"]})
    assert counts["shared_documents"] == 0


def test_nothing_to_compare_with_proves_nothing(split):
    labelled = split(["t0"])
    files = {"sample": labelled["queries"], "judgements": labelled["judgements"]}
    with pytest.raises(UserError, match="test queries: none: give the queries of every test set"):
        check_no_overlap(**files, test_queries=[], test_judgements=[], strict_documents=False)
    with pytest.raises(UserError, match="give the judgements of every test set"):
        check_no_overlap(**files, test_queries=[labelled["queries"]], test_judgements=[], strict_documents=True)


def test_a_sample_drawn_with_the_test_sets_named_passes_the_proof(draw, split, tmp_path):
    files = split(NAMES, documents={"t7": "same"}, texts={"t8": "Same text"})
    tested = split(["t3", "q1", "q2"], side="test", documents={"q1": "same"}, texts={"q2": "same text"})
    sides = {"test_queries": [tested["queries"]], "test_judgements": [tested["judgements"]], "strict_documents": True}
    with pytest.raises(UserError, match=r"40 labelled .* 37 are eligible \(3 more are too near to a test set\)"):
        draw(40, files=files, **sides)
    assert set(NAMES) - set(draw(37, files=files, **sides)) == {"t3", "t7", "t8"}
    counts = check_no_overlap(sample=tmp_path / "sample.parquet", judgements=files["judgements"], **sides)
    assert counts["labelled_queries"] == 37


def test_the_commands_draw_and_prove(split, tmp_path, capsys):
    files, tested = split(NAMES), split(["q0"], side="test")
    out = str(tmp_path / "sample.parquet")
    words = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert main(["ablation", "sample", *words, "--language", "de", "--examples", "4", "--out", out]) == 0
    assert json.loads(capsys.readouterr().out) == {"examples": 4, "eligible": 40, "left_out": 0}
    check = ["ablation", "overlap", "--sample", out, "--judgements", str(files["judgements"])]
    assert main([*check, "--test-queries", str(tested["queries"])]) == 0
    assert json.loads(capsys.readouterr().out)["labelled_queries"] == 4
    assert main([*check, "--test-queries", str(files["queries"])]) == 2
    assert "is also a test query" in capsys.readouterr().err
    assert main([*check, "--test-queries", str(files["queries"]), "--own-ids"]) == 2
    assert "has the text of test query" in capsys.readouterr().err


def test_a_table_of_another_schema_is_refused(draw, split):
    files = split(NAMES)
    with pytest.raises(UserError, match="columns: found"):
        draw(1, files=files | {"documents": files["judgements"]})
