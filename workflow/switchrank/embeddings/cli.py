"""``switchrank embeddings``: read, train, align or keep word vectors."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from switchrank.core.command import Command, Group


def read(
    *,
    path: str | Path,
    out: str | Path,
    max_words: int | None = None,
    extra_words: str | None = None,
    no_cache: bool = False,
) -> None:
    """A file of word vectors becomes a vector store.

    Words are kept as they are; the vectors are made unit length, and the lengths that they had are kept beside them.

    Args:
        path: text (.vec, GloVe), word2vec or fastText .bin; .gz or .xz too.
        out: writes PREFIX.words.parquet and PREFIX.npy.
        max_words: stop after this many words.
        extra_words: a word a line: fastText .bin makes vectors for them too.
        no_cache: read the file even if it was read before; keep nothing.
    """
    from switchrank.core.cache import cache_folder
    from switchrank.embeddings.read import import_vectors

    cache = None if no_cache else cache_folder()
    import_vectors(path=path, out=out, max_words=max_words, extra_words=extra_words, cache=cache)


def _seed_pairs(given: str) -> dict[str, str]:
    if given == "identical":
        return {"kind": "identical"}
    return {"kind": "lexicon" if given.endswith(".parquet") else "dictionary", "path": given}


def _store(given: Mapping[str, Any]) -> list[Path]:
    from switchrank.formats.vectors import vector_files

    return list(vector_files(given["out"]))


def _recorded_store(given: Mapping[str, Any]) -> list[Path]:
    return [*_store(given), Path(f"{given['out']}.json")]


_PREFIXES = {"vectors": "PREFIX", "target": "PREFIX", "out": "PREFIX"}

COMMANDS = Group(
    {
        "read": Command(read, writes=_store, forms={"out": "PREFIX", "extra_words": "FILE"}),
        "train": Command(
            "embeddings.train:train_vectors",
            "train fastText skip-gram vectors on text",
            writes=_store,
            forms={"out": "PREFIX", "segmenter": "segmenter:NAME"},
        ),
        "align": Command(
            "embeddings.align:align_vectors",
            "turn vectors into the space of other vectors",
            writes=_recorded_store,
            forms=_PREFIXES | {"seed_pairs": "FILE"},
            reads={"seed_pairs": _seed_pairs},
        ),
        "keep": Command(
            "embeddings.keep:keep_vectors",
            "copy a store that is in the right space already",
            writes=_recorded_store,
            forms=_PREFIXES,
        ),
    }
)
