"""Candidates: which documents are re-ranked for each query, the same for every query language of a document language.

They come from a given ranking (as in the published experiments: one English BM25 list for every pair), from BM25, or
they are all documents.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.files.reading import read_lines
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_relevant, read_table, write_table
from switchrank.formats.trec import read_run
from switchrank.search.bm25 import Bm25, best
from switchrank.text.splitting import language_splitter

Lists = list[list[str]]
"""Docids per query, best first."""
_SHAPES = "'qid Q0 docid rank score system', 'qid<TAB>docid<TAB>rank' or 'qid<TAB>docid<TAB>query<TAB>passage'"


@dataclass(frozen=True)
class FirstStage:
    """Where candidates come from: one of ``bm25``, ``run`` and ``all``.

    Attributes:
        bm25: K documents by BM25; random ones fill up short lists.
        run: the documents of a TREC or MS MARCO run, or top1000 file (:func:`read_ranking`).
        all: all documents, in source order.
        depth: first documents of --from-run that are taken.
        fill: fill short lists of --from-run up to --depth at random.
    """

    bm25: int | None = None
    run: str | Path | None = None
    all: bool = False
    depth: int | None = None
    fill: bool = False

    @property
    def size(self) -> int | None:
        return self.depth if self.bm25 is None else self.bm25

    def check(self) -> None:
        """Raise UserError unless there is exactly one way, and a usable number of candidates."""
        ways = (self.bm25 is not None) + (self.run is not None) + self.all
        place = "switchrank rank candidates"
        if ways != 1:
            problem = "more than one of them given" if ways else "none of them given"
            raise UserError(place, "--bm25, --from-run, --all", problem, f"choose one; see {place} --help")
        if (self.size is not None and self.size < 1) or (self.fill and self.size is None):
            raise UserError(place, "--bm25, --depth", "no usable number of candidates", "give 1 or more")


def read_ranking(path: str | Path) -> pl.DataFrame:
    """Read a first-stage ranking into columns ``qid docid rank``, by rank within each query.

    Six fields are a TREC run; equal ranks go by falling score, then docid. Tab-separated and perhaps gzipped, three are
    an MS MARCO run, and four MS MARCO's ``top1000`` file, whose line order stands for the rank. Raises UserError for
    another number of columns, a rank that is no number, a document twice.
    """
    first = next((line for _, line in read_lines(path)), "")
    columns = len(first.split("\t"))
    if columns not in (3, 4):
        order = ["qid", "rank", "score", "docid"]
        return read_run(path).sort(order, descending=[False, False, True, False]).drop("score")
    names = ["qid", "docid", "rank"] if columns == 3 else ["qid", "docid", "query", "passage"]
    schema = dict.fromkeys(names, pl.String)
    try:
        lines = pl.scan_csv(path, separator="\t", has_header=False, quote_char=None, schema=schema)
        rank = pl.col("rank").cast(pl.Int32) if columns == 3 else pl.int_range(1, pl.len() + 1, dtype=pl.Int32)
        frame = lines.select("qid", "docid", rank.alias("rank")).collect(engine="streaming")
    except pl.exceptions.PolarsError as error:
        raise UserError(path, "", str(error).splitlines()[0], f"write every line as {_SHAPES}") from error
    twice = frame.filter(frame.select("qid", "docid").is_duplicated())
    if len(twice):
        qid, docid, _ = twice.row(0)
        raise UserError(path, f"query {qid}", f"document {docid} twice", "keep one line of each")
    return frame.sort(["qid", "rank", "docid"])


def bm25_lists(
    queries: Sequence[str],
    docids: Sequence[str],
    texts: Sequence[str],
    *,
    k: int,
    vocabulary: str | Path | None = None,
) -> Lists:
    """The ``k`` best documents of each query text that share a word with it; equal scores by ascending docid."""
    order = sorted(range(len(docids)), key=docids.__getitem__)
    index = Bm25([texts[i] for i in order], queries, split=language_splitter(vocabulary))
    found = (best(index.scores(query), k) for query in range(len(queries)))
    return [[docids[order[i]] for i in numbers] for numbers in found]


def run_lists(
    path: str | Path, qids: Sequence[str], known_qids: set[str], known_docids: set[str], *, depth: int | None
) -> Lists:
    """The first ``depth`` documents of a ranking for each of ``qids``; raises UserError for an id that is not known."""
    ranking = read_ranking(path)
    for column, known, what in (("qid", known_qids, "query"), ("docid", known_docids, "document")):
        strangers = sorted(set(ranking[column].unique()) - known)
        if strangers:
            problem = f"{len(strangers)} {what} id(s) that the collection does not have"
            todo = f"remove these lines, or give the {what} table that holds them"
            raise UserError(path, f"{what} {strangers[0]}", problem, todo)
    if depth is not None:
        ranking = ranking.group_by("qid", maintain_order=True).head(depth)
    found = dict(ranking.group_by("qid", maintain_order=True).agg("docid").iter_rows())
    return [found.get(qid, []) for qid in qids]


def build_candidates(
    *,
    queries: str | Path,
    documents: str | Path,
    judgements: str | Path,
    first_stage: FirstStage,
    out: str | Path,
    relevant: Literal["keep", "add"] = "keep",
    vocabulary: str | Path | None = None,
    seed: int = 1,
) -> None:
    """Write CANDIDATES: the documents to re-rank for every query with a positive judgement, in source order.

    With BM25 (and with ``fill``) every query has exactly min(k, number of documents) candidates: where fewer share a
    word with the query, random documents follow. So every query and every pair is a choice among equally many.

    Args:
        queries: QUERIES table; for BM25 their text, in the language of the documents, is what is looked for.
        documents: DOCUMENTS table of one language.
        judgements: JUDGEMENTS table of that language.
        first_stage: where they come from.
        out: CANDIDATES table to write (.parquet).
        relevant: keep: as retrieved; add: put missing relevant documents in, in the place of the last irrelevant ones.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text
            (:func:`switchrank.text.splitting.language_splitter`).
        seed: seed of the random documents.

    Raises:
        UserError: unknown ids in the ranking or the judgements, an unusable first stage, no judged query, no document.
    """
    first_stage.check()
    size = first_stage.size
    docs, every_query = read_table(documents, DOCUMENTS), read_table(queries, QUERIES)
    docids = docs["docid"].to_list()
    if not docids:
        raise UserError(documents, "", "no documents", "give a collection that has some")
    known = set(docids)
    judged = read_relevant(judgements).sort("qid", "docid")
    strangers = sorted(set(judged["docid"]) - known)
    if strangers:
        problem = f"{len(strangers)} judged document(s) that the collection does not have"
        todo = "give the judgements of this document language"
        raise UserError(judgements, f"document {strangers[0]}", problem, todo)
    positives = dict(judged.group_by("qid", maintain_order=True).agg("docid").iter_rows())
    kept = every_query.filter(pl.col("qid").is_in(list(positives)))
    if kept.is_empty():
        raise UserError(queries, "", "no query has a positive judgement", "give the judgements of these queries")
    if len(kept) < len(positives):
        missing = f"{len(positives) - len(kept)} judged queries have no text here and get no candidates"
        print(f"{queries}: {missing}", file=sys.stderr)
    qids = kept["qid"].to_list()
    if first_stage.bm25 is not None:
        asked, texts = kept["text"].to_list(), docs["text"].to_list()
        lists = bm25_lists(asked, docids, texts, k=first_stage.bm25, vocabulary=vocabulary)
    elif first_stage.run is not None:
        lists = run_lists(first_stage.run, qids, set(every_query["qid"]), known, depth=size)
    else:
        lists = [docids[:size] for _ in qids]
    if size is not None and (first_stage.fill or first_stage.bm25 is not None):
        limit, ordered = min(size, len(docids)), sorted(docids)
        lists = [_fill(found, limit, ordered, seed, qid) for qid, found in zip(qids, lists, strict=True)]
    if relevant == "add":
        lists = [_add(found, positives[qid], size) for qid, found in zip(qids, lists, strict=True)]
    write_table(candidate_table(qids, lists), out, CANDIDATES)


def _fill(found: list[str], size: int, docids: Sequence[str], seed: int, qid: str) -> list[str]:
    """``found``, then random other documents up to ``size``: a function of seed, query and the sorted docids."""
    missing = size - len(found)
    if missing <= 0:
        return found
    drawn = generator(seed, "candidates", qid).choice(len(docids), size=size, replace=False)
    have = set(found)
    return found + [docids[i] for i in drawn if docids[i] not in have][:missing]


def _add(found: list[str], relevant: list[str], size: int | None) -> list[str]:
    """Put missing relevant documents last; beyond the size, they replace the last irrelevant ones."""
    keep, have = set(relevant), set(found)
    spare = max(0, (len(found) if size is None else size) - len(relevant))
    dropped = {*[docid for docid in found if docid not in keep][spare:]}
    kept = [docid for docid in found if docid not in dropped]
    return (kept + [docid for docid in relevant if docid not in have])[:size]


def candidate_table(qids: Sequence[str], lists: Lists) -> pl.DataFrame:
    """CANDIDATES from docids per query; ranks count from 1."""
    frame = pl.DataFrame({"qid": qids, "docid": lists}, schema={"qid": pl.String, "docid": pl.List(pl.String)})
    ranked = frame.explode("docid", empty_as_null=False)
    return ranked.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("qid").alias("rank"))
