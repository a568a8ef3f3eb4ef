"""Code-switching: what changes, what stays, and that draws depend on nothing but their key."""

import json
import re
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from switchrank.core.errors import UserError
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.corpus.files import corpus_files
from switchrank.corpus.switch import switch_corpus
from switchrank.corpus.tokens import build_tokens
from switchrank.corpus.translate import switch_lines
from switchrank.formats.tables import CORPUS, DOCUMENTS, INSTANCES, LEXICON, QUERIES, read_table, write_table
from switchrank.formats.vectors import write_vectors
from switchrank.switching.recipe import read_recipe
from switchrank.switching.table import Units, without_overlaps
from switchrank.text.words import join_words, key, split_words


def write_lexicon(path, pairs):
    rows = [
        (source, target, None, rank)
        for source, targets in pairs.items()
        for rank, target in enumerate(targets.split("|"), 1)
    ]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), path, LEXICON)
    return str(path)


@pytest.fixture
def switch(tmp_path):
    """Switches lines with lexicons given as dictionaries (targets parted by |)."""

    def switch(lines, lexicons, **recipe):
        paths = {name: write_lexicon(tmp_path / f"{name}.parquet", pairs) for name, pairs in lexicons.items()}
        return switch_lines(lines, lexicons=paths, recipe={"p": 1.0, **recipe})

    return switch


def test_words_are_matched_whole_and_punctuation_and_case_of_the_rest_stay(switch):
    lexicon = {"cat": "katze", "card": "karte"}
    assert switch(["A CAT, a category:\tcard?", ""], {"de": lexicon}) == ["A katze, a category:\tkarte?", ""]


def test_phrases_go_first_the_longest_then_the_leftmost(switch):
    lexicon = {
        "new": "neu",
        "york": "eber",
        "new york": "NY",
        "york city": "YC",
        "new york city": "NYC",
        "city": "stadt",
    }
    assert switch(["new york city", "new  york\ncity", "york city new york", "new york, city"], {"de": lexicon}) == [
        "NYC",
        "NYC",
        "YC NY",
        "NY, stadt",
    ]
    assert switch(["new york city"], {"de": {"new york": "NY", "york city": "YC"}}) == ["NY city"]


def test_a_phrase_needs_white_space_between_its_words(switch):
    lexicon = {"spider man": "spinne", "man": "mann"}
    assert switch(["spider-man spider man", "spider", "man spider"], {"de": lexicon}) == [
        "spider-mann spinne",
        "spider",
        "mann spider",
    ]


@pytest.fixture
def chinese(tmp_path):
    """What cuts Chinese: the words of a vector store."""
    words = ["喜欢", "猫", "天空", "很"]
    write_vectors(tmp_path / "zh", words, np.eye(len(words), dtype=np.float32))
    return tmp_path / "zh"


def test_words_of_unspaced_text_are_found_and_replaced_with_spaces_where_words_touch(chinese, tmp_path):
    lexicon = {"de": write_lexicon(tmp_path / "de.parquet", {"喜欢": "mag", "猫": "Katze", "天空": "Himmel"})}
    lines = ["我喜欢猫。", "猫，天空很蓝", "很 猫 很", "没有", "猫猫"]
    switched = ["我 mag Katze。", "Katze，Himmel 很蓝", "很 Katze 很", "没有", "Katze Katze"]
    options = {"lexicons": lexicon, "recipe": {"p": 1.0, "source": "zh"}}
    assert switch_lines(lines, **options, vocabulary=chinese) == switched
    assert switch_lines(["我喜欢猫。"], **options) == ["我喜欢Katze。"]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.text(alphabet="我喜欢猫天空很, a。", max_size=12)), p=st.sampled_from([0.0, 0.5, 1.0]))
