"""Writes a made-up world: monolingual texts, encyclopaedia dumps, a search collection in parallel, gold lexicons.

Nothing here is data of anyone: all follows from the seed. Texts of different languages are drawn independently from
the same meanings, and what one language says in a sentence no other ever says in one: no sentence is a translation of
another, and word vectors have to earn their alignment. The gold lexicon is for evaluation only.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from switchrank.atomic import atomic_folder
from switchrank.errors import UserError
from switchrank.seeds import generator
from switchrank.sources.world.dumps import write_dumps
from switchrank.sources.world.files import INVENTED, SPLITS, complete_spec, world_outputs
from switchrank.sources.world.grammar import Grammar
from switchrank.sources.world.languages import Language, build_language, gold_pairs
from switchrank.sources.world.meanings import Clause, Meanings, Speaker, build_meanings
from switchrank.sources.world.search import Search, build_search
from switchrank.sources.world.vocabulary import english_concepts, themes


def generate_world(*, spec: dict[str, Any], out: str | Path) -> None:
    """Generate the world of ``spec`` (see :data:`switchrank.sources.world.files.DEFAULTS`) into the folder ``out``.

    Writes the files named by :func:`switchrank.sources.world.files.world_outputs`, all or none; the same spec gives
    the same bytes. Text files are UTF-8, one sentence, passage or query a line; TSV columns are those of MS MARCO
    (``docid text``, ``qid text``, ``qid 0 docid 1``), ``topics.tsv`` is ``docid topic``; gold files are
    ``english<tab>word``.

    Raises:
        UserError: see :func:`switchrank.sources.world.files.complete_spec`; or more themes than there are.
    """
    spec = complete_spec(spec)
    if spec["themes"] > len(themes()):
        raise UserError("world", "themes", f"{spec['themes']}", f"give at most {len(themes())}")
    seed = spec["seed"]
    kept = set(themes()[: spec["themes"]])
    meanings = build_meanings(tuple(concept for concept in english_concepts() if concept.theme in kept), seed)
    languages = [build_language(code, meanings, seed) for code in spec["languages"]]
    search = build_search(
        meanings,
        seed=seed,
        queries={split: spec[f"{split}_queries"] for split in SPLITS},
        distractors={split: spec[f"{split}_distractors"] for split in SPLITS},
    )
    with atomic_folder(out) as folder:
        for name in world_outputs(spec):
            (folder / name).parent.mkdir(exist_ok=True)
        for language in languages:
            _write_text(folder / f"text/{language.code}.txt", language, meanings, search, seed, spec["sentences"])
        _write_search(folder / "msmarco", search, languages)
        page, links = folder / "dumps/enwiki-page.sql.gz", folder / "dumps/enwiki-langlinks.sql.gz"
        write_dumps(meanings, languages, seed=seed, page=page, links=links)
        for language in languages[1:]:
            _write_rows(folder / f"gold/en-{language.code}.tsv", gold_pairs(languages[0], language))


def _write_rows(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8", newline="\n")


def _write_text(path: Path, language: Language, meanings: Meanings, search: Search, seed: int, sentences: int) -> None:
    """Monolingual text, without the sentences that say all that some test query asks for."""
    random = generator(seed, "world", "text", language.code)
    part = ("en", *INVENTED).index(language.code)
    clauses = Speaker(meanings, language.known).own_clauses(random, sentences, part, 1 + len(INVENTED))
    asked: defaultdict[int, list[frozenset[int]]] = defaultdict(list)
    for query in search.queries["test"]:
        asked[min(query.concepts)].append(query.concepts)

    def told(clause: Clause) -> bool:
        concepts = clause.concepts
        return any(wanted.issubset(concepts) for concept in concepts for wanted in asked.get(concept, ()))

    grammar = Grammar(language)
    _write_rows(path, ((grammar.sentence(clause),) for clause in clauses if not told(clause)))


def _write_search(folder: Path, search: Search, languages: list[Language]) -> None:
    """Collections, queries, judgements and topics; ids are counted through, so that a query keeps its id everywhere."""
    first = {"train": 1, "test": 1 + len(search.queries["train"])}
    for language in languages:
        grammar = Grammar(language)
        passages = ((number, grammar.passage(passage.clauses)) for number, passage in enumerate(search.passages))
        _write_rows(folder / f"collection.{language.code}.tsv", passages)
        for split, queries in search.queries.items():
            asked = (
                (qid, grammar.question(query.clause, query.asked)) for qid, query in enumerate(queries, first[split])
            )
            _write_rows(folder / f"queries.{split}.{language.code}.tsv", asked)
    for split, queries in search.queries.items():
        judged = ((qid, 0, query.passage, 1) for qid, query in enumerate(queries, first[split]))
        _write_rows(folder / f"qrels.{split}.tsv", judged)
    english = languages[0].words
    topics = ((number, english[passage.topic][0]["sg"]) for number, passage in enumerate(search.passages))
    _write_rows(folder / "topics.tsv", topics)
