"""Mixed pools: which language each text is drawn in, and all documents in all languages as one."""

import hashlib

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, DRAW, JUDGEMENTS, QUERIES, read_table, write_table
from switchrank.rank.pools import draw_pool, join_pool, pool_judgements

MANY = [f"{number}" for number in range(6000)]
SIX = ["en", "de", "fr", "it", "ar", "ru"]


@pytest.fixture
def table(tmp_path):
    """Write rows and give their path."""

    def write(name, schema, rows):
        write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / name, schema)
        return tmp_path / name

    return write


@pytest.fixture
def texts(table):
    """Write ``{language: ids}`` as texts that say their language, and give the paths."""

    def write(ids, schema=DOCUMENTS):
        return {
            lang: table(f"{lang}.parquet", schema, [(i, f"{i} in {lang}", f"group {lang}") for i in found])
            for lang, found in ids.items()
        }

    return write


@pytest.fixture
def draw(texts, tmp_path):
    """Draw a pool and give the language of each id, in the order of the pool."""

    def make(ids, schema=DOCUMENTS, seed=1, purpose="world/documents"):
        paths = {"out": tmp_path / "pool.parquet", "draw_out": tmp_path / "draw.parquet"}
        counts = draw_pool(texts=texts(ids, schema), seed=seed, purpose=purpose, **paths)
        pool, drawn = read_table(paths["out"], schema), read_table(paths["draw_out"], DRAW)
        assert pool["text"].to_list() == [f"{i} in {lang}" for i, lang in drawn.iter_rows()]
        assert pool["group"].to_list() == [f"group {lang}" for lang in drawn["lang"]]
        assert pool[pool.columns[0]].to_list() == drawn["id"].to_list()
        assert counts == {lang: drawn["lang"].to_list().count(lang) for lang in ids}
        return dict(drawn.iter_rows())

    return make


@pytest.mark.parametrize("schema", [DOCUMENTS, QUERIES])
def test_every_id_gets_the_text_of_one_language_in_the_order_of_the_first_table(draw, schema):
    drawn = draw({"en": ["b", "a", "c"], "de": ["a", "b", "c"]}, schema)
    assert list(drawn) == ["b", "a", "c"]


def test_all_languages_are_equally_likely(draw):
    drawn = list(draw(dict.fromkeys(SIX, MANY)).values())
    assert chisquare([drawn.count(lang) for lang in SIX]).pvalue > 0.001


def test_neighbouring_ids_are_drawn_independently(draw):
    drawn = [SIX.index(lang) for lang in draw(dict.fromkeys(SIX, MANY)).values()]
    pairs = [6 * first + second for first, second in zip(drawn[::2], drawn[1::2], strict=True)]
    assert chisquare([pairs.count(cell) for cell in range(36)]).pvalue > 0.001


@pytest.mark.parametrize("other", [{"seed": 2}, {"purpose": "world/queries"}])
def test_other_seeds_and_purposes_have_draws_of_their_own(draw, other):
    ids = dict.fromkeys(SIX, MANY)
    one, two = draw(ids), draw(ids, **other)
    agreeing = sum(one[i] == two[i] for i in MANY)
    assert abs(agreeing - len(MANY) / 6) < 4 * (len(MANY) * 5 / 36) ** 0.5


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1, max_size=12, unique=True),
    data=st.data(),
)
def test_a_draw_depends_on_its_own_id_only(draw, ids, data):
    """Not on the other ids, on the order of the rows, or on the order of the languages."""
    whole = draw({"en": ids, "de": ids, "it": ids})
    part = data.draw(st.permutations(ids))[: data.draw(st.integers(1, len(ids)))]
    languages = data.draw(st.permutations(["en", "de", "it"]))
    assert draw(dict.fromkeys(languages, part)) == {i: whole[i] for i in part}


def test_a_language_more_takes_texts_and_moves_no_others(draw):
    five, six = draw(dict.fromkeys(SIX[:5], MANY)), draw(dict.fromkeys(SIX, MANY))
    assert all(six[i] in (five[i], "ru") for i in MANY)


def weight(language, docid, seed, purpose):
    """The weight of a language for an id, in whole numbers of Python: SHA-256 of the purpose, SplitMix64 of the id."""
    gamma, mask = 0x9E3779B97F4A7C15, 2**64 - 1

    def finalise(state):
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
        return state ^ (state >> 31)

    words = "\x1f".join([str(seed), "pool", purpose, language])
    key = int.from_bytes(hashlib.sha256(words.encode()).digest()[:8], "little") >> 1
    coordinate = int.from_bytes(hashlib.blake2b(docid.encode(), digest_size=8).digest(), "little")
    state = finalise(((key + gamma) ^ (coordinate + gamma)) & mask) + gamma
    return finalise(state & mask)


