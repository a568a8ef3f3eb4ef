"""``switchrank train``: tokenizer, starting checkpoint, ranker."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.core.outputs import writes
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import describe_settings

_TOKENIZER = """\
Learn one subword tokenizer for all languages of a run, from text or, where a language has none, from the words of its
vectors. Languages are balanced, so that a small one is not cut into letters. Equal inputs give equal bytes.
"""
_START = """\
Make the checkpoint that every system starts from: a small BERT over a tokenizer of yours, or an existing model.

  mimetic   query and key weights start equal, value times output near minus identity (arXiv 2305.09828):
            without it a small model from scratch hardly learns to match words
  vectors   word embeddings start from aligned word vectors: translations start close together
"""
_RANKER = """\
Train a cross-encoder on query-passage pairs. It can be ended at any time (SIGTERM, SIGUSR1: saves and exits with 143);
the same command goes on where it was. The folder it writes opens with sentence_transformers.CrossEncoder.
"""
_SETTINGS = """\
settings are KEY=VALUE, for example: steps=1000 warmup=0.1 lr=1.0e-3 eval_every=250 keep=best precision=auto
With epochs=N there are as many steps as they take, and warmup=0.1 eval_every=0 are the defaults.
"""
_EXAMPLE = """\
examples:
  switchrank train tokenizer --texts en=en.txt,more.txt.gz de=de.txt --size 16000 --out tokenizer
  switchrank train start --tokenizer tokenizer --preset small --vectors en=aligned/en de=aligned/de --out start
  switchrank train start --model xlm-roberta-base --out start
  switchrank train ranker --corpus train-*.parquet --dev dev.parquet --start start --out model steps=1000 warmup=0.1
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands ``tokenizer``, ``start``, ``transplant`` and ``ranker``."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _EXAMPLE
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _register_tokenizer(_add(commands, "tokenizer", "one subword tokenizer for all languages", _TOKENIZER, _tokenizer))
    _register_start(_add(commands, "start", "the checkpoint every system starts from", _START, _start))
    _register_transplant(
        _add(commands, "transplant", "start target-language pieces from their translations", "", _transplant)
    )
    _register_ranker(_add(commands, "ranker", "train a cross-encoder", _RANKER, _ranker))


