"""Single entries of a config, put into a whole one and read as its rules read them, for tests of entries.

Paths are relative, as in a run: the caller works in a folder of its own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from switchrank.config.lexicons import DegradedLexicon, DictionaryLexicon, MergedLexicon, TitlesLexicon
from switchrank.config.load import check_config
from switchrank.config.plan import Plan
from switchrank.embeddings.align import align_vectors
from switchrank.embeddings.keep import keep_vectors
from switchrank.embeddings.read import import_vectors
from switchrank.embeddings.train import SkipGram, train_vectors
from switchrank.lexicon.derived import degrade_lexicon, merge_lexicons
from switchrank.lexicon.dictionary import dictionary_lexicon
from switchrank.lexicon.induce import induce_lexicon
from switchrank.lexicon.quality import lexicon_quality
from switchrank.lexicon.titles import titles_lexicon
from switchrank.search.choices import Choice
from switchrank.sources.build import build_collection
from switchrank.sources.wikitext import write_wikitext


def whole_config(
    sections: Mapping[str, Any],
    seen: Sequence[str],
    source: str = "en",
    environment: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan of a config that holds these sections and what every config needs beside them."""
    nothing = {"format": "squad", "split": "train", "files": {source: "none.json"}}
    least: dict[str, Any] = {
        "run": "entry",
        "languages": {"source": source, "seen": list(seen)},
        "collections": {"nothing": nothing, **sections.get("collections", {})},
        "corpora": {"english": {"from": "nothing"}},
        "systems": {"zero-shot": {"corpus": "english"}},
        "start": {"preset": "tiny", "tokenizer": {"texts": {source: ["text.en.txt"]}}},
        "train": {},
        "testsets": {},
    }
    return Plan(check_config({**sections, **least}, "entry.yaml", environment), [])


def read_collection(plan: Plan, name: str, **changes: Any) -> tuple[Any, Path]:
    """Counts of a collection, its specification changed if need be, and the folder of its tables."""
    folder = Path(plan.folder, "sources", name)
    spec = plan.collection_spec(name) | changes
    return build_collection(spec=spec, files=plan.collection_files(name), out=folder), folder


def read_vectors(plan: Plan, language: str) -> dict[str, Any]:
    """Counts and the alignment's record of a language's vectors; the stores are under ``vectors/`` of the run."""
    section = plan.config.vector_sources[language]
    raw, aligned = (f"{plan.folder}/vectors/{step}/{language}" for step in ("raw", "aligned"))
    vectors = plan.config.vectors
    assert vectors is not None
    if section.text:
        for dump in set(section.text) & set(plan.dumps):
            write_wikitext(dumps=[dump], out=plan.dumps[dump])
        given = vectors.training.plain()
        counts = train_vectors(texts=plan.plain(section.text), out=raw, language=language, training=SkipGram(**given))
    else:
        extra, path = section.extra_words, str(section.path)
        counts = import_vectors(path=path, out=raw, max_words=section.max_words, extra_words=extra)
    if plan.aligned(language):
        return counts | keep_vectors(vectors=raw, out=aligned)
    seed = vectors.alignment.seed_pairs
    pairs = {"kind": "identical"}
    if seed in plan.config.lexicons:
        read_lexicon(plan, seed, language)
        pairs = {"kind": "lexicon", "path": plan.lexicon_file(seed, language)}
    elif seed != "identical":
        pairs = {"kind": "dictionary", "path": seed.format(lang=language)}
    target = f"{plan.folder}/vectors/aligned/{plan.config.languages.source}"
    settings = vectors.alignment.plain("seed_pairs")
    return counts | align_vectors(vectors=raw, target=target, seed_pairs=pairs, out=aligned, **settings)


def read_lexicon(plan: Plan, name: str, language: str) -> dict[str, int]:
    """Counts of a lexicon, which then stands where the plan says; the parts it is made of must stand there already."""
    section, source, out = plan.config.lexicons[name], plan.config.languages.source, plan.lexicon_file(name, language)
    if isinstance(section, TitlesLexicon):
        spec = section.plain("kind", "page", "langlinks", "path", "languages", "codes")
        sides = {"source": section.code(source), "language": section.code(language)}
        return titles_lexicon(files=section.files(source, language), out=out, **spec, **sides)
    if isinstance(section, DictionaryLexicon):
        return dictionary_lexicon(path=section.files(language), out=out, **section.reading())
    if isinstance(section, MergedLexicon):
        return merge_lexicons(lexicons=plan.merged_files(name, language), out=out)
    if isinstance(section, DegradedLexicon):
        part = plan.lexicon_file(section.of, language)
        return degrade_lexicon(lexicon=part, out=out, language=language, share=section.share, seed=section.seed)
    sides = {side: f"{plan.folder}/vectors/aligned/{lang}" for side, lang in [("source", source), ("target", language)]}
    return induce_lexicon(out=out, **sides, choice=Choice(**section.plain("kind", "languages")))


def measure_lexicon(plan: Plan, lexicon: str, gold: str, language: str) -> str:
    """The table of quality of a lexicon against a gold dictionary."""
    names = {"src": plan.config.languages.source, "tgt": language}
    entry = plan.config.gold_file(gold, f"{names['src']}-{language}")
    lexicons: Any = [{"lexicon": lexicon, "path": plan.lexicon_file(lexicon, language), **names}]
    dictionary: Any = {"name": gold, "path": entry.files(language), **entry.reading(), **names}
    lexicon_quality(lexicons=lexicons, gold=[dictionary], out=f"{plan.folder}/quality.csv")
    return f"{plan.folder}/quality.csv"
