"""Checks of models across sections: what systems and starts name is there, and none is made of itself."""

from __future__ import annotations

from collections.abc import Iterator

from switchrank.config.models import Config
from switchrank.config.names import Finding, known_name
from switchrank.config.sweeps import is_of_corpus
from switchrank.config.systems import OWN_START

_SLASH = "a finished ranker has a slash in its name: owner/name of a hub, or a folder, such as ./name"


def model_findings(config: Config) -> Iterator[Finding]:
    """Everything that is wrong with starts, systems, sweeps and the ablation."""
    for check in (_own_start, _starts, _systems, _sweeps, _ablation):
        yield from check(config)


def _own_start(config: Config) -> Iterator[Finding]:
    start = config.start
    if start.first:
        yield from _one_corpus(config, "start.first.corpus", start.first.corpus)
    if start.transplant:
        yield from known_name("start.transplant", "lexicon", start.transplant, config.lexicons)


def _one_corpus(config: Config, place: str, name: str) -> Iterator[Finding]:
    """A start is trained on a corpus that is one for all pairs."""
    yield from known_name(place, "corpus", name, config.corpora)
    if name in config.corpora and config.corpora[name].bilingual:
        yield place, "one corpus per pair", "name a corpus that is one for all pairs"


def _starts(config: Config) -> Iterator[Finding]:
    for name, start in config.starts.items():
        place = f"starts.{name}"
        if name == OWN_START:
            yield place, "the name of the run's own start", "choose another name"
        if start.source:
            yield from known_name(f"{place}.from", "start", start.source, [OWN_START, *config.starts])
        if name in _made_of(config, name):
            yield f"{place}.from", f"{name} is made of itself", "name another start"
        if start.corpus:
            yield from _one_corpus(config, f"{place}.corpus", start.corpus)
        if start.transplant:
            yield from known_name(f"{place}.transplant", "lexicon", start.transplant, config.lexicons)
        if start.preset and "vectors" in start.init and not config.vectors:
            yield f"{place}.init", "no vectors to start from", "add vectors.languages"
        if start.preset and not config.vectors and not config.start.tokenizer.texts:
            yield "start.tokenizer.texts", f"no text and no vectors to learn pieces of {place} from", "name texts"


def _made_of(config: Config, name: str) -> list[str]:
    """The starts that one is made of, directly or through others, up to the first that comes again."""
    found: list[str] = []
    source = config.starts[name].source
    while source in config.starts and source not in found:
        found.append(source)
        source = config.starts[source].source
    return found


def _systems(config: Config) -> Iterator[Finding]:
    for name, system in config.systems.items():
        place = f"systems.{name}"
        if system.corpus:
            yield from known_name(f"{place}.corpus", "corpus", system.corpus, config.corpora)
        yield from known_name(f"{place}.start", "start", system.start, [OWN_START, *config.starts])
        if system.uses:
            yield from _used(config, name, system.uses)
        if system.test:
            yield from _translated(config, f"{place}.test.translate", system.test.translate)
        if name in {"random", "bm25"}:
            yield place, "the name of a reference row", "choose another name"
    yield from known_name("evaluate.baseline", "system", config.evaluate.baseline, config.systems)


def _used(config: Config, name: str, model: str) -> Iterator[Finding]:
    """The system whose models another uses has one for all pairs, and is told apart by how it is tested."""
    place = f"systems.{name}.model"
    for where, problem, todo in known_name(place, "trained system", model, config.with_models):
        yield where, problem, todo if todo.startswith("did") else f"{todo}; {_SLASH}"
    corpus = config.corpora.get(str(config.systems[model].corpus)) if model in config.with_models else None
    if corpus and corpus.bilingual:
        yield place, f"{model} has a model per pair", "name a system with one model for all"
    if model in config.with_models and config.systems[name].test is None:
        problem = "model and test go together"
        yield f"systems.{name}", problem, "a system that only tests another's models says how"


def _translated(config: Config, place: str, lexicon: str) -> Iterator[Finding]:
    yield from known_name(place, "lexicon", lexicon, config.lexicons)
    if lexicon in config.lexicons and config.lexicons[lexicon].kind != "vectors":
        yield place, f"{lexicon} is not of kind vectors, so it has no reverse", "name one that is"


def _sweeps(config: Config) -> Iterator[Finding]:
    for name, sweep in config.sweeps.items():
        yield from known_name(f"sweeps.{name}.system", "trained system", sweep.system, config.systems)
        system = config.systems.get(sweep.system)
        corpus = config.corpora.get(str(system.corpus)) if system else None
        if corpus and corpus.lexicon is None and sweep.key.startswith("lexicon."):
            yield f"sweeps.{name}.key", f"{sweep.system} has no lexicon", "name a system that is switched"
        if system and not system.corpus and is_of_corpus(sweep.key):
            yield f"sweeps.{name}.key", f"{sweep.system} has no corpus to vary {sweep.key} of", "vary a key of its own"


def _ablation(config: Config) -> Iterator[Finding]:
    if config.ablation is None:
        return
    yield from known_name("ablation.testset", "test set", config.ablation.testset, config.testsets)
    testset = config.testsets.get(config.ablation.testset)
    if testset and testset.mixed:
        yield "ablation.testset", "a mixed pool", "name a test set with pairs"
    given = config.ablation.collection
    for place, name in {"": given}.items() if isinstance(given, str) else given.items():
        yield from known_name(f"ablation.collection.{place}".rstrip("."), "collection", name, config.collections)
    for place, name in [("reference", config.ablation.reference), *(("compared", n) for n in config.ablation.compared)]:
        yield from known_name(f"ablation.{place}", "trained system", name, config.with_models)
