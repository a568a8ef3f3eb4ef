"""``switchrank corpus``: instances, token tables, switched and parallel corpora, translated texts, and plain lines."""

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from switchrank.core.command import ONE_EACH, Command, Group
from switchrank.core.errors import UserError
from switchrank.corpus.files import corpus_files
from switchrank.switching.recipe import MIXED, SIDES, Recipe

USUAL = Recipe()
_DERIVED = ["sides", "languages", "include_source"]
"""Keys of the recipe that follow from other options."""
_OF_CORPORA = ["shards", "unspaced", "treebank", "substring_replace"]


@dataclass(frozen=True)
class Typed(Recipe):
    """A recipe as it is typed.

    Attributes:
        query: language of the query side; xx: all mixed.
        passage: language of the passage side; xx: all mixed.
    """

    query: str = MIXED
    passage: str = MIXED


def _recipe(given: Typed) -> dict[str, Any]:
    recipe = {name: value for name, value in asdict(given).items() if name not in _DERIVED}
    sides = {side: recipe.pop(side) for side in SIDES}
    return recipe | {"sides": sides}


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
        "switch": Command(
            "corpus.switch:switch_corpus",
            "write the code-switched version of instances",
            writes=_files,
            reads={"recipe": _recipe},
            shown=lambda stats: _print(stats["total"]),
            unasked=[*_DERIVED, "limit"],
            **_LEXICON,
        ),
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
