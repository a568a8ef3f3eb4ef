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

import numpy as np

from switchrank.core.atomic import atomic_folder
from switchrank.core.seeds import generator
from switchrank.search.bm25 import Bm25, best
from switchrank.sources.world.dumps import write_dumps
from switchrank.sources.world.files import INVENTED, SPLITS, complete_spec, search_files, world_outputs
from switchrank.sources.world.languages import Language, build_language, gold_pairs
from switchrank.sources.world.meanings import Clause, Floats, Meanings, Speaker, build_meanings
from switchrank.sources.world.search import Query, Search, build_search
from switchrank.sources.world.vocabulary import SLOTS, english_concepts, themes
from switchrank.text.splitting import language_splitter

DIMENSIONS = 64
"""Dimensions of the made-up word vectors; the published ones have 300."""
THEME, FORM, NOISE = 0.5, 0.7, 1.2
"""Lengths of theme, form and noise in these vectors, relative to the concept."""


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
        UserError: as :func:`switchrank.sources.world.files.complete_spec`; or ``out`` holds something else.
    """
    spec = complete_spec(spec)
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
                _write_vectors(folder / f"vectors/wiki.multi.{language.code}.vec", language, meanings, seed)
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

    _write_rows(path, ((language.sentence(clause),) for clause in clauses if not told(clause)))


def _write_vectors(path: Path, language: Language, meanings: Meanings, seed: int) -> None:
    """Write word vectors that are aligned from the start, in the form of MUSE's ``wiki.multi.{lang}.vec``.

    They are learned from no text: the vector of a word is the mean of what it can mean (its concept, the theme of that
    concept, its grammatical form), the same in every language, and noise of its own. So the nearest words of another
    language are its translations, their other forms, and words of the same theme; with this much noise CSLS puts a
    right one first about seven times in ten. Loans, and the English helpers ``an is are do does``, are not in the file.
    """
    vectors = _vectors(language, meanings, seed)
    noise = generator(seed, "world", "vectors", language.code).standard_normal((len(vectors), DIMENSIONS))
    lines = [f"{len(vectors)} {DIMENSIONS}\n"]
    for (word, vector), own in zip(vectors.items(), NOISE * noise, strict=True):
        lines.append(f"{word} {' '.join(f'{number:.5f}' for number in vector + own)}\n")
    path.write_text("".join(lines), encoding="utf-8", newline="\n")


def _vectors(language: Language, meanings: Meanings, seed: int) -> dict[str, Floats]:
    """What each word of the language means, in file order, without noise."""
    said = {
        word: [generator(seed, "world", "vectors", "particle", name).standard_normal(DIMENSIONS)]
        for name, word in language.particles.items()
    }
    meant = _meanings(meanings, seed)
    used: defaultdict[str, float] = defaultdict(float)
    senses: defaultdict[str, list[Floats]] = defaultdict(list)
    for number in np.flatnonzero(language.known).tolist():
        synonyms = language.words[number]
        for forms in synonyms:
            for slot, word in forms.items():
                senses[word].append(meant[number, slot])
                used[word] += meanings.weight[number] / len(synonyms) / len(forms)
    for word in sorted(senses, key=lambda word: (-used[word], word)):
        said.setdefault(word, []).extend(senses[word])
    return {word: np.mean(parts, axis=0) for word, parts in said.items()}


def _meanings(meanings: Meanings, seed: int) -> dict[tuple[int, str], Floats]:
    """The vector of every concept in each grammatical form."""
    random = generator(seed, "world", "vectors")
    concepts = random.standard_normal((len(meanings.concepts), DIMENSIONS))
    names = sorted({concept.theme for concept in meanings.concepts})
    theme = dict(zip(names, THEME * random.standard_normal((len(names), DIMENSIONS)), strict=True))
    slots = [slot for kind in SLOTS.values() for slot in kind]
    form = dict(zip(slots, FORM * random.standard_normal((len(slots), DIMENSIONS)), strict=True))
    return {
        (number, slot): concepts[number] + theme[concept.theme] + form[slot]
        for number, concept in enumerate(meanings.concepts)
        for slot in SLOTS[concept.kind]
    }


def _write_rows(path: Path, rows: Iterable[tuple[object, ...]]) -> None:
    r"""Write ``rows`` as UTF-8 lines, fields between tabs, ``\n`` at the end of each line."""
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8", newline="\n")


class _Contents:
    """The rows of each kind of file of the search task. Ids are the same in all languages.

    Passages count from 0, which is line 1 of every collection, training queries from 1, test queries after them.
    """

    def __init__(self, search: Search, languages: list[Language], spec: dict[str, Any]) -> None:
        self._search, self._spec = search, spec
        self._languages = {language.code: language for language in languages}

    def _numbered(self, split: str) -> Iterator[tuple[int, Query]]:
        queries = self._search.queries
        return enumerate(queries[split], 1 if split == "train" else 1 + len(queries["train"]))

    def documents(self, language: str) -> Iterator[tuple[int, str]]:
        say = self._languages[language].passage
        return ((number, say(passage.clauses)) for number, passage in enumerate(self._search.passages))

    def queries(self, split: str, language: str) -> Iterator[tuple[int, str]]:
        say = self._languages[language].question
        return ((qid, say(query.clause, query.asked)) for qid, query in self._numbered(split))

    def judgements(self, split: str) -> Iterator[tuple[int, int, int, int]]:
        return ((qid, 0, query.passage, 1) for qid, query in self._numbered(split))

    def topics(self) -> Iterator[tuple[int, str]]:
        words = self._languages["en"].words
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
