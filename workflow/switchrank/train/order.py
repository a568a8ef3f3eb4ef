"""Which units each optimiser step sees: it depends on the seed and their number alone, so systems of a seed agree."""

from __future__ import annotations

import numpy as np

from switchrank.core.ragged import Numbers
from switchrank.core.seeds import generator


class Order:
    """A new seeded permutation of all units per pass over the data.

    Args:
        count: number of units.
        batch_size: units per step; a batch may run over the end of a pass.
        seed: seed of the run.
    """

    def __init__(self, count: int, batch_size: int, seed: int) -> None:
        self._count, self._size, self._seed = count, batch_size, seed
        self._passes: dict[int, Numbers] = {}

    def rows(self, first: int, last: int) -> Numbers:
        """Numbers of the units of steps ``first`` to ``last``, both counted from 0, ``last`` not included."""
        begin, end = first * self._size, last * self._size
        numbers = range(begin // self._count, (end - 1) // self._count + 1)
        joined = np.concatenate([self._permutation(number) for number in numbers])
        offset = begin - numbers[0] * self._count
        return joined[offset : offset + end - begin]

    def _permutation(self, number: int) -> Numbers:
        if number not in self._passes:
            self._passes = {key: value for key, value in self._passes.items() if key >= number - 1}
            self._passes[number] = generator(self._seed, "order", str(number)).permutation(self._count)
        return self._passes[number]
