"""What a made-up world is asked for and which files it has: what rules need to know of it, free of heavy imports."""

import re
from collections.abc import Iterator
from typing import Any

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.core.errors import UserError
from switchrank.sources.world.vocabulary import themes

SPLITS = ("train", "test")
INVENTED = ("qaa", "qab", "qac", "qad")
_LAYOUTS = ("plain", "mmarco")
_MMARCO_SPLITS = {"train": ("train", "train"), "test": ("dev", "dev.small")}
"""mMARCO's folder for each of our splits, and its name in file names."""
_NUMBERS = {
    "seed": (1, 0),
    "themes": (26, 2),
    "sentences": (45_000, 1),
    "train_queries": (2500, 1),
    "test_queries": (200, 1),
    "train_distractors": (1, 0),
    "test_distractors": (3, 0),
    "triples": (20, 1),
    "candidates": (1000, 1),
}
"""Default and least value."""
DEFAULTS: dict[str, Any] = {
    "languages": ["en", *INVENTED],
    "designs": {},
    "layout": "plain",
    "vectors": [],
    **{name: default for name, (default, _) in _NUMBERS.items()},
}
"""Every key of a world's spec.

``languages`` (English first): invented ones, or any code that ``designs`` maps to the invented language it is modelled
on. Such a code is only a name: ``de`` modelled on ``qaa`` has its own words in Georgian letters, none of them German.
``themes`` of the word list in use, ``sentences`` of monolingual text for each language, queries of each split, and
passages beside the relevant one on the same things.

``layout`` names the files of the search task: ``plain``, or ``mmarco`` for those of MS MARCO and mMARCO, which also
have training triples (``triples``: negatives of a training query) and an English first stage (``candidates``: passages
of a test query). ``vectors``: languages that get word vectors aligned from the start.
"""


def complete_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """``spec`` with defaults filled in.

    UserError: an unknown key, design or layout, a language without a design or (for ``mmarco``) a name, English not
    first, a number out of range, more themes than there are.
    """
    full = {**DEFAULTS, **spec}
    for place, problem, todo in _mistakes(full):
        raise UserError("world", place, problem, todo)
    return full


def _mistakes(spec: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a spec: place, problem and what to do. Only the first mistake is to be relied upon."""
    for key in spec:
        if key not in DEFAULTS:
            yield key, "no such key", "use " + ", ".join(DEFAULTS)
    designs, languages, vectors = spec["designs"], spec["languages"], spec["vectors"]
    if not isinstance(designs, dict):
        yield "designs", f"{designs!r}", f"map codes to {', '.join(INVENTED)}"
    for code, design in designs.items():
        if code in ("en", *INVENTED):
            yield "designs", f"{code} has its own design", "leave it out"
        if not re.fullmatch("[a-z]{2,3}", code):
            yield "designs", f"{code!r}", "give a code of two or three small letters"
        if design not in INVENTED:
            yield f"designs.{code}", f"{design!r}", f"give one of {', '.join(INVENTED)}"
    if not isinstance(languages, list) or languages[:1] != ["en"] or len(languages) < 2:
        yield "languages", f"{languages!r}", "give a list that starts with en"
    known = ", ".join([*INVENTED, *designs])
    for language in languages[1:]:
        if language not in (*INVENTED, *designs) or languages.count(language) > 1:
            todo = f"give each of {known} at most once; any other code needs a design (key designs)"
            yield "languages", f"{language!r}", todo
    if spec["layout"] not in _LAYOUTS:
        yield "layout", f"{spec['layout']!r}", f"give one of {', '.join(_LAYOUTS)}"
    for language in languages if spec["layout"] == "mmarco" else []:
        if language not in MMARCO_NAMES:
            yield "languages", f"mMARCO has no {language}", f"give {', '.join(MMARCO_NAMES)}"
    if not isinstance(vectors, list) or any(code not in languages or vectors.count(code) > 1 for code in vectors):
        yield "vectors", f"{vectors!r}", f"give each of {', '.join(languages)} at most once"
    for key, (_, least) in _NUMBERS.items():
        value = spec[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            yield key, f"{value!r}", f"give a whole number of at least {least}"
    if spec["themes"] > len(themes()):
        yield "themes", f"{spec['themes']}", f"give at most {len(themes())}"


def world_outputs(spec: dict[str, Any]) -> list[str]:
    """The names of the world's files, relative to its folder; collections and queries of all languages share ids."""
    full = complete_spec(spec)
    languages = full["languages"]
    return [
        *(f"text/{language}.txt" for language in languages),
        "dumps/enwiki-page.sql.gz",
        "dumps/enwiki-langlinks.sql.gz",
        *search_files(full["layout"], languages).values(),
        *(f"vectors/wiki.multi.{language}.vec" for language in full["vectors"]),
        *(f"gold/en-{language}.tsv" for language in languages[1:]),
    ]


def search_files(layout: str, languages: list[str]) -> dict[tuple[str, ...], str]:
    """The names of the files of the search task, by what they hold and, where there are several, split and language."""
    if layout == "plain":
        return {
            **{("documents", code): f"msmarco/collection.{code}.tsv" for code in languages},
            **{
                ("queries", split, code): f"msmarco/queries.{split}.{code}.tsv"
                for split in SPLITS
                for code in languages
            },
            **{("judgements", split): f"msmarco/qrels.{split}.tsv" for split in SPLITS},
            ("topics",): "msmarco/topics.tsv",
        }
    return {
        **{("documents", code): f"mmarco/collections/{MMARCO_NAMES[code]}_collection.tsv" for code in languages},
        **{
            ("queries", split, code): f"mmarco/queries/{folder}/{MMARCO_NAMES[code]}_queries.{called}.tsv"
            for split, (folder, called) in _MMARCO_SPLITS.items()
            for code in languages
        },
        **{("judgements", split): f"mmarco/qrels.{called}.tsv" for split, (_, called) in _MMARCO_SPLITS.items()},
        ("triples",): "mmarco/triples.train.ids.small.tsv",
        ("run",): "mmarco/runs/run.bm25_english-msmarco.txt",
        ("candidates",): "mmarco/top1000.dev",
    }
