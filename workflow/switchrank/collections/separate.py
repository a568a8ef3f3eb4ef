r"""A collection whose documents, queries and judgements are separate: files per language, one of judgements per split.

How the rows of each file are written is given (:class:`~switchrank.collections.rows.Rows`); what the files have to do
with each other is here. Passages and triples pass through in batches; memory holds the queries, the judgements and one
language's ids. Ids are parallel: a judgement holds in every language that has the document. Triples are three ids a
line, or three texts, as in MS MARCO's ``triples.train.small.tsv``. Every defect has its place.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from switchrank.collections.frames import BATCH, ROW_GROUP, connected_groups, frames, sink
from switchrank.collections.notes import left_out, note
from switchrank.collections.rows import (
    About,
    JudgementRows,
    Rows,
    TextRow,
    TextRows,
    check_id,
    judgement_rows,
    read_topics,
    text_rows,
    triple_rows,
    twice,
)
from switchrank.collections.spec import CollectionSpec, Parsed, check_separate
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.files.reading import read_lines
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, TRIPLES

_TEXTS = {"id": pl.String, "text": pl.String}
_PLACED = {**JUDGEMENTS, "place": pl.String}
_PLURAL = {"document": "documents", "query": "queries"}


def reader(rows: Rows) -> tuple[Callable[..., Parsed], Callable[[CollectionSpec, Mapping[str, str]], None]]:
    """``read_collection`` and ``check_roles`` of a format whose files are written as ``rows`` says."""
    return partial(read_separate, rows), check_separate


def read_separate(
    rows: Rows,
    spec: CollectionSpec,
    files: Mapping[str, str],
    folder: Path,
    *,
    documents: Mapping[str, Any] = MappingProxyType({}),
    queries: Mapping[str, Any] = MappingProxyType({}),
    judgements: Mapping[str, Any] = MappingProxyType({}),
) -> Parsed:
    """Read a collection whose files are written as ``rows`` says, but for the settings that the options change.

    A query's group is the topic of its relevant document, or that document's id where no topics are given; queries
    that share relevant documents or topics share one group. Judgements of queries that no query file holds are left
    out and counted, as are judgements and triples of documents that are empty or unknown.
    """
    rows = rows.changed({"documents": documents, "queries": queries, "judgements": judgements})
    topics = read_topics(files["groups"]) if "groups" in files else None
    asked = {
        (split, language): read_queries(
            spec.parts(files, f"queries/{split}/{language}"), rows.queries, language, spec.max_skipped
        )
        for split in spec.splits
        for language in spec.query_languages(split)
    }
    judged = {}
    for split in spec.splits:
        queried = [asked[split, language] for language in spec.query_languages(split)]
        judged[split] = _judgements(spec.parts(files, f"judgements/{split}"), queried, rows.judgements)
    made = {
        language: write_documents(spec, files, language, rows.documents, folder, topics) for language in spec.languages
    }
    parsed = Parsed({}, {}, {language: one.rows for language, one in made.items()})
    for split, frame in judged.items():
        languages = spec.judged_languages(split)
        present = _present(files[f"judgements/{split}"], frame, made, spec.max_skipped)
        relevant = pl.concat(present[language] for language in languages).filter(pl.col("relevance") >= 1)
        links = _labelled(relevant.unique(["qid", "docid"], keep="first", maintain_order=True), topics, "label")
        groups = connected_groups(links.select("qid", "label"))
        for language in languages:
            parsed.judgements[split, language] = present[language].drop("place")
        for language in spec.query_languages(split):
            grouped = asked[split, language].join(groups, on="qid", how="left", maintain_order="left")
            parsed.queries[split, language] = grouped.select(list(QUERIES))
    if not spec.triples:
        return parsed
    here, training = made[spec.source], asked["train", spec.source]
    triples = write_triples(files["triples/train"], here.path, here.empty["docid"], training, folder, spec.max_skipped)
    return replace(parsed, triples=triples)


@dataclass(frozen=True)
class Documents:
    """One language's DOCUMENTS on disk, how many there are, and the ids of those left out for lack of a text."""

    path: Path
    rows: int
    empty: pl.DataFrame


