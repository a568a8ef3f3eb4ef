"""Real dumps, title files and dictionaries: every row that another library finds, and the counts of their READMEs."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from switchrank.files.reading import open_bytes
from switchrank.formats.pages import Page, Site, read_pages
from switchrank.formats.pairs import read_entries, read_pairs
from switchrank.lexicon.dumps import read_blocks
from switchrank.lexicon.titles import titles_lexicon
from switchrank.sources.wikitext import write_wikitext

DATA = Path(os.environ.get("SWITCHRANK_DATA", "none"))
pytestmark = pytest.mark.real
DUMPS, WIKIDATA = DATA / "wiki-dumps", DATA / "wikidata"
WIKIS = ["en", "de", "fr", "it", "fi", "ru", "tr", "hr", "es", "sw"]
REDIRECT = ["rd_from", "rd_namespace", "rd_title", "rd_interwiki", "rd_fragment"]
TABLES = [
    *((f"wikidata/derived/{w}wiki-derived-{t}.sql.gz", t, None) for w in WIKIS for t in ("page", "langlinks")),
    ("wiki-dumps/aawiki-20260101/aawiki-20260101-pagelinks.sql.gz", "pagelinks", None),
    ("wiki-dumps/aawiki-20260101/aawiki-20260101-categorylinks.sql.gz", "categorylinks", None),
    ("wiki-dumps/simplewiki-change_tag_def/testfile.sql.gz", "change_tag_def", None),
    ("wiki-dumps/sparkwiki-fragments/enwiki-page.fragment.sql", "page", None),
    ("wiki-dumps/sparkwiki-fragments/enwiki-page-long.fragment.sql", "page", None),
    ("wiki-dumps/sparkwiki-fragments/enwiki-langlinks-fr.fragment.sql", "langlinks", None),
    ("wiki-dumps/sparkwiki-fragments/enwiki-redirect.fragment.sql", "redirect", REDIRECT),
]  # fmt: skip


def rows_by_sqlglot(path: Path, table: str) -> Iterator[tuple[str, ...]]:
    """All rows of a table as text, found by a general SQL parser."""
    from sqlglot import exp, parse_one

    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8", "surrogateescape")
    for line in text.split("\n"):
        if line.startswith(f"INSERT INTO `{table}`"):
            for row in parse_one(line, read="mysql").expression.expressions:
                yield tuple("" if isinstance(field, exp.Null) else field.this for field in row.expressions)


@pytest.mark.parametrize(("file", "table", "names"), TABLES)
def test_a_dump_gives_exactly_the_rows_that_a_general_sql_parser_finds(file: str, table: str, names: list | None):
    expected = list(rows_by_sqlglot(DATA / file, table))
    assert expected
    found = []
    for block in read_blocks(DATA / file, table, [], names=names):
        every = np.arange(block.rows)
        columns = [block.texts(name, every) for name in block.names]
        found += [
            tuple(field.decode("utf-8", "surrogateescape") for field in row) for row in zip(*columns, strict=True)
        ]
    assert found == expected


def lexicon(tmp_path: Path, **given) -> dict[str, int]:
    return titles_lexicon(out=tmp_path / "lexicon.parquet", **given)


@pytest.mark.parametrize(("language", "links"), [("de", 373), ("sw", 210)])
def test_dumps_and_wikidata_link_as_many_titles_as_the_readme_says_and_make_one_lexicon(tmp_path, language, links):
    derived = [WIKIDATA / "derived" / f"enwiki-derived-{table}.sql.gz" for table in ("page", "langlinks")]
    counts = lexicon(tmp_path, files=derived, language=language)
    first = (tmp_path / "lexicon.parquet").read_bytes()
    given = {"format": "wikidata", "files": [WIKIDATA / "testDump.json.bz2"], "language": language}
    assert counts["links"] == lexicon(tmp_path, **given)["links"] == links
    assert (tmp_path / "lexicon.parquet").read_bytes() == first


CLDR = ["ar", "cs", "de", "el", "es", "fi", "fr", "ha", "hr", "ig", "it", "ru", "sw", "tr", "zh"]
LABELS = [("de", 1615), ("fr", 1650), ("ru", 1702), ("it", 1341), ("es", 1456), ("fi", 815), ("tr", 401), ("sw", 213)]


@pytest.mark.parametrize(("language", "labels"), LABELS)
def test_wikidata_has_as_many_labels_as_its_readme_says(tmp_path, language, labels):
    given = {"format": "wikidata-labels", "files": [WIKIDATA / "testDump.json.bz2"], "language": language}
    assert lexicon(tmp_path, **given)["links"] == labels


@pytest.mark.parametrize("language", CLDR)
def test_cldr_names_pair_every_key_that_both_languages_have(tmp_path, language):
    tables = ["territories", "languages"]
    files = [DATA / "cldr-names" / lang / f"{table}.json.gz" for table in tables for lang in ("en", language)]
    shared = 0
    for table, *pair in zip(tables, files[::2], files[1::2], strict=True):
        contents = [json.loads(gzip.decompress(path.read_bytes()))["main"] for path in pair]
        names = [next(iter(content.values()))["localeDisplayNames"][table] for content in contents]
        shared += len(set(names[0]) & set(names[1]))
    counts = lexicon(tmp_path, format="cldr", files=files, language=language)
    assert counts["links"] == shared > 600


def pages_by_lxml(stream: IO[bytes]) -> list[tuple[str, str | None, str]]:
    """Title, namespace where it is written, and text of every page, found by another parser."""
    from lxml import etree

    found = []
    for _, page in etree.iterparse(stream, tag="{*}page", huge_tree=True):
        texts = page.findall("{*}revision/{*}text")
        found.append((page.findtext("{*}title"), page.findtext("{*}ns"), (texts[-1].text or "") if texts else ""))
        page.clear()
    return found


def assert_equal_pages(found: list[Page], expected: list[tuple[str, str | None, str]]) -> None:
    assert [(page.title, page.text) for page in found] == [(title, text) for title, _, text in expected]
    told = [(page.namespace, int(space)) for page, (_, space, _) in zip(found, expected, strict=True) if space]
    assert all(ours == theirs for ours, theirs in told)


@pytest.mark.parametrize(
    ("file", "language", "pages", "articles"),
    [
        ("gensim/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2", "en", 206, None),
        ("gensim/bgwiki-latest-pages-articles-shortened.xml.bz2", "bg", 3, None),
        ("itwiki-2013/small-dump.xml.gz", "it", 747, 672),
        ("ltgwiki-2017/smallwiki-latest-pages-articles.xml.gz", "ltg", 2004, None),
    ],
)
def test_a_pages_articles_dump_has_the_pages_of_the_readme(tmp_path, file, language, pages, articles):
    site = Site()
    found = list(read_pages(DUMPS / file, site))
    assert (site.language, len(found)) == (language, pages)
    with open_bytes(DUMPS / file) as stream:
        assert_equal_pages(found, pages_by_lxml(stream))
    assert articles is None or sum(page.namespace == 0 for page in found) == articles
    counts = write_wikitext(dumps=[DUMPS / file], out=tmp_path / "text.txt")
    assert counts["pages"] == pages
    lines = (tmp_path / "text.txt").read_text().split("\n")[:-1]
    assert len(lines) == counts["lines"] > 50
    assert sum(bool(re.search(r"\[\[|\]\]|\{\{|\}\}|'''|</?ref|&[a-z]+;", line)) for line in lines) <= len(lines) / 1000


def test_the_current_layout_of_2026_is_read():
    path = DUMPS / "aawiki-20260101/aawiki-20260101-pages-meta-current.xml.bz2"
    found = list(read_pages(path, Site()))
    assert_equal_pages(found, pages_by_lxml(io.BytesIO(bz2.decompress(path.read_bytes()))))
    assert {page.namespace for page in found} > {0, 10, 14}


def test_every_small_dump_of_the_171_wikis_is_read(tmp_path):
    wikis = 0
    with tarfile.open(DUMPS / "dbpedia-minidumps" / "minidumps.tar") as archive:
        for member in archive:
            if not member.name.endswith(".xml.bz2"):
                continue
            raw = archive.extractfile(member).read()
            (tmp_path / "wiki.xml.bz2").write_bytes(raw)
            site = Site()
            found = list(read_pages(tmp_path / "wiki.xml.bz2", site))
            assert_equal_pages(found, pages_by_lxml(io.BytesIO(bz2.decompress(raw))))
            assert site.language
            wikis += 1
    assert wikis == 171


def test_freedict_has_the_entries_of_the_readme_in_both_directions():
    folder = DATA / "freedict-swahili"
    assert sum(1 for _ in read_entries(folder / "swh-eng.tei.gz")) == 2658
    assert sum(1 for _ in read_entries(folder / "eng-swh.tei.gz")) == 1450
    assert ("above", "juu") in read_pairs(folder / "eng-swh.tei.gz")
    assert ("window", "dirisha") in read_pairs(folder / "swh-eng.tei.gz", reverse=True)


def test_swadesh_lists_name_207_concepts():
    folder = DATA / "panlex-swadesh" / "swadesh207"
    lists = sorted(folder.glob("*-000.txt"))
    assert len(lists) == 15
    for path in lists:
        assert len(path.read_text().removesuffix("\n").split("\n")) == 207
        assert len(read_pairs([folder / "eng-000.txt", path])) > 200


def test_xling_eval_has_its_rows():
    rows = {"test.freq.2k": 2000, "train.freq.500": 500, "train.freq.1k": 1000, "train.freq.3k": 3000}
    rows["train.freq.5k"] = 5000
    pairs = sorted(path for path in (DATA / "xling-eval").iterdir() if path.is_dir())
    assert len(pairs) == 26
    for folder in pairs:
        for name, count in rows.items():
            assert len(read_pairs(folder / f"yacle.{name}.{folder.name}.tsv.gz")) == count
