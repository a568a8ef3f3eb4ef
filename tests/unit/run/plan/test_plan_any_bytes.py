"""Whatever an input file holds, there is a plan: a wrong file is told when it is read, not when it is looked at."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.planned import jobs_of_config, write_inputs

from switchrank.config.load import load_plan
from switchrank.run.plan.estimate import estimate_run
from switchrank.run.plan.machine import Machine

BEGINNINGS = [b"", b"\x1f\x8b\x08", b"\xfd7zXZ\x00", b"BZh9", b"PK\x03\x04", b'{"question":', b"\n\n\n", b"12 300\n"]


@given(
    st.sampled_from(BEGINNINGS), st.binary(max_size=200), st.sampled_from(["docs.en", "queries.train.en", "qrels.test"])
)
def test_any_bytes_give_a_plan(tmp_path_factory, beginning, raw, name):
    folder = tmp_path_factory.mktemp("any")
    config = write_inputs(folder)
    (folder / "data" / f"{name}.tsv").write_bytes(beginning + raw)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        plan = load_plan(config, {})
        estimate = estimate_run(plan, jobs_of_config(), Machine(100, 2))
        assert not estimate.unknown
        assert estimate.schedule.seconds > 0
        assert all(cost.seconds > 0 and cost.memory > 0 and cost.disk >= 0 for cost in estimate.costs.values())
