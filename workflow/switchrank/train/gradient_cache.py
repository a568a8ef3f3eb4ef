"""Gradient caching: a loss that couples all vectors of a step, of which few are differentiated at once.

All vectors are made first, the loss is differentiated by them, and each part passes its share of that on to the weights
(Gao et al. 2021, arXiv 2101.06983). The first part keeps for that what its forward pass computed; the others make
their vectors again, one part at a time. Gradients are those of the whole step.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from switchrank.core.precision import is_out_of_memory
from switchrank.core.ragged import Numbers
from switchrank.train.processes import Processes


@dataclass(frozen=True)
class Part:
    """What is encoded at once: ``places`` of its vectors among all of the step, and the ``inputs`` of the model."""

    places: Numbers
    inputs: Mapping[str, Tensor]

    def index(self, device: torch.device) -> Tensor:
        return torch.from_numpy(self.places).to(device)


def losses_of_parts(
    parts: Sequence[Part],
    encode: Callable[[Part], Tensor],
    loss: Callable[[Tensor], Tensor],
    *,
    vectors: Tensor,
    count: int,
    processes: Processes,
) -> Iterator[Tensor]:
    """The loss of a step in parts, as :meth:`switchrank.train.method.Method.losses` yields it.

    The first part is encoded once, the others twice, where what torch's generator draws is the same.

    Args:
        parts: those of this process, the largest first.
        encode: makes the vectors of a part.
        loss: makes the loss of the step of all its vectors.
        vectors: zeros of the shape of all vectors; those of all processes are written into it.
        count: vectors of all processes.

    Raises:
        OutOfMemoryError: in every process, where one has run out of memory before vectors are exchanged.
    """
    encoded, states, failure, device = [], [], None, vectors.device
    try:
        for part in parts:
            states.append(_generator_states(device))
            with torch.set_grad_enabled(part is parts[0]):
                encoded.append(encode(part))
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        failure = error
    if processes.any(failure is not None):
        raise failure or torch.OutOfMemoryError("another process has run out of memory")
    for part, some in zip(parts, encoded, strict=True):
        vectors[part.index(device)] = some.detach()
    processes.add(vectors)
    whole = loss(vectors.requires_grad_())
    (gradients,) = torch.autograd.grad(whole, vectors)
    for part, state in zip(parts, states, strict=True):
        if part is parts[0]:
            again = encoded[0]
        else:
            with _replayed(state, device):
                again = encode(part)
        carrier = (again * gradients[part.index(device)]).sum()
        yield carrier - carrier.detach() + whole.detach() * (len(part.places) / count)


def _generator_states(device: torch.device) -> list[Tensor]:
    on_device = [torch.cuda.get_rng_state(device)] if device.type == "cuda" else []
    return [torch.get_rng_state(), *on_device]


@contextmanager
def _replayed(states: Sequence[Tensor], device: torch.device) -> Iterator[None]:
    """Inside the block torch's generators draw what they drew after these states; then they go on as before."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.set_rng_state(states[0])
        for state in states[1:]:
            torch.cuda.set_rng_state(state, device)
        yield