def test_unspaced_text_without_its_replaced_words_and_their_spaces_keeps_every_character(chinese, tmp_path, lines, p):
    lexicon = {"de": write_lexicon(tmp_path / "de.parquet", {"喜欢": "X", "猫": "X", "天空": "X"})}
    switched = switch_lines(lines, lexicons=lexicon, recipe={"p": p, "source": "zh"}, vocabulary=chinese)
    for line, other in zip(lines, switched, strict=True):
        back = re.escape(other).replace("X", "(喜欢|猫|天空)").replace("\\ ", " ?")
        assert re.fullmatch(back, line)
        assert p or line == other


def test_stop_words_stay_when_dropped_but_not_inside_phrases(switch):
    lexicon = {"the": "die", "cat": "katze", "the who": "dwho"}
    assert switch(["the cat the who"], {"de": lexicon}) == ["die katze dwho"]
    assert switch(["the cat the who"], {"de": lexicon}, drop_stopwords=True) == ["the katze dwho"]


def test_the_best_translation_is_used_unless_several_are_asked_for(switch):
    lexicon = {"cat": "katze|kater|mieze"}
    lines = ["cat " * 30]
    assert set(switch(lines, {"de": lexicon})[0].split()) == {"katze"}
    assert set(switch(lines, {"de": lexicon}, translations=2)[0].split()) == {"katze", "kater"}
    assert set(switch(lines, {"de": lexicon}, translations=9)[0].split()) == {"katze", "kater", "mieze"}


def test_a_word_the_drawn_language_lacks_stays(switch):
    lexicons = {"de": {"cat": "katze"}, "it": {"dog": "cane"}}
    words = switch(["cat dog " * 200], lexicons)[0].split()
    assert set(words) == {"katze", "cat", "cane", "dog"}
    assert 150 < words.count("cat") + words.count("dog") < 250


def test_one_language_per_text_mixes_across_texts_only(switch):
    lexicons = {name: {"cat": f"{name}-cat"} for name in ("de", "it")}
    lines = switch(["cat cat cat"] * 300, lexicons, mix="instance")
    kinds = [set(line.split()) for line in lines]
    assert all(len(kind) == 1 for kind in kinds)
    for kind in ({"de-cat"}, {"it-cat"}, {"cat"}):
        assert 60 < kinds.count(kind) < 140


def peer(line, number, lexicons, recipe, side="query"):
    """Switching as the method says it, one word at a time."""
    words, gaps = split_words(line)
    u = counter_uniform(derive_seed(1, "switch", side), number, np.arange(len(words)))
    draw = counter_uniform(derive_seed(1, "language", side), number, np.arange(len(words)))
    names = list(lexicons)
    language = [names[int(draw[i] * len(names))] for i in range(len(words))]

    def longest_first(candidates):
        taken, kept = set(), []
        for start, length, name in sorted(candidates, key=lambda unit: (-unit[1], unit[0])):
            if not taken & set(range(start, start + length)):
                taken |= set(range(start, start + length))
                kept.append((start, length, name))
        return kept

    def found(name):
        for start in range(len(words)):
            for length in (1, 2, 3):
                inner = gaps[start + 1 : start + length]
                phrase = " ".join(map(key, words[start : start + length]))
                if start + length <= len(words) and phrase in lexicons[name] and all(gap.isspace() for gap in inner):
                    yield start, length, name

    units = [unit for name in names for unit in longest_first(found(name))]
    units = longest_first([unit for unit in units if u[unit[0]] < recipe["p"] and language[unit[0]] == unit[2]])
    for start, length, name in units:
        target = lexicons[name][" ".join(map(key, words[start : start + length]))]
        words[start : start + length] = [target, *[""] * (length - 1)]
        gaps[start + 1 : start + length] = [""] * (length - 1)
    return join_words(words, gaps)


source = st.lists(st.sampled_from("abcd"), min_size=1, max_size=3).map(" ".join)
lines = st.lists(
    st.lists(st.sampled_from([*"abcdABe", " ", " ", " ", ",", "\n"]), max_size=24).map(" ".join), max_size=4
)


