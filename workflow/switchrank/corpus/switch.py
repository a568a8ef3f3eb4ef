"""Switched corpora: instances with their texts, code-switched by recipe, as parquet shards and their statistics."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from switchrank.core.atomic import atomic_path
from switchrank.core.errors import UserError
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.corpus.files import corpus_files, write_statistics
from switchrank.formats.streams import count_rows, in_order, portions, read_slices, write_stream
from switchrank.formats.tables import CORPUS, INSTANCES, scan_table
from switchrank.switching.recipe import SIDES, Recipe, read_recipe
from switchrank.switching.switcher import Switcher, language_names, side_report, text_languages
from switchrank.switching.table import TokenTable, join_pieces, read_sources
from switchrank.text.stop_words import stopwords

LONGEST = 3
"""Words of the longest n-gram that is looked up."""


def replace_strings(text: str, titles: Mapping[str, str], left_out: Collection[str]) -> tuple[str, NDArray[np.bool_]]:
    """The lower-cased text with ``titles`` (by lower-case string) replaced, save those ``left_out``, and which of its
    words, split at white space, are part of one."""
    text = text.lower()
    words = text.split()
    spans = [(start, stop) for start in range(len(words)) for stop in range(start + 1, start + 1 + LONGEST)]
    grams = {(start, stop): " ".join(words[start:stop]) for start, stop in spans if stop <= len(words)}
    matched = {span: gram for span, gram in grams.items() if gram in titles and gram not in left_out}
    for gram in sorted(matched.values(), key=len, reverse=True):
        text = text.replace(gram, titles[gram])
    found = np.zeros(len(words), dtype=bool)
    for start, stop in matched:
        found[start:stop] = True
    return text, found


class SubstringSwitcher:
    """Compatibility: a switcher that replaces strings in lower-cased text, as the original Wiki-CS experiments did.

    A key also matches inside a word, later replacements rewrite earlier ones, and a word that punctuation touches is
    not found (Litschko et al. 2023, ``codeswitch_wiki_1.ipynb``).
    """

    def __init__(self, table: TokenTable, side: str, recipe: Recipe, sources: Mapping[str, pl.DataFrame]) -> None:
        self._table, self._side, self._recipe = table, side, recipe
        self._foreign = [language for language in recipe.choices(side) if language != recipe.source]
        best = (sources[language].select("source", pl.col("targets").list.first()) for language in self._foreign)
        self._titles = [dict(rows.iter_rows()) for rows in best]
        self._stop = stopwords(recipe.source)
        known = set(table.keys)
        self.covered = {
            language: len(known.intersection(word for title in titles for word in title.split()))
            for language, titles in zip(self._foreign, self._titles, strict=True)
        }
        self._totals = np.zeros(3, dtype=np.int64)
        self._counts = np.zeros((3, len(self._foreign)), dtype=np.int64)

    def report(self) -> dict[str, Any]:
        return side_report(self._foreign, self._totals.tolist(), self._counts)

    def switch(self, texts: Numbers, instances: NDArray[np.uint64]) -> pl.Series:
        words = self._table.words(texts)
        plain = join_pieces(self._table.strings, words.pieces, 2 * words.per_text + 1)
        drawn = text_languages(self._recipe, self._side, instances)
        language = np.zeros(len(texts), np.int64) if drawn is None else drawn
        done = [self._one(text, number) for text, number in zip(plain, language.tolist(), strict=True)]
        return pl.Series("text", done, dtype=pl.String)

    def _one(self, text: str, language: int) -> str:
        stays = language >= len(self._foreign)
        titles = {} if stays else self._titles[language]
        switched, found = replace_strings(text, titles, self._stop if self._recipe.drop_stopwords else ())
        words = text.lower().split()
        content = np.array([word not in self._stop for word in words], dtype=bool)
        self._totals += [1, len(words), content.sum()]
        known = [sum(word in titles for word in words if word not in self._stop) for titles in self._titles]
        self._counts[2] += np.array(known, dtype=np.int64)
        if not stays:
            self._counts[:2, language] += [found.sum(), (found & content).sum()]
        return text if stays else switched


_BLOCK_WORDS = 100_000
"""Words of a block; small enough that its arrays stay in the processor's cache."""
_JOINED_ROWS = 1 << 20


