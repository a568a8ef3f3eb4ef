"""Checks across sections: every name that is used is declared, every language is known, nothing is made of itself.

Snakemake removes a rule's old outputs when its job begins. So each setting is passed, before the first job starts, to
the very function that the job calls first. Nothing heavy is imported, since the Snakefile asks too.
"""

import re
from collections.abc import Iterable, Iterator
from typing import get_args

from switchrank.collections.joined.section import Joined
from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.collections.section import CollectionSection
from switchrank.config.architectures import MODELS
from switchrank.config.bitext import bitext_findings
from switchrank.config.lexicons import (
    DegradedLexicon,
    DictionaryLexicon,
    InducedLexicon,
    Lexicon,
    MergedLexicon,
    TitlesLexicon,
)
from switchrank.config.model_checks import model_findings
from switchrank.config.models import MAIN_METRIC, Config, Testset
from switchrank.config.sections import Finding, known_names, known_placeholders, listed, made_of, refused
from switchrank.config.sweeps import is_of_corpus
from switchrank.config.systems import CROSS
from switchrank.config.trainings import training_findings
from switchrank.files.addresses import placeholders
from switchrank.formats.measures import FALLING, BiasMeasure
from switchrank.formats.pairs import check_reading
from switchrank.search.choices import Choice
from switchrank.sources.world.files import complete_spec
from switchrank.text.segmenters import LIBRARIES

_FETCHED = re.compile(r"data(/(?!\.)[^/\x00-\x1f]+)+")
"""Where a file may be fetched to: below ``data/``, where nothing is run and no result lies; in no hidden folder."""


def findings(config: Config) -> list[Finding]:
    """Everything that is wrong with a config whose values are right one by one."""
    checks = (
        *(_downloads, _languages, _collections, _vectors, _seed_pairs, _lexicons, _corpora),
        *(_testsets, _evaluate, _gold, model_findings, _sweeps, _ablation, _settings),
    )
    bitext = bitext_findings(config.bitext, config.languages.every)
    return bitext + [finding for check in checks for finding in check(config)]


def _downloads(config: Config) -> Iterator[Finding]:
    for path, download in config.downloads.items():
        for key, given in (("url", download.url), ("local", download.local or "")):
            yield from known_names(f"downloads.{path}.{key}", "placeholder", placeholders(given), placeholders(path))
        if not _FETCHED.fullmatch(path):
            todo = "write data/ and a name, without .. or a dot before a name"
            yield f"downloads.{path}", "not a path below data/", todo


def _languages(config: Config) -> Iterator[Finding]:
    used: list[tuple[str, Iterable[str]]] = []
    for name, part in config.collections.items():
        used.append((f"collections.{name}.languages", part.languages))
        asked = [language for language in part.test_languages if language not in part.languages]
        used.append((f"collections.{name}.query_languages", asked))
    used += [(f"testsets.{name}.mixed", config.mixed_languages(name)) for name in config.testsets]
    used += [(f"lexicons.{name}.languages", part.languages or []) for name, part in config.lexicons.items()]
    for name, corpus in config.corpora.items():
        switched = isinstance(corpus.languages, list) and not corpus.parallel
        used.append((f"corpora.{name}.languages", corpus.languages if switched else []))
    used += [("vectors.languages", config.vector_sources), ("start.tokenizer.texts", config.start.tokenizer.texts)]
    for language, segmenter in config.languages.segmenters.items():
        if language not in LIBRARIES[segmenter].languages:
            fitting = [name for name, library in LIBRARIES.items() if language in library.languages]
            todo = f"write {fitting[0]}" if fitting else "leave it out; Unicode rules and unspaced serve any language"
            yield f"languages.segmenters.{language}", f"{segmenter} does not know this language", todo
    for place, languages in used:
        yield from known_names(place, "language", languages, config.languages.every)
    for place, languages in [("languages.seen", config.languages.seen), *used]:
        if place.startswith(("languages.", "lexicons.", "corpora.")) and config.languages.source in languages:
            yield place, f"{config.languages.source} is the source language", "leave it out: it is there anyway"


def _collections(config: Config) -> Iterator[Finding]:
    trained = {corpus.collection for corpus in config.corpora.values()}
    for name, part in config.collections.items():
        if config.languages.source not in part.languages and name in trained:
            yield f"collections.{name}", f"no text in the source language {config.languages.source}", "add it"
        wrong = list(_templates(f"collections.{name}", part))
        place = f"collections.{name}.train_languages"
        wrong += known_names(place, "language of it:", part.train_languages, part.languages)
        yield from wrong
        yield from _exclusion(config, name, part)
        if isinstance(part, Joined):
            yield from _joined(config, name, part)
        elif not wrong:  # otherwise its paths cannot be filled in
            for path in part.roles(config.languages.source).values():
                yield from known_placeholders(f"collections.{name}: {path}", path)
        if not wrong:
            yield from refused(f"collections.{name}", part.check, config.languages.source)


