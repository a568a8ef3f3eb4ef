"""Checks of models: starts, systems, and what they take from elsewhere."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from switchrank.config.architectures import MODELS, architecture_findings, setting_of
from switchrank.config.lexicons import InducedLexicon
from switchrank.config.models import Config
from switchrank.config.sections import Finding, known_names, made_of, refused
from switchrank.config.systems import CROSS, DUAL, OWN_START, Extension, FirstWeights, NamedStart, Start, Testing
from switchrank.core.errors import UserError
from switchrank.models.catalogue import entry_of, nearest
from switchrank.models.folder import read_object
from switchrank.models.presets import PRESETS
from switchrank.train.methods.distil import check_layers

_SLASH = "a finished model has a slash in its name: owner/name of a hub, or a folder, such as ./name"


def model_findings(config: Config) -> Iterator[Finding]:
    """What is wrong with the starts and systems of a config, and with the models that it names."""
    for check in (_starts, _systems, _known_models):
        yield from check(config)


def _starts(config: Config) -> Iterator[Finding]:
    if config.start.first:
        yield from _one_corpus(config, "start.first.corpus", config.start.first.corpus)
    for name, start in config.starts.items():
        place = f"starts.{name}"
        if name == OWN_START:
            yield place, "the name of the run's own start", "choose another name"
        yield from known_names(f"{place}.from", "start", start.source, [OWN_START, *config.starts])
        if name in made_of(name, lambda one: [config.starts[one].source], config.starts):
            yield f"{place}.from", f"{name} is made of itself", "name another start"
        if start.extend and any(one.preset for one in _sources(config, start)):
            problem = "a model from scratch, whose tokenizer has pieces for all languages"
            yield f"{place}.extend", problem, "extend a pretrained start"
        yield from _one_corpus(config, f"{place}.corpus", start.corpus)
        for key, other in start.train.others(start.method).items():
            yield f"{place}.train.{key}", setting_of(other), "leave it out: starts are cross-encoders"
    for place, made in config.every_start.items():
        yield from known_names(f"{place}.transplant", "lexicon", made.transplant, config.lexicons)
        if made.extend:
            yield from _extension(config, f"{place}.extend", made.extend)
        if made.layers:
            yield from refused(place, check_layers, made.layers, _layers_of_source(config, made))
        if made.preset and "vectors" in made.init and not config.vector_sources:
            yield f"{place}.init", "no vectors to start from", "add vectors.languages"
        if made.preset and not config.vector_sources and not config.start.tokenizer.texts:
            pieces = "pieces" if place == "start" else f"pieces of {place}"
            problem = f"no text and no vectors to learn {pieces} from"
            yield "start.tokenizer.texts", problem, "name texts, or add vectors"


def _one_corpus(config: Config, place: str, name: str | None) -> Iterator[Finding]:
    yield from known_names(place, "corpus", name, config.corpora)
    if name in config.corpora and (config.corpora[name].bilingual or config.corpora[name].by_language):
        what = "pair" if config.corpora[name].bilingual else "language"
        yield place, f"one corpus per {what}", "name a corpus that is one for all pairs"


def _sources(config: Config, start: FirstWeights) -> list[Start | NamedStart]:
    """The starts that one goes back to, the nearest first; cut short where one is unknown or comes again."""
    found: list[Start | NamedStart] = []
    while isinstance(start, NamedStart) and start.source:
        known: Mapping[str, Start | NamedStart] = {**config.starts, OWN_START: config.start}
        if start.source not in known or known[start.source] in found:
            break
        start = known[start.source]
        found.append(start)
    return found


def _layers_of_source(config: Config, start: FirstWeights) -> int | None:
    """How many layers the model has that a start keeps some of; None where that is not known yet."""
    sources = _sources(config, start)
    kept = next((one.layers for one in sources if one.layers), None)
    root = [start, *sources][-1]
    if kept or root.preset:
        return len(kept) if kept else PRESETS[str(root.preset)]["num_hidden_layers"]
    if entry := entry_of(str(root.model)):
        return entry.shape[0]
    file = Path(str(root.model), "config.json")
    with suppress(UserError):
        return read_object(file).get("num_hidden_layers") if file.is_file() else None
    return None


def _extension(config: Config, place: str, extension: Extension) -> Iterator[Finding]:
    """What the pieces of new languages, and their embeddings, are made from is there."""
    source, languages = config.languages.source, config.extended_languages(extension)
    yield from known_names(f"{place}.languages", "language", languages, config.languages.every)
    yield from known_names(f"{place}.lexicon", "lexicon", extension.lexicon, config.lexicons)
    if source in languages:
        yield f"{place}.languages", f"{source} is the source language", "leave it out: its pieces are there"
    lexicon = config.lexicons.get(extension.lexicon or "")
    learned = {*config.start.tokenizer.texts, *(config.targets(lexicon) if lexicon else ())}
    learned |= {language for language, vectors in config.vector_sources.items() if vectors.text}
    for part in config.collections.values():
        learned |= {*part.languages, *part.train_languages}
    for language in languages:
        if language in config.languages.every and language not in learned:
            todo = f"name one in start.tokenizer.texts.{language}, or leave {language} out of languages"
            yield place, f"no text and no lexicon to learn pieces of {language} from", todo
    if "vectors" in extension.rows and not {source} < config.vector_sources.keys():
        yield (
            f"{place}.rows",
            f"no vectors of {source} and another language",
            "add vectors.languages, or leave vectors out",
        )


def _systems(config: Config) -> Iterator[Finding]:
    for name, system in config.systems.items():
        place = f"systems.{name}"
        yield from known_names(f"{place}.corpus", "corpus", system.corpora, config.corpora)
        yield from known_names(f"{place}.start", "start", system.start, [OWN_START, *config.starts])
        if system.uses:
            yield from _used(config, name, system.uses)
        if system.test:
            yield from _tested(config, name, system.test)
        if system.fuse:
            ranked = [one for one, part in config.systems.items() if not part.fuse]
            known = [*ranked, *config.evaluate.references]
            yield from known_names(f"{place}.fuse", "system or reference row", system.fuse, known)
        yield from architecture_findings(config, name)
        if name in {"random", "bm25"}:
            yield place, "the name of a reference row", "choose another name"
    yield from known_names("evaluate.baseline", "system", config.evaluate.baseline, config.systems)


def _tested(config: Config, name: str, test: Testing) -> Iterator[Finding]:
    """A lexicon that translates has a reverse; only vectors of a dual encoder are shifted or mixed."""
    place, lexicon = f"systems.{name}.test", test.translate
    yield from known_names(f"{place}.translate", "lexicon", lexicon, config.lexicons)
    if lexicon in config.lexicons and not isinstance(config.lexicons[lexicon], InducedLexicon):
        problem = f"{lexicon} is of kind {config.lexicons[lexicon].kind}, which has no reverse"
        yield f"{place}.translate", problem, "name one of kind vectors or encoder"
    yield from known_names(f"{place}.shift", "parallel text", test.shift, config.bitext)
    for key in ("shift", "weight"):
        if getattr(test, key) is not None and not config.is_dual(name):
            made = "no vectors" if config.architecture(name) == CROSS else "a vector for each token"
            problem = f"{MODELS[config.architecture(name)]} makes {made}"
            yield f"{place}.{key}", problem, "name a dual encoder in model, or leave it out"


def _used(config: Config, name: str, model: str) -> Iterator[Finding]:
    """A system that uses another's models differs in how it is tested, and the other has one model for all pairs."""
    place = f"systems.{name}.model"
    if model not in config.with_models:
        for _, problem, todo in known_names(place, "trained system", model, config.with_models):
            close = nearest(model)
            other = f"did you mean {close}? else {_SLASH}" if close else f"{todo}; {_SLASH}"
            yield place, problem, todo if todo.startswith("did") else other
        return
    corpora = [config.corpora[one] for one in config.systems[model].corpora if one in config.corpora]
    if any(corpus.bilingual for corpus in corpora):
        yield place, f"{model} has a model per pair", "name a system with one model for all"
    if config.systems[name].test is None:
        todo = "a system that only tests another's models says how"
        yield f"systems.{name}", "model and test go together", todo


def _known_models(config: Config) -> Iterator[Finding]:
    """Names without a slash are those of the catalogue, and never looked for elsewhere."""
    for place, model in config.outside_models.items():
        entry = entry_of(model)
        if entry is None and "/" not in model:
            close = nearest(model)
            hint = f"did you mean {close}? else " if close else ""
            yield place, f"unknown model {model}", f"{hint}write owner/name of a hub, or a folder, such as ./{model}"
        elif place.startswith("systems.") and model in config.systems:
            yield place, f"{model} is a system and a known model", "give the system another name"
        elif entry is not None:
            finished = place.startswith("systems.")
            encodes = place.startswith("lexicons.") or (finished and config.architecture(place.split(".")[1]) != CROSS)
            refusal = entry.no_encoder() if encodes else entry.refusal(finished=finished)
            if refusal:
                searches = finished and not encodes and entry.no_encoder() is None
                yield place, refusal, f"write architecture: {DUAL}" if searches else "see `switchrank models`"
