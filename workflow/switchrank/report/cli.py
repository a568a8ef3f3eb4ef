"""``switchrank report``: pictures, tables and switched sentences from finished tables, without Snakemake."""

from __future__ import annotations

import argparse

from switchrank.core.outputs import writes
from switchrank.report.picture_cli import named, register_pictures

_EXAMPLES = """\
examples, in the folder of a finished run:
  switchrank report pictures mrr --metrics tables/metrics.csv --per-query tables/per_query.parquet \\
      --significance tables/significance.csv --testset world --source en --seen qaa qab --unseen qad --out mrr.svg
  switchrank report pictures ablation --ablation tables/ablation.csv --curve tables/ablation_curve.csv \\
      --equivalence tables/equivalence.csv --testset world --seen qaa qab --unseen qad --out ablation.svg
  switchrank report pictures sweep --sweep tables/sweep.csv --testset world --out sweep.svg
  switchrank report table --table tables/lexicon_quality.csv --title "Lexicon quality" --out quality.html
  switchrank report sentences --source corpora/english/en-en/train-00000.parquet \\
      --corpus ml-cs=corpora/ml-cs/xx-xx/train-00000.parquet --lexicon qaa=lexicons/clwe/en-qaa.parquet \\
      --languages qaa qab --out sentences.html
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``pictures``, ``table`` and ``sentences``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    items = parser.add_subparsers(dest="item", metavar="{pictures,table,sentences}", required=True)
    register_pictures(items)
    _register_table(items.add_parser("table", help="a table as sortable, searchable HTML, or as TSV"))
    _register_sentences(items.add_parser("sentences", help="switched sentences in colour"))


def _register_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--table", required=True, help="a .csv or .parquet table")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE", help="keep only such rows")
    parser.add_argument("--title", default="", help="title of the HTML page (default: by the table's name)")
    parser.add_argument("--note", default="", help="a line under the table (default: by the table's name)")
    parser.add_argument("--unseen", nargs="*", default=[], metavar="LANG", help="languages marked with *")
    parser.add_argument("--out", required=True, help="what to write: .html or .tsv")
    writes(parser, "out")
    parser.set_defaults(run=_table)


def _table(arguments: argparse.Namespace) -> None:
    from switchrank.report.tables import html_table, tsv_table

    where = named(arguments.where, "--where")
    if arguments.out.endswith(".tsv"):
        tsv_table(table=arguments.table, out=arguments.out, where=where)
        return
    html_table(
        table=arguments.table,
        out=arguments.out,
        title=arguments.title,
        note=arguments.note,
        where=where,
        unseen=arguments.unseen,
    )


def _register_sentences(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", required=True, help="a train shard of the English corpus")
    shards = "the shard of the same number of a switched corpus; repeat for more corpora"
    parser.add_argument("--corpus", action="append", required=True, metavar="NAME=PATH", help=shards)
    parser.add_argument("--lexicon", action="append", default=[], metavar="LANG=PATH", help="tells words' languages")
    parser.add_argument("--languages", nargs="+", required=True, metavar="LANG", help="languages of the legend")
    parser.add_argument("--rtl", nargs="*", default=[], metavar="LANG", help="those written from right to left")
    parser.add_argument("--limit", type=int, default=5, help="instances shown (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default: %(default)s)")
    parser.add_argument("--out", required=True, help="the HTML page")
    writes(parser, "out")
    parser.set_defaults(run=_sentences)


def _sentences(arguments: argparse.Namespace) -> None:
    from switchrank.report.sentences import switched_sentences

    corpora = [{"corpus": name, "path": path} for name, path in named(arguments.corpus, "--corpus").items()]
    switched_sentences(
        corpora=corpora,
        source=arguments.source,
        languages=arguments.languages,
        rtl=arguments.rtl,
        limit=arguments.limit,
        seed=arguments.seed,
        lexicons=named(arguments.lexicon, "--lexicon"),
        out=arguments.out,
    )
