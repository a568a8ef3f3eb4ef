"""The settings that rules pass to jobs, and what the jobs would refuse of them.

Snakemake removes a rule's old outputs when its job begins. So each setting is passed, before the first job starts, to
the very function that the job calls first. Nothing heavy is imported, since the Snakefile asks too.
"""

from collections.abc import Callable, Iterator
from typing import Any

from switchrank.config.lexicons import DictionaryFile, DictionaryLexicon, VectorsLexicon
from switchrank.config.models import Config
from switchrank.config.plan import Plan
from switchrank.config.sections import Finding, listed
from switchrank.config.systems import Changes, Optimisation
from switchrank.core.errors import UserError
from switchrank.formats.pairs import check_reading
from switchrank.search.choices import check_search
from switchrank.sources.world.files import complete_spec
from switchrank.sources.world.vocabulary import check_themes
from switchrank.train.methods.cross_encoder import CrossEncoderSettings
from switchrank.train.settings import check_dev, check_precision, parse_settings

_DEFAULT = " (its default)"


def training_settings(config: Config, section: Optimisation) -> dict[str, Any]:
    """The settings on which the result of a training depends."""
    kept = section.plain("device", "processes", "corpus", "checkpoint_every")
    return kept | {"threads": config.train.threads}


def switching_recipe(plan: Plan, corpus: str, train_pair: str) -> dict[str, Any]:
    """What switching needs to know: probability, language of each side, languages, way of mixing, seed."""
    query, passage = train_pair.split("-")
    languages, source = plan.config.languages, plan.config.languages.source
    return plan.config.corpora[corpus].plain("collection", "lexicon", "parallel", "materialise") | {
        "languages": plan.corpus_languages(corpus, train_pair),
        "sides": {"query": query, "passage": passage},
        "source": source,
        "unspaced": source in languages.segmenters
        or (source in languages.longest_match and source in plan.config.vector_sources),
    }


def world_spec(config: Config) -> dict[str, Any]:
    """What the made-up world is generated from."""
    return config.world.plain() | {"languages": config.languages.every} if config.world else {}


def setting_findings(config: Config) -> Iterator[Finding]:
    """What jobs would refuse."""
    if config.world:
        yield from refused("world", complete_spec, world_spec(config))
        yield from refused("world", check_themes, config.world.themes)
    yield from _lexicons(config)
    yield from training_findings(config, config.train.device)


def refused(place: str, check: Callable[..., object], *given: Any, **named: Any) -> Iterator[Finding]:
    """What the check of a job says about what it is given; the key that it names stands below ``place``."""
    try:
        check(*given, **named)
    except UserError as error:
        yield ".".join(part for part in (place, error.place) if part), error.problem, error.todo


def _lexicons(config: Config) -> Iterator[Finding]:
    """Searches, and how dictionaries are read: as lexicons and as gold."""
    read: dict[str, DictionaryFile] = {
        f"gold.{name}.{pair}": config.gold_file(name, pair) for name, pairs in config.gold.items() for pair in pairs
    }
    for name, lexicon in config.lexicons.items():
        if isinstance(lexicon, VectorsLexicon):
            named = {key: getattr(lexicon, key) for key in ("criterion", "search", "raw_dot")}
            yield from refused(f"lexicons.{name}", check_search, **named)
        if isinstance(lexicon, DictionaryLexicon):
            read[f"lexicons.{name}"] = lexicon
    for place, given in read.items():
        yield from refused(place, check_reading, listed(given.path), given.format, given.columns)


def training_findings(config: Config, device: str) -> Iterator[Finding]:
    """What the trainings of systems, starts and rows of the ablation would refuse on a device."""
    sections: list[tuple[str, Optimisation, bool]] = [("train", config.train, True)]
    if config.start.first:
        sections.append(("start.first", config.start.first, True))
    if config.ablation:
        sections.append(("ablation.train", config.ablation.train, config.ablation.held_out > 0))
    told = [finding for section in sections for finding in _training(config, *section, device)]
    yield from told
    known = {(place.rpartition(".")[2], problem) for place, problem, _ in told if place.startswith("train.")}
    for place, changes in _changed(config).items():
        for where, problem, todo in _training(config, place, config.training(changes), True, device):
            key = where.rpartition(".")[2]
            if (key, problem) not in known:
                inherited = key not in changes.model_fields_set and not problem.endswith(_DEFAULT)
                yield where, problem + (" (as in train)" if inherited else ""), todo


def _changed(config: Config) -> dict[str, Changes]:
    """Where systems and starts are trained otherwise than the run's ``train`` says."""
    systems = {f"systems.{name}.train": system.train for name, system in config.systems.items() if system.corpus}
    starts = {f"starts.{name}.train": start.train for name, start in config.starts.items() if start.corpus}
    return {place: changes for place, changes in {**systems, **starts}.items() if changes.model_fields_set}


def _training(config: Config, place: str, section: Optimisation, has_dev: bool, device: str) -> Iterator[Finding]:
    settings = training_settings(config, section) | {"checkpoint_every": section.checkpoint_every}
    while True:
        try:
            parsed = parse_settings(settings, CrossEncoderSettings)
        except UserError as error:
            unwritten = error.place not in section.model_fields_set
            yield f"{place}.{error.place}", error.problem + (_DEFAULT if unwritten else ""), error.todo
            if settings.pop(error.place, None) is None:
                return
            if error.place == "warmup":  # its default too may be more than the steps
                settings["warmup"] = 0
        else:
            break
    if parsed.epochs and parsed.warmup >= 1:
        todo = "write a share of them, such as 0.1: few labels take few steps"
        yield f"{place}.warmup", f"{parsed.warmup:g} steps of those that epochs take", todo
    if parsed.epochs and parsed.schedule_steps is not None:
        problem = f"{parsed.schedule_steps} steps beside epochs, whose steps depend on the data"
        yield f"{place}.schedule_steps", problem, "leave it out, or give steps in place of epochs"
    yield from refused(place, check_dev, parsed, given=has_dev)
    yield from refused(place, check_precision, parsed.precision, device)
