"""A cross-encoder's logit for every candidate of every query."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from switchrank.core.allocator import keep_freed_memory, swift_tokens
from switchrank.core.errors import UserError
from switchrank.core.instructions import computed_on
from switchrank.core.precision import PRECISIONS, find_devices, find_precision, is_out_of_memory
from switchrank.core.progress import progress
from switchrank.core.ragged import Numbers
from switchrank.models.encode import Texts, assemble, by_length, read_template, tokenise, truncated
from switchrank.models.folder import TRAINING_RECORD
from switchrank.models.packed import ranking_forward
from switchrank.models.pretrained import longest_input, open_both
from switchrank.rank.inference import USUAL, Inference

_TRUNCATIONS = ("longest_first", "only_second")


class Reranker:
    """A trained model that scores (query, passage) pairs in order of length. Sets torch's number of CPU threads.

    What ``inference`` leaves open of ``max_length`` and ``truncation`` is as the model was trained (``train.json``),
    else the longest pair its position embeddings hold and ``longest_first``. The attributes say what applies.

    Raises:
        UserError: no model folder, one that is damaged or no ranker (:func:`switchrank.models.pretrained.open_both`),
            an unknown device, precision or truncation.
        NoGpuError: a GPU was asked for and none is there.
    """

    def __init__(self, model: str | Path, inference: Inference = USUAL) -> None:
        (self._device,) = find_devices(inference.device, 1)
        if inference.precision not in (*PRECISIONS, "auto"):
            problem = f"unknown value {inference.precision}"
            raise UserError("rank", "precision", problem, "write fp32, bf16, fp16 or auto")
        torch.set_num_threads(max(1, inference.threads))
        opened, self._tokenizer = open_both(model, new_head=False, device=self._device)
        self.precision = find_precision(inference.precision, self._device, getattr(opened.config, "hidden_size", None))
        dtype = PRECISIONS[self.precision]
        trained, longest = _trained_with(Path(model)), longest_input(self._tokenizer, opened.config)
        self.max_length = min(inference.max_length or trained.get("max_length") or longest, longest)
        self.truncation = inference.truncation or trained.get("truncation") or _TRUNCATIONS[0]
        if self.truncation not in _TRUNCATIONS:
            problem = f"unknown value {self.truncation}"
            raise UserError(model, "truncation", problem, f"write {' or '.join(_TRUNCATIONS)}")
        itemsize = (dtype or torch.float32).itemsize
        self._budget = min(inference.token_budget, swift_tokens(opened.config, self._device.type, itemsize))
        keep_freed_memory()
        self._forward = ranking_forward(opened.eval().to(self._device), dtype)
        self._template = read_template(self._tokenizer)
        self._unknown = self._tokenizer.unk_token_id
        self._room = self.max_length - self._template.specials
        if self._room < 2:
            raise UserError("rank", "max_length", f"{self.max_length} leaves no room for two texts", "make it larger")

    def record(self) -> dict[str, Any]:
        """What scores depend on besides model and texts, JSON-plain."""
        return {
            **computed_on(self._device),
            "max_length": self.max_length,
            "precision": self.precision,
            "threads": torch.get_num_threads(),
            "truncation": self.truncation,
        }

    def tokenise(self, texts: Sequence[str], source: str | Path) -> Texts:
        """Pieces of texts; how many of them the model does not know is said on stderr, if any."""
        tokens = tokenise(self._tokenizer, texts, limit=self._room, what=f"tokenise {Path(source).name}")
        if unknown := int((tokens.ids == self._unknown).sum()):
            share = f"{unknown:,} of {len(tokens.ids):,} pieces ({unknown / len(tokens.ids):.2%})"
            tqdm.write(f"{source}: {share} are unknown to the model", file=sys.stderr)
        return tokens

    def logits(self, query: str, passages: Sequence[str]) -> NDArray[np.float32]:
        """Logits of passages for one query, float32 ``(passages,)``; nothing is said on stderr.

        >>> ranker = Reranker("results/demo/models/ml-cs/xx-xx/seed1")  # doctest: +SKIP
        >>> ranker.logits("Wer schrieb Faust?", ["Goethe finished Faust in 1831.", "The Rhine is long."])
        array([ 4.1, -2.3], dtype=float32)
        """
        left, right = (tokenise(self._tokenizer, texts, limit=self._room) for texts in ([query], passages))
        numbers = np.arange(len(passages))
        return self.score(left, right, np.zeros_like(numbers), numbers, what=None)

    def score(
        self, queries: Texts, passages: Texts, query: Numbers, passage: Numbers, what: str | None = "rank"
    ) -> NDArray[np.float32]:
        """Logits of pairs ``(query[i], passage[i])``, numbers of texts; float32, shape ``(pairs,)``."""
        sides = queries.take(query), passages.take(passage)
        left, right = truncated(*sides, room=self._room, truncation=self.truncation)
        lengths = left.lengths + right.lengths + self._template.specials

        def logits_of(batch: Numbers) -> torch.Tensor:
            inputs = assemble(self._template, left.take(batch), right.take(batch))
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
        if self._device.type == "cuda":
            torch.cuda.empty_cache()
        tqdm.write(f"rank: out of memory: token budget lowered to {self._budget}, going on", file=sys.stderr)


def _trained_with(folder: Path) -> dict[str, Any]:
    record = folder / TRAINING_RECORD
    if not record.is_file():
        return {}
    try:
        return dict(json.loads(record.read_text(encoding="utf-8")).get("params", {}))
    except (ValueError, TypeError, AttributeError) as error:
        problem = f"not a training record ({error})"
        raise UserError(record, "", problem, "delete it, or train the model again") from error


class TextTable:
    """Texts by id, tokenised: equal texts share a number, so that each is tokenised and kept once."""

    def __init__(
        self, reranker: Reranker, ids: Iterable[str], texts: Iterable[str], *, source: str | Path, what: str
    ) -> None:
        numbers: dict[str, int] = {}
        self._rows = {name: numbers.setdefault(text, len(numbers)) for name, text in zip(ids, texts, strict=True)}
        self._source, self._what = source, what
        self.tokens = reranker.tokenise(list(numbers), source)

    def __len__(self) -> int:
        return len(self.tokens.starts)

    def numbers(self, ids: pl.Series, candidates: str | Path) -> Numbers:
        """Text numbers of ``ids``; raises UserError where ``candidates`` name an id that has no text."""
        try:
            return np.fromiter((self._rows[name] for name in ids), dtype=np.int64, count=len(ids))
        except KeyError as error:
            todo = f"give the candidates that were made for {self._source}"
            raise UserError(candidates, f"{self._what} {error.args[0]}", "not in the texts", todo) from error


def score_candidates(
    reranker: Reranker,
    queries: TextTable,
    documents: TextTable,
    candidates: pl.DataFrame,
    *,
    source: str | Path,
    what: str,
) -> pl.DataFrame:
    """Scores of CANDIDATES from ``source`` as ``qid docid score``; equal pairs of texts are scored once and tie."""
    query = queries.numbers(candidates["qid"], source)
    passage = documents.numbers(candidates["docid"], source)
    width = max(1, len(documents))
    distinct, inverse = np.unique(query * width + passage, return_inverse=True)
    scores = reranker.score(queries.tokens, documents.tokens, distinct // width, distinct % width, what=what)
    return candidates.select("qid", "docid", pl.Series("score", scores[inverse]))
