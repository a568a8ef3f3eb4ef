"""Switched sentences: a few training instances in English and in each switched corpus, switched words in colour.

Which words were switched, and into which language, is found by aligning English and switched words at least cost, left
to right: a kept word costs nothing, a lexicon entry (of a phrase, too) almost nothing, anything else a lot. What is not
kept is switched; a word that was replaced by the same string cannot be told from one that was kept. The language of a
switched word is that of its side where the side has one; in a mixed side it is that whose lexicon holds the entry.
"""

import html
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.languages import MIXED
from switchrank.core.seeds import counter_uniform, derive_seed
from switchrank.formats.tables import CORPUS, LEXICON, read_table, scan_table
from switchrank.report.page import asset, page
from switchrank.text.words import join_words, key, split_words

SIDES = {"query": "query_lang", "passage": "passage_lang"}
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6d31")
LINES = ("solid", "dotted", "double")
HEAD = '<thead><tr><th scope="col">corpus</th><th scope="col">query</th><th scope="col">passage</th></tr></thead>'
LOOKED_AT = 10
"""Instances read for each one shown: those that no corpus changed are passed over."""
LONGEST_PHRASE = 3
LONGEST_TARGET = 8
"""Words of a translation; a character counts as a word where text has no spaces."""
ENTRY, OTHER_CASE, UNEXPLAINED, ONE_SIDED = 0.1, 0.2, 1.0, 1.5
GROWTH = 3
"""How many times longer than the English the switched words may be, when only the beginning of a text is shown."""
Lexicon = Mapping[str, Mapping[str, Sequence[str]]]
"""English key to target key to the languages whose lexicon holds that translation."""


@dataclass(frozen=True)
class Span:
    """A stretch of switched text. ``languages`` is None for kept text; a switched span has one language, several when
    lexicons agree on the string, or none when no lexicon explains it. ``original`` is the English behind it."""

    text: str
    languages: tuple[str, ...] | None = None
    original: str = ""


@dataclass(frozen=True)
class Step:
    """``size`` English words become ``width`` switched words; ``languages`` as in :class:`Span`."""

    size: int
    width: int
    cost: float
    languages: tuple[str, ...] | None


def read_lexicons(lexicons: Mapping[str, str | Path], texts: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """The entries of ``lexicons`` (language to LEXICON file) whose source occurs in ``texts``."""
    inside = [[key(word) for word in split_words(text)[0]] for text in texts]
    wanted = sorted({phrase for keys in inside for start in range(len(keys)) for phrase in _phrases(keys, start)})
    found: dict[str, dict[str, list[str]]] = {}
    for language, path in lexicons.items():
        entries = read_table(path, LEXICON).filter(pl.col("source").is_in(wanted))
        for source, target in entries.select("source", "target").iter_rows():
            languages = found.setdefault(source, {}).setdefault(key(target), [])
            if language not in languages:
                languages.append(language)
    return found


def switched_spans(
    original: str, switched: str, language: str, lexicon: Lexicon, words: int | None = None
) -> list[Span]:
    """``switched`` cut into spans; their texts joined are ``switched``.

    Args:
        original: the English text.
        switched: its switched version.
        language: language of the whole side, or ``xx``.
        lexicon: from :func:`read_lexicons`; it also helps to align sides of one language.
        words: only what became of the first ``words`` English words, then an ellipsis.
    """
    before = split_words(original)[0]
    after, gaps = split_words(switched)
    cut = words is not None and len(before) > words
    if cut:
        before, after = before[:words], after[: GROWTH * (words or 0)]
    spans, here, start = [Span(gaps[0])], 0, 0
    for step in _alignment(before, after, gaps, lexicon, whole=not cut):
        end = start + step.width
        text = join_words(after[start:end], ["", *gaps[start + 1 : end], ""]) if step.width else ""
        known = None if step.languages is None else step.languages if language == MIXED else (language,)
        spans += [Span(text, known, " ".join(before[here : here + step.size])), Span(gaps[end] if step.width else "")]
        here, start = here + step.size, end
    return _merged([*spans[: -1 if cut else None], *([Span(" …")] if cut else [])])


def shorten(text: str, words: int) -> str:
    """``text`` up to its first ``words`` words, with an ellipsis where something was left out."""
    inside, gaps = split_words(text)
    return text if len(inside) <= words else join_words(inside[:words], [*gaps[:words], ""]) + " …"


def _phrases(keys: Sequence[str], start: int) -> list[str]:
    """The phrases of 1, 2, ... words that begin at ``start``."""
    return [" ".join(keys[start:end]) for end in range(start + 1, min(start + LONGEST_PHRASE, len(keys)) + 1)]


def _alignment(
    before: Sequence[str], after: Sequence[str], gaps: Sequence[str], lexicon: Lexicon, *, whole: bool
) -> list[Step]:
    """The cheapest steps through all of ``before`` and, if ``whole``, all of ``after`` (else its best beginning)."""
    best: dict[tuple[int, int], tuple[float, Step | None]] = {(0, 0): (0.0, None)}
    keys = [key(word) for word in before]
    # Keys of the 1, 2, ... switched words that begin at each place.
    targets = [
        [
            key(join_words(list(after[start:end]), ["", *gaps[start + 1 : end], ""]))
            for end in range(start + 1, min(start + LONGEST_TARGET, len(after)) + 1)
        ]
        for start in range(len(after) + 1)
    ]
    for here in range(len(before) + 1):
        entries = [(size, lexicon[phrase]) for size, phrase in enumerate(_phrases(keys, here), 1) if phrase in lexicon]
        for start in range(len(after) + 1):
            if (here, start) not in best:
                continue
            for step in _steps(before[here : here + 1], after[start : start + 1], entries, targets[start]):
                place, cost = (here + step.size, start + step.width), best[here, start][0] + step.cost
                if place not in best or cost < best[place][0] - 1e-9:
                    best[place] = (cost, step)
    ends = [len(after)] if whole else range(len(after) + 1)
    place = (len(before), min(ends, key=lambda end: best[len(before), end][0]))
    steps: list[Step] = []
    while (step_here := best[place][1]) is not None:
        steps.append(step_here)
        place = (place[0] - step_here.size, place[1] - step_here.width)
    return steps[::-1]


def _steps(
    english: Sequence[str],
    switched: Sequence[str],
    entries: Sequence[tuple[int, Mapping[str, Sequence[str]]]],
    targets: Sequence[str],
) -> Iterator[Step]:
    """The steps from one place: keep, translate by an entry, translate somehow, drop a word, add a word."""
    if english and switched:
        if english[0] == switched[0]:
            yield Step(1, 1, 0.0, None)
        elif key(english[0]) == key(switched[0]):
            yield Step(1, 1, OTHER_CASE, None)
        else:
            yield Step(1, 1, UNEXPLAINED, ())
    for size, translations in entries:
        for width, target in enumerate(targets, start=1):
            if target in translations:
                yield Step(size, width, ENTRY, tuple(translations[target]))
    if english:
        yield Step(1, 0, ONE_SIDED, None)
    if switched:
        yield Step(0, 1, ONE_SIDED, ())


def _merged(spans: Sequence[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if span.languages is None and merged and merged[-1].languages is None:
            merged[-1] = Span(merged[-1].text + span.text)
        elif span.text:
            merged.append(Span(span.text) if span.languages is None else span)
    return merged


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
    found = scan_table(path, CORPUS).with_row_index("row").filter(pl.col("row").is_in(list(rows))).collect()
    wanted = pl.DataFrame({"row": rows}, schema={"row": pl.UInt32})
    return wanted.join(found, on="row", maintain_order="left").drop("row")


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
