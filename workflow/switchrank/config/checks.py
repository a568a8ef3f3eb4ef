"""Checks across sections: every name that is used is declared, every language is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from switchrank.collections.joined.section import Joined
from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.collections.section import CollectionSection
from switchrank.config.downloads import PLACE
from switchrank.config.lexicons import DegradedLexicon, DictionaryLexicon, Lexicon, MergedLexicon, TitlesLexicon, listed
from switchrank.config.model_checks import model_findings
from switchrank.config.models import Config
from switchrank.config.names import Finding, known_name, known_placeholders
from switchrank.config.settings import refused, setting_findings
from switchrank.config.testsets import MAIN_METRIC, Testset
from switchrank.files.addresses import placeholders
from switchrank.text.segmenters import LIBRARIES


def findings(config: Config) -> list[Finding]:
    """Everything that is wrong with a config whose values are right one by one."""
    checks = (
        *(_downloads, _languages, _collections, _paths, _vectors, _lexicons, _corpora),
        *(_testsets, _evaluate, _gold, model_findings, setting_findings),
    )
    return [finding for check in checks for finding in check(config)]


def _downloads(config: Config) -> Iterator[Finding]:
    for path, download in config.downloads.items():
        for name in placeholders(download.url):
            yield from known_name(f"downloads.{path}.url", "placeholder", name, placeholders(path))
        if not PLACE.fullmatch(path):
            yield (
                f"downloads.{path}",
                "not a path below data/",
                "write data/ and a name, without .. or a dot before a name",
            )


def _languages(config: Config) -> Iterator[Finding]:
    known = config.languages.every
    used: list[tuple[str, Iterable[str]]] = [
        *((f"collections.{name}.languages", part.languages) for name, part in config.collections.items()),
        *(
            (f"collections.{name}.query_languages", [lang for lang in part.asked_in if lang not in part.languages])
            for name, part in config.collections.items()
        ),
        *((f"testsets.{name}.mixed", config.mixed_languages(name)) for name in config.testsets),
        *((f"lexicons.{name}.languages", part.languages or []) for name, part in config.lexicons.items()),
        *(
            (f"corpora.{name}.languages", part.languages if isinstance(part.languages, list) else [])
            for name, part in config.corpora.items()
        ),
        ("vectors.languages", config.vectors.languages if config.vectors else []),
        ("start.tokenizer.texts", config.start.tokenizer.texts),
    ]
    for language, segmenter in config.languages.segmenters.items():
        cut = LIBRARIES[segmenter].languages
        if language not in cut:
            fitting = [name for name, library in LIBRARIES.items() if language in library.languages]
            todo = f"write {fitting[0]}" if fitting else "leave it out; Unicode rules and unspaced serve any language"
            yield f"languages.segmenters.{language}", f"{segmenter} does not know this language", todo
    for place, languages in used:
        for language in languages:
            yield from known_name(place, "language", language, known)
    for place, languages in [("languages.seen", config.languages.seen), *used]:
        if place.startswith(("languages.", "lexicons.", "corpora.")) and config.languages.source in languages:
            yield place, f"{config.languages.source} is the source language", "leave it out: it is there anyway"


def _collections(config: Config) -> Iterator[Finding]:
    trained = {corpus.collection for corpus in config.corpora.values()}
    for name, part in config.collections.items():
        if config.languages.source not in part.languages and name in trained:
            yield f"collections.{name}", f"no text in the source language {config.languages.source}", "add it"
        wrong = list(_templates(f"collections.{name}", part))
        for language in part.train_languages:
            wrong += known_name(f"collections.{name}.train_languages", "language of it:", language, part.languages)
        yield from wrong
        if isinstance(part, Joined):
            yield from _joined(config, name, part)
        elif not wrong:  # else its files have no names
            for path in part.roles(config.languages.source).values():
                yield from known_placeholders(f"collections.{name}: {path}", path)
        if not wrong:
            yield from refused(f"collections.{name}", part.check, config.languages.source)


def _joined(config: Config, name: str, joined: Joined) -> Iterator[Finding]:
    """The parts are collections with training text in the languages of the whole."""
    place = f"collections.{name}.of"
    others = {other: part for other, part in config.collections.items() if not isinstance(part, Joined)}
    for other in joined.of:
        yield from known_name(place, "collection", other, others)
        if other not in others:
            continue
        if "train" not in others[other].splits:
            yield place, f"{other} has no training split", "name one that has"
        for language in joined.languages:
            yield from known_name(place, f"language of {other}:", language, others[other].languages)
    if joined.labels:
        yield f"collections.{name}.labels", "its parts are cut already", f"set labels of {' or '.join(joined.of)}"


def _paths(config: Config) -> Iterator[Finding]:
    """Paths of lexicons, gold and vectors, which are filled in by language or not at all."""
    for name, lexicon in config.lexicons.items():
        if isinstance(lexicon, TitlesLexicon):
            for key, path in {"page": lexicon.page, "langlinks": lexicon.langlinks}.items():
                yield from known_placeholders(f"lexicons.{name}.{key}", path or "")
        if isinstance(lexicon, TitlesLexicon | DictionaryLexicon):
            known = ("lang", "source") if lexicon.kind == "titles" else ("lang",)
            for path in listed(lexicon.path):
                yield from known_placeholders(f"lexicons.{name}.path", path, known)
    for name, pairs in config.gold.items():
        for pair in pairs:
            for path in listed(config.gold_file(name, pair).path):
                yield from known_placeholders(f"gold.{name}.{pair}", path, ("lang",))
    for language, source in config.vectors.languages.items() if config.vectors else ():
        for path in filter(None, [source.path, source.extra_words, *(source.text or [])]):
            yield from known_placeholders(f"vectors.languages.{language}", path)
    if config.vectors:
        yield from known_placeholders("vectors.alignment.seed_pairs", config.vectors.alignment.seed_pairs, ("lang",))


def _templates(place: str, part: CollectionSection) -> Iterator[Finding]:
    """Paths with braces: each placeholder is known, and each language has the name that `{name}` stands for."""
    for key, template, known in part.templates:
        yield from known_placeholders(f"{place}.{key}", template, known)
        used = placeholders(template)
        for language in dict.fromkeys([*part.languages, *part.asked_in]) if "name" in used else []:
            if language not in MMARCO_NAMES:
                yield f"{place}.{key}", f"mMARCO has no name for {language}", "write {lang} instead of {name}"


def _vectors(config: Config) -> Iterator[Finding]:
    needed = {
        language: f"lexicons.{name}"
        for name, lexicon in config.lexicons.items()
        if lexicon.kind == "vectors"
        for language in [config.languages.source, *(lexicon.languages or config.languages.seen)]
    }
    given = config.vectors.languages if config.vectors else {}
    for language, place in needed.items():
        if language not in given:
            yield place, f"language {language} has no vectors", "add it under vectors.languages"
    source = config.languages.source
    if source in config.languages.longest_match and source not in given:
        todo = f"add it under vectors.languages, or name what cuts it in languages.segmenters.{source}"
        yield "languages.unspaced", f"no vectors of {source}, by whose words its text is cut", todo
    if config.start.preset and "vectors" in config.start.init and not given:
        yield "start.init", "no vectors to start from", "add vectors.languages"
    if config.start.preset and not given and not config.start.tokenizer.texts:
        yield "start.tokenizer.texts", "no text and no vectors to learn pieces from", "name texts, or add vectors"
    turned = [language for language, source in given.items() if not source.aligned]
    if turned and config.languages.source not in given:
        todo = f"add it: those of {turned[0]} are turned into its space"
        yield "vectors.languages", f"no vectors of the source language {config.languages.source}", todo
    yield from _seed_pairs(config)


def _seed_pairs(config: Config) -> Iterator[Finding]:
    """Seed translations of an alignment come from a lexicon that needs no vectors and has the languages to align."""
    seed = config.vectors.alignment.seed_pairs if config.vectors else "identical"
    place, lexicon = "vectors.alignment.seed_pairs", config.lexicons.get(seed)
    if lexicon is None or config.vectors is None:
        return
    if lexicon.kind not in ("titles", "dictionary"):
        todo = "name a lexicon of kind titles or dictionary"
        yield place, f"{seed} itself needs aligned vectors", todo
    there = lexicon.languages or config.languages.seen
    for language, source in config.vectors.languages.items():
        if not source.aligned and language not in (config.languages.source, *there):
            yield place, f"{seed} has no {language}, whose vectors it is to align", f"add it to lexicons.{seed}"


def _lexicons(config: Config) -> Iterator[Finding]:
    """Lexicons made of others: the parts are declared, none is made of itself, and they have its languages.

    A dictionary that is one file translates to one language.
    """
    for name, lexicon in config.lexicons.items():
        targets = lexicon.languages or config.languages.seen
        one_file = isinstance(lexicon, DictionaryLexicon) and "{" not in str(lexicon.path)
        if one_file and len(targets) > 1:
            todo = f"write {{lang}} where the files differ, or languages: [{targets[0]}]"
            yield f"lexicons.{name}", f"one dictionary for {len(targets)} languages", todo
        parts = _parts(lexicon)
        for part in parts:
            yield from known_name(f"lexicons.{name}.of", "lexicon", part, config.lexicons)
        if name in _made_of(config, name):
            yield f"lexicons.{name}.of", f"{name} is made of itself", "name others"
        found = [config.lexicons[part] for part in parts if part in config.lexicons]
        there = {lang for part in found for lang in part.languages or config.languages.seen}
        for language in (lexicon.languages or config.languages.seen) if found else []:
            yield from known_name(f"lexicons.{name}.languages", "language of its parts:", language, sorted(there))


def _made_of(config: Config, name: str) -> set[str]:
    """Every lexicon that one is made of, directly or through others."""
    found: set[str] = set()
    todo = [name]
    while todo:
        parts = {part for part in _parts(config.lexicons[todo.pop()]) if part in config.lexicons} - found
        found |= parts
        todo += sorted(parts)
    return found


def _parts(lexicon: Lexicon) -> list[str]:
    if isinstance(lexicon, DegradedLexicon):
        return [lexicon.of]
    return lexicon.of if isinstance(lexicon, MergedLexicon) else []


def _corpora(config: Config) -> Iterator[Finding]:
    for name, corpus in config.corpora.items():
        yield from known_name(f"corpora.{name}.from", "collection", corpus.collection, config.collections)
        collection = config.collections.get(corpus.collection)
        if collection and "train" not in collection.splits:
            yield f"corpora.{name}.from", f"{corpus.collection} has no training split", "name one that has"
        if collection and corpus.parallel and not collection.train_languages:
            place = f"collections.{corpus.collection}.train_languages"
            yield place, f"no training text in another language, which corpora.{name} needs", "list its languages"
        if corpus.lexicon is None:
            continue
        yield from known_name(f"corpora.{name}.lexicon", "lexicon", corpus.lexicon, config.lexicons)
        if corpus.lexicon not in config.lexicons:
            continue
        covered = config.lexicons[corpus.lexicon].languages or config.languages.seen
        for language in corpus.languages if isinstance(corpus.languages, list) else []:
            yield from known_name(f"corpora.{name}.languages", "language of its lexicon:", language, covered)


def _mixed(config: Config, name: str, members: list[str]) -> Iterator[Finding]:
    collection = config.collections[config.testsets[name].collection]
    for language in members:
        yield from known_name(f"testsets.{name}.mixed", "language of the collection:", language, collection.languages)
        yield from known_name(
            f"testsets.{name}.mixed", "query language of the collection:", language, collection.asked_in
        )
    if not name.endswith(f"-mlir{len(members)}"):
        yield (
            f"testsets.{name}",
            f"a pool of {len(members)} languages",
            f"name it {name.split('-mlir')[0]}-mlir{len(members)}",
        )


def _testsets(config: Config) -> Iterator[Finding]:
    for name, testset in config.testsets.items():
        yield from known_name(f"testsets.{name}.collection", "collection", testset.collection, config.collections)
        if testset.collection not in config.collections:
            continue
        if "test" not in config.collections[testset.collection].splits:
            yield f"testsets.{name}.collection", f"{testset.collection} has no test split", "name one that has"
        if testset.mixed:
            yield from _mixed(config, name, config.mixed_languages(name))
        yield from _candidates(config, f"testsets.{name}.candidates", testset)


def _candidates(config: Config, place: str, testset: Testset) -> Iterator[Finding]:
    """Runs are given for languages that a pair has; a system that finds candidates embeds queries by themselves."""
    given = testset.candidates
    yield from known_placeholders(f"{place}.run", given.run or "", ("query", "document"))
    if testset.mixed and given.by_pair:
        yield f"{place}.run", "a run for each query language of a mixed pool", "write {document} alone"
    if given.system:
        found = list(known_name(f"{place}.system", "system", given.system, config.systems))
        problem = f"{given.system} is no encoder: it can only score the candidates that another found"
        todo = "name a system of architecture dual-encoder (known are: cross-encoder), or give bm25, run or all"
        yield from found or [(f"{place}.system", problem, todo)]


def _evaluate(config: Config) -> Iterator[Finding]:
    if MAIN_METRIC not in config.evaluate.metrics:
        yield "evaluate.metrics", f"no {MAIN_METRIC}, which is what is tested and drawn", f"add {MAIN_METRIC}"
    for metric in config.evaluate.metrics:
        cut = int(metric.partition("@")[2] or 1)
        if config.rank.depth is not None and config.rank.depth < cut:
            yield "rank.depth", f"{config.rank.depth} is less than {metric} looks at", f"write {cut} or more"


def _gold(config: Config) -> Iterator[Finding]:
    for name, pairs in config.gold.items():
        for pair in pairs:
            languages = pair.split("-")
            if len(languages) != 2:
                yield f"gold.{name}.{pair}", "not a pair", "write source-target, such as en-de"
            for language in languages:
                yield from known_name(f"gold.{name}.{pair}", "language", language, config.languages.every)
