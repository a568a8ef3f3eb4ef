"""``switchrank plan config/xquad.yaml`` on the real files against what docs/results.md says that the run took."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.unit.planned_demo import estimated, leave_benchmarks, within

pytestmark = pytest.mark.real
SECONDS, MEMORY = 7030.0, 1.7 * 2**30
"""CPU time of all jobs, each of which has one thread, and the largest process in bytes, at commit 6fe435d."""
DEMO = Path(__file__).with_name("demo-benchmarks-8677476.tsv")
"""What the demo took with code as fast as that: a run corrects only the plan of runs with the same code."""


@pytest.mark.parametrize(("calibrated", "factor"), [(False, 3.0), (True, 1.5)])
def test_time_and_memory_of_the_squad_run_are_within_the_promised_factor(tmp_path, monkeypatch, calibrated, factor):
    """Calibrated by the benchmark files of another run: those of the demo."""
    monkeypatch.chdir(tmp_path)
    leave_benchmarks(tmp_path, DEMO)
    costs = estimated(ROOT / "config/xquad.yaml", calibrated=calibrated).costs.values()
    assert within(factor, sum(cost.seconds for cost in costs), SECONDS)
    assert within(factor, max(cost.memory for cost in costs), MEMORY)
