"""Title lexicons from every kind of file that links titles across languages."""

from __future__ import annotations

import json
from typing import get_args

import pytest

from switchrank.cli import main
from switchrank.config.lexicons import TitleFormat, TitlesLexicon
from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, read_table
from switchrank.lexicon import titlefiles
from switchrank.lexicon.titles import Drop, titles_lexicon


@pytest.fixture
def build(tmp_path):
    """Builds the English-German lexicon of some files given as text; (source, target) rows and counts."""

    def build(format, *texts, language="de", **options):
        files = [tmp_path / f"file{number}" for number in range(len(texts))]
        for file, text in zip(files, texts, strict=True):
            file.write_text(text, encoding="utf-8")
        counts = titles_lexicon(format=format, files=files, language=language, out=tmp_path / "out.parquet", **options)
        return read_table(tmp_path / "out.parquet", LEXICON).select("source", "target").rows(), counts

    return build


def entity(**names):
    links = {f"{code}wiki": {"site": f"{code}wiki", "title": title} for code, title in names.items()}
    labels = {code: {"language": code, "value": title.lower()} for code, title in names.items()}
    return json.dumps({"id": "Q1", "type": "item", "labels": labels, "sitelinks": links})


ENTITIES = [
    entity(en="Cat (animal)", de="Katze"),
    entity(en="Dog", fr="Chien"),
    '{"id":"Q2","labels":[],"sitelinks":[],"note":"enwiki dewiki \\"enwiki\\" \\"dewiki\\" \\"en\\" \\"de\\""}',
    entity(en="Category:Cats", de="Kategorie:Katzen"),
    entity(de="K\u00e4se", en="Cheese"),
]


@pytest.mark.parametrize(
    ("start", "between", "end"), [("[\n", ",\n", "\n]\n"), ("[\n", ",\n", "\n]"), ("", "\n", "\n")]
)
def test_sitelinks_of_wikidata(build, start, between, end):
    rows, counts = build("wikidata", start + between.join(ENTITIES) + end)
    assert rows == [("cat", "katze"), ("cheese", "käse")]
    assert (counts["links"], counts["no_article"]) == (3, 1)


def test_labels_of_wikidata(build):
    rows, _ = build("wikidata-labels", "\n".join(ENTITIES))
    assert ("cheese", "käse") in rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[\n" + ENTITIES[0] + ",\n", "the file ends inside its array"),
        ("[\n" + ENTITIES[0][:-30], "not JSON|ends inside"),
        ("[\n" + ENTITIES[0][:-1] + ",\n]", "line 2: not JSON"),
        ("en\tde\n", "line 1: no entity in 'en.tde'"),
        ("", "ends inside"),
        ("[\n]\n", "no title pair is left"),
    ],
)
def test_a_broken_wikidata_dump_is_one_line(build, text, message):
    with pytest.raises(UserError, match=message) as error:
        build("wikidata", text)
    assert "\n" not in str(error.value)


LINGUATOOLS = """<?xml version="1.0" encoding="UTF-8"?>
<wikititles><translation id="1"><entry lang="de">Katze</entry><entry lang="en">Cat</entry>
<redirects lang="de"><redirect>Hauskatze</redirect></redirects></translation>
<translation id="2"><entry lang="de">U-Boot &amp; Co</entry><entry lang="en">Submarine</entry></translation>
</wikititles>"""


def test_linguatools_titles(build):
    assert build("linguatools", LINGUATOOLS)[0] == [("cat", "katze"), ("submarine", "u-boot & co")]
    with pytest.raises(UserError, match="no <translation>"):
        build("linguatools", "<x/>")


def test_wikititles_in_either_order(build):
    assert build("wikititles", "Cat\tKatze\n\nDog\tHund\n")[0] == [("cat", "katze"), ("dog", "hund")]
    assert build("wikititles", "Katze\tCat\n", target_first=True)[0] == [("cat", "katze")]
    with pytest.raises(UserError, match="line 2: 3 fields between tabs"):
        build("wikititles", "Cat\tKatze\na\tb\tc\n")