@settings(max_examples=60, deadline=None)
@given(
    lines,
    st.lists(st.dictionaries(source, st.sampled_from(["x", "Y Z", "-"]), min_size=1), min_size=2, max_size=3),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_array_switching_equals_switching_word_by_word(tmp_path_factory, lines, lexicons, p):
    folder = tmp_path_factory.mktemp("lexicons")
    named = dict(zip(("de", "it", "nl"), lexicons, strict=False))
    paths = {name: write_lexicon(folder / f"{name}.parquet", pairs) for name, pairs in named.items()}
    expected = [peer(line, number, named, {"p": p}) for number, line in enumerate(lines)]
    assert switch_lines(lines, lexicons=paths, recipe={"p": p}) == expected


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_with_p_0_every_byte_stays_and_with_p_1_every_known_word_goes(tmp_path_factory, lines):
    known = sorted({key(word) for line in lines for word in split_words(line)[0]})
    path = tmp_path_factory.getbasetemp() / "all.parquet"
    lexicon = {"de": write_lexicon(path, dict.fromkeys(known or ["x"], "ZIEL"))}
    assert switch_lines(lines, lexicons=lexicon, recipe={"p": 0.0}) == lines
    for line, switched in zip(lines, switch_lines(lines, lexicons=lexicon, recipe={"p": 1.0}), strict=True):
        words, gaps = split_words(line)
        assert switched == join_words(["ZIEL"] * len(words), gaps)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 4)), unique=True))
def test_of_overlapping_units_the_longest_then_the_first_remain(spans):
    start, length = (np.array([span[i] for span in spans], dtype=np.int64) for i in (0, 1))
    kept = without_overlaps(Units(start, length, start, length), 40)
    taken, expected = set(), []
    for begin, size in sorted(spans, key=lambda span: (-span[1], span[0])):
        if not taken & set(range(begin, begin + size)):
            taken |= set(range(begin, begin + size))
            expected.append((begin, size))
    assert list(zip(kept.start.tolist(), kept.length.tolist(), strict=True)) == sorted(expected)


QUERY_TEXTS = ["Where is the cat?", "Who saw a dog", "the bird"]
PASSAGES = [f"The cat {n} saw the dog, not a bird. Birdsong!" for n in range(4)]
ENTRIES = {"cat": "katze", "dog": "hund", "the": "die", "bird": "vogel", "saw the": "sah den"}


@pytest.fixture
def corpus(tmp_path):
    """Writes a corpus of 240 instances with the given recipe; returns its rows and statistics."""
    queries = [(f"q{n}", text, "g") for n, text in enumerate(QUERY_TEXTS)]
    documents = [(f"d{n}", text, "g") for n, text in enumerate(PASSAGES)]
    pairs = [(n, f"q{n % 3}", f"d{n // 3 % 4}", int(n % 5 == 0)) for n in range(240)]
    for name, rows, schema in (
        ("queries", queries, QUERIES),
        ("documents", documents, DOCUMENTS),
        ("instances", pairs, INSTANCES),
    ):
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / f"{name}.parquet", schema)
    for name in ("queries", "documents"):
        build_tokens(texts=tmp_path / f"{name}.parquet", out=tmp_path / f"tokens-{name}")
    lexicons = {
        name: write_lexicon(
            tmp_path / f"{name}.parquet", {source: f"{name}:{target}" for source, target in ENTRIES.items()}
        )
        for name in ("de", "it")
    }

    def corpus(
        query,
        passage,
        *,
        name="train",
        lexicons=lexicons,
        instances=tmp_path / "instances.parquet",
        threads=1,
        **recipe,
    ):
        recipe = {"sides": {"query": query, "passage": passage}, **recipe}
        if "xx" in (query, passage):
            recipe.setdefault("languages", ["de", "it"])
        out = tmp_path / "corpus"
        stats = switch_corpus(
            instances=instances,
            queries=tmp_path / "tokens-queries",
            documents=tmp_path / "tokens-documents",
            lexicons=lexicons,
            recipe=recipe,
            out=out,
            name=name,
            threads=threads,
        )
        files = corpus_files(shards=recipe.get("shards", 1), name=name)
        frames = [read_table(out / file, CORPUS) for file in files if file.endswith("parquet")]
        return pl.concat(frames), stats

    corpus.folder = tmp_path
    return corpus


