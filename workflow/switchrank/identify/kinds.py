"""Kinds of files that are recognised by their beginning, and how their rows are counted: by the reader of a run."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from switchrank.collections.rows import About, JudgementRows, TextRows
from switchrank.core.errors import UserError
from switchrank.core.progress import silence
from switchrank.identify import languages
from switchrank.identify.found import SAMPLES, Found, Identities, Problems, listed, shorten
from switchrank.identify.source import Source

TAGS, MEMBERS, VALUES, NAMES, IDS, TEXTS, GUESS, LAST = 10.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 70.0
"""Signs of a kind, the most reliable first: tags, the members of records, the shape of one JSON value, the names of
columns, ids in them, how long texts are; and then anything that could be it."""
SAMPLED = 500
"""Texts whose letters are looked at for their script."""

Row = tuple[str, Hashable, Sequence[str]]
"""Place in the file, what must not occur twice (None: it may), texts that must not be empty."""


@dataclass
class Look:
    """A file that is being inspected, and what has been found so far."""

    source: Source
    found: Found
    problems: Problems

    @property
    def about(self) -> About:
        """Tells readers of rows to go on after a row that they cannot use."""
        return About(defect=self.problems.take)


Rows = Callable[[str, Look], Iterable[Row]]
"""Reads a file that is being inspected, by the reader that a run would use."""


class Sign(NamedTuple):
    """How a kind of file is recognised and read.

    ``sure``: rank among the kinds that fit, of which the lowest is taken; ``fits``: whether a file is of this kind, by
    its beginning; ``rows`` reads it.
    """

    sure: float
    fits: Callable[[Source], bool]
    rows: Rows


@dataclass(frozen=True)
class Kind:
    """A kind of file: its sign, and what ``kinds.yaml`` says of it.

    Attributes:
        format, title, unit: as :class:`~switchrank.identify.found.Found` has them; ``sign.rows`` may say more.
        fields: its columns or members, where they are not ``same`` and the text.
        same: what must not occur twice; empty where that does not matter.
        texts: what its texts are called.
        whole: it is one value, whose beginning alone says nothing.
        entry: the YAML that reads it, with ``$names``, see :func:`switchrank.identify.found.filled`.
        why: why there is no such entry.
    """

    format: str
    title: str
    unit: str
    sign: Sign
    fields: Sequence[str] = ()
    same: str = ""
    texts: str = "text"
    whole: bool = False
    entry: str = ""
    why: str = ""


@dataclass(frozen=True)
class FolderKind:
    """A folder as its makers publish it.

    Attributes:
        format, title, entry, why: as :class:`Kind` has them.
        needs: names of files (patterns, packed or not) that must all be there.
        language: a pattern that finds the language in a file name.
        values: further facts that the entry needs, from the folder and the names of its files.
        sure: rank among the kinds that fit; the highest is taken.
        each: instead of ``needs``: the kind of all files, each of another language.
        sides: further facts, from the files by language or pair of languages, and what was found in the first file.
    """

    format: str
    title: str
    needs: tuple[str, ...] = ()
    language: str = ""
    values: Callable[[Path, list[str]], dict[str, str]] = lambda _path, _names: {}
    sure: int = 0
    each: str = ""
    sides: Callable[[dict[str, Path], Found], dict[str, str]] = lambda _each, _first: {}
    entry: str = ""
    why: str = ""


@cache
def described(package: str) -> dict[str, dict[str, Any]]:
    """What ``kinds.yaml`` of a package says of each kind, as arguments of :class:`Kind` or :class:`FolderKind`."""
    file = files(package) / "kinds.yaml"
    said = yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}
    return {name: {"format": name, **one} for name, one in said.items()}


@silence()
def counted(kind: Kind, source: Source) -> Found:
    """Read a file of a kind to its end, and say what is in it and what is wrong with it."""
    fields = [*kind.fields] or ([kind.same, kind.texts] if kind.same else [])
    found = Found(kind.format, kind.title, kind.unit, fields=fields)
    look = Look(source, found, Problems())
    identities, texts, ended = Identities(), list[str](), ""
    source.quick = source.quick and not kind.whole
    try:
        for place, identity, words in kind.sign.rows(source.view, look):
            found.rows += 1
            if identity is not None:
                identities.add(identity, place)
            if any(not word or word.isspace() for word in words):
                look.problems.add(f"empty {kind.texts}", place)
            if len(texts) < SAMPLED:
                texts += [word[:2000] for word in words]
            if len(found.samples) < SAMPLES:
                named = identity if isinstance(identity, tuple) else () if identity is None else (identity,)
                found.samples.append(shorten(" | ".join(str(part)[:200] for part in [*named, *words])))
    except UserError as error:
        if error.file == str(source.path) and not error.place:
            ended = "" if source.stopped else error.problem
        elif not source.stopped:
            look.problems.take(error)
    found.problems += look.problems.listed()
    again, places = identities.repeats()
    if again:
        found.problems.append(f"{again:,} rows repeat {kind.same or 'another'} ({listed(places, again)})")
    found.languages = found.languages or languages.from_name(source.path)
    found.scripts = found.scripts or languages.scripts(texts)
    source.damage = source.damage or ended
    return closed(found, source)


def closed(found: Found, source: Source) -> Found:
    """``found`` with what is known at the end of a file: damage, and estimates where the end was not read."""
    found.form = source.form
    if source.damage:
        found.problems.insert(0, source.damage)
    if source.stopped:
        found.rows, found.estimated = source.scaled(found.rows), True
        found.counts = {name: source.scaled(number) for name, number in found.counts.items()}
        found.notes.append("only the start was read (--quick): the numbers are estimates")
    if source.encoding.startswith("utf-16") and found.format != "pages-articles":
        found.problems.append("UTF-16: convert it to UTF-8, such as with iconv")
    return found


def texts(reads: TextRows) -> Rows:
    return lambda path, look: ((place, name, (text,)) for place, name, text in reads(path, look.about))


def judgements(reads: JudgementRows) -> Rows:
    """Rows of judgements; counts their queries and how often each grade occurs."""

    def rows(path: str, look: Look) -> Iterator[Row]:
        queries, grades = set[str](), Counter[int]()
        look.found.fields = look.found.fields or ["qid", "docid", "relevance"]
        for place, qid, docid, relevance in reads(path, look.about):
            queries.add(qid)
            grades[relevance] += 1
            yield place, (qid, docid), (str(relevance),)
        look.found.counts["queries"] = len(queries)
        look.found.notes.append("grades: " + ", ".join(f"{k} {n:,} times" for k, n in sorted(grades.items())[:6]))

    return rows


def json_lines(
    needs: Sequence[str],
    rows: Rows,
    *,
    strings: Sequence[str] = (),
    long: tuple[str, int] = ("", 0),
    told: str | Callable[[dict[str, object]], Iterable[str]] = lambda _record: (),
) -> Sign:
    """JSON lines are recognised by the members that nearly all records have; the more members, the surer.

    ``needs`` are these members, ``strings`` those that hold a text and no list of texts, ``long`` is a member and its
    least mean length in letters; ``told`` gives the language codes in a record, or is the member that holds one.
    """

    def fits(source: Source) -> bool:
        records = source.records
        good = [all(name in record for name in needs) for record in records]
        texts = [all(isinstance(record.get(name), str) for name in strings) for record in records]
        letters = [len(str(record.get(long[0]) or "")) for record in records]
        enough = 0.9 * len(records) if len(records) > (not needs) else inf
        return sum(good) >= enough <= sum(texts) and sum(letters) >= long[1] * len(records)

    def read(path: str, look: Look) -> Iterator[Row]:
        records = look.source.records
        look.found.fields = list(records[0])[:20]
        codes = told if callable(told) else lambda record: [str(record.get(told))]
        counted = Counter(code for record in records for code in codes(record))
        look.found.languages = languages.codes(name for name, _ in counted.most_common(60))
        yield from rows(path, look)

    return Sign(MEMBERS - len(needs) if needs else LAST - 2, fits, read)
