"""``switchrank report pictures``: one subcommand per picture, each a thin door to the function of the same name."""

from __future__ import annotations

import argparse
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes


def register_pictures(items: Any) -> None:
    """Add ``pictures`` and its kinds to the subcommands of ``report``."""
    pictures = items.add_parser("pictures", help=f"SVG pictures: {', '.join(_KINDS)}")
    kinds = pictures.add_subparsers(dest="picture", metavar="{" + ",".join(_KINDS) + "}", required=True)
    for name, (summary, register) in _KINDS.items():
        kind = kinds.add_parser(name, help=summary, description=summary.capitalize() + ".")
        register(kind)
        writes(kind, files=lambda given: filter(None, [given.out, getattr(given, "table", None)]))


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


def named(words: list[str], flag: str) -> dict[str, str]:
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

    named(arguments.model, "--model")
    words = (word.partition("=") for word in arguments.model)
    runs = [{"system": system, "path": path} for system, _, path in words]
    loss_picture(runs=runs, baseline=arguments.baseline, out=arguments.out)


def _add_drawn(parser: argparse.ArgumentParser, *, metric: bool, languages: bool = True) -> None:
    """What the pictures of one table have in common."""
    parser.add_argument("--testset", required=True, help="name of the test set")
    if metric:
        parser.add_argument("--metric", default="mrr@10", help="default: %(default)s")
    parser.add_argument("--baseline", default="zero-shot", help="drawn in black (default: %(default)s)")
    listed = "all systems of the run, so that colours agree between pictures"
    parser.add_argument("--systems", nargs="*", default=[], metavar="SYSTEM", help=listed)
    if languages:
        _add_languages(parser)
    parser.add_argument("--table", help="CSV to write the numbers of the picture to")
    parser.add_argument("--out", required=True, help="the SVG")


def _drawn(arguments: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The keyword arguments of :func:`_add_drawn`, and those of ``names``."""
    common = {name: getattr(arguments, name) for name in ("testset", "baseline", "systems", "table", "out", *names)}
    return {**common, "languages": _languages(arguments)} if hasattr(arguments, "seen") else common


def _register_ablation(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ablation", required=True, help="tables/ablation.csv")
    parser.add_argument("--curve", help="CSV of means with a confidence band")
    parser.add_argument("--equivalence", help="CSV of the labels a start needs to reach the reference")
    parser.add_argument("--reference", default="ml-cs", help="drawn without labels as a line (default: %(default)s)")
    _add_drawn(parser, metric=True)
    parser.set_defaults(run=_ablation)


def _ablation(arguments: argparse.Namespace) -> None:
    from switchrank.report.ablation import ablation_picture

    ablation_picture(**_drawn(arguments, "ablation", "curve", "equivalence", "reference", "metric"))


def _register_sweep(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--sweep", required=True, help="tables/sweep.csv")
    parser.add_argument("--dose", default="degrade", help="the sweep drawn against P@1 (default: %(default)s)")
    _add_drawn(parser, metric=True, languages=False)
    parser.set_defaults(run=_sweep)


def _sweep(arguments: argparse.Namespace) -> None:
    from switchrank.report.sweep import sweep_picture

    sweep_picture(**_drawn(arguments, "sweep", "dose", "metric"))


def _register_overlap(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--overlap", required=True, help="tables/overlap.csv")
    _add_drawn(parser, metric=True)
    parser.set_defaults(run=_overlap)


def _overlap(arguments: argparse.Namespace) -> None:
    from switchrank.report.overlap import overlap_picture

    overlap_picture(**_drawn(arguments, "overlap", "metric"))


def _register_shift(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--shift", required=True, help="tables/shift.csv")
    _add_drawn(parser, metric=False)
    parser.set_defaults(run=_shift)


def _shift(arguments: argparse.Namespace) -> None:
    from switchrank.report.shift import shift_picture

    shift_picture(**_drawn(arguments, "shift"))


def _register_bias(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bias", required=True, help="tables/bias.csv")
    _add_drawn(parser, metric=False)
    parser.set_defaults(run=_bias)


def _bias(arguments: argparse.Namespace) -> None:
    from switchrank.report.bias import bias_picture

    bias_picture(**_drawn(arguments, "bias"))


_KINDS: dict[str, tuple[str, Any]] = {
    "mrr": ("a metric per pair and system with confidence intervals", _register_mrr),
    "gain": ("gain over the baseline, query by document language", _register_gain),
    "lexicon": ("P@1, P@5 and coverage of the lexicons", _register_lexicon),
    "loss": ("training loss and development score by step", _register_loss),
    "ablation": ("a metric by number of labelled target-language queries", _register_ablation),
    "sweep": ("a metric against one setting, and against what it measurably did", _register_sweep),
    "overlap": ("a metric by word overlap of query and relevant passage", _register_overlap),
    "shift": ("score drop of relevant passages in another language", _register_shift),
    "bias": ("preference for the query's own language, rank distance, RankC", _register_bias),
}
