"""Switched corpora: instances with their texts, code-switched by recipe, as parquet shards and their statistics."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.atomic import atomic_path
from switchrank.corpus.files import corpus_files
from switchrank.corpus.lexicons import read_sources
from switchrank.corpus.recipe import SIDES, Recipe, read_recipe
from switchrank.corpus.streams import count_rows, in_order, read_slices, scan_checked, write_stream
from switchrank.corpus.substring import SubstringSwitcher
from switchrank.corpus.switcher import Switcher
from switchrank.corpus.table import Numbers, TokenTable
from switchrank.errors import UserError
from switchrank.formats.tables import CORPUS, INSTANCES
from switchrank.progress import progress

_BLOCK_WORDS = 100_000
"""Words of a block; small enough that its arrays stay in the processor's cache."""
_JOINED_ROWS = 1 << 20

Switchers = Mapping[str, Switcher | SubstringSwitcher]


def switch_corpus(
    *,
    instances: str | Path,
    queries: str | Path,
    documents: str | Path,
    lexicons: Mapping[str, str | Path],
    recipe: dict[str, Any],
    out: str | Path,
    name: str = "train",
    threads: int = 1,
) -> dict[str, Any]:
    """Write the corpus (``CORPUS``, in instance order) that ``recipe`` makes of ``instances``.

    Words stand for themselves under their look-up key; a lexicon source of several words is matched between word
    boundaries with nothing but white space inside, the longest first, of equally long ones the first, without
    overlaps, and is replaced as a whole. Everything else keeps its bytes. A word that the drawn language does not
    know stays; there is no second draw.

    Args:
        instances: ``INSTANCES``.
        queries, documents: token table folders that hold the instances' texts.
        lexicons: language to lexicon (``LEXICON``); those the recipe does not need are not read.
        recipe: see :func:`switchrank.corpus.recipe.read_recipe`. BL-CS: ``{"p": .5, "sides": {"query": "de",
            "passage": "it"}}``; ML-CS: both sides ``xx`` and ``languages``; Wiki-CS: ML-CS with ``"p": 1, "mix":
            "instance", "drop_stopwords": true`` over title lexicons. Both sides the source language: plain text.
        out: the folder; the files :func:`switchrank.corpus.files.corpus_files` names appear in it together.
        name: ``train`` writes shards ``train-00000.parquet`` ... and ``stats.json``; another name, such as ``dev``,
            one file ``<name>.parquet``.
        threads: how many blocks are switched at a time; the result does not depend on it.

    Returns:
        The statistics: ``instances``, and for ``query``, ``passage`` and ``total``: ``texts tokens switched
        content_tokens content_switched``, all words counted once per instance, a replaced phrase as its words, and
        the switched ones per language they came from, beside ``covered``: the content words that its lexicon translates
        by themselves. Content words are those that are not English stop words.

    Raises:
        UserError: a file is missing or of another schema, an instance's text is missing, the recipe is wrong, or a
            lexicon is missing or covers no word of the texts it is for.
    """
    checked = read_recipe(recipe)
    for side in SIDES:
        _check_lexicons(checked, side, lexicons)
    Path(out).mkdir(parents=True, exist_ok=True)
    tables, switchers = _loaded(checked, (queries, documents), lexicons, Path(out), threads)
    _check_coverage(switchers, lexicons)
    frame = scan_checked(instances, INSTANCES)
    rows = count_rows(frame)
    shards = [file for file in corpus_files(shards=checked.shards, name=name) if file.endswith(".parquet")]
    with ExitStack() as stack, progress(total=rows, what=f"switching {name}", unit="instances") as bar:
        for shard, file in enumerate(shards):
            path = stack.enter_context(atomic_path(Path(out) / file))
            start, stop = rows * shard // len(shards), rows * (shard + 1) // len(shards)
            parts = read_slices(frame, start, stop, _JOINED_ROWS)
            blocks = (block for part in parts for block in _blocks(part, tables, instances))
            work = partial(_switched, switchers=switchers, bar=bar)
            done = in_order(work, blocks, 1 if checked.substring_replace else threads)
            write_stream(done, path, CORPUS)
        stats = _statistics(rows, switchers)
        if name == "train":
            path = stack.enter_context(atomic_path(Path(out) / "stats.json"))
            path.write_text(json.dumps(stats, sort_keys=True, indent=1) + "\n", encoding="utf-8")
    return stats


