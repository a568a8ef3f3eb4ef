"""``switchrank ablation``: make a table of settings, draw and check its labelled queries, make its result tables."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_path
from switchrank.core.command import ANY_NUMBER, Command, Group, print_json
from switchrank.core.errors import UserError


@dataclass(frozen=True)
class Others:
    """The queries that labelled ones must not overlap with.

    Attributes:
        test_queries: QUERIES of the test sets.
        test_judgements: JUDGEMENTS of the test sets.
        strict_documents: no document may be relevant on both sides either.
        own_ids: query ids of the two sides are unrelated: compare texts alone.
        train_queries: QUERIES that starts were trained on.
        train_judgements: their JUDGEMENTS, in the same order.
        train_documents: their DOCUMENTS, in the same order.
        train_own_ids: their ids are unrelated to those of the labelled split.
    """

    test_queries: Sequence[str] = ()
    test_judgements: Sequence[str] = ()
    strict_documents: bool = False
    own_ids: bool = False
    train_queries: Sequence[str] = ()
    train_judgements: Sequence[str] = ()
    train_documents: Sequence[str] = ()
    train_own_ids: bool = False


def _apart(given: Others) -> Any:
    from switchrank.ablation.sample import Apart

    kinds = ("queries", "judgements", "documents")
    paths = [given.train_queries, given.train_judgements, given.train_documents]
    if len({len(named) for named in paths}) > 1:
        counts = ", ".join(f"{len(named)} {kind}" for named, kind in zip(paths, kinds, strict=True))
        raise UserError("command line", "--train-queries", counts, "give as many of each, in the same order")
    shared = {"shared_ids": not given.train_own_ids}
    return Apart(
        test_queries=given.test_queries,
        test_judgements=given.test_judgements,
        strict_documents=given.strict_documents,
        shared_ids=not given.own_ids,
        training=[dict(zip(kinds, tables, strict=True)) | shared for tables in zip(*paths, strict=True)],
    )


def grid(
    *,
    starts: Sequence[str],
    languages: Sequence[str],
    examples: Sequence[int],
    seeds: Sequence[int],
    out: str | Path | None = None,
) -> None:
    """Write an ablation table with every combination of the axes.

    Args:
        starts: systems to start from; none: the initial model.
        languages: languages of the labelled queries.
        examples: numbers of labelled queries.
        seeds: seeds.
        out: file to write (.tsv; default: standard output).
    """
    from switchrank.ablation.rows import expand_rows, table_text

    text = table_text(expand_rows(starts=starts, languages=languages, examples=examples, seeds=seeds))
    if out is None:
        sys.stdout.write(text)
    else:
        with atomic_path(out) as path:
            path.write_text(text, encoding="utf-8")


def _rows(path: str) -> list[Any]:
    from switchrank.ablation.rows import read_ablation

    return list(read_ablation(path, languages=None, systems=None))


COMMANDS = Group(
    {
        "grid": Command(grid),
        "sample": Command(
            "ablation.sample:sample_queries",
            "draw a nested sample of the labelled queries of one language",
            writes=["out", "held_out_to"],
            reads={"apart": _apart},
            shown=print_json,
        ),
        "overlap": Command(
            "ablation.sample:check_no_overlap",
            "prove that labelled queries are no test queries; print counts as JSON",
            reads={"apart": _apart},
            needs=["test_queries"],
            shown=print_json,
        ),
        "table": Command(
            "ablation.curves:ablation_table",
            "make ablation.csv: one value per row, test pair and metric",
            counts={"records": ANY_NUMBER},
            reads={"rows": _rows},
        ),
        "curve": Command(
            "ablation.curves:curve_table",
            "mean and bootstrap band over the number of labelled queries",
            reads={"rows": _rows},
        ),
        "equivalence": Command(
            "ablation.curves:equivalence_table",
            "how many labelled queries a start needs to reach another without any",
            reads={"rows": _rows},
        ),
    }
)