def test_draws_stay_the_same_for_ever(draw):
    """A changed draw is another test set: runs of old pools could no longer be compared."""
    ids = [*MANY[:200], "große Straße", "7187158"]
    expected = {i: max(SIX, key=lambda lang, i=i: weight(lang, i, 7, "world/queries")) for i in ids}
    assert draw(dict.fromkeys(SIX, tuple(ids)), seed=7, purpose="world/queries") == expected


def test_ids_that_a_language_lacks_are_drawn_among_the_others_and_counted(draw, capsys):
    ids = {"en": MANY[:100], "de": MANY[50:150], "it": ["x", *MANY[:150]]}
    drawn = draw(ids)
    assert list(drawn) == [*MANY[:150], "x"]
    assert all(i in ids[lang] for i, lang in drawn.items())
    assert drawn["x"] == "it"
    assert set(drawn.values()) == set(ids)
    errors = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1].split(" in ")[0] for line in errors] == ["51 of 151 ids have no text"] * 2


@pytest.mark.parametrize("rows", [[], [("a", " ", "")]])
def test_a_pool_without_a_language_is_an_error(table, tmp_path, rows):
    texts = {
        "en": table("en.parquet", DOCUMENTS, [("a", "a text", "")]),
        "de": table("de.parquet", DOCUMENTS, rows),
    }
    with pytest.raises(UserError, match=r"de\.parquet: no text, and a pool without a language"):
        draw_pool(texts=texts, seed=1, purpose="p", out=tmp_path / "o", draw_out=tmp_path / "d")
    assert not (tmp_path / "o").exists()


def test_no_languages_repeated_ids_and_missing_tables_are_errors(texts, tmp_path):
    outs = {"out": tmp_path / "o", "draw_out": tmp_path / "d"}
    with pytest.raises(UserError, match="no languages"):
        draw_pool(texts={}, seed=1, purpose="p", **outs)
    with pytest.raises(UserError, match="docid a: twice"):
        draw_pool(texts=texts({"en": ["a", "a"]}), seed=1, purpose="p", **outs)
    with pytest.raises(UserError, match="no such file"):
        draw_pool(texts={"en": tmp_path / "nowhere.parquet"}, seed=1, purpose="p", **outs)
    mixed = {**texts({"en": ["a"]}), "de": texts({"q": ["a"]}, QUERIES)["q"]}
    with pytest.raises(UserError, match="columns"):
        draw_pool(texts=mixed, seed=1, purpose="p", **outs)


def test_a_drawn_pool_keeps_the_source_judgements_of_its_documents(table, tmp_path, capsys):
    judged = table("judged.parquet", JUDGEMENTS, [("q2", "d1", 2), ("q1", "gone", 1), ("q1", "d2", 0)])
    drawn = table("draw.parquet", DRAW, [("d2", "en"), ("d1", "de"), ("d3", "de")])
    pool_judgements(judgements=judged, draw=drawn, out=tmp_path / "out.parquet")
    assert read_table(tmp_path / "out.parquet", JUDGEMENTS).rows() == [("q2", "d1", 2), ("q1", "d2", 0)]
    assert "1 judgements left out" in capsys.readouterr().err
    with pytest.raises(UserError, match="no relevant document"):
        pool_judgements(judgements=judged, draw=table("other.parquet", DRAW, [("d2", "en")]), out=tmp_path / "o")


@pytest.fixture
def union(texts, table, tmp_path):
    """Tables of two languages, German without d2, as arguments of join_pool."""
    judged = {"en": [("q1", "d1", 1), ("q2", "d2", 2)], "de": [("q2", "d1", 1), ("q1", "d1", 1)]}
    listed = {
        "en": [("q1", "d2", 1), ("q1", "d1", 2), ("q2", "d2", 1)],
        "de": [("q3", "d1", 1), ("q1", "d1", 1), ("q2", "d1", 1)],
    }
    outs = ("out", "judgements_out", "candidates_out", "draw_out")
    return {
        "documents": texts({"en": ["d2", "d1"], "de": ["d1"]}),
        "judgements": {lang: table(f"{lang}-j.parquet", JUDGEMENTS, rows) for lang, rows in judged.items()},
        "candidates": {lang: table(f"{lang}-c.parquet", CANDIDATES, rows) for lang, rows in listed.items()},
        **{name: tmp_path / f"{name}.parquet" for name in outs},
    }