def _templates(place: str, part: CollectionSection) -> Iterator[Finding]:
    """Paths with braces: each placeholder is known, and each language has the name that `{name}` stands for."""
    for key, template, known in part.templates:
        yield from known_placeholders(f"{place}.{key}", template, known)
        named = [*part.languages, *part.test_languages] if "name" in placeholders(template) else []
        for language in dict.fromkeys(named):
            if language not in MMARCO_NAMES:
                yield f"{place}.{key}", f"mMARCO has no name for {language}", "write {lang} instead of {name}"


def _exclusion(config: Config, name: str, part: CollectionSection) -> Iterator[Finding]:
    """A collection is left without the questions of another that is read without its own."""
    if part.exclude is None:
        return
    place, other = f"collections.{name}.exclude", part.exclude.questions_of
    if isinstance(part, Joined):
        yield place, "its parts are read already", f"set exclude of {' or '.join(part.of)}"
    others = [known for known, section in config.collections.items() if not isinstance(section, Joined)]
    yield from known_names(f"{place}.questions_of", "collection", other, others)
    if other == name:
        yield f"{place}.questions_of", f"{name} would lose all its questions", "name another collection"
    elif name in made_of(name, lambda one: _excluded(config.collections[one]), config.collections):
        yield f"{place}.questions_of", f"{other} is itself left without questions of {name}", "leave one of them out"


def _excluded(part: CollectionSection) -> list[str]:
    return [part.exclude.questions_of] if part.exclude else []


def _joined(config: Config, name: str, joined: Joined) -> Iterator[Finding]:
    """The parts are collections with training text in the languages of the whole."""
    place = f"collections.{name}.of"
    others = {other: part for other, part in config.collections.items() if not isinstance(part, Joined)}
    for other in joined.of:
        yield from known_names(place, "collection", other, others)
        if other not in others:
            continue
        if "train" not in others[other].splits:
            yield place, f"{other} has no training split", "name one that has"
        yield from known_names(place, f"language of {other}:", joined.languages, others[other].languages)
    if joined.labels:
        yield f"collections.{name}.labels", "its parts are cut already", f"set labels of {' or '.join(joined.of)}"


def _vectors(config: Config) -> Iterator[Finding]:
    source, given = config.languages.source, config.vector_sources
    for language, vectors in given.items():
        paths = [*listed(vectors.path), *listed(vectors.extra_words), *listed(vectors.text)]
        yield from known_placeholders(f"vectors.languages.{language}", paths)
    needed = {
        language: f"lexicons.{name}"
        for name, lexicon in config.lexicons.items()
        if lexicon.kind == "vectors"
        for language in [source, *config.targets(lexicon)]
    }
    for language, place in needed.items():
        if language not in given:
            yield place, f"language {language} has no vectors", "add it under vectors.languages"
    if source in config.languages.longest_match and source not in given:
        todo = f"add it under vectors.languages, or name what cuts it in languages.segmenters.{source}"
        yield "languages.unspaced", f"no vectors of {source}, by whose words its text is cut", todo
    turned = [language for language, vectors in given.items() if not vectors.aligned]
    if turned and source not in given:
        todo = f"add it: those of {turned[0]} are turned into its space"
        yield "vectors.languages", f"no vectors of the source language {source}", todo


def _seed_pairs(config: Config) -> Iterator[Finding]:
    """Seed translations of an alignment come from a lexicon that needs no vectors and has the languages to align."""
    seed = config.vectors.alignment.seed_pairs if config.vectors else "identical"
    place, lexicon = "vectors.alignment.seed_pairs", config.lexicons.get(seed)
    yield from known_placeholders(place, seed, ("lang",))
    if lexicon is None:
        return
    if lexicon.kind not in ("titles", "dictionary"):
        yield place, f"{seed} itself needs aligned vectors", "name a lexicon of kind titles or dictionary"
    for language, vectors in config.vector_sources.items():
        if not vectors.aligned and language not in (config.languages.source, *config.targets(lexicon)):
            yield place, f"{seed} has no {language}, whose vectors it is to align", f"add it to lexicons.{seed}"


