"""The processes of one training run: what share each has, and what they add up.

Every process holds the whole model, computes the gradients of its share of each step, and takes the same optimiser step
with the sum of all. Sums go through gloo between CPUs and NCCL between GPUs; decisions always through gloo, so that no
process waits for its GPU. Torch's DistributedDataParallel would average, which is another loss where shares differ.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import compress

import torch
import torch.distributed as dist

from switchrank.core.ragged import Numbers
from switchrank.train.launch import Place, ProcessLostError

_PATIENCE = timedelta(hours=2)
"""How long a process waits for the others, as while the first writes a checkpoint; dead ones are found at once."""
_BUCKET = 1 << 24
"""Gradients that are added up at once: small ones travel together."""


@dataclass(frozen=True)
class Processes:
    """The processes of a run as one of them sees them: its ``rank`` from 0, the one that writes, of ``count``."""

    rank: int = 0
    count: int = 1

    def share(self, units: Numbers, per_step: int) -> Numbers:
        """The units of this process, of whole steps of ``per_step`` units each."""
        return units.reshape(-1, per_step)[:, self.rank :: self.count].reshape(-1)

    def add(self, tensor: torch.Tensor) -> torch.Tensor:
        """The sum over processes, in place."""
        return self._reduced(tensor, dist.ReduceOp.SUM)

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return bool(self._reduced(torch.tensor(int(flag)), dist.ReduceOp.MAX)) if self.count > 1 else flag

    def add_gradients(self, parameters: Iterable[torch.nn.Parameter]) -> None:
        """Put the sum over processes in place of every gradient.

        A parameter that has one in some processes only (the share of a small step may be empty) gets one in all.
        """
        if self.count == 1:
            return
        every = list(parameters)
        there = torch.tensor([parameter.grad is not None for parameter in every], dtype=torch.int32)
        reached = self._reduced(there, dist.ReduceOp.MAX).tolist()
        gradients = []
        for parameter in compress(every, reached):
            if parameter.grad is None:
                parameter.grad = torch.zeros_like(parameter)
            gradients.append(parameter.grad)
        for bucket in _buckets(gradients):
            if len(bucket) == 1:
                self.add(bucket[0])
                continue
            together = self.add(torch.cat([gradient.reshape(-1) for gradient in bucket]))
            parts = together.split([gradient.numel() for gradient in bucket])
            for gradient, part in zip(bucket, parts, strict=True):
                gradient.copy_(part.view_as(gradient))

    def leave(self) -> None:
        """Wait until all have come here, and end the connection."""
        if self.count > 1:
            self.any(False)
            dist.destroy_process_group()

    def _reduced(self, tensor: torch.Tensor, operation: dist.ReduceOp.RedOpType) -> torch.Tensor:
        if self.count > 1:
            try:
                dist.all_reduce(tensor, op=operation)
            except RuntimeError as error:
                raise ProcessLostError(str(error)) from error
        return tensor


ALONE = Processes()


def join_processes(place: Place, device: torch.device) -> Processes:
    """Connect a process to the others of its run; raises ProcessLostError where they did not come."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    try:
        store = dist.FileStore(place.meeting, place.count)  # type: ignore[attr-defined]
        dist.init_process_group(backend, store=store, rank=place.rank, world_size=place.count, timeout=_PATIENCE)
    except RuntimeError as error:
        raise ProcessLostError(str(error)) from error
    return Processes(place.rank, place.count)


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
