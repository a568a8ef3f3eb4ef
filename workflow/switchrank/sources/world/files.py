"""What a made-up world is asked for and which files it has: the rules' view of it, free of heavy imports."""

from __future__ import annotations

import re
from typing import Any

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.core.errors import UserError

SPLITS = ("train", "test")
INVENTED = ("qaa", "qab", "qac", "qad")
LAYOUTS = ("plain", "mmarco")
MMARCO_SPLITS = {"train": ("train", "train"), "test": ("dev", "dev.small")}
"""Our split to mMARCO's folder of it and its name in file names."""
DEFAULTS: dict[str, Any] = {
    "seed": 1,
    "languages": ["en", *INVENTED],
    "designs": {},
    "themes": 26,
    "sentences": 45_000,
    "train_queries": 2500,
    "test_queries": 200,
    "train_distractors": 1,
    "test_distractors": 3,
    "layout": "plain",
    "triples": 20,
    "candidates": 1000,
    "vectors": [],
}
"""Every key of a world's spec.

``languages`` (English first): invented ones, or any code that ``designs`` maps to the invented language it is made
after. Such a code lends its name only: ``de`` made after ``qaa`` has words of its own in Georgian letters, and not one
of them is German. ``themes`` of the word list in use, ``sentences`` of monolingual text for each language, queries of
each split, and passages beside the relevant one that speak of the same things.

``layout`` names the files of the search task: ``plain``, or ``mmarco`` for those of MS MARCO and mMARCO, which also
have training triples (``triples``: negatives of a training query) and an English first stage (``candidates``: passages
of a test query). ``vectors``: languages that get aligned vectors (:mod:`switchrank.sources.world.vectors`).
"""
_LEAST = {
    "seed": 0,
    "themes": 2,
    "sentences": 1,
    "train_queries": 1,
    "test_queries": 1,
    "train_distractors": 0,
    "test_distractors": 0,
    "triples": 1,
    "candidates": 1,
}


def complete_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """``spec`` with defaults filled in.

    Raises:
        UserError: an unknown key, design or layout, a language without a design or (for ``mmarco``) a name, English
            not first, a number out of range.
    """
    for key in spec:
        if key not in DEFAULTS:
            raise UserError("world", key, "no such key", "use " + ", ".join(DEFAULTS))
    full = {**DEFAULTS, **spec}
    _check_designs(full["designs"])
    _check_languages(full["languages"], full["designs"])
    _check_layout(full)
    for key, least in _LEAST.items():
        value = full[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise UserError("world", key, f"{value!r}", f"give a whole number of at least {least}")
    return full


def _check_designs(designs: Any) -> None:
    if not isinstance(designs, dict):
        raise UserError("world", "designs", f"{designs!r}", f"map codes to {', '.join(INVENTED)}")
    for code, design in designs.items():
        if code in ("en", *INVENTED):
            raise UserError("world", "designs", f"{code} has its own design", "leave it out")
        if not re.fullmatch("[a-z]{2,3}", code):
            raise UserError("world", "designs", f"{code!r}", "give a code of two or three small letters")
        if design not in INVENTED:
            raise UserError("world", f"designs.{code}", f"{design!r}", f"give one of {', '.join(INVENTED)}")


def _check_languages(languages: Any, designs: dict[str, str]) -> None:
    if not isinstance(languages, list) or languages[:1] != ["en"] or len(languages) < 2:
        raise UserError("world", "languages", f"{languages!r}", "give a list that starts with en")
    known = [*INVENTED, *designs]
    for language in languages[1:]:
        if language not in known or languages.count(language) > 1:
            todo = f"give each of {', '.join(known)} at most once; any other code needs a design (key designs)"
            raise UserError("world", "languages", f"{language!r}", todo)


def _check_layout(full: dict[str, Any]) -> None:
    languages, vectors = full["languages"], full["vectors"]
    if full["layout"] not in LAYOUTS:
        raise UserError("world", "layout", f"{full['layout']!r}", f"give one of {', '.join(LAYOUTS)}")
    for language in languages if full["layout"] == "mmarco" else []:
        if language not in MMARCO_NAMES:
            raise UserError("world", "languages", f"mMARCO has no {language}", f"give {', '.join(MMARCO_NAMES)}")
    if not isinstance(vectors, list) or any(code not in languages or vectors.count(code) > 1 for code in vectors):
        raise UserError("world", "vectors", f"{vectors!r}", f"give each of {', '.join(languages)} at most once")


def world_outputs(spec: dict[str, Any]) -> list[str]:
    """The names of the files of the world, relative to its folder, in a fixed order.

    ``msmarco/`` and ``mmarco/`` are in parallel: collections and queries of all languages share their ids.
    """
    full = complete_spec(spec)
    languages = full["languages"]
    return [
        *(f"text/{language}.txt" for language in languages),
        "dumps/enwiki-page.sql.gz",
        "dumps/enwiki-langlinks.sql.gz",
        *(_mmarco_outputs(languages) if full["layout"] == "mmarco" else _plain_outputs(languages)),
        *(f"vectors/wiki.multi.{language}.vec" for language in full["vectors"]),
        *(f"gold/en-{language}.tsv" for language in languages[1:]),
    ]


def _plain_outputs(languages: list[str]) -> list[str]:
    return [
        *(f"msmarco/collection.{language}.tsv" for language in languages),
        *(f"msmarco/queries.{split}.{language}.tsv" for split in SPLITS for language in languages),
        *(f"msmarco/qrels.{split}.tsv" for split in SPLITS),
        "msmarco/topics.tsv",
    ]


def _mmarco_outputs(languages: list[str]) -> list[str]:
    names = [MMARCO_NAMES[language] for language in languages]
    return [
        *(f"mmarco/collections/{name}_collection.tsv" for name in names),
        *(
            f"mmarco/queries/{folder}/{name}_queries.{called}.tsv"
            for folder, called in MMARCO_SPLITS.values()
            for name in names
        ),
        *(f"mmarco/qrels.{called}.tsv" for _, called in MMARCO_SPLITS.values()),
        "mmarco/triples.train.ids.small.tsv",
        "mmarco/runs/run.bm25_english-msmarco.txt",
        "mmarco/top1000.dev",
    ]
