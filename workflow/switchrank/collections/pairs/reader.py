"""Reads a collection from queries with their passages as plain text: no ids, no document file, perhaps a negative.

Rows come as JSON lines, as a table with a header, as TSV without one (query, positive, and where there is one a
negative: MS MARCO's ``triples.train.small.tsv``), or as two files whose lines belong together. Equal texts are one
query and one document; they are numbered by first appearance, ``q1``, ``q2``, ... and ``d1``, ``d2``, ... Only digests
of texts stay in memory.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from switchrank.collections.frames import ROW_GROUP, connected_groups, frames, sink
from switchrank.collections.notes import left_out
from switchrank.collections.records import member_text, read_records
from switchrank.collections.spec import CollectionSpec, Parsed, check_known
from switchrank.core.errors import Defect, Sieve, UserError, refuse
from switchrank.files.reading import read_lines
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, TRIPLES

Row = tuple[str, str, list[str]]
"""Query, positive, negatives; all texts."""


def check_roles(spec: CollectionSpec, files: Mapping[str, str]) -> None:
    """Raise UserError for a role that is neither rows nor lines of a split."""
    check_known(files, [f"{role}/{split}" for split in spec.splits for role in ("rows", "queries", "passages")])


def read_collection(
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    query: str = "",
    positive: str = "positive",
    negative: str = "negative",
    separator: str = "",
) -> Parsed:
    """Read a collection in one language; a query's group is the connected set of queries that share relevant documents.

    Args:
        spec, folder: as :func:`switchrank.collections.spec.read_files` takes them.
        files: ``rows/<split>``, or ``queries/<split>`` and ``passages/<split>`` with lines that belong together.
        query, positive, negative: members of JSON lines, or columns of a table; without ``query`` rows are TSV.
        separator: of the columns of a table.
    """
    if len(spec.languages) != 1:
        raise UserError("collection", "languages", f"{list(spec.languages)}", "name the one language of the texts")
    (language,) = spec.languages
    names = Names(query, positive, negative) if query else Names()
    layout = {"separator": separator} if query else TSV
    texts = Texts(spec, folder)

    def documents() -> Iterator[tuple[str, str, str]]:
        for split in spec.splits:
            path = files.get(f"rows/{split}", "")
            found = text_rows(path, names, negatives=spec.triples, **layout) if path else _aligned(files, split)
            yield from texts.documents(split, path or files.get(f"queries/{split}", ""), found)

    sink(frames(documents(), DOCUMENTS), DOCUMENTS, folder / f"documents-{language}.parquet")
    parsed = Parsed({}, {}, {language: len(texts.numbers["d"])}, texts.triples() if spec.triples else None)
    for split in spec.splits:
        parsed.queries[split, language], parsed.judgements[split, language] = texts.split(split)
    return parsed


TSV: dict[str, Any] = {"separator": "\t", "header": False}
"""How rows without names of columns are laid out."""


class Names(NamedTuple):
    """What members or columns of rows are called; their numbers in TSV."""

    query: str = "1"
    positive: str = "2"
    negative: str = "3"


class Texts:
    """Texts numbered as they come, and what was learned of them; triples go into ``folder`` on the way.

    Attributes:
        numbers: number by digest of the text, for queries and documents.
        queries: texts by id, by split.
        relevant: pairs of query and document, by split, in order of appearance.
    """

    def __init__(self, spec: CollectionSpec, folder: Path) -> None:
        self.spec, self.folder = spec, folder
        self.numbers: dict[str, dict[bytes, int]] = {"q": {}, "d": {}}
        self.queries = defaultdict[str, dict[str, str]](dict)
        self.relevant = defaultdict[str, dict[tuple[str, str], None]](dict)
        self.waiting: list[tuple[str, str, str]] = []
        self.parts: list[Path] = []

    def documents(self, split: str, file: str, rows: Iterable[tuple[str, Row]]) -> Iterator[tuple[str, str, str]]:
        """Yield rows of DOCUMENTS for the texts of ``file`` that are new, and take note of the rest."""
        lost = total = 0
        for _, (query, positive, negatives) in rows:
            total += 1
            if not query.strip() or not positive.strip():
                lost += 1
                continue
            docids = []
            for text in (positive, *filter(str.strip, negatives)):
                docid, new = self._number("d", text)
                docids.append(docid)
                if new:
                    yield docid, text, docid
            qid, _ = self._number("q", query)
            self.queries[split].setdefault(qid, query)
            self.relevant[split][qid, docids[0]] = None
            if self.spec.triples and split == "train":
                self._wait([(qid, docids[0], negative) for negative in docids[1:]])
        left_out(file, lost, total, "rows left out: no query or no passage", self.spec.max_skipped)
        if total == lost:
            raise UserError(file, "", "holds no query with a passage", "give a file of queries and passages")

    def _number(self, kind: str, text: str) -> tuple[str, bool]:
        numbers = self.numbers[kind]
        known = len(numbers)
        number = numbers.setdefault(blake2b(text.encode(), digest_size=16).digest(), known + 1)
        return f"{kind}{number}", len(numbers) > known

    def _wait(self, triples: list[tuple[str, str, str]], most: int = ROW_GROUP) -> None:
        """Hold triples back until there are ``most``, and write those."""
        self.waiting += triples
        if len(self.waiting) >= most:
            part = self.folder / f"triples-part-{len(self.parts)}.parquet"
            pl.DataFrame(self.waiting, schema=TRIPLES, orient="row").write_parquet(part)
            self.parts.append(part)
            self.waiting = []

    def split(self, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
        """QUERIES and JUDGEMENTS of a split."""
        judged = pl.DataFrame([(*pair, 1) for pair in self.relevant[name]], schema=JUDGEMENTS, orient="row")
        groups = connected_groups(judged.select("qid", label="docid"))
        queries = pl.DataFrame(list(self.queries[name].items()), schema=["qid", "text"], orient="row")
        return queries.join(groups, on="qid", how="left", maintain_order="left").select(list(QUERIES)), judged

    def triples(self) -> Path:
        self._wait([], most=0)
        out = self.folder / "triples-read.parquet"
        pl.scan_parquet(self.parts).sink_parquet(out, compression="zstd", row_group_size=ROW_GROUP)
        for part in self.parts:
            part.unlink()
        return out


def text_rows(
    path: str | Path, names: Names, *, negatives: bool, defect: Defect = refuse, **layout: Any
) -> Iterator[tuple[str, Row]]:
    """Yield ``(place, row)`` of a file of rows; ``layout`` is as :func:`read_records` takes it.

    A negative may be one text, or a list of them. A row without query or passage goes to ``defect``.
    """
    sieve, wanted = Sieve(defect), names if negatives else names[:2]
    for place, record in read_records(path, columns=wanted, defect=defect, **layout):
        with sieve:
            query, positive = (member_text(record, [name], path, place) for name in names[:2])
            found = record.get(names.negative) if negatives else []
            given = found if isinstance(found, list) else [found]
            others = [member_text({names.negative: text}, [names.negative], path, place) for text in given]
            yield place, (query, positive, others)


def _aligned(files: Mapping[str, str], split: str) -> Iterator[tuple[str, Row]]:
    for role in ("queries", "passages"):
        if f"{role}/{split}" not in files:
            raise UserError("collection", f"files.{role}/{split}", "missing", f"name it, or rows/{split} in its place")
    both = [files[f"queries/{split}"], files[f"passages/{split}"]]
    for number, (query, passage) in enumerate(zip_longest(*(read_lines(path) for path in both)), 1):
        if query is None or passage is None:
            short, other = both if query is None else both[::-1]
            problem = f"ends before {other} does"
            raise UserError(short, f"line {number}", problem, "give files with lines that belong together")
        yield f"line {number}", (query[1], passage[1], [])
