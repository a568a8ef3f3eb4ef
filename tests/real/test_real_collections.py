"""Real collections of documents, queries and judgements, from the folder that SWITCHRANK_DATA names.

Counts that a folder's README does not tell were taken with ``zcat``, ``grep -c`` and ``sort -u``.
"""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from switchrank.collections.separate import read_judgements, read_queries
from switchrank.core.errors import UserError
from switchrank.sources.build import build_collection

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
TOPICS = DATA / "trec-topics-qrels"
DOUBLE = "topics.ciral-v1.0-sw-test-b-native.tsv.gz"
CODES = {"en": "eng", "fa": "fas", "ru": "rus", "zh": "zho"}


def build(tmp_path: Path, spec: dict[str, Any], files: dict[str, Path]) -> tuple[Any, Path]:
    out = tmp_path / "collection"
    defaults = {"languages": ["en"], "splits": ["test"]}
    return build_collection(spec=defaults | spec, files={role: str(path) for role, path in files.items()}, out=out), out


def test_vaswani_has_its_documents_queries_and_judgements(tmp_path, capfd):
    folder = DATA / "vaswani-npl"
    files = {
        "documents/en": folder / "corpus",
        "queries/test/en": folder / "query-text.trec.gz",
        "judgements/test": folder / "qrels.gz",
    }
    counts, out = build(tmp_path, {"format": "trec"}, files)

    assert counts == {"documents": {"en": 11429}, "queries": {"test": 93}}
    assert len(pl.read_parquet(out / "judgements-test-en.parquet")) == 2083
    assert "warning" not in capfd.readouterr().err


def test_cranfield_counts_its_topics_by_position_and_has_two_empty_documents(tmp_path, capfd):
    folder = DATA / "cranfield"
    files = {
        "documents/en": folder / "cran.all.1400.xml.gz",
        "queries/test/en": folder / "cran.qry.xml.gz",
        "judgements/test": folder / "cranqrel.trec.txt.gz",
    }
    options = {"documents": {"fields": ["title", "text"]}, "queries": {"by_position": True}}
    counts, out = build(tmp_path, {"format": "trec", "options": options}, files)
    messages = capfd.readouterr().err

    assert counts == {"documents": {"en": 1400 - 2}, "queries": {"test": 225}}
    assert "2 empty documents left out" in messages
    assert "1 judgements left out: their document is empty" in messages
    assert len(pl.read_parquet(out / "judgements-test-en.parquet")) == 1837 - 1
    assert len(read_judgements(files["judgements/test"])) == 1837


def test_patapsco_has_twenty_documents_and_two_topics_in_each_language(tmp_path):
    folder = DATA / "patapsco-mini"
    files = {f"documents/{lang}": folder / f"{code}_mini_docs.jsonl.gz" for lang, code in CODES.items()}
    files |= {f"queries/test/{lang}": folder / "eng_mini_topics.jsonl.gz" for lang in CODES}
    files |= {"judgements/test": folder / "eng_mini_qrels.gz"}
    spec = {"format": "neuclir", "languages": list(CODES), "options": {"queries": {"codes": CODES}}}
    counts, out = build(tmp_path, spec, files)

    assert counts == {"documents": dict.fromkeys(CODES, 20), "queries": {"test": 2}}
    for lang in CODES:
        judged = pl.read_parquet(out / f"judgements-test-{lang}.parquet")
        assert judged["relevance"].value_counts().sort("relevance").rows() == [(0, 35), (3, 5)]
        assert len(pl.read_parquet(out / f"queries-test-{lang}.parquet")) == 2
    assert len(read_judgements(folder / "zho.toy-dev.qrels.v1-0.txt.gz")) == 44


