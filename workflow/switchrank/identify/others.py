"""Kinds of files that no format of collections knows: sources of lexicons and vectors, runs, plain text, other data."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from switchrank.collections.large_scale_clir.recognise import counts_up
from switchrank.collections.records import read_records
from switchrank.core.errors import UserError
from switchrank.files.json_values import read_json
from switchrank.files.reading import read_lines
from switchrank.formats.pages import Site, read_pages
from switchrank.formats.pairs import concepts, read_entries, text_pairs
from switchrank.formats.trec import run_rows
from switchrank.identify import languages
from switchrank.identify.found import SAMPLES
from switchrank.identify.kinds import GUESS, IDS, LAST, MEMBERS, NAMES, TAGS, VALUES, Look, Row, Rows, Sign, json_lines
from switchrank.identify.source import MOST, Columns, Source, is_id, is_number, is_whole, words_in
from switchrank.lexicon.dumps import read_blocks
from switchrank.lexicon.titlefiles import TitleFiles, cldr_names, entity_lines, entity_of, read_titles, translations

_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)[\s/>]")
_BETWEEN = re.compile(rb"<\?.*?\?>|<!--.*?-->|<!DOCTYPE[^\[>]*(\[.*?\]\s*)?>", re.DOTALL | re.IGNORECASE)
_INTO = rb"(?:INSERT|REPLACE)\s{1,9}(?:IGNORE\s{1,9})?INTO\s{1,9}`?(\w{1,64}+)`?"
_INSERT = re.compile(_INTO + rb"(?:\s{0,9}\([^)']{0,5000}\))?\s{0,9}VALUES\s{0,9}", re.IGNORECASE)
_CREATE = re.compile(rb"CREATE TABLE (?:IF NOT EXISTS )?`?(\w{1,64}+)`?\s{0,9}\(", re.IGNORECASE)
_TITLED = re.compile(rb"\b([A-Z][a-z]+)-([A-Z][a-z]+)\b")
_MARKED = re.compile(rb"xml:lang=[\"']([A-Za-z-]{2,12})[\"']")
_LOCALE = re.compile(rb'"main"\s*:\s*\{\s*"([\w-]{2,20})"')
LARGEST = 1 << 28
"""Bytes of the largest JSON value that is read to see what it is."""
_PAIRS = ("id", "query", "document", "own_model")
_ABLATION = ("id", "start", "language", "examples")


def _root(source: Source) -> str:
    """The name of the root element of a file that starts as XML does."""
    head = source.head.lstrip()
    root = _ROOT.search(_BETWEEN.sub(b"", head[:8192])) if head.startswith(b"<") else None
    return root[1].decode("ascii", "replace").rpartition(":")[2] if root else ""


def _pages(path: str, look: Look) -> Iterator[Row]:
    site, counts = Site(), look.found.counts
    counts |= {"in namespace 0": 0, "redirects": 0}
    for number, page in enumerate(read_pages(path, site), 1):
        counts["in namespace 0"] += not page.namespace
        counts["redirects"] += bool(page.redirect)
        look.found.languages = languages.codes([site.language])
        yield f"page {number}", None, (page.title,)


def _entries(path: str, look: Look) -> Iterator[Row]:
    titled = _TITLED.search(look.source.head[: 1 << 16])
    named = [languages.ENGLISH_NAMES.get(name.decode(), "") for name in titled.groups()] if titled else []
    marked = languages.codes(code.decode() for code in _MARKED.findall(look.source.head))
    look.found.languages = languages.from_name(look.source.path) or list(filter(None, named)) or marked
    if titled:
        look.found.notes.append(f"the title says {titled[1].decode()} to {titled[2].decode()}")
    bare = 0
    for number, (heads, meanings) in enumerate(read_entries(path), 1):
        bare += not (heads and meanings)
        yield f"entry {number}", None, (*heads[:1], *meanings[:1])
    if not look.found.rows:
        look.problems.add("holds no entry")
    look.found.counts |= {"without a headword or a translation": bare} if bare else {}


def _translations(path: str, look: Look) -> Iterator[Row]:
    met: Counter[str] = Counter()
    for number, titles in enumerate(translations(path), 1):
        met.update(list(titles))
        look.found.languages = languages.codes(met)
        yield f"translation {number}", None, tuple(titles.values())


def _table(source: Source) -> str:
    found = _INSERT.search(source.head) or _CREATE.search(source.head)
    return found[1].decode("utf-8", "replace") if found else ""


def _sql(path: str, look: Look) -> Iterable[Row]:
    """Count the rows of an SQL dump block by block, and yield none of them."""
    found, table, articles, linked = look.found, _table(look.source), 0, Counter[bytes]()
    column = {"page": "page_namespace", "langlinks": "ll_lang"}.get(table)
    if not column:
        found.title = f"an SQL dump of the table {table}, which is not read"
    for block in read_blocks(path, table, [column] if column else []):
        found.rows += block.rows
        if len(found.samples) < SAMPLES:
            found.samples += block.first_rows(SAMPLES - len(found.samples))
        if table == "page":
            articles += int(block.equal("page_namespace", 0).sum())
        elif table == "langlinks":
            linked.update(block.texts("ll_lang"))
        found.fields = block.names
    if not _CREATE.search(look.source.head):
        found.notes.append("no CREATE TABLE: the order of columns is told by their number")
    if table == "page":
        found.counts["pages in namespace 0"] = articles
    elif table == "langlinks":
        found.counts["languages"] = len(linked)
        known = languages.codes(code.decode("utf-8", "replace") for code, _ in linked.most_common(30))
        found.notes.append("languages linked to: " + ", ".join(known[:15]))
    return ()


def _wikidata(path: str, look: Look) -> Iterator[Row]:
    met: Counter[str] = Counter()
    for number, line in entity_lines(path):
        entity = entity_of(path, number, line)
        met.update(list(labels) if isinstance(labels := entity.get("labels"), dict) else ())
        yield f"line {number}", str(entity.get("id")), ()
    look.found.languages = languages.codes(name for name, _ in met.most_common(60))
    look.found.fields = list(entity)[:20]


def _cldr(path: str, look: Look) -> Iterator[Row]:
    locale = _LOCALE.search(look.source.head)
    language = locale[1].decode() if locale else ""
    for table, names in cldr_names(path).items():
        look.found.counts[table] = len(names)
        for key, name in names.items():
            yield f"{table} {key}", key, (name,)
    look.found.languages = [languages.code(language) or language] if language else []
    look.found.values["names"] = str(look.source.path).replace(f"/{language}/", "/{lang}/")


def _concepts(path: str, look: Look) -> Iterator[Row]:
    look.found.notes.append("two such files, one for each language, are paired by line")
    look.found.counts["expressions"] = 0
    for number, words in enumerate(concepts(path), 1):
        look.found.counts["expressions"] += len(words)
        yield f"line {number}", None, tuple(words) or ("",)


def _pairs(path: str, look: Look) -> Iterator[Row]:
    for place, pair in text_pairs(path, look.problems.take):
        yield place, None, pair


def _title_pairs(path: str, _: Look) -> Iterator[Row]:
    for number, pair in enumerate(read_titles("wikititles", TitleFiles([path], "xx", "yy"), Counter()), 1):
        yield f"line {number}", None, pair


def _names(path: str, look: Look) -> Iterator[Row]:
    names = look.source.columns.header
    look.found.fields, look.found.languages = list(names), languages.codes(names)
    read = read_records(path, separator="\t", columns=names, defect=look.problems.take)
    for place, record in read:
        yield place, record[names[0]], (" | ".join(record[name] for name in names[1:]),)


def _are_entities(source: Source) -> bool:
    good = sum({"id", "type", "labels"} <= record.keys() for record in source.records)
    return len(source.records) > 0 and good >= 0.9 * len(source.records)


def _are_translations(source: Source) -> bool:
    root = _root(source)
    named = root in {"wikipediaTitles", "translations", "translation", "parallel_titles", "wikititles"}
    return named or (bool(root) and b"<translation" in source.head and b"<entry" in source.head)


def _is_pair(table: Columns) -> bool:
    """Whether lines are two short texts, most of one word."""
    return table.width == 2 and not _is_parallel(table)


def _is_parallel(table: Columns) -> bool:
    """Whether lines are two sentences each."""
    ended = table.share(lambda row: row[0].rstrip()[-1:] in b".!?" and len(row[0].strip()) > 1)
    return ended > 0.5 or table.mean(0, words_in) + table.mean(1, words_in) > 12


def _are_words(source: Source) -> bool:
    table = source.columns
    if not table.tabbed:
        return len(table.lines) > 2 and table.most_words(2, lambda _: True)
    return _is_pair(table) and table.share(lambda row: not all(b" " in field.strip() for field in row)) >= 0.8


def _are_concepts(source: Source) -> bool:
    table = source.columns
    cells = [cell for row in table.every for cell in row]
    uneven = bool(table.lines) and not table.width and max(map(len, table.every)) > 1
    return uneven and sum(map(words_in, cells)) <= 3 * len(cells)


def _are_names(source: Source) -> bool:
    header = source.columns.header
    return bool(header) and sum(bool(languages.code(name)) for name in header) >= max(2, len(header) - 2)


def _is_cldr(source: Source) -> bool:
    return source.head.lstrip()[:1] == b"{" and b'"localeDisplayNames"' in source.head


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


def _probabilities(_path: str, look: Look) -> Iterator[Row]:
    look.found.counts["translations"] = 0
    for number, (word, given) in enumerate(_value(look.source).items(), 1):
        look.found.counts["translations"] += len(given) if isinstance(given, dict) else 0
        yield f"word {number}", None, (f"{word} | {given}",)


def _are_probabilities(source: Source) -> bool:
    """Whether a file is ``{word: {translation: probability}}``."""
    value = _value(source)
    parts = list(value.values()) if isinstance(value, dict) else []
    full = [part for part in parts if part and isinstance(part, dict)]
    good = sum(all(isinstance(number, float | int) for number in part.values()) for part in full)
    return bool(parts) and good >= MOST * len(parts)


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


def _are_single(lines: Sequence[bytes]) -> bool:
    single = sum(len(line.split()) == 1 for line in lines) >= MOST * len(lines)
    return single and max(map(len, lines)) < 60 and (len(lines) > 1 or b" " in lines[0])


def _are_ids(lines: Sequence[bytes]) -> bool:
    single = sum(len(line.split()) == 1 for line in lines) >= MOST * len(lines)
    return single and all(line.isascii() and any(48 <= letter <= 57 for letter in line) for line in lines)


KINDS = {
    "page": Sign(TAGS - 3, lambda source: _table(source) == "page", _sql),
    "langlinks": Sign(TAGS - 3, lambda source: _table(source) == "langlinks", _sql),
    "mediawiki-sql": Sign(TAGS - 2, lambda source: bool(_table(source)), _sql),
    "pages-articles": Sign(TAGS + 2, lambda source: _root(source) == "mediawiki", _pages),
    "tei": Sign(TAGS + 2, lambda source: _root(source) in {"TEI", "TEI.2"}, _entries),
    "linguatools": Sign(TAGS + 3, _are_translations, _translations),
    "wikidata": Sign(MEMBERS - 3, _are_entities, _wikidata),
    "cldr": Sign(VALUES, _is_cldr, _cldr),
    "names-table": Sign(NAMES + 2, _are_names, _names),
    "panlex": Sign(IDS, _are_concepts, _concepts),
    "dictionary": Sign(GUESS + 1, _are_words, _pairs),
    "wikititles": Sign(GUESS + 2, lambda source: _is_pair(source.columns), _title_pairs),
    "trec-run": Sign(NAMES - 2, _is_trec_run, _run),
    "msmarco-run": Sign(IDS + 1, _is_msmarco_run, _columns(2)),
    "msmarco-top1000": Sign(IDS, _are_candidates, _columns(2)),
    "pairs-table": Sign(NAMES, lambda source: source.columns.header == _PAIRS, _columns(1)),
    "ablation-table": Sign(NAMES, lambda source: source.columns.header[:4] == _ABLATION, _columns(1)),
    "translation-table": Sign(VALUES + 1.5, _are_probabilities, _probabilities),
    "json-array": Sign(VALUES + 1.6, _are_records, _array),
    "word-frequencies": Sign(IDS + 3, _are_frequencies, _frequencies),
    "parallel-tsv": Sign(GUESS, lambda source: source.columns.width == 2 and _is_parallel(source.columns), _columns()),
    "ids": Sign(LAST, _plain(_are_ids), _ids),
    "word-list": Sign(LAST + 1, _plain(_are_single), _lines),
    "text": Sign(LAST + 2, _plain(lambda _: True), _text),
    "patapsco-queries": json_lines(("id", "lang", "text", "query"), _records, told="lang"),
    "xnli": json_lines(("gold_label", "sentence1", "sentence2"), _records, told="language"),
    "json-lines": json_lines((), _records),
}
