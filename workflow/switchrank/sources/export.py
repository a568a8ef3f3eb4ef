"""A test set for other tools: documents, queries and judgements of one language pair, in a format that they read."""

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Literal

import polars as pl

from switchrank.collections.notes import note
from switchrank.collections.rows import check_id
from switchrank.collections.spec import folders, module_of
from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.formats.tables import DOCUMENTS, JUDGEMENTS, QUERIES, read_table, scan_table

_NO_ID = r"^$|[\s\x1c-\x1f]"
"""In an id that :func:`switchrank.collections.rows.check_id` refuses."""


def export_testset(
    *,
    out: str | Path,
    to: Literal["beir"] = "beir",
    collection: str | Path | None = None,
    pair: str = "",
    split: Literal["train", "dev", "test"] = "test",
    documents: str | Path | None = None,
    queries: str | Path | None = None,
    judgements: str | Path | None = None,
    overwrite: bool = False,
) -> dict[str, int]:
    """Write a test set of one language pair as another tool reads it.

    The tables are those of a collection's folder, such as results/xquad/sources/xquad, but for those that are named by
    their own path: the judgements of a test set of a run, where it asks a sample of the queries. Queries without a
    judgement are left out.

    beir: corpus.jsonl, queries.jsonl, qrels/test.tsv. An id must not hold white space.

    Args:
        out: folder to write.
        to: the format.
        collection: folder of the tables, as a run or sources build makes it.
        pair: languages of queries and documents, such as de-en.
        split: whose queries and judgements; it names the file of judgements too.
        documents: DOCUMENTS table.
        queries: QUERIES table.
        judgements: JUDGEMENTS table of the language of the documents.
        overwrite: replace the folder whatever it holds.

    Returns:
        How many ``documents``, ``queries`` and ``judgements`` were written.

    Raises:
        UserError: a table is not named, missing or not one; an id is empty or holds white space; a document is judged
            that is not there, or no query is; ``out`` holds something else.

    Example:
        ``export_testset(collection="results/xquad/sources/xquad", pair="de-en", out="xquad-de-en")``
    """
    given = {"documents": documents, "queries": queries, "judgements": judgements}
    files = _in_collection(collection, pair, split) | {name: Path(path) for name, path in given.items() if path}
    if missing := [f"--{name}" for name in given if name not in files]:
        todo = "name the folder of a collection and a pair of languages, or the table itself"
        raise UserError("sources export", " ".join(missing), "no table", todo)
    texts, asked, judged = _testset(files)
    with atomic_folder(out, "an exported test set", overwrite=overwrite) as folder:
        writer = import_module(module_of(folders()[to], "writer"))
        writer.write_collection(
            documents=texts, queries=asked.lazy(), judgements=judged.lazy(), folder=folder, split=split
        )
    rows = texts.select(pl.len()).collect(engine="streaming").item()
    return {"documents": rows, "queries": len(asked), "judgements": len(judged)}


def _in_collection(folder: str | Path | None, pair: str, split: str) -> dict[str, Path]:
    """The tables of a pair in the folder of a collection; none where no folder is named."""
    if folder is None:
        return {}
    query, _, document = pair.partition("-")
    if not (query and document):
        todo = "write the languages of queries and documents, such as de-en"
        raise UserError("sources export", "--pair", repr(pair) if pair else "missing", todo)
    names = {"documents": document, "queries": f"{split}-{query}", "judgements": f"{split}-{document}"}
    return {table: Path(folder, f"{table}-{name}.parquet") for table, name in names.items()}


def _testset(files: Mapping[str, Path]) -> tuple[pl.LazyFrame, pl.DataFrame, pl.DataFrame]:
    """Documents, the queries that something is judged for, and the judgements of them; all checked."""
    documents = scan_table(files["documents"], DOCUMENTS)
    queries, judgements = read_table(files["queries"], QUERIES), read_table(files["judgements"], JUDGEMENTS)
    _check_ids(documents, "docid", files["documents"])
    _check_ids(queries.lazy(), "qid", files["queries"])
    known = documents.select("docid").join(judgements.lazy(), on="docid", how="semi").collect(engine="streaming")
    if len(strangers := judgements.join(known, on="docid", how="anti")):
        problem, todo = f"judged, and not in {files['documents']}", "give the judgements of these documents"
        raise UserError(files["judgements"], f"document {strangers['docid'][0]}", problem, todo)
    judged = judgements.join(queries, on="qid", how="semi", maintain_order="left")
    if judged.is_empty():
        raise UserError(files["judgements"], "", f"judges no query of {files['queries']}", "give tables of one split")
    lost = len(judgements) - len(judged)
    note(files["judgements"], lost, "judgements left out: the table of queries lacks their query")
    asked = queries.join(judged, on="qid", how="semi", maintain_order="left")
    note(files["queries"], len(queries) - len(asked), "queries left out: nothing is judged for them")
    return documents, asked, judged


def _check_ids(table: pl.LazyFrame, column: str, file: Path) -> None:
    """Raise UserError for the first id that is empty or holds white space."""
    wrong = table.select(column).with_row_index().filter(pl.col(column).str.contains(_NO_ID)).head(1)
    for row, name in wrong.collect(engine="streaming").iter_rows():
        check_id(name, file, f"row {row + 1}")
