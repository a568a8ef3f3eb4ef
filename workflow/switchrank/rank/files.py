"""Ranking the user's own files with a trained model, outside any workflow."""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from switchrank.core.errors import UserError
from switchrank.files.headers import refuse_header
from switchrank.files.reading import read_lines
from switchrank.formats.tables import DAMAGE, reason
from switchrank.formats.trec_writing import write_run
from switchrank.models.folder import check_model, is_dual_encoder, is_late_interaction
from switchrank.rank import dense, late
from switchrank.rank.candidates import Lists, bm25_lists, candidate_table, run_lists
from switchrank.rank.inference import USUAL, Inference, check_system
from switchrank.rank.texts import Texts
from switchrank.search.choices import DEPTH

_ID_COLUMNS = ("id", "qid", "docid", "pid")
_OWN_ID = "give every text an id of its own"
_BATCH = 4096
"""Rows of a Parquet file that are read at a time."""


def _tsv_rows(path: Path) -> Iterator[tuple[int, str, str]]:
    """The number of each line, its id and its text."""
    for number, line in read_lines(path):
        name, tab, text = line.partition("\t")
        if number == 1:
            refuse_header(path, line.split("\t"), "leave this line out, or give Parquet, whose columns have names")
        if not tab or not name.strip():
            raise UserError(path, f"line {number}", "no id and text", "write one 'id<TAB>text' a line")
        if len(name.split()) != 1:
            raise UserError(path, f"line {number}", f"white space in the id '{name}'", "run files need ids without it")
        yield number, name, text


def _read_tsv(path: Path) -> tuple[list[str], list[str]]:
    places: dict[str, int] = {}
    texts: list[str] = []
    for number, name, text in _tsv_rows(path):
        if name in places:
            problem = f"id {name} again, first on line {places[name]}"
            raise UserError(path, f"line {number}", problem, _OWN_ID)
        places[name] = number
        texts.append(text)
    return list(places), texts


def _id_column(path: Path, columns: Sequence[str]) -> str:
    """The column of ids; raises UserError where there is none, or no column of texts."""
    column = next((name for name in _ID_COLUMNS if name in columns), None)
    if column is None or "text" not in columns:
        todo = f"name them {' or '.join(_ID_COLUMNS)}, and text"
        raise UserError(path, "columns", f"found {', '.join(columns)}", todo)
    return column


