"""Pages-articles dumps and their wikitext; XML that means harm."""

from __future__ import annotations

import bz2

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.growth import assert_no_square

from switchrank.core.errors import UserError
from switchrank.files import xml_stream
from switchrank.files.xml_stream import read_elements
from switchrank.formats.pages import Page, Site, read_pages
from switchrank.text.wikitext import plain_lines

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.{version}/" version="0.{version}" xml:lang="de">
  <siteinfo><namespaces><namespace key="0" /><namespace key="6">Datei</namespace>
    <namespace key="14">Kategorie</namespace></namespaces></siteinfo>
  <page><title>Käse</title><ns>0</ns><revision><text>alt</text></revision>
    <revision><text xml:space="preserve">Ein &lt;b&gt;Käse&lt;/b&gt; &amp;amp; mehr.</text></revision></page>
  <page><title>Weiter</title><ns>0</ns><redirect title="Käse" />
    <revision><text>#WEITERLEITUNG [[Käse]]</text></revision></page>
  <page><title>Kategorie:Essen</title><revision><text/></revision></page>
  <page><title>Alt</title><revision><text>#REDIRECT [[Käse]]</text></revision></page>
</mediawiki>
"""
PAGES = [
    Page("Käse", 0, "", "Ein <b>Käse</b> &amp; mehr."),
    Page("Weiter", 0, "Käse", "#WEITERLEITUNG [[Käse]]"),
    Page("Kategorie:Essen", 14, "", ""),
    Page("Alt", 0, "Käse", "#REDIRECT [[Käse]]"),
]


@pytest.mark.parametrize("version", [3, 8, 11])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_version_and_encoding_gives_the_same_pages(tmp_path, version, encoding):
    raw = DUMP.replace("{version}", str(version)).encode(encoding)
    half = len(raw) // 2
    (tmp_path / "dump").write_bytes(bz2.compress(raw[:half]) + bz2.compress(raw[half:]))
    site = Site()
    assert list(read_pages(tmp_path / "dump", site)) == PAGES
    assert site == Site("de", {"": 0, "datei": 6, "kategorie": 14})


def read(tmp_path, text):
    (tmp_path / "x.xml").write_text(text)
    return list(read_elements(tmp_path / "x.xml", ("a",)))


def test_entities_are_refused_before_they_can_grow(tmp_path):
    lol = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 9))
    with pytest.raises(UserError, match="line 1: declares the entity l0: give a file without"):
        read(tmp_path, f'<!DOCTYPE r [<!ENTITY l0 "lol">{lol}]><r><a>&l8;</a></r>')
    (tmp_path / "secret").write_text("secret")
    with pytest.raises(UserError, match="declares the entity"):
        read(tmp_path, f'<!DOCTYPE r [<!ENTITY s SYSTEM "file://{tmp_path}/secret">]><r><a>&s;</a></r>')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<r><a>1</a><a>2", r"line 1: not well-formed XML \(no element found\)"),
        ("<r>\n<a>1</b></r>", r"line 2: not well-formed XML \(mismatched tag\)"),
        ("a\tb\n", "not well-formed XML"),
        ("", "no element found"),
        ('<?xml version="1.0" encoding="klingon"?><r/>', "encoding"),
    ],
)
def test_broken_xml_is_one_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value)


def test_an_element_without_measure_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(xml_stream, "_LARGEST", 1000)
    with pytest.raises(UserError, match="an element of more than"):
        read(tmp_path, f"<r><a>{'x' * 2000}</a></r>")


def test_another_xml_file_is_no_dump(tmp_path):
    (tmp_path / "x.xml").write_text("<rss><page><title>x</title></page></rss>")
    with pytest.raises(UserError, match="root is not <mediawiki>"):
        list(read_pages(tmp_path / "x.xml", Site()))


@pytest.mark.parametrize(
    ("wikitext", "lines"),
    [
        ("'''Cheese''' is ''old'' [[food|foods]], [[milk]] and [[tea]]s.", ["Cheese is old foods, milk and teas."]),
        ("A{{cite|b={{c|d}}}} b<ref name=x>no <b>no</b></ref>.<ref name=x /> C", ["A b. C"]),
        ("{| class=x\n! head\n| {{a|}} cell\n|}\nprose", ["prose"]),
        ("[[File:A.jpg|thumb|A [[big]] cat]]Cat.\n[[Kategorie:Tier]]\n[[en:Cat]]", ["Cat."]),
        ("see [[:Category:Cats]] and [[wikt:cat|cat]]", ["see Category:Cats and cat"]),
        ("[http://x.org/a the page] and [http://x.org]", ["the page and"]),
        ("== Head ==\n* one\n# two\n: ''three''\n----\n12 3", ["one", "two", "three"]),
        ("a <!-- {{ [[ --> b &nbsp;&amp; &eacute;<br/>c __NOTOC__", ["a b & é c"]),
        ("a {{ b [[ c", ["a b c"]),
        ("a }} b ]] c --> d", ["a b c d"]),
        ("-{zh-hans:简;zh-hant:繁}-体", ["简体"]),
        ("", []),
    ],
)
def test_prose_stays_and_markup_goes(wikitext, lines):
    assert plain_lines(wikitext, ["datei", "kategorie"]) == lines


@given(st.text(st.sampled_from("a[]{}|<>!-/=*'\n&;:") | st.characters(codec="utf-8"), max_size=200))
def test_any_wikitext_gives_lines_with_letters_and_no_brackets_of_markup(wikitext):
    for line in plain_lines(wikitext):
        assert any(letter.isalpha() for letter in line)
        assert "\n" not in line
        assert line == " ".join(line.split())


@pytest.mark.parametrize(
    "mark", ["{{", "[[", "<ref>", "<!--", "{|", "[http://", "-{", "<", "'", "[[a:", "{{{", "&", "=", "}}"]
)
def test_unclosed_marks_cost_linear_time(mark):
    assert_no_square(lambda size: plain_lines((mark + "a") * size), 12_500)
