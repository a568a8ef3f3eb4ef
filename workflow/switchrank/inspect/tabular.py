"""Delimited text: collections, judgements, runs, triples, dictionaries, title pairs, tables with a header.

A format is told by the first lines: how many columns most of them have, and what stands in each.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

from switchrank.inspect import languages
from switchrank.inspect.found import SAMPLES, Found, Problems, shorten
from switchrank.inspect.rows import Layout, closed, count_rows, is_whole
from switchrank.inspect.separated import as_questions
from switchrank.inspect.source import Source

_MOST = 0.9
"""Share of the sampled lines that must look alike."""
_LONGEST_FIELD = 1 << 24
_MOST_COLUMNS = 1000
_ITER = {b"0", b"Q0", b"q0"}
_NUMBER = re.compile(rb"[-+]?(\d++(\.\d*+)?|\.\d++)([eE][-+]?\d++)?")
_NAME = re.compile(rb"[^\W\d][\w .:-]{0,40}")
_COLUMN_NAMES = b"""
id qid pid docid doc_id query query_id query-id corpus-id score text title document passage question answer label
category headline url lang language source target word translation sentence sentence1 sentence2 gold_label examples
seed start own_model relevance
"""
_KNOWN_NAMES = set(_COLUMN_NAMES.split())
Rows = Sequence[Sequence[bytes]]


def inspect(source: Source) -> Found | None:
    """What delimited text is; nothing where its lines have one column, or no columns in common."""
    lines = source.head_lines()
    if not source.is_text or not lines or source.is_marked:
        return None
    layout = _of_words(lines) or _of_tabs(lines, source)
    if layout is None:
        return None
    if layout.format == "word-list-alternatives":
        return _alternatives(source, layout)
    tally: Counter[bytes] = Counter()
    column = {"trec-qrels": 3, "beir-qrels": 2, "large-scale-clir-rel": 2}.get(layout.format)
    queries: set[bytes] = set()

    def each(fields: Sequence[bytes]) -> None:
        queries.add(fields[0])
        tally[fields[column or 0]] += 1

    if layout.format == "tsv-with-header":
        found = _quoted(source, layout) if "quoted" in layout.title else count_rows(source, layout)
        as_questions(found, "\t")
        return _with_languages(found, source, lines, layout)
    found = count_rows(source, layout, each if column else None)
    if column:
        found.counts["queries"] = len(queries)
        found.notes.append("grades: " + ", ".join(f"{k.decode()} {n:,} times" for k, n in sorted(tally.items())[:6]))
    return _with_languages(found, source, lines, layout)


def _with_languages(found: Found, source: Source, lines: list[bytes], layout: Layout) -> Found:
    found.languages = languages.from_name(source.path)
    if layout.header:
        named = [name for name in layout.names if languages.code(name)]
        found.languages = languages.codes(named) if len(named) > 1 else found.languages
    if layout.format in {"documents-tsv", "queries-tsv"} and not found.scripts:
        found.scripts = languages.scripts(line.decode("utf-8", "replace") for line in lines[:200])
    return found


def _share(rows: Rows, test: Callable[[Sequence[bytes]], bool]) -> float:
    return sum(map(test, rows)) / len(rows)


def _of_words(lines: list[bytes]) -> Layout | None:
    """Formats whose fields are split at any white space."""
    rows = [line.split() for line in lines]
    if _share(rows, lambda row: len(row) == 6 and is_whole(row[3]) and bool(_NUMBER.fullmatch(row[4]))) >= _MOST:
        run = ("qid", "Q0", "docid", "rank", "score", "tag")
        title = "a TREC run: query, Q0, document, rank, score, tag"
        return Layout("trec-run", title, "rows", run, None, identity=(0, 2), whole=(3,))
    if _share(rows, lambda row: len(row) == 4 and row[1] in _ITER and is_whole(row[3])) >= _MOST:
        title = "TREC judgements (qrels): query, 0, document, relevance"
        names = ("qid", "0", "docid", "relevance")
        return Layout("trec-qrels", title, "judgements", names, None, identity=(0, 2), whole=(3,))
    if any(b"\t" in line for line in lines[:50]):
        return None
    if _share(rows, lambda row: len(row) == 2 and is_whole(row[1]) and not is_whole(row[0])) >= _MOST:
        title = "a list of words and how often they occur"
        return Layout("word-frequencies", title, "words", ("word", "count"), None, whole=(1,), texts=(0,))
    if len(lines) > 2 and _share(rows, lambda row: len(row) == 2) >= _MOST:
        title = "a dictionary, a pair a line, split by a space (MUSE)"
        return Layout("dictionary", title, "pairs", ("source", "target"), None, texts=(0, 1))
    return None


def _of_tabs(lines: list[bytes], source: Source) -> Layout | None:
    rows = [line.split(b"\t") for line in lines]
    (width, count), *_ = Counter(map(len, rows)).most_common(1)
    header = _header(rows)
    if header:
        return header
    if count < _MOST * len(rows):
        return _uneven(rows)
    if not 1 < width <= _MOST_COLUMNS:
        return None
    rows = [row for row in rows if len(row) == width]
    told = {2: _two, 3: _three, 4: _four}[width](rows, source.path.name.lower()) if width in (2, 3, 4) else None
    numbers = tuple(str(number) for number in range(1, width + 1))
    return told or Layout("tsv", f"tab-separated text, {width} columns", "rows", numbers)


def _header(rows: Rows) -> Layout | None:
    """Tables whose first line names the columns."""
    first, *rest = rows
    if (
        not 1 < len(first) <= _MOST_COLUMNS
        or not all(_NAME.fullmatch(name.strip()) for name in first)
        or len(set(first)) < len(first)
    ):
        return None
    names = tuple(name.strip().decode("utf-8", "replace") for name in first)
    if first == [b"query-id", b"corpus-id", b"score"]:
        title = "BEIR judgements: query-id, corpus-id, score, with a header"
        return Layout("beir-qrels", title, "judgements", names, identity=(0, 1), whole=(2,), header=True)
    if first == [b"id", b"query", b"document", b"own_model"]:
        return Layout("pairs-table", "a table of test pairs of ours", "pairs", names, identity=(0,), header=True)
    if first[:4] == [b"id", b"start", b"language", b"examples"]:
        return Layout("ablation-table", "an ablation table of ours", "rows", names, identity=(0,), header=True)
    known = sum(name.strip().lower() in _KNOWN_NAMES for name in first)
    coded = sum(bool(languages.code(name)) for name in names)
    numbers = any(
        rest and not _NUMBER.fullmatch(name) and _share(rest, lambda row, at=at: _number_at(row, at)) >= _MOST  # type: ignore[misc]
        for at, name in enumerate(first)
    )
    if coded >= max(2, len(first) - 2):
        title = "a table of names, one column for each language"
        return Layout("names-table", title, "rows", names, identity=(0,), header=True)
    if not (known >= max(2, len(first) / 2) or (numbers and known)):
        return None
    quoted = any(field.startswith(b'"') for row in rest for field in row)
    more = ", quoted fields over several lines" if quoted else ""
    return Layout("tsv-with-header", f"tab-separated text with a header{more}", "rows", names, header=True)


def _quoted(source: Source, layout: Layout) -> Found:
    """Rows whose fields may be quoted and hold line ends; a quote that is never closed swallows at most one field."""
    csv.field_size_limit(_LONGEST_FIELD)
    problems, wanted = Problems(), len(layout.names)
    found = Found(layout.format, layout.title, layout.unit, fields=list(layout.names))
    rows = csv.reader((line.decode("utf-8", "replace") + "\n" for _, line in source.lines()), delimiter="\t")
    try:
        for fields in rows:
            if rows.line_num == 1 or not fields:
                continue
            if len(fields) != wanted:
                problems.add(f"lines without {wanted} columns", rows.line_num)
                continue
            found.rows += 1
            if found.rows <= SAMPLES:
                found.samples.append(shorten(" | ".join(fields)))
    except csv.Error as error:
        problems.add(f"quoted field that does not end ({error})", rows.line_num)
    found.problems += problems.told()
    found.scripts = languages.scripts(found.samples)
    return closed(found, source)


def _number_at(row: Sequence[bytes], column: int) -> bool:
    return len(row) > column and bool(_NUMBER.fullmatch(row[column]))


def _is_id(field: bytes) -> bool:
    return (
        0 < len(field) <= 80
        and not any(field.count(space) for space in (b" ", b"\t"))
        and any(48 <= letter <= 57 for letter in field)
    )


def _words(field: bytes) -> int:
    """Words of a field; text without spaces counts one for every two characters."""
    spaced = len(field.split())
    return spaced if field.isascii() else max(spaced, len(field.decode("utf-8", "replace")) // 12)


def _mean(rows: Rows, column: int, measure: Callable[[bytes], int]) -> float:
    return sum(measure(row[column]) for row in rows) / len(rows)


def _two(rows: Rows, name: str) -> Layout:
    ids = _share(rows, lambda row: _is_id(row[0])) >= _MOST
    if ids and len({row[0] for row in rows}) > 0.9 * len(rows):
        return _texts(rows, name)
    if _share(rows, lambda row: is_whole(row[1]) and not is_whole(row[0])) >= _MOST:
        title = "a list of words and how often they occur"
        return Layout("word-frequencies", title, "words", ("word", "count"), whole=(1,), texts=(0,))
    single = _share(rows, lambda row: b" " not in row[0].strip() or b" " not in row[1].strip())
    ended = _share(rows, lambda row: row[0].rstrip()[-1:] in b".!?" and len(row[0].strip()) > 1)
    words = _mean(rows, 0, _words) + _mean(rows, 1, _words)
    if ended > 0.5 or words > 12:
        title = "parallel sentences, both sides in a line"
        return Layout("parallel-tsv", title, "pairs", ("source", "target"), texts=(0, 1))
    if single >= 0.8:
        title = "a dictionary, a pair a line, split by a tab (MUSE, XLing-Eval)"
        return Layout("dictionary", title, "pairs", ("source", "target"), texts=(0, 1))
    title = "pairs of titles, tab-separated (WMT WikiTitles)"
    return Layout("wikititles", title, "pairs", ("source", "target"), texts=(0, 1))


def _texts(rows: Rows, name: str) -> Layout:
    """Id and text: long texts are documents; where length does not tell, the name may."""
    letters = _mean(rows, 1, lambda field: len(field.decode("utf-8", "replace")))
    dense = _mean(rows, 1, lambda field: len(field)) > 2.2 * letters
    called = "quer" in name or "topic" in name
    documents = letters > (80 if dense else 250) or (letters > (20 if dense else 60) and not called)
    if documents:
        title = "documents, id and text (MS MARCO and mMARCO collection, CLIRMatrix)"
        return Layout("documents-tsv", title, "documents", ("docid", "text"), most=1, identity=(0,), texts=(1,))
    title = "queries, id and text (MS MARCO, mMARCO; topics of MIRACL and CIRAL)"
    return Layout("queries-tsv", title, "queries", ("qid", "text"), most=1, identity=(0,), texts=(1,))


def _three(rows: Rows, name: str) -> Layout | None:
    if _share(rows, lambda row: not any(b" " in field.strip() for field in row)) >= _MOST:
        return _three_ids(rows)
    if _share(rows, lambda row: _is_id(row[0])) >= _MOST:
        documents = _mean(rows, 2, len) > 300 or "doc" in name
        what = "documents" if documents else "queries"
        text = "text" if documents else "first_sentence"
        title = f"{what}, id, title and text (Large-Scale CLIR, Sasaki et al. 2018)"
        return Layout(f"large-scale-clir-{what}", title, what, ("id", "title", text), most=2, identity=(0,), texts=(2,))
    if _mean(rows, 1, _words) > 12 and _mean(rows, 2, _words) > 12:
        title = "training triples by text: query, relevant passage, other passage (MS MARCO)"
        return Layout("msmarco-triples-text", title, "triples", ("query", "positive", "negative"), texts=(0, 1, 2))
    return None


def _three_ids(rows: Rows) -> Layout | None:
    """Three ids: a run counts its third column up within a query, grades are few, ids of triples are many."""
    thirds = [row[2] for row in rows]
    if _share(rows, lambda row: is_whole(row[2])) < _MOST:
        return _id_triples() if _share(rows, lambda row: all(map(_is_id, row))) >= _MOST else None
    up = sum(
        int(after[2]) == int(before[2]) + 1
        for before, after in pairwise(rows)
        if before[0] == after[0] and is_whole(before[2]) and is_whole(after[2])
    )
    if len(rows) > 2 and up >= 0.8 * sum(a[0] == b[0] for a, b in pairwise(rows)) and up:
        title = "an MS MARCO run: query, passage, rank"
        return Layout("msmarco-run", title, "rows", ("qid", "pid", "rank"), identity=(0, 1), whole=(2,))
    if len(set(thirds)) <= 7 and max(len(third) for third in thirds) <= 2:
        title = "judgements of three columns: query, document, grade (Large-Scale CLIR .rel)"
        names = ("qid", "docid", "relevance")
        return Layout("large-scale-clir-rel", title, "judgements", names, identity=(0, 1), whole=(2,))
    return _id_triples()


def _id_triples() -> Layout:
    title = "training triples by id: query, relevant passage, other passage (MS MARCO, mMARCO, sbert)"
    return Layout("msmarco-triples-ids", title, "triples", ("qid", "positive", "negative"))


def _four(rows: Rows, _: str) -> Layout | None:
    if _share(rows, lambda row: _is_id(row[0]) and _is_id(row[1]) and b" " in row[3].strip()) >= _MOST:
        title = "candidates with their texts (MS MARCO top1000): query id, passage id, query, passage"
        names = ("qid", "pid", "query", "passage")
        return Layout("msmarco-top1000", title, "rows", names, most=3, identity=(0, 1), texts=(3,))
    return None


def _uneven(rows: Rows) -> Layout | None:
    """Lines of one or more short expressions each, such as PanLex's Swadesh lists."""
    cells = [cell for row in rows for cell in row]
    if max(map(len, rows)) < 2 or sum(map(_words, cells)) > 3 * len(cells):
        return None
    title = "a word list, one concept a line, alternatives tab-separated (PanLex Swadesh)"
    return Layout("word-list-alternatives", title, "concepts", ("word",), loose=True, texts=(0,))


def _alternatives(source: Source, layout: Layout) -> Found:
    counted: Counter[str] = Counter()

    def each(fields: Sequence[bytes]) -> None:
        counted["expressions"] += sum(bool(field.strip()) for field in fields)

    found = count_rows(source, layout, each)
    found.counts |= counted
    found.format = "panlex"
    found.languages = languages.from_name(source.path)
    found.notes.append("two such files, one for each language, are paired by line")
    return found
