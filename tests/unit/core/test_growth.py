"""The helper that other tests tell growth with: quadratic work fails, linear work passes, on a clock of its own."""

from __future__ import annotations

import pytest
from tests.growth import assert_no_square


@pytest.mark.parametrize(("power", "passes"), [(1, True), (2, False)])
def test_quadratic_work_fails_and_linear_work_passes(power, passes, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("time.process_time", lambda: clock[0])

    def run(size: int) -> None:
        clock[0] += 1e-5 * size**power

    if passes:
        assert_no_square(run, 1000)
    else:
        with pytest.raises(AssertionError, match="8 times the input takes 64 times the processor time"):
            assert_no_square(run, 1000)
