"""``switchrank status``: how a run is going."""

import sys
import time

from switchrank.core.command import Command


def status(*, run_or_config: str | None = None, watch: float | None = None) -> None:
    """How a run is going: jobs done and running, last losses, time left.

    Only files are read: outputs, logs, checkpoints, benchmark files and the lock of the process that makes the run. So
    it works beside a run on this machine and for one whose jobs are on a cluster, and it disturbs neither.

    A job is done when its outputs are there; it is stopped when its log is there, its outputs are not, and no process
    makes the run. What a changed config would make again counts as done until the next start. The message of a job that
    failed because of its input (exit code 2) is shown, since it would fail again. Time left is estimated from what jobs
    of the same kind took, on as many cores as the run was started with.

    Args:
        run_or_config: name of the run, or its YAML file.
        watch: look again every so many seconds.
    """
    from switchrank.run.status.look import as_text, look_at

    while True:
        page = as_text(look_at(run_or_config))
        clear = "\x1b[H\x1b[2J" if watch and sys.stdout.isatty() else ""
        print(f"{clear}{page}", flush=True)
        if not watch:
            return
        try:
            time.sleep(max(1.0, watch))
        except KeyboardInterrupt:
            return


COMMANDS = Command(status, places=["run_or_config"], forms={"watch": "SECONDS"})