def _lexicons(config: Config) -> Iterator[Finding]:
    """The parts of a lexicon are declared and have its languages; a dictionary of one file is for one language."""
    for name, lexicon in config.lexicons.items():
        place, targets = f"lexicons.{name}", config.targets(lexicon)
        if isinstance(lexicon, TitlesLexicon):
            yield from known_placeholders(f"{place}.page", lexicon.page)
            yield from known_placeholders(f"{place}.langlinks", lexicon.langlinks)
            yield from known_placeholders(f"{place}.path", lexicon.path, ("lang", "source"))
        if isinstance(lexicon, DictionaryLexicon):
            yield from known_placeholders(f"{place}.path", lexicon.path, ("lang",))
            yield from refused(place, check_reading, listed(lexicon.path), lexicon.format, lexicon.columns)
            if "{" not in str(lexicon.path) and len(targets) > 1:
                todo = f"write {{lang}} where the files differ, or languages: [{targets[0]}]"
                yield place, f"one dictionary for {len(targets)} languages", todo
        if isinstance(lexicon, InducedLexicon):
            yield from refused(place, Choice, **lexicon.choice())
        yield from known_names(f"{place}.of", "lexicon", _parts(lexicon), config.lexicons)
        if name in made_of(name, lambda one: _parts(config.lexicons[one]), config.lexicons):
            yield f"{place}.of", f"{name} is made of itself", "name others"
        found = [config.lexicons[part] for part in _parts(lexicon) if part in config.lexicons]
        there = sorted({language for part in found for language in config.targets(part)})
        if found:
            yield from known_names(f"{place}.languages", "language of its parts:", targets, there)


def _parts(lexicon: Lexicon) -> list[str]:
    return listed(lexicon.of) if isinstance(lexicon, DegradedLexicon | MergedLexicon) else []


def _corpora(config: Config) -> Iterator[Finding]:
    for name, corpus in config.corpora.items():
        yield from known_names(f"corpora.{name}.from", "collection", corpus.collection, config.collections)
        collection = config.collections.get(corpus.collection)
        if collection and "train" not in collection.splits:
            yield f"corpora.{name}.from", f"{corpus.collection} has no training split", "name one that has"
        if collection and corpus.parallel and not collection.train_languages:
            place = f"collections.{corpus.collection}.train_languages"
            yield place, f"no training text in another language, which corpora.{name} needs", "list its languages"
        elif collection and corpus.parallel and isinstance(corpus.languages, list):
            known = [config.languages.source, *collection.train_languages]
            yield from known_names(f"corpora.{name}.languages", "training language:", corpus.languages, known)
        yield from known_names(f"corpora.{name}.lexicon", "lexicon", corpus.lexicon, config.lexicons)
        if corpus.lexicon in config.lexicons and isinstance(corpus.languages, list):
            covered = config.targets(config.lexicons[corpus.lexicon])
            yield from known_names(f"corpora.{name}.languages", "language of its lexicon:", corpus.languages, covered)


def _testsets(config: Config) -> Iterator[Finding]:
    for name, testset in config.testsets.items():
        yield from known_names(f"testsets.{name}.collection", "collection", testset.collection, config.collections)
        if testset.collection not in config.collections:
            continue
        collection = config.collections[testset.collection]
        if "test" not in collection.splits:
            yield f"testsets.{name}.collection", f"{testset.collection} has no test split", "name one that has"
        yield from _listed_pairs(f"testsets.{name}.pairs", testset, collection)
        members, place = config.mixed_languages(name), f"testsets.{name}.mixed"
        yield from known_names(place, "language of the collection:", members, collection.languages)
        yield from known_names(place, "query language of the collection:", members, collection.test_languages)
        if members and not name.endswith(f"-mlir{len(members)}"):
            todo = f"name it {name.split('-mlir')[0]}-mlir{len(members)}"
            yield f"testsets.{name}", f"a pool of {len(members)} languages", todo
        yield from _candidates(config, f"testsets.{name}.candidates", testset)
        rows = [*config.systems, *config.evaluate.references]
        yield from known_names(f"testsets.{name}.systems", "system or reference row", testset.systems, rows)


def _listed_pairs(place: str, testset: Testset, collection: CollectionSection) -> Iterator[Finding]:
    """Pairs that are listed name a query and a document language that the collection has."""
    for pair in testset.pairs if isinstance(testset.pairs, list) else []:
        query, dash, document = pair.partition("-")
        if not dash:
            yield place, f"{pair} is no pair", "write query and document language, such as de-en"
        else:
            yield from known_names(place, "query language of the collection:", query, collection.test_languages)
            yield from known_names(place, "language of the collection:", document, collection.languages)


