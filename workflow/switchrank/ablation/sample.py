"""Labelled queries of a target language: a nested seeded sample, and the proof that neither a test set nor the training
of a starting model holds them."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.seeds import derive_seed
from switchrank.formats.tables import DOCUMENTS, INSTANCES, QUERIES, read_relevant, read_table, scan_table, write_table
from switchrank.text.words import key

Paths = Sequence[str | Path]


@dataclass(frozen=True)
class Apart:
    """What labelled queries must not overlap with.

    Attributes:
        test_queries, test_judgements: QUERIES and JUDGEMENTS of the test sets, in all their languages.
        strict_documents: no document may be relevant on both sides either, where an id means the same document on both.
        shared_ids: false where the two sides number their queries independently; then texts alone are compared.
        training: what the starting models were trained on: mappings with ``queries``, ``judgements`` and ``documents``
            (tables of a training split in one language), ``shared_ids``, and where pairs were drawn ``instances``.
            Here no relevant document may be on both sides, by id where ids are shared, and by text.
    """

    test_queries: Paths = ()
    test_judgements: Paths = ()
    strict_documents: bool = False
    shared_ids: bool = True
    training: Sequence[Mapping[str, Any]] = ()


def folded(text: str) -> str:
    """The form in which texts are compared: the look-up key, runs of white space as one space."""
    return " ".join(key(text).split())


def read_passages(documents: str | Path, docids: pl.Series) -> dict[str, str]:
    """The folded texts of some documents, by id; the other texts are not held."""
    wanted = docids.unique().rename("docid").to_frame().lazy()
    found = scan_table(documents, DOCUMENTS).join(wanted, on="docid", how="semi").select("docid", "text").collect()
    return {docid: folded(text) for docid, text in found.iter_rows()}


@dataclass(frozen=True)
class Side:
    """What labelled queries are compared with: test or training queries, and the documents relevant to them.

    Attributes:
        what: ``test`` or ``training``, for people.
        shared_ids, strict_documents: as those of :class:`Apart`.
        ids, texts: table of a query, by its id; and the query with a folded text.
        documents, passages: the query that a document is relevant to; and the document with a folded text.
        negatives: documents that training pairs hold as not relevant, where ids are shared.
    """

    what: str
    shared_ids: bool
    strict_documents: bool
    ids: Mapping[str, str]
    texts: Mapping[str, str]
    documents: Mapping[str, str]
    passages: Mapping[str, str] = field(default_factory=dict)
    negatives: Collection[str] = ()

    def clash(self, qid: str, text: str, relevant: Mapping[str, str]) -> str | None:
        """Why a query with these relevant documents (folded text by id) must not be a label, or None."""
        if self.shared_ids and qid in self.ids:
            return f"is also a {self.what} query, of {self.ids[qid]}"
        same = self.texts.get(folded(text))
        if same is not None:
            return f"has the text of {self.what} query {same}"
        for docid, passage in relevant.items():
            if self.strict_documents and docid in self.documents:
                return f"its document {docid} is relevant for {self.what} query {self.documents[docid]} too"
            if passage and passage in self.passages:
                twin = self.passages[passage]
                asked = f"{self.what} query {self.documents[twin]}"
                return f"its document {docid} has the text of {twin}, relevant for {asked}"
        return None


def _sides(apart: Apart) -> list[Side]:
    """The test sets, and what each starting model was trained on."""
    if apart.strict_documents and apart.test_queries and not apart.test_judgements:
        problem = "relevant documents are to be compared, and there are none of the test sets"
        raise UserError("ablation", "test judgements", problem, "give the judgements of every test set")
    queries, documents = _queries(apart.test_queries), _relevant(apart.test_judgements)
    return [Side("test", apart.shared_ids, apart.strict_documents, *queries, documents), *map(_trained, apart.training)]


def _trained(tables: Mapping[str, Any]) -> Side:
    shared, documents = bool(tables["shared_ids"]), _relevant([tables["judgements"]])
    passages = read_passages(tables["documents"], pl.Series(list(documents), dtype=pl.String))
    twins, negatives = {text: docid for docid, text in passages.items()}, set()
    if tables.get("instances") and shared:
        pairs = scan_table(tables["instances"], INSTANCES).filter(pl.col("label") == 0)
        negatives = set(pairs.select(pl.col("pid").unique()).collect(engine="streaming")["pid"])
    return Side("training", shared, shared, *_queries([tables["queries"]]), documents, twins, negatives)


def _queries(paths: Paths) -> tuple[dict[str, str], dict[str, str]]:
    """:attr:`Side.ids` and :attr:`Side.texts` of QUERIES tables."""
    tables = {str(path): read_table(path, QUERIES).select("qid", "text") for path in paths}
    ids = {qid: path for path, table in tables.items() for qid in table["qid"]}
    return ids, {folded(text): qid for table in tables.values() for qid, text in table.iter_rows()}


def _relevant(paths: Paths) -> dict[str, str]:
    """:attr:`Side.documents` of JUDGEMENTS tables."""
    return dict(row for path in paths for row in read_relevant(path).select("docid", "qid").iter_rows())


FREE = Apart()


def sample_queries(
    *,
    queries: str | Path,
    judgements: str | Path,
    documents: str | Path,
    language: str,
    examples: int,
    out: str | Path,
    seed: int = 1,
    held_out: float = 0.0,
    held_out_to: str | Path | None = None,
    apart: Apart = FREE,
) -> dict[str, int]:
    """Write the first ``examples`` labelled queries of a seeded permutation, as QUERIES in that order.

    Eligible are queries with a positive judgement of a document that is there. The place of a query depends on seed,
    language and its id alone, so samples of one seed and language are nested, and so is what is held out of them: of
    every four in order one, with a share of a quarter.

    Args:
        queries: QUERIES of the labelled split.
        judgements: JUDGEMENTS of the labelled split.
        documents: DOCUMENTS of the labelled split.
        language: their language; part of the permutation's key.
        examples: how many queries; 0 writes an empty table.
        out: QUERIES table to write (.parquet).
        seed: of the draw.
        held_out: share to hold out, rounded down.
        held_out_to: QUERIES table of what is held out (.parquet), to choose by.
        apart: queries that :func:`check_no_overlap` would object to are not eligible.

    Returns:
        ``examples``, ``eligible``, and ``left_out``: labelled queries that are too near to a test set or to training.

    Raises:
        UserError: a table is missing or of another schema; fewer queries are eligible than are asked for; a share is
            held out and leaves none on one side.
    """
    if examples < 0:
        raise UserError("ablation sample", "examples", f"{examples}", "give a whole number from 0")
    table = read_table(queries, QUERIES)
    relevant, there = read_relevant(judgements), read_table(documents, DOCUMENTS).select("docid")
    trainable = relevant.join(there, on="docid", how="semi", maintain_order="left")
    labelled = table.join(trainable, on="qid", how="semi", maintain_order="left")
    near = {qid for qid, _ in _clashes(labelled, relevant, documents, _sides(apart))}
    eligible = [qid for qid in labelled["qid"] if qid not in near]
    if examples > len(eligible):
        problem = f"{examples} labelled queries of {language} asked for, {len(eligible)} are eligible"
        problem += f" ({len(near)} more are too near to a test set or to what starts were trained on)" if near else ""
        raise UserError(queries, "", problem, f"ask for at most {len(eligible)}, or set more labels aside")
    chosen = sorted(eligible, key=lambda qid: (derive_seed(seed, "ablation sample", language, qid), qid))[:examples]
    tuned, judged = divide(chosen, held_out)
    for names, path in ((tuned, out), (judged, held_out_to)):
        if path is not None:
            order = pl.DataFrame({"qid": names}, schema={"qid": pl.String})
            write_table(order.join(table, on="qid", how="left", maintain_order="left"), path, QUERIES)
    return {"examples": examples, "eligible": len(eligible), "left_out": len(near)}


def draw_new_queries(
    *,
    queries: str | Path,
    judgements: str | Path,
    out: str | Path,
    held_out_to: str | Path | None,
    overlap: str | Path,
    documents: str | Path,
    apart: Apart,
    **sample: Any,
) -> None:
    """Draw a sample by :func:`sample_queries`; ``overlap`` (JSON) is what :func:`check_no_overlap` says of it."""
    near: dict[str, Any] = {"judgements": judgements, "documents": documents, "apart": apart}
    sample_queries(queries=queries, out=out, held_out_to=held_out_to, **sample, **near)
    samples = {"tuned_on": out} | ({"held_out": held_out_to} if held_out_to is not None else {})
    counts = {side: check_no_overlap(sample=path, **near) for side, path in samples.items()}
    with atomic_path(overlap) as path:
        path.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")


def divide(labelled: Sequence[str], held_out: float) -> tuple[list[str], list[str]]:
    """The labelled queries to tune on and those held out, in order; UserError where a share leaves one side none.

    Of a longer list no query changes sides.
    """
    places = [int((place + 1) * held_out) > int(place * held_out) for place in range(len(labelled))]
    if held_out and labelled and len(set(places)) == 1:
        none = "to tune on" if places[0] else "held out"
        problem = f"{held_out:g} of {len(labelled)} labelled queries leaves none {none}"
        raise UserError("ablation", "held_out", problem, "change the share, or give more examples")
    tuned, held = ([qid for qid, out in zip(labelled, places, strict=True) if out is side] for side in (False, True))
    return tuned, held


def check_no_overlap(
    *, sample: str | Path, judgements: str | Path, apart: Apart, documents: str | Path | None = None
) -> dict[str, int]:
    """Prove that no labelled query is a test or training query, by id and by text (caseless, white space folded).

    Args:
        sample: QUERIES, the labelled queries.
        judgements: JUDGEMENTS of the labelled split.
        apart: the test sets and the training.
        documents: DOCUMENTS of the labelled split; needed to compare with those of training.

    Returns:
        Numbers of different ids: of queries and relevant documents of each side, ``shared_documents`` with the test
        sets, and ``trained_as_negatives``: relevant documents that training pairs hold as not relevant to another.

    Raises:
        UserError: naming the first labelled query that overlaps; or there are no test queries to compare with.
    """
    tested, *trained = _sides(apart)
    if not tested.ids:
        raise UserError("ablation overlap", "test queries", "none", "give the queries of every test set")
    if trained and documents is None:
        todo = "give the documents of the labelled split"
        raise UserError("ablation overlap", "documents", "none to compare with those of training", todo)
    labelled = read_table(sample, QUERIES)
    relevant = read_relevant(judgements).join(labelled, on="qid", how="semi", maintain_order="left")
    clash = next(_clashes(labelled, relevant, documents, [tested, *trained]), None)
    if clash is not None:
        todo = "leave it out: sample again with the test sets and the training tables named"
        raise UserError(sample, f"query {clash[0]}", clash[1], todo)
    answers = set(relevant["docid"])
    return {
        "labelled_queries": labelled["qid"].n_unique(),
        "test_queries": len(tested.ids),
        "relevant_documents": len(answers),
        "test_relevant_documents": len(tested.documents),
        "shared_documents": len(answers & tested.documents.keys()),
        "training_queries": len({(side.shared_ids, qid) for side in trained for qid in side.ids}),
        "training_relevant_documents": len({(side.shared_ids, docid) for side in trained for docid in side.documents}),
        "trained_as_negatives": len(answers & {docid for side in trained for docid in side.negatives}),
    }


def _clashes(
    labelled: pl.DataFrame, relevant: pl.DataFrame, documents: str | Path | None, sides: Sequence[Side]
) -> Iterator[tuple[str, str]]:
    """Labelled queries that overlap with a side, in order, and why; passages are compared where a side knows some."""
    passages: dict[str, str] = {}
    if documents is not None and any(side.passages for side in sides):
        passages = read_passages(documents, relevant["docid"])
    answers: dict[str, dict[str, str]] = {}
    for qid, docid in relevant.select("qid", "docid").iter_rows():
        answers.setdefault(qid, {})[docid] = passages.get(docid, "")
    for qid, text in labelled.select("qid", "text").iter_rows():
        problems = (side.clash(qid, text, answers.get(qid, {})) for side in sides)
        problem = next(filter(None, problems), None)
        if problem is not None:
            yield qid, problem
