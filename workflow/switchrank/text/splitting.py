"""The word splitter of a language."""

from pathlib import Path

from switchrank.formats.tables import WORDS, read_table
from switchrank.formats.vectors import vector_files
from switchrank.text.segmenters import PREFIX, load_segmenter
from switchrank.text.words import Segmenter, Splitter, split_words


def language_splitter(vocabulary: str | Path | None) -> Splitter:
    """The word splitter of a language, for vectors, lexicons, switching, BM25 and tables alike.

    ``vocabulary`` is None for words by Unicode rules (UAX 29); for text without spaces ``segmenter:NAME``, or the
    prefix of a vector store for longest matches of its words. UserError if it is missing or not installed.
    """
    if vocabulary is None:
        return split_words
    if str(vocabulary).startswith(PREFIX):
        return load_segmenter(str(vocabulary))
    return Segmenter(read_table(vector_files(vocabulary)[0], WORDS)["word"])
