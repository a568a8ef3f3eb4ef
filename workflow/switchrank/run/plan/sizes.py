"""Sizes of what a run works with: rows and lengths of texts, from tables that exist, samples of input files, or an
assumption; and the model that it trains.

A file is never read to its end: a sample of its first bytes tells the length of a row, and its size the rest.
"""

import re
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from switchrank.collections.joined.section import Joined
from switchrank.collections.section import CollectionSection
from switchrank.config.lexicons import EncoderLexicon, InducedLexicon
from switchrank.config.models import World
from switchrank.config.plan import Plan
from switchrank.config.systems import Start
from switchrank.core.errors import UserError
from switchrank.files.reading import open_bytes
from switchrank.models.catalogue import entry_of
from switchrank.models.presets import PRESETS
from switchrank.run.notes import read_note
from switchrank.run.plan.machine import size_on_disk

SAMPLE = 1 << 18
_PACKED = {b"\x1f\x8b": 1.0, b"\xfd7zXZ": 1.25, b"BZh": 1.2}
"""How compressed files begin, and how much better each kind compresses than zlib does."""
BASE = {
    "num_hidden_layers": 12,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "vocab_size": 250_002,
}
"""XLM-R base, which a model is taken for that is not here and whose name says nothing."""
_PRUNED = 50_000
"""Pieces that the texts of a run in ten languages use."""
_NAMED = re.compile(r"L(\d+)[-_]?H(\d+)", re.IGNORECASE)
"""Layers and width in the names of MiniLM models."""
_QUESTION, _CONTEXT = re.compile(rb'"question"\s*:'), re.compile(rb'"context"\s*:\s*"((?:[^"\\]|\\.)*)"')
_SENTENCE = 150
"""Characters of a sentence."""


@dataclass(frozen=True)
class Texts:
    """Texts by number: rows, and characters of a row on average."""

    rows: float
    chars: float

    @property
    def bytes(self) -> float:
        """Their size, roughly: half of the languages need two bytes for a letter."""
        return self.rows * self.chars * 1.5


@dataclass
class Collected:
    """The texts of a collection: documents by language, queries by split, training triples."""

    documents: dict[str, Texts] = field(default_factory=dict)
    queries: dict[str, Texts] = field(default_factory=dict)
    triples: float = 0.0


ASSUMED = {
    "documents": Texts(8_841_823, 335),
    "train": Texts(502_939, 33),
    "test": Texts(6_980, 33),
    "triples": Texts(39_780_811, 22),
    "run": Texts(6_980_000, 22),
    "vectors": Texts(200_000, 2_700),
}
"""MS MARCO passage ranking and MUSE vectors: what a file that is not here yet is taken to hold, by role."""
WORLD_SENTENCE, WORLD_FILE = 70, 20e3
"""Bytes of a sentence and of a small file of the made-up world, measured."""
WIDTH, WORLD_WIDTH = 300, 64
"""Dimensions of vectors that are not here yet."""


def world_texts(world: World) -> dict[str, Texts]:
    """What files of the made-up world will hold, by role; characters, and words of each of its themes, are measured."""
    rows = world.train_queries * (1 + world.train_distractors) + world.test_queries * (1 + world.test_distractors)
    return {
        "documents": Texts(rows, 100),
        "train": Texts(world.train_queries, 38),
        "test": Texts(world.test_queries, 38),
        "triples": Texts(world.train_queries * world.triples, 22),
        "run": Texts(world.test_queries * world.candidates, 22),
        "vectors": Texts(world.themes * 120, 450),
    }


