"""``switchrank embeddings``: read, train, align or keep word vectors, or encode words."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.core.command import Command, Group
from switchrank.core.errors import UserError


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


def encode(
    *,
    model: str,
    out: str | Path,
    words: str | None = None,
    texts: Sequence[str] = (),
    max_words: int | None = None,
    language: str = "",
    vocabulary: str | None = None,
    threads: int = 1,
) -> None:
    """Vectors of words by a pretrained encoder, each word by itself.

    Stores of two languages by the same model are in one space: lexicon induce takes them as they are.

    Args:
        model: one of ``switchrank models``, a folder, or a hub name.
        out: writes PREFIX.words.parquet, PREFIX.npy and PREFIX.json.
        words: a word a line (its first column), the most frequent first; or the .words.parquet of a store.
        texts: instead: tables of documents (.parquet), whose words are counted.
        max_words: only the most frequent words.
        language: texts: code of the language; lower case depends on it.
        vocabulary: texts without spaces: segmenter:NAME, or a store whose words they are cut into.
        threads: CPU threads; equal ones give equal bytes.
    """
    from switchrank.embeddings.encode import encode_words, frequent_words, listed_words
    from switchrank.models.catalogue import entry_of
    from switchrank.models.obtain import obtained

    if (words is None) == (not texts):
        problem = "both given" if words else "none of them given"
        raise UserError("command line", "--words, --texts", problem, "name a list of words, or texts to count them in")
    entry = entry_of(model)
    if entry and (refusal := entry.no_encoder()):
        raise UserError("command line", "--model", refusal, "see `switchrank models`")
    if words:
        found = listed_words(words, max_words)
    else:
        found = frequent_words(texts, max_words, language=language, vocabulary=vocabulary)
    with obtained(entry.plain() if entry else model) as opened:
        encode_words(model=opened, words=found, out=out, threads=threads)


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
        "encode": Command(encode, writes=_recorded_store, forms={"out": "PREFIX", "words": "FILE"}),
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
