"""``switchrank status``: how a run is going."""

from __future__ import annotations

import argparse
import sys
import time

from switchrank.run.status.look import look_at
from switchrank.run.status.page import as_text

_HELP = """\
Files alone are read: outputs, logs, checkpoints, benchmark files and the lock of the process that makes the run. So it
works beside a run on this machine and for one whose jobs are on a cluster, and it disturbs neither.

A job is done when its outputs are there, stopped when its log is there, its outputs are not, and nobody makes the run.
What a changed config would make again counts as done until the next start. Where a job has failed because of what it
was given (exit code 2), what it said is told, for it would fail again. Time left goes by what jobs of the same kind
took, on as many cores as the run was started with.

  switchrank status                  the run that is being made here, or the only one
  switchrank status demo             results/demo
  switchrank status config/my.yaml   by its config, also where a run was started elsewhere
  switchrank status --watch 10       again every ten seconds, until Ctrl-C
"""


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _HELP
    parser.add_argument("run_or_config", nargs="?", metavar="RUN|CONFIG", help="name of the run, or its YAML file")
    parser.add_argument("--watch", type=float, metavar="SECONDS", help="look again every so many seconds")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> None:
    while True:
        page = as_text(look_at(arguments.run_or_config))
        clear = "\x1b[H\x1b[2J" if arguments.watch and sys.stdout.isatty() else ""
        print(f"{clear}{page}", flush=True)
        if not arguments.watch:
            return
        try:
            time.sleep(max(1.0, arguments.watch))
        except KeyboardInterrupt:
            return