class Sizes:
    """Sizes of a run's inputs and tables; of files that are not here, which are ``assumed``, they are a guess."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.assumed: dict[str, None] = {}
        self.collection: Callable[[str], Collected] = cache(self._collected)
        """The texts of a collection."""
        self.vectors: Callable[[str], tuple[float, float]] = cache(self._vectors)
        """Words and dimensions of a language's vectors."""
        self._sample: Callable[[str], tuple[bytes | None, float]] = cache(self._read)

    def documents(self, collection: str, language: str) -> Texts:
        """The documents of a collection in a language; those of its first one, where it is not known to have them."""
        found = self.collection(collection).documents
        return found.get(language) or next(iter(found.values()))

    def on_disk(self, path: str, role: str = "documents") -> float:
        """The size of a file or folder on disk; one that no job makes and that is not here is assumed by its role."""
        if Path(path).exists():
            return float(size_on_disk(path))
        if self._of_world(path):
            return WORLD_FILE
        self._assume(path)
        return ASSUMED[role].bytes

    def _of_world(self, path: str) -> bool:
        return path.startswith(f"{self.plan.folder}/world/")

    def _expected(self, path: str, role: str) -> Texts:
        """What a file that is not here is taken to hold."""
        world = self.plan.config.world
        return world_texts(world)[role] if world and self._of_world(path) else ASSUMED[role]

    def _assume(self, path: str) -> None:
        """Note that a file is missing, unless a job of the run makes it."""
        if not path.startswith(f"{self.plan.folder}/") or path in self.plan.downloads:
            self.assumed.setdefault(path)

    def _collected(self, name: str) -> Collected:
        section = self.plan.config.collections[name]
        if isinstance(section, Joined):
            parts = [self.collection(part) for part in section.of]
            documents, queries = ([getattr(part, kind) for part in parts] for kind in ("documents", "queries"))
            return Collected(_sums(documents), _sums(queries), sum(part.triples for part in parts))
        found = self._given(name, section)
        if training := found.queries.get("train"):
            shares = {"train": 1 - section.dev - section.labels, "dev": section.dev, "labels": section.labels}
            found.queries |= {
                name: replace(training, rows=training.rows * part) for name, part in shares.items() if part
            }
        folder = f"{self.plan.folder}/sources/{name}"  # tables that are there count as they are
        for lang in found.documents:
            found.documents[lang] = table_texts(f"{folder}/documents-{lang}.parquet") or found.documents[lang]
        for split in found.queries:
            files = sorted(Path(folder).glob(f"queries-{split}-*.parquet"))
            found.queries[split] = (table_texts(files[0]) if files else None) or found.queries[split]
        return found

    def _given(self, name: str, section: CollectionSection) -> Collected:
        found = Collected()
        for role, path in self.plan.collection_files(name).items():
            match role.partition("+")[0].split("/"):
                case ["documents", lang, *_]:
                    found.documents[lang] = _sum(found.documents.get(lang), self.lines(path, "documents"))
                case ["queries", split, _, *_]:
                    found.queries.setdefault(split, self.lines(path, split))
                case ["triples", *_]:
                    found.triples = self.lines(path, "triples").rows
                case ["train" | "test" | "rows" | "passages" | "lists", *_]:
                    self._records(found, section, role, path)
        for lang in section.languages:
            found.documents.setdefault(lang, next(iter(found.documents.values()), ASSUMED["documents"]))
        for split in section.splits:
            found.queries.setdefault(split, ASSUMED[split])
        return found

    def _records(self, found: Collected, section: CollectionSection, role: str, path: str) -> None:
        """Questions and the passages beside them, in one file."""
        split = next((part for part in role.split("/") if part in ("train", "test")), "test")
        sample, size = self._sample(path)
        if sample is None:
            questions, passages = ASSUMED[split], Texts(ASSUMED[split].rows, 600)
        else:
            share = size / max(1, len(sample))
            contexts = [len(text) for text in _CONTEXT.findall(sample)]
            asked = max(1, len(_QUESTION.findall(sample)) if contexts else sample.count(b"\n"))
            passages = Texts(max(1, len(contexts) or asked) * share, sum(contexts) / len(contexts) if contexts else 300)
            questions = Texts(max(asked, len(contexts) if asked == 1 else 0) * share, 60)
        if getattr(section, "documents", "paragraphs") == "sentences" and passages.chars > _SENTENCE:
            passages = Texts(passages.rows * passages.chars / _SENTENCE, _SENTENCE)
        found.queries.setdefault(split, questions)
        language = role.split("/")[-1].partition("+")[0]
        language = language if language in section.languages else next(iter(section.languages))
        found.documents[language] = _sum(found.documents.get(language), passages)

    def lines(self, path: str, role: str) -> Texts:
        """The lines of a file, by its first ones."""
        if Path(path).is_dir():
            parts = [self.lines(str(part), role) for part in sorted(Path(path).rglob("*")) if part.is_file()]
            return _sum(None, *parts)
        sample, size = self._sample(path)
        if sample is None:
            return self._expected(path, role)
        rows = max(1, sample.count(b"\n"))
        chars = len(sample.decode("utf-8", errors="replace")) / rows
        return Texts(rows * size / max(1, len(sample)), max(1.0, chars - 8))

    def _read(self, path: str) -> tuple[bytes | None, float]:
        """The first bytes of a file, unpacked, and the size of all of it; None and 0 where it is not here."""
        if not Path(path).is_file():
            self._assume(path)
            return None, 0.0
        try:
            with open_bytes(path) as stream:
                sample = stream.read(SAMPLE)
        except UserError:
            return b"", float(Path(path).stat().st_size)
        if len(sample) < SAMPLE:
            return sample, float(len(sample))
        with open(path, "rb") as raw:
            start = raw.read(5)
        better = next((factor for magic, factor in _PACKED.items() if start.startswith(magic)), 0.0)
        ratio = better * len(sample) / len(zlib.compress(sample)) if better else 1.0
        return sample, Path(path).stat().st_size * ratio

    def _vectors(self, language: str) -> tuple[float, float]:
        config = self.plan.config.vectors
        given = self.plan.config.vector_sources[language]
        if given.text is not None and config is not None:
            words = 12 * (self.text_bytes(given.text) / 6) ** 0.45
            return min(words, config.training.max_words or words), config.training.dim
        path = str(given.path)
        sample, _ = self._sample(path)
        head = (sample or b"").split(b"\n", 1)[0].split()
        if len(head) == 2 and all(part.isdigit() for part in head):
            rows, width = map(float, head)
        else:
            rows, width = self.lines(path, "vectors").rows, max(1.0, len(head) - 1)
        if sample is None:
            width = WORLD_WIDTH if self._of_world(path) else WIDTH
        return min(rows, given.max_words or rows), width

    def text_bytes(self, texts: Iterable[str]) -> float:
        """The unpacked size of text files."""
        return sum(map(self._text_bytes, texts))

    def _text_bytes(self, path: str) -> float:
        """One of the made-up world is known before it is made."""
        if Path(path).is_file():
            return 2.5 * self.on_disk(path) if path.endswith(".parquet") else self._sample(path)[1]
        if self.plan.config.world and self._of_world(path):
            return self.plan.config.world.sentences * WORLD_SENTENCE
        if path in self.plan.downloads or path in self.plan.dumps.values():
            return 1e9
        return 2e6 if path.startswith(f"{self.plan.folder}/") else self.on_disk(path)

    def lexicon_rows(self, lexicon: str) -> float:
        """Words of a lexicon, by its name."""
        section = self.plan.config.lexicons[lexicon]
        if not isinstance(section, InducedLexicon):
            return 20_000.0
        return self.lexicon_vectors(lexicon, self.plan.config.languages.source)[0] * section.k

    def lexicon_vectors(self, lexicon: str, language: str) -> tuple[float, float]:
        """Words and dimensions of the vectors of a language that a lexicon is induced from."""
        section = self.plan.config.lexicons[lexicon]
        if isinstance(section, EncoderLexicon):
            return self.encoded_words(section, language), encoder_shape(self.plan, section).hidden
        return self.vectors(language)

    def encoded_words(self, section: EncoderLexicon, language: str) -> float:
        """The words of a language that are encoded."""
        if section.words == "vectors":
            return min(self.vectors(language)[0], section.max_words)
        if isinstance(section.words, dict):
            return min(self.lines(section.words[language], "documents").rows, section.max_words)
        return section.max_words


