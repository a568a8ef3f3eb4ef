"""A Slurm for the tests of this folder, or one line that says why there is none."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster, one_node, why_not


@pytest.fixture(scope="session", autouse=True)
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One node of eight CPUs; where none can be started, the tests are skipped before anything else is made."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SLURM_CONF")
        with one_node(tmp_path_factory.mktemp("slurm"), cpus=8, memory=64_000) as made:
            yield made
