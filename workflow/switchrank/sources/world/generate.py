"""Writes a made-up world: monolingual texts, encyclopaedia dumps, a search collection in parallel, gold lexicons.

Nobody's data is in it: everything follows from the seed. Texts of different languages are drawn independently from the
same meanings, and what one language says in a sentence, no other language ever does: no sentence is a translation of
another, and word vectors have to earn their alignment. The gold lexicon is for evaluation only.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_folder
from switchrank.core.seeds import generator
from switchrank.search.bm25 import Bm25, best
from switchrank.sources.world.dumps import write_dumps
from switchrank.sources.world.files import INVENTED, SPLITS, complete_spec, search_files, world_outputs
from switchrank.sources.world.languages import Grammar, Language, build_language, gold_pairs
from switchrank.sources.world.meanings import Clause, Meanings, Speaker, build_meanings
from switchrank.sources.world.search import Query, Search, build_search
from switchrank.sources.world.vectors import write_vectors
from switchrank.sources.world.vocabulary import check_themes, english_concepts, themes
from switchrank.text.splitting import language_splitter

Text = tuple[int, str]
"""An id and what it says."""


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
        UserError: as :func:`switchrank.sources.world.files.complete_spec`; more themes than there are; or ``out`` holds
            something else (``overwrite`` replaces it all the same).
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
        contents = _Contents(search, languages, spec)
        for (kind, *which), name in search_files(spec["layout"], spec["languages"]).items():
            _write_rows(folder / name, getattr(contents, kind)(*which))
        page, links = folder / "dumps/enwiki-page.sql.gz", folder / "dumps/enwiki-langlinks.sql.gz"
        write_dumps(meanings, languages, seed=seed, page=page, links=links)
        for language in languages:
            if language.code in spec["vectors"]:
                write_vectors(folder / f"vectors/wiki.multi.{language.code}.vec", language, meanings, seed)
        for language in languages[1:]:
            _write_rows(folder / f"gold/en-{language.code}.tsv", gold_pairs(languages[0], language))


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
    _write_rows(path, ((grammar.sentence(clause),) for clause in clauses if not told(clause)))


def _write_rows(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    r"""Write ``rows`` as UTF-8 lines, fields between tabs, ``\n`` at the end of each line."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8", newline="\n")


class _Contents:
    """The rows of each kind of file of the search task.

    Ids are counted through, so that a query keeps its id in all languages: passages from 0, which is line 1 of every
    collection, training queries from 1, test queries after them.
    """

    def __init__(self, search: Search, languages: list[Language], spec: dict[str, Any]) -> None:
        self._search, self._spec = search, spec
        self._english = languages[0]
        self._grammars = {language.code: Grammar(language) for language in languages}

    def _numbered(self, split: str) -> Iterator[tuple[int, Query]]:
        queries = self._search.queries
        return enumerate(queries[split], 1 if split == "train" else 1 + len(queries["train"]))

    def documents(self, language: str) -> Iterator[Text]:
        say = self._grammars[language].passage
        return ((number, say(passage.clauses)) for number, passage in enumerate(self._search.passages))

    def queries(self, split: str, language: str) -> Iterator[Text]:
        say = self._grammars[language].question
        return ((qid, say(query.clause, query.asked)) for qid, query in self._numbered(split))

    def judgements(self, split: str) -> Iterator[tuple[int, int, int, int]]:
        return ((qid, 0, query.passage, 1) for qid, query in self._numbered(split))

    def topics(self) -> Iterator[Text]:
        words = self._english.words
        return ((number, words[passage.topic][0]["sg"]) for number, passage in enumerate(self._search.passages))

    def triples(self) -> list[tuple[int, int, int]]:
        """Query, positive, negative in a random order. Negatives say something of what the query asks, as BM25's do."""
        random, negatives = generator(self._spec["seed"], "world", "triples"), self._spec["triples"]
        speaking: defaultdict[int, set[int]] = defaultdict(set)
        for number, passage in enumerate(self._search.passages):
            for concept in passage.concepts:
                speaking[concept].add(number)
        rows = []
        for qid, query in self._numbered("train"):
            near = sorted(set().union(*(speaking[concept] for concept in query.concepts)) - {query.passage})
            drawn = random.permutation(near).tolist()[:negatives]
            if len(drawn) < negatives:
                others = sorted(set(range(len(self._search.passages))) - {query.passage, *drawn})
                drawn += random.permutation(others).tolist()[: negatives - len(drawn)]
            rows += [(qid, query.passage, negative) for negative in drawn]
        return [rows[place] for place in random.permutation(len(rows)).tolist()]

    @cached_property
    def _first_stage(self) -> list[tuple[int, int, int, str, str]]:
        """The best of each test query by BM25 over English words: query, passage, rank, and both texts."""
        passages = [text for _, text in self.documents("en")]
        questions = list(self.queries("test", "en"))
        index = Bm25(passages, [text for _, text in questions], split=language_splitter(None))
        return [
            (qid, int(number), rank, question, passages[number])
            for place, (qid, question) in enumerate(questions)
            for rank, number in enumerate(best(index.scores(place), self._spec["candidates"]).tolist(), 1)
        ]

    def run(self) -> Iterator[tuple[int, int, int]]:
        return (row[:3] for row in self._first_stage)

    def candidates(self) -> Iterator[tuple[int, int, str, str]]:
        return ((qid, number, question, passage) for qid, number, _, question, passage in self._first_stage)
