"""Lexicons read off linked Wikipedia titles."""

import gzip

import pytest

from switchrank.core.errors import UserError
from switchrank.formats.tables import LEXICON, read_table
from switchrank.lexicon.titles import titles_lexicon


def sql(table, columns, rows):
    def field(value):
        if isinstance(value, int):
            return b"%d" % value
        return b"'" + value.replace(b"\\", b"\\\\").replace(b"'", b"\\'") + b"'"

    create = f"CREATE TABLE `{table}` (\n" + ",\n".join(f"  `{name}` x" for name in columns) + "\n);\n"
    values = b",".join(b"(" + b",".join(map(field, row)) + b")" for row in rows)
    return create.encode() + b"INSERT INTO `%s` VALUES " % table.encode() + values + b";\n"


@pytest.fixture
def build(tmp_path):
    """Builds the lexicon of (English title, German title) pairs; titles are text or bytes."""

    def build(pairs, language="de", extra_pages=(), extra_links=(), **options):
        raw = [[side.encode() if isinstance(side, str) else side for side in pair] for pair in pairs]
        pages = [(n, 0, source.replace(b" ", b"_"), 0) for n, (source, _) in enumerate(raw, 1)]
        links = [(n, b"de", target) for n, (_, target) in enumerate(raw, 1)]
        page, langlinks = tmp_path / "page.sql.gz", tmp_path / "langlinks.sql.gz"
        columns = ["page_id", "page_namespace", "page_title", "page_is_redirect"]
        page.write_bytes(gzip.compress(sql("page", columns, [*pages, *extra_pages])))
        langlinks.write_bytes(
            gzip.compress(sql("langlinks", ["ll_from", "ll_lang", "ll_title"], [*links, *extra_links]))
        )
        out = tmp_path / "en-de.parquet"
        counts = titles_lexicon(files=[page, langlinks], language=language, out=out, **options)
        lexicon = read_table(out, LEXICON)
        assert lexicon["score"].is_null().all()
        return lexicon.select("source", "target", "rank").rows(), counts

    return build


def test_both_sides_are_cleaned(build):
    rows, counts = build(
        [("Mercury (planet)", "Merkur (Planet)"), ("Fire engine", "Feuerwehrfahrzeug"), ("Café", "Cafe\u0301")]
    )
    assert rows == [("café", "café", 1), ("fire engine", "feuerwehrfahrzeug", 1), ("mercury", "merkur", 1)]
    assert counts["links"] == 3
    assert counts["sources"] == counts["rows"] == 3


def test_targets_are_ranked_by_how_often_then_plain_titles_then_code_points(build):
    pairs = [("Java", "Java"), ("Java (coffee)", "Kaffee"), ("Java (band)", "Band")]
    assert build(pairs)[0] == [("java", "java", 1), ("java", "band", 2), ("java", "kaffee", 3)]
    twice = [*pairs, ("Java (drink)", "Kaffee (Getränk)")]
    assert build(twice)[0] == [("java", "kaffee", 1), ("java", "java", 2), ("java", "band", 3)]


def test_only_articles_count(build):
    pages = [(10, 14, b"Cats", 0), (11, 0, b"Kitty", 1), (12, 0, b"Dog", 0)]
    links = [(10, b"de", b"Katzen"), (11, b"de", b"Katze"), (12, b"fr", b"Chien"), (99, b"de", b"Niemand")]
    rows, counts = build([("Cat", "Katze")], extra_pages=pages, extra_links=links)
    assert rows == [("cat", "katze", 1)]
    assert counts["links"] == 4
    assert counts["no_article"] == 3


def test_titles_no_text_can_match_are_left_out(build):
    pairs = [
        ("Cat", "Katze"),
        ("Spider-Man", "Spider-Man"),
        ("Yahoo!", "Yahoo"),
        ("One of the ones", "X"),
        ("C++", "C++"),
    ]
    rows, counts = build(pairs)
    assert rows == [("cat", "katze", 1)]
    assert counts["unmatchable"] == 3
    assert counts["too_long"] == 1
    assert len(build(pairs, max_words=4)[0]) == 2


def test_a_namespace_of_the_target_goes_but_colons_of_articles_stay(build):
    pairs = [("Biology", "Portal:Biologie"), ("Alien film", "Alien: Der Film"), ("Re:Zero", "Re:Zero")]
    assert build(pairs)[0] == [
        ("alien film", "alien: der film", 1),
        ("biology", "biologie", 1),
        ("re:zero", "re:zero", 1),
    ]


def test_identical_names_stay(build):
    assert build([("Berlin", "Berlin")])[0] == [("berlin", "berlin", 1)]


def test_titles_in_another_encoding_are_counted_and_told(build, capsys):
    rows, counts = build([("Cat", "Katze"), ("Dog", b"H\xfcnd"), ("Bird", "(Vogel)"), ("Fish", " ")])
    assert rows == [("bird", "(vogel)", 1), ("cat", "katze", 1)]
    assert counts["undecodable"] == 1
    assert counts["empty"] == 1
    assert "1 undecodable, 1 empty" in capsys.readouterr().err


def test_the_original_cleaning_is_one_sided(build):
    pairs = [("Mercury (planet)", "Merkur (Planet)"), ("Star Wars", "Film: Krieg"), ("CAT", "Katze"), ("Cat", "Kater")]
    rows, _ = build(pairs, onesided_titles=True)
    assert rows == [("cat", "kater", 1), ("mercury (planet)", "merkur", 1), ("star wars", "krieg", 1)]


def test_equal_dumps_give_equal_bytes(build, tmp_path):
    pairs = [("Cat", "Katze"), ("Java", "Java"), ("Java (x)", "Insel")]
    build(pairs)
    first = (tmp_path / "en-de.parquet").read_bytes()
    build(pairs)
    assert (tmp_path / "en-de.parquet").read_bytes() == first


def test_a_language_without_links_covers_nothing(build, tmp_path):
    with pytest.raises(UserError, match="covers nothing"):
        build([("Cat", "Katze")], language="xx")
    assert not (tmp_path / "en-de.parquet").exists()
    with pytest.raises(UserError, match="covers nothing"):
        build([("C++", "C++")])


def test_titles_with_escapes_are_matched_as_words(build):
    assert build([("All Saints' Day", "Allerheiligen"), ("O'Neil", "O'Neil")])[0] == [("o'neil", "o'neil", 1)]


def test_turkish_titles_are_lower_case_by_turkish_rules(build):
    links = [(1, b"tr", "İzmir Iğdır".encode())]
    assert build([("İzmir", "x")], language="tr", extra_links=links)[0] == [("izmir", "izmir ığdır", 1)]