def write_documents(
    spec: CollectionSpec,
    files: Mapping[str, str],
    language: str,
    reads: TextRows,
    folder: Path,
    topics: pl.DataFrame | None = None,
) -> Documents:
    """Write the documents of one language into ``documents-<language>.parquet`` of ``folder``, batch by batch.

    ``topics`` are the groups of documents; without them each document is a group of its own. UserError for a defect of
    a file, an id twice, or more empty documents than the collection allows.
    """
    out = folder / f"documents-{language}.parquet"
    parts = spec.parts(files, f"documents/{language}")
    source = TextFile(parts, "document", reads, language, spec.max_skipped)
    batches = (_labelled(batch.rename({"id": "docid"}), topics, "group") for batch in source.batches())
    sink((batch.select(list(DOCUMENTS)) for batch in batches), DOCUMENTS, out)
    ids = pl.read_parquet(out, columns=["docid"])
    source.check_ids(ids["docid"])
    if topics is not None:
        without = len(ids.join(topics, on="docid", how="anti"))
        note(source.name, without, "documents without a topic, each taken as a group of its own")
    return Documents(out, len(ids), pl.DataFrame({"docid": list(source.empty)}, schema={"docid": pl.String}))


def _labelled(frame: pl.DataFrame, topics: pl.DataFrame | None, name: str) -> pl.DataFrame:
    """Add column ``name``: the topic of ``docid``, or ``docid`` itself where there is none."""
    if topics is None:
        return frame.with_columns(pl.col("docid").alias(name))
    joined = frame.join(topics.rename({"group": name}), on="docid", how="left", maintain_order="left")
    return joined.with_columns(pl.col(name).fill_null(pl.col("docid")))


def _judgements(paths: Sequence[str], asked: Iterable[pl.DataFrame], reads: JudgementRows) -> pl.DataFrame:
    """The judgements of a split's queries. Qrels often cover more queries than a file holds: the rest is counted."""
    frame = read_judgements(paths, reads)
    qids = pl.concat(queries.select("qid") for queries in asked).unique()
    kept = frame.join(qids, on="qid", how="semi", maintain_order="left")
    if kept.is_empty():
        raise UserError(paths[0], "", "judges none of the queries", "give queries and judgements of the same split")
    note(paths[0], len(frame) - len(kept), "judgements left out: no query file holds their query")
    return kept


def _present(
    path: str, judged: pl.DataFrame, documents: Mapping[str, Documents], limit: float
) -> dict[str, pl.DataFrame]:
    """The judgements of a split by document language, restricted to the documents each language has."""
    present, lacking = {}, {}
    unknown = judged
    for language, made in documents.items():
        ids = pl.read_parquet(made.path, columns=["docid"])  # of one language at a time
        present[language] = judged.join(ids, on="docid", how="semi", maintain_order="left")
        for known in (ids, made.empty):
            unknown = unknown.join(known, on="docid", how="anti", maintain_order="left")
        gone = judged.join(made.empty, on="docid", how="semi")
        left_out(path, len(gone), len(judged), f"judgements left out: their document is empty in {language}", limit)
        lacking[language] = len(judged) - len(present[language]) - len(gone)
    if len(unknown):
        row = unknown.row(0, named=True)
        what = f"judgements left out: their document is in no document file, the first {row['docid']} in {row['place']}"
        left_out(path, len(unknown), len(judged), what, limit)
    for language, count in lacking.items():
        note(path, count - len(unknown), f"judgements left out: their document is not in {language}")
    return present


def file_parts(paths: Iterable[str | Path]) -> list[str | Path]:
    """The files to read one after the other: a folder of JSON lines or TREC text stands for its files, in order."""
    return [part for path in paths for part in (_files_in(path) or [path])]


def _files_in(path: str | Path) -> Sequence[str | Path]:
    """The files of a folder, unless they are a table."""
    tables, folder = ("*.parquet", "*.arrow", "**/*.parquet", "dataset_dict.json"), Path(path)
    if not folder.is_dir() or any(next(folder.glob(pattern), None) for pattern in tables):
        return []
    return sorted((path for path in folder.iterdir() if path.is_file() and path.name[0] != "."), key=_natural)


