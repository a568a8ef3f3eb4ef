"""Several processes share a training: the same steps as one process, whoever is stopped or dies on the way."""

from __future__ import annotations

import numpy as np
import pytest
from train_world import bytes_of, same, train_record

PLAIN = {"dropout": 0.0, "lr": 1e-3, "log_every": 1, "warmup": 0}


def curves(folder):
    """The loss of every step and the development scores."""
    record = train_record(folder)[0]
    return record["loss"], [[row["step"], row["mrr@10"]] for row in record["dev"]]


@pytest.mark.parametrize("objective", ["bce", "listwise"])
def test_two_processes_take_the_steps_of_one(run, objective):
    changes = PLAIN | {"objective": objective, "eval_every": 5}
    one, two = (run(f"{number}", processes=number, **changes) for number in (1, 2))
    for alone, together in zip(curves(one), curves(two), strict=True):
        np.testing.assert_allclose(together, alone, rtol=1e-4)
    assert train_record(two)[0]["processes"] == [{"after_step": 0, "count": 2}]
