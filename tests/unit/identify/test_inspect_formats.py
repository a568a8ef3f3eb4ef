"""Each format is told by content: made-up files of a few rows, under names that say nothing."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import yaml
from inspect_files import (
    DICTIONARY,
    FILES,
    PASSAGE,
    SENTENCE,
    WIKI,
    fasttext_binary,
    lines,
    records,
    safetensors,
    squad,
    tar,
)
from pydantic import TypeAdapter

from switchrank.collections.rows import About, with_settings
from switchrank.collections.sections import Collection
from switchrank.collections.separate import TextFile
from switchrank.collections.spec import code_of
from switchrank.collections.tsv.reader import ROWS
from switchrank.config import lexicons
from switchrank.config.bitext import Bitext
from switchrank.formats.tables import LEXICON
from switchrank.identify.found import Found, filled
from switchrank.identify.look import entries, folder_kinds, inspect_path, kinds
from switchrank.sources.build import build_collection


@pytest.mark.parametrize(("name", "rows", "content"), FILES)
def test_a_file_is_told_by_its_content_and_its_rows_are_counted(tmp_path, name, rows, content):
    file = tmp_path / "unnamed"
    file.write_bytes(content)
    found = inspect_path(file)
    assert (found.format, found.rows) == (name, rows)
    assert found.sound or name in {"mediawiki-sql"}, found.problems


@pytest.mark.parametrize(("name", "rows", "content"), [file for file in FILES if file[0] != "safetensors"])
@pytest.mark.parametrize("packing", [gzip, bz2, lzma], ids=lambda packing: packing.__name__)
def test_a_packed_file_is_the_same(tmp_path, name, rows, content, packing):
    """Of every format but weights, which are never packed."""
    file = tmp_path / "unnamed"
    file.write_bytes(packing.compress(content))
    found = inspect_path(file)
    assert (found.format, found.rows) == (name, rows)


TEMPLATES = [(kind.format, kind.entry) for kind in [*kinds(), *folder_kinds()] if kind.entry] + [
    (name, entry) for name, (entry, _) in entries().items() if entry
]


@pytest.mark.parametrize(("name", "template"), TEMPLATES)
def test_every_entry_is_yaml_and_holds_no_blank_that_was_not_filled(name, template):
    values = {"files": 'en: "a"', "vectors": "    en: {path: a}", "version": "v2", "name": "swahili"}
    values |= {"separator": ";", "asked": "question", "answered": "answer", "negative": "no", "names": "x"}
    paths = dict.fromkeys(["documents", "train_queries", "test_queries", "train_judgements", "test_judgements"], "x")
    found = Found(name, "t", fields=["id", "text"], languages=["no", "sw"], values=values | paths)
    entry = filled(template, found, "/data/a b.tsv")
    assert "$" not in entry
    (section,) = yaml.safe_load(entry).values()
    assert section


def test_a_table_of_ours_is_named(tmp_path):
    pl.DataFrame(schema=LEXICON).write_parquet(tmp_path / "x")
    assert inspect_path(tmp_path / "x").format == "switchrank-lexicon"


def test_parquet_arrow_and_numpy_are_named(tmp_path):
    frame = pl.DataFrame({"id": ["a", "b"], "text": ["x", "y"]})
    frame.write_parquet(tmp_path / "p")
    frame.write_ipc_stream(tmp_path / "s")
    frame.write_ipc(tmp_path / "a")
    np.save(tmp_path / "n.npy", np.zeros((3, 4), dtype=np.float32))
    told = {name: (inspect_path(tmp_path / name)) for name in ("p", "s", "a", "n.npy")}
    assert {name: (found.format, found.rows) for name, found in told.items()} == {
        "p": ("parquet", 2),
        "s": ("arrow", 2),
        "a": ("arrow", 2),
        "n.npy": ("numpy", 3),
    }


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (squad(is_impossible=False), "SQuAD v2"),
        (squad(id=7, answers=[{"text": "A cat", "answer_start": "0"}]), "SQuAD v1.1"),
        (squad().replace(b'"context"', b'"sentences": [], "context"'), "XQuAD-R"),
    ],
)
def test_the_kind_of_a_squad_file_is_told(tmp_path, content, kind):
    (tmp_path / "x").write_bytes(content)
    assert kind in inspect_path(tmp_path / "x").title


@pytest.mark.parametrize(("buckets", "told"), [(10, "words that it lacks get vectors too"), (0, "get no vectors")])
def test_whether_a_fasttext_model_has_vectors_of_word_parts_is_told(tmp_path, buckets, told):
    (tmp_path / "x").write_bytes(fasttext_binary("a", "b", buckets=buckets))
    assert any(told in note for note in inspect_path(tmp_path / "x").notes)


def test_questions_in_another_script_than_paragraphs_are_pointed_out(tmp_path):
    (tmp_path / "x").write_bytes(squad(question="谁坐"))
    assert any("another script" in note for note in inspect_path(tmp_path / "x").notes)


@pytest.mark.parametrize(
    ("name", "content", "sides"),
    [
        ("x", squad(id="TEST_a_1_QUERY_0_ZH"), {"files": {"zh"}}),
        ("x", squad(id="TEST_a_1_QUERY_0_CROSS_QEN"), {"crossed": {"en-zh"}}),
        ("x", squad(id="TEST_a_1_QUERY_0_CROSS_QZH"), {"crossed": {"zh-en"}}),
        ("test-context-en-question-de.json", squad(), {"crossed": {"de-en"}}),
        ("test-context-de-question-de.json", squad(), {"files": {"de"}}),
    ],
)
def test_a_file_of_two_languages_is_read_as_one(tmp_path, name, content, sides):
    (tmp_path / name).write_bytes(content)
    entry = yaml.safe_load(inspect_path(tmp_path / name).entry)["collections"]["mine"]
    assert {key: set(entry[key]) for key in ("files", "crossed") if key in entry} == sides


def test_languages_come_from_fields_then_from_the_name(tmp_path):
    (tmp_path / "x").write_bytes(WIKI.encode())
    (tmp_path / "wiki.multi.sw.vec").write_bytes(b"1 2\na 1 2\n")
    (tmp_path / "swahili_collection.tsv").write_bytes(lines(f"#\t{PASSAGE}"))
    (tmp_path / "german_collection.tsv").write_bytes(lines(f"#\t{PASSAGE}"))
    (tmp_path / "en-sw.txt").write_bytes(DICTIONARY)
    told = {file.name: inspect_path(file).languages for file in tmp_path.iterdir()}
    assert told == {
        "x": ["sw"],
        "wiki.multi.sw.vec": ["sw"],
        "swahili_collection.tsv": [],
        "german_collection.tsv": ["de"],
        "en-sw.txt": ["en", "sw"],
    }


def test_scripts_are_counted(tmp_path):
    (tmp_path / "x").write_bytes("1\tкошка сидит\n2\tγάτα\n".encode() * 1 + lines("2#\tкошка"))
    scripts = inspect_path(tmp_path / "x").scripts
    assert scripts[0].startswith("Cyrillic")
    assert any(part.startswith("Greek") for part in scripts)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            b"question;answer\n" + lines('who is #?;"I; not #"'),
            {"rows": "x", "separator": ";", "query": "question", "positive": "answer"},
        ),
        (
            b"Question\tAnswer\n" + lines("who is #?\tI am #"),
            {"separator": "\t", "query": "Question", "positive": "Answer"},
        ),
        (records(query="who #", answer=f"# {PASSAGE}"), {"rows": "x", "query": "query", "positive": "answer"}),
    ],
)
def test_the_entry_of_questions_and_answers_reads_them(tmp_path, monkeypatch, content, expected):
    monkeypatch.chdir(tmp_path)
    Path("x").write_bytes(content)
    found = inspect_path("x")
    (section,) = yaml.safe_load(found.entry.replace("[xx]", "[en]").replace(": xx", ": en"))["collections"].values()
    assert section | expected == section
    read = TypeAdapter(Collection).validate_python(section)
    counts = build_collection(spec=read.spec("en"), files=read.roles("en"), out="out")
    assert sum(counts["queries"].values()) == found.rows > 3


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b'\xef\xbb\xbfid;title;text\n1;A;"one; two"\n2;B;three\n', ["one; two", "three"]),
        (b'd1,"one, two"\nd2,"three and four"\nd3,five six\n', ["one, two", "three and four", "five six"]),
    ],
)
def test_the_entry_of_a_spreadsheet_reads_its_columns(tmp_path, content, texts):
    (tmp_path / "x").write_bytes(content)
    entry = yaml.safe_load(inspect_path(tmp_path / "x").entry.replace("xx", "en"))["collections"]["mine"]
    settings = TypeAdapter(Collection).validate_python(entry).spec("en")["options"]["documents"]
    file = TextFile(tmp_path / "x", "document", with_settings(ROWS.documents, settings, ""))
    assert [row[2] for _, row in file.rows()] == texts


def test_answers_of_a_word_are_told_to_be_no_passages(tmp_path):
    (tmp_path / "x").write_bytes(records(question="who is #", answer="Ada"))
    assert any("are no passages to rank" in note for note in inspect_path(tmp_path / "x").notes)


@pytest.mark.parametrize(
    "content",
    [
        lines("In 2020, it was said, that this is a sentence; and it ends."),
        lines("cat, dog; cow", "a, b; c"),
        b"To be, or not to be\n" + lines("that is the question, answer it"),
    ],
)
def test_text_with_commas_is_no_table(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    assert inspect_path(tmp_path / "x").format == "text"


def folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return path


@pytest.mark.parametrize(("name", "content"), [(name, content) for name, _, content in FILES])
def test_an_entry_is_one_that_a_config_takes_and_what_has_none_says_why(tmp_path, name, content):
    (tmp_path / "x").write_bytes(content)
    found = inspect_path(tmp_path / "x")
    assert found.entry or found.notes, name
    taken_by_a_config(found.entry)


def taken_by_a_config(entry: str) -> None:
    """As soon as a code is written for the language that neither data nor name tell."""
    entry = re.sub(r"\bxx\b", "qaa", entry)
    kinds = {"collections": Collection, "lexicons": lexicons.Lexicon, "bitext": Bitext}
    for section, parts in (yaml.safe_load(entry) or {}).items():
        for part in parts.values() if section in kinds else []:
            TypeAdapter(kinds[section]).validate_python(part)


FOLDERS = [
    (
        "beir-folder",
        {
            "corpus.jsonl": records(_id="d#", title="T", text=PASSAGE),
            "queries.jsonl": records(_id="q#", text="what"),
            "qrels/test.tsv": b"query-id\tcorpus-id\tscore\n" + lines("q#\td#\t1"),
        },
    ),
    (
        "mmarco-folder",
        {
            "data/google/collections/german_collection.tsv": lines(f"#\t{PASSAGE}"),
            "data/google/queries/dev/german_queries.dev.small.tsv": lines("#\twas ist das"),
        },
    ),
    (
        "msmarco-folder",
        {
            "collection.tsv": lines(f"#\t{PASSAGE}"),
            "queries.dev.small.tsv": lines("#\twhat is it"),
            "qrels.dev.small.tsv": lines("#\t0\t#\t1"),
        },
    ),
    (
        "miracl-folder",
        {
            "miracl-v1.0-sw/topics/topics.miracl-v1.0-sw-dev.tsv": lines("#\tni nini"),
            "miracl-v1.0-sw/qrels/qrels.miracl-v1.0-sw-dev.tsv": lines("#\tQ0\td#\t1"),
        },
    ),
    (
        "ciral-folder",
        {
            "topics/topics.ciral-v1.0-ha-dev.tsv": lines("#\twhat is it"),
            "qrels/qrels.ciral-v1.0-ha-dev.tsv": lines("#\tQ0\td#\t1"),
        },
    ),
    ("afriqa-folder", {"swa/gold_span_passages.afriqa.swa.en.test.json": FILES[19][2]}),
    ("squad-folder", {"en.json": squad(), "sw.json": squad()}),
    (
        "squad-folder",
        {"test-context-en-question-en.json": squad(), "test-context-en-question-de.json": squad()},
    ),
    (
        "bipar-folder",
        {
            "a.json": squad(id="A_QUERY_0_EN"),
            "b.json": squad(id="A_QUERY_0_ZH"),
            "c.json": squad(id="A_QUERY_0_CROSS_QEN"),
        },
    ),
    ("vectors-folder", {"a.en.vec": b"1 2\na 1 2\n", "a.sw.vec": b"1 2\na 1 2\n"}),
    ("parallel-text", {"train.en": lines(SENTENCE), "train.sw": lines(SENTENCE)}),
    ("folder", {"a": DICTIONARY, "b": lines(SENTENCE), "README.md": b"x"}),
    ("model-folder", {"config.json": b'{"model_type": "bert"}', "model.safetensors": safetensors()}),
]


@pytest.mark.parametrize(("name", "files"), FOLDERS)
def test_a_folder_is_told_by_its_files(tmp_path, name, files):
    found = inspect_path(folder(tmp_path / "x", files))
    assert found.format == name
    assert found.sound
    if name in {"folder", "afriqa-folder"}:
        assert found.notes
    else:
        taken_by_a_config(found.entry)


def test_parallel_text_in_languages_that_nothing_tells_has_no_entry(tmp_path):
    found = inspect_path(folder(tmp_path / "x", {"a": lines(SENTENCE), "b": lines(SENTENCE)}))
    assert (found.format, found.entry) == ("parallel-text", "")
    assert any("name the files under bitext" in note for note in found.notes)


def test_a_dataset_on_disk_counts_the_rows_of_its_shards(tmp_path):
    for shard in range(2):
        pl.DataFrame({"id": ["a"]}).write_ipc_stream(tmp_path / f"data-0000{shard}-of-00002.arrow")
    (tmp_path / "state.json").write_text("{}")
    found = inspect_path(tmp_path)
    assert (found.format, found.rows, found.sound) == ("datasets", 2, True)
    taken_by_a_config(found.entry)


def test_an_archive_is_listed_and_names_that_lead_outside_are_told(tmp_path):
    (tmp_path / "x").write_bytes(tar())
    found = inspect_path(tmp_path / "x")
    assert found.format == "tar"
    assert any("lead out" in problem for problem in found.problems)


@pytest.mark.parametrize("row", [b"(1,'sw','A')", b"(1,_binary 'sw',_binary 'A')", b"(1, 0x7377, 0x41)"])
def test_languages_of_links_are_told_however_texts_are_written(tmp_path, row):
    (tmp_path / "x").write_bytes(b"INSERT INTO `langlinks` VALUES\n" + row + b";\n")
    assert "languages linked to: sw" in inspect_path(tmp_path / "x").notes


OF_COLLECTIONS = [
    (name, rows, content)
    for name, rows, content in FILES
    if name in {kind.format for kind in kinds() if kind.entry.startswith("collections:")}
]


@pytest.mark.parametrize(("name", "rows", "content"), OF_COLLECTIONS)
def test_the_entry_of_a_file_names_a_reader_that_reads_it(tmp_path, name, rows, content):
    """What is recognised and what is read are one: the reader finds as many rows as were told."""
    file = tmp_path / "unnamed.test"
    file.write_bytes(content)
    entry = re.sub(r"\bxx\b", "en", inspect_path(file).entry)
    section = TypeAdapter(Collection).validate_python(yaml.safe_load(entry)["collections"]["mine"])
    roles = [role for role, path in section.roles("en").items() if path == str(file)]
    assert roles
    reader = import_module(f"switchrank.{code_of(section.format)}")
    if not hasattr(reader, "ROWS"):
        return
    tables = reader.ROWS.changed(section.options())
    table = max(roles).partition("/")[0]  # a file of queries may hold judgements and documents too
    if table in vars(tables):
        about = About(language=section.languages[0] if name != "hc4-topics" else "en")
        assert len(list(getattr(tables, table)(file, about))) == rows


def test_quotes_between_tabs_are_told_to_be_read_by_nobody(tmp_path):
    """As a run would say it: a field over several lines is no field there."""
    (tmp_path / "x").write_bytes(b'id\ttitle\ttext\n1\tA\t"two\nlines"\n2\tB\tone\n')
    found = inspect_path(tmp_path / "x")
    assert (found.format, found.rows, found.problems) == ("tsv-with-header", 2, ["1 fields (line 3)"])
    assert any("needs commas or semicolons" in note for note in found.notes)


@pytest.mark.parametrize("quick", [False, True])
@pytest.mark.parametrize("content", [b"1 2\na 1 2\n", WIKI.encode(), fasttext_binary("a", "b"), DICTIONARY])
def test_looking_at_a_file_shows_its_own_bar_and_none_of_a_reader(tmp_path, capsys, content, quick):
    (tmp_path / "x").write_bytes(content)
    inspect_path(tmp_path / "x", quick=quick)
    assert capsys.readouterr().err == ""
    inspect_path(tmp_path / "x", quick=quick, what="my look")
    told = capsys.readouterr().err
    assert {line.partition(":")[0] for line in told.replace("\r", "\n").splitlines() if line.strip()} == {"my look"}
