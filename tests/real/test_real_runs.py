"""The shipped runs on real data come through the stages where files can be refused; what follows learns from tables."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT, Workflow

pytestmark = [pytest.mark.real, pytest.mark.slow]


@pytest.mark.parametrize("run", ["afriqa", "xquad"])
def test_every_file_of_a_run_is_read_and_its_lexicons_are_made(tmp_path, run):
    workflow = Workflow(tmp_path, ROOT / "config" / f"{run}.yaml")
    workflow.run("--", "sources", "lexicon")
    made = tmp_path / "results" / run
    assert list((made / "sources").glob("*/documents-en.parquet"))
    assert list((made / "lexicons").glob("*/en-*.parquet"))
