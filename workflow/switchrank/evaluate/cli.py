"""``switchrank evaluate``: score runs, measure language bias, make the tables, show the main one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.evaluate import analysis_cli

_RUNS_HELP = """\
JSON list of runs: [{"path": "de-en/seed1.trec", "system": "ml-cs", "query_lang": "de", "doc_lang": "en", "seed": 1}]"""

_BIAS_HELP = """\
rank_distance        largest minus smallest rank among a query's relevant documents, over languages (union pools)
own_language_top10   share of the query's own language among its ten best documents
own_language_pool    that share in its whole list: what no preference would give
rankc                how alike the same query, asked in two languages, ranks the same documents (1: the same)

examples:
  # a union pool, made by switchrank rank pool join
  switchrank evaluate bias --runs runs.json --testset xquad-all --documents union/draw.parquet \\
      --judgements union/judgements.parquet --out bias.csv

  # a drawn pool with drawn queries, made by switchrank rank pool draw
  switchrank evaluate bias --runs runs.json --testset world-mlir6 --documents documents.draw.parquet \\
      --queries queries.draw.parquet --out bias.csv

  # no pool: rankc alone
  switchrank evaluate bias --runs runs.json --testset world --out bias.csv
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands ``score``, ``bias``, ``tables``, ``show``, and those of the analyses."""
    commands = parser.add_subparsers(dest="evaluate_command", metavar="COMMAND", required=True)
    _register_score(commands)
    _register_bias(commands)
    _register_tables(commands)
    analysis_cli.register(commands)
    _register_show(commands)


def _register_score(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "score the TREC runs of one test set per query"
    command = commands.add_parser("score", help=about, description=about.capitalize() + ".")
    command.add_argument("--runs", required=True, help=_RUNS_HELP)
    command.add_argument(
        "--judgements", nargs="+", required=True, metavar="LANG=TABLE", help="JUDGEMENTS of each document language"
    )
    command.add_argument("--testset", required=True, help="name of the test set")
    command.add_argument(
        "--metrics", nargs="+", default=["mrr@10", "ndcg@10", "map", "recall@100"], help="default: %(default)s"
    )
    command.add_argument("--out", required=True, help="PER_QUERY table to write (.parquet)")
    writes(command, "out")
    command.set_defaults(run=_score)


def _register_bias(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "measure how the systems treat the languages of a test set"
    command = commands.add_parser(
        "bias",
        help=about,
        description=about.capitalize() + ".",
        epilog=_BIAS_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("--runs", required=True, help=f"{_RUNS_HELP}; mixed sides are in xx")
    command.add_argument("--testset", required=True, help="name of the test set")
    command.add_argument("--documents", help="DRAW of the mixed documents; needed for runs whose documents are in xx")
    command.add_argument("--queries", help="DRAW of the mixed queries; needed for runs whose queries are in xx too")
    command.add_argument("--judgements", help="JUDGEMENTS of a union pool, for rank_distance; none for a drawn pool")
    command.add_argument("--depth", type=int, help="candidates rankc looks at, at most (default: all)")
    command.add_argument("--out", required=True, help="BIAS table to write (.csv or .parquet)")
    writes(command, "out")
    command.set_defaults(run=_bias)


def _register_tables(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "make metrics.csv, per_query.parquet, significance.csv and effects.csv from the scores of all test sets"
    command = commands.add_parser("tables", help=about, description=about[0].upper() + about[1:] + ".")
    command.add_argument("--per-query", nargs="+", required=True, help="one PER_QUERY table per test set")
    command.add_argument("--run-name", required=True, help="name of the run")
    command.add_argument("--source", default="en", help="language of the training data (default: %(default)s)")
    command.add_argument("--seen", nargs="*", default=[], help="languages that code-switching used")
    command.add_argument("--unseen", nargs="*", default=[], help="languages that are only tested on")
    command.add_argument(
        "--mixed", nargs="*", default=[], metavar="TESTSET=L1,L2", help="languages of the xx sides of a test set"
    )
    command.add_argument("--baseline", default="zero-shot", help="system all others are tested against")
    command.add_argument(
        "--same",
        nargs="*",
        default=[],
        metavar="SYSTEM=TESTSET/PAIR",
        help="runs that are the baseline's own, as zero-shot-tt=world/en-en: shown, and in no family of tests",
    )
    command.add_argument("--systems", nargs="*", default=[], help="order of systems in the tables")
    command.add_argument("--tested", nargs="+", default=["mrr@10"], help="metrics tested (default: %(default)s)")
    _register_statistics(command)
    command.add_argument("--out", required=True, help="folder for the four tables")
    writes(command, files=lambda given: _tables_in(given.out))
    command.set_defaults(run=_tables)


def _register_statistics(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--tests",
        nargs="+",
        choices=["t", "fisher"],
        default=["t"],
        help="paired t-test and randomisation test, the first gives the marks (default: t)",
    )
    command.add_argument(
        "--families",
        choices=["setup", "testset", "run"],
        default="setup",
        help="corrected together: one test set and setup, one test set, or everything (default: %(default)s)",
    )
    command.add_argument(
        "--correction", choices=["holm", "bonferroni", "none"], default="holm", help="for multiple tests"
    )
    command.add_argument("--alpha", type=float, default=0.05, help="level of significance (default: %(default)s)")
    command.add_argument(
        "--permutations", type=int, default=100_000, help="of the randomisation test (default: %(default)s)"
    )
    command.add_argument("--resamples", type=int, default=10_000, help="of the bootstrap (default: %(default)s)")
    command.add_argument("--seed", type=int, default=0, help="of permutations and resamples (default: %(default)s)")


def _register_show(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    about = "print the main table of a run"
    command = commands.add_parser("show", help=about, description=about.capitalize() + ".")
    tables = "folder with metrics.csv, significance.csv and, where there is one, warnings.csv"
    command.add_argument("--tables", required=True, help=tables)
    command.add_argument("--metric", default="mrr@10", help="which metric (default: %(default)s)")
    command.add_argument("--width", type=int, default=100, help="columns of the terminal (default: %(default)s)")
    command.set_defaults(run=_show)


def _pairs(words: list[str], flag: str) -> list[tuple[str, str]]:
    pairs = [word.partition("=") for word in words]
    for name, equals, value in pairs:
        if not (name and equals and value):
            raise UserError("switchrank evaluate", flag, f"'{name}{equals}{value}'", "write name=value")
    return [(name, value) for name, _, value in pairs]


def _assignments(words: list[str], flag: str) -> dict[str, str]:
    return dict(_pairs(words, flag))


def _same(system: str, where: str) -> list[str]:
    testset, slash, pair = where.rpartition("/")
    query, dash, document = pair.partition("-")
    if not (testset and slash and query and dash and document):
        raise UserError("switchrank evaluate", "--same", f"'{system}={where}'", "write system=testset/query-document")
    return [system, testset, query, document]


def _read_runs(path: str) -> list[dict[str, Any]]:
    return analysis_cli.read_list(path, {"path", "system", "query_lang", "doc_lang", "seed"})


def _score(given: argparse.Namespace) -> None:
    from switchrank.evaluate.score import evaluate_testset

    evaluate_testset(
        runs=_read_runs(given.runs),
        judgements=dict(_assignments(given.judgements, "--judgements")),
        testset=given.testset,
        metrics=given.metrics,
        out=given.out,
    )


def _bias(given: argparse.Namespace) -> None:
    from switchrank.evaluate.bias import bias_table

    names = ("documents", "queries", "judgements")
    pool = {name: getattr(given, name) for name in names if getattr(given, name) is not None}
    bias_table(
        runs=[{**run, "testset": given.testset} for run in _read_runs(given.runs)],
        pools={given.testset: pool} if pool else {},
        out=given.out,
        depth=given.depth,
    )


def _tables_in(folder: str) -> list[Path]:
    return [Path(folder, name) for name in ("metrics.csv", "per_query.parquet", "significance.csv", "effects.csv")]


def _tables(given: argparse.Namespace) -> None:
    from switchrank.evaluate.tables import make_tables

    metrics, per_query, significance, effects = _tables_in(given.out)
    make_tables(
        per_query=given.per_query,
        run=given.run_name,
        languages={"source": given.source, "seen": given.seen, "unseen": given.unseen},
        mixed={name: members.split(",") for name, members in _assignments(given.mixed, "--mixed").items()},
        baseline=given.baseline,
        same=[_same(system, where) for system, where in _pairs(given.same, "--same")],
        systems=given.systems,
        tested=given.tested,
        tests=given.tests,
        families=given.families,
        correction=given.correction,
        alpha=given.alpha,
        permutations=given.permutations,
        resamples=given.resamples,
        seed=given.seed,
        metrics_out=metrics,
        per_query_out=per_query,
        significance_out=significance,
        effects_out=effects,
    )


def _show(given: argparse.Namespace) -> None:
    from switchrank.evaluate.summary import main_table
    from switchrank.formats.warnings import warning_lines

    folder = Path(given.tables)
    print(main_table(folder / "metrics.csv", folder / "significance.csv", given.metric, given.width), end="")
    print("".join(f"\n{line}\n" for line in warning_lines(folder / "warnings.csv")), end="")