@pytest.mark.parametrize(
    ("name", "queries", "judgements"),
    [
        ("miracl-v1.0-sw-dev", 482, 5092),
        ("miracl-v1.0-fi-dev", 1271, 12008),
        ("ciral-v1.0-ha-dev", 10, 165),
        ("ciral-v1.0-ha-test-a", 80, 1447),
        ("ciral-v1.0-ha-test-b", 312, 5930),
        ("ciral-v1.0-sw-dev", 10, 196),
        ("ciral-v1.0-sw-test-a", 85, 1656),
        ("ciral-v1.0-sw-test-b", 113, 2175 - 1),  # one judgement is of a query in no topic file
    ],
)
def test_topics_and_qrels_go_with_a_corpus_of_the_judged_ids(tmp_path, name, queries, judgements):
    qrels = TOPICS / "qrels" / f"qrels.{name}.tsv.gz"
    with gzip.open(qrels, "rt") as lines:
        docids = dict.fromkeys(line.split()[2] for line in lines)
    corpus = tmp_path / "docs-0.jsonl"
    corpus.write_text("".join(f'{{"docid": "{docid}", "title": "", "text": "made up"}}\n' for docid in docids))
    format_, _, rest = name.partition("-v1.0-")
    lang = rest.partition("-")[0]
    sides = {lang: "-native", "en": ""} if format_ == "ciral" else {lang: ""}
    asked = {side: TOPICS / "topics" / f"topics.{name}{suffix}.tsv.gz" for side, suffix in sides.items()}
    asked = {side: path for side, path in asked.items() if path.is_file() and path.name != DOUBLE}
    files = {f"queries/test/{side}": path for side, path in asked.items()}
    spec = {"format": format_, "languages": [lang], "asked_in": list(asked)}
    counts, out = build(tmp_path, spec, files | {f"documents/{lang}": corpus, "judgements/test": qrels})

    assert counts["documents"] == {lang: len(docids)}
    assert len(pl.read_parquet(out / f"judgements-test-{lang}.parquet")) == judgements
    assert len(pl.read_parquet(out / f"queries-test-{next(iter(asked))}.parquet")) == queries


def test_a_published_file_with_one_id_for_two_queries_is_refused_in_one_line():
    with pytest.raises(UserError, match="lines 69 and 70: query id 237 twice: keep one line of each"):
        read_queries(TOPICS / "topics" / DOUBLE)


def test_the_toy_triples_are_one_query_and_their_distinct_texts(tmp_path):
    rows = DATA / "openmatch-covid-toy" / "train_rank_toy.jsonl.gz"
    members = {"query": "query", "positive": "doc_pos", "negative": "doc_neg"}
    spec = {"format": "pairs", "splits": ["train"], "triples": True, "options": members}
    counts, out = build(tmp_path, spec, {"rows/train": rows})

    assert counts == {"documents": {"en": 882}, "queries": {"train": 1}}
    assert len(pl.read_parquet(out / "triples-train.parquet")) == 1023


def test_sentences_and_questions_belong_together_line_by_line(tmp_path):
    folder = DATA / "nqg-squad-sentences"
    files = {"queries/train": folder / "tgt-test.txt.gz", "passages/train": folder / "src-test.txt.gz"}
    counts, out = build(tmp_path, {"format": "pairs", "splits": ["train"]}, files)

    assert counts == {"documents": {"en": 6652}, "queries": {"train": 11804}}
    with gzip.open(files["queries/train"], "rt") as questions, gzip.open(files["passages/train"], "rt") as sentences:
        pairs = {
            (question.rstrip("\n"), sentence.rstrip("\n"))
            for question, sentence in zip(questions, sentences, strict=True)
        }
    judged = pl.read_parquet(out / "judgements-train-en.parquet")
    texts = judged.join(pl.read_parquet(out / "queries-train-en.parquet"), on="qid").join(
        pl.read_parquet(out / "documents-en.parquet"), on="docid", suffix="_document"
    )
    assert set(texts.select("text", "text_document").rows()) == pairs


@pytest.mark.parametrize(("documents", "lost"), [("paragraphs", 240), ("sentences", 1162)])
def test_squad_without_the_questions_of_xquad_is_the_file_without_its_paragraphs(documents, lost, tmp_path):
    """The ids of documents are their places in the file, so judgements are compared by the texts of their documents."""
    squad, spec = DATA / "squad-v1.1-dev", {"format": "squad", "languages": ["en"], "documents_as": documents}
    xquad, training = {"test/en": DATA / "xquad-r/en.json.gz"}, spec | {"splits": ["train"], "dev": 0.04}
    _, other = build(tmp_path / "xquad", spec, xquad)
    files = {"train/en": squad / "dev-v1.1.json.gz", "excluded/queries-test-en": other / "queries-test-en.parquet"}
    counts, left = build(tmp_path / "whole", training | {"excluding": "xquad"}, files)
    wanted, without = build(tmp_path / "cut", training, {"train/en": squad / "dev-v1.1.minus-xquad.json.gz"})

    assert counts == wanted
    assert sum(counts["queries"].values()) == 9380
    record = {"questions_of": "xquad", "questions": 1190, "documents": {"en": lost}}
    assert json.loads((left / "excluded.json").read_text()) == record
    texts = [pl.read_parquet(folder / "documents-en.parquet").select("docid", "text") for folder in (left, without)]
    for table in without.glob("*.parquet"):
        found, expected = (pl.read_parquet(folder / table.name) for folder in (left, without))
        if table.name.startswith("judgements"):
            named = zip((found, expected), texts, strict=True)
            found, expected = (frame.join(text, on="docid", maintain_order="left") for frame, text in named)
        assert found.drop("docid", strict=False).equals(expected.drop("docid", strict=False))