def test_source_sides_are_the_source_text_in_instance_order(corpus):
    rows, stats = corpus("en", "en")
    assert rows.row(4) == ("q1", QUERY_TEXTS[1], "d1", PASSAGES[1], 0, "en", "en")
    assert rows["qid"].to_list() == [f"q{n % 3}" for n in range(240)]
    assert rows["passage"].to_list() == [PASSAGES[n // 3 % 4] for n in range(240)]
    assert stats["total"]["switched"] == 0
    assert stats["query"]["tokens"] == 80 * (4 + 4 + 2)


def test_sides_are_switched_to_their_own_language(corpus):
    rows, stats = corpus("en", "de", p=1.0)
    assert set(rows["passage"].to_list()) == {
        f"de:die de:katze {n} de:sah den de:hund, not a de:vogel. Birdsong!" for n in range(4)
    }
    assert rows["query"].to_list()[:3] == QUERY_TEXTS
    assert rows.select("query_lang", "passage_lang").unique().rows() == [("en", "de")]
    assert stats["passage"] == {
        "texts": 240,
        "tokens": 2400,
        "switched": 1440,
        "content_tokens": 1440,
        "content_switched": 960,
        "languages": {"de": {"switched": 1440, "content_switched": 960, "covered": 720}},
    }


def test_statistics_are_canonical_json_beside_the_shards(corpus):
    _, stats = corpus("xx", "xx", shards=3)
    folder = corpus.folder / "corpus"
    assert sorted(path.name for path in folder.iterdir()) == sorted(corpus_files(shards=3))
    assert (folder / "stats.json").read_text() == json.dumps(stats, sort_keys=True, indent=1) + "\n"
    for count in ("tokens", "switched", "content_tokens", "content_switched"):
        assert stats["total"][count] == stats["query"][count] + stats["passage"][count]
    assert stats["total"]["switched"] == sum(part["switched"] for part in stats["total"]["languages"].values())


def test_half_of_the_known_words_are_switched_and_half_of_them_to_each_language(corpus):
    _, all_switched = corpus("xx", "xx", p=1.0)
    rows, stats = corpus("xx", "xx", p=0.5)
    ratio = stats["total"]["switched"] / all_switched["total"]["switched"]
    assert 0.45 < ratio < 0.55
    share = stats["total"]["languages"]["de"]["switched"] / stats["total"]["switched"]
    assert 0.45 < share < 0.55
    assert rows.select("query_lang", "passage_lang").unique().rows() == [("xx", "xx")]


def test_equal_texts_of_different_instances_are_drawn_anew(corpus):
    rows, _ = corpus("xx", "xx")
    assert rows.filter(pid="d0")["passage"].n_unique() > 20


def test_one_language_per_instance_is_labelled_and_drawn_per_side(corpus):
    rows, _ = corpus("xx", "xx", p=1.0, mix="instance")
    counts = rows.group_by("query_lang", "passage_lang").len()
    assert counts.height == 9
    for query, passage, language, other in rows.select("query", "passage", "query_lang", "passage_lang").rows():
        assert (language == "en") == (query in QUERY_TEXTS)
        assert (other == "en") == (passage in PASSAGES)
        assert passage.startswith(f"{other}:" if other != "en" else "The")
    without, _ = corpus("xx", "xx", p=1.0, mix="instance", include_source=False)
    assert sorted(without["query_lang"].unique()) == ["de", "it"]


@pytest.mark.parametrize("recipe", [{}, {"mix": "instance", "p": 1.0}, {"translations": 3}])
def test_shards_and_blocks_do_not_change_a_row(corpus, recipe, monkeypatch):
    whole, stats = corpus("xx", "xx", **recipe)
    monkeypatch.setattr("switchrank.corpus.switch._BLOCK_WORDS", 50)
    monkeypatch.setattr("switchrank.corpus.switch._JOINED_ROWS", 7)
    cut, cut_stats = corpus("xx", "xx", shards=7, **recipe)
    assert cut.equals(whole)
    assert cut_stats == stats


def parquet_bytes(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.parquet"))}


@pytest.mark.parametrize("recipe", [{}, {"mix": "instance", "p": 1.0}, {"translations": 3, "shards": 3}])
def test_threads_and_blocks_do_not_change_a_byte(corpus, recipe, monkeypatch):
    _, stats = corpus("xx", "xx", **recipe)
    once = parquet_bytes(corpus.folder / "corpus")
    for threads, words in ((1, 50), (2, 50), (5, 7)):
        monkeypatch.setattr("switchrank.corpus.switch._BLOCK_WORDS", words)
        _, again = corpus("xx", "xx", threads=threads, **recipe)
        assert parquet_bytes(corpus.folder / "corpus") == once
        assert again == stats


def test_every_row_of_a_corpus_is_switched_as_word_by_word(corpus):
    rows, stats = corpus("xx", "xx", p=0.6, threads=2)
    named = {name: {source: f"{name}:{target}" for source, target in ENTRIES.items()} for name in ("de", "it")}
    for number, (query, passage) in enumerate(rows.select("query", "passage").rows()):
        assert query == peer(QUERY_TEXTS[number % 3], number, named, {"p": 0.6})
        assert passage == peer(PASSAGES[number // 3 % 4], number, named, {"p": 0.6}, side="passage")
    tokens = sum(
        len(split_words(QUERY_TEXTS[n % 3])[0]) + len(split_words(PASSAGES[n // 3 % 4])[0]) for n in range(240)
    )
    assert stats["total"]["tokens"] == tokens


@pytest.mark.parametrize("window", [4, 40, 1 << 20])
def test_a_large_token_table_is_read_and_let_go_of_a_window_at_a_time(corpus, monkeypatch, window):
    whole, _ = corpus("xx", "xx")
    monkeypatch.setattr("switchrank.switching.table._KEPT", 0)
    monkeypatch.setattr("switchrank.switching.table._WINDOW", window)
    assert corpus("xx", "xx")[0].equals(whole)


def test_switching_does_not_load_pandas(tmp_path):
    write_lexicon(tmp_path / "de.parquet", {"cat": "katze"})
    code = (
        "import sys; from switchrank.corpus.translate import switch_lines; "
        "assert switch_lines(['a cat'], lexicons={'de': 'de.parquet'}, recipe={'p': 1.0}) == ['a katze']; "
        "print('pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def make_corpus(folder, queries, documents, pairs, threads=2, **recipe):
    """Switches small tables by the lexicon a -> A; returns the rows and the statistics."""
    for name, schema, texts in (("queries", QUERIES, queries), ("documents", DOCUMENTS, documents)):
        frame = pl.DataFrame([(str(n), text, "") for n, text in enumerate(texts)], schema=schema, orient="row")
        write_table(frame, folder / f"{name}.parquet", schema)
        build_tokens(texts=folder / f"{name}.parquet", out=folder / f"tokens-{name}")
    rows = [(n, str(query), str(document), 1) for n, (query, document) in enumerate(pairs)]
    write_table(pl.DataFrame(rows, schema=INSTANCES, orient="row"), folder / "instances.parquet", INSTANCES)
    stats = switch_corpus(
        instances=folder / "instances.parquet",
        queries=folder / "tokens-queries",
        documents=folder / "tokens-documents",
        lexicons={"de": write_lexicon(folder / "a.parquet", {"a": "A", "b" * 100_000: "B"})},
        recipe={"sides": {"query": "de", "passage": "de"}, "p": 1.0, **recipe},
        out=folder / "corpus",
        threads=threads,
    )
    return read_table(folder / "corpus/train-00000.parquet", CORPUS), stats


def test_one_document_and_texts_without_a_word_are_switched(tmp_path):
    rows, stats = make_corpus(tmp_path, ["a", "", "?!"], ["an a"], [(0, 0), (1, 0), (2, 0)])
    assert rows.select("query", "passage").rows() == [("A", "an A"), ("", "an A"), ("?!", "an A")]
    assert stats["total"]["tokens"] == 7


def test_texts_and_no_instances_are_an_empty_corpus(tmp_path):
    rows, stats = make_corpus(tmp_path, ["a"], ["a"], [], shards=2)
    assert rows.height == 0
    assert stats["total"]["tokens"] == 0


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_texts_without_any_word_are_one_line(tmp_path, texts):
    with pytest.raises(UserError, match="covers nothing"):
        make_corpus(tmp_path, texts, texts, [])


def test_words_of_any_length_are_switched(tmp_path):
    rows, _ = make_corpus(tmp_path, ["b" * 100_000], [f"{'c' * 100_000} a {'b' * 100_000}."], [(0, 0)])
    assert rows.select("query", "passage").row(0) == ("B", f"{'c' * 100_000} A B.")


def test_a_side_is_switched_alike_in_every_pair(corpus):
    rows, _ = corpus("de", "it")
    assert corpus("de", "en")[0]["query"].equals(rows["query"])
    assert corpus("en", "it")[0]["passage"].equals(rows["passage"])
    mixed, _ = corpus("xx", "xx")
    assert corpus("en", "xx")[0]["passage"].equals(mixed["passage"])


def test_part_of_the_instances_gets_the_same_draws(corpus):
    whole, _ = corpus("xx", "xx")
    part = read_table(corpus.folder / "instances.parquet", INSTANCES)[100:110]
    write_table(part, corpus.folder / "part.parquet", INSTANCES)
    assert corpus("xx", "xx", instances=corpus.folder / "part.parquet")[0].equals(whole[100:110])


def test_equal_recipes_give_equal_bytes_and_another_seed_another_corpus(corpus):
    first, _ = corpus("xx", "xx")
    path = corpus.folder / "corpus/train-00000.parquet"
    content = path.read_bytes()
    corpus("xx", "xx")
    assert path.read_bytes() == content
    assert not corpus("xx", "xx", seed=2)[0].equals(first)


def test_the_development_split_is_one_file(corpus):
    corpus("xx", "xx")
    corpus("xx", "xx", name="dev", shards=5)
    assert sorted(path.name for path in (corpus.folder / "corpus").iterdir()) == sorted(
        [*corpus_files(), "dev.parquet"]
    )


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"p": 1.5}, "recipe: p: 1.5"),
        ({"mix": "word"}, "recipe: mix"),
        ({"languages": []}, "recipe: languages"),
        ({"languages": ["de", "en"]}, "recipe: languages"),
        ({"languages": ["de", "de"]}, "name each language once"),
        ({"shards": 0}, "recipe: shards"),
        ({"shrads": 1}, "recipe: shrads: not a key"),
        ({"languages": ["de", "fr"]}, "lexicons: fr: no lexicon for the query side (given: de it)"),
    ],
)
def test_a_wrong_recipe_is_one_line_and_writes_nothing(corpus, recipe, message):
    with pytest.raises(UserError) as error:
        corpus("xx", "xx", **recipe)
    assert message in str(error.value)
    assert not (corpus.folder / "corpus").exists()


def test_sides_must_both_be_named():
    with pytest.raises(UserError, match="sides"):
        read_recipe({"sides": {"query": "en"}})


def test_a_lexicon_that_covers_nothing_is_an_error(corpus):
    path = write_lexicon(corpus.folder / "other.parquet", {"haus": "house"})
    with pytest.raises(UserError, match="covers nothing") as error:
        corpus("en", "de", lexicons={"de": path})
    assert str(error.value).startswith(path)


def test_a_missing_text_is_an_error_and_leaves_nothing_half_written(corpus):
    rows = [(0, "q0", "d0", 1), (1, "q9", "d0", 0)]
    path = corpus.folder / "unknown.parquet"
    write_table(pl.DataFrame(rows, schema=INSTANCES, orient="row"), path, INSTANCES)
    with pytest.raises(UserError, match="instance 1: no text for qid 'q9'"):
        corpus("xx", "xx", instances=path, shards=2)
    assert list((corpus.folder / "corpus").iterdir()) == []