def _natural(path: Path) -> tuple[list[tuple[int, str]], str]:
    """Order ``docs-2`` before ``docs-10``."""
    pieces = "".join(sign if sign.isdecimal() else f" {sign} " for sign in path.name).split()
    return [(int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces], path.name


@dataclass
class TextFile:
    """Ids and texts of one role, from one file or several.

    Attributes:
        path: the file or files; messages name the one they are about.
        kind: what a row holds, ``document`` or ``query``.
        reads: how the rows are written.
        language: which language to take where a row has several.
        limit: largest share of rows that may have no text.
        empty: places by id of the rows without text; filled while :meth:`batches` runs.
    """

    path: str | Path | Sequence[str]
    kind: str
    reads: TextRows = text_rows
    language: str = ""
    limit: float = 1.0
    empty: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        given = [self.path] if isinstance(self.path, str | Path) else self.path
        self.parts = file_parts(given)

    @property
    def name(self) -> str:
        """The file, or the first of several, for messages about all of them."""
        return str(self.parts[0] if len(self.parts) == 1 else f"{self.parts[0]} and {len(self.parts) - 1} more")

    def rows(self) -> Iterator[tuple[str | Path, TextRow]]:
        about = About(self.kind, self.language)
        for part in self.parts:
            for row in self.reads(part, about):
                yield part, row

    def batches(self) -> Iterator[pl.DataFrame]:
        """Yield frames of columns ``id`` and ``text``, rows without text left out; UserError for a defect."""
        ids: list[str] = []
        texts: list[str] = []
        shown = f"reading {Path(self.parts[0]).name}" if self.kind == "document" else None
        with progress(what=shown, unit=f"{self.kind}s") as bar:
            for part, (place, identifier, text) in self.rows():
                if identifier.split() != [identifier]:
                    check_id(identifier, part, place)
                if not text or text.isspace():
                    if identifier in self.empty:
                        raise twice(part, f"{self.kind} id {identifier}", self.empty[identifier], place)
                    self.empty[identifier] = place
                    continue
                ids.append(identifier)
                texts.append(text)
                if len(ids) == BATCH:
                    yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)
                    bar.update(BATCH)
                    ids, texts = [], []
            yield pl.DataFrame({"id": ids, "text": texts}, schema=_TEXTS)
            bar.update(len(ids))

    def check_ids(self, ids: pl.Series) -> None:
        """Raise UserError, after :meth:`batches`, for no row with text, too many without, or two rows of one id."""
        what = f"empty {_PLURAL[self.kind]} left out, the first in {next(iter(self.empty.values()), '')}"
        left_out(self.name, len(self.empty), len(self.empty) + len(ids), what, self.limit)
        if ids.is_empty():
            raise UserError(self.name, "", f"holds no {self.kind}", f"give a file of {_PLURAL[self.kind]}")
        known = pl.concat([ids, pl.Series(ids.name, list(self.empty), dtype=pl.String)])
        if known.n_unique() == len(known):
            return
        double = known.filter(known.is_duplicated())[0]
        places = [(part, place) for part, (place, identifier, _) in self.rows() if identifier == double]
        (one, first), (other, second) = places[:2]
        raise twice(other, f"{self.kind} id {double}", first if one == other else f"{first} of {one}", second)


def read_queries(
    path: str | Path | Sequence[str], reads: TextRows = text_rows, language: str = "", limit: float = 1.0
) -> pl.DataFrame:
    """Read queries into columns ``qid`` and ``text``, in file order; arguments and errors are those of TextFile."""
    file = TextFile(path, "query", reads, language, limit)
    frame = pl.concat(file.batches()).rename({"id": "qid"})
    file.check_ids(frame["qid"])
    return frame


