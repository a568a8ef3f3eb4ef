"""The files that a run reads and nobody makes: where the config names each, and which of them are not there."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from switchrank.collections.joined.section import Joined
from switchrank.config.lexicons import DictionaryLexicon, TitlesLexicon
from switchrank.config.plan import Plan
from switchrank.config.plan_data import concrete_downloads
from switchrank.config.settings import world_spec
from switchrank.core.errors import UserError
from switchrank.files.addresses import filled
from switchrank.models.folder import START_RECORD, check_model
from switchrank.sources.world.files import world_outputs

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
            yield from ((f"testsets.{name}.candidates.run", path) for path in _given_runs(plan, name))


def _given_runs(plan: Plan, testset: str) -> list[str]:
    """The runs of a test set; none where what is wrong with its pairs is told already."""
    try:
        return plan.given_runs(testset)
    except UserError:
        return []


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
    wrong = {".".join(mistake.place.partition(":")[0].split(".")[:2]) for mistake in mistakes}
    named = list(named_inputs(plan, wrong))
    fetched = concrete_downloads(plan.config.downloads, [path for _, path in named])
    world = f"{plan.folder}/world/"
    of_world = world_outputs(world_spec(plan.config)) if plan.config.world and not wrong else []
    made = [path for _, path in named if path.startswith(f"{plan.folder}/") and (wrong or not path.startswith(world))]
    needed = {path for _, path in named} - {*fetched, *made, *(f"{world}{name}" for name in of_world)}
    return [*missing_of(plan, file, needed, wrong), *start_mistakes(plan)]


def missing_of(plan: Plan, file: str | Path, needed: Collection[str], wrong: Collection[str] = ()) -> list[UserError]:
    """A line for each of the needed files that is not there, with every place in the config that names it."""
    return [
        UserError(file, place, f"no such file: {path}", _TODO)
        for place, path in dict.fromkeys(named_inputs(plan, wrong))
        if path in needed and not Path(path).exists()
    ]


def start_mistakes(plan: Plan) -> list[UserError]:
    """What is wrong with models that come from elsewhere; one that was copied at an earlier start may be gone."""
    found = []
    copies = {f"{step.key}.model": step.folder for start in plan.starts.values() for step in start.steps()}
    copies |= {f"systems.{system}.model": plan.model_folder(system, None, 0) for system in plan.finished}
    for key, model in plan.config.outside_models.items():
        if Path(copies.get(key, ""), START_RECORD).exists() and not Path(model).exists():
            continue
        try:
            check_model(model, finished=key.startswith("systems."))
        except UserError as error:
            found.append(error)
    return found
