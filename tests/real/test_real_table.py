"""Every folder of the real data is read by a config entry and holds what its README says: see ``table.yaml``."""

from __future__ import annotations

import gzip
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

from switchrank.config.lexicons import DictionaryLexicon
from switchrank.config.plan import Plan
from switchrank.embeddings.read import import_vectors
from switchrank.files.reading import read_lines
from switchrank.files.unpack import unpack
from switchrank.formats.pairs import read_entries, read_pairs
from switchrank.sources.wikitext import write_wikitext
from tests.entries import read_collection, read_lexicon, whole_config

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
TABLE = yaml.safe_load((Path(__file__).parent / "table.yaml").read_text())
ROWS: list[dict[str, Any]] = TABLE["rows"]
TEXT_ONLY: dict[str, str] = TABLE["text only"]
SECTIONS = ("collections", "vectors", "lexicons")
ABOUT = {"about 300": (300, 310), "about 600": (440, 670)}
"""What is meant where a README rounds; some languages lack names that the others have."""
CLDR = ["ar", "cs", "de", "el", "es", "fi", "fr", "ha", "hr", "ig", "it", "ru", "sw", "tr", "zh"]


def plan_of(row: dict[str, Any]) -> Plan:
    """The plan of a config with the sections of a row, in which all languages are seen that they name."""
    sections = {key: row[key] for key in SECTIONS if key in row}
    named = set(CLDR) | set(re.findall(r"\b[a-z]{2,3}\b", str(sections)))
    source = row.get("source", "en")
    return whole_config(sections, sorted(named - {source}), source)


def collections(plan: Plan, row: dict[str, Any]) -> None:
    stated = row["counts"]
    (name,) = row["collections"]
    counts, folder = read_collection(plan, name, **row.get("spec", {}))
    empty = stated.get("empty", {})
    for language, number in stated.get("documents", {}).items():
        assert counts["documents"][language] == number - empty.get(language, 0)
    read = dict(counts["queries"])
    read["train"] = read.get("train", 0) + read.pop("dev", 0)
    for split, number in stated.get("queries", {}).items():
        fewer = stated.get("left_out", stated.get("repeated", {})).get(split, 0)
        assert read[split] == number - fewer
    for language, number in stated.get("judgements", {}).items():
        assert len(pl.read_parquet(folder / f"judgements-test-{language}.parquet")) == number
    if "triples" in stated:
        assert len(pl.read_parquet(folder / "triples-train.parquet")) == stated["triples"]


def vectors(plan: Plan, row: dict[str, Any]) -> None:
    stated = row["counts"]
    for language in plan.config.vector_sources:
        source = plan.config.vector_sources[language]
        if source.path:
            words = import_vectors(path=source.path, out=f"vectors/{language}")["words"]
            assert words == stated["words"][language] - stated.get("left_out", {}).get(language, 0)
        else:
            (dump,) = source.text or []
            assert write_wikitext(dumps=[dump], out=plan.dumps[dump])["pages"] == stated["pages"][language]


def rows_of(section: DictionaryLexicon, files: list[str], kind: str) -> int:
    """How many rows of a kind a dictionary has: its file's, before anything is left out or put together."""
    if kind == "entries":
        return sum(1 for _ in read_entries(files[0]))
    return sum(1 for _ in read_lines(files[1])) if kind == "concepts" else len(read_pairs(files, **section.reading()))


def lexicons(plan: Plan, row: dict[str, Any]) -> None:
    stated = row["counts"]
    (name,) = row["lexicons"]
    section = plan.config.lexicons[name]
    for language in section.languages or CLDR:
        made = read_lexicon(plan, name, language)
        if isinstance(section, DictionaryLexicon):
            files = section.files(language)
            assert {key: rows_of(section, files, key) for key in stated} == stated
            assert 0 < made["words"] <= made["rows"]
        elif isinstance(stated["links"], str):
            assert ABOUT[stated["links"]][0] <= made["links"] <= ABOUT[stated["links"]][1]
        else:
            assert made["links"] == stated["links"][language]


def prepare(row: dict[str, Any]) -> None:
    """Unpack an archive, and make documents up where the folder has judgements alone."""
    if "unpack" in row:
        unpack(DATA / row["folder"] / row["unpack"], "unpacked")
    for folder, judgements in row.get("corpus", {}).items():
        with gzip.open(DATA / row["folder"] / judgements, "rt") as lines:
            docids = dict.fromkeys(line.split()[2] for line in lines)
        Path(folder).mkdir()
        texts = (f'{{"docid": "{docid}", "title": "", "text": "made up"}}\n' for docid in docids)
        Path(folder, "docs-0.jsonl").write_text("".join(texts))


def named(row: dict[str, Any]) -> str:
    return "-".join([row["folder"], *(name for key in SECTIONS for name in row.get(key, {}))])


READERS = {"collections": collections, "vectors": vectors, "lexicons": lexicons}


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_an_entry_reads_what_the_readme_of_its_folder_states(tmp_path, monkeypatch, record_property, row):
    record_property("folder", row["folder"])
    assert (DATA / row["folder"]).is_dir(), f"{DATA / row['folder']} is missing"
    monkeypatch.chdir(tmp_path)
    prepare(row)
    (section,) = [key for key in SECTIONS if key in row]
    READERS[section](plan_of(row), row)


def test_every_folder_has_a_row_or_holds_nothing_but_text():
    present = {folder.name for folder in DATA.iterdir() if folder.is_dir()}
    read = Counter(row["folder"] for row in ROWS)

    assert present == read.keys() | TEXT_ONLY.keys()
    assert not read.keys() & TEXT_ONLY.keys()
    assert all(TEXT_ONLY.values())
