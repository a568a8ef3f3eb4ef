"""Parallel texts in a config: every example in config/README.md is planned, and read as it says; mistakes are told."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.entries import whole_config

from switchrank.core.errors import UserError
from switchrank.formats.tables import BITEXT, read_table
from switchrank.sources.bitext.write import write_bitext

README = Path(__file__).parents[3] / "config" / "README.md"
SECTION = README.read_text().partition("\n## Bitext\n")[2].partition("\n## ")[0]
EXAMPLES = {
    name: section
    for block in re.findall(r"```yaml\n(.*?)```", SECTION, re.S)
    for name, section in yaml.safe_load(block).items()
}
TEXTS = {
    "en": ["Good morning.", "Thank you."],
    "de": ["Guten Morgen.", "Danke."],
    "sw": ["Habari za asubuhi.", "Asante."],
}


def plan_of(**bitext: Any) -> Any:
    return whole_config({"bitext": bitext}, ["de", "sw", "ru"])


def content(name: str, languages: list[str]) -> bytes:
    """What a file of an example holds: a side, two columns, columns with names, or an archive."""
    texts = [TEXTS[language] for language in languages]
    if name.endswith(".zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for language, lines in zip(languages, texts, strict=True):
                archive.writestr(f"X.{'swa' if language == 'sw' else language}", "\n".join(lines))
        return packed.getvalue()
    head = "english\tgerman\n" if name.endswith(".tsv") else ""
    return (head + "".join("\t".join(line) + "\n" for line in zip(*texts, strict=True))).encode()


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_read_as_it_says(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    plan = plan_of(**{name: EXAMPLES[name]})
    section = plan.config.bitext[name]
    for other, outputs in plan.bitext_files(name).items():
        files = section.given(other)
        for place, file in enumerate(files):
            Path(file).parent.mkdir(parents=True, exist_ok=True)
            Path(file).write_bytes(content(file, ["en", other] if len(files) == 1 else [["en", other][place]]))
        folder = Path(outputs[0]).parent
        write_bitext(files=files, out=folder, **section.reading(other) | {"held_out": 0})
        assert folder == Path(f"results/entry/bitext/{name}/en-{other}")
        read = read_table(folder / "train.parquet", BITEXT)
        assert read.select("source", "target").rows() == list(zip(TEXTS["en"], TEXTS[other], strict=True))


def test_held_out_lines_are_a_file_of_their_own():
    files = {"en": "data/en.txt", "de": "data/de.txt"}
    outputs = [plan_of(x={"files": files, "held_out": held_out}).bitext_files("x")["de"] for held_out in (0, 0.1, 10)]
    names = [[Path(file).name for file in files] for files in outputs]
    assert names == [["train.parquet", "stats.json"], *[["train.parquet", "held-out.parquet", "stats.json"]] * 2]


def test_columns_of_one_file_are_those_of_the_pair():
    three = {"path": "data/all.tsv", "languages": ["en", "de", "sw"], "columns": [3, 1, 2]}
    section = plan_of(x=three).config.bitext["x"]
    assert [section.reading(language)["columns"] for language in ("de", "sw")] == [[3, 1], [3, 2]]


def test_an_address_is_fetched_with_its_checksum():
    address = "https://example.org/en-de.zip"
    plan = plan_of(x={"path": f"{address}#sha256={'0' * 64}", "languages": ["en", "de"]})
    ((path, download),) = plan.downloads.items()
    assert plan.config.bitext["x"].given("de") == [path]
    assert download.url == f"{address}#sha256={'0' * 64}"


FILES = {"en": "data/en.txt", "de": "data/de.txt"}


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({}, "bitext.x: give either files"),
        ({"path": "x.zip", "files": FILES}, "bitext.x: give either files"),
        ({"files": FILES, "columns": [1, 2]}, "bitext.x: columns beside files: leave it out"),
        ({"files": {"en": "data/en.txt"}}, "bitext.x: 1 languages: name two or more"),
        ({"path": "x.tsv", "columns": [1, 2]}, "bitext.x: 0 languages: name two or more"),
        ({"path": "x.tsv", "languages": ["en", "de"], "columns": [1]}, "bitext.x: 1 columns: name 2"),
        ({"path": "{lang}.tsv", "languages": ["en", "de", "sw"], "columns": [1, 2, 3]}, "bitext.x: 3 columns: name 2"),
        ({"path": "x.tsv", "languages": ["en", "de"], "columns": [0, 1]}, r"bitext.x.columns: \[0, 1\]: write two"),
        ({"path": "{code}.tsv", "languages": ["en", "de"]}, "bitext.x.path: unknown placeholder {code}"),
        ({"files": {"en": "{lang}", "de": "x"}}, "bitext.x.files: unknown placeholder {lang}: nothing is filled in"),
        ({"files": FILES | {"tr": "data/tr.txt"}}, "bitext.x: unknown language tr: declared: en, de, sw, ru"),
        ({"files": FILES, "held_out": 1.5}, "bitext.x.held_out"),
        ({"files": FILES, "max_ratio": 0.5}, "bitext.x.max_ratio"),
        ({"files": FILES, "drop": ["ratio", "ratio"]}, "bitext.x.drop: ratio twice"),
    ],
)
def test_what_is_wrong_with_a_section_is_told_before_the_first_job(section, said):
    with pytest.raises(UserError, match=said):
        plan_of(x=section)