def _add(commands: Any, name: str, summary: str, text: str, run: Callable[[argparse.Namespace], None]) -> Any:
    command = commands.add_parser(
        name,
        help=summary,
        description=text or f"{summary[0].upper()}{summary[1:]}.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


def _register_tokenizer(command: Any) -> None:
    command.add_argument("--texts", nargs="+", default=[], metavar="LANG=FILE[,FILE]", help=".txt, .gz or .parquet")
    command.add_argument("--vectors", nargs="+", default=[], metavar="LANG=PREFIX", help="vector stores")
    command.add_argument("--unspaced", nargs="+", default=[], metavar="LANG", help="written without spaces")
    command.add_argument(
        "--segmenters", nargs="+", default=[], metavar="LANG=segmenter:NAME", help="what cuts its text"
    )
    command.add_argument("--size", type=int, default=16_000, help="pieces (default: %(default)s)")
    command.add_argument("--alpha", type=float, default=0.3, help="0 = languages weigh the same, 1 = as their text")
    command.add_argument("--max-length", type=int, default=512, help="pieces per pair (default: %(default)s)")
    command.add_argument("--out", required=True, help="folder to write")
    writes(command, folder="a tokenizer")


def _register_start(command: Any) -> None:
    source = command.add_mutually_exclusive_group(required=True)
    source.add_argument("--tokenizer", help="folder of a tokenizer: make a small model over it")
    source.add_argument("--model", help="folder or hub name of a model to start from")
    command.add_argument("--preset", default="tiny", help="tiny or small (default: %(default)s)")
    command.add_argument("--init", nargs="*", default=None, help="mimetic, vectors (default: both that can be had)")
    command.add_argument("--vectors", nargs="+", default=[], metavar="LANG=PREFIX", help="aligned vector stores")
    command.add_argument("--vectors-share", type=float, default=1.0, help="their share of the norm (default: 1)")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--out", required=True, help="folder to write")
    writes(command, folder="a starting model")


def _register_transplant(command: Any) -> None:
    command.add_argument("--model", required=True, help="folder of a model trained on the source language")
    command.add_argument("--lexicons", nargs="+", required=True, metavar="LANG=FILE", help="source-to-target lexicons")
    command.add_argument("--out", required=True, help="folder to write")
    writes(command, folder="a transplanted model")


def _register_ranker(command: Any) -> None:
    command.epilog = _SETTINGS + describe_settings(CrossEncoderSettings)
    command.add_argument("--corpus", nargs="+", required=True, metavar="FILE", help="training tables, in order")
    command.add_argument("--dev", help="table of the development set")
    command.add_argument("--start", required=True, help="folder of the starting checkpoint")
    command.add_argument("--out", required=True, help="folder to write")
    command.add_argument("--work", help="folder for checkpoints (default: .work beside --out)")
    command.add_argument("--seed", type=int, default=1)
    command.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N[,cuda:M]; exit code 75 without one")
    command.add_argument("--processes", type=int, default=1, help="that share each step, on a GPU each (default: 1)")
    command.add_argument("settings", nargs="+", metavar="KEY=VALUE", help="see below")
    writes(command, folder="a trained model")


def _mapping(words: list[str], option: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in words]
    for name, sign, value in pairs:
        if not (name and sign and value):
            raise UserError("command line", option, f"{name}{sign}{value!r} is not NAME=VALUE", "write it as in --help")
    return {name: value for name, _, value in pairs}


def _setting(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _tokenizer(arguments: argparse.Namespace) -> None:
    from switchrank.train.tokenizer import build_tokenizer

    made = build_tokenizer(
        texts={language: paths.split(",") for language, paths in _mapping(arguments.texts, "--texts").items()},
        vectors=_mapping(arguments.vectors, "--vectors"),
        unspaced=arguments.unspaced,
        segmenters=_mapping(arguments.segmenters, "--segmenters"),
        size=arguments.size,
        alpha=arguments.alpha,
        max_length=arguments.max_length,
        out=arguments.out,
        overwrite=arguments.overwrite,
    )
    print(json.dumps(made))


def _start(arguments: argparse.Namespace) -> None:
    from switchrank.train.start import build_start

    vectors = _mapping(arguments.vectors, "--vectors")
    init = (["mimetic", "vectors"] if vectors else ["mimetic"]) if arguments.init is None else arguments.init
    build_start(
        tokenizer=arguments.tokenizer,
        model=arguments.model,
        preset=arguments.preset,
        init=init,
        vectors=vectors,
        vectors_share=arguments.vectors_share,
        seed=arguments.seed,
        out=arguments.out,
        overwrite=arguments.overwrite,
    )


def _transplant(arguments: argparse.Namespace) -> None:
    from switchrank.train.transplant import transplant_embeddings

    lexicons = _mapping(arguments.lexicons, "--lexicons")
    made = transplant_embeddings(
        model=arguments.model, lexicons=lexicons, out=arguments.out, overwrite=arguments.overwrite
    )
    print(json.dumps(made))


def _ranker(arguments: argparse.Namespace) -> None:
    from switchrank.train.loop import train_model
    from switchrank.train.method import Data

    settings = {name: _setting(value) for name, value in _mapping(arguments.settings, "settings").items()}
    for path in arguments.corpus:
        if path.endswith(".json"):
            problem = "the record of a corpus whose texts are not written"
            raise UserError(path, "--corpus", problem, "write it (switchrank corpus switch), or train it by Snakemake")
    made = train_model(
        "cross-encoder",
        Data({"corpus": arguments.corpus, "dev": arguments.dev, "start": arguments.start}),
        out=arguments.out,
        work=arguments.work or Path(arguments.out).parent / ".work",
        settings=settings,
        seed=arguments.seed,
        device=arguments.device,
        processes=arguments.processes,
        overwrite=arguments.overwrite,
    )
    print(json.dumps(made))