def test_a_union_pool_holds_every_document_in_every_language(union):
    join_pool(**union)
    assert read_table(union["out"], DOCUMENTS).rows() == [
        ("en:d2", "d2 in en", "group en"),
        ("en:d1", "d1 in en", "group en"),
        ("de:d1", "d1 in de", "group de"),
    ]
    assert read_table(union["draw_out"], DRAW).rows() == [("en:d2", "en"), ("en:d1", "en"), ("de:d1", "de")]


def test_what_is_relevant_in_any_language_is_relevant_in_the_union(union):
    join_pool(**union)
    assert read_table(union["judgements_out"], JUDGEMENTS).rows() == [
        ("q1", "en:d1", 1),
        ("q1", "de:d1", 1),
        ("q2", "en:d2", 2),
        ("q2", "de:d1", 1),
    ]


def test_candidates_are_merged_by_rank_then_in_the_order_of_languages(union):
    join_pool(**union)
    assert read_table(union["candidates_out"], CANDIDATES).rows() == [
        ("q1", "en:d2", 1),
        ("q1", "de:d1", 2),
        ("q1", "en:d1", 3),
        ("q2", "en:d2", 1),
        ("q2", "de:d1", 2),
        ("q3", "de:d1", 1),
    ]


def test_a_union_pool_needs_no_candidates(union):
    join_pool(**{**union, "candidates": None, "candidates_out": None})
    assert union["out"].exists()
    assert not union["candidates_out"].exists()


def test_a_union_pool_without_a_language_or_with_strange_documents_is_an_error(union, table):
    cases = {
        "no languages": {"documents": {}},
        "language de: no judgements": {"judgements": {"en": union["judgements"]["en"]}},
        "language de: no documents": {"documents": {"en": union["documents"]["en"]}},
        "language de: no candidates": {"candidates": {"en": union["candidates"]["en"]}},
        "pool without a language": {
            "documents": {**union["documents"], "de": table("empty.parquet", DOCUMENTS, [])},
        },
        "document d9: 1 rows": {
            "judgements": {**union["judgements"], "de": table("strange.parquet", JUDGEMENTS, [("q1", "d9", 1)])},
        },
        "read but not written": {"candidates_out": None},
    }
    for message, changed in cases.items():
        with pytest.raises(UserError, match=message):
            join_pool(**{**union, **changed})
    assert not union["out"].exists()


def test_the_commands_write_the_same_bytes_as_the_functions(texts, tmp_path, capsys):
    paths = texts({"en": ["a", "b"], "de": ["a", "b"]})
    draw_pool(texts=paths, seed=1, purpose="p", out=tmp_path / "a.parquet", draw_out=tmp_path / "a-draw.parquet")
    words = ["--texts", *(f"{lang}={path}" for lang, path in paths.items()), "--purpose", "p"]
    outs = ["--out", str(tmp_path / "b.parquet"), "--draw-out", str(tmp_path / "b-draw.parquet")]
    assert main(["rank", "pool", "draw", *words, *outs]) == 0
    for name in ("", "-draw"):
        assert (tmp_path / f"a{name}.parquet").read_bytes() == (tmp_path / f"b{name}.parquet").read_bytes()
    assert {line.split("\t")[0] for line in capsys.readouterr().out.splitlines()} == {"en", "de"}
    words = ["--documents", f"en={paths['en']}", f"en={paths['de']}", "--judgements", "en=x", "--out", "x"]
    assert main(["rank", "pool", "join", *words, "--judgements-out", "y", "--draw-out", "z"]) == 2
    assert "write LANG=TABLE, each LANG once" in capsys.readouterr().err


def test_the_join_and_judgements_commands_write_the_pool(union, table, tmp_path):
    words = []
    for name in ("documents", "judgements", "candidates"):
        words += [f"--{name}", *(f"{lang}={path}" for lang, path in union[name].items())]
    for name in ("out", "judgements_out", "candidates_out", "draw_out"):
        words += [f"--{name.replace('_', '-')}", str(union[name])]
    assert main(["rank", "pool", "join", *words]) == 0
    assert len(read_table(union["candidates_out"], CANDIDATES)) == 6
    judged = table("judged.parquet", JUDGEMENTS, [("q1", "en:d1", 1), ("q1", "x", 1)])
    words = ["--judgements", str(judged), "--draw", str(union["draw_out"]), "--out", str(tmp_path / "kept.parquet")]
    assert main(["rank", "pool", "judgements", *words]) == 0
    assert read_table(tmp_path / "kept.parquet", JUDGEMENTS).rows() == [("q1", "en:d1", 1)]
