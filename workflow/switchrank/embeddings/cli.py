"""``switchrank embeddings``: read, train, align or keep word vectors."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import get_args

from switchrank.core.outputs import writes
from switchrank.search.choices import Criterion


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``read``, ``train``, ``align`` and ``keep``."""
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _register_read(commands.add_parser("read", help="a file of word vectors becomes a vector store"))
    _register_train(commands.add_parser("train", help="train fastText skip-gram vectors on text"))
    _register_align(commands.add_parser("align", help="turn vectors into the space of other vectors"))
    keep = commands.add_parser("keep", help="copy a store that is in the right space already")
    keep.add_argument("--vectors", required=True, metavar="PREFIX", help="the store to copy")
    keep.add_argument("--out", required=True, metavar="PREFIX", help="the store to write, beside it a .json record")
    writes(keep, files=_recorded_store)
    keep.set_defaults(run=_keep)


def _register_read(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--path", required=True, help="text (.vec, GloVe), word2vec or fastText .bin; .gz or .xz too")
    parser.add_argument("--out", required=True, metavar="PREFIX", help="writes PREFIX.words.parquet and PREFIX.npy")
    parser.add_argument("--max-words", type=int, help="stop after this many words")
    parser.add_argument("--extra-words", metavar="FILE", help="a word a line: fastText .bin makes vectors for them too")
    parser.add_argument(
        "--no-cache", action="store_true", help="read the file even if it was read before; keep nothing"
    )
    writes(parser, files=_store)
    parser.set_defaults(run=_read)


def _register_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--texts", required=True, nargs="+", help="text files (.gz, .xz too), a sentence a line")
    parser.add_argument("--out", required=True, metavar="PREFIX", help="writes PREFIX.words.parquet and PREFIX.npy")
    parser.add_argument("--unspaced", action="store_true", help="no spaces between words: learn the words first")
    parser.add_argument("--segmenter", metavar="segmenter:NAME", help="cut unspaced text by icu, jieba or sudachi")
    parser.add_argument("--language", default="", help="code of the language; lower case depends on it")
    parser.add_argument("--dim", type=int, default=100, help="dimensions (default 100)")
    parser.add_argument("--epochs", type=int, default=5, help="passes over the text (default 5)")
    parser.add_argument("--window", type=int, default=5, help="context words on each side (default 5)")
    parser.add_argument("--min-count", type=int, default=5, help="rarer words get no vector (default 5)")
    parser.add_argument("--max-words", type=int, help="keep only the most frequent words")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="more than 1 is faster but not reproducible")
    writes(parser, files=_store)
    parser.set_defaults(run=_train)


def _register_align(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--vectors", required=True, metavar="PREFIX", help="the store to turn")
    parser.add_argument("--target", required=True, metavar="PREFIX", help="the store whose space is kept (English)")
    parser.add_argument("--out", required=True, metavar="PREFIX", help="the store to write, beside it a .json record")
    parser.add_argument(
        "--seed-pairs",
        default="identical",
        metavar="FILE",
        help="a lexicon (.parquet), a dictionary (`english foreign` a line), or the word identical (default)",
    )
    parser.add_argument("--refinements", type=int, default=3, help="rounds on mutual best pairs (default 3)")
    parser.add_argument("--criterion", choices=get_args(Criterion), default="csls", help="neighbours in those rounds")
    parser.add_argument("--threads", type=int, default=1)
    writes(parser, files=_recorded_store)
    parser.set_defaults(run=_align)


def _store(arguments: argparse.Namespace) -> list[Path]:
    from switchrank.formats.vectors import vector_files

    return list(vector_files(arguments.out))


def _recorded_store(arguments: argparse.Namespace) -> list[Path]:
    return [*_store(arguments), Path(f"{arguments.out}.json")]


def _read(arguments: argparse.Namespace) -> None:
    from switchrank.core.cache import cache_folder
    from switchrank.embeddings.read import import_vectors

    import_vectors(
        path=arguments.path,
        out=arguments.out,
        max_words=arguments.max_words,
        extra_words=arguments.extra_words,
        cache=None if arguments.no_cache else cache_folder(),
    )


def _train(arguments: argparse.Namespace) -> None:
    from switchrank.embeddings.train import train_vectors

    train_vectors(
        texts=arguments.texts,
        out=arguments.out,
        language=arguments.language,
        unspaced=arguments.unspaced,
        segmenter=arguments.segmenter,
        dim=arguments.dim,
        epochs=arguments.epochs,
        window=arguments.window,
        min_count=arguments.min_count,
        max_words=arguments.max_words,
        seed=arguments.seed,
        threads=arguments.threads,
    )


def _align(arguments: argparse.Namespace) -> None:
    from switchrank.embeddings.align import SeedPairs, align_vectors

    given = arguments.seed_pairs
    seed_pairs: SeedPairs = {"kind": "identical"}
    if given != "identical":
        seed_pairs = {"kind": "lexicon" if given.endswith(".parquet") else "dictionary", "path": given}
    align_vectors(
        vectors=arguments.vectors,
        target=arguments.target,
        seed_pairs=seed_pairs,
        out=arguments.out,
        refinements=arguments.refinements,
        criterion=arguments.criterion,
        threads=arguments.threads,
    )


def _keep(arguments: argparse.Namespace) -> None:
    from switchrank.embeddings.keep import keep_vectors

    keep_vectors(vectors=arguments.vectors, out=arguments.out)
