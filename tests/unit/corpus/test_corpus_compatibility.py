"""Switches that bring the original experiments' quirks back; what comes out is held against NLTK or worked by hand."""

import json

import numpy as np
import polars as pl
import pytest
from nltk.tokenize.treebank import TreebankWordDetokenizer, TreebankWordTokenizer

from switchrank.core.errors import UserError
from switchrank.corpus.switch import replace_strings, switch_corpus
from switchrank.corpus.tokens import build_tokens
from switchrank.formats.tables import CORPUS, DOCUMENTS, INSTANCES, LEXICON, QUERIES, read_table, write_table
from switchrank.switching.pieces import PieceTable

QUERY = 'Who can\'t see the "Eiffel Tower"?'
PASSAGE = "A category of cats (big ones) isn't here.  The cat sat."


@pytest.fixture
def corpus(tmp_path):
    """Switches one query and one passage by a recipe; gives the row and the statistics."""

    def corpus(lexicon, *, treebank=False, **recipe):
        tables = {"queries": (QUERIES, "q", QUERY), "documents": (DOCUMENTS, "d", PASSAGE)}
        for name, (schema, number, text) in tables.items():
            write_table(pl.DataFrame([(number, text, "")], schema=schema, orient="row"), tmp_path / name, schema)
            build_tokens(texts=tmp_path / name, out=tmp_path / f"{name}-tokens", treebank=treebank)
        row = pl.DataFrame([(0, "q", "d", 1)], schema=INSTANCES, orient="row")
        write_table(row, tmp_path / "instances.parquet", INSTANCES)
        rows = [(source, target, None, 1) for source, target in lexicon.items()]
        write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "de.parquet", LEXICON)
        switch_corpus(
            instances=tmp_path / "instances.parquet",
            queries=tmp_path / "queries-tokens",
            documents=tmp_path / "documents-tokens",
            lexicons={"de": tmp_path / "de.parquet"},
            recipe={"p": 1.0, "sides": {"query": "de", "passage": "de"}, "treebank": treebank, **recipe},
            out=tmp_path / "out",
        )
        row = read_table(tmp_path / "out" / "train-00000.parquet", CORPUS).row(0, named=True)
        return row, json.loads((tmp_path / "out" / "stats.json").read_text())

    return corpus


def original(text, lexicon):
    tokens = [lexicon.get(token.lower(), token) for token in TreebankWordTokenizer().tokenize(text)]
    return TreebankWordDetokenizer().detokenize(tokens)


def test_treebank_words_are_switched_and_put_together_as_nltk_does_it(corpus):
    lexicon = {"ca": "kann", "n't": "nicht", "tower": "turm", ".": "。", "cat": "katze", "see": "sehen"}
    row, stats = corpus(lexicon, treebank=True)
    assert (row["query"], row["passage"]) == (original(QUERY, lexicon), original(PASSAGE, lexicon))
    assert "turm" in row["query"]
    assert "  " not in row["passage"]
    assert stats["query"]["tokens"] == len(TreebankWordTokenizer().tokenize(QUERY))


def test_strings_are_replaced_inside_words_and_a_mark_that_touches_hides_a_word(corpus):
    row, stats = corpus({"cat": "katze", "sat": "saß", "a": "ein"}, substring_replace=True, mix="instance")
    # By hand: "cat" first (3 letters, as "sat." is not a key), then "a" in every word.
    expected = PASSAGE.lower().replace("cat", "katze").replace("a", "ein")
    assert row["passage"] == expected
    assert "keintze" in expected
    assert stats["passage"]["switched"] == 2
    assert stats["passage"]["tokens"] == len(PASSAGE.split())


def test_the_longest_string_goes_first_and_later_ones_rewrite_it():
    titles = {"new york": "ny", "new": "neu", "york": "ebor", "ny": "x"}
    text, found = replace_strings("New York new", titles, ())
    assert (text, found.tolist()) == ("ny neu", [True, True, True])
    assert replace_strings("ny new york", titles, ())[0] == "x x"


def test_stop_words_are_no_titles_on_their_own():
    text, found = replace_strings("the cat", {"the": "die", "cat": "katze", "the cat": "k"}, {"the"})
    assert (text, found.tolist()) == ("k", [True, True])
    assert replace_strings("the dog", {"the": "die"}, {"the"})[0] == "the dog"


@pytest.mark.parametrize("recipe", [{"p": 0.5}, {"mix": "token"}, {"treebank": True}])
def test_string_replacement_allows_no_draws(corpus, recipe):
    with pytest.raises(UserError, match="substring_replace"):
        corpus({"cat": "katze"}, **{"substring_replace": True, "mix": "instance", **recipe})


def test_a_text_that_draws_the_source_language_stays_as_it_was(tmp_path):
    from switchrank.corpus.switch import SubstringSwitcher
    from switchrank.switching.recipe import read_recipe
    from switchrank.switching.switcher import language_names
    from switchrank.switching.table import TokenTable, read_sources

    write_table(
        pl.DataFrame([("cat", "katze", None, 1)], schema=LEXICON, orient="row"), tmp_path / "de.parquet", LEXICON
    )
    sides = {"query": "xx", "passage": "xx"}
    recipe = read_recipe({"p": 1, "mix": "instance", "substring_replace": True, "sides": sides, "languages": ["de"]})
    switcher = SubstringSwitcher(
        TokenTable.of(["The Cat"], PieceTable()), "query", recipe, {"de": read_sources(tmp_path / "de.parquet", 1)}
    )
    instances = np.arange(40, dtype=np.uint64)
    texts, languages = switcher.switch(np.zeros(40, np.int64), instances), language_names(recipe, "query", instances)
    assert set(zip(texts, languages, strict=True)) == {("the katze", "de"), ("The Cat", "en")}
