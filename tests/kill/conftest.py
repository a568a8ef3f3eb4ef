"""One undisturbed run for all tests of this folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import Workflow
from tests.kill.config import write_config
from tests.kill.watched import Attempt, started
from tests.promised import promised


class Undisturbed(NamedTuple):
    """A run that nothing happened to: the jobs it had, and every byte that another run must have too."""

    workflow: Workflow
    attempt: Attempt
    bytes: dict[str, bytes]

    def differences(self, folder: Path) -> list[str]:
        """Promised files that are missing in another run, are too many, or have other bytes."""
        found = promised(folder)
        return sorted(name for name in self.bytes.keys() | found.keys() if self.bytes.get(name) != found.get(name))


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    """The small config, run to its report once."""
    folder = tmp_path_factory.mktemp("undisturbed")
    workflow = Workflow(folder / "run", write_config(folder))
    workflow.folder.mkdir()
    with started(workflow, folder / "printed.log") as watched:
        attempt = watched.wait()
    assert attempt.code == 0, (folder / "printed.log").read_text()[-8000:]
    return Undisturbed(workflow, attempt, promised(workflow.folder))
