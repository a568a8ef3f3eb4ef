"""The labelled sample: nested, the same every time, and apart from the test sets."""

import json

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.ablation.sample import Apart, check_no_overlap, divide, draw_new_queries, sample_queries
from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.corpus.instances import Pairing, build_instances
from switchrank.formats.tables import INSTANCES, QUERIES, read_table, write_table

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
        **(files | {"queries": tmp_path / "sample.parquet"}),
        out=tmp_path / "instances.parquet",
        pairing=Pairing(negatives=2),
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
            apart=Apart([tested["queries"]], [tested["judgements"]], strict_documents=strict, **options),
        )

    return compare


def test_splits_that_are_apart_pass_with_counts(compare):
    assert compare(strict=True) == {
        "labelled_queries": 2,
        "test_queries": 2,
        "relevant_documents": 2,
        "test_relevant_documents": 2,
        "shared_documents": 0,
        "training_queries": 0,
        "training_relevant_documents": 0,
        "trained_as_negatives": 0,
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
        check_no_overlap(**files, apart=Apart())
    with pytest.raises(UserError, match="give the judgements of every test set"):
        check_no_overlap(**files, apart=Apart([labelled["queries"]], strict_documents=True))


def test_a_sample_drawn_with_the_test_sets_named_passes_the_proof(draw, split, tmp_path):
    files = split(NAMES, documents={"t7": "same"}, texts={"t8": "Same text"})
    tested = split(["t3", "q1", "q2"], side="test", documents={"q1": "same"}, texts={"q2": "same text"})
    apart = Apart([tested["queries"]], [tested["judgements"]], strict_documents=True)
    with pytest.raises(UserError, match=r"40 labelled .* 37 are eligible \(3 more are too near to a test"):
        draw(40, files=files, apart=apart)
    assert set(NAMES) - set(draw(37, files=files, apart=apart)) == {"t3", "t7", "t8"}
    counts = check_no_overlap(sample=tmp_path / "sample.parquet", judgements=files["judgements"], apart=apart)
    assert counts["labelled_queries"] == 37


@pytest.fixture
def against(split):
    """Compare a labelled split with a training split, both far from one test query."""

    def against(labelled=None, trained=None, shared_ids=True, instances=None):
        files = split(**({"names": ["l0", "l1"], "side": "labels"} | (labelled or {})))
        training = split(**({"names": ["t0", "t1", "t2"]} | (trained or {})))
        tested = split(["q0"], side="test")
        return check_no_overlap(
            sample=files["queries"],
            judgements=files["judgements"],
            documents=files["documents"],
            apart=Apart(
                [tested["queries"]],
                [tested["judgements"]],
                strict_documents=True,
                training=[training | {"shared_ids": shared_ids, "instances": instances}],
            ),
        )

    return against


def test_labels_that_no_start_has_learned_pass_with_counts(against):
    counts = against()
    assert (counts["training_queries"], counts["training_relevant_documents"]) == (3, 3)
    assert (counts["labelled_queries"], counts["trained_as_negatives"]) == (2, 0)


@pytest.mark.parametrize(
    ("labelled", "trained", "problem"),
    [
        ({"names": ["l0", "t1"]}, {}, r"query t1: is also a training query, of .*train-queries\.parquet"),
        (
            {"texts": {"l1": "wo ist  das"}},
            {"texts": {"t2": "Wo ist das"}},
            "query l1: has the text of training query t2",
        ),
        (
            {"documents": {"l0": "same"}},
            {"documents": {"t1": "same"}},
            "query l0: its document same is relevant for training query t1 too",
        ),
        (
            {"passages": {"labels-d-l0": "One  passage"}},
            {"passages": {"train-d-t1": "one passage"}},
            "query l0: its document labels-d-l0 has the text of train-d-t1, relevant for training query t1",
        ),
    ],
)
def test_a_query_or_a_positive_that_a_start_has_learned_is_found(against, labelled, trained, problem):
    with pytest.raises(UserError, match=problem):
        against(labelled, trained)


def test_ids_of_another_collection_mean_nothing_and_its_texts_do(against):
    same = {"documents": {"t1": "same"}, "passages": {"same": "another text"}}
    counts = against({"names": ["l0", "t1"], "documents": {"l0": "same"}}, same, shared_ids=False)
    assert counts["labelled_queries"] == 2
    with pytest.raises(UserError, match="has the text of training query t0"):
        against({"texts": {"l0": "one text"}}, {"texts": {"t0": "One text"}}, shared_ids=False)


def test_positives_that_training_pairs_hold_as_negatives_are_counted_and_no_error(against, tmp_path):
    pairs = [
        (0, "t0", "train-d-t0", 1),
        (1, "t0", "labels-d-l1", 0),
        (2, "t1", "labels-d-l1", 0),
        (3, "t1", "other", 0),
    ]
    write_table(pl.DataFrame(pairs, schema=INSTANCES, orient="row"), tmp_path / "pairs.parquet", INSTANCES)
    assert against(instances=tmp_path / "pairs.parquet")["trained_as_negatives"] == 1


def test_what_a_start_has_learned_is_not_drawn(draw, split):
    files = split(NAMES, side="labels")
    training = split(["t3", "x"], documents={"x": "labels-d-t5"}) | {"shared_ids": True}
    with pytest.raises(UserError, match=r"38 are eligible \(2 more are too near to a test set or to what starts"):
        draw(40, files=files, apart=Apart(training=[training]))
    assert set(NAMES) - set(draw(38, files=files, apart=Apart(training=[training]))) == {"t3", "t5"}


def test_documents_are_needed_to_compare_with_training(split):
    files = split(["l0"], side="labels")
    with pytest.raises(UserError, match="documents: none to compare with those of training"):
        check_no_overlap(
            sample=files["queries"],
            judgements=files["judgements"],
            apart=Apart([split(["q0"], side="test")["queries"]], training=[split(["t0"]) | {"shared_ids": True}]),
        )


def test_one_label_of_four_is_held_out_and_none_changes_sides():
    tuned, judged = divide([f"q{place}" for place in range(8)], 0.25)
    assert (tuned, judged) == (["q0", "q1", "q2", "q4", "q5", "q6"], ["q3", "q7"])
    assert divide(["a", "b"], 0.0) == (["a", "b"], [])


@given(st.integers(0, 60), st.integers(0, 60), st.floats(0.0, 0.99))
def test_a_smaller_sample_has_the_same_labels_held_out(one, two, share):
    small, large = sorted((one, two))
    try:
        of_small, of_large = (divide(list(map(str, range(count))), share) for count in (small, large))
    except UserError:
        return
    for few, many in zip(of_small, of_large, strict=True):
        assert few == many[: len(few)]
    assert len(of_large[1]) in {int(large * share), int(large * share) - 1}


@pytest.mark.parametrize(("count", "share"), [(2, 0.25), (3, 0.0001)])
def test_a_share_that_holds_out_nothing_is_an_error(count, share):
    with pytest.raises(UserError, match=r"held_out: .* leaves none held out"):
        divide([str(place) for place in range(count)], share)


def test_drawing_and_proof_leave_both_sides_and_the_counts(split, tmp_path):
    files, tested = split(NAMES, side="labels"), split(["q0"], side="test")
    draw_new_queries(
        queries=files["queries"],
        judgements=files["judgements"],
        out=tmp_path / "tuned.parquet",
        held_out_to=tmp_path / "held.parquet",
        overlap=tmp_path / "overlap.json",
        documents=files["documents"],
        apart=Apart(
            [tested["queries"]],
            [tested["judgements"]],
            strict_documents=True,
            training=[split(["x"]) | {"shared_ids": True}],
        ),
        examples=8,
        seed=1,
        language="de",
        held_out=0.25,
    )
    sides = [read_table(tmp_path / f"{name}.parquet", QUERIES)["qid"].to_list() for name in ("tuned", "held")]
    counts = json.loads((tmp_path / "overlap.json").read_text())
    assert [len(side) for side in sides] == [6, 2]
    assert [counts[side]["labelled_queries"] for side in ("tuned_on", "held_out")] == [6, 2]
    assert not set(sides[0]) & set(sides[1])


def test_the_commands_draw_and_prove(split, tmp_path, capsys):
    files, tested = split(NAMES), split(["q0"], side="test")
    out = str(tmp_path / "sample.parquet")
    words = [word for name, path in files.items() for word in (f"--{name}", str(path))]
    assert main(["ablation", "sample", *words, "--language", "de", "--examples", "4", "--out", out]) == 0
    assert json.loads(capsys.readouterr().out) == {"examples": 4, "eligible": 40, "left_out": 0}
    check = ["ablation", "overlap", "--sample", out, "--judgements", str(files["judgements"])]
    learned = [word for name, path in files.items() for word in (f"--train-{name}", str(path))]
    trained = [*check, "--documents", str(files["documents"]), "--test-queries", str(tested["queries"]), *learned]
    assert main(trained) == 2
    assert "is also a training query" in capsys.readouterr().err
    assert main([*trained, "--train-own-ids"]) == 2
    assert "has the text of training query" in capsys.readouterr().err
    assert main([*trained[:-2], "--train-own-ids"]) == 2
    assert "1 queries, 1 judgements, 0 documents: give as many of each" in capsys.readouterr().err
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