def _as_strings(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    return frame.select(pl.col(column).cast(pl.String), pl.col("text").cast(pl.String).fill_null(""))


def _read_parquet(path: Path) -> tuple[list[str], list[str]]:
    try:
        frame = pl.read_parquet(path)
    except DAMAGE as error:
        raise _unreadable(path, error) from error
    column = _id_column(path, frame.columns)
    frame = _as_strings(frame, column)
    ids = frame[column]
    if ids.null_count() or ids.n_unique() < len(ids):
        repeated = frame.filter(ids.is_duplicated() | ids.is_null())[column][0]
        raise UserError(path, f"id {repeated}", "missing or not unique", _OWN_ID)
    return ids.to_list(), frame["text"].to_list()


def _parquet_rows(path: Path) -> Iterator[tuple[str, str]]:
    try:
        with pq.ParquetFile(path) as file:
            column = _id_column(path, file.schema_arrow.names)
            for batch in file.iter_batches(_BATCH, columns=[column, "text"]):
                frame = _as_strings(pl.DataFrame(batch), column)
                if frame[column].null_count():
                    raise UserError(path, column, "a row without an id", _OWN_ID)
                yield from frame.iter_rows()
    except (*DAMAGE, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: BaseException) -> UserError:
    return UserError(path, "", f"not a readable table ({reason(error)})", "give a Parquet file")


def _existing(path: str | Path) -> Path:
    if not Path(path).is_file():
        raise UserError(path, "", "no such file", "correct the path")
    return Path(path)


def _empty(path: Path) -> UserError:
    return UserError(path, "", "empty", "give at least one 'id<TAB>text' line")


def read_texts(path: str | Path) -> tuple[list[str], list[str]]:
    """Ids and texts of a file: TSV ``id<TAB>text`` without a header (may be gzipped), or Parquet, whose id column is
    ``id``, ``qid``, ``docid`` or ``pid``.

    Raises UserError for a file that is missing, empty or not UTF-8, a line without an id, an id twice.
    """
    path = _existing(path)
    ids, texts = _read_parquet(path) if path.suffix == ".parquet" else _read_tsv(path)
    if not ids:
        raise _empty(path)
    return ids, texts


def stream_texts(path: str | Path) -> Iterator[tuple[str, str]]:
    """The same one by one, so that memory holds few of them; whether an id comes twice is not looked at."""
    path = _existing(path)
    rows = _parquet_rows(path) if path.suffix == ".parquet" else (row[1:] for row in _tsv_rows(path))
    first = next(rows, None)
    if first is None:
        raise _empty(path)
    yield first
    yield from rows


def rank_files(
    *,
    model: str | Path,
    queries: str | Path,
    docs: str | Path,
    out: str | Path,
    run: str | Path | None = None,
    top: int | None = None,
    vocabulary: str | Path | None = None,
    system: str = "switchrank",
    inference: Inference = USUAL,
) -> None:
    """Rank documents for queries with a trained model and write a TREC run.

    Texts are one 'id<TAB>text' a line, no header (.tsv, .tsv.gz), or Parquet tables with columns id and text. With
    neither ``run`` nor ``top``, every document is scored for every query. The output has the columns qid Q0 docid rank
    score system, best first; scores are logits. A query without candidates is not in it; how many there are is said on
    stderr. A dual encoder searches all documents, and its scores are cosines; so does late interaction where they are
    few, by MaxSim.

    Args:
        model: folder of a trained cross-encoder (Hugging Face, one label), of a dual encoder, or of late interaction.
        queries: TSV id, text, or Parquet (:func:`read_texts`).
        docs: documents, likewise.
        out: the TREC run to write.
        run: re-rank only the documents of this TREC or MS MARCO run (:func:`switchrank.rank.candidates.read_ranking`).
        top: re-rank at most this many documents per query, of --run or else by BM25; where all documents are searched:
            keep so many (default: 1000, with --run all of it).
        vocabulary: vector store prefix (or segmenter:NAME) whose words cut text for BM25.
        system: tag in the last column.
        inference: how pairs are scored.

    Raises:
        UserError: unreadable texts, a run that names unknown ids, no query with a candidate, an unusable model.
        NoGpuError: a GPU was asked for and none is there.
    """
    check_system(system)
    if top is not None and top < 1:
        raise UserError("rank", "top", f"{top} documents per query", "give 1 or more, or leave it out to rank them all")
    check_model(Path(model))
    encoder = "a dual encoder" if is_dual_encoder(model) else "late interaction" if is_late_interaction(model) else ""
    rank_texts = late.rank_texts if is_late_interaction(model) else dense.rank_texts
    if encoder and vocabulary is not None:
        raise UserError("rank", "vocabulary", f"has no meaning with {encoder}", "leave it out")
    asked, texts = Texts(*read_texts(queries), queries), Texts(*read_texts(docs), docs)
    if run is not None:
        lists = run_lists(run, asked.ids, set(asked.ids), set(texts.ids), depth=top)
    elif encoder:
        write_run(rank_texts(model, asked, texts, depth=top or DEPTH, inference=inference), out, system)
        return
    elif top is not None:
        lists = bm25_lists(asked.texts, texts.ids, texts.texts, k=top, vocabulary=vocabulary)
    else:
        lists = [texts.ids for _ in asked.ids]
    _tell_unanswered(lists, queries, run)
    candidates = candidate_table(asked.ids, lists)
    used = set(candidates["docid"])
    kept = [(docid, text) for docid, text in zip(texts.ids, texts.texts, strict=True) if docid in used]
    texts = Texts([docid for docid, _ in kept], [text for _, text in kept], docs)
    rank = rank_texts if encoder else _rerank
    write_run(rank(model, asked, texts, candidates, source=run or docs, inference=inference), out, system)


def _rerank(
    model: str | Path,
    queries: Texts,
    documents: Texts,
    candidates: pl.DataFrame,
    *,
    source: str | Path,
    inference: Inference,
) -> pl.DataFrame:
    """The scores of candidates by a cross-encoder, as ``qid docid score``."""
    from switchrank.rank.score import Reranker, TextTable, score_candidates

    reranker = Reranker(model, inference)
    asking = TextTable(reranker, queries.ids, queries.texts, source=queries.source, what="query")
    among = TextTable(reranker, documents.ids, documents.texts, source=documents.source, what="document")
    return score_candidates(reranker, asking, among, candidates, source=source, what="rank")


def _tell_unanswered(lists: Lists, queries: str | Path, run: str | Path | None) -> None:
    """Say how many queries have no candidate; raises UserError if none has one."""
    unanswered = sum(not found for found in lists)
    if not unanswered:
        return
    if run is not None:
        lack, todo = f"no document in {run}", "give a run of these queries"
    else:
        lack = "no word in common with any document"
        todo = "give the ranking of a first stage that crosses languages (--run), or rank all documents (no --top)"
    if unanswered == len(lists):
        raise UserError(queries, "top" if run is None else "run", f"no query is ranked: each has {lack}", todo)
    print(f"{queries}: {unanswered} of {len(lists)} queries have {lack} and are left out: {todo}", file=sys.stderr)
