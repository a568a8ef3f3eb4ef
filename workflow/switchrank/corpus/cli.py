"""``switchrank corpus``: instances, token tables, switched and parallel corpora, translated texts, lines for a look."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.corpus.files import corpus_files

_EXAMPLES = """\
examples:
  switchrank corpus instances --queries queries-train-en.parquet --documents documents-en.parquet \\
      --judgements judgements-train-en.parquet --out instances/train.parquet
  switchrank corpus tokens --texts documents-en.parquet --out tokens/documents
  switchrank corpus switch --instances instances/train.parquet --queries tokens/queries-train \\
      --documents tokens/documents --lexicon de=en-de.parquet --lexicon it=en-it.parquet --out corpora/ml-cs
  echo 'the cat sat' | switchrank corpus text --lexicon de=en-de.parquet
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands ``instances``, ``tokens``, ``switch``, ``parallel``, ``translate`` and ``text``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLES
    commands = parser.add_subparsers(dest="corpus_command", metavar="COMMAND", required=True)
    _register_instances(commands)
    _register_tokens(commands)
    _register_switch(commands)
    _register_parallel(commands)
    _register_translate(commands)
    _register_text(commands)


def _register_instances(commands: Any) -> None:
    command = commands.add_parser("instances", help="pair queries with relevant and with other documents")
    command.add_argument("--queries", required=True, help="queries table (parquet: qid, text, group)")
    command.add_argument("--documents", required=True, help="documents table (parquet: docid, text, group)")
    command.add_argument("--judgements", required=True, help="judgements table (parquet: qid, docid, relevance)")
    command.add_argument("--triples", help="walk these triples (parquet: qid, positive, negative) instead of BM25")
    command.add_argument("--negatives", type=int, default=4, help="negatives per positive (default: %(default)s)")
    command.add_argument("--pool", type=int, default=100, help="draw from this many best by BM25 (default: 100)")
    command.add_argument(
        "--random-negatives", type=float, default=0.0, help="share of negatives that are any document (default: 0)"
    )
    command.add_argument("--rounds", type=int, default=1, help="fresh negatives this many times (default: 1)")
    command.add_argument("--limit", type=int, help="stop after this many instances")
    command.add_argument("--seed", type=int, default=1, help="seed of the draws (default: 1)")
    command.add_argument("--threads", type=int, default=1, help="threads of the search (default: 1)")
    _add_vocabulary(command)
    command.add_argument("--out", required=True, help="the parquet file to write")
    writes(command, "out")
    command.set_defaults(run=_run_instances)


def _register_tokens(commands: Any) -> None:
    command = commands.add_parser("tokens", help="split the texts of a table into words and gaps, once")
    command.add_argument("--texts", required=True, help="a documents or queries table (parquet)")
    _add_vocabulary(command)
    command.add_argument("--treebank", action="store_true", help="compatibility: NLTK's Treebank tokens")
    command.add_argument("--out", required=True, help="the folder to write")
    writes(command, folder="a token table")
    command.set_defaults(run=_run_tokens)


def _register_switch(commands: Any) -> None:
    command = commands.add_parser("switch", help="write the code-switched version of instances")
    command.add_argument("--instances", required=True, help="instances (parquet)")
    command.add_argument("--queries", required=True, help="token table folder of the queries")
    command.add_argument("--documents", required=True, help="token table folder of the documents")
    command.add_argument("--query", default="xx", help="language of the query side (default: xx, all mixed)")
    command.add_argument("--passage", default="xx", help="language of the passage side (default: xx, all mixed)")
    command.add_argument("--shards", type=int, default=1, help="number of files (default: 1)")
    command.add_argument("--unspaced", action="store_true", help="the texts have no spaces: replaced words get them")
    command.add_argument("--name", default="train", help="'train' (shards, stats.json) or one file (default: train)")
    command.add_argument(
        "--treebank", action="store_true", help="compatibility: detokenise; token tables made with --treebank"
    )
    command.add_argument(
        "--substring-replace",
        action="store_true",
        help="compatibility: keys match inside words (needs --p 1 --mix instance)",
    )
    command.add_argument("--threads", type=int, default=1, help="blocks of texts at a time (default: 1)")
    command.add_argument("--out", required=True, help="the folder to write into")
    _add_recipe(command)
    writes(command, files=_corpus_files)
    command.set_defaults(run=_run_switch)


def _register_parallel(commands: Any) -> None:
    command = commands.add_parser("parallel", help="write instances with the texts of two given languages")
    command.add_argument("--instances", required=True, help="instances (parquet)")
    command.add_argument("--queries", required=True, help="queries table in the query language (parquet)")
    command.add_argument("--documents", required=True, help="documents table in the passage language (parquet)")
    command.add_argument("--query-lang", required=True, help="language of the queries")
    command.add_argument("--passage-lang", required=True, help="language of the passages")
    command.add_argument("--name", default="train", help="'train' (with stats.json) or one file (default: train)")
    command.add_argument("--out", required=True, help="the folder to write into")
    writes(command, files=_corpus_files)
    command.set_defaults(run=_run_parallel)


