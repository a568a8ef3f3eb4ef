"""``switchrank inspect`` on real files: the format is named and rows are counted, under any name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from switchrank.identify.look import inspect_path

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LARGEST = 5_000_000
"""Bytes of a file that is copied."""

# Rows are those that each folder's README.md states; None where it states none.
FILES = [
    ("afriqa/gold_passages/hau/gold_span_passages.afriqa.hau.en.test.json.gz", "afriqa-passages", 300),
    ("afriqa/gold_passages/swa/gold_span_passages.afriqa.swa.en.test.json.gz", "afriqa-passages", 295),
    ("afriqa/gold_passages/fon/gold_span_passages.afriqa.fon.fr.test.json.gz", "afriqa-passages", 386),
    ("afriqa/queries/wol/queries.afriqa.wol.fr.dev.json.gz", "afriqa-queries", None),
    ("arcd/arcd-train.json.gz", "squad", 693),
    ("bipar/Crosslingual_QEN_test.json.gz", "bipar", 1500),
    ("bipar/Monolingual_ZH_test.json.gz", "bipar", 1500),
    ("cldr-names/sw/languages.json.gz", "cldr", None),
    ("cldr-names/zh/territories.json.gz", "cldr", None),
    ("cmrc2018/cmrc2018_dev.json.gz", "squad", 3219),
    ("cranfield/cran.all.1400.xml.gz", "trec-documents", 1400),
    ("cranfield/cran.qry.xml.gz", "trec-topics", 225),
    ("cranfield/cranqrel.trec.txt.gz", "trec-qrels", 1837),
    ("elrc-wikipedia-health/ELRC_2922.en-ru.ru.xz", "text", 4072),
    ("freedict-swahili/eng-swh.tei.gz", "tei", 1450),
    ("freedict-swahili/swh-eng.tei.gz", "tei", 2658),
    ("frequency-words/2018/it_50k.txt.xz", "word-frequencies", 50_000),
    ("koziev-russian/facts7_2s.txt.xz", "text", 59_027),
    ("lafand-mt/en-hau/train.hau.xz", "text", 3098),
    ("lafand-mt/en-swa/dev.swa.xz", "text", 1791),
    ("masakhane-news/eng/dev.tsv.xz", "tsv-with-header", None),
    ("multi30k/task1/raw/val.cs.gz", "text", 1014),
    ("nqg-squad-sentences/src-test.txt.gz", "text", 11_877),
    ("ntrex-128/newstest2019-ref.zho-CN.txt.xz", "text", 1997),
    ("openmatch-covid-toy/train_rank_toy.jsonl.gz", "text-triples", 1023),
    ("panlex-swadesh/swadesh207/eng-000.txt", "panlex", 207),
    ("panlex-swadesh/swadesh207/hau-000.txt", "panlex", 207),
    ("patapsco-mini/dev.topics.v1-0.jsonl.gz", "hc4-topics", None),
    ("patapsco-mini/fas_mini_docs.jsonl.gz", "documents-jsonl", 20),
    ("patapsco-mini/zho.toy-dev.qrels.v1-0.txt.gz", "trec-qrels", None),
    ("patapsco-mini/rus_psq_table.json.gz", "translation-table", None),
    ("squad-it/SQuAD_it-test.json.gz", "squad", 7609),
    ("squad-v1.1-dev/dev-v1.1.json.gz", "squad", 10_570),
    ("squad-v1.1-dev/dev-v1.1.minus-xquad.json.gz", "squad", 9380),
    ("squad-v1.1-dev/xquad-question-ids.txt.gz", "ids", 1190),
    ("tatoeba-anki/eng-fin.tsv.xz", "parallel-tsv", 59_490),
    ("tatoeba-anki/eng-deu.tsv.xz", "parallel-tsv", 169_197),
    ("tatoeba-laser/tatoeba-v1.tar.xz", "tar", None),
    ("tquad/train-v0.1.json.gz", "squad", 8308),
    ("trec-topics-qrels/qrels/qrels.ciral-v1.0-ha-test-a.tsv.gz", "trec-qrels", None),
    ("trec-topics-qrels/qrels/qrels.miracl-v1.0-fi-dev.tsv.gz", "trec-qrels", None),
    ("trec-topics-qrels/topics/topics.ciral-v1.0-sw-test-a.tsv.gz", "queries-tsv", None),
    ("trec-topics-qrels/topics/topics.miracl-v1.0-sw-dev.tsv.gz", "queries-tsv", None),
    ("vaswani-npl/corpus/doc-text.trec.gz", "trec-documents", 11_429),
    ("vaswani-npl/query-text.trec.gz", "trec-topics", 93),
    ("vaswani-npl/qrels.gz", "trec-qrels", None),
    ("vectors-joint/sw.vec.xz", "vectors-text", 10_000),
    ("vectors-joint/tr.vec.xz", "vectors-text", 6758),
    ("vectors-joint/ru.vec.xz", "vectors-text", 6440),
    ("wiki-dumps/aawiki-20260101/aawiki-20260101-categorylinks.sql.gz", "mediawiki-sql", None),
    ("wiki-dumps/aawiki-20260101/aawiki-20260101-pages-meta-current.xml.bz2", "pages-articles", None),
    ("wiki-dumps/dbpedia-minidumps/minidumps.tar", "tar", 171),
    ("wiki-dumps/gensim/bgwiki-latest-pages-articles-shortened.xml.bz2", "pages-articles", 3),
    (
        "wiki-dumps/gensim/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2",
        "pages-articles",
        206,
    ),
    ("wiki-dumps/itwiki-2013/small-dump.xml.gz", "pages-articles", 747),
    ("wiki-dumps/ltgwiki-2017/smallwiki-latest-pages-articles.xml.gz", "pages-articles", 2004),
    ("wiki-dumps/simplewiki-change_tag_def/testfile.sql.gz", "mediawiki-sql", None),
    ("wiki-dumps/sparkwiki-fragments/enwiki-langlinks-fr.fragment.sql", "langlinks", 15),
    ("wiki-dumps/sparkwiki-fragments/enwiki-page-long.fragment.sql", "page", 15),
    ("wiki-dumps/sparkwiki-fragments/enwiki-page.fragment.sql", "page", 4),
    ("wiki-dumps/sparkwiki-fragments/enwiki-redirect.fragment.sql", "mediawiki-sql", 11),
    ("wikidata/testDump.json.bz2", "wikidata", 1704),
    ("wikidata/derived/labels.tsv.gz", "names-table", 1703),
    ("wikidata/derived/sitelinks.tsv.gz", "names-table", 395),
    ("wikidata/derived/swwiki-derived-langlinks.sql.gz", "langlinks", None),
    ("wikidata/derived/swwiki-derived-page.sql.gz", "page", None),
    ("word-vectors/pang_lee_polarity_fasttext.bin.xz", "vectors-fasttext", 1694),
    ("word-vectors/pang_lee_polarity_fasttext.vec.xz", "vectors-text", 1694),
    ("xling-eval/de-ru/yacle.test.freq.2k.de-ru.tsv.gz", "dictionary", 2000),
    ("xling-eval/en-tr/yacle.train.freq.5k.en-tr.tsv.gz", "dictionary", 5000),
    ("xquad-r/ar.json.gz", "squad", 1190),
    ("xquad-r/zh.json.gz", "squad", 1190),
]
WITHOUT = {"bible"}
"""Folders without a file that is a collection, vectors, titles, a dictionary or lines of text."""


@pytest.mark.parametrize(("name", "kind", "rows"), FILES)
def test_a_real_file_is_named_and_counted_under_any_name(tmp_path, name, kind, rows):
    file = DATA / name
    assert file.is_file(), f"{name} is missing"
    if file.stat().st_size < LARGEST:
        copy = tmp_path / "copy"
        copy.write_bytes(file.read_bytes())
        file = copy
    found = inspect_path(file)
    assert found.format == kind
    assert rows is None or found.rows == rows


def test_every_folder_has_a_row_in_the_table():
    folders = {folder.name for folder in DATA.iterdir() if folder.is_dir()}
    assert folders == {name.partition("/")[0] for name, _, _ in FILES} | WITHOUT


@pytest.mark.parametrize(
    ("name", "kind", "languages"),
    [
        ("xquad-r", "squad-folder", {"ar", "de", "el", "en", "es", "ru", "tr", "zh"}),
        ("bipar", "bipar-folder", {"en", "zh"}),
        ("vectors-joint", "vectors-folder", {"de", "en", "es", "fi", "it", "ru", "sw", "tr"}),
        ("afriqa", "afriqa-folder", {"bem", "fon", "ha", "ig", "rw", "sw", "tw"}),
        ("trec-topics-qrels", "miracl-folder", {"fi", "sw"}),
    ],
)
def test_a_real_folder_is_named_with_its_languages(name, kind, languages):
    found = inspect_path(DATA / name)
    assert found.format == kind
    assert languages == set(found.languages)
