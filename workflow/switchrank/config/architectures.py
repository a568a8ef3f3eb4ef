"""Checks of systems by their architecture: corpora, settings of another one, batches, what is done to vectors."""

from collections.abc import Iterator

from switchrank.config.models import Config, Corpus
from switchrank.config.sections import MIXED, Finding
from switchrank.config.systems import CROSS, DUAL, LATE, Architecture, Dual, Late, System

MODELS = {CROSS: "a cross-encoder", DUAL: "a dual encoder", LATE: "late interaction"}
"""What a model of an architecture is called."""


def setting_of(architecture: Architecture) -> str:
    """What is told of a setting that only an architecture has."""
    return f"a setting of {architecture.replace('-', ' ') if architecture == LATE else f'a {architecture}'}"


def architecture_findings(config: Config, name: str) -> Iterator[Finding]:
    """What is wrong with a system because of its architecture."""
    system, place = config.systems[name], f"systems.{name}"
    for key, other in system.train.others(system.architecture).items():
        yield f"{place}.train.{key}", setting_of(other), f"leave it out, or write architecture: {other}"
    corpora = {one: config.corpora[one] for one in system.corpora if one in config.corpora}
    if system.uses and "architecture" in system.model_fields_set:
        yield f"{place}.architecture", f"it is that of {system.uses}", "leave it out"
    if system.architecture == LATE and system.is_finished:
        todo = "train one, or write architecture: dual-encoder"
        yield f"{place}.model", "a finished model, which is not read as late interaction", todo
    if system.architecture != CROSS:
        yield from _trained(config, name, system, corpora)
        return
    if isinstance(system.corpus, list):
        yield f"{place}.corpus", "several corpora of a cross-encoder", f"name one, or write architecture: {DUAL}"
    for one, corpus in corpora.items():
        if corpus.by_language:
            yield (
                f"{place}.corpus",
                f"{one} has a table for each language",
                f"write architecture: {DUAL}",
            )


def _trained(config: Config, name: str, system: System, corpora: dict[str, Corpus]) -> Iterator[Finding]:
    place = f"systems.{name}"
    for one, corpus in corpora.items():
        if corpus.bilingual:
            yield f"{place}.corpus", f"{one} is one corpus per pair", "write languages: each there, or name another"
        if corpus.materialise is not True:
            yield f"corpora.{one}.materialise", f"{name} is trained on texts that are written", "write true"
    settings = config.training(system.train, system.architecture)
    assert isinstance(settings, Dual | Late)
    if settings.teacher:
        command = "late" if system.architecture == LATE else "encoder"
        todo = f"leave it out, or train by `switchrank train {command} --scores`"
        yield f"{place}.train.teacher", "no system of a run scores the pairs of its corpora", todo
    languages = {language for corpus in corpora.values() for language in _languages(config, corpus)}
    crosses = settings.batches == "cross" or (settings.batches == "hybrid" and settings.mono < 1)
    if crosses and len(languages) == 1:
        todo = "name a corpus with languages: each, or with parallel: true and languages"
        yield f"{place}.train.batches", f"{settings.batches} batches of texts in {languages.pop()} alone", todo


def _languages(config: Config, corpus: Corpus) -> list[str]:
    """The languages that tables of a corpus are in, ``xx`` where words of several are mixed."""
    if corpus.by_language:
        return config.table_languages(corpus)
    return [MIXED if corpus.lexicon else config.languages.source]