def names(language, **tables):
    return json.dumps({"main": {language: {"identity": {}, "localeDisplayNames": tables}}})


def test_cldr_names_are_joined_by_key(build):
    english = names("en", territories={"DE": "Germany", "FR": "France", "US": "United States"})
    german = names("de", territories={"DE": "Deutschland", "US": "Vereinigte Staaten", "XX": "Nirgendwo"})
    assert build("cldr", english, german)[0] == [("germany", "deutschland"), ("united states", "vereinigte staaten")]
    with pytest.raises(UserError, match="no CLDR display names"):
        build("cldr", english, "[]")
    with pytest.raises(UserError, match="1 files"):
        build("cldr", english)


def pages(language, *texts):
    body = "".join(
        f"<page><title>{title}</title><ns>{ns}</ns><revision><text>{text}</text></revision></page>"
        for title, ns, text in texts
    )
    return f'<mediawiki xml:lang="{language}">{body}</mediawiki>'


def test_old_language_links_of_a_dump_in_either_language(build):
    dump = pages(
        "en", ("Cat", 0, "A cat. [[de:Katze]] [[fr:Chat]]"), ("Cats", 14, "[[de:Katzen]]"), ("Dog", 0, "[[:de:Hund]]")
    )
    rows, counts = build("pages-articles", dump)
    assert (rows, counts["links"], counts["no_article"]) == ([("cat", "katze")], 2, 1)
    assert build("pages-articles", pages("de", ("Katze", 0, "[[en:Cat]]")))[0] == [("cat", "katze")]
    with pytest.raises(UserError, match="of language 'fr', not en or de"):
        build("pages-articles", pages("fr", ("Chat", 0, "[[en:Cat]]")))


def test_pairs_are_dropped_on_demand_and_counted(build):
    text = "Berlin\tBERLIN\nStar Trek: One\tSternreise\n1984\t1984 (Roman)\nMoscow\tMoscow City\nRome\tРим\n"
    rows, counts = build("wikititles", text, language="ru", drop=["equal", "colon", "number", "script"])
    assert rows == [("rome", "рим")]
    assert [counts[reason] for reason in get_args(Drop)] == [1, 1, 1, 1]


def test_the_command_line_reads_every_format(tmp_path):
    assert tuple(titlefiles.READERS) == get_args(titlefiles.TitleFormat) == get_args(TitleFormat)
    (tmp_path / "t.tsv").write_text("Cat\tKatze\n")
    given = ["--format=wikititles", f"--files={tmp_path / 't.tsv'}", "--language=de", f"--out={tmp_path / 'l.parquet'}"]
    assert main(["lexicon", "titles", *given]) == 0
    assert main(["lexicon", "titles", "--language=de", f"--out={tmp_path / 'l.parquet'}"]) == 2


def entry(**keys):
    return TitlesLexicon(kind="titles", **keys)


def test_an_entry_names_the_files_of_a_pair():
    cldr = entry(format="cldr", path=["{lang}/a.json", "{lang}/b.json"], codes={"nb": "no"})
    assert cldr.files("en", "nb") == ["en/a.json", "no/a.json", "en/b.json", "no/b.json"]
    assert entry(format="wikititles", path="{lang}-{source}.tsv").files("en", "de") == ["de-en.tsv"]
    assert entry(page="p", langlinks="l").files("en", "de") == ["p", "l"]


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"page": "p"},
        {"format": "cldr"},
        {"format": "cldr", "path": "a", "page": "p"},
        {"page": "p", "langlinks": "l", "path": "x"},
        {"page": "p", "langlinks": "l", "target_first": True},
    ],
)
def test_keys_of_another_format_are_refused(keys):
    with pytest.raises(ValueError, match=r"give page and langlinks|give path alone|leave it out"):
        entry(**keys)
