"""``switchrank ablation``: make a table of settings, draw and check its labelled queries, make its result tables."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from switchrank.ablation.rows import expand_rows, read_ablation, table_text, write_ablation
from switchrank.core.errors import UserError
from switchrank.core.outputs import writes

_Commands = argparse._SubParsersAction


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands ``grid``, ``sample``, ``overlap``, ``table``, ``curve`` and ``equivalence``."""
    commands = parser.add_subparsers(dest="ablation_command", metavar="COMMAND", required=True)
    _register_grid(commands)
    _register_sample(commands)
    _register_overlap(commands)
    _register_table(commands)
    _register_curve(commands)
    _register_equivalence(commands)


def _add(commands: _Commands[argparse.ArgumentParser], name: str, about: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=about, description=about[0].upper() + about[1:] + ".")


def _register_grid(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "grid", "write an ablation table with every combination of the axes")
    command.add_argument("--starts", nargs="+", required=True, help="systems to start from; none: the initial model")
    command.add_argument("--languages", nargs="+", required=True, help="languages of the labelled queries")
    command.add_argument("--examples", nargs="+", type=int, required=True, help="numbers of labelled queries")
    command.add_argument("--seeds", nargs="+", type=int, required=True, help="seeds")
    command.add_argument("--out", help="file to write (.tsv; default: standard output)")
    writes(command, "out")
    command.set_defaults(run=_grid)


def _tests(command: argparse.ArgumentParser, required: bool) -> None:
    command.add_argument("--test-queries", nargs="+", default=[], required=required, help="QUERIES of the test sets")
    command.add_argument("--test-judgements", nargs="+", default=[], help="JUDGEMENTS of the test sets")
    command.add_argument(
        "--strict-documents", action="store_true", help="no document may be relevant on both sides either"
    )
    for name, what in (("queries", "QUERIES"), ("judgements", "JUDGEMENTS"), ("documents", "DOCUMENTS")):
        command.add_argument(
            f"--train-{name}", nargs="+", default=[], help=f"{what} that starts were trained on, in the same order"
        )
    command.add_argument(
        "--train-own-ids", action="store_true", help="ids of theirs are unrelated to those of the labelled split"
    )
    command.add_argument(
        "--own-ids", action="store_true", help="query ids of the two sides are unrelated: compare texts alone"
    )


def _register_sample(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "sample", "draw a nested sample of the labelled queries of one language")
    for name, what in (("queries", "QUERIES"), ("judgements", "JUDGEMENTS"), ("documents", "DOCUMENTS")):
        command.add_argument(f"--{name}", required=True, help=f"{what} of the labelled split")
    command.add_argument("--language", required=True, help="their language")
    command.add_argument("--examples", type=int, required=True, help="how many queries")
    command.add_argument("--seed", type=int, default=1, help="of the draw (default: %(default)s)")
    command.add_argument("--held-out", type=float, default=0.0, help="share to hold out (default: %(default)s)")
    command.add_argument("--held-out-to", help="QUERIES table of what is held out (.parquet)")
    _tests(command, required=False)
    command.add_argument("--out", required=True, help="QUERIES table to write (.parquet)")
    writes(command, "out", "held_out_to")
    command.set_defaults(run=_sample)


def _register_overlap(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "overlap", "prove that labelled queries are no test queries; print counts as JSON")
    command.add_argument("--sample", required=True, help="QUERIES, the labelled queries")
    command.add_argument("--judgements", required=True, help="JUDGEMENTS of the labelled split")
    command.add_argument("--documents", help="DOCUMENTS of the labelled split; needed with --train-queries")
    _tests(command, required=True)
    command.set_defaults(run=_overlap)


def _scores(command: argparse.ArgumentParser) -> None:
    command.add_argument("--rows", required=True, help="the ablation table (.tsv)")
    command.add_argument(
        "--per-query", nargs="+", required=True, help="PER_QUERY tables in which each row's id is a system"
    )
    command.add_argument("--out", required=True, help="table to write (.csv)")
    writes(command, "out")


