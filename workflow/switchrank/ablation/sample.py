"""Labelled queries of a target language: a nested seeded sample, and the proof that it holds nothing of a test set.

The sample is a QUERIES table. :func:`switchrank.corpus.instances.build_instances` makes training pairs of it together
with the documents and all judgements of its split, whose other queries it passes over.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from switchrank.ablation.overlap import Paths, Tested, read_relevant
from switchrank.errors import UserError
from switchrank.formats.tables import DOCUMENTS, QUERIES, read_table, write_table
from switchrank.seeds import derive_seed


def sample_queries(
    *,
    queries: str | Path,
    judgements: str | Path,
    documents: str | Path,
    examples: int,
    seed: int,
    language: str,
    out: str | Path,
    test_queries: Paths = (),
    test_judgements: Paths = (),
    shared_ids: bool = True,
    strict_documents: bool = False,
) -> dict[str, int]:
    """Write the first ``examples`` labelled queries of a seeded permutation, as QUERIES in that order.

    Eligible are queries with a positive judgement of a document that is there. The place of a query depends on seed,
    language and its id alone: samples of one seed and language are nested, and a query more or less in the collection
    moves no other.

    Args:
        queries, judgements, documents: QUERIES, JUDGEMENTS and DOCUMENTS of the labelled split, in ``language``.
        examples: size of the sample; 0 writes an empty table.
        seed: of the permutation.
        language: of the queries; part of the permutation's key.
        out: the table to write.
        test_queries, test_judgements: of the test sets; queries that :func:`check_no_overlap` would object to are not
            eligible. Without them nothing is left out.
        shared_ids, strict_documents: as in :func:`check_no_overlap`.

    Returns:
        ``examples``, ``eligible``, and ``left_out``: labelled queries that are too near to a test set.

    Raises:
        UserError: a table is missing or of another schema; fewer queries are eligible than are asked for.
    """
    if examples < 0:
        raise UserError("ablation sample", "examples", f"{examples}", "give a whole number from 0")
    tested = Tested.read(test_queries, test_judgements, shared_ids=shared_ids, strict_documents=strict_documents)
    table = read_table(queries, QUERIES)
    relevant, there = read_relevant(judgements), read_table(documents, DOCUMENTS).select("docid")
    trainable = relevant.join(there, on="docid", how="semi", maintain_order="left")
    labelled = table.join(trainable, on="qid", how="semi", maintain_order="left")
    near = {qid for qid, _ in _clashes(labelled, relevant, tested)}
    eligible = [qid for qid in labelled["qid"] if qid not in near]
    if examples > len(eligible):
        problem = f"{examples} labelled queries of {language} asked for, {len(eligible)} are eligible"
        left = f" ({len(near)} more are too near to a test set)" if near else ""
        raise UserError(queries, "", problem + left, f"ask for at most {len(eligible)}")
    chosen = sorted(eligible, key=lambda qid: (derive_seed(seed, "ablation sample", language, qid), qid))[:examples]
    order = pl.DataFrame({"qid": chosen}, schema={"qid": pl.String})
    write_table(order.join(table, on="qid", how="left", maintain_order="left"), out, QUERIES)
    return {"examples": examples, "eligible": len(eligible), "left_out": len(near)}


def check_no_overlap(
    *,
    sample: str | Path,
    judgements: str | Path,
    test_queries: Paths,
    test_judgements: Paths,
    strict_documents: bool,
    shared_ids: bool = True,
) -> dict[str, int]:
    """Prove that no labelled query is a test query, by id and by text (caseless, white space folded).

    Args:
        sample: QUERIES, the labelled queries.
        judgements: JUDGEMENTS of their split.
        test_queries: QUERIES of the test sets, in all their languages.
        test_judgements: their JUDGEMENTS.
        strict_documents: also prove that no document is relevant on both sides. It wants collections whose document
            ids mean the same document; shared documents are counted either way.
        shared_ids: false where labelled and test queries come from collections that number their queries
            independently, so that an id on both sides means nothing; then texts alone are compared.

    Returns:
        ``labelled_queries``, ``test_queries``, ``relevant_documents`` (of the labelled queries),
        ``test_relevant_documents``, ``shared_documents``: numbers of different ids.

    Raises:
        UserError: naming the first labelled query that overlaps; or there are no test queries to compare with.
    """
    tested = Tested.read(test_queries, test_judgements, shared_ids=shared_ids, strict_documents=strict_documents)
    if not tested.ids:
        raise UserError("ablation overlap", "test queries", "none", "give the queries of every test set")
    labelled = read_table(sample, QUERIES)
    relevant = read_relevant(judgements).join(labelled, on="qid", how="semi", maintain_order="left")
    for qid, problem in _clashes(labelled, relevant, tested):
        raise UserError(sample, f"query {qid}", problem, "leave it out: sample again with the test sets named")
    documents = set(relevant["docid"])
    return {
        "labelled_queries": labelled["qid"].n_unique(),
        "test_queries": len(tested.ids),
        "relevant_documents": len(documents),
        "test_relevant_documents": len(tested.documents),
        "shared_documents": len(documents & tested.documents.keys()),
    }


def _clashes(labelled: pl.DataFrame, relevant: pl.DataFrame, tested: Tested) -> Iterator[tuple[str, str]]:
    """Labelled queries that overlap with the test side, in order, and why."""
    of_query: dict[str, list[str]] = {}
    for qid, docid in relevant.select("qid", "docid").iter_rows():
        of_query.setdefault(qid, []).append(docid)
    for qid, text in labelled.select("qid", "text").iter_rows():
        problem = tested.clash(qid, text, of_query.get(qid, []))
        if problem is not None:
            yield qid, problem
