"""Training text in the languages of a pair, and test text put word by word into the source language."""

import json

import polars as pl
import pytest

from switchrank.core.errors import UserError
from switchrank.corpus.parallel import parallel_corpus
from switchrank.corpus.translate import translate_texts
from switchrank.formats.tables import (
    CORPUS,
    DOCUMENTS,
    INSTANCES,
    JUDGEMENTS,
    LEXICON,
    QUERIES,
    WORDS,
    read_table,
    write_table,
)


def table(path, schema, *rows):
    write_table(pl.DataFrame(list(rows), schema=schema, orient="row"), path, schema)
    return path


@pytest.fixture
def parts(tmp_path):
    return {
        "instances": table(
            tmp_path / "i.parquet", INSTANCES, (0, "q1", "d1", 1), (1, "q1", "d2", 0), (2, "q2", "d1", 0)
        ),
        "queries": table(tmp_path / "q.parquet", QUERIES, ("q2", "wo", ""), ("q1", "wer", "")),
        "documents": table(tmp_path / "d.parquet", DOCUMENTS, ("d1", "gatto", ""), ("d2", "cane", "")),
    }


def test_pairs_keep_their_order_and_labels_and_get_the_texts_of_both_languages(parts, tmp_path):
    counts = parallel_corpus(**parts, query_lang="de", passage_lang="it", out=tmp_path / "out")
    assert read_table(tmp_path / "out" / "train-00000.parquet", CORPUS).rows() == [
        ("q1", "wer", "d1", "gatto", 1, "de", "it"),
        ("q1", "wer", "d2", "cane", 0, "de", "it"),
        ("q2", "wo", "d1", "gatto", 0, "de", "it"),
    ]
    assert counts == json.loads((tmp_path / "out" / "stats.json").read_text()) == {"instances": 3, "left_out": 0}


def test_pairs_without_a_text_are_left_out_and_counted(parts, tmp_path):
    parts["documents"] = table(tmp_path / "some.parquet", DOCUMENTS, ("d2", "cane", ""))
    counts = parallel_corpus(**parts, query_lang="de", passage_lang="it", out=tmp_path / "out", name="dev")
    assert counts == {"instances": 1, "left_out": 2}
    assert [file.name for file in (tmp_path / "out").iterdir()] == ["dev.parquet"]


def test_no_pair_at_all_is_an_error(parts, tmp_path):
    parts["queries"] = table(tmp_path / "none.parquet", QUERIES, ("q9", "was", ""))
    with pytest.raises(UserError, match="no pair has its texts in de and it"):
        parallel_corpus(**parts, query_lang="de", passage_lang="it", out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_passages_with_ids_of_their_own_are_the_same_where_they_answer_the_same_query(parts, tmp_path):
    own = ("x1", "cane", ""), ("x2", "gatto", ""), ("x3", "topo", "")
    judged = table(
        tmp_path / "en.parquet", JUDGEMENTS, ("q1", "d1", 1), ("q2", "d2", 1), ("q3", "d2", 1), ("q4", "d2", 0)
    )
    theirs = ("q1", "x2", 1), ("q2", "x1", 1), ("q3", "x3", 1), ("q4", "x3", 1)
    given = parts | {"documents": table(tmp_path / "own.parquet", DOCUMENTS, *own), "judgements": judged}
    given["own_judgements"] = table(tmp_path / "it.parquet", JUDGEMENTS, *theirs)
    parallel_corpus(**given, query_lang="de", passage_lang="it", out=tmp_path / "out")
    found = read_table(tmp_path / "out" / "train-00000.parquet", CORPUS)
    assert found.select("pid", "passage").rows() == [("d1", "gatto"), ("d2", "cane"), ("d1", "gatto")]
    with pytest.raises(UserError, match="corpus: judgements: of one language only: give those of both languages"):
        parallel_corpus(**parts, judgements=judged, query_lang="de", passage_lang="it", out=tmp_path / "out")


@pytest.fixture
def reverse(tmp_path):
    return table(
        tmp_path / "de-en.parquet",
        LEXICON,
        ("katze", "cat", 0.9, 1),
        ("katze", "tomcat", 0.5, 2),
        ("sitzt", "sits", 0.9, 1),
        ("大学", "university", 0.9, 1),
        ("生", "student", 0.9, 1),
    )


def test_known_words_become_their_best_translation_and_all_else_stays(reverse, tmp_path):
    texts = table(tmp_path / "d.parquet", DOCUMENTS, ("d2", "Die Katze, sie  sitzt!", "g"), ("d1", "", "h"))
    counts = translate_texts(texts=texts, lexicon=reverse, language="de", source="en", out=tmp_path / "out.parquet")
    assert read_table(tmp_path / "out.parquet", DOCUMENTS).rows() == [
        ("d2", "Die cat, sie  sits!", "g"),
        ("d1", "", "h"),
    ]
    assert counts == {"texts": 2, "tokens": 4, "switched": 2}


def test_words_written_without_spaces_are_parted_by_one(reverse, tmp_path):
    words = table(tmp_path / "zh.words.parquet", WORDS, ("大学", 1.0), ("生", 1.0))
    texts = table(tmp_path / "q.parquet", QUERIES, ("q1", "大学生。来", ""))
    store = str(words).removesuffix(".words.parquet")
    out = tmp_path / "out.parquet"
    translate_texts(texts=texts, lexicon=reverse, language="zh", source="en", out=out, vocabulary=store)
    assert read_table(out, QUERIES)["text"].to_list() == ["university student。来"]


def test_a_lexicon_that_covers_nothing_is_an_error(reverse, tmp_path):
    texts = table(tmp_path / "q.parquet", QUERIES, ("q1", "hund", ""))
    with pytest.raises(UserError, match="covers nothing"):
        translate_texts(texts=texts, lexicon=reverse, language="de", source="en", out=tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()


def test_the_command_line_does_both(parts, reverse, tmp_path, capsys):
    from switchrank import cli

    flags = [f"--{name}={path}" for name, path in parts.items()]
    out = tmp_path / "made"
    assert cli.main(["corpus", "parallel", *flags, "--query-lang=de", "--passage-lang=it", f"--out={out}"]) == 0
    assert json.loads(capsys.readouterr().out) == {"instances": 3, "left_out": 0}
    texts = table(tmp_path / "t.parquet", QUERIES, ("q1", "Katze", ""))
    words = ["corpus", "translate", f"--texts={texts}", f"--lexicon={reverse}", "--language=de"]
    assert cli.main([*words, f"--out={tmp_path / 'en.parquet'}"]) == 0
    assert read_table(tmp_path / "en.parquet", QUERIES)["text"].to_list() == ["cat"]
