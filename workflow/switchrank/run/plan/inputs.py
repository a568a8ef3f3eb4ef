"""The files that a run reads and nobody makes: where the config names each, and which of them are not there."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

from switchrank.collections.joined.section import Joined
from switchrank.config.downloads import concrete_downloads
from switchrank.config.models import DictionaryLexicon, TitlesLexicon
from switchrank.config.plan import Plan
from switchrank.core.errors import UserError
from switchrank.files.addresses import filled
from switchrank.models.folder import check_model
from switchrank.run.plan.graph import job_graph
from switchrank.run.plan.jobs import STAGES, Graph

_TODO = "correct the path, or put the file there"


def named_inputs(plan: Plan, wrong: Collection[str] = ()) -> Iterator[tuple[str, str]]:
    """Key path and file of every input that the config names, placeholders filled in.

    Args:
        plan: the run.
        wrong: sections, such as ``collections.docs``, that are wrong and therefore have no files.
    """
    config, source = plan.config, plan.config.languages.source
    for name, part in config.collections.items():
        if not isinstance(part, Joined) and f"collections.{name}" not in wrong:
            yield from ((f"collections.{name}", path) for path in part.roles(source).values())
    for name, lexicon in config.lexicons.items():
        for lang in plan.lexicon_languages(name) if f"lexicons.{name}" not in wrong else []:
            if isinstance(lexicon, TitlesLexicon):
                yield from ((f"lexicons.{name}", path) for path in lexicon.files(source, lang))
            if isinstance(lexicon, DictionaryLexicon):
                yield from ((f"lexicons.{name}", path) for path in lexicon.files(lang))
    for name, pairs in config.gold.items() if not any(place.startswith("gold.") for place in wrong) else []:
        for pair in pairs:
            given = config.gold_file(name, pair).files(pair.split("-")[1])
            yield from ((f"gold.{name}.{pair}", path) for path in given)
    yield from _texts_and_vectors(plan, wrong)
    for name, testset in config.testsets.items():
        if testset.candidates.run:
            yield f"testsets.{name}.candidates.run", testset.candidates.run


def _texts_and_vectors(plan: Plan, wrong: Collection[str]) -> Iterator[tuple[str, str]]:
    vectors = plan.config.vectors
    for lang, given in vectors.languages.items() if vectors else ():
        for path in [*(given.text or []), *filter(None, [given.path, given.extra_words])]:
            yield f"vectors.languages.{lang}", path
    for lang, paths in plan.config.start.tokenizer.texts.items():
        yield from ((f"start.tokenizer.texts.{lang}", path) for path in paths)
    seed = vectors.alignment.seed_pairs if vectors and "vectors.alignment" not in wrong else "identical"
    if seed != "identical" and seed not in plan.config.lexicons:
        for lang in plan.vector_languages:
            if not plan.aligned(lang):
                yield "vectors.alignment.seed_pairs", filled(seed, {"lang": lang})


def missing_inputs(plan: Plan, file: str | Path, mistakes: Collection[UserError] = ()) -> list[UserError]:
    """A line for each input that is not there and nobody makes or fetches, and for a starting model that is none.

    Args:
        plan: the run.
        file: the config file.
        mistakes: what is wrong with it; what hangs on that is not looked at.
    """
    if not mistakes:
        return _told(plan, file, list(named_inputs(plan)), job_graph(plan).maker.__contains__)
    wrong = {".".join(mistake.place.partition(":")[0].split(".")[:2]) for mistake in mistakes}
    return _told(plan, file, list(named_inputs(plan, wrong)), lambda path: path.startswith(f"{plan.folder}/"))


def _told(
    plan: Plan, file: str | Path, named: Sequence[tuple[str, str]], made: Callable[[str], bool]
) -> list[UserError]:
    fetched = concrete_downloads(plan.config.downloads, [path for _, path in named])
    found = [
        UserError(file, place, f"no such file: {path}", _TODO)
        for place, path in dict.fromkeys(named)
        if path not in fetched and not made(path) and not Path(path).exists()
    ]
    return [*found, *start_mistakes(plan)]


def start_mistakes(plan: Plan) -> list[UserError]:
    """What is wrong with the model that a run starts from; one that was copied at an earlier start may be gone."""
    model = plan.config.start.model
    copied = Path(plan.start_folders[0], "start.json").exists()
    if not model or (copied and not Path(model).exists()):
        return []
    try:
        check_model(model)
    except UserError as error:
        return [error]
    return []


def missing_for(plan: Plan, file: str | Path, targets: Collection[str]) -> list[UserError]:
    """A line for each missing input of the jobs that have to run for targets: files, or stages; none means all.

    An input of what is made already is not missed, as Snakemake does not miss it.
    """
    graph = job_graph(plan)
    needed = _needed(graph, _files(graph, targets))
    named = [(place, path) for place, path in named_inputs(plan) if path in needed]
    return _told(plan, file, named, graph.maker.__contains__)


def _files(graph: Graph, targets: Collection[str]) -> list[str]:
    """Targets as files; of a rule that is no stage nothing is known."""
    files = [] if targets else list(graph.targets)
    for target in targets:
        if target in graph.maker:
            files.append(target)
        elif target in STAGES:
            files += [output for job in graph.jobs if job.stage == target for output in job.outputs]
    return files


def _needed(graph: Graph, files: Iterable[str]) -> set[str]:
    """These files that are not there, and all that is needed to make them, as far back as nothing is there."""
    needed: set[str] = set()
    waiting = list(files)
    while waiting:
        path = waiting.pop()
        if path in needed or Path(path).exists():
            continue
        needed.add(path)
        if path in graph.maker:
            waiting += graph.maker[path].inputs
    return needed