def switch_corpus(
    *,
    instances: str | Path,
    queries: str | Path,
    documents: str | Path,
    out: str | Path,
    lexicons: Mapping[str, str | Path] | None = None,
    recipe: dict[str, Any],
    name: str = "train",
    limit: int | None = None,
    threads: int = 1,
) -> dict[str, Any]:
    """Write the corpus (``CORPUS``, in instance order) that ``recipe`` makes of ``instances``.

    Words are looked up by their key. A lexicon source of several words is matched where nothing but white space is
    between them, the longest first, then the leftmost, and is replaced as a whole. Everything else keeps its bytes. A
    word that the drawn language does not know stays; there is no second draw.

    Args:
        instances: instances (parquet).
        queries: token table folder of the queries.
        documents: token table folder of the documents.
        out: the folder to write into (:func:`switchrank.corpus.files.corpus_files`).
        lexicons: a lexicon; repeat to mix languages.
        recipe: see :func:`switchrank.switching.recipe.read_recipe`. BL-CS: ``{"p": .5, "sides": {"query": "de",
            "passage": "it"}}``; ML-CS: both sides ``xx`` and ``languages``; Wiki-CS: ML-CS with ``"p": 1, "mix":
            "instance", "drop_stopwords": true`` over title lexicons. Both sides the source language: plain text.
        name: 'train' (shards, stats.json) or one file.
        limit: stop after this many instances.
        threads: blocks of texts at a time; the result does not depend on it.

    Returns:
        ``instances``, and for ``query``, ``passage`` and ``total`` the counts of
        :func:`switchrank.switching.switcher.side_report`: words once per instance, a replaced phrase as its words.

    Raises:
        UserError: a file is missing or of another schema, an instance's text is missing, the recipe is wrong, or a
            lexicon is missing or covers no word of the texts it is for.
    """
    lexicons = lexicons or {}
    inputs = Inputs(instances, queries, documents, lexicons, read_recipe(recipe, list(lexicons)))
    switching = Switching(inputs, Path(out), threads)
    rows = switching.rows if limit is None else min(limit, switching.rows)
    shards = [file for file in corpus_files(shards=inputs.recipe.shards, name=name) if file.endswith(".parquet")]
    with ExitStack() as stack, progress(total=rows, what=f"switching {name}", unit="instances") as bar:
        for shard, file in enumerate(shards):
            path = stack.enter_context(atomic_path(Path(out) / file))
            start, stop = rows * shard // len(shards), rows * (shard + 1) // len(shards)
            write_stream(switching.corpus(start, stop, threads, bar), path, CORPUS)
        stats = switching.statistics(rows)
        if name == "train":
            write_statistics(stats, stack.enter_context(atomic_path(Path(out) / "stats.json")))
    return stats


@dataclass(frozen=True)
class Inputs:
    """What a corpus is switched from: files, folders of token tables, lexicons by language, and the whole recipe."""

    instances: str | Path
    queries: str | Path
    documents: str | Path
    lexicons: Mapping[str, str | Path]
    recipe: Recipe


