"""The ``switchrank`` command: one subcommand per stage, each a thin door to the library function its rule calls."""

import importlib
import os
import select
import sys
from dataclasses import replace

from switchrank import __version__
from switchrank.core.command import Command, Group, run
from switchrank.core.errors import EXIT_FAILURE, in_one_line

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
    "models": "known models that a run can start from or be compared with; fetch one into a folder",
    "import-model": "weights that exist only as a pickle, or in 4 bits, become safetensors, once",
    "mteb": "score a model with MTEB, on its tasks or on the test sets of a run",
    "inspect": "what a file or folder is, what is wrong with it, and the config entry that reads it",
    "new": "write a config file for data of your own",
    "plan": "what a config will cost before it runs: jobs, tokens, time, memory, disk",
    "status": "how a run is going: jobs done and running, last losses, time left",
    "search": "search documents of your own, in any language, with an encoder and a ranker",
    "serve": "the same as a page in the browser",
}
_MODULES = {
    "inspect": "switchrank.identify.cli",
    "import-model": "switchrank.models.import_model",
    "models": "switchrank.models.catalogue",
    "new": "switchrank.config.new",
    "plan": "switchrank.run.plan.cli",
    "search": "switchrank.serve.search",
    "status": "switchrank.run.status",
}
"""Commands that are no stage, and the module whose ``COMMANDS`` they are."""


def commands_of(stage: str) -> Command | Group:
    """The commands of a stage, or the one command that it is."""
    module = importlib.import_module(_MODULES.get(stage, f"switchrank.{stage}.cli"))
    commands: Command | Group = module.COMMANDS
    return replace(commands, summary=STAGES[stage])


def main(argv: list[str] | None = None) -> int:
    """Run one stage. Returns the exit code: 0, 1 failure, 2 user error, 75 no GPU, 143 ended after saving."""
    argv = sys.argv[1:] if argv is None else argv
    try:
        code = _run(argv)
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


def _run(words: list[str]) -> int:
    if words[:1] == ["--version"]:
        print(f"switchrank {__version__}")
        return 0
    if words and words[0] in STAGES:
        return run(f"switchrank {words[0]}", commands_of(words[0]), words[1:])
    stages = {name: Command("", summary) for name, summary in STAGES.items()}
    about = "cross-lingual re-rankers from code-switched training data, stage by stage"
    return run("switchrank", Group(stages, about), words)


def _is_unread() -> bool:
    """Whether nobody reads standard output any longer, as behind ``| head``; then no more is said there."""
    waiting = select.poll()
    waiting.register(sys.stdout, 0)
    unread = any(event & select.POLLERR for _, event in waiting.poll(0))
    if unread:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return unread
