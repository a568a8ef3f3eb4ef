"""``switchrank report``: pictures, tables and switched sentences from finished tables, without Snakemake."""

from __future__ import annotations

import argparse
from typing import Any

from switchrank.errors import UserError

_EXAMPLES = """\
examples, in the folder of a finished run:
  switchrank report pictures mrr --metrics tables/metrics.csv --per-query tables/per_query.parquet \\
      --significance tables/significance.csv --testset world --source en --seen qaa qab --unseen qad --out mrr.svg
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
    pictures = items.add_parser("pictures", help="SVG pictures: mrr, gain, lexicon, loss")
    kinds = pictures.add_subparsers(dest="picture", metavar="{mrr,gain,lexicon,loss}", required=True)
    _register_mrr(kinds.add_parser("mrr", help="a metric per pair and system with confidence intervals"))
    _register_gain(kinds.add_parser("gain", help="gain over the baseline, query by document language"))
    _register_lexicon(kinds.add_parser("lexicon", help="P@1, P@5 and coverage of the lexicons"))
    _register_loss(kinds.add_parser("loss", help="training loss and development score by step"))
    _register_table(items.add_parser("table", help="a table as sortable, searchable HTML, or as TSV"))
    _register_sentences(items.add_parser("sentences", help="switched sentences in colour"))


def _add_languages(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", default="en", help="source language (default: %(default)s)")
    parser.add_argument("--seen", nargs="*", default=[], metavar="LANG", help="languages seen in training")
    parser.add_argument("--unseen", nargs="*", default=[], metavar="LANG", help="languages not seen: marked with *")


def _add_scores(parser: argparse.ArgumentParser, *, tested: bool) -> None:
    parser.add_argument("--metrics", required=True, help="tables/metrics.csv")
    parser.add_argument("--significance", required=tested, help="tables/significance.csv")
    parser.add_argument("--testset", required=True, help="name of the test set")
    parser.add_argument("--metric", default="mrr@10", help="default: %(default)s")
    parser.add_argument("--baseline", default="zero-shot", help="system compared with (default: %(default)s)")
    _add_languages(parser)


def _languages(arguments: argparse.Namespace) -> dict[str, Any]:
    return {"source": arguments.source, "seen": arguments.seen, "unseen": arguments.unseen}


def _named(words: list[str], flag: str) -> dict[str, str]:
    """``NAME=PATH`` words as a dict in their order."""
    for word in words:
        if not all(word.partition("=")):
            raise UserError("switchrank report", flag, f"{word!r}", "write NAME=PATH")
    return {name: path for name, _, path in (word.partition("=") for word in words)}


def _register_mrr(parser: argparse.ArgumentParser) -> None:
    _add_scores(parser, tested=False)
    parser.add_argument("--per-query", required=True, help="tables/per_query.parquet")
    parser.add_argument("--table", help="CSV to write the numbers of the picture to")
    parser.add_argument("--samples", type=int, default=1000, help="bootstrap resamples (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the resamples (default: %(default)s)")
    parser.add_argument("--out", required=True, help="the SVG")
    parser.set_defaults(run=_mrr)


def _mrr(arguments: argparse.Namespace) -> None:
    from switchrank.report.mrr import mrr_picture

    mrr_picture(
        metrics=arguments.metrics,
        per_query=arguments.per_query,
        significance=arguments.significance,
        testset=arguments.testset,
        languages=_languages(arguments),
        metric=arguments.metric,
        baseline=arguments.baseline,
        table=arguments.table,
        samples=arguments.samples,
        seed=arguments.seed,
        out=arguments.out,
    )


def _register_gain(parser: argparse.ArgumentParser) -> None:
    _add_scores(parser, tested=True)
    parser.add_argument("--system", required=True, help="the system whose gain is drawn")
    parser.add_argument("--out", required=True, help="the SVG")
    parser.set_defaults(run=_gain)


def _gain(arguments: argparse.Namespace) -> None:
    from switchrank.report.gain import gain_heatmap

    gain_heatmap(
        metrics=arguments.metrics,
        significance=arguments.significance,
        system=arguments.system,
        testset=arguments.testset,
        languages=_languages(arguments),
        metric=arguments.metric,
        baseline=arguments.baseline,
        out=arguments.out,
    )


def _register_lexicon(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quality", required=True, help="tables/lexicon_quality.csv")
    _add_languages(parser)
    parser.add_argument("--out", required=True, help="the SVG")
    parser.set_defaults(run=_lexicon)


def _lexicon(arguments: argparse.Namespace) -> None:
    from switchrank.report.lexicon import lexicon_picture

    lexicon_picture(quality=arguments.quality, languages=_languages(arguments), out=arguments.out)


def _register_loss(parser: argparse.ArgumentParser) -> None:
    records = "a train.json; repeat for more models"
    parser.add_argument("--model", action="append", required=True, metavar="SYSTEM=PATH", help=records)
    parser.add_argument("--baseline", default="zero-shot", help="drawn in black (default: %(default)s)")
    parser.add_argument("--out", required=True, help="the SVG")
    parser.set_defaults(run=_loss)


def _loss(arguments: argparse.Namespace) -> None:
    from switchrank.report.loss import loss_picture

    _named(arguments.model, "--model")
    words = (word.partition("=") for word in arguments.model)
    runs = [{"system": system, "path": path} for system, _, path in words]
    loss_picture(runs=runs, baseline=arguments.baseline, out=arguments.out)


def _register_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--table", required=True, help="a .csv or .parquet table")
    parser.add_argument("--where", action="append", default=[], metavar="COLUMN=VALUE", help="keep only such rows")
    parser.add_argument("--title", default="", help="title of the HTML page")
    parser.add_argument("--note", default="", help="a line under the table")
    parser.add_argument("--unseen", nargs="*", default=[], metavar="LANG", help="languages marked with *")
    parser.add_argument("--out", required=True, help="what to write: .html or .tsv")
    parser.set_defaults(run=_table)


def _table(arguments: argparse.Namespace) -> None:
    from switchrank.report.tables import html_table, tsv_table

    where = _named(arguments.where, "--where")
    if arguments.out.endswith(".tsv"):
        tsv_table(table=arguments.table, out=arguments.out, where=where)
        return
    title = arguments.title or arguments.table
    html_table(
        table=arguments.table, out=arguments.out, title=title, note=arguments.note, where=where, unseen=arguments.unseen
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
    parser.set_defaults(run=_sentences)


def _sentences(arguments: argparse.Namespace) -> None:
    from switchrank.report.sentences import switched_sentences

    corpora = [{"corpus": name, "path": path} for name, path in _named(arguments.corpus, "--corpus").items()]
    switched_sentences(
        corpora=corpora,
        source=arguments.source,
        languages=arguments.languages,
        rtl=arguments.rtl,
        limit=arguments.limit,
        seed=arguments.seed,
        lexicons=_named(arguments.lexicon, "--lexicon"),
        out=arguments.out,
    )