def table_texts(path: str | Path) -> Texts | None:
    """The texts of a table of documents or queries; None where there is no such table."""
    if not Path(path).is_file():
        return None
    import polars as pl

    try:
        rows = pl.scan_parquet(path).select(pl.len()).collect().item()
        chars = pl.read_parquet(path, columns=["text"], n_rows=2000)["text"].str.len_chars().mean()
    except (pl.exceptions.PolarsError, OSError):
        return None
    return Texts(float(rows), float(chars) if isinstance(chars, float) else 1.0)


def _sum(*parts: Texts | None) -> Texts:
    given = [part for part in parts if part is not None]
    rows = sum(part.rows for part in given)
    return Texts(rows, sum(part.rows * part.chars for part in given) / rows if rows else 1.0)


def _sums(parts: Sequence[Mapping[str, Texts]]) -> dict[str, Texts]:
    return {name: _sum(*(part.get(name) for part in parts)) for name in dict.fromkeys(chain(*parts))}


@dataclass(frozen=True)
class Shape:
    """An encoder: ``layers`` of width ``hidden`` with ``inner`` units, over a ``vocabulary``."""

    layers: int
    hidden: int
    inner: int
    vocabulary: int

    @property
    def body(self) -> float:
        """Weights that every token meets."""
        return float(self.layers * (4 * self.hidden**2 + 2 * self.hidden * self.inner))

    @property
    def parameters(self) -> float:
        """All weights, embeddings of pieces and of 512 positions among them."""
        return self.body + (self.vocabulary + 514) * self.hidden + self.hidden**2

    def forward(self, tokens: float, length: float) -> float:
        """Floating point operations of a forward pass over ``tokens``, in texts of ``length`` tokens."""
        return tokens * (2 * self.body + 4 * length * self.hidden * self.layers)