def _loaded(
    recipe: Recipe, folders: Sequence[str | Path], lexicons: Mapping[str, str | Path], scratch: Path, threads: int
) -> tuple[dict[str, TokenTable], Switchers]:
    """The token tables and what switches their texts, by side; files are read ``threads`` at a time."""
    languages = [] if recipe.substring_replace else recipe.foreign
    reads: list[Callable[[], Any]] = [
        *(partial(TokenTable.load, folder, scratch, threads) for folder in folders),
        *(partial(read_sources, lexicons[language], recipe.translations) for language in languages),
    ]
    first, second, *read = in_order(_call, reads, threads)
    tables = dict(zip(SIDES, (first, second), strict=True))
    sources = dict(zip(languages, read, strict=True))

    def switcher(side: str) -> Switcher | SubstringSwitcher:
        if recipe.substring_replace:
            return SubstringSwitcher(tables[side], side, recipe, lexicons)
        return Switcher(tables[side], side, recipe, sources)

    return tables, dict(zip(SIDES, in_order(switcher, SIDES, threads), strict=True))


def _call(work: Callable[[], Any]) -> Any:
    return work()


def _check_lexicons(recipe: Recipe, side: str, lexicons: Mapping[str, str | Path]) -> None:
    for language in recipe.choices(side):
        if language != recipe.source and language not in lexicons:
            given = " ".join(sorted(lexicons)) or "none"
            raise UserError("lexicons", language, f"no lexicon for the {side} side (given: {given})", "add its path")


def _check_coverage(switchers: Switchers, lexicons: Mapping[str, str | Path]) -> None:
    covered: dict[str, int] = {}
    for switcher in switchers.values():
        for language, known in switcher.covered.items():
            covered[language] = covered.get(language, 0) + known
    for language, known in covered.items():
        if not known:
            problem = f"it covers nothing: not one word of the texts has a translation into '{language}'"
            raise UserError(lexicons[language], "source", problem, "check its source language and spelling")


def _blocks(part: pl.DataFrame, tables: dict[str, TokenTable], instances: str | Path) -> Iterator[pl.DataFrame]:
    """Cut instances into blocks of about as many words; adds the numbers of the texts as ``query`` and ``passage``."""
    for side, column in zip(SIDES, ("qid", "pid"), strict=True):
        ids = tables[side].ids.rename({"number": side, "id": column})
        part = part.join(ids, on=column, how="left", maintain_order="left")
        missing = part.filter(pl.col(side).is_null())
        if missing.height:
            place = f"instance {missing['instance'][0]}"
            problem = f"no text for {column} '{missing[column][0]}'"
            raise UserError(instances, place, problem, "make the token tables from the same collection")
    words = sum(tables[side].words_per_text[part[side].to_numpy()] for side in SIDES)
    number = np.cumsum(words) // _BLOCK_WORDS
    cuts = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), part.height]
    for start, stop in pairwise(cuts):
        if start < stop:
            yield part[start:stop]


def _switched(block: pl.DataFrame, switchers: Switchers, bar: Any) -> pl.DataFrame:
    instance: NDArray[np.uint64] = block["instance"].to_numpy()
    sides = {}
    for side in SIDES:
        texts: Numbers = block[side].to_numpy()
        sides[side] = switchers[side].switch(texts, instance)
    bar.update(block.height)
    return block.select(
        "qid",
        sides["query"].texts.alias("query"),
        "pid",
        sides["passage"].texts.alias("passage"),
        "label",
        sides["query"].languages.alias("query_lang"),
        sides["passage"].languages.alias("passage_lang"),
    )


def _statistics(rows: int, switchers: Switchers) -> dict[str, Any]:
    sides = {side: switchers[side].counts.report() for side in SIDES}
    return {"instances": rows, **sides, "total": _added(list(sides.values()))}


def _added(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        values = [part[name] for part in parts if name in part]
        total[name] = _added(values) if isinstance(values[0], dict) else sum(values)
    return total