class Switching:
    """Instances, ``rows`` of them, their texts, and what switches these; errors are those of :func:`switch_corpus`.

    Token tables and lexicons are read when it is made, into nameless files in the folder ``scratch``.
    """

    def __init__(self, inputs: Inputs, scratch: Path, threads: int = 1) -> None:
        self._inputs, recipe, lexicons = inputs, inputs.recipe, inputs.lexicons
        for side in SIDES:
            for language in recipe.choices(side):
                if language != recipe.source and language not in lexicons:
                    given = " ".join(sorted(lexicons)) or "none"
                    problem = f"no lexicon for the {side} side (given: {given})"
                    raise UserError("lexicons", language, problem, "add its path")
        scratch.mkdir(parents=True, exist_ok=True)
        reads: list[Callable[[], Any]] = [
            *(partial(TokenTable.load, folder, scratch, threads) for folder in (inputs.queries, inputs.documents)),
            *(partial(read_sources, lexicons[language], recipe.translations) for language in recipe.foreign),
        ]
        first, second, *read = in_order(lambda reading: reading(), reads, threads)
        tables = self._tables = dict(zip(SIDES, (first, second), strict=True))
        sources = dict(zip(recipe.foreign, read, strict=True))
        kind = SubstringSwitcher if recipe.substring_replace else Switcher
        switchers = in_order(lambda side: kind(tables[side], side, recipe, sources), SIDES, threads)
        self._switchers = dict(zip(SIDES, switchers, strict=True))
        for language in recipe.foreign:
            if not any(one.covered.get(language) for one in self._switchers.values()):
                problem = f"it covers nothing: not one word of the texts has a translation into '{language}'"
                raise UserError(lexicons[language], "source", problem, "check its source language and spelling")
        self._frame = scan_table(inputs.instances, INSTANCES)
        self.rows = count_rows(self._frame)

    def parts(self, start: int, stop: int) -> Iterator[pl.DataFrame]:
        """Instances, part by part, with the numbers of their texts, ``query`` and ``passage``; UserError for none."""
        for part in read_slices(self._frame, start, stop, _JOINED_ROWS):
            for side, column in zip(SIDES, ("qid", "pid"), strict=True):
                ids = self._tables[side].ids.rename({"number": side, "id": column})
                part = part.join(ids, on=column, how="left", maintain_order="left")
                missing = part.filter(pl.col(side).is_null())
                if missing.height:
                    place = f"instance {missing['instance'][0]}"
                    problem = f"no text for {column} '{missing[column][0]}'"
                    todo = "make the token tables from the same collection"
                    raise UserError(self._inputs.instances, place, problem, todo)
            yield part

    def blocks(self, part: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """Cut instances of :meth:`parts` into blocks of about :data:`_BLOCK_WORDS` words."""
        words = sum(self._tables[side].words_per_text[part[side].to_numpy()] for side in SIDES)
        return portions(part, words, _BLOCK_WORDS)

    def switched(self, block: pl.DataFrame) -> dict[str, pl.Series]:
        """By side, the switched texts of a block of instances."""
        instances = _numbers(block)
        return {side: self._switchers[side].switch(block[side].to_numpy(), instances) for side in SIDES}

    def forget_ids(self) -> None:
        """Free the ids of the texts, when the numbers of all that are wanted are known."""
        for table in self._tables.values():
            table.ids = table.ids.clear()

    def corpus(self, start: int, stop: int, threads: int, bar: Any) -> Iterator[pl.DataFrame]:
        """The corpus (``CORPUS``), block by block in instance order, ``threads`` at a time; ``bar`` counts them."""

        def work(block: pl.DataFrame) -> pl.DataFrame:
            texts, recipe, instances = self.switched(block), self._inputs.recipe, _numbers(block)
            bar.update(block.height)
            languages = {f"{side}_lang": language_names(recipe, side, instances) for side in SIDES}
            return block.with_columns(**texts, **languages).select(CORPUS.keys())

        blocks = (block for part in self.parts(start, stop) for block in self.blocks(part))
        return in_order(work, blocks, 1 if self._inputs.recipe.substring_replace else threads)

    def statistics(self, rows: int) -> dict[str, Any]:
        """What was switched so far, ``rows`` instances; see :func:`switch_corpus`."""
        sides = {side: self._switchers[side].report() for side in SIDES}
        return {"instances": rows, **sides, "total": _added(list(sides.values()))}


def _numbers(block: pl.DataFrame) -> NDArray[np.uint64]:
    return block["instance"].cast(pl.UInt64).to_numpy()


def _added(parts: list[dict[str, Any]]) -> dict[str, Any]:
    total: dict[str, Any] = {}
    for name in dict.fromkeys(name for part in parts for name in part):
        values = [part[name] for part in parts if name in part]
        total[name] = _added(values) if isinstance(values[0], dict) else sum(values)
    return total