def _register_translate(commands: Any) -> None:
    command = commands.add_parser("translate", help="put texts word by word into the source language")
    command.add_argument("--texts", required=True, help="a documents or queries table (parquet)")
    command.add_argument("--lexicon", required=True, help="lexicon from their language to the source language")
    command.add_argument("--language", required=True, help="language of the texts")
    command.add_argument("--source", default="en", help="the source language (default: en)")
    _add_vocabulary(command)
    command.add_argument("--out", required=True, help="the table to write (parquet)")
    writes(command, "out")
    command.set_defaults(run=_run_translate)


def _register_text(commands: Any) -> None:
    command = commands.add_parser("text", help="switch lines from standard input to standard output")
    _add_recipe(command)
    _add_vocabulary(command)
    command.set_defaults(run=_run_text)


def _add_vocabulary(command: argparse.ArgumentParser) -> None:
    command.add_argument("--vocabulary", help="vector store prefix, or segmenter:NAME, to cut unspaced text")


def _add_recipe(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--lexicon", action="append", default=[], metavar="LANG=PATH", help="a lexicon; repeat to mix languages"
    )
    command.add_argument("--p", type=float, default=0.5, help="chance that a word is switched (default: 0.5)")
    command.add_argument(
        "--mix", default="token", choices=["token", "instance"], help="draw a language per word or text"
    )
    command.add_argument("--source", default="en", help="language of the texts (default: en)")
    command.add_argument("--drop-stopwords", action="store_true", help="never switch single stop words")
    command.add_argument("--translations", type=int, default=1, help="draw among this many best (default: 1)")
    command.add_argument("--seed", type=int, default=1, help="seed of the draws (default: 1)")


def _recipe(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("p", "mix", "source", "drop_stopwords", "translations", "seed")
    return {name: getattr(arguments, name) for name in names}


def _lexicons(arguments: argparse.Namespace) -> dict[str, str]:
    pairs = [text.partition("=") for text in arguments.lexicon]
    for language, _, path in pairs:
        if not language or not path:
            raise UserError(
                "command line", "--lexicon", f"{language!r} has no path", "write --lexicon de=en-de.parquet"
            )
    return {language: path for language, _, path in pairs}


def _run_instances(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.instances import build_instances

    _print(build_instances(**_given(arguments)))


def _run_tokens(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.tokens import build_tokens

    _print(build_tokens(**_given(arguments), overwrite=arguments.overwrite))


def _run_switch(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.switch import switch_corpus

    lexicons = _lexicons(arguments)
    sides = {"query": arguments.query, "passage": arguments.passage}
    recipe = {**_recipe(arguments), "sides": sides, "languages": list(lexicons), "shards": arguments.shards}
    recipe |= {"unspaced": arguments.unspaced, "treebank": arguments.treebank}
    recipe |= {"substring_replace": arguments.substring_replace}
    stats = switch_corpus(
        instances=arguments.instances,
        queries=arguments.queries,
        documents=arguments.documents,
        lexicons=lexicons,
        recipe=recipe,
        out=arguments.out,
        name=arguments.name,
        threads=arguments.threads,
    )
    _print(stats["total"])


def _run_parallel(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.parallel import parallel_corpus

    _print(parallel_corpus(**_given(arguments)))


def _run_translate(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.translate import translate_texts

    _print(translate_texts(**_given(arguments)))


def _run_text(arguments: argparse.Namespace) -> None:
    from switchrank.corpus.lines import switch_lines

    lexicons = _lexicons(arguments)
    if not lexicons:
        raise UserError("command line", "--lexicon", "none given", "write --lexicon de=en-de.parquet")
    lines = sys.stdin.read().splitlines()
    options = {"recipe": _recipe(arguments), "vocabulary": arguments.vocabulary}
    for line in switch_lines(lines, lexicons=lexicons, **options):
        print(line)


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    others = {"stage", "corpus_command", "run", "overwrite"}
    return {
        name: value for name, value in vars(arguments).items() if name not in others and not name.startswith("written_")
    }


def _corpus_files(arguments: argparse.Namespace) -> list[Path]:
    """The files that a corpus is written to; shards that are there beside them were made with another ``--shards``."""
    folder = Path(arguments.out)
    names = corpus_files(shards=getattr(arguments, "shards", 1), name=arguments.name)
    older = folder.glob("train-[0-9]*.parquet") if arguments.name == "train" else ()
    return list(dict.fromkeys([*(folder / name for name in names), *older]))


def _print(counts: dict[str, Any]) -> None:
    print(json.dumps(counts, sort_keys=True))
