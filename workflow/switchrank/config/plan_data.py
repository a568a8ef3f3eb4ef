"""The plan of what a run is made from: language pairs, inputs, collections, vectors, lexicons, corpora."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.collections.joined.section import Joined
from switchrank.collections.spec import EXCLUDED, CollectionSpec
from switchrank.config.lexicons import EncoderLexicon, MergedLexicon
from switchrank.config.models import Config, Download
from switchrank.config.sections import MIXED
from switchrank.core.digest import value_digest
from switchrank.core.errors import Sieve, UserError, raise_all
from switchrank.corpus.files import RECORD
from switchrank.files.addresses import placeholders
from switchrank.formats.written import by_column, written_rows
from switchrank.sources.bitext.files import bitext_outputs

PAIR_COLUMNS = ["id", "query", "document", "own_model"]
_DUMP = re.compile(r"\.xml(-[\w-]+)?(\.(bz2|gz|xz|zip))?$")
"""How the name of a pages-articles dump ends, or that of a part of one."""


@dataclass(frozen=True)
class Pair:
    """A query and a document language; ``own_model`` says that pair-wise systems train a model for it."""

    query: str
    document: str
    own_model: bool

    @property
    def id(self) -> str:
        return f"{self.query}-{self.document}"


def read_pairs(path: str | Path, languages: Sequence[str], query_languages: Sequence[str] | None = None) -> list[Pair]:
    """The pair table: TSV with columns ``id query document own_model``, one row per pair, ids unique.

    Documents are in ``languages``, and queries in ``query_languages``, by default in the same.

    Raises:
        UserError: a missing or unreadable file, wrong columns; or for each row an unknown language, an id twice or not
            ``query-document``.
    """
    pairs: dict[str, Pair] = {}
    mistakes: list[UserError] = []
    for place, cells in written_rows(path, PAIR_COLUMNS, "pair", "correct the path in testsets.*.pairs"):
        with Sieve(mistakes.append):
            row = by_column(path, place, cells[: len(PAIR_COLUMNS)], PAIR_COLUMNS)  # notes may stand behind them
            pair = _pair(path, place, row, query_languages or languages, languages)
            if pair.id in pairs:
                raise UserError(path, place, f"pair {pair.id} twice", "keep one row")
            pairs[pair.id] = pair
    raise_all(mistakes)
    if not pairs:
        raise UserError(path, "", "no pairs", "add a row")
    return list(pairs.values())


def _pair(path: str | Path, place: str, row: dict[str, str], queries: Sequence[str], documents: Sequence[str]) -> Pair:
    for side, known in (("query", queries), ("document", documents)):
        if row[side] not in known:
            problem = f"the collection has no {'queries' if side == 'query' else 'documents'} in {row[side]}"
            raise UserError(path, place, problem, f"known: {', '.join(known)}")
    if row["own_model"] not in {"yes", "no"}:
        raise UserError(path, place, f"own_model {row['own_model']}", "write yes or no")
    pair = Pair(row["query"], row["document"], row["own_model"] == "yes")
    if row["id"] != pair.id:
        raise UserError(path, place, f"id {row['id']}", f"write {pair.id}")
    return pair


def concrete_downloads(downloads: dict[str, Download], inputs: Iterable[str]) -> dict[str, Download]:
    """Downloads without placeholders: those that have none, and of the others the first that matches an input."""
    made = {path: download for path, download in downloads.items() if not placeholders(path)}
    templates = [(_pattern(path), download) for path, download in downloads.items() if placeholders(path)]
    for path in inputs:
        for pattern, download in templates:
            if match := pattern.fullmatch(path):
                made.setdefault(path, download.filled_in(match.groupdict()))
    return made


def _pattern(template: str) -> re.Pattern[str]:
    """What a path with placeholders matches: each stands for one text throughout, and never for ``..``."""
    seen: set[str] = set()
    pieces = []
    for number, piece in enumerate(re.split(r"\{(\w+)\}", template)):
        if number % 2 == 0:
            pieces.append(re.escape(piece))
        else:
            pieces.append(f"(?P={piece})" if piece in seen else f"(?P<{piece}>(?!\\.)[^/]+?)")
            seen.add(piece)
    return re.compile("".join(pieces))


class DataPlan:
    """Names of inputs, collections, vectors, lexicons and corpora.

    Relative paths of pair tables are looked for in the folders ``roots``, in this order. ``given`` is the config as it
    was given, for whoever asks Snakemake for the jobs.
    """

    def __init__(self, config: Config, roots: list[Path], given: Mapping[str, Any] | None = None) -> None:
        self.config = config
        self.roots = roots
        self.given = given or {}
        self.folder = f"results/{config.run}"

    @cached_property
    def pairs(self) -> dict[str, list[Pair]]:
        return {name: self.pairs_of(name) for name in self.config.testsets}

    def pairs_of(self, testset: str) -> list[Pair]:
        """The pairs of a test set, from its table or those of a mixed pool."""
        section = self.config.testsets[testset]
        if section.pairs is None:
            source = self.config.languages.source
            sides = [(source, MIXED), (MIXED, source), (MIXED, MIXED)]
            if section.asked == "every":
                sides = [(language, MIXED) for language in self.config.mixed_languages(testset)]
            return [Pair(query, document, own_model=False) for query, document in sides]
        if isinstance(section.pairs, list):
            listed = [pair.partition("-") for pair in section.pairs]
            return [Pair(query, document, own_model=False) for query, _, document in listed]
        collection = self.config.collections[section.collection]
        return read_pairs(self.table(section.pairs), collection.languages, collection.test_languages)

    def table(self, path: str) -> str | Path:
        """Where a table of the config is: in the first of the roots that has it."""
        return next((root / path for root in self.roots if (root / path).is_file()), path)

    def collection_files(self, collection: str) -> dict[str, str]:
        """Input files of a collection by role, such as ``documents/en``, ``test/de``, ``excluded/queries-test-de``."""
        section = self.config.collections[collection]
        if isinstance(section, Joined):
            tables = CollectionSpec.from_plain(self.collection_spec(collection)).outputs()
            return {
                f"{part}/{Path(table).stem}": f"{self.folder}/sources/{part}/{table}"
                for part in section.of
                for table in tables
                if table != EXCLUDED
            }
        files = section.roles(self.config.languages.source)
        if section.exclude:
            other = section.exclude.questions_of
            tables = CollectionSpec.from_plain(self.collection_spec(other)).outputs()
            asked = [table for table in tables if table.startswith("queries-")]
            files |= {f"excluded/{Path(table).stem}": f"{self.folder}/sources/{other}/{table}" for table in asked}
        return files

    def collection_spec(self, collection: str) -> dict[str, Any]:
        """What the sources stage needs to know of a collection, as plain JSON values."""
        return self.config.collections[collection].spec(self.config.languages.source)

    def bitext_files(self, bitext: str) -> dict[str, list[str]]:
        """What a parallel text becomes, by the second language of each of its pairs."""
        section = self.config.bitext[bitext]
        first, *others = section.every
        folder, names = f"{self.folder}/bitext/{bitext}", bitext_outputs(section.held_out)
        return {other: [f"{folder}/{first}-{other}/{name}" for name in names] for other in others}

    def lexicon_languages(self, lexicon: str) -> list[str]:
        return self.config.targets(self.config.lexicons[lexicon])

    def lexicon_file(self, lexicon: str, language: str, *, reverse: bool = False) -> str:
        """The lexicon from the source language to ``language``, or the other way round."""
        sides = [self.config.languages.source, language]
        return f"{self.folder}/lexicons/{lexicon}/{'-'.join(sides[::-1] if reverse else sides)}.parquet"

    def lexicon_vectors(self, lexicon: str, language: str) -> str:
        """The prefix of the vectors of a language that a lexicon is induced from.

        Encoded words lie under the first lexicon for which the same words are encoded by the same model.
        """
        section = self.config.lexicons[lexicon]
        if not isinstance(section, EncoderLexicon):
            return f"{self.folder}/vectors/aligned/{language}"
        first = next(name for name, one in self.config.encoders.items() if one.encoding == section.encoding)
        return f"{self.folder}/vectors/encoded/{first}/{language}"

    def word_files(self, lexicon: str, language: str) -> list[str]:
        """What the words are taken from that a lexicon encodes: those of vectors, documents, or a list; [] for none."""
        section = self.config.encoders[lexicon]
        if isinstance(section.words, dict):
            return [section.words[language]] if language in section.words else []
        if section.words == "vectors":
            known = language in self.config.vector_sources
            return [f"{self.folder}/vectors/raw/{language}.words.parquet"] if known else []
        own = {name: part for name, part in self.config.collections.items() if not isinstance(part, Joined)}
        names = [name for name, part in own.items() if language in part.languages]
        return [f"{self.folder}/sources/{name}/documents-{language}.parquet" for name in names]

    @property
    def used_lexicons(self) -> list[str]:
        """The lexicons that texts are switched or translated by."""
        used = [part.lexicon for part in self.config.corpora.values() if part.lexicon]
        used += [one.test.translate for one in self.config.systems.values() if one.test and one.test.translate]
        return sorted(set(used))

    def merged_files(self, lexicon: str, language: str) -> list[str]:
        """The lexicons that a merged one is made of, if they have the language."""
        section = self.config.lexicons[lexicon]
        assert isinstance(section, MergedLexicon)
        return [self.lexicon_file(part, language) for part in section.of if language in self.lexicon_languages(part)]

    @cached_property
    def lexicon_files(self) -> dict[tuple[str, str], str]:
        return {
            (name, language): self.lexicon_file(name, language)
            for name in self.config.lexicons
            for language in self.lexicon_languages(name)
        }

    def aligned(self, language: str) -> bool:
        """Whether the vectors of a language need no alignment."""
        return language == self.config.languages.source or self.config.vector_sources[language].aligned

    @cached_property
    def dumps(self) -> dict[str, str]:
        """Pages-articles dumps among the texts of vectors and tokenizer, each with the file of its plain text."""
        vectors = self.config.vector_sources.values()
        given = [*(source.text or [] for source in vectors), *self.config.start.tokenizer.texts.values()]
        dumps = dict.fromkeys(path for paths in given for path in paths if _DUMP.search(path))
        named = Counter(Path(path).name for path in dumps)
        found = {}
        for path in dumps:
            name = Path(path).name
            apart = f"{value_digest(path)[:8]}-" if named[name] > 1 else ""
            found[path] = f"{self.folder}/sources/wikitext/{apart}{name}.txt.gz"
        return found

    def plain(self, texts: list[str]) -> list[str]:
        """Text files as vectors and tokenizer read them: dumps are replaced by their plain text."""
        return [self.dumps.get(path, path) for path in texts]

    def train_pairs(self, corpus: str) -> list[str]:
        """The training pairs of a corpus: ``en-en``, ``xx-xx``, one per pair with an own model, or per language."""
        section = self.config.corpora[corpus]
        source = self.config.languages.source
        if section.by_language:
            return [f"{language}-{language}" for language in self.config.table_languages(section)]
        if section.lexicon is None and not section.parallel:
            return [f"{source}-{source}"]
        if not section.bilingual:
            return [f"{MIXED}-{MIXED}"]
        own = self.config.collections[section.collection].train_languages
        known = {source, *(own if section.parallel else self.lexicon_languages(str(section.lexicon)))}
        pairs = [pair for pairs in self.pairs.values() for pair in pairs if pair.own_model]
        return list(dict.fromkeys(pair.id for pair in pairs if {pair.query, pair.document} <= known))

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

    def switching_recipe(self, corpus: str, train_pair: str) -> dict[str, Any]:
        """What switching needs to know: probability, language of each side, languages, way of mixing, seed."""
        query, passage = train_pair.split("-")
        languages, source = self.config.languages, self.config.languages.source
        kept_out = ("collection", "lexicon", "parallel", "documents", "materialise")
        return self.config.corpora[corpus].plain(*kept_out) | {
            "languages": self.corpus_languages(corpus, train_pair),
            "sides": {"query": query, "passage": passage},
            "source": source,
            "unspaced": source in languages.segmenters
            or (source in languages.longest_match and source in self.config.vector_sources),
        }

    def corpus_folder(self, corpus: str, train_pair: str) -> str:
        """The folder of a corpus: its training file, ``dev.parquet``, ``stats.json``, perhaps ``sample.parquet``."""
        return f"{self.folder}/corpora/{corpus}/{train_pair}"

    def training_file(self, corpus: str, train_pair: str) -> str:
        """What a model is trained on: the corpus, or the record of what it is switched from on the fly."""
        written = self.config.corpora[corpus].materialise is True
        return f"{self.corpus_folder(corpus, train_pair)}/{'train-00000.parquet' if written else RECORD}"

    def training_data(self, corpus: str, train_pair: str) -> tuple[str, str, tuple[str, str] | None]:
        """The training file, the development set, and the corpus and its pair if training switches it on the fly."""
        switched = None if self.config.corpora[corpus].materialise is True else (corpus, train_pair)
        return self.training_file(corpus, train_pair), f"{self.corpus_folder(corpus, train_pair)}/dev.parquet", switched

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
        """Files of corpora (name, training pair) that hold the same instances, to be shown side by side.

        They are the training instances, or the development instances if those of one corpus are not even sampled.
        """
        names = {True: "train-00000.parquet", "sample": "sample.parquet"}
        kinds = {corpus: names.get(self.config.corpora[corpus[0]].materialise) for corpus in corpora}
        whole = all(kinds.values())
        return [f"{self.corpus_folder(*one)}/{kind if whole else 'dev.parquet'}" for one, kind in kinds.items()]

    def instances(self, collection: str, split: str) -> str:
        return f"{self.folder}/instances/{collection}/{split}.parquet"
