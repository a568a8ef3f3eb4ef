"""Real files, in the folder that SWITCHRANK_DATA names: true formats, and figures that others measured on them."""

from __future__ import annotations

import os
from pathlib import Path

import polars as pl
import pytest

from switchrank.embeddings.read import import_vectors
from switchrank.evaluate.score import evaluate_testset
from switchrank.formats.tables import DOCUMENTS, LEXICON, PER_QUERY, QUERIES, read_table
from switchrank.lexicon.induce import induce_lexicon
from switchrank.lexicon.titles import titles_lexicon
from switchrank.rank.candidates import FirstStage, build_candidates
from switchrank.rank.reference import rank_reference
from switchrank.sources.build import build_collection

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
LANGUAGES = ["en", "de", "es", "ru", "tr"]


@pytest.fixture(scope="module")
def xquad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("xquad") / "collection"
    spec = {"format": "squad", "languages": LANGUAGES, "splits": ["test"], "documents_as": "paragraphs", "source": "en"}
    files = {f"test/{lang}": str(DATA / "xquad-r" / f"{lang}.json.gz") for lang in LANGUAGES}
    build_collection(spec=spec, files=files, out=folder)
    return folder


def test_xquad_has_its_questions_and_paragraphs_in_every_language(xquad):
    for lang in LANGUAGES:
        assert read_table(xquad / f"queries-test-{lang}.parquet", QUERIES).height == 1190
        assert read_table(xquad / f"documents-{lang}.parquet", DOCUMENTS).height == 240


def test_sentences_are_those_of_the_sentence_breaks(tmp_path):
    spec = {"format": "squad", "languages": ["de"], "splits": ["test"], "documents_as": "sentences", "source": "de"}
    build_collection(spec=spec, files={"test/de": str(DATA / "xquad-r" / "de.json.gz")}, out=tmp_path / "c")
    assert read_table(tmp_path / "c" / "documents-de.parquet", DOCUMENTS).height == 1276


@pytest.mark.parametrize(("language", "value"), [("en", 0.946), ("de", 0.418), ("tr", 0.307)])
def test_bm25_on_english_paragraphs_scores_as_measured_elsewhere(xquad, tmp_path, language, value):
    """Turkish words have another key than a lower-case word: one for ``I`` and ``i``, which finds a little more."""
    queries, documents = xquad / f"queries-test-{language}.parquet", xquad / "documents-en.parquet"
    judgements, candidates, run = xquad / "judgements-test-en.parquet", tmp_path / "c.parquet", tmp_path / "r.trec"
    build_candidates(
        queries=queries, documents=documents, judgements=judgements, first_stage=FirstStage(all=True), out=candidates
    )
    pair = {"queries": str(queries), "documents": str(documents), "candidates": str(candidates), "out": str(run)}
    rank_reference(kind="bm25", pairs=[pair], testset="xquad")
    told = {"path": str(run), "system": "bm25", "query_lang": language, "doc_lang": "en", "seed": 1}
    evaluate_testset(
        runs=[told], judgements={"en": judgements}, testset="xquad", metrics=["mrr@10"], out=tmp_path / "q.parquet"
    )
    assert read_table(tmp_path / "q.parquet", PER_QUERY)["value"].mean() == pytest.approx(value, abs=0.02)


def test_german_translations_are_right_as_often_as_measured_elsewhere(tmp_path):
    for lang in ("en", "de"):
        import_vectors(path=DATA / "vectors-joint" / f"{lang}.vec.xz", out=tmp_path / lang)
    induce_lexicon(source=tmp_path / "en", target=tmp_path / "de", out=tmp_path / "en-de.parquet")
    best = dict(read_table(tmp_path / "en-de.parquet", LEXICON).select("source", "target").rows())
    words = set(pl.read_parquet(tmp_path / "de.words.parquet")["word"])
    gold: dict[str, set[str]] = {}
    table = pl.read_csv(
        DATA / "xling-eval" / "en-de" / "yacle.train.freq.5k.en-de.tsv.gz",
        separator="\t",
        has_header=False,
        quote_char=None,
    )
    for source, target in table.rows():
        if source.lower() in best and target.lower() in words:
            gold.setdefault(source.lower(), set()).add(target.lower())
    right = sum(best[source] in targets for source, targets in gold.items())
    assert len(gold) == pytest.approx(2460, abs=60)
    assert right / len(gold) == pytest.approx(0.494, abs=0.02)


def test_titles_of_a_dump_become_a_lexicon_with_both_sides_cleaned(tmp_path):
    folder = DATA / "wikidata" / "derived"
    titles_lexicon(
        files=[folder / "enwiki-derived-page.sql.gz", folder / "enwiki-derived-langlinks.sql.gz"],
        language="de",
        out=tmp_path / "en-de.parquet",
    )
    lexicon = read_table(tmp_path / "en-de.parquet", LEXICON)
    assert lexicon.height > 300
    assert dict(lexicon.select("source", "target").rows())["universe"] == "universum"
    assert not lexicon["source"].str.contains("_", literal=True).any()
    assert not lexicon["target"].str.ends_with(")").any()
