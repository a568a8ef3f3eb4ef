"""Runs, lines of text, and data that no key of a config reads: named, counted, and told why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from typing import Any

from switchrank.collections.json_values import read_json
from switchrank.collections.large_scale_clir.recognise import counts_up
from switchrank.collections.records import read_records
from switchrank.core.errors import UserError
from switchrank.files.reading import read_lines
from switchrank.formats.trec import run_rows
from switchrank.identify.columns import columns_of, is_id, is_number, is_whole
from switchrank.identify.entries import section
from switchrank.identify.kinds import (
    GUESS,
    IDS,
    LAST,
    NAMES,
    VALUES,
    Kind,
    Look,
    Row,
    Rows,
    json_lines,
)
from switchrank.identify.lexicons import is_parallel
from switchrank.identify.source import Source

_SHARE = 0.9
LARGEST = 1 << 28
"""Bytes of a JSON value that is read, to see what it is."""


def _run(path: str, look: Look) -> Iterator[Row]:
    for place, fields in run_rows(path, look.problems.take):
        yield place, (fields[0], fields[2], *fields[3:]), ()


def _columns(same: int = 0, text: int = -1) -> Rows:
    """Rows of as many columns as most lines have.

    Args:
        same: so many first columns may not come twice together.
        text: the column that holds a text.
    """

    def rows(path: str, look: Look) -> Iterator[Row]:
        table = columns_of(look.source)
        numbers = [str(number) for number in range(1, table.width + 1)]
        names = list(table.header) if look.found.format.endswith("-table") else []
        look.found.fields = names or look.found.fields or numbers
        read = partial(read_records, path, separator="\t", columns=names or numbers, defect=look.problems.take)
        for place, record in read(header=bool(names)):
            fields = list(record.values())
            yield place, tuple(fields[:same]) if same else None, fields[text:] if same else fields

    return rows


def _lines(path: str, _look: Look) -> Iterator[Row]:
    for number, line in read_lines(path):
        if line and not line.isspace():
            yield f"line {number}", None, (line,)


def _ids(path: str, look: Look) -> Iterator[Row]:
    for place, _, (line,) in _lines(path, look):
        yield place, line, ()


def _frequencies(path: str, look: Look) -> Iterator[Row]:
    for place, _, (line,) in _lines(path, look):
        word, _, count = line.strip().rpartition("\t" if "\t" in line else " ")
        if word and count.strip().isdecimal():
            yield place, None, (word,)
        else:
            look.problems.add("no word with a number", place)


def _text(path: str, look: Look) -> Iterator[Row]:
    look.found.notes.append("text that vectors or a tokenizer can be trained on")
    yield from _lines(path, look)


def _records(path: str, look: Look) -> Iterator[Row]:
    records = look.source.records
    look.found.fields = [name for name in records[0] if sum(name in record for record in records) >= len(records) / 2]
    for place, record in read_records(path, defect=look.problems.take):
        yield place, None, (" | ".join(str(value)[:80] for value in list(record.values())[:4]) or "-",)


@lru_cache(maxsize=1)
def _value(source: Source) -> Any:
    """The JSON value that a file holds; nothing where it is none, or too large."""
    if source.head.lstrip()[:1] not in (b"{", b"[") or source.path.stat().st_size > LARGEST:
        return None
    try:
        return read_json(source.path, "")
    except UserError:
        return None


def _array(_path: str, look: Look) -> Iterator[Row]:
    look.found.fields = list(_value(look.source)[0])[:20]
    for number, record in enumerate(_value(look.source), 1):
        yield f"record {number}", None, (" | ".join(map(str, record.values())),)


def _are_records(source: Source) -> bool:
    value = _value(source)
    return isinstance(value, list) and bool(value) and all(isinstance(part, dict) for part in value)


def _translations(_path: str, look: Look) -> Iterator[Row]:
    look.found.counts["translations"] = 0
    for number, (word, given) in enumerate(_value(look.source).items(), 1):
        look.found.counts["translations"] += len(given) if isinstance(given, dict) else 0
        yield f"word {number}", None, (f"{word} | {given}",)


def _are_translations(source: Source) -> bool:
    """``{word: {translation: probability}}``."""
    value = _value(source)
    parts = list(value.values()) if isinstance(value, dict) else []
    good = [
        bool(part) and all(isinstance(number, float | int) for number in part.values())
        for part in parts
        if isinstance(part, dict)
    ]
    return bool(parts) and sum(good) >= _SHARE * len(parts)


def _is_run(source: Source) -> bool:
    table = columns_of(source)
    return table.width == 3 and table.of_ids and table.most(lambda row: is_whole(row[2])) and counts_up(source)


def _are_frequencies(source: Source) -> bool:
    table, test = columns_of(source), lambda row: is_whole(row[1]) and not is_whole(row[0])
    return table.width == 2 and table.most(test) if table.tabbed else table.most_words(2, test)


def _plain(lines: Callable[[Sequence[bytes]], bool]) -> Callable[[Source], bool]:
    """Whether nearly all lines are readable, and the lines are of a kind."""

    def fits(source: Source) -> bool:
        head = source.head_lines() if not source.is_marked else []
        return bool(head) and sum(map(_is_readable, head)) >= _SHARE * len(head) and lines(head)

    return fits


def _is_readable(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(letter < 32 and letter != 9 for letter in line)


def _single(lines: Sequence[bytes]) -> bool:
    return sum(len(line.split()) == 1 for line in lines) >= _SHARE * len(lines)


def _have_digits(lines: Sequence[bytes]) -> bool:
    return all(line.isascii() and any(48 <= letter <= 57 for letter in line) for line in lines)


_NO_KEY = "no key reads"
_OURS = "switchrank reads it where a config names it"
KINDS = (
    Kind(
        "trec-run",
        "a TREC run: query, Q0, document, rank, score, tag",
        "rows",
        lambda source: columns_of(source).most_words(6, lambda row: is_whole(row[3]) and is_number(row[4])),
        NAMES - 2,
        _run,
        ("qid", "Q0", "docid", "rank", "score", "tag"),
        same="qid and docid",
        entry=section("testsets", "mine", collection="mine", pairs="config/mine-pairs.tsv", candidates="{run: $path}"),
    ),
    Kind(
        "msmarco-run",
        "an MS MARCO run: query, passage, rank",
        "rows",
        _is_run,
        IDS + 1,
        _columns(2),
        ("qid", "pid", "rank"),
        same="qid and pid",
        why="no key reads a run of three columns: make a TREC run of it",
    ),
    Kind(
        "msmarco-top1000",
        "candidates with their texts (MS MARCO top1000): query id, passage id, query, passage",
        "rows",
        lambda source: (
            columns_of(source).width == 4
            and columns_of(source).most(lambda row: is_id(row[0]) and is_id(row[1]) and b" " in row[3].strip())
        ),
        IDS,
        _columns(2),
        ("qid", "pid", "query", "passage"),
        same="qid and pid",
        why="no key reads candidates with their texts: make a TREC run of it",
    ),
    Kind(
        "pairs-table",
        "a table of test pairs of ours",
        "pairs",
        lambda source: columns_of(source).header == ("id", "query", "document", "own_model"),
        NAMES,
        _columns(1),
        why=_OURS,
    ),
    Kind(
        "ablation-table",
        "an ablation table of ours",
        "rows",
        lambda source: columns_of(source).header[:4] == ("id", "start", "language", "examples"),
        NAMES,
        _columns(1),
        why=_OURS,
    ),
    json_lines(
        "patapsco-queries",
        "queries as JSON lines (Patapsco)",
        "queries",
        ("id", "lang", "text", "query"),
        _records,
        told=lambda record: [str(record.get("lang"))],
        why="no collection has these members: make TSV of id and text of them",
    ),
    json_lines(
        "xnli",
        "sentence pairs of XNLI, no retrieval data",
        "pairs",
        ("gold_label", "sentence1", "sentence2"),
        _records,
        told=lambda record: [str(record.get("language"))],
        why=f"{_NO_KEY} sentence pairs with labels",
    ),
    json_lines(
        "json-lines",
        "JSON lines of no known collection",
        "records",
        (),
        _records,
        why="no collection has these members: make TSV or Parquet of them",
    ),
    Kind(
        "translation-table",
        "a table of translations with probabilities (PSQ)",
        "words",
        _are_translations,
        VALUES + 1.5,
        _translations,
        whole=True,
        why="no key reads a table of more than two languages: cut two columns out of it",
    ),
    Kind(
        "json-array",
        "records in one JSON array",
        "records",
        _are_records,
        VALUES + 1.6,
        _array,
        whole=True,
        why="no key reads an array of records: make JSON lines of it, such as with jq -c '.[]', and inspect them",
    ),
    Kind(
        "word-frequencies",
        "a list of words and how often they occur",
        "words",
        _are_frequencies,
        IDS + 3,
        _frequencies,
        ("word", "count"),
        why="no key reads a list of words with counts",
    ),
    Kind(
        "parallel-tsv",
        "parallel sentences, both sides in a line",
        "pairs",
        lambda source: columns_of(source).width == 2 and is_parallel(columns_of(source)),
        GUESS,
        _columns(),
        ("source", "target"),
        why="no key reads parallel sentences: one side alone can be a text of vectors",
    ),
    Kind(
        "ids",
        "a list of ids",
        "ids",
        _plain(lambda lines: _single(lines) and _have_digits(lines)),
        LAST,
        _ids,
        ("id",),
        why="no key reads bare ids",
    ),
    Kind(
        "word-list",
        "a list of words",
        "words",
        _plain(lambda lines: _single(lines) and max(map(len, lines)) < 60 and (len(lines) > 1 or b" " in lines[0])),
        LAST + 1,
        _lines,
        ("word",),
        why="no key reads a list of words alone",
    ),
    Kind(
        "text",
        "plain text, a sentence or paragraph a line",
        "lines",
        _plain(lambda _: True),
        LAST + 2,
        _text,
        ("text",),
        entry="vectors:\n  languages:\n    $language:\n      text: [$path]  # fastText is trained on it\n",
    ),
)
