"""Every example of a collection in config/README.md builds the tables it declares, from files laid out as it says."""

from __future__ import annotations

import gzip
import json
import os
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from pydantic import TypeAdapter

from switchrank.collections.section import CollectionSection
from switchrank.collections.sections import Collection
from switchrank.collections.spec import names
from switchrank.core.errors import UserError
from switchrank.sources.build import build_collection

README = Path(__file__).parents[3] / "config" / "README.md"
BLOCKS = re.findall(r"```yaml\n(.*?)```", README.read_text().partition("## Collections")[2].partition("\n## ")[0], re.S)
EXAMPLES = {name: section for block in BLOCKS for name, section in yaml.safe_load(block).items()}
NUMBERS = range(1, 9)
LANGUAGE_CODES = ("eng", "fas", "zho")


def section_of(name: str, **changes: Any) -> CollectionSection:
    return TypeAdapter(Collection).validate_python(EXAMPLES[name] | changes)


def jsonl(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def table(rows: list[dict[str, Any]]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in [rows[0].keys(), *(row.values() for row in rows)])


DOCUMENTS = [{"docid": f"d{n}", "title": f"title {n}", "text": f"passage {n}"} for n in NUMBERS]
QUERIES = [{"qid": f"q{n}", "text": f"question {n}"} for n in NUMBERS]
TSV_DOCUMENTS = "".join(f"d{n}\tpassage {n}\n" for n in NUMBERS)
TSV_QUERIES = "".join(f"q{n}\tquestion {n}\n" for n in NUMBERS)
QRELS = "".join(f"q{n} 0 d{n} 1\n" for n in NUMBERS)
TEVATRON = jsonl(
    [
        {
            "query_id": f"q{n}",
            "query": f"question {n}",
            "positive_passages": [DOCUMENTS[n - 1]],
            "negative_passages": [DOCUMENTS[n % 8]],
        }
        for n in NUMBERS
    ]
)
TOPICS = jsonl(
    [
        {
            "topic_id": f"q{n}",
            "topics": [{"lang": lang, "topic_title": f"question {n}"} for lang in ("eng", "fas", "zho")],
        }
        for n in NUMBERS
    ]
)
LISTS = jsonl(
    [
        {"src_id": f"q{n}", "src_query": f"question {n}", "tgt_results": [[f"d{n}", 6], [f"d{n % 8 + 1}", 0]]}
        for n in NUMBERS
    ]
)
AFRIQA = jsonl(
    [
        {
            "id": f"q{n}",
            "question_lang": f"question {n}",
            "question_translated": f"question {n}",
            "title": f"title {n}",
            "context": f"passage {n}",
            "answer_pivot": {"text": [f"{n}"], "answer_start": [8]},
        }
        for n in NUMBERS
    ]
)
OPEN = jsonl(
    [
        {
            "example_id": n,
            "queries": dict.fromkeys(("en", "de"), f"question {n}"),
            "answers": {"en": [{"type": "entity", "text": f"passage {n}", "aliases": []}]},
        }
        for n in NUMBERS
    ]
)
PARAGRAPHS = {
    "data": [
        {
            "title": f"T{n}",
            "paragraphs": [
                {
                    "context": f"passage {n}.",
                    "qas": [
                        {
                            "id": f"q{n}",
                            "question": f"question {n}",
                            "answers": [{"text": "passage", "answer_start": 0}],
                        }
                    ],
                }
            ],
        }
        for n in NUMBERS
    ]
}
SQUAD = {
    "data": [
        {
            "title": "T",
            "paragraphs": [
                {
                    "context": "".join(f"passage {n}. " for n in NUMBERS),
                    "sentences": [f"passage {n}." for n in NUMBERS],
                    "sentence_breaks": [[11 * (n - 1), 11 * n] for n in NUMBERS],
                    "qas": [
                        {
                            "id": f"q{n}",
                            "question": f"question {n}",
                            "answers": [{"answer_start": 11 * (n - 1), "text": f"passage {n}"}],
                        }
                        for n in NUMBERS
                    ],
                }
            ],
        }
    ]
}
PAIRS = [{"query": f"question {n}", "doc_pos": f"passage {n}", "doc_neg": f"passage {n % 8 + 1}"} for n in NUMBERS]
TEXT_TRIPLES = "".join("\t".join(row.values()) + "\n" for row in PAIRS)
TREC_DOCUMENTS = "".join(
    f"<doc>\n<docno>d{n}</docno>\n<title>title {n}</title>\n<author>a</author>\n<text>passage {n}</text>\n</doc>\n"
    for n in NUMBERS
)
WIKI_DOCUMENTS = "".join(f"d{n}\ttitle {n}\tpassage {n}\n" for n in NUMBERS)
SETS = {"documents": DOCUMENTS, "queries": QUERIES}

CONTENT: dict[str, dict[str, Any]] = {
    "marco": {"documents": TSV_DOCUMENTS, "queries": TSV_QUERIES, "judgements": QRELS, "triples": TEXT_TRIPLES},
    "mmarco": {"documents": TSV_DOCUMENTS, "queries": TSV_QUERIES, "judgements": QRELS},
    "miracl-sw": {"documents/": {"docs-0.jsonl.gz": jsonl(DOCUMENTS)}, "queries": TSV_QUERIES, "judgements": QRELS},
    "ciral-sw": {"documents/": {"p.jsonl": jsonl(DOCUMENTS)}, "queries": TSV_QUERIES, "judgements": QRELS},
    "mldr-sw": {"documents": jsonl(DOCUMENTS), "queries": TEVATRON, "judgements": TEVATRON},
    "tevatron": {"documents": jsonl(DOCUMENTS), "queries": TEVATRON, "judgements": TEVATRON},
    "scifact": {
        "documents": jsonl([{"_id": row["docid"], "title": "", "text": row["text"]} for row in DOCUMENTS]),
        "queries": jsonl([{"_id": row["qid"], "text": row["text"]} for row in QUERIES]),
        "judgements": table([{"query-id": f"q{n}", "corpus-id": f"d{n}", "score": 1} for n in NUMBERS]),
    },
    "cranfield": {
        "documents": TREC_DOCUMENTS,
        "queries": "<xml>\n"
        + "".join(f"<top><num> {n * 3}</num><title>\nquestion {n}\n</title></top>\n" for n in NUMBERS),
        "judgements": QRELS.replace("q", ""),
    },
    "neuclir": {
        "documents": jsonl([{"id": row["docid"], "title": row["title"], "text": row["text"]} for row in DOCUMENTS]),
        "queries": TOPICS,
        "judgements": QRELS,
    },
    "clirmatrix-sw": {"documents": TSV_DOCUMENTS, "queries": LISTS, "judgements": LISTS},
    "wiki-sw": {
        "documents": WIKI_DOCUMENTS,
        "queries": "".join(f"q{n}\ttitle {n}\tquestion {n}\n" for n in NUMBERS),
        "judgements": "".join(f"q{n}\td{n}\t2\n" for n in NUMBERS),
    },
    "clicks": {
        "documents": table([{"docid": row["docid"], "title": row["title"], "body": row["text"]} for row in DOCUMENTS]),
        "queries": table(QUERIES),
        "judgements": table([{"qid": f"q{n}", "docid": f"d{n}", "clicks": 3} for n in NUMBERS]),
    },
    "saved": {
        "documents": DOCUMENTS,
        "queries": QUERIES,
        "judgements": [{"qid": f"q{n}", "docid": f"d{n}", "score": 1} for n in NUMBERS],
    },
    "toy": {"rows": jsonl(PAIRS)},
    "faq": {"rows": "".join(["question;answer\n", *(f'question {n};"passage {n}"\n' for n in NUMBERS)])},
    "questions": {
        "queries": "".join(f"question {n}\n" for n in NUMBERS),
        "passages": "".join(f"passage {n}\n" for n in NUMBERS),
    },
    "xquad": {"test": json.dumps(SQUAD)},
    "mlqa": {"test": json.dumps(PARAGRAPHS)},
    "bipar": {"test": json.dumps(PARAGRAPHS)},
    "afriqa-sw": {"test": AFRIQA, "documents": AFRIQA},
    "nq": {
        "questions/train": jsonl([{"question": f"other {n}", "answer": [f"passage {n}"]} for n in NUMBERS]),
        "questions/test": OPEN,
        "documents": table([{"id": row["docid"], "title": row["title"], "text": row["text"]} for row in DOCUMENTS]),
    },
}
"""What the files of each example hold, by role or by its first word; a role that ends in ``/`` is a folder."""


def lay_out(content: dict[str, Any], roles: dict[str, str]) -> None:
    """Write the files of a collection where its roles say."""
    for role, path in roles.items():
        kind = role if role in content else role.partition("/")[0]
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if f"{kind}/" in content:
            Path(path).mkdir(exist_ok=True)
            for name, text in content[f"{kind}/"].items():
                Path(path, name).write_bytes(gzip.compress(text.encode()))
        elif isinstance(content[kind], str):
            packed = path.endswith(".gz")
            Path(path).write_bytes(gzip.compress(content[kind].encode()) if packed else content[kind].encode())
        elif path.endswith(".parquet"):
            pl.DataFrame(content[kind]).write_parquet(path)
        else:
            Path(path).mkdir(exist_ok=True)
            pl.DataFrame(content[kind]).write_ipc_stream(Path(path, "data-00000-of-00001.arrow"))
            Path(path, "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')


def test_every_format_has_an_example() -> None:
    shown = {section["format"] for section in EXAMPLES.values()}

    assert shown | {"parquet"} == {*names()}
    assert EXAMPLES.keys() == CONTENT.keys() | {"training"}


@pytest.mark.parametrize("name", CONTENT)
def test_an_example_builds_what_it_declares(tmp_path, monkeypatch, name) -> None:
    monkeypatch.chdir(tmp_path)
    section = section_of(name)
    lay_out(CONTENT[name], section.roles("en"))
    spec = section.spec("en") | {"dev": 0.25 if "train" in section.splits else 0.0}
    counts = build_collection(spec=spec, files=section.roles("en"), out="out")

    training = {"train": 6, "dev": 2} if "train" in section.splits else {}
    assert counts["documents"] == dict.fromkeys(section.languages, 8)
    assert counts["queries"] == training | ({"test": 8} if "test" in section.splits else {})
    if "test" in section.splits:
        for lang in section.test_languages:
            texts = pl.read_parquet(f"out/queries-test-{lang}.parquet")["text"].to_list()
            assert texts == [f"question {n}" for n in NUMBERS]
        assert sorted(os.listdir("out")).count("judgements-test-en.parquet") == ("en" in section.languages)
    first = pl.read_parquet(f"out/documents-{section.languages[0]}.parquet").row(0)
    assert first[1].removeprefix("title 1 ").removesuffix(".") == "passage 1"
    if section.brings_triples:
        assert len(pl.read_parquet("out/triples-train.parquet")) == 6


def test_packed_files_are_found_under_their_own_names(tmp_path) -> None:
    (tmp_path / "topics").mkdir()
    packed = tmp_path / "topics" / "topics.ciral-v1.0-sw-test-a.tsv.gz"
    packed.write_bytes(b"")
    roles = section_of("ciral-sw", folder=f"{tmp_path}/").roles("en")

    assert roles["queries/test/en"] == str(packed)
    assert roles["queries/test/sw"] == f"{tmp_path}/topics/topics.ciral-v1.0-sw-test-a-native.tsv"


def test_topics_of_miracl_may_stand_in_a_folder_that_all_languages_share(tmp_path) -> None:
    section = section_of("miracl-sw", folder=str(tmp_path))
    for folder in ("topics", "miracl-v1.0-sw/topics"):
        assert section.roles("en")["queries/test/sw"] != f"{tmp_path}/{folder}/topics.miracl-v1.0-sw-dev.tsv.gz"
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "topics.miracl-v1.0-sw-dev.tsv.gz").write_bytes(b"")
        assert section.roles("en")["queries/test/sw"] == f"{tmp_path}/{folder}/topics.miracl-v1.0-sw-dev.tsv.gz"
    assert section.roles("en")["judgements/test"] == f"{tmp_path}/miracl-v1.0-sw/qrels/qrels.miracl-v1.0-sw-dev.tsv"


def test_documents_of_neuclir_are_named_by_the_codes_of_its_topics() -> None:
    roles = section_of("neuclir", codes={"fa": "fas", "zh": "zho"}).roles("en")
    assert (roles["documents/fa"], roles["documents/zh"]) == ("data/neuclir/fas.jsonl", "data/neuclir/zho.jsonl")


def test_versions_of_mmarco_are_folders_of_its_translators() -> None:
    first = section_of("mmarco", version="v1").roles("en")
    second = section_of("mmarco").roles("en")

    assert first["documents/de"] == "data/mmarco/data/helsinki/collections/german_collection.tsv"
    assert second["queries/test/de"] == "data/mmarco/data/google/queries/dev/german_queries.dev.small.tsv"
    assert second["queries/train/de"] == "data/mmarco/data/google/queries/train/german_queries.train.tsv"


def test_without_a_corpus_the_passages_of_the_queries_are_the_documents(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = section_of("tevatron", documents=None)
    lay_out({"queries": TEVATRON, "judgements": TEVATRON, "documents": TEVATRON}, section.roles("en"))

    counts = build_collection(spec=section.spec("en") | {"dev": 0.25}, files=section.roles("en"), out="out")
    assert counts["documents"] == {"en": 8}


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("mmarco", {"languages": ["en", "sw"]}, "mMARCO v2 has no sw"),
        ("mmarco", {"version": "v1", "languages": ["en", "ja"]}, "mMARCO v1 has no ja"),
        ("ciral-sw", {"query_languages": ["fr"]}, "CIRAL asks in en and in sw"),
        ("ciral-sw", {"splits": ["train"]}, "no training split"),
        ("clirmatrix-sw", {"splits": ["train"]}, "declare a test split only"),
        ("wiki-sw", {"splits": ["train"]}, "declare a test split only"),
        ("clicks", {"header": False}, "column docid without a header: write its number"),
        ("saved", {"documents": {"path": {"test": "x"}, "id": "a", "text": "b"}}, "all splits have the same documents"),
        ("saved", {"queries": {"path": {"test": "x"}, "id": "a", "text": "b"}}, "queries for test: give one path"),
        ("toy", {"rows": None}, "give either rows, or queries and passages"),
        ("questions", {"passages": None}, "give either rows, or queries and passages"),
        ("questions", {"triples": True}, "triples come from training rows"),
        ("questions", {"separator": ","}, "separator goes with rows, and with query, which names a column"),
    ],
)
def test_a_contradiction_in_a_section_is_named(name, changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        section_of(name, **changes)


def test_more_empty_rows_than_allowed_stop_a_build(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = section_of("scifact", splits=["test"], max_skipped=0.2)
    empty = jsonl([{"_id": f"d{n}", "text": "" if n < 3 else "text"} for n in NUMBERS])
    lay_out(CONTENT["scifact"] | {"documents": empty}, section.roles("en"))

    with pytest.raises(UserError, match=r"corpus\.jsonl: 2 of 8 rows: empty documents .* above max_skipped 0\.2"):
        build_collection(spec=section.spec("en"), files=section.roles("en"), out="out")
    spec = section.spec("en") | {"max_skipped": 0.25}
    assert build_collection(spec=spec, files=section.roles("en"), out="out")["queries"] == {"test": 6}


def test_files_of_unequal_length_do_not_belong_together(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    section = section_of("questions")
    lay_out(CONTENT["questions"] | {"passages": "one\n"}, section.roles("en"))

    with pytest.raises(UserError, match=r"src\.txt: line 2: ends before data/questions/tgt\.txt does"):
        build_collection(spec=section.spec("en"), files=section.roles("en"), out="out")
