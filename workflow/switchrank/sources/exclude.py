"""Leave out of a collection the questions of another and what answers them, such as SQuAD without XQuAD's paragraphs.

Training on what is tested with is a leak, and test sets are often made from the same source as training sets: XQuAD and
XQuAD-R (Artetxe et al. 2020, arXiv 1910.11856; Roy et al. 2020, arXiv 2004.05484) are 240 paragraphs of SQuAD's
development set with their questions, under SQuAD's question ids.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from switchrank.collections.notes import note
from switchrank.collections.spec import EXCLUDED, CollectionSpec, Parsed
from switchrank.core.errors import UserError
from switchrank.core.json_files import write_json
from switchrank.formats.tables import QUERIES, read_table

ROLE = "excluded/"
"""How the roles of the other collection's tables of queries begin."""
_SENTENCE = r"-\d+$"
"""What the id of a sentence has behind that of its paragraph (:mod:`switchrank.collections.squad.reader`)."""


def exclude_questions(parsed: Parsed, spec: CollectionSpec, tables: Iterable[str], folder: Path) -> Parsed:
    """A collection without the questions whose ids are those of another, and without what answers them.

    With a question go the documents that are relevant to it, in every language, and of a sentence all of its paragraph;
    with a document go all judgements and triples that it is in. The documents in ``folder`` are written again, and what
    went is counted on standard error and in ``excluded.json`` there.

    Args:
        parsed: the collection as read.
        spec: its specification.
        tables: the tables of queries of the other collection, of all its splits and languages.
        folder: where the documents are.

    Raises:
        UserError: no question has such an id, or none is left of a split or no document in a language.
    """
    other = pl.concat(read_table(table, QUERIES).select("qid") for table in tables).unique()
    asked = pl.concat(frame.select("qid") for frame in parsed.queries.values()).unique()
    gone = asked.join(other, on="qid", how="semi")
    if gone.is_empty():
        problem = f"no question here has the id of one of {spec.excluding}, and nothing would be left out"
        raise _error(problem, "name the collection that shares its question ids, or leave the key out")
    queries = {key: _without(gone, frame) for key, frame in parsed.queries.items()}
    for (split, language), left in queries.items():
        if left.is_empty():
            raise _nothing_left(f"{split} questions in {language} are questions", spec)
    names = {language: _answering(parsed, spec, gone, language) for language in spec.languages}
    documents = {language: _keep(folder / f"documents-{language}.parquet", spec, names[language]) for language in names}
    for language, rows in documents.items():
        if not rows:
            raise _nothing_left(f"documents in {language} answer questions", spec)
    judgements = {
        (split, language): _without(gone, frame.filter(~_within(spec, "docid", names[language])))
        for (split, language), frame in parsed.judgements.items()
    }
    if parsed.triples:
        used = [_within(spec, column, names[spec.source]) for column in ("positive", "negative")]
        _rewrite(parsed.triples, pl.scan_parquet(parsed.triples).filter(~pl.any_horizontal(used)))
    lost = {language: parsed.documents[language] - rows for language, rows in documents.items()}
    _tell(spec, len(gone), lost, folder)
    return replace(parsed, queries=queries, judgements=judgements, documents=documents)


def _answering(parsed: Parsed, spec: CollectionSpec, gone: pl.DataFrame, language: str) -> pl.Series:
    """Names of the documents, or of the paragraphs of sentences, in a language that answer one of the questions.

    Where a split has no judgements in the language, its ids are those of the source language.
    """
    found = []
    for split in spec.splits:
        judged = parsed.judgements.get((split, language), parsed.judgements[split, spec.judged_languages(split)[0]])
        relevant = judged.filter(pl.col("relevance") >= 1).join(gone, on="qid", how="semi")
        found.append(relevant.select(_name(spec, "docid")))
    return pl.concat(found).to_series().unique()


def _without(gone: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    return frame.join(gone, on="qid", how="anti", maintain_order="left")


def _name(spec: CollectionSpec, column: str) -> pl.Expr:
    """What goes or stays as one: a document, or the paragraph that it is a sentence of."""
    docid = pl.col(column)
    return docid.str.replace(_SENTENCE, "") if spec.documents_as == "sentences" else docid


def _within(spec: CollectionSpec, column: str, names: pl.Series) -> pl.Expr:
    return _name(spec, column).is_in(names.implode())


def _keep(table: Path, spec: CollectionSpec, names: pl.Series) -> int:
    """Write a table of documents again without some of them; how many are left."""
    _rewrite(table, pl.scan_parquet(table).filter(~_within(spec, "docid", names)))
    return int(pl.scan_parquet(table).select(pl.len()).collect().item())


def _rewrite(table: Path, frame: pl.LazyFrame) -> None:
    """Put rows that are read from a table in its place."""
    beside = table.with_name(f".{table.name}")
    frame.sink_parquet(beside, compression="zstd", row_group_size=200_000)
    os.replace(beside, table)


def _tell(spec: CollectionSpec, questions: int, documents: Mapping[str, int], folder: Path) -> None:
    told = ", ".join(f"{count:,} in {language}" for language, count in documents.items())
    note("collection", questions, f"questions left out: {spec.excluding} has them; with them go documents: {told}")
    record = {"questions_of": spec.excluding, "questions": questions, "documents": dict(documents)}
    write_json(folder / EXCLUDED, record)


def _nothing_left(what: str, spec: CollectionSpec) -> UserError:
    return _error(f"all {what} of {spec.excluding}", "name another collection, or leave this one out")


def _error(problem: str, todo: str) -> UserError:
    return UserError("collection", "exclude.questions_of", problem, todo)