def _candidates(config: Config, place: str, testset: Testset) -> Iterator[Finding]:
    """Runs are given for the languages of pairs; a system that finds candidates must encode queries alone."""
    given = testset.candidates
    yield from known_placeholders(f"{place}.run", given.run, ("query", "document"))
    if testset.mixed and given.run and given.by_pair:
        yield f"{place}.run", "a run for each query language of a mixed pool", "write {document} alone"
    if given.system is None:
        return
    found = list(known_names(f"{place}.system", "system", given.system, config.systems))
    if not found and config.architecture(given.system) == CROSS:
        problem = f"{given.system} is no encoder: it can only score the candidates that another found"
        found = [(f"{place}.system", problem, "name a system of architecture dual-encoder, or give bm25, run or all")]
    elif testset.mixed:
        found += [(f"{place}.system", "candidates for each pair of a mixed pool", "write candidates: {all: true}")]
    yield from found


def _evaluate(config: Config) -> Iterator[Finding]:
    if MAIN_METRIC not in config.evaluate.metrics:
        yield "evaluate.metrics", f"no {MAIN_METRIC}, which is what is tested and drawn", f"add {MAIN_METRIC}"
    for metric in config.evaluate.metrics:
        cut = int(metric.partition("@")[2] or 1)
        depths = {f"testsets.{name}.depth": testset.depth for name, testset in config.testsets.items()}
        for place, depth in ({"rank.depth": config.rank.depth} | depths).items():
            if depth is not None and depth < cut:
                yield place, f"{depth} is less than {metric} looks at", f"write {cut} or more"
    for measure in config.evaluate.setups:
        key = "bias" if measure in get_args(BiasMeasure) else "metrics"
        if measure not in getattr(config.evaluate, key):
            yield "evaluate.setups", f"{measure} is not measured", f"add it to evaluate.{key}"
        if measure in FALLING and not any(testset.pool == "every" for testset in config.testsets.values()):
            todo = "add a test set with pool: every, or leave it out"
            yield "evaluate.setups", f"{measure} needs every document in every language", todo


def _gold(config: Config) -> Iterator[Finding]:
    for name, pair in ((name, pair) for name, pairs in config.gold.items() for pair in pairs):
        place, languages, given = f"gold.{name}.{pair}", pair.split("-"), config.gold_file(name, pair)
        if len(languages) != 2:
            yield place, "not a pair", "write source-target, such as en-de"
        yield from known_names(place, "language", languages, config.languages.every)
        yield from known_placeholders(place, given.path, ("lang",))
        yield from refused(place, check_reading, listed(given.path), given.format, given.columns)


def _sweeps(config: Config) -> Iterator[Finding]:
    for name, sweep in config.sweeps.items():
        yield from known_names(f"sweeps.{name}.system", "trained system", sweep.system, config.systems)
        system = config.systems.get(sweep.system)
        corpora = system.corpora if system else []
        if not system or not is_of_corpus(sweep.key):
            continue
        if len(corpora) != 1:
            problem = f"{sweep.system} has {'several corpora' if corpora else 'no corpus'} to vary {sweep.key} of"
            yield f"sweeps.{name}.key", problem, "vary a key of its own"
        elif sweep.key.startswith("lexicon.") and getattr(config.corpora.get(corpora[0]), "lexicon", "") is None:
            yield f"sweeps.{name}.key", f"{sweep.system} has no lexicon", "name a system that is switched"


def _ablation(config: Config) -> Iterator[Finding]:
    section = config.ablation
    if section is None:
        return
    yield from known_names("ablation.testset", "test set", section.testset, config.testsets)
    if section.testset in config.testsets and config.testsets[section.testset].mixed:
        yield "ablation.testset", "a mixed pool", "name a test set with pairs"
    given = section.collection
    for place, name in {"": given}.items() if isinstance(given, str) else given.items():
        yield from known_names(f"ablation.collection.{place}".rstrip("."), "collection", name, config.collections)
    for place, name in [("reference", section.reference), *(("compared", name) for name in section.compared)]:
        yield from known_names(f"ablation.{place}", "trained system", name, config.with_models)
        if (architecture := config.architecture(name)) != CROSS:
            problem = f"{name} is {MODELS[architecture]}, which no row starts from"
            yield f"ablation.{place}", problem, "name a cross-encoder"


def _settings(config: Config) -> Iterator[Finding]:
    if config.world:
        yield from refused("world", complete_spec, config.world_spec())
    yield from training_findings(config, config.train.device)
