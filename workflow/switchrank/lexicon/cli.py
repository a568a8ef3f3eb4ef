"""``switchrank lexicon``: make a lexicon from vectors, titles, a dictionary or others; measure it, make it worse."""

from __future__ import annotations

import argparse
from typing import get_args

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.search.choices import EXACT, Criterion, SearchKind

TITLE_FORMATS = ("dumps", "pages-articles", "wikidata", "wikidata-labels", "linguatools", "wikititles", "cldr")
TITLE_DROPS = ("equal", "colon", "number", "script")


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``induce``, ``titles``, ``dictionary``, ``merge``, ``degrade`` and ``quality``."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _register_induce(commands.add_parser("induce", help="nearest target words of every source word"))
    _register_titles(commands.add_parser("titles", help="titles linked across languages: Wikipedia, Wikidata, CLDR"))
    _register_dictionary(commands.add_parser("dictionary", help="a given dictionary as a lexicon"))
    _register_merge(commands.add_parser("merge", help="several lexicons as one, the most trusted first"))
    _register_degrade(commands.add_parser("degrade", help="wrong translations for a share of the words, on purpose"))
    _register_quality(commands.add_parser("quality", help="precision and coverage against gold dictionaries"))


def _register_induce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--source", required=True, metavar="PREFIX", help="vector store of the source language")
    parser.add_argument("--target", required=True, metavar="PREFIX", help="vectors of the other language, same space")
    parser.add_argument("--out", required=True, help="lexicon to write (.parquet)")
    parser.add_argument("--criterion", choices=get_args(Criterion), default="csls", help="default csls; nn: cosine")
    parser.add_argument("--k", type=int, default=1, help="translations a word (default 1)")
    parser.add_argument("--csls-k", type=int, default=10, help="neighbours in the CSLS correction (default 10)")
    parser.add_argument("--threshold", type=float, help="smallest score kept")
    parser.add_argument("--mutual", action="store_true", help="keep only pairs that are each other's best")
    parser.add_argument("--max-source", type=int, help="only this many most frequent source words")
    parser.add_argument("--max-target", type=int, help="only this many most frequent target words")
    parser.add_argument("--raw-dot", action="store_true", help="compatibility: vectors as they were, not unit length")
    parser.add_argument(
        "--search", choices=get_args(SearchKind), default=EXACT.kind, help="ivf, hnsw: approximate, recall measured"
    )
    parser.add_argument("--cells", type=int, help="ivf: cells of target words (default: root of eight times as many)")
    for name, default, help in (
        ("--probes", EXACT.probes, "ivf: cells a word is compared with"),
        ("--links", EXACT.links, "hnsw: neighbours a word is linked to (M)"),
        ("--ef-construction", EXACT.ef_construction, "hnsw: candidates while the graph is built"),
        ("--ef-search", EXACT.ef_search, "hnsw: candidates while it is searched"),
    ):
        parser.add_argument(name, type=int, default=default, help=f"{help} (default {default})")
    parser.add_argument("--threads", type=int, default=1)
    writes(parser, "out")
    parser.set_defaults(run=_induce)


def _register_titles(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=TITLE_FORMATS, default="dumps", help="what the files are (default dumps)")
    parser.add_argument("--files", nargs="+", help="the files; cldr: source, target, source, target, ...")
    parser.add_argument("--page", help="dumps: page.sql.gz of the source language's Wikipedia")
    parser.add_argument("--langlinks", help="dumps: langlinks.sql.gz of the same dump")
    parser.add_argument("--source", default="en", help="source language, as the files name it (default en)")
    parser.add_argument("--language", required=True, help="target language, as the files name it (ll_lang)")
    parser.add_argument("--out", required=True, help="lexicon to write (.parquet)")
    parser.add_argument("--page-columns", nargs="+", metavar="NAME", help="dumps without CREATE TABLE: all columns")
    parser.add_argument("--langlinks-columns", nargs="+", metavar="NAME", help="the same of the other table")
    parser.add_argument("--target-first", action="store_true", help="wikititles: target language in the first column")
    parser.add_argument("--drop", nargs="+", choices=TITLE_DROPS, default=[], help="kinds of pairs to leave out")
    parser.add_argument("--max-words", type=int, default=3, help="longest source title in words (default 3)")
    parser.add_argument("--onesided-titles", action="store_true", help="compatibility: clean target titles only")
    writes(parser, "out")
    parser.set_defaults(run=_titles)


