"""The plan of a run: every file name and who makes it from what, derived from the config and its pair tables alone.

This is what the Snakefile asks. Nothing heavy is imported, and nothing is read but the config and the pair tables.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.ablation.rows import Row, read_ablation
from switchrank.collections.joined.section import Joined
from switchrank.collections.spec import CollectionSpec
from switchrank.config.downloads import concrete_downloads
from switchrank.config.labels import Trained, check_rows, labelled_collection, labelled_split, trained_tables
from switchrank.config.models import (
    Config,
    Corpus,
    DictionaryLexicon,
    Download,
    MergedLexicon,
    TitlesLexicon,
    VectorSource,
)
from switchrank.config.sections import MIXED
from switchrank.config.sweeps import suffix_of, text_of
from switchrank.core.digest import value_digest
from switchrank.core.errors import UserError, raise_all
from switchrank.corpus.files import RECORD
from switchrank.files.addresses import filled

_DUMP = re.compile(r"\.xml(-[\w-]+)?(\.(bz2|gz|xz|zip))?$")
"""How the name of a pages-articles dump ends, or that of a part of one."""
PAIR_COLUMNS = ["id", "query", "document", "own_model"]


@dataclass(frozen=True)
class Pair:
    """A query and a document language; ``own_model`` says that pair-wise systems train a model for it."""

    query: str
    document: str
    own_model: bool

    @property
    def id(self) -> str:
        """``query-document``, as in file names."""
        return f"{self.query}-{self.document}"


@dataclass(frozen=True)
class Ranker:
    """A model at work: ``system`` scores with the model that ``trained`` has for ``train_pair``, on texts translated
    through the lexicon ``translate`` where there is one."""

    system: str
    trained: str
    train_pair: str
    translate: str | None = None


@dataclass(frozen=True)
class SweepPoint:
    """One value of a sweep, as text, and the system that stands for it."""

    sweep: str
    value: str
    system: str


@dataclass(frozen=True)
class Run:
    """One TREC run: which system scores which pair of which test set."""

    system: str
    testset: str
    pair: Pair
    seed: int


def read_pairs(path: str | Path, languages: Sequence[str], asked_in: Sequence[str] | None = None) -> list[Pair]:
    """The pair table: TSV with columns ``id query document own_model``, one row per pair, ids unique.

    Args:
        path: the table.
        languages: languages that documents are in.
        asked_in: languages that queries are in; none means those of the documents.

    Raises:
        UserError: missing file, wrong columns; or of each row an unknown language, an id twice or not
            ``query-document``.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(path, "", "no such pair table", "correct the path in testsets.*.pairs")
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, delimiter="\t")
        if reader.fieldnames != PAIR_COLUMNS:
            raise UserError(path, "line 1", f"columns {reader.fieldnames}", f"write {' '.join(PAIR_COLUMNS)} with tabs")
        pairs: dict[str, Pair] = {}
        mistakes = []
        for number, row in enumerate(reader, 2):
            try:
                pair = _pair(path, f"line {number}", row, asked_in or languages, languages)
                if pair.id in pairs:
                    raise UserError(path, f"line {number}", f"pair {pair.id} twice", "keep one row")
            except UserError as error:
                mistakes.append(error)
            else:
                pairs[pair.id] = pair
    raise_all(mistakes)
    if not pairs:
        raise UserError(path, "", "no pairs", "add a row")
    return list(pairs.values())


def _pair(path: Path, place: str, row: dict[str, str], asked_in: Sequence[str], languages: Sequence[str]) -> Pair:
    for side, known in (("query", asked_in), ("document", languages)):
        if row[side] not in known:
            problem = f"the collection has no {'queries' if side == 'query' else 'documents'} in {row[side]}"
            raise UserError(path, place, problem, f"known: {', '.join(known)}")
    if row["own_model"] not in {"yes", "no"}:
        raise UserError(path, place, f"own_model {row['own_model']}", "write yes or no")
    pair = Pair(row["query"], row["document"], row["own_model"] == "yes")
    if row["id"] != pair.id:
        raise UserError(path, place, f"id {row['id']}", f"write {pair.id}")
    return pair