def shape_of(start: Start) -> Shape:
    """The shape of the model that a run starts from: by its preset, the catalogue, ``config.json``, or its name.

    Where none of these tells, it is that of XLM-R base.
    """
    if start.preset:
        return _shape(PRESETS[start.preset] | {"vocab_size": start.tokenizer.size})
    found = shape_of_model(str(start.model))
    if start.vocabulary == "run":
        found = replace(found, vocabulary=min(found.vocabulary, _PRUNED))
    found = replace(found, layers=len(start.layers)) if start.layers else found
    return replace(found, vocabulary=found.vocabulary + start.extend.pieces) if start.extend else found


def encoder_shape(plan: Plan, lexicon: EncoderLexicon) -> Shape:
    """The shape of the model that encodes the words of a lexicon; a start counts as the run's own."""
    return shape_of(plan.config.start) if lexicon.model in plan.starts else shape_of_model(lexicon.model)


def shape_of_model(model: str) -> Shape:
    """The shape of a pretrained model, as that of a start."""
    entry, local = entry_of(model), Path(model, "config.json")
    found = Shape(*entry.shape) if entry else read_shape(local if local.is_file() else _fetched(model))
    if found is not None:
        return found
    named = _NAMED.search(model)
    if named is None:
        return _shape(BASE)
    layers, width = map(int, named.groups())
    return _shape(BASE | {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": 4 * width})


def read_shape(path: str | Path) -> Shape | None:
    """The shape that a ``config.json`` states; None where there is none that can be read, or none of a known kind."""
    found = read_note(path)
    return _shape(found) if all(isinstance(found.get(key), int) for key in BASE) else None


def _fetched(model: str) -> str:
    """The ``config.json`` of a hub model that was fetched before; empty where there is none."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(model, "config.json")
    except HFValidationError:
        return ""
    return found if isinstance(found, str) else ""


def _shape(given: Mapping[str, Any]) -> Shape:
    return Shape(*(given[key] for key in BASE))
