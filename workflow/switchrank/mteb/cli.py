"""``switchrank mteb``: a model scored by MTEB."""

from switchrank.core.command import Command
from switchrank.mteb.run import run_mteb, show_scores

COMMANDS = Command(
    run_mteb,
    writes=(),
    forms={"model": "FOLDER", "out": "FOLDER", "config": "FILE", "name": "OWNER/NAME"}
    | dict.fromkeys(("tasks", "testsets"), "NAME"),
    shown=show_scores,
)
