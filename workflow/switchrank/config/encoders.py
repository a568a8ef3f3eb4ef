"""Lexicons that are induced from encoders: checks of them, and which systems start from what made their lexicon."""

from collections.abc import Iterator
from typing import Any

from switchrank.config.lexicons import DegradedLexicon, EncoderLexicon, MergedLexicon
from switchrank.config.plan_runs import RunsPlan
from switchrank.config.sections import Finding, known_names, known_placeholders, listed
from switchrank.models.catalogue import entry_of


def encoder_findings(plan: RunsPlan) -> Iterator[Finding]:
    """Each language of such a lexicon has words, and what encodes them is an encoder that is made without it."""
    config = plan.config
    for name, lexicon in config.encoders.items():
        place = f"lexicons.{name}"
        if isinstance(lexicon.words, dict):
            yield from known_names(f"{place}.words", "language", lexicon.words, config.languages.every)
            yield from known_placeholders(f"{place}.words", lexicon.words.values())
        for language in [config.languages.source, *config.targets(lexicon)]:
            if not plan.word_files(name, language):
                problem = {"vectors": f"no vectors of {language}", "texts": f"no documents in {language}"}
                todo = f"name a file, words: {{{language}: PATH}}, or leave {language} out of languages"
                yield f"{place}.words", problem.get(str(lexicon.words), f"no list of {language}"), todo
        if lexicon.model in plan.starts:
            yield from _start(plan, f"{place}.model", name, lexicon.model)


def _start(plan: RunsPlan, place: str, lexicon: str, start: str) -> Iterator[Finding]:
    """Why a start cannot make a lexicon."""
    trained = next((step.key for step in plan.starts[start].steps() if step.corpus), None)
    entry = entry_of(first_model(plan, start) or "")
    if entry_of(start):
        yield place, f"{start} is a start and a known model", "give the start another name"
    elif trained:
        todo = "name the start that it is trained from, or another encoder"
        yield place, f"{trained} is trained as a cross-encoder, which encodes no word", todo
    elif entry and (refusal := entry.no_encoder()):
        yield place, refusal, "see `switchrank models`"
    elif lexicon in _made_with(plan, _lexicons_of(plan, start)):
        problem = f"{start} is itself made with {lexicon}"
        yield place, problem, f"name the model that it is made from, {first_model(plan, start) or 'or another one'}"


def first_model(plan: RunsPlan, start: str) -> str | None:
    """The pretrained model that a start goes back to; None where it goes back to one from scratch."""
    weights = [*plan.starts[start].steps()][-1].weights
    return weights.model if weights else None


def lexicon_origins(plan: RunsPlan) -> list[dict[str, Any]]:
    """Lexicons whose encoder is also what systems that use them start from: ``lexicon``, ``model``, ``systems``."""
    found = []
    for name, lexicon in plan.config.encoders.items():
        model = first_model(plan, lexicon.model) if lexicon.model in plan.starts else lexicon.model
        systems = [
            system
            for system in plan.main_systems
            if name in _made_with(plan, _lexicons_of_system(plan, system)) and model == _started(plan, system)
        ]
        if model and systems:
            found.append({"lexicon": name, "model": model, "systems": systems})
    return found


def _started(plan: RunsPlan, system: str) -> str | None:
    """The pretrained model that a system's models started from."""
    section = plan.config.systems[system]
    section = plan.config.systems[section.uses] if section.uses else section
    return first_model(plan, section.start) if section.corpora else None


def _lexicons_of_system(plan: RunsPlan, system: str) -> set[str]:
    """The lexicons that a system's training texts are switched, its test texts translated, its start made by."""
    section = plan.config.systems[system]
    own = plan.config.systems[section.uses] if section.uses else section
    found: set[str | None] = {section.test.translate} if section.test else set()
    found |= {plan.config.corpora[corpus].lexicon for corpus in plan.corpora_of(system)}
    return {one for one in found if one} | (_lexicons_of(plan, own.start) if own.corpora else set())


def _lexicons_of(plan: RunsPlan, start: str) -> set[str]:
    """The lexicons that a start is made with."""
    found: set[str | None] = set()
    for step in plan.starts[start].steps():
        found |= {step.lexicon, step.extension.lexicon if step.extension else None}
        found |= {plan.config.corpora[step.corpus].lexicon} if step.corpus else set()
        found |= {*plan.used_lexicons} if step.weights and step.weights.vocabulary == "run" else set()
    return {one for one in found if one}


def _made_with(plan: RunsPlan, lexicons: set[str]) -> set[str]:
    """These lexicons, those that they are made of, and those that their encoders are made with."""
    found, waiting = set[str](), {*lexicons}
    while waiting:
        name = waiting.pop()
        found.add(name)
        section = plan.config.lexicons[name]
        parts = {*listed(section.of)} if isinstance(section, DegradedLexicon | MergedLexicon) else set[str]()
        if isinstance(section, EncoderLexicon) and section.model in plan.starts:
            parts = _lexicons_of(plan, section.model)
        waiting |= parts - found
    return found
