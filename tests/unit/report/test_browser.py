"""The report in a real browser: pictures show what a reader needs, uncut and unobscured; tables search, sort, save.

One headless start takes a second or two, so all pictures are measured in one page, and all that a table page does is
asked for in two.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from lxml import html as parser
from made_up import LANGUAGES, draw_gain, draw_mrr, write
from tests.browser import QUIET, find_browser

from switchrank.formats.tables import ABLATION, OVERLAP
from switchrank.report.ablation import ablation_picture
from switchrank.report.data import MetricPlot
from switchrank.report.overlap import overlap_picture
from switchrank.report.tables import write_table_page

Dump = Callable[..., str]


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Dump:
    """``dump(path, fragment)``: the document as it is once its scripts have run."""
    found, profile = find_browser(), tmp_path_factory.mktemp("profile")

    def run(path: Path, fragment: str = "") -> str:
        words = [found, *QUIET, f"--user-data-dir={profile}", "--window-size=1400,1200", "--virtual-time-budget=3000"]
        words += ["--dump-dom", path.as_uri() + fragment]
        return subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout

    return run


MEASURE = """
const bounds = (node) => { const r = node.getBoundingClientRect(); return [r.left, r.top, r.right, r.bottom]; };
const measured = Array.from(document.querySelectorAll("svg"), (svg) => ({
  name: svg.parentNode.id,
  title: svg.querySelector("title").textContent,
  box: bounds(svg),
  texts: Array.from(svg.querySelectorAll("text"), (text) => [text.textContent.trim(), ...bounds(text)]),
  marks: svg.querySelectorAll("use, path").length,
}));
const out = document.createElement("pre");
out.id = "measured";
out.textContent = JSON.stringify(measured);
document.body.append(out);
"""


@pytest.fixture(scope="module")
def measured(
    dump: Dump, drawn: Path, run: Path, picture: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """Every picture as the browser lays it out: title, box, texts with their boxes, number of marks."""
    folder = tmp_path_factory.mktemp("browser")
    draw_mrr(picture, run / "per_query.parquet", folder / "mrr.svg", samples=50)
    draw_gain(picture, folder / "gain.svg", system="ml-cs")
    _crowded(folder)
    pictures = [*sorted(folder.glob("*.svg")), *sorted(drawn.glob("*.svg"))]
    svgs = [re.sub(r"^.*?(?=<svg)", "", path.read_text(encoding="utf-8"), flags=re.DOTALL) for path in pictures]
    body = "".join(f'<div id="{path.stem}">{svg}</div>' for path, svg in zip(pictures, svgs, strict=True))
    page = f'<!DOCTYPE html><meta charset="utf-8"><body>{body}<script>{MEASURE}</script>'
    (folder / "all.html").write_text(page, encoding="utf-8")
    found = parser.fromstring(dump(folder / "all.html")).xpath("string(//pre[@id='measured'])")
    return {entry["name"]: entry for entry in json.loads(found)}


def _crowded(folder: Path) -> None:
    """An ablation with many sizes and an overlap with many bins: what is hard to label without touching."""
    row = {"ablation": "a", "start": "none", "language": "qaa", "seed": 1, "testset": "world", "metric": "mrr@10"}
    row |= {"query_lang": "qaa", "doc_lang": "qaa", "value": 0.3}
    sizes = [0, 1, 2, 4, 8, 16, 32, 64, 100, 128, 250, 256, 1000, 1024, 10_000]
    write([{**row, "examples": size} for size in sizes], folder / "a.csv", ABLATION)
    plot = MetricPlot("world", folder / "crowded-sizes.svg")
    ablation_picture(ablation=folder / "a.csv", languages=LANGUAGES, plot=plot)
    row = {"system": "zero-shot", "testset": "world", "seed": 1, "metric": "mrr@10", "value": 0.3, "queries": 12_345}
    pairs = [("qaa", "qaa"), ("qaa", "en"), ("en", "xx")]
    rows = [
        {**row, "query_lang": query, "doc_lang": document, "low": at / 12, "high": (at + 1) / 12}
        for query, document in pairs
        for at in range(12)
    ]
    write(rows, folder / "o.csv", OVERLAP)
    plot = MetricPlot("world", folder / "crowded-bins.svg")
    overlap_picture(overlap=folder / "o.csv", languages=LANGUAGES, plot=plot)


NEEDED = {
    "mrr": ("MRR@10 on world", ["zero-shot (baseline)", "ml-cs", "qad*-en", "mean", "0.4"]),
    "gain": ("ml-cs minus zero-shot", ["document language", "query language", "+0.150†", "0.450"]),
    "ablation": ("labelled queries", ["zero-shot", "ml-cs without labels", "zero-shot needs 42 labels", "1,024"]),
    "sweep": ("MRR@10 on world by setting", ["Sweep degrade", "P@1 of the lexicon", "MRR@10", "ml-cs", "0.75"]),
    "overlap": ("word overlap", ["zero-shot (baseline)", "MRR@10", "40–60%", "n=220", "bm25 (reference)"]),
    "shift": ("Score drop", ["query-document", "wiki-cs", "qaa-qab", "1.5"]),
    "crowded-sizes": ("labelled queries", ["untrained", "0", "10,000"]),
    "crowded-bins": ("word overlap", ["MLIR", "n=12,345", "0–8.33%"]),
    "bias": ("Language bias", ["RankC", "query language", "share of the pool", "random (reference)", "60%"]),
}


@pytest.mark.parametrize("name", NEEDED)
def test_a_picture_shows_its_title_labels_systems_and_values(name: str, measured: dict[str, dict[str, Any]]) -> None:
    title, labels = NEEDED[name]
    assert title in measured[name]["title"]
    assert set(labels) <= {text[0] for text in measured[name]["texts"]}
    assert measured[name]["marks"] > 10


@pytest.mark.parametrize("name", NEEDED)
def test_no_text_of_a_picture_is_cut_off(name: str, measured: dict[str, dict[str, Any]]) -> None:
    left, top, right, bottom = measured[name]["box"]
    for text, x0, y0, x1, y1 in measured[name]["texts"]:
        assert left - 1 <= x0 < x1 <= right + 1, text
        assert top - 1 <= y0 < y1 <= bottom + 1, text


@pytest.mark.parametrize("name", NEEDED)
def test_no_text_of_a_picture_covers_another(name: str, measured: dict[str, dict[str, Any]]) -> None:
    texts = measured[name]["texts"]
    covered = [
        (first[0], second[0]) for at, first in enumerate(texts) for second in texts[at + 1 :] if _overlap(first, second)
    ]
    assert covered == []


def _overlap(first: list[Any], second: list[Any], touching: float = 2.5) -> bool:
    """Boxes of texts include their leading, so that lines of one label may touch."""
    across = min(first[3], second[3]) - max(first[1], second[1])
    down = min(first[4], second[4]) - max(first[2], second[2])
    return across > 0.5 and down > touching


def test_a_picture_opens_by_itself(dump: Dump, drawn: Path) -> None:
    found = dump(drawn / "shift.svg")
    assert "parsererror" not in found
    assert "qaa-qab" in found


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Nine rows: text, unseen language, truth value, null, a tiny number, a column that says the same in every row."""
    rows = [
        {
            "system": system,
            "query_lang": language,
            "value": None if (system, language) == ("bl-cs", "de") else value / 7,
            "significant": value > 3,
            "testset": "world",
            "remark": f'a "{language}" <b>\tto\nquote',
            "p_value": 10.0**-value,
        }
        for value, (system, language) in enumerate(
            [(system, language) for system in ("zero-shot", "ml-cs", "bl-cs") for language in ("fr", "de", "en")]
        )
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


def _shown(dom: str) -> list[list[str]]:
    rows = parser.fromstring(dom).xpath("//tbody/tr[not(@hidden)]")
    return [[cell.text_content() for cell in row] for row in rows]


def test_a_link_to_a_table_searches_and_sorts_it(dump: Dump, table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "t.html", title="Values", unseen=["fr"])
    dom = dump(tmp_path / "t.html", "#search=CS+fr*+world&sort=-value")
    assert [row[:3] for row in _shown(dom)] == [["bl-cs", "fr*", "0.8571"], ["ml-cs", "fr*", "0.4286"]]
    assert "2 of 9 rows" in dom
    assert parser.fromstring(dom).xpath("string(//th[@aria-sort='descending'])") == "value"


CLICKS = """
<script>
const step = (name, text) => {
  const out = document.createElement("pre");
  out.id = name;
  out.textContent = text;
  document.body.append(out);
};
const shown = () => Array.from(document.querySelectorAll("tbody tr:not([hidden])"));
const column = (at) => shown().map((row) => row.cells[at].textContent);
const heads = document.querySelectorAll("th button");
heads[2].click();
step("rising", JSON.stringify(column(2)));
heads[2].click();
step("falling", JSON.stringify(column(2)));
const search = document.getElementById("search");
search.value = "cs";
search.dispatchEvent(new Event("input"));
step("found", JSON.stringify(column(0)));
URL.createObjectURL = (blob) => { blob.text().then((text) => step("saved", text)); return "about:blank"; };
HTMLAnchorElement.prototype.click = function () { step("name", this.download); };
document.getElementById("save").click();
</script>
"""


def test_a_reader_sorts_searches_and_saves_a_table(dump: Dump, table: Path, tmp_path: Path) -> None:
    write_table_page(table=table, out=tmp_path / "metrics.html", title="Values", unseen=["fr"])
    page = (tmp_path / "metrics.html").read_text(encoding="utf-8")
    (tmp_path / "clicked.html").write_text(page.replace("</body>", CLICKS + "</body>"), encoding="utf-8")
    dom = dump(tmp_path / "clicked.html")
    steps = {key: html.unescape(text) for key, text in re.findall(r'<pre id="(\w+)">(.*?)</pre>', dom, re.DOTALL)}
    values = [f"{value / 7:.4f}" for value in range(9) if value != 7]
    assert json.loads(steps["rising"]) == [*values, ""]
    assert json.loads(steps["falling"]) == [*reversed(values), ""]
    assert set(json.loads(steps["found"])) == {"ml-cs", "bl-cs"}
    assert steps["name"] == "metrics.tsv"
    write_table_page(table=table, out=tmp_path / "all.tsv")
    saved, everything = _rows(steps["saved"]), _rows((tmp_path / "all.tsv").read_text(encoding="utf-8"))
    assert saved[0] == everything[0]
    falling = sorted(everything[4:], key=lambda row: -(row[2] if row[2] != "" else -1.0))
    assert saved[1:] == falling


def _rows(tsv: str) -> list[list[Any]]:
    def parsed(cell: str) -> Any:
        try:
            return float(cell)
        except ValueError:
            return cell

    return [[parsed(cell) for cell in row] for row in csv.reader(io.StringIO(tsv, newline=""), delimiter="\t")]
