"""Make each change of the table to a copy of the library and see its test fail: ``python -m tests.mutants.run``.

The tests pass without a change first, all in one process. Then each change gets a copy and a process of its own; the
checkout is only read. The exit code is 1 where a change survives, its line is no longer there, or its test
ends by anything but an assertion, which would say nothing about results.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.mutants import attempt
from tests.mutants.table import TABLE, Mutant, StaleError, read_mutants

ROOT = Path(__file__).parents[2]
LIMIT = 600
"""Seconds that one process may take."""

Ends = dict[str, tuple[str, str]]
"""How tests ended, and the message of those that failed; see :data:`tests.mutants.attempt.End`."""


@dataclass(frozen=True)
class Project:
    """A checkout whose library is changed, in copies.

    Attributes:
        root: the checkout, in which tests are named.
        package: the library in it.
    """

    root: Path
    package: Path

    def attempted(self, module: str, tests: list[str], change: Callable[[Path], None]) -> Ends:
        """How the tests end where ``change`` was made to a copy of the package; ``module`` is imported first."""
        with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
            copy, out = Path(folder) / self.package.name, Path(folder) / "ends.json"
            shutil.copytree(self.package, copy)
            change(copy)
            command = [sys.executable, "-P", attempt.__file__, folder, module, str(out), *tests]
            paths = os.pathsep.join(filter(None, [folder, str(self.root), os.environ.get("PYTHONPATH")]))
            own = {"PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            environment = {"OMP_NUM_THREADS": "1", **os.environ, **own}
            try:
                done = subprocess.run(
                    command,
                    cwd=self.root,
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    text=True,
                    timeout=LIMIT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                return dict.fromkeys(tests, ("error", f"it took more than {LIMIT} seconds"))
            if not out.is_file():
                return dict.fromkeys(
                    tests, ("error", f"the process ended with {done.returncode}: {done.stdout[-500:]}")
                )
            return {test: (end, detail) for test, (end, detail) in json.loads(out.read_text("utf-8")).items()}

    def without_change(self, tests: list[str]) -> Ends:
        """How the tests end with the library as it is."""
        return self.attempted(self.package.name, tests, lambda _: None)

    def verdict(self, mutant: Mutant) -> tuple[bool, str]:
        """Whether the test of a change notices it, and one line that says what happened."""

        def change(copy: Path) -> None:
            file = copy / mutant.file
            file.write_text(mutant.applied(copy), encoding="utf-8")
            for compiled in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
                compiled.unlink()

        began = time.monotonic()
        try:
            ends = self.attempted(f"{self.package.name}.{mutant.module}", [mutant.test], change)
        except StaleError as stale:
            return False, f"STALE     {mutant.name}: {stale}; write in the table what stands there now"
        end, detail = ends[mutant.test]
        if end == "assertion":
            return True, f"killed    {mutant.name} ({time.monotonic() - began:.1f} s)"
        if end == "passed":
            return False, f"SURVIVED  {mutant.name}: {mutant.test} passes, and yet: {mutant.harm}"
        return False, f"BROKEN    {mutant.name}: {mutant.test} ends by no assertion: {detail}"


def run_mutants(mutants: list[Mutant], project: Project, *, jobs: int) -> bool:
    """Print a line for each change; whether the tests noticed all of them."""
    began = time.monotonic()
    tests = list(dict.fromkeys(mutant.test for mutant in mutants))
    before = {test: end for test, end in project.without_change(tests).items() if end[0] != "passed"}
    for test, (end, detail) in before.items():
        print(f"UNUSABLE  {test}: {end} without any change: {detail}", flush=True)
    print(f"{len(tests) - len(before)} of {len(tests)} tests pass without a change", flush=True)
    tried = [mutant for mutant in mutants if mutant.test not in before]
    noticed = 0
    with ThreadPoolExecutor(jobs) as pool:
        for number, (good, line) in enumerate(pool.map(project.verdict, tried), 1):
            noticed += good
            print(f"{number:3}/{len(tried)} {line}", flush=True)
    print(f"{noticed} of {len(mutants)} changes noticed, {time.monotonic() - began:.0f} s")
    return noticed == len(mutants)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="changes; all without one")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--table", type=Path, default=TABLE)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout")
    parser.add_argument("--package", type=Path, default=Path("workflow/switchrank"), help="the library in it")
    arguments = parser.parse_args()
    mutants = read_mutants(arguments.table)
    unknown = sorted(set(arguments.names) - {mutant.name for mutant in mutants})
    if unknown:
        print(f"no change is named {', '.join(unknown)}; there are {', '.join(mutant.name for mutant in mutants)}")
        return 2
    chosen = [mutant for mutant in mutants if not arguments.names or mutant.name in arguments.names]
    project = Project(arguments.root, arguments.root / arguments.package)
    return 0 if run_mutants(chosen, project, jobs=arguments.jobs) else 1


if __name__ == "__main__":
    sys.exit(main())
