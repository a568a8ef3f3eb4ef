"""Writes a made-up world: monolingual texts, encyclopaedia dumps, a search collection in parallel, gold lexicons.

Nobody's data is in it: everything follows from the seed. Texts of different languages are drawn independently from the
same meanings, and what one language says in a sentence, no other language ever does: no sentence is a translation of
another, and word vectors have to earn their alignment. The gold lexicon is for evaluation only.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.seeds import generator
from switchrank.sources.world.dumps import write_dumps
from switchrank.sources.world.files import INVENTED, SPLITS, complete_spec, world_outputs
from switchrank.sources.world.grammar import Grammar
from switchrank.sources.world.languages import Language, build_language, gold_pairs
from switchrank.sources.world.layouts import write_rows, write_search
from switchrank.sources.world.meanings import Clause, Meanings, Speaker, build_meanings
from switchrank.sources.world.search import Search, build_search
from switchrank.sources.world.vectors import write_vectors
from switchrank.sources.world.vocabulary import check_themes, english_concepts, themes


def generate_world(*, spec: dict[str, Any], out: str | Path, overwrite: bool = False) -> None:
    """Generate the world of ``spec`` (see :data:`switchrank.sources.world.files.DEFAULTS`) into the folder ``out``.

    Writes the files named by :func:`switchrank.sources.world.files.world_outputs`, all or none; the same spec gives
    the same bytes. Text files are UTF-8, one sentence, passage or query a line; TSV columns are those of MS MARCO
    (``docid text``, ``qid text``, ``qid 0 docid 1``; triples ``qid positive negative``, the run ``qid docid rank``,
    ``top1000.dev`` ``qid docid query passage``), ``topics.tsv`` is ``docid topic``; gold files are
    ``english<tab>word``.

    Args:
        spec: what differs from the defaults.
        out: where the raw files go.
        overwrite: replace the folder whatever it holds.

    Raises:
        UserError: see :func:`switchrank.sources.world.files.complete_spec`; or more themes than there are;
            or ``out`` holds other things than a world (``overwrite`` replaces it all the same).
    """
    spec = complete_spec(spec)
    check_themes(spec["themes"])
    seed = spec["seed"]
    kept = set(themes()[: spec["themes"]])
    meanings = build_meanings(tuple(concept for concept in english_concepts() if concept.theme in kept), seed)
    languages = [build_language(code, meanings, seed, spec["designs"].get(code)) for code in spec["languages"]]
    search = build_search(
        meanings,
        seed=seed,
        queries={split: spec[f"{split}_queries"] for split in SPLITS},
        distractors={split: spec[f"{split}_distractors"] for split in SPLITS},
    )
    with atomic_folder(out, "a made-up world", overwrite=overwrite) as folder:
        for name in world_outputs(spec):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        for language in languages:
            _write_text(folder / f"text/{language.code}.txt", language, meanings, search, spec)
        write_search(folder, search, languages, spec)
        page, links = folder / "dumps/enwiki-page.sql.gz", folder / "dumps/enwiki-langlinks.sql.gz"
        write_dumps(meanings, languages, seed=seed, page=page, links=links)
        for language in languages:
            if language.code in spec["vectors"]:
                write_vectors(folder / f"vectors/wiki.multi.{language.code}.vec", language, meanings, seed)
        for language in languages[1:]:
            write_rows(folder / f"gold/en-{language.code}.tsv", gold_pairs(languages[0], language))


def _write_text(path: Path, language: Language, meanings: Meanings, search: Search, spec: dict[str, Any]) -> None:
    """Monolingual text, without the sentences that say all that some test query asks for."""
    random = generator(spec["seed"], "world", "text", language.code)
    speakers = ["en", *INVENTED, *spec["designs"]]
    part = speakers.index(language.code)
    clauses = Speaker(meanings, language.known, random).own_clauses(spec["sentences"], part, len(speakers))
    asked: defaultdict[int, list[frozenset[int]]] = defaultdict(list)
    for query in search.queries["test"]:
        asked[min(query.concepts)].append(query.concepts)

    def told(clause: Clause) -> bool:
        concepts = clause.concepts
        return any(wanted.issubset(concepts) for concept in concepts for wanted in asked.get(concept, ()))

    grammar = Grammar(language)
    write_rows(path, ((grammar.sentence(clause),) for clause in clauses if not told(clause)))
