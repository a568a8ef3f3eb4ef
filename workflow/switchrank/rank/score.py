"""Scoring: a cross-encoder's logit for every candidate of every query, all pairs of a test set in one process."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from switchrank.core.allocator import LARGEST_KEPT, keep_freed_memory
from switchrank.core.errors import UserError
from switchrank.core.precision import is_out_of_memory
from switchrank.core.progress import progress
from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_table
from switchrank.formats.trec_writing import write_run
from switchrank.models.encode import Numbers, Texts, assemble, by_length, read_template, tokenise, truncated
from switchrank.models.packed import ranking_forward
from switchrank.models.ranker import Opened, open_model
from switchrank.rank.inference import USUAL, Inference


class Ranker:
    """A trained model that scores (query, passage) pairs in order of length.

    A batch holds at most ``token_budget`` padded tokens, on a CPU fewer if the model is wide, and always at least one
    pair.
    """

    def __init__(self, opened: Opened, *, token_budget: int) -> None:
        self._opened = opened
        self._budget = min(token_budget, _swift_tokens(opened))
        keep_freed_memory()
        self._forward = ranking_forward(opened.model, opened.dtype)
        self._template = read_template(opened.tokenizer)
        self._room = opened.max_length - self._template.specials
        if self._room < 2:
            raise UserError("rank", "max_length", f"{opened.max_length} leaves no room for two texts", "make it larger")

    @classmethod
    def open(cls, model: str | Path, inference: Inference) -> Ranker:
        """The ranker of a model folder; see :func:`switchrank.models.ranker.open_model`."""
        opened = open_model(
            model,
            device=inference.device,
            threads=inference.threads,
            precision=inference.precision,
            max_length=inference.max_length,
            truncation=inference.truncation,
        )
        return cls(opened, token_budget=inference.token_budget)

    def tokenise(self, texts: Sequence[str], what: str) -> Texts:
        """Token ids of ``texts``."""
        return tokenise(self._opened.tokenizer, texts, limit=self._room, what=what)

    def score(
        self, queries: Texts, passages: Texts, query: Numbers, passage: Numbers, what: str = "rank"
    ) -> NDArray[np.float32]:
        """Logits of pairs ``(query[i], passage[i])``, numbers of texts; float32, shape ``(pairs,)``.

        Raises:
            UserError: a logit is not finite.
        """
        kept = truncated(
            queries.lengths[query], passages.lengths[passage], room=self._room, truncation=self._opened.truncation
        )
        lengths = kept[0] + kept[1] + self._template.specials

        def logits_of(batch: Numbers) -> torch.Tensor:
            left = (queries.ids, queries.starts[query[batch]], kept[0][batch])
            right = (passages.ids, passages.starts[passage[batch]], kept[1][batch])
            inputs = assemble(self._template, left, right)
            return self._forward({name: torch.from_numpy(values) for name, values in inputs.items()}).float()

        logits, numbers = [], []
        with progress(total=len(query), what=what, unit="pairs") as bar, torch.inference_mode():
            for batch, scored in self._as_memory_allows(logits_of, lengths):
                logits.append(scored)
                numbers.append(batch)
                bar.update(len(batch))
        scores = np.empty(len(query), dtype=np.float32)
        if logits:
            scores[np.concatenate(numbers)] = torch.cat(logits).cpu().numpy()
        if not np.isfinite(scores).all():
            raise UserError("rank", "scores", "the model gives scores that are not finite", "rank in fp32, or retrain")
        return scores

    def _as_memory_allows(
        self, logits_of: Callable[[Numbers], torch.Tensor], lengths: Numbers
    ) -> Iterator[tuple[Numbers, torch.Tensor]]:
        """Batches and their logits; a batch that memory does not hold is split, and so are those after it."""
        waiting = list(by_length(lengths, self._budget))[::-1]
        while waiting:
            batch = waiting.pop()
            longest = int(lengths[batch[0]])
            if len(batch) > 1 and len(batch) * longest > self._budget:
                waiting += [batch[part] for part in by_length(lengths[batch], self._budget)][::-1]
                continue
            try:
                scored = logits_of(batch)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                self._halve_budget(len(batch), longest)
                waiting.append(batch)
            else:
                yield batch, scored

    def _halve_budget(self, pairs: int, longest: int) -> None:
        if pairs == 1:
            problem = f"out of memory with one pair of {longest} tokens"
            raise UserError("rank", "max_length", problem, "lower it, or use a device with more memory")
        self._budget = pairs * longest // 2
        if self._opened.device.type == "cuda":
            torch.cuda.empty_cache()
        tqdm.write(f"rank: out of memory: token budget lowered to {self._budget}, going on", file=sys.stderr)


def _swift_tokens(opened: Opened) -> int:
    """How many tokens' widest activations a CPU's allocator keeps for the next batch.

    Zeroing every page of larger ones would be a sixth of the time of ranking.
    """
    width = getattr(opened.model.config, "intermediate_size", None)
    if opened.device.type != "cpu" or not width:
        return sys.maxsize
    size = (opened.dtype or torch.float32).itemsize
    return max(1, LARGEST_KEPT // (int(width) * size))


class TextTable:
    """Texts by id: equal texts share a number, so that each is tokenised once."""

    def __init__(self, ids: Sequence[str], texts: Sequence[str], *, source: str | Path, what: str) -> None:
        numbers: dict[str, int] = {}
        self._rows = {name: numbers.setdefault(text, len(numbers)) for name, text in zip(ids, texts, strict=True)}
        self.texts = list(numbers)
        self._source, self._what = source, what

    def numbers(self, ids: pl.Series, candidates: str | Path) -> Numbers:
        """Text numbers of ``ids``.

        Raises:
            UserError: the candidates name an id that has no text.
        """
        try:
            return np.fromiter((self._rows[name] for name in ids), dtype=np.int64, count=len(ids))
        except KeyError as error:
            todo = f"give the candidates that were made for {self._source}"
            raise UserError(candidates, f"{self._what} {error.args[0]}", "not in the texts", todo) from error


def score_candidates(
    ranker: Ranker,
    queries: tuple[TextTable, Texts],
    documents: tuple[TextTable, Texts],
    candidates: pl.DataFrame,
    *,
    source: str | Path,
    what: str,
) -> pl.DataFrame:
    """Scores of CANDIDATES, read from ``source``, as ``qid docid score``.

    Equal pairs of texts are scored once and so tie exactly.
    """
    query = queries[0].numbers(candidates["qid"], source)
    passage = documents[0].numbers(candidates["docid"], source)
    width = max(1, len(documents[0].texts))
    distinct, inverse = np.unique(query * width + passage, return_inverse=True)
    scores = ranker.score(queries[1], documents[1], distinct // width, distinct % width, what=what)
    return candidates.select("qid", "docid", pl.Series("score", scores[inverse]))


def sigmoid(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Float32 probabilities of logits: they tie near 1, as scores of a cross-encoder with its usual activation do."""
    squashed: NDArray[np.float32] = torch.tensor(scores).sigmoid().numpy()
    return squashed


