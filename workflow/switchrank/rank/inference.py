"""Ranking the pairs of a test set with one model; light enough for the command line to import."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from switchrank.core.errors import UserError


@dataclass(frozen=True)
class Inference:
    """How pairs are scored, and how texts become vectors.

    Attributes:
        device: cpu, cuda or cuda:N; exit code 75 without one.
        threads: CPU threads; results are byte-identical for equal threads.
        precision: arithmetic of the model; others than fp32 change scores a little. auto: what the device computes
            faster.
        token_budget: padded tokens per batch; lower it when memory is short. On a CPU fewer if the model is wide.
        max_length: subword tokens per pair, or per text where texts are encoded apart (default: as trained).
        truncation: what is cut of a pair (default: as trained).
    """

    device: str = "cpu"
    threads: int = 1
    precision: Literal["fp32", "bf16", "fp16", "auto"] = "fp32"
    token_budget: int = 16_384
    max_length: int | None = None
    truncation: Literal["longest_first", "only_second"] | None = None

    def of_texts(self, what: str) -> dict[str, Any]:
        """How texts become vectors, as an encoder is opened; raises UserError for what has no meaning with ``what``."""
        if self.truncation is not None:
            raise UserError("rank", "truncation", f"has no meaning with {what}", "leave it out")
        kept = {"device": self.device, "threads": self.threads, "precision": self.precision}
        lengths = None if self.max_length is None else dict.fromkeys(("query", "document"), self.max_length)
        return kept | {"token_budget": self.token_budget, "lengths": lengths}


USUAL = Inference()
Pair = Mapping[str, str]
"""``queries``, ``documents`` and ``candidates`` of a language pair, and the run ``out``; paths."""


def rank_pairs(
    *,
    model: str | Path,
    pairs: Sequence[Pair],
    system: str,
    inference: Inference = USUAL,
    sigmoid_scores: bool = False,
    depth: int | None = None,
    record: str | Path | None = None,
) -> None:
    """Score all pairs of a test set with one model and write one TREC run for each.

    Args:
        model: folder of a trained cross-encoder (Hugging Face, one label).
        pairs: tables of one language pair and the run to write; repeat for every pair.
        system: tag in the last column.
        inference: how pairs are scored.
        sigmoid_scores: compatibility: float32 probabilities instead of logits, ties included.
        depth: documents of a query that a run keeps; default: all candidates.
        record: JSON file to write: how pairs were scored, on what.

    Raises:
        UserError: see :class:`switchrank.rank.score.Reranker`; candidates that name unknown ids; scores not finite.
        NoGpuError: a GPU was asked for and none is there.
    """
    import polars as pl
    import torch

    from switchrank.core.atomic import atomic_path
    from switchrank.core.json_files import write_json
    from switchrank.formats.tables import CANDIDATES, DOCUMENTS, QUERIES, read_table
    from switchrank.formats.trec_writing import write_run
    from switchrank.rank.score import Reranker, TextTable, score_candidates

    check_system(system)
    reranker = Reranker(model, inference)
    queries: dict[str, TextTable] = {}
    for file in dict.fromkeys(str(pair["documents"]) for pair in pairs):
        group = [pair for pair in pairs if str(pair["documents"]) == file]
        lists = [read_table(pair["candidates"], CANDIDATES) for pair in group]
        used = pl.concat([candidates["docid"] for candidates in lists]).unique()
        texts = read_table(file, DOCUMENTS).filter(pl.col("docid").is_in(used.implode()))
        documents = TextTable(reranker, texts["docid"], texts["text"], source=file, what="document")
        for pair, candidates in zip(group, lists, strict=True):
            source = str(pair["queries"])
            if source not in queries:
                texts = read_table(source, QUERIES)
                queries[source] = TextTable(reranker, texts["qid"], texts["text"], source=source, what="query")
            what = f"rank {Path(pair['out']).parent.name}"
            scores = score_candidates(
                reranker, queries[source], documents, candidates, source=pair["candidates"], what=what
            )
            if sigmoid_scores:
                # In float32 they tie near 1, as those of a cross-encoder with its usual activation do.
                probabilities = torch.tensor(scores["score"].to_numpy()).sigmoid().numpy()
                scores = scores.with_columns(pl.Series("score", probabilities))
            write_run(scores, pair["out"], system, depth)
    if record is not None:
        with atomic_path(record) as temporary:
            write_json(temporary, reranker.record())


def check_system(name: str) -> None:
    """Raise UserError for a name that the last column of a run cannot hold."""
    if len(name.split()) != 1:
        raise UserError("rank", "system", f"'{name}' is not one word", "name the system without spaces")
