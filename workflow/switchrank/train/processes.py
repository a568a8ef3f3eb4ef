"""The processes of one training run, called ranks: what share each has, and what they add up.

Every rank holds the whole model, computes the gradients of its share of each step, and takes the same optimiser step
with the sum of all. Sums go through gloo between CPUs and NCCL between GPUs; decisions always through gloo, so that no
process waits for its GPU. Torch's DistributedDataParallel would average over ranks, which is another loss wherever
their shares of a step differ. A single process needs none of this, and none of it touches what it computes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist

from switchrank.models.encode import Numbers
from switchrank.train.launch import RankLostError

_PATIENCE = timedelta(hours=2)
"""How long a rank waits for the others, as while the first writes a checkpoint; dead ones are found at once."""
_BUCKET = 1 << 24
"""Gradients that are added up at once: small ones travel together."""


@dataclass(frozen=True)
class Ranks:
    """The processes of a run as one of them sees them.

    Attributes:
        number: which one this is, from 0; the first one writes and speaks.
        size: how many there are.
    """

    number: int = 0
    size: int = 1

    def share(self, units: Numbers, per_step: int) -> Numbers:
        """The units of this rank, of whole steps of ``per_step`` units each."""
        return units.reshape(-1, per_step)[:, self.number :: self.size].reshape(-1)

    def add(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over ranks, in place."""
        return self._reduced(tensor, dist.ReduceOp.SUM)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any rank."""
        return bool(self._reduced(torch.tensor(int(flag)), dist.ReduceOp.MAX)) if self.size > 1 else flag

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Put the sum over ranks in place of every gradient.

        A parameter that has one in some ranks only (a rank's share of a small step may be empty) gets one in all; one
        that has none anywhere is left alone, as in a single process.
        """
        if self.size == 1:
            return
        every = list(parameters)
        there = torch.tensor([parameter.grad is not None for parameter in every], dtype=torch.int32)
        reached = self._reduced(there, dist.ReduceOp.MAX).tolist()
        for bucket in _buckets(_gradient(parameter) for parameter, has in zip(every, reached, strict=True) if has):
            if len(bucket) == 1:
                self.add(bucket[0])
                continue
            together = self.add(torch.cat([gradient.reshape(-1) for gradient in bucket]))
            parts = together.split([gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def leave(self) -> None:
        """Part from the others when all have come here."""
        if self.size > 1:
            self.any(False)
            dist.destroy_process_group()

    def _reduced(self, tensor: torch.Tensor, operation: dist.ReduceOp.RedOpType) -> torch.Tensor:
        if self.size > 1:
            try:
                dist.all_reduce(tensor, op=operation)
            except RuntimeError as error:
                raise RankLostError(str(error)) from error
        return tensor


ALONE = Ranks()
"""The one process of a usual run."""


def join_ranks(number: int, size: int, meeting: str | Path, device: torch.device) -> Ranks:
    """Meet the other ranks of a run.

    Args:
        number, size: see :class:`Ranks`.
        meeting: a file in a folder of this machine, which nobody but the ranks of this run uses; it is made.
        device: that this rank computes on.

    Raises:
        RankLostError: the others did not come.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        store = dist.FileStore(str(meeting), size)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=number, world_size=size, timeout=_PATIENCE)
    except RuntimeError as error:
        raise RankLostError(str(error)) from error
    return Ranks(number, size)


def _gradient(parameter: torch.nn.Parameter) -> torch.Tensor:
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad


def _buckets(gradients: Iterable[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Neighbours together, up to ``_BUCKET`` numbers or one gradient."""
    bucket: list[torch.Tensor] = []
    for gradient in gradients:
        if bucket and sum(one.numel() for one in bucket) + gradient.numel() > _BUCKET:
            yield bucket
            bucket = []
        bucket.append(gradient)
    if bucket:
        yield bucket
