"""The prose of a pages-articles dump as text to train on."""

from __future__ import annotations

import gzip

import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.sources.wikitext import write_wikitext

DUMP = """<mediawiki xml:lang="de">
<siteinfo><namespaces><namespace key="14">Kategorie</namespace></namespaces></siteinfo>
<page><title>A</title><ns>0</ns><revision><text>Eins [[B|zwei]].
[[Kategorie:K]]
Drei.</text></revision></page>
<page><title>B</title><ns>0</ns><redirect title="A"/><revision><text>#WEITERLEITUNG [[A]]</text></revision></page>
<page><title>Vorlage:C</title><ns>10</ns><revision><text>Vorlage</text></revision></page>
<page><title>D</title><ns>0</ns><revision><text>{{leer}}</text></revision></page></mediawiki>"""


def test_articles_become_lines_and_the_rest_is_counted(tmp_path, capsys):
    (tmp_path / "dump.xml").write_text(DUMP)
    counts = write_wikitext(dumps=[tmp_path / "dump.xml"] * 2, out=tmp_path / "out.txt")
    assert (tmp_path / "out.txt").read_text() == "Eins zwei.\nDrei.\n" * 2
    assert counts == {"pages": 8, "articles": 2, "redirects": 2, "other": 2, "empty": 2, "lines": 4}
    assert "8 pages, 2 articles, 2 redirects" in capsys.readouterr().err


def test_the_command_line_packs_on_demand_with_equal_bytes(tmp_path):
    (tmp_path / "dump.xml").write_text(DUMP)
    made = []
    for _ in range(2):
        assert main(["sources", "wikitext", str(tmp_path / "dump.xml"), "--out", str(tmp_path / "out.txt.gz")]) == 0
        made.append((tmp_path / "out.txt.gz").read_bytes())
    assert made[0] == made[1]
    assert gzip.decompress(made[0]) == b"Eins zwei.\nDrei.\n"


def test_a_dump_that_breaks_off_leaves_nothing(tmp_path):
    (tmp_path / "dump.xml").write_text(DUMP[:-40])
    with pytest.raises(UserError, match="not well-formed XML"):
        write_wikitext(dumps=[tmp_path / "dump.xml"], out=tmp_path / "out.txt")
    (tmp_path / "dump.xml").write_text('<mediawiki xml:lang="de"></mediawiki>')
    with pytest.raises(UserError, match="no article with prose"):
        write_wikitext(dumps=[tmp_path / "dump.xml"], out=tmp_path / "out.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["dump.xml"]