def _register_dictionary(parser: argparse.ArgumentParser) -> None:
    from switchrank.formats.pairs import DICTIONARY_FORMATS

    parser.add_argument("--path", required=True, nargs="+", help="the dictionary; panlex: source file, target file")
    parser.add_argument("--format", choices=DICTIONARY_FORMATS, default="auto", help="default: by content")
    parser.add_argument("--columns", nargs=2, default=[], metavar="COLUMN", help="tsv: numbers from 1, or names")
    parser.add_argument("--reverse", action="store_true", help="the file translates into the source language")
    parser.add_argument("--out", required=True, help="lexicon to write (.parquet)")
    writes(parser, "out")
    parser.set_defaults(run=_dictionary)


def _register_merge(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lexicons", nargs="+", required=True, help="lexicons (.parquet), the most trusted first")
    parser.add_argument("--out", required=True, help="lexicon to write (.parquet)")
    writes(parser, "out")
    parser.set_defaults(run=_merge)


def _register_degrade(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lexicon", required=True, help="lexicon (.parquet)")
    parser.add_argument("--share", type=float, required=True, help="of its words that get another word's translations")
    parser.add_argument("--language", default="", help="key of the draw, so that languages differ")
    parser.add_argument("--seed", type=int, default=1, help="seed of the draw (default 1)")
    parser.add_argument("--out", required=True, help="lexicon to write (.parquet)")
    writes(parser, "out")
    parser.set_defaults(run=_degrade)


def _register_quality(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--lexicon", required=True, help="lexicon (.parquet)")
    parser.add_argument("--name", default="lexicon", help="its name in the table")
    parser.add_argument("--gold", required=True, nargs="+", help="dictionaries: `source target` a line (.gz, .xz too)")
    parser.add_argument("--src", required=True, help="source language")
    parser.add_argument("--tgt", required=True, help="target language")
    parser.add_argument("--out", required=True, help="table to write (.csv)")
    writes(parser, "out")
    parser.set_defaults(run=_quality)


def _induce(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.induce import induce_lexicon

    induce_lexicon(
        source=arguments.source,
        target=arguments.target,
        out=arguments.out,
        criterion=arguments.criterion,
        k=arguments.k,
        csls_k=arguments.csls_k,
        threshold=arguments.threshold,
        mutual=arguments.mutual,
        max_source=arguments.max_source,
        max_target=arguments.max_target,
        raw_dot=arguments.raw_dot,
        search=arguments.search,
        probes=arguments.probes,
        cells=arguments.cells,
        links=arguments.links,
        ef_construction=arguments.ef_construction,
        ef_search=arguments.ef_search,
        threads=arguments.threads,
    )


def _titles(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.titles import titles_lexicon

    files = arguments.files or [file for file in (arguments.page, arguments.langlinks) if file]
    if not files:
        raise UserError("command line", "--files", "missing", "name the files, or --page and --langlinks")
    columns = {"page": arguments.page_columns, "langlinks": arguments.langlinks_columns}
    titles_lexicon(
        files=files,
        format=arguments.format,
        source=arguments.source,
        language=arguments.language,
        out=arguments.out,
        columns={table: names for table, names in columns.items() if names},
        target_first=arguments.target_first,
        drop=arguments.drop,
        max_words=arguments.max_words,
        onesided_titles=arguments.onesided_titles,
    )


def _dictionary(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.dictionary import dictionary_lexicon

    dictionary_lexicon(
        path=arguments.path,
        out=arguments.out,
        format=arguments.format,
        columns=[int(column) if column.isdigit() else column for column in arguments.columns],
        reverse=arguments.reverse,
    )


def _merge(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.derived import merge_lexicons

    counts = merge_lexicons(lexicons=arguments.lexicons, out=arguments.out)
    print(f"{counts['words']:,} words, {counts['rows']:,} translations")


def _degrade(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.derived import degrade_lexicon

    degrade_lexicon(
        lexicon=arguments.lexicon,
        share=arguments.share,
        language=arguments.language,
        seed=arguments.seed,
        out=arguments.out,
    )


def _quality(arguments: argparse.Namespace) -> None:
    from switchrank.lexicon.quality import lexicon_quality

    src, tgt = arguments.src, arguments.tgt
    lexicon_quality(
        lexicons=[{"lexicon": arguments.name, "src": src, "tgt": tgt, "path": arguments.lexicon}],
        gold=[{"name": path, "src": src, "tgt": tgt, "path": path} for path in arguments.gold],
        out=arguments.out,
    )
