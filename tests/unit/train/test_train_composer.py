"""A batch has the languages that are asked for, in their shares, no text twice, and depends on its step alone."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, chisquare

from switchrank.core.errors import UserError
from switchrank.formats.tables import CORPUS, SCORES, write_table
from switchrank.train.batch_texts import TextFinder
from switchrank.train.composer import Batches, Composer
from switchrank.train.parallel import ParallelPairs

KINDS = [
    Batches("mono"),
    Batches("cross"),
    Batches("cross", cross="batch"),
    Batches("hybrid"),
    Batches("mixed"),
    Batches("mixed", languages="size"),
]


def rows_of(language, numbers, passage_language=None):
    """For each number a query, its passage, and a negative, which is the passage of number + 100."""
    for number in numbers:
        for label, passage in ((1, number), (0, number + 100)):
            languages = language, passage_language or language
            texts = f"{languages[0]} query {number}", f"{languages[1]} passage {passage}"
            yield f"q{number}", texts[0], f"p{passage}", texts[1], label, *languages


@pytest.fixture
def made(tmp_path):
    """Write a table for each list of rows and open the pairs."""

    def made(*tables, parallel=True, prompts=None):
        paths = [tmp_path / f"{number}.parquet" for number in range(len(tables))]
        for path, rows in zip(paths, tables, strict=True):
            write_table(pl.DataFrame(list(rows), schema=CORPUS, orient="row"), path, CORPUS)
        return ParallelPairs(paths, prompts or {}, parallel=parallel)

    return made


@pytest.fixture
def three(made):
    """Forty pairs in English and German, half of them in Turkish too."""
    return made(rows_of("en", range(40)), rows_of("de", range(40)), rows_of("tr", range(20)))


def drawn(pairs, batches, steps, size=8, seed=1):
    """Pairs ``(steps, size)`` and languages ``(steps, size, 2)``."""
    numbers, query, passage = pairs.parts(Composer(pairs, size, seed, batches).rows(0, steps))
    return numbers.reshape(steps, size), np.stack([query, passage], axis=-1).reshape(steps, size, 2)


def test_equal_ids_are_the_same_pair_in_all_languages(three):
    assert three.languages == ["de", "en", "tr"]
    assert len(three) == 40
    assert three.counts().tolist() == [[40, 40, 20], [40, 40, 20], [20, 20, 20]]
    assert three.texts[three.queries[three.query[3]]].to_list() == ["de query 3", "en query 3", "tr query 3"]
    assert three.texts[three.passages[three.passage[30], [0, 1]]].to_list() == ["de passage 30", "en passage 30"]
    assert three.passages[three.passage[30], 2] == -1


def test_ids_that_are_not_parallel_are_others_in_each_language(made):
    pairs = made(rows_of("en", range(4)), rows_of("de", range(4)), parallel=False)
    assert len(pairs) == 8
    assert pairs.counts().tolist() == [[4, 0], [0, 4]]


def test_bitext_rows_have_one_language_on_each_side(made):
    pairs = made(rows_of("en", range(8), "sw"))
    assert pairs.counts().tolist() == [[0, 8], [0, 0]]
    assert (drawn(pairs, Batches("cross"), 5)[1] == [0, 1]).all()


def test_of_several_texts_of_an_id_the_first_counts_and_prompts_stand_before_texts(made):
    rows = [("q", text, "p", "passage", 1, "en", "en") for text in ("first", "second")]
    pairs = made(rows, prompts={"query": "query: ", "document": "passage: "})
    assert len(pairs) == 1
    assert pairs.texts[[pairs.queries[0, 0], pairs.passages[0, 0]]].to_list() == ["query: first", "passage: passage"]


@settings(max_examples=10)
@given(data=st.data(), batches=st.sampled_from(KINDS), seed=st.integers(0, 5))
def test_a_batch_holds_no_id_and_no_text_twice_in_languages_that_its_pairs_have(tmp_path_factory, data, batches, seed):
    languages = st.lists(st.sampled_from(["en", "de", "tr"]), min_size=2, max_size=3, unique=True)
    rows = []
    for number in range(data.draw(st.integers(12, 20))):
        text = number % 11  # some texts belong to several ids
        for language in data.draw(languages):
            rows.append(
                (f"q{number}", f"{language} {number}", f"p{number % 14}", f"{language} t{text}", 1, language, language)
            )
    path = tmp_path_factory.mktemp("drawn") / "table.parquet"
    write_table(pl.DataFrame(rows, schema=CORPUS, orient="row"), path, CORPUS)
    pairs = ParallelPairs([path], {})
    try:
        numbers, both = drawn(pairs, batches, 6, size=4, seed=seed)
    except UserError as error:
        if "fewer than a batch of 4" in str(error) or "cannot be filled without a text twice" in str(error):
            return
        raise
    for some, (query, passage) in zip(numbers, both.transpose(0, 2, 1), strict=True):
        assert pairs.has(some, query, passage).all()
        texts = [*pairs.queries[pairs.query[some], query], *pairs.passages[pairs.passage[some], passage]]
        assert len(set(texts)) == 8
        assert len({*pairs.query[some]}) == len({*pairs.passage[some]}) == 4
        if batches.mixture in ("mono", "mixed"):
            assert (query == passage).all()
        if batches.mixture == "cross":
            assert (query != passage).all()
        if batches.mixture == "mono" or (batches.mixture, batches.cross) == ("cross", "batch"):
            assert len({*query}) == len({*passage}) == 1


@pytest.mark.parametrize("batches", KINDS, ids=str)
def test_a_batch_depends_on_seed_and_step_alone(three, batches):
    composer = Composer(three, 8, 1, batches)
    together = composer.rows(0, 20).reshape(20, 8)
    for step in (19, 3, 3, 0):
        np.testing.assert_array_equal(Composer(three, 8, 1, batches).rows(step, step + 1), together[step])
    np.testing.assert_array_equal(composer.rows(4, 9).reshape(5, 8), together[4:9])
    assert not np.array_equal(Composer(three, 8, 2, batches).rows(0, 20), together.ravel())


def test_batches_of_all_kinds_hold_the_same_pairs_where_all_are_in_all_languages(made):
    pairs = made(*(rows_of(language, range(30)) for language in ("en", "de", "tr")))
    first, *others = (drawn(pairs, batches, 10)[0] for batches in KINDS)
    for other in others:
        np.testing.assert_array_equal(first, other)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_hybrid_batches_are_mono_in_their_share(three, share):
    _, both = drawn(three, Batches("hybrid", mono=share), 400)
    mono = (both[..., 0] == both[..., 1]).all(1)
    assert mono.sum() + (both[..., 0] != both[..., 1]).all(1).sum() == 400
    assert binomtest(int(mono.sum()), 400, share).pvalue > 0.01


@pytest.mark.parametrize("batches", KINDS[:2] + KINDS[2:3] + KINDS[4:], ids=str)
def test_languages_are_drawn_uniformly_or_by_size(three, batches):
    _, both = drawn(three, batches, 600 if batches.mixture == "mono" or batches.cross == "batch" else 100)
    whole = batches.mixture == "mono" or (batches.mixture == "cross" and batches.cross == "batch")
    rows = both[:, 0] if whole else both.reshape(-1, 2)
    allowed = np.argwhere(np.eye(3, dtype=bool) == (batches.mixture != "cross"))
    found = [int((rows == one).all(1).sum()) for one in allowed]
    assert sum(found) == len(rows)
    sizes = np.array([2, 2, 1]) if batches.languages == "size" else np.ones(len(found))
    assert chisquare(found, sizes / sizes.sum() * len(rows)).pvalue > 0.01


def test_pairs_are_drawn_uniformly(made):
    pairs = made(rows_of("en", range(20)))
    numbers, _ = drawn(pairs, Batches("mono"), 500, size=4)
    assert chisquare(np.bincount(numbers.ravel(), minlength=20)).pvalue > 0.01


def test_a_rare_language_fills_its_batches_with_the_few_pairs_it_has(made):
    pairs = made(rows_of("en", range(90)), rows_of("sw", range(50, 58)))
    numbers, both = drawn(pairs, Batches("mono"), 30)
    rare = (both == 1).all((1, 2))
    assert rare.any()
    assert (np.sort(pairs.query[numbers[rare]]) == np.arange(50, 58)).all()


@pytest.mark.parametrize(
    ("tables", "batches", "problem"),
    [
        ([("en", 20)], Batches("cross"), "batches: no pair has query and passage in two languages, of en: give tables"),
        (
            [("en", 20)],
            Batches("hybrid"),
            "batches: no pair has query and passage in two languages, of en: give tables",
        ),
        (
            [("en", 20, "sw")],
            Batches("mono"),
            "batches: no pair has query and passage in one language, of en, sw: give",
        ),
        (
            [("en", 20), ("sw", 7)],
            Batches("mono"),
            "batch_size: 7 distinct pairs in sw, fewer than a batch of 8: lower it, or leave that language out",
        ),
        (
            [("en", 20), ("sw", 7)],
            Batches("cross", cross="batch"),
            "batch_size: 7 distinct pairs in en-sw, fewer than a batch of 8: lower it, or leave that language out",
        ),
        ([("en", 7), ("sw", 7)], Batches("cross"), "batch_size: 7 distinct pairs, fewer than a batch of 8: lower it"),
    ],
)
def test_languages_and_pairs_that_are_too_few_are_one_line(made, tables, batches, problem):
    pairs = made(*(rows_of(language, range(count), *more) for language, count, *more in tables))
    with pytest.raises(UserError, match=problem) as told:
        Composer(pairs, 8, 1, batches)
    assert "\n" not in str(told.value)


def test_a_batch_that_cannot_be_filled_without_a_text_twice_is_one_line(made):
    rows = [(f"q{number}", f"query {number}", f"p{number}", f"text {number % 5}", 1, "en", "en") for number in range(9)]
    problem = "step 0: 3 of 8 rows in en cannot be filled without a text twice: lower batch_size, or give more pairs"
    with pytest.raises(UserError, match=problem):
        Composer(made(rows), 8, 1, Batches("mono")).rows(0, 1)


def test_a_table_without_a_relevant_passage_is_one_line(made):
    with pytest.raises(UserError, match="no row with label 1: give tables with queries and relevant passages"):
        made([("q", "query", "p", "passage", 0, "en", "en")])


def test_negatives_are_in_the_language_of_the_passage_and_no_text_of_the_batch(three):
    finder = TextFinder(three, 1, negatives=2, copies=False)
    for step in range(10):
        units = Composer(three, 8, 1, Batches("cross")).rows(step, step + 1)
        batch = finder.of(step, units)
        assert batch.texts.shape == (8, 4)
        pairs, _, languages = three.parts(units)
        np.testing.assert_array_equal(batch.candidates[:, 0], three.passage[pairs])
        for row, language in enumerate(languages):
            told = f"{three.languages[language]} passage {100 + pairs[row]}"
            assert three.texts[int(batch.texts[row, 2])] == told
        assert (batch.texts[:, 3] == -1).all()
        assert (batch.candidates[:, 2] == -1).all()
        assert len({*batch.texts[:, :3].ravel()}) == 24


def test_a_negative_that_is_in_the_batch_already_is_passed_over(made):
    rows = [
        ("q1", "one", "p1", "passage one", 1, "en", "en"),
        ("q1", "one", "p2", "passage two", 0, "en", "en"),
        ("q1", "one", "p3", "passage two", 0, "en", "en"),
        ("q2", "two", "p2", "passage two", 1, "en", "en"),
        ("q2", "two", "p4", "passage four", 0, "en", "en"),
    ]
    pairs = made(rows)
    batch = TextFinder(pairs, 1, negatives=3, copies=False).of(0, pairs.units(np.arange(2), np.zeros((2, 2), np.int64)))
    assert (batch.texts[:, 2:] >= 0).tolist() == [[False] * 3, [True, False, False]]


def test_a_copy_is_the_same_text_in_any_other_language(three):
    finder, units = TextFinder(three, 1, negatives=0, copies=True), Composer(three, 8, 1, Batches("mixed")).rows(0, 200)
    pairs, languages, _ = three.parts(units)
    batch = finder.of(0, units)
    copies = batch.texts[:, 2]
    found = np.array(
        [three.queries[three.query[pair]].tolist().index(text) for pair, text in zip(pairs, copies, strict=True)]
    )
    assert (found != languages).all()
    to_turkish = (found == 2) & (pairs < 20) & (languages != 2)
    assert binomtest(int(to_turkish.sum()), int(((pairs < 20) & (languages != 2)).sum()), 0.5).pvalue > 0.01


def test_a_text_in_one_language_only_has_no_copy(made):
    pairs = made(rows_of("en", range(3)))
    units = pairs.units(np.arange(3), np.zeros((3, 2), np.int64))
    assert (TextFinder(pairs, 1, negatives=0, copies=True).of(0, units).texts[:, 2:] == -1).all()


def test_known_positives_and_scores_are_found_by_ids(three, tmp_path):
    queries, passages = np.arange(4), three.passage[:4]
    np.testing.assert_array_equal(three.is_relevant(queries[:, None], passages), np.eye(4, dtype=bool))
    frame = pl.DataFrame([("q1", "p1", 2.5), ("q1", "p101", -1.0), ("other", "p1", 9.0)], schema=SCORES, orient="row")
    write_table(frame, tmp_path / "scores.parquet", SCORES)
    scores = three.scores(tmp_path / "scores.parquet")
    ids = np.array([[three.passage[1], three.negatives(1)[0], -1]])
    np.testing.assert_array_equal(scores.of(np.array([[1]]), ids), [[2.5, -1.0, np.nan]])
    write_table(frame[2:], tmp_path / "scores.parquet", SCORES)
    with pytest.raises(UserError, match=r"scores\.parquet: no pair of the corpus: give scores of the pairs"):
        three.scores(tmp_path / "scores.parquet")
