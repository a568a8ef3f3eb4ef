"""Scores of a model by MTEB, on its own tasks and on the test sets of a run."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from switchrank.core.errors import UserError
from switchrank.rank.inference import USUAL, Inference

_PLACE = "switchrank mteb"
Scores = list[tuple[str, str, str, float]]
"""Task, subset, main measure and its value."""


def run_mteb(
    *,
    model: str | Path,
    out: str | Path,
    tasks: Sequence[str] = (),
    config: str | Path | None = None,
    testsets: Sequence[str] = (),
    name: str = "",
    inference: Inference = USUAL,
) -> Scores:
    """Score a dual encoder or a cross-encoder with MTEB, on its tasks or on test sets of a run.

    Results are written as mteb.ResultCache reads them. A task of MTEB is not run again where its results are there; its
    data come from the Hugging Face hub. A test set is searched as a whole where its candidates are all documents, else
    its candidates are re-ranked, which is all that a cross-encoder can do.

    Args:
        model: folder of the model.
        out: folder of results.
        tasks: names of MTEB's tasks.
        config: the config of a run that was made here.
        testsets: names of its test sets, default all.
        name: of the model in the results, owner/name (default: local/ and that of its folder).
        inference: as for ranking; of a dual encoder max_length is that of each text, and truncation is refused.

    Raises:
        UserError: MTEB is not installed; nothing to score on; ``out`` is a file; an unknown task or test set; a table
            of it is missing; or as of :func:`switchrank.mteb.models.open_model`.
        NoGpuError: a GPU was asked for and none is there.
    """
    if Path(out).is_file():
        raise UserError(out, "", "a file where a folder is to be written", "name a folder")
    if not tasks and config is None:
        problem, todo = "nothing to score the model on", "name tasks, or the config of a run"
        raise UserError(_PLACE, "--tasks --config", problem, todo)
    try:
        import datasets
        from mteb import ResultCache, evaluate
    except ImportError as error:
        todo = "pip install 'switchrank[mteb]'"
        raise UserError(_PLACE, "", f"mteb must be installed for it ({error})", todo) from error
    from switchrank.mteb.models import MtebRanker, open_model

    datasets.disable_progress_bars()
    asked = [(task, "only-missing") for task in _tasks(tasks)]
    asked += [(task, "always") for task in (_testsets(config, testsets) if config is not None else [])]
    opened, cache = open_model(model, name=name, inference=inference), ResultCache(out)
    searched = [task.metadata.name for task, _ in asked if task.metadata.type == "Retrieval"]
    if searched and isinstance(opened, MtebRanker):
        problem = "all documents are searched, which a cross-encoder cannot"
        raise UserError(_PLACE, searched[0], problem, "name one with candidates, or give a dual encoder")
    found = []
    for task, strategy in asked:
        made = evaluate(opened, task, cache=cache, overwrite_strategy=strategy, show_progress_bar=False)
        found += [
            (result.task_name, part["hf_subset"], task.metadata.main_score, part["main_score"])
            for result in made.task_results
            for parts in result.scores.values()
            for part in parts
        ]
    return found


def _testsets(config: str | Path, names: Sequence[str]) -> list[Any]:
    """The test sets of a run as tasks, called RUN-TESTSET."""
    from switchrank.config.load import load_config
    from switchrank.config.plan import Plan
    from switchrank.mteb.testset import PairTables, retrieval_task

    plan = Plan(load_config(config, os.environ), [Path.cwd(), Path(config).parent.parent])
    known = list(plan.config.testsets)
    if unknown := [name for name in names if name not in known]:
        raise UserError(config, "testsets", f"no test set {unknown[0]}", f"name one of {', '.join(known)}")
    tasks = []
    for name in names or known:
        every = plan.config.testsets[name].candidates.every
        pairs = {
            pair.id: PairTables(
                plan.texts(name, "queries", pair.query),
                plan.texts(name, "documents", pair.document),
                plan.judgements(name, pair.document),
                None if every else plan.candidates(name, pair.document, pair.query),
            )
            for pair in plan.pairs[name]
        }
        tasks.append(retrieval_task(f"{plan.config.run}-{name}", pairs))
    return tasks


def _tasks(names: Sequence[str]) -> list[Any]:
    """Tasks of MTEB by name."""
    import mteb

    try:
        return [mteb.get_task(name) for name in names]
    except KeyError as error:
        problem = str(error.args[0]).removeprefix("KeyError: ")
        raise UserError(_PLACE, "--tasks", problem, "name one of MTEB's") from error


def show_scores(scores: Scores) -> None:
    """Print a line for each task and subset."""
    for task, subset, measure, value in scores:
        print(f"{task}\t{subset}\t{measure}\t{value:.4f}")
