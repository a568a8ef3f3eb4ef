"""HTML tables, TSV and switched sentences: content, escaping, repeatable bytes, nothing loaded from elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.formats.tables import (
    ABLATION,
    BIAS,
    CORPUS,
    COVERAGE,
    EFFECTS,
    EQUIVALENCE,
    EXPOSURE,
    FIRST_STAGE,
    LEXICON,
    OVERLAP,
    SHIFT,
    SWEEP,
    TESTSETS,
    write_table,
)
from switchrank.report.sentences import Span, read_lexicons, shorten, switched_sentences, switched_spans
from switchrank.report.tables import HELP, TITLES, number, write_table_page

TABLES = [ABLATION, EQUIVALENCE, BIAS, SWEEP, EFFECTS, OVERLAP, SHIFT, TESTSETS, FIRST_STAGE, EXPOSURE, COVERAGE]


def _cells(path: Path) -> list[list[str]]:
    return [[cell.text_content() for cell in row] for row in html.parse(str(path)).xpath("//tr")]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text("system,query_lang,value,p_value,seeds\nml-cs,fr,0.123456,0.00001234,3\nbl-cs,de,1.0,0.5,3\n")
    return path


def test_table_shows_four_decimals_small_p_values_and_unseen_languages(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values", unseen=["fr"])
    assert _cells(tmp_path / "t.html") == [
        ["system", "query_lang", "value", "p_value"],
        ["ml-cs", "fr*", "0.1235", "1.2e-05"],
        ["bl-cs", "de", "1.0000", "0.5000"],
    ]
    assert "* language unseen in training" in (tmp_path / "t.html").read_text(encoding="utf-8")


def test_table_folds_a_constant_column_into_a_line(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values")
    assert "Same in all rows: seeds 3" in (tmp_path / "t.html").read_text(encoding="utf-8")


def test_table_sorts_by_exact_values(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values")
    values = html.parse(str(tmp_path / "t.html")).xpath("//td/@data-value")
    assert values == ["0.123456", "1.234e-05", "1.0", "0.5"]


def test_table_is_reachable_by_keyboard_and_screen_reader(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values")
    page = html.parse(str(tmp_path / "t.html"))
    assert len(page.xpath("//th[@scope='col'][@aria-sort]/button[@type='button']")) == 4
    assert page.xpath("string(//caption)") == "Values"
    assert page.xpath("//label//input[@type='search']")
    assert page.xpath("//*[@aria-live='polite']")


def test_pages_load_nothing_and_forbid_loading(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values")
    text = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=|url\(|@import|https?://", text.replace("default-src", "").replace("-src", ""))


def test_table_escapes_what_it_shows(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    pl.DataFrame({evil: [evil, "b"], "n": [1, 2]}).write_csv(tmp_path / "t.csv")
    write_table_page(table=tmp_path / "t.csv", out=tmp_path / "t.html", title=evil, note=evil, unseen=[evil])
    assert evil not in (tmp_path / "t.html").read_text(encoding="utf-8")


def test_table_keeps_rows_that_are_asked_for(table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.tsv", where={"system": "ml-cs"})
    expected = b"system\tquery_lang\tvalue\tp_value\tseeds\nml-cs\tfr\t0.123456\t0.00001234\t3\n"
    assert (tmp_path / "t.tsv").read_bytes() == expected


@pytest.mark.parametrize(
    ("where", "message"),
    [({"sistem": "x"}, "sistem: no such column: choose one of: system"), ({"system": "x"}, "system: no row with 'x'")],
)
def test_table_says_what_is_wrong_with_a_choice(
    table: Path, tmp_path: Path, where: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        write_table_page(table=table, out=tmp_path / "t.html", title="", where=where)
    assert not (tmp_path / "t.html").exists()


def test_a_table_without_even_a_head_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("")
    with pytest.raises(UserError, match=r"t\.csv"):
        write_table_page(table=tmp_path / "t.csv", out=tmp_path / "t.html")


def test_a_table_without_rows_says_so(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n")
    write_table_page(table=tmp_path / "t.csv", out=tmp_path / "t.html")
    assert "This table has no rows." in (tmp_path / "t.html").read_text(encoding="utf-8")
    assert _cells(tmp_path / "t.html") == [["a", "b"]]
    write_table_page(table=tmp_path / "t.csv", out=tmp_path / "t.tsv")
    assert (tmp_path / "t.tsv").read_bytes() == b"a\tb\n"


@pytest.mark.parametrize(
    "name",
    [
        "ablation",
        "equivalence",
        "bias",
        "sweep",
        "effects",
        "overlap",
        "shift",
        "testsets",
        "coverage",
        "first_stage",
        "exposure",
    ],
)
def test_tables_of_the_experiment_have_a_title_and_say_what_they_are(name: str, table: Path, tmp_path: Path) -> None:
    table.rename(tmp_path / f"{name}.csv")
    write_table_page(table=tmp_path / f"{name}.csv", out=tmp_path / "t.html")
    page = html.parse(str(tmp_path / "t.html"))
    assert page.xpath("string(//caption)") == page.xpath("string(//title)") == TITLES[name].title
    assert TITLES[name].note in page.xpath("//p[@class='note']/text()")


def _told(tmp_path: Path, name: str, schema: dict[str, object], *rows: tuple[object, ...]) -> str:
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), tmp_path / f"{name}.csv", schema)  # type: ignore[arg-type]
    write_table_page(table=tmp_path / f"{name}.csv", out=tmp_path / "page.html")
    notes = html.parse(str(tmp_path / "page.html")).xpath("//p[@class='note']")
    return " ".join(note.text_content() for note in notes)


def test_the_page_of_test_sets_says_whose_candidates_nobody_has_without_translations(tmp_path: Path) -> None:
    def row(
        testset: str, language: str, search: str, own: float | None, by_lexicon: float | None
    ) -> tuple[object, ...]:
        return (testset, "c", "tsv", "gold", language, 90, 10, 1.0, 25.0, 0.905, 0.15, search, own, by_lexicon)

    told = _told(
        tmp_path,
        "testsets",
        TESTSETS,
        row("mine", "de", "en-en", 0.1234, 0.62),
        row("other", "sw", "run", 0.25, None),
        row("quiet", "fr", "fr-fr", None, None),
        row("pool", "xx", "en-en de-de", 0.5, None),
    )
    assert "mine, documents in de: the candidates were found by en queries on en documents" in told
    assert "90.5% of the queries have a relevant one among them" in told
    assert (
        "finds a relevant document for 12.3%, and for 62.0% with all texts translated by a lexicon of the run." in told
    )
    assert "other, documents in sw: the candidates come from a given ranking" in told
    assert "finds a relevant document for 25.0%." in told
    assert "found by en queries on en documents and de queries on de documents" in told
    assert "quiet" not in told


def test_the_page_of_exposure_says_how_many_test_documents_training_has_met(tmp_path: Path) -> None:
    rows = (
        ("world", "zero-shot ml-cs", "mine", "id", 400, 100, 380, 20, 0, 19),
        ("w", "s", "t", "text", 0, 0, 0, 0, 0, 0),
    )
    told = _told(tmp_path, "exposure", EXPOSURE, *rows)
    assert (
        "mine: of 400 documents that are ranked, 380 (95%) are negatives and 100 (25%) are positives of training "
        "queries of world; of 20 that are relevant, 19 (95%) are negatives and 0 (0%) are positives. Compared by id."
        in told
    )
    assert "t: of 0 documents that are ranked, 0 are negatives" in told


def test_a_title_that_is_given_wins(table: Path, tmp_path: Path) -> None:
    table.rename(tmp_path / "bias.csv")
    write_table_page(table=tmp_path / "bias.csv", out=tmp_path / "t.html", title="Mine", note="As I see it.")
    page = html.parse(str(tmp_path / "t.html"))
    assert page.xpath("string(//caption)") == "Mine"
    assert "As I see it." in page.xpath("//p[@class='note']/text()")
    assert TITLES["bias"].note not in page.xpath("//p[@class='note']/text()")


@pytest.mark.parametrize("schema", TABLES)
def test_every_column_of_the_experiment_that_needs_it_is_explained(schema: dict[str, object]) -> None:
    plain = {"ablation", "system", "testset", "collection", "lexicon", "metric", "value", "low", "high", "seeds"}
    assert set(schema) - plain <= set(HELP)


def test_a_table_of_broken_parquet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"no parquet")
    with pytest.raises(UserError, match="not a readable table"):
        write_table_page(table=tmp_path / "t.parquet", out=tmp_path / "t.tsv")


def test_the_command_writes_html_or_tsv_by_the_name(table: Path, tmp_path: Path) -> None:
    for name in ("t.html", "t.tsv"):
        assert main(["report", "table", "--table", str(table), "--out", str(tmp_path / name)]) == 0
    assert (tmp_path / "t.html").read_bytes().startswith(b"<!DOCTYPE html>")
    assert (tmp_path / "t.tsv").read_bytes().startswith(b"system\t")


def test_the_command_explains_a_malformed_choice(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "table", "--table", str(table), "--where", "system", "--out", "t.tsv"]) == 2
    assert "--where: 'system': write COLUMN=VALUE" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("queries", 12, "12"),
        ("value", 0.00001, "0.0000"),
        ("p_value", 0.001, "0.0010"),
        ("p_value", 0.0000123, "1.2e-05"),
        ("p_corrected", 0.0, "0"),
    ],
)
def test_numbers_are_written_for_reading(column: str, value: float, text: str) -> None:
    assert number(column, value) == text


LEXICON_DE_NL = {
    "the": {"der": ["de"], "de": ["nl"]},
    "dog": {"hund": ["de"], "hond": ["nl"]},
    "hand": {"hand": ["de", "nl"], "pfote": ["de"]},
    "new york": {"neu york": ["de"]},
    "big": {"小大": ["zh"]},
    "winter": {"winter": ["de", "nl"], "zima": ["ru", "cs"]},
}


def _switched(spans: list[Span]) -> list[tuple[str, tuple[str, ...], str]]:
    return [(span.text, span.languages, span.original) for span in spans if span.languages is not None]


def test_each_switched_word_of_a_mixed_side_has_the_language_of_its_lexicon() -> None:
    spans = switched_spans("The dog saw the dog.", "The hund saw de hond.", "xx", LEXICON_DE_NL)
    assert _switched(spans) == [("hund", ("de",), "dog"), ("de", ("nl",), "the"), ("hond", ("nl",), "dog")]


def test_phrases_and_unspaced_words_are_one_span() -> None:
    spans = switched_spans("a big New York dog", "a 小大 neu york hond", "xx", LEXICON_DE_NL)
    expected = [("小大", ("zh",), "big"), ("neu york", ("de",), "New York"), ("hond", ("nl",), "dog")]
    assert _switched(spans) == expected


def test_a_word_of_several_lexicons_names_all_and_one_of_none_names_none() -> None:
    spans = switched_spans("winter dog cat", "zima xyz cat", "xx", LEXICON_DE_NL)
    assert _switched(spans) == [("zima", ("ru", "cs"), "winter"), ("xyz", (), "dog")]


def test_a_side_of_one_language_needs_no_lexicon() -> None:
    spans = switched_spans("the dog ran", "der hund ran", "de", {})
    assert _switched(spans) == [("der", ("de",), "the"), ("hund", ("de",), "dog")]


def test_only_the_beginning_is_shown_when_asked() -> None:
    spans = switched_spans("the dog saw the dog", "der hund saw de hond", "xx", LEXICON_DE_NL, words=3)
    assert "".join(span.text for span in spans) == "der hund saw …"
    assert shorten("the dog saw the dog", 3) == "the dog saw …"
    assert shorten("the dog.", 3) == "the dog."


WORDS = st.lists(st.sampled_from(["the", "dog", "hand", "new", "york", "cat", "der", "hond", "."]), max_size=9)


@given(WORDS, WORDS, st.sampled_from(["xx", "de"]))
def test_spans_joined_are_the_switched_text(before: list[str], after: list[str], language: str) -> None:
    spans = switched_spans(" ".join(before), " ".join(after), language, LEXICON_DE_NL)
    assert "".join(span.text for span in spans) == " ".join(after)


@given(WORDS)
def test_a_text_that_was_not_switched_has_no_switched_span(words: list[str]) -> None:
    assert _switched(switched_spans(" ".join(words), " ".join(words), "xx", LEXICON_DE_NL)) == []


def test_lexicons_are_read_for_the_words_of_the_texts_only(tmp_path: Path) -> None:
    rows = [
        ("dog", "Hund", 0.9, 1),
        ("dog", "köter", 0.5, 2),
        ("cat", "katze", 0.9, 1),
        ("new york", "neu york", 1.0, 1),
    ]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "de.parquet", LEXICON)
    found = read_lexicons({"de": tmp_path / "de.parquet"}, ["A DOG in New York"])
    assert found == {"dog": {"hund": ["de"], "köter": ["de"]}, "new york": {"neu york": ["de"]}}


def _corpus(path: Path, rows: list[tuple[str, str, str, str, int]], language: str) -> Path:
    columns = list(CORPUS)
    full = [dict(zip(columns, (*row, language, language), strict=True)) for row in rows]
    write_table(pl.DataFrame(full, schema=CORPUS), path, CORPUS)
    return path


@pytest.fixture
def shards(tmp_path: Path) -> dict[str, Path]:
    english = [(f"q{n}", f"dog {n}?", f"d{n}", f"The <b>dog</b> saw <script>{n}", int(n % 2 == 0)) for n in range(12)]
    mixed = [(q, a.replace("dog", "كلب"), d, b.replace("dog", "hund"), label) for q, a, d, b, label in english]
    rows = [("dog", "hund", 1.0, 1), ("cat", "katze", 1.0, 1)]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "de.parquet", LEXICON)
    rows = [("dog", "كلب", 1.0, 1)]
    write_table(pl.DataFrame(rows, schema=LEXICON, orient="row"), tmp_path / "ar.parquet", LEXICON)
    return {
        "english": _corpus(tmp_path / "english.parquet", english, "en"),
        "mixed": _corpus(tmp_path / "mixed.parquet", mixed, "xx"),
        "de": tmp_path / "de.parquet",
        "ar": tmp_path / "ar.parquet",
    }


def _page(shards: dict[str, Path], out: Path, limit: int = 3, seed: int = 1, first: int | None = None) -> str:
    switched_sentences(
        corpora=[{"corpus": "ml-cs", "path": shards["mixed"]}],
        source=shards["english"],
        languages=["de", "ar"],
        rtl=["ar"],
        limit=limit,
        seed=seed,
        first=first,
        lexicons={"de": shards["de"], "ar": shards["ar"]},
        out=out,
    )
    return out.read_text(encoding="utf-8")


def test_switched_words_carry_language_direction_and_english(shards: dict[str, Path], tmp_path: Path) -> None:
    text = _page(shards, tmp_path / "s.html")
    assert '<bdi class="w l1" lang="ar" dir="rtl" title="dog → ar" data-code="ar">كلب</bdi>' in text
    assert '<bdi class="w l0" lang="de" dir="ltr" title="dog → de" data-code="de">hund</bdi>' in text


def test_sentences_escape_the_text_of_the_collection(shards: dict[str, Path], tmp_path: Path) -> None:
    text = _page(shards, tmp_path / "s.html")
    assert "<script>" not in text
    assert "&lt;script&gt;" in text


def test_sentences_show_only_relevant_instances_each_query_once(shards: dict[str, Path], tmp_path: Path) -> None:
    text = _page(shards, tmp_path / "s.html", limit=20)
    queries = re.findall(r"query (q\d+),", text)
    assert sorted(queries) == ["q0", "q10", "q2", "q4", "q6", "q8"]


def test_sentences_repeat_for_a_seed_and_differ_between_seeds(shards: dict[str, Path], tmp_path: Path) -> None:
    pages = [_page(shards, tmp_path / "s.html", seed=seed) for seed in (1, 1, 2)]
    assert pages[0] == pages[1] != pages[2]


def test_sentences_refuse_a_corpus_of_other_instances(shards: dict[str, Path], tmp_path: Path) -> None:
    frame = pl.read_parquet(shards["mixed"])
    write_table(frame.reverse(), shards["mixed"], CORPUS)
    with pytest.raises(UserError, match=r"mixed\.parquet: qid, pid: other instances"):
        _page(shards, tmp_path / "s.html")
    assert not (tmp_path / "s.html").exists()


def test_sentences_are_drawn_from_the_first_instances_where_a_corpus_has_no_more(
    shards: dict[str, Path], tmp_path: Path
) -> None:
    whole = _page(shards, tmp_path / "s.html", limit=99, first=5)
    write_table(pl.read_parquet(shards["mixed"]).head(5), shards["mixed"], CORPUS)
    assert _page(shards, tmp_path / "s.html", limit=99, first=5) == whole
    assert 0 < len(re.findall(r"query (q\d+),", whole)) < 6


def test_sentences_refuse_a_corpus_that_is_shorter(shards: dict[str, Path], tmp_path: Path) -> None:
    write_table(pl.read_parquet(shards["mixed"]).head(2), shards["mixed"], CORPUS)
    with pytest.raises(UserError, match="other instances"):
        _page(shards, tmp_path / "s.html")


def test_sentences_without_a_relevant_instance_are_an_error(shards: dict[str, Path], tmp_path: Path) -> None:
    write_table(pl.read_parquet(shards["english"]).with_columns(label=0), shards["english"], CORPUS)
    with pytest.raises(UserError, match="no relevant instance"):
        _page(shards, tmp_path / "s.html")


def test_the_command_writes_the_sentences(shards: dict[str, Path], tmp_path: Path) -> None:
    words = ["report", "sentences", "--source", str(shards["english"]), "--corpus", f"ml-cs={shards['mixed']}"]
    words += ["--lexicon", f"de={shards['de']}", "--lexicon", f"ar={shards['ar']}", "--languages", "de", "ar"]
    words += ["--rtl", "ar", "--limit", "3", "--out", str(tmp_path / "b.html")]
    assert main(words) == 0
    assert (tmp_path / "b.html").read_text(encoding="utf-8") == _page(shards, tmp_path / "a.html")
