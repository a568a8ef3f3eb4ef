"""Runs, plain text, and data that no key of a config reads: named and counted, with the reason."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from switchrank.collections.json_values import read_json
from switchrank.collections.large_scale_clir.recognise import counts_up
from switchrank.collections.records import read_records
from switchrank.core.errors import UserError
from switchrank.files.reading import read_lines
from switchrank.formats.trec import run_rows
from switchrank.identify.kinds import GUESS, IDS, LAST, NAMES, VALUES, Look, Row, Rows, Sign, json_lines
from switchrank.identify.lexicons import is_parallel
from switchrank.identify.source import MOST, Source, is_id, is_number, is_whole

LARGEST = 1 << 28
"""Bytes of the largest JSON value that is read to see what it is."""
_PAIRS = ("id", "query", "document", "own_model")
_ABLATION = ("id", "start", "language", "examples")


def _run(path: str, look: Look) -> Iterator[Row]:
    for place, fields in run_rows(path, look.problems.take):
        yield place, (fields[0], fields[2], *fields[3:]), ()


def _columns(same: int = 0) -> Rows:
    """Rows of as many columns as most lines have; where the first ``same`` must not repeat, those and the last."""

    def rows(path: str, look: Look) -> Iterator[Row]:
        table = look.source.columns
        numbers = [str(number) for number in range(1, table.width + 1)]
        names = list(table.header) if look.found.format.endswith("-table") else []
        look.found.fields = names or look.found.fields or numbers
        columns, defect = names or numbers, look.problems.take
        for place, record in read_records(path, separator="\t", columns=columns, defect=defect, header=bool(names)):
            fields = list(record.values())
            yield place, tuple(fields[:same]) if same else None, fields[-1:] if same else fields

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
    """The JSON value of a file; None where it holds none, or one that is too large."""
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
    """Whether a file is ``{word: {translation: probability}}``."""
    value = _value(source)
    parts = list(value.values()) if isinstance(value, dict) else []
    good = [
        bool(part) and all(isinstance(number, float | int) for number in part.values())
        for part in parts
        if isinstance(part, dict)
    ]
    return bool(parts) and sum(good) >= MOST * len(parts)


def _is_msmarco_run(source: Source) -> bool:
    table = source.columns
    return table.width == 3 and table.of_ids and table.most(lambda row: is_whole(row[2])) and counts_up(source)


def _is_trec_run(source: Source) -> bool:
    return source.columns.most_words(6, lambda row: is_whole(row[3]) and is_number(row[4]))


def _are_candidates(source: Source) -> bool:
    table = source.columns
    return table.width == 4 and table.most(lambda row: is_id(row[0]) and is_id(row[1]) and b" " in row[3].strip())


def _are_frequencies(source: Source) -> bool:
    table, test = source.columns, lambda row: is_whole(row[1]) and not is_whole(row[0])
    return table.width == 2 and table.most(test) if table.tabbed else table.most_words(2, test)


def _plain(lines: Callable[[Sequence[bytes]], bool]) -> Callable[[Source], bool]:
    """Whether nearly all lines are readable, and all of them pass a test."""

    def fits(source: Source) -> bool:
        head = source.head_lines() if not source.is_marked else []
        return bool(head) and sum(map(_is_readable, head)) >= MOST * len(head) and lines(head)

    return fits


def _is_readable(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not any(letter < 32 and letter != 9 for letter in line)


def _are_words(lines: Sequence[bytes]) -> bool:
    single = sum(len(line.split()) == 1 for line in lines) >= MOST * len(lines)
    return single and max(map(len, lines)) < 60 and (len(lines) > 1 or b" " in lines[0])


def _are_ids(lines: Sequence[bytes]) -> bool:
    single = sum(len(line.split()) == 1 for line in lines) >= MOST * len(lines)
    return single and all(line.isascii() and any(48 <= letter <= 57 for letter in line) for line in lines)


KINDS = {
    "trec-run": Sign(NAMES - 2, _is_trec_run, _run),
    "msmarco-run": Sign(IDS + 1, _is_msmarco_run, _columns(2)),
    "msmarco-top1000": Sign(IDS, _are_candidates, _columns(2)),
    "pairs-table": Sign(NAMES, lambda source: source.columns.header == _PAIRS, _columns(1)),
    "ablation-table": Sign(NAMES, lambda source: source.columns.header[:4] == _ABLATION, _columns(1)),
    "translation-table": Sign(VALUES + 1.5, _are_translations, _translations),
    "json-array": Sign(VALUES + 1.6, _are_records, _array),
    "word-frequencies": Sign(IDS + 3, _are_frequencies, _frequencies),
    "parallel-tsv": Sign(GUESS, lambda source: source.columns.width == 2 and is_parallel(source.columns), _columns()),
    "ids": Sign(LAST, _plain(_are_ids), _ids),
    "word-list": Sign(LAST + 1, _plain(_are_words), _lines),
    "text": Sign(LAST + 2, _plain(lambda _: True), _text),
    "patapsco-queries": json_lines(("id", "lang", "text", "query"), _records, told="lang"),
    "xnli": json_lines(("gold_label", "sentence1", "sentence2"), _records, told="language"),
    "json-lines": json_lines((), _records),
}