def read_judgements(paths: str | Path | Sequence[str], reads: JudgementRows = judgement_rows) -> pl.DataFrame:
    """Read JUDGEMENTS plus the column ``place``, in file order; UserError for a defect, or a pair judged twice."""
    parts: list[str | Path] = [paths] if isinstance(paths, str | Path) else list(paths)

    def rows() -> Iterator[tuple[str, str, int, str]]:
        for path in parts:
            for place, qid, docid, relevance in reads(path, About("judgement")):
                if qid.split() != [qid] or docid.split() != [docid]:
                    check_id(qid, path, place)
                    check_id(docid, path, place)
                yield qid, docid, relevance, place

    frame = pl.concat(frames(rows(), _PLACED))
    double = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(double):
        qid, docid = double.row(0)[:2]
        places = double.filter(pl.col("qid") == qid, pl.col("docid") == docid)["place"]
        raise twice(parts[-1], f"document {docid} for query {qid}", places[0], places[1])
    if frame.is_empty():
        raise UserError(parts[0], "", "holds no judgement", "give a file of judgements")
    return frame


def write_triples(
    path: str, documents: Path, empty: pl.Series, queries: pl.DataFrame, folder: Path, limit: float
) -> Path:
    """Write the triples whose two documents have text into a file in ``folder``, which is returned.

    The first line tells whether they are triples of ids, which hold no white space, or of texts, which are looked up
    among the queries and documents of the collection; of documents with equal text the first is meant.

    Args:
        path: the triples.
        documents, empty: DOCUMENTS of the source language, and the ids of those without text.
        queries: training queries, columns ``qid`` and ``text``.
        folder: where to write.
        limit: largest share of triples that may be lost to empty documents, or to unknown ids or texts, else UserError.
    """
    out, raw = folder / "triples-read.parquet", folder / "triples-raw.parquet"
    texts = holds_texts(path)
    sink(frames(triple_rows(path, ids=not texts), TRIPLES), TRIPLES, raw)
    kept = _known_texts(raw, documents, queries) if texts else _known_ids(raw, documents)
    kept.sink_parquet(out, compression="zstd", row_group_size=ROW_GROUP)
    read, written = (int(pl.scan_parquet(file).select(pl.len()).collect().item()) for file in (raw, out))
    of_empty = 0 if texts else _rows_with(raw, empty)
    where = "a text is in no query or document file" if texts else "a document is in no document file"
    left_out(path, of_empty, read, "triples left out: a document is empty", limit)
    left_out(path, read - written - of_empty, read, f"triples left out: {where}", limit)
    raw.unlink()
    return out


def holds_texts(path: str) -> bool:
    """Whether a file of triples holds texts in place of ids."""
    _, first = next(read_lines(path), (1, ""))
    fields = first.split("\t")
    return len(fields) == len(TRIPLES) and any(len(part.split()) > 1 for part in fields)


def _known_ids(raw: Path, documents: Path) -> pl.LazyFrame:
    kept = pl.scan_parquet(raw)
    for column in ("positive", "negative"):
        known = pl.scan_parquet(documents).select("docid")
        kept = kept.join(known, left_on=column, right_on="docid", how="semi", maintain_order="left")
    return kept


def _rows_with(raw: Path, docids: pl.Series) -> int:
    if docids.is_empty():
        return 0
    held = pl.any_horizontal(pl.col(column).is_in(docids.implode()) for column in ("positive", "negative"))
    return int(pl.scan_parquet(raw).select(held.sum()).collect(engine="streaming").item())


def _known_texts(raw: Path, documents: Path, queries: pl.DataFrame) -> pl.LazyFrame:
    """Triples of ids from triples of texts; those with a text that is nowhere go."""
    passages = pl.scan_parquet(documents).select(pl.col("docid").alias("id"), *_hashes("text"))
    asked = queries.lazy().select(pl.col("qid").alias("id"), *_hashes("text"))
    kept = pl.scan_parquet(raw)
    for column, named in (("qid", asked), ("positive", passages), ("negative", passages)):
        first = named.unique(["h1", "h2"], keep="first", maintain_order=True)
        kept = (
            kept.with_columns(*_hashes(column))
            .join(first, on=["h1", "h2"], how="inner", maintain_order="left")
            .drop(column, "h1", "h2")
            .rename({"id": column})
        )
    return kept.select(list(TRIPLES))


def _hashes(column: str) -> list[pl.Expr]:
    """Two 64-bit hashes, which stand for a text: 40 million texts share a pair of them with probability 10^-24."""
    return [pl.col(column).hash(seed).alias(f"h{seed}") for seed in (1, 2)]
