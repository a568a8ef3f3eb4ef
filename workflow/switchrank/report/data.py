"""What the pictures read: the rows of one test set and metric, in a fixed order, with unseen languages known.

Order is part of the message: the source language first, then languages seen in training, then unseen ones; the
baseline before the other systems; reference rows (``random``, ``bm25``) apart from both.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.languages import Languages, setup, starred
from switchrank.formats.tables import PER_QUERY, SIGNIFICANCE, read_table, scan_table
from switchrank.report.drawing import Looks, system_looks

REFERENCES = ("random", "bm25")
"""Rows that are no trained system: drawn muted, never compared with the baseline."""
SETUPS = {
    "moir": "MoIR: query and documents in the same language",
    "clir": "CLIR: query and documents in different languages",
    "mlir": "MLIR: several languages mixed on one side or both",
}
PAIR = ["query_lang", "doc_lang"]


@dataclass(frozen=True)
class Plot:
    """What a picture is of, and where it goes.

    Attributes:
        testset: name of the test set.
        out: the SVG.
        baseline: drawn in black; other systems are compared with it.
        systems: all systems of the run in their order, so that colours agree between pictures.
        table: CSV to write the numbers of the picture to.
    """

    testset: str
    out: str | Path
    baseline: str = "zero-shot"
    systems: Sequence[str] = ()
    table: str | Path | None = None

    def looks(self, found: Iterable[str]) -> Looks:
        """The looks of the systems ``found``, the baseline first, names listed nowhere last. Colours go by place among
        all systems of the run, so that a system looks the same in pictures that show different ones."""
        known = dict.fromkeys([*self.systems, *found])
        looks, wanted = system_looks(list(known), self.baseline), set(found)
        return {name: looks[name] for name in sorted(known, key=lambda name: name != self.baseline) if name in wanted}

    @property
    def labels(self) -> dict[str, str]:
        """The columns that say what all numbers are of."""
        return {"testset": self.testset}

    def write(self, numbers: pl.DataFrame, columns: Sequence[str]) -> None:
        """Write the labels and ``columns`` of the numbers, where a table of them is wanted."""
        if self.table is not None:
            labels = {name: pl.lit(value) for name, value in self.labels.items()}
            with atomic_path(self.table) as temporary:
                numbers.with_columns(**labels).select(*labels, *columns).write_csv(temporary)


@dataclass(frozen=True)
class MetricPlot(Plot):
    """A picture of a metric.

    Attributes:
        metric: which metric.
    """

    metric: str = "mrr@10"

    @property
    def labels(self) -> dict[str, str]:
        return {"testset": self.testset, "metric": self.metric}

    @property
    def title(self) -> str:
        """``MRR@10 on world``."""
        return f"{self.metric.upper()} on {self.testset}"


@dataclass(frozen=True)
class Pair:
    """A row of a picture: languages of queries and documents, and which of the two was in training."""

    query: str
    document: str
    setup: str
    seen: str

    @property
    def label(self) -> str:
        """``de-fr*``: an asterisk follows each language that was not in training."""
        unseen = (self.seen not in ("both", "query"), self.seen not in ("both", "document"))
        return f"{starred(self.query, unseen[0])}-{starred(self.document, unseen[1])}"


def pairs_of(frame: pl.DataFrame, languages: Languages) -> list[Pair]:
    """The pairs of a METRICS frame: by setup, pairs with an unseen language last, then by language."""

    def rank(pair: Pair) -> tuple[int, bool, int, int, str, str]:
        setup = list(SETUPS).index(pair.setup) if pair.setup in SETUPS else len(SETUPS)
        places = languages.place(pair.query), languages.place(pair.document)
        return setup, pair.seen != "both", *places, pair.query, pair.document

    return sorted({Pair(*row) for row in frame.select(*PAIR, "setup", "seen").iter_rows()}, key=rank)


def with_pairs(frame: pl.DataFrame, languages: Languages) -> pl.DataFrame:
    """``frame`` (columns query_lang, doc_lang) with ``setup`` and ``seen`` of each row, for :func:`pairs_of`.

    For tables that do not carry the two. A mixed side counts as seen: which languages it mixes is not in the table.
    """
    unseen, seen = set(languages.unseen), {(0, 0): "both", (0, 1): "query", (1, 0): "document", (1, 1): "none"}
    pairs = frame.select(PAIR).unique().rows()
    rows = [
        (query, document, setup(query, document), seen[query in unseen, document in unseen])
        for query, document in pairs
    ]
    known = pl.DataFrame(rows, [*PAIR, "setup", "seen"], orient="row")
    return frame.join(known, on=PAIR, how="left", maintain_order="left")


def unseen_in(metrics: pl.DataFrame) -> set[str]:
    """The languages of METRICS rows that were not in training."""
    queries = metrics.filter(pl.col("seen").is_in(["document", "none"]))["query_lang"]
    documents = metrics.filter(pl.col("seen").is_in(["query", "none"]))["doc_lang"]
    return {*queries, *documents}


def systems_of(frame: pl.DataFrame, baseline: str) -> tuple[list[str], list[str]]:
    """Trained systems (baseline first, then in table order) and the reference rows present, in table order."""
    found = frame["system"].unique(maintain_order=True).to_list()
    systems = [name for name in found if name not in REFERENCES]
    return sorted(systems, key=lambda name: name != baseline), [name for name in found if name in REFERENCES]


def pick(frame: pl.DataFrame, path: str | Path, **wanted: str) -> pl.DataFrame:
    """The rows whose columns equal ``wanted``, checked one column at a time.

    Where nothing is left, a UserError names the first column at fault and the values there are.
    """
    for column, value in wanted.items():
        rows = frame.filter(pl.col(column) == value)
        if rows.is_empty():
            known = ", ".join(frame[column].unique(maintain_order=True).cast(pl.String).to_list()[:20])
            todo = f"choose one of: {known}" if known else "the table is empty: run the stage that makes it"
            raise UserError(path, column, f"no row with {column} {value!r}", todo)
        frame = rows
    return frame


def gain_rows(path: str | Path, plot: MetricPlot) -> pl.DataFrame:
    """SIGNIFICANCE rows of what is drawn, against its baseline, in table order; of several tests, the first one's."""
    table = read_table(path, SIGNIFICANCE)
    first = table.filter(pl.col("test") == table["test"].first())
    return pick(first, path, **plot.labels, baseline=plot.baseline)


def query_rows(path: str | Path, plot: MetricPlot) -> pl.DataFrame:
    """PER_QUERY values of what is drawn, averaged over seeds: system, query_lang, doc_lang, qid, value.

    Only the wanted rows are read: the table holds every query of every run.
    """
    frame = scan_table(path, PER_QUERY).filter(**plot.labels).collect()
    if frame.is_empty():
        raise UserError(path, "", f"no rows of test set {plot.testset!r} and metric {plot.metric!r}", "rerun evaluate")
    keys = ["system", *PAIR, "qid"]
    return frame.group_by(keys).agg(pl.col("value").mean()).sort(keys)
