"""Checks of dual encoders, as far as the config alone decides: corpora, settings of the other architecture, batches."""

from collections.abc import Iterator

from switchrank.config.models import Config, Corpus
from switchrank.config.sections import MIXED, Finding
from switchrank.config.systems import DUAL, Dual, System

_OTHER = {DUAL: "cross-encoder", "cross-encoder": DUAL}


def dual_findings(config: Config, name: str) -> Iterator[Finding]:
    """What is wrong with a system because it is, or is not, a dual encoder."""
    system, place = config.systems[name], f"systems.{name}"
    for key in system.train.others(system.architecture):
        todo = f"leave it out, or write architecture: {_OTHER[system.architecture]}"
        yield f"{place}.train.{key}", f"a setting of a {_OTHER[system.architecture]}", todo
    corpora = {one: config.corpora[one] for one in system.corpora if one in config.corpora}
    if system.uses and "architecture" in system.model_fields_set:
        yield f"{place}.architecture", f"it is that of {system.uses}", "leave it out"
    if system.architecture == DUAL:
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
    settings = config.training(system.train, DUAL)
    assert isinstance(settings, Dual)
    if settings.teacher:
        todo = "leave it out, or train by `switchrank train encoder --scores`"
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
