"""``switchrank sources``: collections from files of your own, text of a Wikipedia dump, a made-up world."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from switchrank.collections.formats import names
from switchrank.collections.spec import SPLITS, UNITS
from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.files.cli import register_downloads

_BUILD = """\
Turn relevance data into the tables that every later stage reads: documents, queries and judgements, one file per
language, and a development set cut from the training queries by whole groups.

msmarco: files without a header, plain or gzip
  documents   docid TAB text                    --documents en=collection.en.tsv de=collection.de.tsv
  queries     qid TAB text                      --queries train/en=queries.train.en.tsv test/de=queries.test.de.tsv
  judgements  qid 0 docid relevance             --judgements train=qrels.train.tsv test=qrels.test.tsv
  triples     qid TAB positive TAB negative     --triples qidpidtriples.train.tsv
  groups      docid TAB topic                   --groups topics.tsv
beir, miracl, trec and the other formats of separate files: the same flags (config/README.md)
squad: SQuAD v1.1 or XQuAD-R, .json or .json.gz
  files       one per split and language        --files train/en=train-v1.1.json test/en=en.json test/de=de.json
  files       or of two: question, paragraph    --files test/de/en=test-context-en-question-de.json

The document ids of all languages are parallel: one judgement file serves all. Training queries are in the source
language only. A text is never changed; what has no text, and what has no judgement, is left out and counted.
"""
_EXAMPLES = """\
examples:
  switchrank sources build --format squad --files test/en=en.json test/de=de.json --documents-as sentences --out xquad
  switchrank sources build --format msmarco --documents en=c.tsv --queries train/en=q.tsv --judgements train=r.tsv \\
      --dev 0.1 --out mine
  switchrank sources build --spec mine.json --out mine

A --spec file is JSON of two objects, the specification and the files by role:
  {"spec": {"format": "squad", "languages": ["en", "de"], "splits": ["test"], "documents_as": "paragraphs"},
   "files": {"test/en": "en.json", "test/de": "de.json"}}
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands ``build``, ``wikitext``, ``world``, ``fetch`` and ``unpack``."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _register_build(commands)
    _register_wikitext(commands)
    _register_world(commands)
    register_downloads(commands)


