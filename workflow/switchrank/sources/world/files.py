"""What a made-up world is asked for and which files it has: the rules' view of it, free of heavy imports."""

from __future__ import annotations

from typing import Any

from switchrank.errors import UserError

SPLITS = ("train", "test")
INVENTED = ("qaa", "qab", "qac", "qad")
DEFAULTS: dict[str, Any] = {
    "seed": 1,
    "languages": ["en", *INVENTED],
    "themes": 26,
    "sentences": 45_000,
    "train_queries": 2500,
    "test_queries": 200,
    "train_distractors": 1,
    "test_distractors": 3,
}
"""Every key of a world's spec: languages (English first), themes of the word list in use, sentences of monolingual
text for each language, queries of each split, and passages beside the relevant one that speak of the same things."""
_LEAST = {
    "seed": 0,
    "themes": 2,
    "sentences": 1,
    "train_queries": 1,
    "test_queries": 1,
    "train_distractors": 0,
    "test_distractors": 0,
}


def complete_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """``spec`` with defaults filled in.

    Raises:
        UserError: an unknown key, an unknown language, English not first, a number out of range.
    """
    for key in spec:
        if key not in DEFAULTS:
            raise UserError("world", key, "no such key", "use " + ", ".join(DEFAULTS))
    full = {**DEFAULTS, **spec}
    languages = full["languages"]
    if not isinstance(languages, list) or languages[:1] != ["en"] or len(languages) < 2:
        raise UserError("world", "languages", f"{languages!r}", "give a list that starts with en")
    for language in languages[1:]:
        if language not in INVENTED or languages.count(language) > 1:
            raise UserError(
                "world", "languages", f"{language!r}", "give each of " + ", ".join(INVENTED) + " at most once"
            )
    for key, least in _LEAST.items():
        value = full[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise UserError("world", key, f"{value!r}", f"give a whole number of at least {least}")
    return full


def world_outputs(spec: dict[str, Any]) -> list[str]:
    """The names of the files of the world, relative to its folder, in a fixed order.

    ``msmarco/`` is in parallel: collections and queries of all languages share their ids.
    """
    languages = complete_spec(spec)["languages"]
    return [
        *(f"text/{language}.txt" for language in languages),
        "dumps/enwiki-page.sql.gz",
        "dumps/enwiki-langlinks.sql.gz",
        *(f"msmarco/collection.{language}.tsv" for language in languages),
        *(f"msmarco/queries.{split}.{language}.tsv" for split in SPLITS for language in languages),
        *(f"msmarco/qrels.{split}.tsv" for split in SPLITS),
        "msmarco/topics.tsv",
        *(f"gold/en-{language}.tsv" for language in languages[1:]),
    ]
