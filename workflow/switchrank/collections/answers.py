"""Relevance by answer string: a document is relevant when it holds one of a question's answers, word for word.

This is how open-domain question answering judges passages (Karpukhin et al. 2020, arXiv 2004.04906, section 5; in the
repository facebookresearch/DPR the function ``has_answer`` with the match type ``string``): the answer's tokens follow
each other in the text. Here tokens are the words of :mod:`switchrank.text.words` under its look-up key, so case and the
punctuation between words never matter.

All answers go into one automaton over words (Aho and Corasick 1975), and each document is read once, however many
questions there are. Memory holds the answers and the judgements found.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
_FOUND = {"answer": pl.Int64, "document": pl.Int64}
_PAIRS = {"query": pl.Int64, "document": pl.Int64}


def answer_words(text: str) -> list[str]:
    """The words of ``text`` as they are compared: UAX 29, caseless, NFC; Han, Thai and kana character by character."""
    words: list[str] = []
    for chunk in text.split():
        words.extend(_known_chunk(chunk) if len(chunk) <= _LONGEST_KEPT else _chunk_words(chunk))
    return words


def _chunk_words(chunk: str) -> tuple[str, ...]:
    """White space always ends a word, so the words of a text are those of its stretches without white space."""
    return tuple(map(key, split_words(chunk)[0]))


_known_chunk = lru_cache(maxsize=2**17)(_chunk_words)


class AnswerMatcher:
    """Finds which of many word sequences, none of them empty, a text holds, in one pass over its words."""

    def __init__(self, answers: Iterable[Sequence[str]]) -> None:
        self._next: list[dict[str, int]] = [{}]
        self._ends: list[list[int]] = [[]]
        for number, words in enumerate(answers):
            state = 0
            for word in words:
                if word not in self._next[state]:
                    self._next[state][word] = len(self._next)
                    self._next.append({})
                    self._ends.append([])
                state = self._next[state][word]
            self._ends[state].append(number)
        self._fail = [0] * len(self._next)
        self._shorter = [0] * len(self._next)
        self._link()

    def _link(self) -> None:
        # breadth first: where to go on when no word fits, and the next shorter answer that ends in a state
        queue = deque(self._next[0].values())
        while queue:
            state = queue.popleft()
            fail = self._fail[state]
            self._shorter[state] = fail if self._ends[fail] else self._shorter[fail]
            for word, following in self._next[state].items():
                self._fail[following] = self._step(fail, word)
                queue.append(following)

    def _step(self, state: int, word: str) -> int:
        while word not in self._next[state]:
            if not state:
                return 0
            state = self._fail[state]
        return self._next[state][word]

    def find(self, words: Iterable[str]) -> list[int]:
        """Numbers of the answers that ``words`` hold, each once, in the order in which they end."""
        found: dict[int, None] = {}
        state = 0
        for word in words:
            following = self._next[state].get(word)
            state = self._step(state, word) if following is None else following
            hit = state if self._ends[state] else self._shorter[state]
            while hit:
                found.update(dict.fromkeys(self._ends[hit]))
                hit = self._shorter[hit]
        return list(found)


def judge_by_answers(
    documents: str | Path, answers: Mapping[str, Sequence[str]], *, what: str | None = None
) -> pl.DataFrame:
    """JUDGEMENTS with relevance 1 for every document that holds an answer, by query, then in the documents' order.

    Args:
        documents: DOCUMENTS of one language, as a reader of this room has written them.
        answers: the answers in that language by query id. Answers without a word are left out and counted.
        what: name of the progress bar; none shows nothing.
    """
    numbers: dict[tuple[str, ...], int] = {}
    asked: list[tuple[int, int]] = []
    blank = 0
    for query, texts in enumerate(answers.values()):
        for text in texts:
            words = tuple(answer_words(text))
            blank += not words
            if words:
                asked.append((query, numbers.setdefault(words, len(numbers))))
    note(what or "answers", blank, "answers left out: they hold no word")
    queries = pl.DataFrame(asked, schema={"query": pl.Int64, "answer": pl.Int64}, orient="row")
    table = pl.scan_parquet(documents)
    held = [
        found.join(queries, on="answer").select("query", "document").unique()
        for found in _search(table, AnswerMatcher(numbers), what)
    ]
    pairs = pl.concat([pl.DataFrame(schema=_PAIRS), *held]).sort("query", "document")
    qids = pl.Series(list(answers), dtype=pl.String)
    docids = table.select("docid").collect()["docid"]
    columns = {"qid": qids.gather(pairs["query"]), "docid": docids.gather(pairs["document"]), "relevance": 1}
    return pl.DataFrame(columns, schema=JUDGEMENTS)


def _search(table: pl.LazyFrame, matcher: AnswerMatcher, what: str | None) -> Iterator[pl.DataFrame]:
    """Yield frames of the columns ``answer`` and ``document`` (its row number), one pair per find."""
    rows = int(table.select(pl.len()).collect().item())
    with progress(total=rows, what=what, unit="doc") as bar:
        for start in range(0, rows, _BATCH):
            texts = table.select("text").slice(start, _BATCH).collect()["text"].to_list()
            found = [matcher.find(answer_words(text)) for text in texts]
            numbers = [number for held in found for number in held]
            places = [start + place for place, held in enumerate(found) for _ in held]
            yield pl.DataFrame({"answer": numbers, "document": places}, schema=_FOUND)
            bar.update(len(texts))
