"""``switchrank corpus``: instances, token tables, switched and parallel corpora, translated texts, and plain lines."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from switchrank.core.command import ONE_EACH, Command, Group
from switchrank.core.errors import UserError
from switchrank.corpus.files import corpus_files
from switchrank.corpus.recipe import MIXED, Recipe

USUAL = Recipe()
_DERIVED = ["sides", "languages", "include_source"]
"""Keys of the recipe that follow from other options."""
_OF_CORPORA = ["shards", "unspaced", "treebank", "substring_replace"]


def switch(
    *,
    instances: str,
    queries: str,
    documents: str,
    out: str | Path,
    lexicons: Mapping[str, str] | None = None,
    recipe: Recipe = USUAL,
    query: str = MIXED,
    passage: str = MIXED,
    name: str = "train",
    threads: int = 1,
) -> dict[str, Any]:
    """Write the code-switched version of instances.

    A source of several words is matched where nothing but white space is between them, the longest first, and is
    replaced as a whole. A word that the drawn language does not know stays. Everything else keeps its bytes.

    Args:
        instances: instances (parquet).
        queries: token table folder of the queries.
        documents: token table folder of the documents.
        out: the folder to write into.
        lexicons: a lexicon; repeat to mix languages.
        query: language of the query side; xx: all mixed.
        passage: language of the passage side; xx: all mixed.
        name: 'train' (shards, stats.json) or one file.
        threads: blocks of texts at a time.
    """
    from switchrank.corpus.switch import switch_corpus

    found = dict(lexicons or {})
    stats = switch_corpus(
        instances=instances,
        queries=queries,
        documents=documents,
        lexicons=found,
        recipe=asdict(recipe) | {"sides": {"query": query, "passage": passage}, "languages": list(found)},
        out=out,
        name=name,
        threads=threads,
    )
    total: dict[str, Any] = stats["total"]
    return total


def text(*, lexicons: Mapping[str, str] | None = None, recipe: Recipe = USUAL, vocabulary: str | None = None) -> None:
    """Switch lines from standard input to standard output.

    Args:
        lexicons: a lexicon; repeat to mix languages.
        vocabulary: vector store prefix, or segmenter:NAME, to cut unspaced text.
    """
    from switchrank.corpus.translate import switch_lines

    if not lexicons:
        raise UserError("command line", "--lexicon", "none given", "write --lexicon de=en-de.parquet")
    lines = sys.stdin.read().splitlines()
    for line in switch_lines(lines, lexicons=lexicons, recipe=asdict(recipe), vocabulary=vocabulary):
        print(line)


def _files(given: Mapping[str, Any]) -> Iterator[Path]:
    """The files that a corpus is written to, and shards of it that were made with another ``--shards``."""
    folder, name = Path(given["out"]), given["name"]
    named = [folder / file for file in corpus_files(shards=given.get("shards", 1), name=name)]
    older = folder.glob("train-[0-9]*.parquet") if name == "train" else ()
    yield from dict.fromkeys([*named, *older])


def _print(counts: dict[str, Any]) -> None:
    print(json.dumps(counts, sort_keys=True))


_LEXICON: dict[str, Any] = {"flags": {"lexicons": "lexicon"}, "counts": {"lexicons": ONE_EACH}}
_VOCABULARY = {"vocabulary": "PREFIX"}

COMMANDS = Group(
    {
        "instances": Command(
            "corpus.instances:build_instances",
            "pair queries with relevant and with other documents",
            forms=_VOCABULARY,
            shown=_print,
        ),
        "tokens": Command(
            "corpus.tokens:build_tokens",
            "split the texts of a table into words and gaps, once",
            folder="a token table",
            forms=_VOCABULARY,
            shown=_print,
        ),
        "switch": Command(switch, writes=_files, shown=_print, unasked=_DERIVED, **_LEXICON),
        "parallel": Command(
            "corpus.parallel:parallel_corpus",
            "write instances with the texts of two given languages",
            writes=_files,
            shown=_print,
        ),
        "translate": Command(
            "corpus.translate:translate_texts",
            "put texts word by word into the source language",
            forms=_VOCABULARY,
            shown=_print,
        ),
        "text": Command(text, forms=_VOCABULARY, unasked=[*_DERIVED, *_OF_CORPORA], **_LEXICON),
    }
)