class Plan:
    """Names of a run's files and the jobs that make them.

    Args:
        config: a checked config.
        roots: folders in which relative paths of pair tables are looked for, in this order.
        given: the config as it was given; who asks Snakemake for the jobs hands it on.
    """

    def __init__(self, config: Config, roots: list[Path], given: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self.roots = roots
        self.given = given or {}
        self.folder = f"results/{config.run}"

    @cached_property
    def pairs(self) -> dict[str, list[Pair]]:
        """Pairs of each test set, in table order."""
        return {name: self.pairs_of(name) for name in self.config.testsets}

    def pairs_of(self, testset: str) -> list[Pair]:
        """The pairs of a test set, from its table or those of a mixed pool."""
        section = self.config.testsets[testset]
        if section.pairs is None:
            source = self.config.languages.source
            return [Pair(*sides, own_model=False) for sides in ((source, MIXED), (MIXED, source), (MIXED, MIXED))]
        collection = self.config.collections[section.collection]
        return read_pairs(self.table(section.pairs), collection.languages, collection.asked_in)

    def table(self, path: str) -> str | Path:
        """Where a table of the config is: in the first of the roots that has it."""
        return next((root / path for root in self.roots if (root / path).is_file()), path)

    def collection_files(self, collection: str) -> dict[str, str]:
        """Input files of a collection by role, such as ``documents/en`` or ``test/de``."""
        section = self.config.collections[collection]
        if isinstance(section, Joined):
            tables = CollectionSpec.from_plain(self.collection_spec(collection)).outputs()
            return {
                f"{part}/{Path(table).stem}": f"{self.folder}/sources/{part}/{table}"
                for part in section.of
                for table in tables
            }
        return section.roles(self.config.languages.source)

    def collection_spec(self, collection: str) -> dict[str, Any]:
        """What the sources stage needs to know of a collection, as plain JSON values."""
        return self.config.collections[collection].spec(self.config.languages.source)

    @cached_property
    def downloads(self) -> dict[str, Download]:
        """Every file that is fetched when an input needs it, by path, placeholders filled in."""
        inputs = self._collection_and_lexicon_inputs()
        for name, pairs in self.config.gold.items():
            inputs += [path for pair in pairs for path in self.config.gold_file(name, pair).files(pair.split("-")[1])]
        if self.config.vectors:
            seed = self.config.vectors.alignment.seed_pairs
            inputs += [filled(seed, {"lang": lang}) for lang in self.vector_languages if not self.aligned(lang)]
        return concrete_downloads(self.config.downloads, inputs)

    @cached_property
    def raw_files(self) -> list[str]:
        """The files of collections, lexicons and vectors that the run reads and does not make: where its size lies."""
        sources = [self.vector_source(lang) for lang in self.vector_languages]
        vectors = [path for source in sources for path in [source.path, *(source.text or [])] if path]
        found = dict.fromkeys([*self._collection_and_lexicon_inputs(), *vectors])
        return [path for path in found if not path.startswith(f"{self.folder}/")]

    def _collection_and_lexicon_inputs(self) -> list[str]:
        files = [path for name in self.config.collections for path in self.collection_files(name).values()]
        return files + [path for name, lang in self.lexicon_files for path in self._lexicon_inputs(name, lang)]

    def _lexicon_inputs(self, lexicon: str, language: str) -> list[str]:
        section = self.config.lexicons[lexicon]
        if isinstance(section, TitlesLexicon):
            return section.files(self.config.languages.source, language)
        return section.files(language) if isinstance(section, DictionaryLexicon) else []

    def lexicon_languages(self, lexicon: str) -> list[str]:
        """Target languages of a lexicon."""
        return self.config.lexicons[lexicon].languages or self.config.languages.seen

    def lexicon_file(self, lexicon: str, language: str) -> str:
        """The lexicon from the source language to ``language``."""
        return f"{self.folder}/lexicons/{lexicon}/{self.config.languages.source}-{language}.parquet"

    def merged_files(self, lexicon: str, language: str) -> list[str]:
        """The lexicons that a merged one is made of, those that have the language."""
        section = self.config.lexicons[lexicon]
        assert isinstance(section, MergedLexicon)
        return [self.lexicon_file(part, language) for part in section.of if language in self.lexicon_languages(part)]

    def reverse_file(self, lexicon: str, language: str) -> str:
        """The lexicon from ``language`` to the source language."""
        return f"{self.folder}/lexicons/{lexicon}/{language}-{self.config.languages.source}.parquet"

    @cached_property
    def lexicon_files(self) -> dict[tuple[str, str], str]:
        """Every lexicon file by (lexicon, target language)."""
        return {
            (name, language): self.lexicon_file(name, language)
            for name in self.config.lexicons
            for language in self.lexicon_languages(name)
        }

    def aligned(self, language: str) -> bool:
        """Whether the vectors of a language need no alignment of ours."""
        source = self.vector_source(language)
        return source.aligned or language == self.config.languages.source

    def vector_source(self, language: str) -> VectorSource:
        """Where the vectors of a language come from."""
        if not self.config.vectors:
            raise KeyError(language)
        return self.config.vectors.languages[language]

    @cached_property
    def dumps(self) -> dict[str, str]:
        """Pages-articles dumps among the texts of vectors and tokenizer, each with the file of its plain text."""
        vectors = self.config.vectors.languages if self.config.vectors else {}
        given = [*(source.text or [] for source in vectors.values()), *self.config.start.tokenizer.texts.values()]
        dumps = dict.fromkeys(path for paths in given for path in paths if _DUMP.search(path))
        named = Counter(Path(path).name for path in dumps)
        found = {}
        for path in dumps:
            name = Path(path).name
            apart = f"{value_digest(path)[:8]}-" if named[name] > 1 else ""
            found[path] = f"{self.folder}/sources/wikitext/{apart}{name}.txt.gz"
        return found

    def plain(self, texts: list[str]) -> list[str]:
        """Text files as vectors and tokenizer read them: dumps by their plain text."""
        return [self.dumps.get(path, path) for path in texts]

    @property
    def vector_languages(self) -> list[str]:
        """Languages that have vectors, in config order."""
        return list(self.config.vectors.languages) if self.config.vectors else []

    def train_pairs(self, corpus: str) -> list[str]:
        """The training pairs of a corpus: ``en-en``, ``xx-xx``, or one per pair with a model of its own."""
        section = self.config.corpora[corpus]
        source = self.config.languages.source
        if section.lexicon is None and not section.parallel:
            return [f"{source}-{source}"]
        if not section.bilingual:
            return [f"{MIXED}-{MIXED}"]
        return list(
            dict.fromkeys(pair.id for pairs in self.pairs.values() for pair in pairs if self._trains(section, pair))
        )

    def _trains(self, corpus: Corpus, pair: Pair) -> bool:
        given = self.config.collections[corpus.collection].train_languages
        others = given if corpus.parallel else self.lexicon_languages(str(corpus.lexicon))
        reachable = {self.config.languages.source, *others}
        return pair.own_model and {pair.query, pair.document} <= reachable

    def corpus_languages(self, corpus: str, train_pair: str) -> list[str]:
        """Languages whose words are switched in."""
        section = self.config.corpora[corpus]
        if section.lexicon is None:
            return []
        if isinstance(section.languages, list):
            return section.languages
        if section.languages == "seen":
            return [lang for lang in self.config.languages.seen if lang in self.lexicon_languages(section.lexicon)]
        return sorted({lang for lang in train_pair.split("-") if lang != self.config.languages.source})

    def corpus_folder(self, corpus: str, train_pair: str) -> str:
        """The folder of a corpus: its training file, ``dev.parquet``, ``stats.json``, perhaps ``sample.parquet``."""
        return f"{self.folder}/corpora/{corpus}/{train_pair}"

    def training_file(self, corpus: str, train_pair: str) -> str:
        """What a model is trained on: the corpus, or the record of what it is switched from on the fly."""
        written = self.config.corpora[corpus].materialise is True
        return f"{self.corpus_folder(corpus, train_pair)}/{'train-00000.parquet' if written else RECORD}"

    @property
    def samples(self) -> list[str]:
        """The first instances of the corpora that only a sample is written of."""
        return [
            f"{self.corpus_folder(name, pair)}/sample.parquet"
            for name, section in self.config.corpora.items()
            if section.materialise == "sample"
            for pair in self.train_pairs(name)
        ]

    def shown_files(self, corpora: Iterable[tuple[str, str]]) -> list[str]:
        """Files of corpora (name, training pair) that hold the same instances to be looked at.

        The training instances, the first of them where only a sample is written, and where one corpus has none, the
        development instances of all.
        """
        found = list(corpora)
        names = {True: "train-00000.parquet", "sample": "sample.parquet"}
        kinds = [names.get(self.config.corpora[name].materialise) for name, _ in found]
        whole = all(kinds)
        return [
            f"{self.corpus_folder(*corpus)}/{kind if whole else 'dev.parquet'}"
            for corpus, kind in zip(found, kinds, strict=True)
        ]

    @property
    def start_folders(self) -> list[str]:
        """The folders that the starting model passes through; systems start from the last."""
        start = self.config.start
        steps = ["initial", *(["first"] if start.first else []), *(["transplanted"] if start.transplant else [])]
        return [f"{self.folder}/start/{step}" for step in steps]

    @cached_property
    def models(self) -> list[tuple[str, str]]:
        """Every (system, training pair) of the run."""
        return [
            (name, pair)
            for name, system in self.config.systems.items()
            if system.corpus
            for pair in self.train_pairs(system.corpus)
        ]

    @cached_property
    def rankers(self) -> list[Ranker]:
        """Every system with each of its models, in the order of the config."""
        found = []
        for name, system in self.config.systems.items():
            trained = system.model or name
            translate = system.test.translate if system.test else None
            found += [Ranker(name, trained, pair, translate) for model, pair in self.models if model == trained]
        return found

    def model_folder(self, system: str, train_pair: str, seed: int | str) -> str:
        """The folder of a trained model."""
        return f"{self.folder}/models/{system}/{train_pair}/seed{seed}"

    def ranked_pairs(self, ranker: Ranker, testset: str) -> list[Pair]:
        """Pairs that a model scores: its own, or all when it serves all, or those whose sides can be translated."""
        corpus = self.config.corpora[str(self.config.systems[ranker.trained].corpus)]
        pairs = self.pairs[testset]
        if corpus.bilingual:
            return [pair for pair in pairs if pair.id == ranker.train_pair]
        if ranker.translate is None:
            return pairs
        known = {self.config.languages.source, *self.lexicon_languages(ranker.translate)}
        return [pair for pair in pairs if {pair.query, pair.document} <= known]

    def texts(self, testset: str, kind: str, language: str, translate: str | None = None) -> str:
        """The table of the ``documents`` or ``queries`` of a test set in one language, a mixed one, or translated."""
        collection = self.config.testsets[testset].collection
        name = "documents" if kind == "documents" else "queries-test"
        if language == MIXED:
            return f"{self.folder}/pools/{testset}/{kind}.parquet"
        if translate and language != self.config.languages.source:
            return f"{self.folder}/translated/{translate}/{collection}/{name}-{language}.parquet"
        return f"{self.folder}/sources/{collection}/{name}-{language}.parquet"

    def candidates(self, testset: str, language: str) -> str:
        """The candidates of one document language; a drawn pool keeps the ids, and so those of the source language."""
        drawn = language == MIXED and self.config.testsets[testset].pool == "drawn"
        return (
            f"{self.folder}/testsets/{testset}/candidates-{self.config.languages.source if drawn else language}.parquet"
        )

    def first_stage(self, testset: str, language: str) -> tuple[str, str]:
        """Languages of the queries and documents that the candidates among documents of ``language`` come from.

        Candidates by run or all look at no text: any queries of the collection will do.
        """
        section = self.config.testsets[testset]
        collection = self.config.collections[section.collection]
        asked, source = section.candidates.query_language, self.config.languages.source
        sides = {"source": (source, source), "document": (language, language)}.get(asked, (asked, language))
        if sides[0] in collection.asked_in and sides[1] in collection.languages:
            return sides
        return collection.asked_in[0], language

    def search(self, testset: str, language: str) -> str:
        """What found the candidates among documents of ``language``: ``run``, ``all``, or the languages of the queries
        and documents that BM25 looked at, such as ``en-en``; several for a pool of every document in every language."""
        section = self.config.testsets[testset]
        if section.candidates.bm25 is None:
            return "run" if section.candidates.run else "all"
        drawn = section.pool == "drawn"
        mixed = [self.config.languages.source] if drawn else self.config.mixed_languages(testset)
        sides = [self.first_stage(testset, lang) for lang in (mixed if language == MIXED else [language])]
        return " ".join(dict.fromkeys("-".join(pair) for pair in sides))

    def lexicon_pairs(self, testset: str) -> dict[str, list[Pair]]:
        """By lexicon of Translate-Test, the pairs of a test set whose texts it translates into the source language."""
        source, found = self.config.languages.source, {}
        for ranker in self.rankers:
            if ranker.translate:
                pairs = self.ranked_pairs(ranker, testset)
                found[ranker.translate] = [pair for pair in pairs if {pair.query, pair.document} != {source}]
        return found

    def searched(self, testset: str) -> bool:
        """Whether the candidates of a test set were looked for, so that another search could find others."""
        return not self.config.testsets[testset].candidates.every

    def judgements(self, testset: str, language: str) -> str:
        """The judgements of one document language."""
        return f"{self.folder}/testsets/{testset}/judgements-{language}.parquet"

    def judged_languages(self, testset: str) -> list[str]:
        """The languages whose documents must be relevant for a query to be asked."""
        section = self.config.testsets[testset]
        if not section.mixed:
            return self.document_languages(testset)
        drawn = section.pool == "drawn"
        return [self.config.languages.source] if drawn else self.config.mixed_languages(testset)

    def run_file(self, system: str, testset: str, pair: str, seed: int | str) -> str:
        """The TREC run of a system on one pair."""
        return f"{self.folder}/runs/{system}/{testset}/{pair}/seed{seed}.trec"

    def runs(self, testset: str) -> Iterator[Run]:
        """Every run of a test set: reference rows first, then systems."""
        for reference in self.config.evaluate.references:
            for pair in self.pairs[testset]:
                yield Run(reference, testset, pair, self.config.seeds[0])
        for ranker in self.rankers:
            for pair in self.ranked_pairs(ranker, testset):
                for seed in self.config.seeds:
                    yield Run(ranker.system, testset, pair, seed)

    @cached_property
    def sweep_points(self) -> list[SweepPoint]:
        """Every value of every sweep; the value that the swept system has itself is that system."""
        points = []
        for name, sweep in self.config.sweeps.items():
            for value in sweep.values:
                own = f"{sweep.system}-{suffix_of(name, value)}"
                system = own if own in self.config.systems else sweep.system
                points.append(SweepPoint(name, text_of(value), system))
        return points

    @property
    def main_systems(self) -> list[str]:
        """The systems of the experiment, without those that only a sweep needs."""
        swept = {point.system for point in self.sweep_points}
        named = {sweep.system for sweep in self.config.sweeps.values()}
        return [name for name in self.config.systems if name not in swept or name in named]

    def rows(self) -> list[Row]:
        """The rows of the ablation table, each right by itself; none without an ablation."""
        if self.config.ablation is None:
            return []
        trained = [name for name, system in self.config.systems.items() if system.corpus]
        path = self.table(self.config.ablation.rows)
        return read_ablation(path, languages=self.config.languages.every, systems=trained)

    @cached_property
    def ablation(self) -> list[Row]:
        """The rows of the ablation table.

        Raises:
            UserError: the table is missing or wrong, or a row does not fit the config (:func:`check_rows`).
        """
        section = self.config.ablation
        if section is None:
            return []
        path, rows = self.table(section.rows), self.rows()
        check_rows(self, path, rows)
        return rows

    def labelled(self, language: str) -> dict[str, str]:
        """The labelled split of a language: ``queries``, ``judgements``, ``documents``."""
        name = labelled_collection(self.config, language)
        return self._split_tables(name, labelled_split(self.config, language), language)

    def trained_on(self, language: str) -> list[Trained]:
        """What labelled queries of a language are compared with: the training of the models that rows start from."""
        return trained_tables(self.config, self.ablation, language)

    def training_tables(self, trained: Trained) -> dict[str, str]:
        """The tables of a training split in one language, and its pairs where they say something of the labels."""
        tables = self._split_tables(trained.collection, "train", trained.language)
        pairs = {"instances": self.instances(trained.collection, "train")}
        return tables | (pairs if trained.shared_ids and trained.whole else {})

    def _split_tables(self, collection: str, split: str, language: str) -> dict[str, str]:
        folder = f"{self.folder}/sources/{collection}"
        names = {"queries": f"queries-{split}", "judgements": f"judgements-{split}", "documents": "documents"}
        return {kind: f"{folder}/{name}-{language}.parquet" for kind, name in names.items()}

    def instances(self, collection: str, split: str) -> str:
        """The training pairs of a split of a collection, by id."""
        return f"{self.folder}/instances/{collection}/{split}.parquet"

    def start_of(self, row: Row) -> str | None:
        """The folder of the model a row of the ablation starts from; None where that system has none for it."""
        if row.start == "none":
            return self.start_folders[-1]
        ranker = self._start_ranker(row)
        return self.model_folder(row.start, ranker.train_pair, row.seed) if ranker else None

    def _start_ranker(self, row: Row) -> Ranker | None:
        source = self.config.languages.source
        rankers = {ranker.train_pair: ranker for ranker in self.rankers if ranker.system == row.start}
        wanted = [f"{MIXED}-{MIXED}", f"{source}-{source}", f"{source}-{row.language}", f"{row.language}-{source}"]
        return next((rankers[pair] for pair in wanted if pair in rankers), None)

    def shares_runs(self, row: Row) -> bool:
        """Whether a row's runs are those of its starting system: it has no examples, and that has ranked all pairs."""
        assert self.config.ablation is not None
        ranker = None if row.examples else self._start_ranker(row)
        ranked = self.ranked_pairs(ranker, self.config.ablation.testset) if ranker else []
        return set(self.tested_pairs(row)) <= set(ranked)

    def row_runs(self, row: Row) -> dict[str, str]:
        """The run of each tested pair of a row."""
        assert self.config.ablation is not None
        system, testset = row.start if self.shares_runs(row) else row.id, self.config.ablation.testset
        return {pair.id: self.run_file(system, testset, pair.id, row.seed) for pair in self.tested_pairs(row)}

    def tested_pairs(self, row: Row) -> list[Pair]:
        """The test pairs of a row: those of its language and the source language."""
        assert self.config.ablation is not None
        sides = {self.config.languages.source, row.language}
        return [pair for pair in self.pairs[self.config.ablation.testset] if {pair.query, pair.document} <= sides]

    def compares_languages(self, testset: str) -> bool:
        """Whether some queries are ranked against passages of their own language and, by the same ids, of another."""
        section = self.config.testsets[testset]
        pairs = {(pair.query, pair.document) for pair in self.pairs[testset]}
        return (
            section.mixed is None
            and section.documents == "parallel"
            and any(query != document and (query, query) in pairs for query, document in pairs)
        )

    @property
    def apart(self) -> dict[str, str]:
        """Systems that are no hypothesis of the main experiment, and the group they are tested in."""
        references = {str(name): "references" for name in self.config.evaluate.references}
        main = set(self.main_systems)
        swept = {point.system: f"sweep {point.sweep}" for point in self.sweep_points if point.system not in main}
        return {**references, **swept}

    def document_languages(self, testset: str) -> list[str]:
        """Document languages of a test set, in table order."""
        return list(dict.fromkeys(pair.document for pair in self.pairs[testset]))