def _bootstrap(command: argparse.ArgumentParser) -> None:
    command.add_argument("--resamples", type=int, default=2000, help="of the bootstrap (default: %(default)s)")
    command.add_argument("--seed", type=int, default=1, help="of the bootstrap (default: %(default)s)")


def _register_table(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "table", "make ablation.csv: one value per row, test pair and metric")
    _scores(command)
    command.add_argument("--records", nargs="*", default=[], help="the train.json of every tuned model")
    command.set_defaults(run=_table)


def _register_curve(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "curve", "mean and bootstrap band over the number of labelled queries")
    _scores(command)
    command.add_argument("--metric", help="only this metric")
    _bootstrap(command)
    command.set_defaults(run=_curve)


def _register_equivalence(commands: _Commands[argparse.ArgumentParser]) -> None:
    command = _add(commands, "equivalence", "how many labelled queries a start needs to reach another without any")
    _scores(command)
    command.add_argument("--reference", required=True, help="start to be reached, such as ml-cs")
    command.add_argument("--starts", nargs="+", required=True, help="starts that are to reach it, such as zero-shot")
    command.add_argument("--metric", default="mrr@10", help="which metric (default: %(default)s)")
    _bootstrap(command)
    command.set_defaults(run=_equivalence)


def _grid(given: argparse.Namespace) -> None:
    rows = expand_rows(starts=given.starts, languages=given.languages, examples=given.examples, seeds=given.seeds)
    if given.out is None:
        sys.stdout.write(table_text(rows))
    else:
        write_ablation(rows, given.out)


def _comparison(given: argparse.Namespace) -> dict[str, Any]:
    return {
        "test_queries": given.test_queries,
        "test_judgements": given.test_judgements,
        "strict_documents": given.strict_documents,
        "shared_ids": not given.own_ids,
        "documents": given.documents,
        "training": _training(given),
    }


def _training(given: argparse.Namespace) -> list[dict[str, Any]]:
    kinds = ("queries", "judgements", "documents")
    paths = [getattr(given, f"train_{kind}") for kind in kinds]
    if len({len(named) for named in paths}) > 1:
        counts = ", ".join(f"{len(named)} {kind}" for named, kind in zip(paths, kinds, strict=True))
        raise UserError("command line", "--train-queries", counts, "give as many of each, in the same order")
    shared = {"shared_ids": not given.train_own_ids}
    return [dict(zip(kinds, tables, strict=True)) | shared for tables in zip(*paths, strict=True)]


def _sample(given: argparse.Namespace) -> None:
    from switchrank.ablation.sample import sample_queries

    counts = sample_queries(
        queries=given.queries,
        judgements=given.judgements,
        examples=given.examples,
        seed=given.seed,
        language=given.language,
        out=given.out,
        held_out=given.held_out,
        held_out_to=given.held_out_to,
        **_comparison(given),
    )
    print(json.dumps(counts))


def _overlap(given: argparse.Namespace) -> None:
    from switchrank.ablation.sample import check_no_overlap

    print(json.dumps(check_no_overlap(sample=given.sample, judgements=given.judgements, **_comparison(given))))


def _scored(given: argparse.Namespace) -> dict[str, Any]:
    rows = read_ablation(given.rows, languages=None, systems=None)
    return {"per_query": given.per_query, "rows": [asdict(row) for row in rows], "out": given.out}


def _table(given: argparse.Namespace) -> None:
    from switchrank.ablation.table import ablation_table

    ablation_table(**_scored(given), records=given.records)


def _curve(given: argparse.Namespace) -> None:
    from switchrank.ablation.curve import curve_table

    curve_table(**_scored(given), metric=given.metric, resamples=given.resamples, seed=given.seed)


def _equivalence(given: argparse.Namespace) -> None:
    from switchrank.ablation.equivalence import equivalence_table

    equivalence_table(
        **_scored(given),
        reference=given.reference,
        starts=given.starts,
        metric=given.metric,
        resamples=given.resamples,
        seed=given.seed,
    )