def _register_build(commands: Any) -> None:
    build = commands.add_parser(
        "build",
        help="documents, queries and judgements of a collection, as parquet",
        description=_BUILD,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    build.add_argument("--spec", metavar="FILE", help="everything but --out from one JSON file")
    build.add_argument("--format", choices=names(), help="what the input files are")
    for name, form in (
        ("documents", "LANG=FILE"),
        ("queries", "SPLIT/LANG=FILE"),
        ("judgements", "SPLIT=FILE"),
        ("files", "SPLIT/LANG=FILE"),
    ):
        splits = f"; splits are {', '.join(SPLITS)}" if "SPLIT" in form else ""
        which = "squad, bipar, afriqa files" if name == "files" else f"{name} of a format of separate files"
        build.add_argument(f"--{name}", nargs="+", action="extend", default=[], metavar=form, help=which + splits)
    build.add_argument("--triples", metavar="FILE", help="msmarco training triples")
    build.add_argument(
        "--groups", metavar="FILE", help="msmarco topics, so that none is in both training and development"
    )
    build.add_argument("--documents-as", choices=UNITS, default="paragraphs", help="what a squad document is")
    build.add_argument("--source", metavar="LANG", default="en", help="language of the training queries (en)")
    build.add_argument("--dev", type=float, default=0.0, metavar="SHARE", help="share of training queries to cut (0)")
    build.add_argument(
        "--labels", type=float, default=0.0, metavar="SHARE", help="share of them to set aside as labelled examples (0)"
    )
    build.add_argument("--seed", type=int, default=1, help="chooses the groups that are cut (1)")
    build.add_argument("--out", required=True, metavar="FOLDER", help="folder to write")
    writes(build, folder="a collection")
    build.set_defaults(run=_build)


def _register_wikitext(commands: Any) -> None:
    wikitext = commands.add_parser("wikitext", help="the articles of a pages-articles dump as plain text")
    wikitext.add_argument(
        "dumps", nargs="+", metavar="DUMP", help="pages-articles XML (.bz2, .gz, plain), or its parts"
    )
    wikitext.add_argument("--out", required=True, metavar="FILE", help="text file, one paragraph a line (.gz packs it)")
    writes(wikitext, "out")
    wikitext.set_defaults(run=_wikitext)


def _register_world(commands: Any) -> None:
    world = commands.add_parser(
        "world",
        help="make up a small world of languages, for demonstrations and tests",
        description="Make up a small world: languages, their text, title dumps, and a collection in all of them.",
    )
    world.add_argument("--seed", type=int, help="another seed is another world")
    world.add_argument("--train-queries", type=int, metavar="N", help="English training queries")
    world.add_argument("--test-queries", type=int, metavar="N", help="parallel test queries")
    world.add_argument("--sentences", type=int, metavar="N", help="sentences of monolingual text per language")
    world.add_argument("--out", required=True, metavar="FOLDER", help="where the raw files go")
    writes(world, folder="a made-up world")
    world.set_defaults(run=_world)


def _build(arguments: argparse.Namespace) -> None:
    from switchrank.sources.build import build_collection

    spec, files = _from_file(arguments.spec) if arguments.spec else _from_flags(arguments)
    counts = build_collection(spec=spec, files=files, out=arguments.out, overwrite=arguments.overwrite)
    for table, numbers in counts.items():
        print(f"{table}: " + ", ".join(f"{name} {number:,}" for name, number in numbers.items()))


def _wikitext(arguments: argparse.Namespace) -> None:
    from switchrank.sources.wikitext import write_wikitext

    write_wikitext(dumps=arguments.dumps, out=arguments.out)


def _world(arguments: argparse.Namespace) -> None:
    from switchrank.sources.world.generate import generate_world

    names = ("seed", "train_queries", "test_queries", "sentences")
    spec = {name: getattr(arguments, name) for name in names if getattr(arguments, name) is not None}
    generate_world(spec=spec, out=Path(arguments.out), overwrite=arguments.overwrite)


def _from_file(path: str) -> tuple[dict[str, Any], dict[str, str]]:
    from switchrank.files.reading import read_text

    try:
        content = json.loads(read_text(path))
    except json.JSONDecodeError as error:
        raise UserError(path, f"line {error.lineno}", f"not JSON ({error.msg})", "see --help for an example") from error
    if not isinstance(content, dict) or sorted(content) != ["files", "spec"]:
        raise UserError(path, "top level", "not an object of 'spec' and 'files'", "see --help for an example")
    for key, part in content.items():
        if not isinstance(part, dict) or (key == "files" and not all(isinstance(file, str) for file in part.values())):
            raise UserError(path, key, "not an object, or no file name in it", "see --help for an example")
    return content["spec"], content["files"]


def _from_flags(arguments: argparse.Namespace) -> tuple[dict[str, Any], dict[str, str]]:
    """The specification and files that the flags spell out; languages and splits are those of the files named."""
    if arguments.format is None:
        raise UserError("command line", "--format", "missing", "name it, or give --spec")
    queries, squad = _pairs(arguments, "queries"), _pairs(arguments, "files")
    documents, judgements = _pairs(arguments, "documents"), _pairs(arguments, "judgements")
    files = squad | {
        f"{flag}/{role}": path
        for flag, pairs in (("documents", documents), ("queries", queries), ("judgements", judgements))
        for role, path in pairs.items()
    }
    files |= {"triples/train": arguments.triples} if arguments.triples else {}
    files |= {"groups": arguments.groups} if arguments.groups else {}
    named = {role.partition("/")[0] for role in [*queries, *squad]}
    languages = [*documents, *(role.rpartition("/")[2] for role in squad)]
    last = 3 if arguments.format == "afriqa" else 2  # AfriQA's questions come with their translations
    asked = [code for role in [*queries, *squad] if role.startswith("test/") for code in role.split("/")[1:last]]
    spec = {
        "format": arguments.format,
        "languages": list(dict.fromkeys(languages)),
        "asked_in": list(dict.fromkeys(asked)),
        "splits": [split for split in SPLITS if split in named],
        "dev": arguments.dev,
        "labels": arguments.labels,
        "documents_as": arguments.documents_as,
        "source": arguments.source,
        "seed": arguments.seed,
        "triples": bool(arguments.triples),
    }
    return spec, files


def _pairs(arguments: argparse.Namespace, flag: str) -> dict[str, str]:
    pairs = {}
    for value in getattr(arguments, flag):
        role, equals, path = value.partition("=")
        if not (role and equals and path) or role in pairs:
            raise UserError("command line", f"--{flag}", f"{value!r}", "write role=file, each role once; see --help")
        pairs[role] = path
    return pairs