def rank_pairs(
    *,
    model: str | Path,
    pairs: list[dict[str, str]],
    system: str,
    inference: Inference = USUAL,
    sigmoid_scores: bool = False,
    depth: int | None = None,
) -> None:
    """Score all pairs of a test set with one model and write one TREC run for each.

    Args:
        model: Hugging Face folder of a cross-encoder with one label.
        pairs: ``{"queries": QUERIES, "documents": DOCUMENTS, "candidates": CANDIDATES, "out": run}``, paths. Pairs that
            share a documents file are done together: each file is read, and each of its texts tokenised, once.
        system: tag in the run's last column.
        inference: how pairs are scored.
        depth: documents of a query that a run keeps; default: all candidates.
        sigmoid_scores: write float32 probabilities instead of logits, ties included, as the original experiments did.

    Raises:
        UserError: see :func:`switchrank.models.ranker.open_model`; candidates that name unknown ids; scores not finite.
        NoGpuError: a GPU was asked for and none is there.
    """
    if len(system.split()) != 1:
        raise UserError("rank", "system", f"'{system}' is not one word", "name the system without spaces")
    ranker = Ranker.open(model, inference)
    queries: dict[str, tuple[TextTable, Texts]] = {}
    for file in dict.fromkeys(str(pair["documents"]) for pair in pairs):
        group = [pair for pair in pairs if str(pair["documents"]) == file]
        lists = [read_table(pair["candidates"], CANDIDATES) for pair in group]
        documents = _load_texts(ranker, file, pl.concat([frame["docid"] for frame in lists]), "docid")
        for pair, candidates in zip(group, lists, strict=True):
            asked = str(pair["queries"])
            if asked not in queries:
                queries[asked] = _load_texts(ranker, asked, None, "qid")
            source, what = pair["candidates"], f"rank {Path(pair['out']).parent.name}"
            scores = score_candidates(ranker, queries[asked], documents, candidates, source=source, what=what)
            if sigmoid_scores:
                scores = scores.with_columns(pl.Series("score", sigmoid(scores["score"].to_numpy())))
            write_run(scores, pair["out"], system, depth)


def _load_texts(ranker: Ranker, path: str, used: pl.Series | None, column: str) -> tuple[TextTable, Texts]:
    frame = read_table(path, DOCUMENTS if column == "docid" else QUERIES)
    if used is not None:
        frame = frame.filter(pl.col(column).is_in(used.unique().implode()))
    what = "document" if column == "docid" else "query"
    table = TextTable(frame[column].to_list(), frame["text"].to_list(), source=path, what=what)
    return table, ranker.tokenise(table.texts, f"tokenise {Path(path).name}")
