"""The ``switchrank`` command: one subcommand per stage, each a thin door to the library function its rule calls."""

from __future__ import annotations

import argparse
import importlib
import os
import select
import sys

from switchrank import __version__
from switchrank.core.errors import EXIT_FAILURE, in_one_line
from switchrank.core.outputs import guarded

STAGES = {
    "sources": "collections from MS MARCO-style TSV and SQuAD-style JSON; downloads; the made-up world",
    "embeddings": "read or train word vectors; align them to English",
    "lexicon": "bilingual lexicons from vectors or Wikipedia titles; their quality",
    "corpus": "training instances and their code-switched versions",
    "train": "tokenizer, starting checkpoint, cross-encoder training",
    "rank": "candidates; re-rank a test set or your own files with a trained model",
    "evaluate": "metrics per query and per pair, significance",
    "ablation": "how many labelled queries of the target language each starting model needs",
    "report": "pictures and tables",
    "config": "check a config file; write the schema and the key reference",
    "import-model": "weights that exist only as a pickle become safetensors, once",
    "inspect": "what a file or folder is, what is wrong with it, and the config entry that reads it",
    "new": "write a config file for data of your own",
    "plan": "what a config will cost before it runs: jobs, tokens, time, memory, disk",
    "status": "how a run is going: jobs done and running, last losses, time left",
}
_DOORS = {
    "inspect": "switchrank.identify.cli",
    "import-model": "switchrank.models.import_cli",
    "new": "switchrank.config.new",
    "plan": "switchrank.run.plan.cli",
    "status": "switchrank.run.status.cli",
}
"""Commands that are no stage, and the module that registers each."""


def build_parser(stage: str | None) -> argparse.ArgumentParser:
    """The parser; only the named stage's own arguments are loaded, so that ``--help`` stays fast."""
    parser = argparse.ArgumentParser(prog="switchrank", description=__doc__)
    parser.add_argument("--version", action="version", version=f"switchrank {__version__}")
    commands = parser.add_subparsers(dest="stage", metavar="STAGE", required=True)
    for name, summary in STAGES.items():
        command = commands.add_parser(name, help=summary, description=summary.capitalize() + ".")
        if name == stage:
            importlib.import_module(_DOORS.get(name, f"switchrank.{name}.cli")).register(command)
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run one stage. Returns the exit code: 0, 1 failure, 2 user error, 75 no GPU, 143 ended after saving.

    A command that has a code of its own to give returns it; all others return nothing.
    """
    argv = sys.argv[1:] if argv is None else argv
    stage = next((word for word in argv if word in STAGES), None)
    arguments = build_parser(stage).parse_args(argv)
    try:
        with guarded(arguments):
            code = int(arguments.run(arguments) or 0)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        if not _is_unread():
            raise
        return EXIT_FAILURE
    except Exception as error:
        told = in_one_line(error)
        if told is None:
            raise
        print(told, file=sys.stderr)
        return told.exit_code


def _is_unread() -> bool:
    """Whether nobody reads standard output any longer, as behind ``| head``; then no more is said there."""
    waiting = select.poll()
    waiting.register(sys.stdout, 0)
    unread = any(event & select.POLLERR for _, event in waiting.poll(0))
    if unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return unread
