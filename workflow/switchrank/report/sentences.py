"""Switched sentences: a few training instances in English and in each switched corpus, switched words in colour."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.formats.tables import CORPUS, scan_table
from switchrank.report.page import asset, page
from switchrank.report.spans import Span, read_lexicons, shorten, switched_spans

SIDES = {"query": "query_lang", "passage": "passage_lang"}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
LINES = ("solid", "dotted", "double")
HEAD = '<thead><tr><th scope="col">corpus</th><th scope="col">query</th><th scope="col">passage</th></tr></thead>'
LOOKED_AT = 10
"""Instances read for each one shown: those that no corpus changed are passed over."""


def switched_sentences(
    *,
    corpora: Sequence[Mapping[str, Any]],
    source: str | Path,
    languages: Sequence[str],
    out: str | Path,
    rtl: Sequence[str] = (),
    limit: int = 5,
    seed: int = 1,
    words: int = 60,
    first: int | None = None,
    lexicons: Mapping[str, str | Path] | None = None,
) -> None:
    """Write an HTML page of ``limit`` relevant instances, drawn by ``seed``, in English and in every corpus.

    A corpus is ``{"corpus": name, "path": train shard, "lexicons": {language: LEXICON file}}``, the last optional.

    Args:
        corpora: the shard of the same number of a switched corpus, with the same instances in the same order; repeat
            for more corpora.
        source: a train shard of the English corpus.
        languages: languages of the legend, in order.
        out: the HTML page.
        rtl: those written from right to left.
        limit: instances shown.
        seed: seed of the draw.
        words: longest text shown, in English words.
        first: draw from so many first instances only: more are not in every shard.
        lexicons: lexicons for corpora that name none; they tell words' languages in a mixed side.

    Raises:
        UserError: a shard is missing, holds no relevant instance, or has other instances than ``source``.
    """
    english, shards = _draw(source, [Path(corpus["path"]) for corpus in corpora], limit, seed, first)
    blocks = []
    for row in range(len(english)):
        instance = english.row(row, named=True)
        kept = {side: [Span(shorten(instance[side], words))] for side in SIDES}
        lines = [_line("English", instance, kept, languages, rtl)]
        for corpus, shard in zip(corpora, shards, strict=True):
            switched = shard.row(row, named=True)
            lexicon = read_lexicons(corpus.get("lexicons") or lexicons or {}, [instance[side] for side in SIDES])
            spans = {
                side: switched_spans(instance[side], switched[side], switched[tag], lexicon, words)
                for side, tag in SIDES.items()
            }
            lines.append(_line(corpus["corpus"], switched, spans, languages, rtl))
        ids = f"query {html.escape(instance['qid'])}, passage {html.escape(instance['pid'])}"
        caption = f"<caption>{row + 1}. <small>{ids}</small></caption>"
        rows = "\n".join(lines)
        blocks.append(f"<table>\n{caption}\n{HEAD}\n<tbody>\n{rows}\n</tbody></table>")
    body = f"<h1>Switched sentences</h1>\n{_legend(languages)}\n" + "\n".join(blocks) + "\n"
    style = asset("sentences.css")
    for at in range(len(languages)):
        colour, line = COLOURS[at % len(COLOURS)], LINES[at // len(COLOURS) % len(LINES)]
        style += f".l{at} {{ background: {colour}30; border-bottom: 3px {line} {colour}; }}\n"
    with atomic_path(out) as temporary:
        temporary.write_text(page("Switched sentences", body, style), encoding="utf-8", newline="\n")


def _draw(
    source: str | Path, paths: Sequence[Path], limit: int, seed: int, first: int | None
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """``limit`` instances of the English shard and the same rows of each corpus, in drawn order, one per query."""
    labels = scan_table(source, CORPUS).select("qid", "label").with_row_index("row")
    labels = labels if first is None else labels.head(first)
    index = labels.filter(pl.col("label") > 0).collect()
    if index.is_empty():
        raise UserError(source, "label", "no relevant instance", "give a training shard of the English corpus")
    draws = counter_uniform(derive_seed(seed, "report", "sentences"), index["row"].to_numpy())
    index = index[np.argsort(draws, kind="stable")].unique("qid", keep="first", maintain_order=True)
    rows = index["row"].head(limit * LOOKED_AT).to_list()
    english = _take(source, rows)
    shards = [_take(path, rows) for path in paths]
    for path, shard in zip(paths, shards, strict=True):
        if not english.select("qid", "pid").equals(shard.select("qid", "pid")):
            problem = "other instances than the English shard, or another order"
            raise UserError(path, "qid, pid", problem, "give shards of one number, made from the same instances")
    changed = [any(english.row(at)[:4] != shard.row(at)[:4] for shard in shards) for at in range(len(rows))]
    chosen = sorted(range(len(rows)), key=lambda at: not changed[at])[:limit]
    return english[chosen], [shard[chosen] for shard in shards]


def _take(path: str | Path, rows: Sequence[int]) -> pl.DataFrame:
    """The given rows of a shard, in the order given; a row past its end is left out."""
    wanted = pl.DataFrame({"row": rows, "place": range(len(rows))}, schema={"row": pl.UInt32, "place": pl.UInt32})
    found = scan_table(path, CORPUS).with_row_index("row").filter(pl.col("row").is_in(list(rows))).collect()
    return found.join(wanted, on="row").sort("place").drop("row", "place")


def _line(
    name: str,
    instance: Mapping[str, Any],
    spans: Mapping[str, Sequence[Span]],
    languages: Sequence[str],
    rtl: Sequence[str],
) -> str:
    cells = []
    for side, tag in SIDES.items():
        text = "".join(_markup(span, languages, rtl) for span in spans[side])
        cells.append(f'<td dir="ltr">{text} <small class="side">[{html.escape(instance[tag])}]</small></td>')
    return f'<tr><th scope="row">{html.escape(name)}</th>{"".join(cells)}</tr>'


def _markup(span: Span, languages: Sequence[str], rtl: Sequence[str]) -> str:
    text = html.escape(span.text)
    if span.languages is None:
        return text
    if len(span.languages) == 1:
        code = span.languages[0]
        look = f"l{languages.index(code)}" if code in languages else "other"
        attributes = f' lang="{html.escape(code)}" dir="{"rtl" if code in rtl else "ltr"}"'
    else:
        code, look, attributes = " or ".join(span.languages) or "?", "other", ' dir="auto"'
    title = html.escape(f"{span.original} → {code}")
    return f'<bdi class="w {look}"{attributes} title="{title}" data-code="{html.escape(code)}">{text}</bdi>'


def _legend(languages: Sequence[str]) -> str:
    chips = [f'<li><span class="w l{at}">{html.escape(code)}</span></li>' for at, code in enumerate(languages)]
    chips.append('<li><span class="w other">language not certain</span></li>')
    box = '<label><input type="checkbox" id="codes"> show the language after each word</label>'
    return f'<div class="legend"><ul aria-label="languages">{"".join(chips)}</ul>{box}</div>'
