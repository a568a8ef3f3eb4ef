"""The files of a run before it starts: inputs that nobody makes, and files made earlier that were cut short or deleted,
which Snakemake does not notice where no job needs them."""

import os
from collections.abc import Collection
from pathlib import Path

from switchrank.config.plan import Plan
from switchrank.config.plan_data import concrete_downloads
from switchrank.core.errors import UserError
from switchrank.models.catalogue import entry_of
from switchrank.models.folder import START_RECORD, check_encoder, check_model
from switchrank.run.plan.jobs import known_graph
from switchrank.sources.world.files import world_outputs

PUBLIC = ("lexicons", "corpora", "models", "runs", "tables")
"""Folders of a run whose files other people's programs read."""
_PARQUET = b"PAR1"


def missing_inputs(plan: Plan, file: str | Path, mistakes: Collection[UserError] = ()) -> list[UserError]:
    """A line for each input that is not there and that nobody makes or fetches, and for a starting model that is none.

    Inputs that depend on the ``mistakes`` in the config ``file`` are not looked at.
    """
    wrong = {".".join(mistake.place.partition(":")[0].split(".")[:2]) for mistake in mistakes}
    named = list(plan.named_inputs(wrong))
    fetched = concrete_downloads(plan.config.downloads, [path for _, path in named])
    world = f"{plan.folder}/world/"
    of_world = world_outputs(plan.config.world_spec()) if plan.config.world and not wrong else []
    made = [path for _, path in named if path.startswith(f"{plan.folder}/") and (wrong or not path.startswith(world))]
    needed = {path for _, path in named} - {*fetched, *made, *(f"{world}{name}" for name in of_world)}
    return [*missing_of(plan, file, needed, wrong), *start_mistakes(plan)]


def missing_of(plan: Plan, file: str | Path, needed: Collection[str], wrong: Collection[str] = ()) -> list[UserError]:
    """A line for each of the needed files that is not there, with every place in the config that names it."""
    return [
        UserError(file, place, f"no such file: {path}", "correct the path, or put the file there")
        for place, path in dict.fromkeys(plan.named_inputs(wrong))
        if path in needed and not Path(path).exists()
    ]


def start_mistakes(plan: Plan) -> list[UserError]:
    """What is wrong with models that come from elsewhere; one that was copied at an earlier start may be gone."""
    found = []
    copies = {f"{step.key}.model": step.folder for start in plan.starts.values() for step in start.steps()}
    copies |= {f"systems.{system}.model": plan.model_folder(system, None, 0) for system in plan.finished}
    for key, model in plan.config.outside_models.items():
        is_copied = Path(copies.get(key, ""), START_RECORD).exists() and not Path(model).exists()
        if is_copied or entry_of(model):
            continue
        try:
            if key.startswith("lexicons."):
                check_encoder(model)
            else:
                check_model(model, finished=key.startswith("systems."))
        except UserError as error:
            found.append(error)
    return found


def check_outputs(plan: Plan) -> None:
    """Raise UserError, before a start, if a Parquet table of the run is cut short, also one behind a link."""
    for place, folders, files in os.walk(plan.folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))  # what is being made lies in these
        for table in (os.path.join(place, name) for name in sorted(files) if name.endswith(".parquet")):
            if not _is_whole(table):
                raise UserError(table, "", "is cut short or no Parquet file", "delete it and run again")


def missing_notice(plan: Plan) -> str:
    """One line about public files that are missing although the run has its report; empty where none is.

    Files are those that its last whole start knew; the line ends with the command that makes the first of them again.
    """
    graph = known_graph(plan) if Path(plan.folder, "report.zip").exists() else None
    outputs = [output for job in graph.jobs for output in job.outputs] if graph else []
    public = tuple(f"{plan.folder}/{folder}/" for folder in PUBLIC)
    missing = [output for output in outputs if output.startswith(public) and not Path(output).exists()]
    if not missing:
        return ""
    more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
    return f"{missing[0]}: is missing{more}: made again where a job needs it, else: snakemake {missing[0]}"


def _is_whole(path: str) -> bool:
    """Whether a Parquet file ends as it begins; one that cannot be read counts as whole."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(len(_PARQUET))
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - len(_PARQUET)))
            return start == stream.read() == _PARQUET and size > 2 * len(_PARQUET)
    except OSError:
        return True
