"""Relevance by answer string: a document is relevant when it holds one of a question's answers, word for word.

This is how open-domain question answering judges passages (Karpukhin et al. 2020, arXiv 2004.04906, section 5; in the
repository facebookresearch/DPR the function ``has_answer`` with the match type ``string``): the answer's tokens follow
each other in the text. Here tokens are the words of :mod:`switchrank.text.words` under its look-up key, so case and the
punctuation between words never matter.

All answers are looked for at once (Aho and Corasick 1975), and each document is read once, however many questions there
are. Memory holds the answers and the judgements found.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import polars as pl

from switchrank.collections.notes import note
from switchrank.core.progress import progress
from switchrank.formats.tables import JUDGEMENTS
from switchrank.text.words import key, split_words

_BATCH = 20_000
_LONGEST_KEPT = 32
"""Longer stretches without white space (unspaced scripts, addresses) hardly come again: they are not remembered."""
_PAIRS = {"query": pl.Int64, "document": pl.UInt32}


def answer_words(text: str) -> list[str]:
    """The words of ``text`` as they are compared: UAX 29, caseless, NFC; Han, Thai and kana character by character."""
    chunks = (_known_chunk(chunk) if len(chunk) <= _LONGEST_KEPT else _chunk_words(chunk) for chunk in text.split())
    return [word for words in chunks for word in words]


def _chunk_words(chunk: str) -> tuple[str, ...]:
    """White space always ends a word, so the words of a text are those of its stretches without white space."""
    return tuple(map(key, split_words(chunk)[0]))


_known_chunk = lru_cache(maxsize=2**17)(_chunk_words)


def _spaced(text: str) -> str:
    """The words of ``text``, each between two spaces: there an answer is a part of a text if its words are."""
    return f" {' '.join(answer_words(text))} "


def judge_by_answers(
    documents: str | Path, answers: Mapping[str, Sequence[str]], *, what: str | None = None
) -> pl.DataFrame:
    """JUDGEMENTS with relevance 1 for every document that holds an answer, by query, then in the documents' order.

    Args:
        documents: DOCUMENTS of one language, as a reader of this room has written them.
        answers: the answers in that language by query id. Answers without a word are left out and counted.
        what: name of the progress bar; none shows nothing.
    """
    given = [(query, _spaced(text)) for query, texts in enumerate(answers.values()) for text in texts]
    asked = pl.DataFrame(given, schema={"query": pl.Int64, "answer": pl.String}, orient="row")
    asked = asked.filter(pl.col("answer").str.strip_chars() != "")
    note(what or "answers", len(given) - len(asked), "answers left out: they hold no word")
    wanted = asked["answer"].unique(maintain_order=True).implode()
    table = pl.scan_parquet(documents)
    docids = table.select("docid").collect()["docid"]
    held = [pl.DataFrame(schema=_PAIRS)]
    with progress(total=len(docids), what=what, unit="doc") as bar:
        for start in range(0, len(docids), _BATCH):
            texts = table.select("text").slice(start, _BATCH).collect()["text"]
            words = pl.Series("answer", map(_spaced, texts), dtype=pl.String)
            found = words.str.extract_many(wanted, overlapping=True).to_frame().with_row_index("document", start)
            held.append(found.explode("answer").unique().join(asked, on="answer").select(list(_PAIRS)).unique())
            bar.update(len(texts))
    pairs = pl.concat(held).sort("query", "document")
    qids = pl.Series(list(answers), dtype=pl.String)
    columns = {"qid": qids.gather(pairs["query"]), "docid": docids.gather(pairs["document"]), "relevance": 1}
    return pl.DataFrame(columns, schema=JUDGEMENTS)
