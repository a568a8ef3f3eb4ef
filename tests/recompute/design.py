"""What a run was asked for, read from its YAML as it is: no code of the pipeline and none of its defaults is used.

The defaults written here are those that ``config/README.md`` promises.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

METRICS = ("mrr@10", "ndcg@10", "map", "recall@100")
BIAS = ("rank_distance", "own_language", "rankc")
MIXED = "xx"


@dataclass(frozen=True)
class EvaluationSet:
    """A test set: its collection; ``mixed`` languages of its pool, none where it has pairs; ``every`` for a pool of
    every document in every language; ``parallel`` where a document id means the same in all languages; the
    collection's ``format`` and ``relevance``; ``listed`` unless every document is a candidate; ``asked``: whose queries
    look for candidates, unless a run is ``given``."""

    collection: str
    mixed: tuple[str, ...] = ()
    every: bool = False
    parallel: bool = True
    format: str = "msmarco"
    relevance: str = "gold"
    listed: bool = True
    asked: str = "source"
    given: bool = False

    def search(self, language: str, source: str) -> str:
        """What found the candidates among documents of a language, as ``testsets.csv`` says it."""
        if self.given or not self.listed:
            return "run" if self.given else "all"
        languages = (self.mixed if self.every else [source]) if language == MIXED else [language]
        sides = {"source": lambda _: f"{source}-{source}", "document": lambda one: f"{one}-{one}"}
        say = sides.get(self.asked, lambda one: f"{self.asked}-{one}")
        return " ".join(dict.fromkeys(map(say, languages)))


@dataclass(frozen=True)
class Point:
    """One value of a sweep: the system that stands for it, that system's corpus and its lexicon."""

    sweep: str
    x: str
    system: str
    corpus: str
    lexicon: str | None


@dataclass(frozen=True)
class Row:
    """A row of the ablation's own table."""

    id: str
    start: str
    language: str
    examples: int
    seed: int


@dataclass(frozen=True)
class Design:
    """What a run was asked for.

    Attributes:
        known: the source language and those seen in training.
        unspaced: languages whose text is cut by the words of their vectors, where they have vectors.
        copies: systems whose runs within the source language are the baseline's own.
        apart: systems that are no hypothesis of the experiment, with the group each is tested in.
        bias: measures of bias, or what their names begin with.
        setups: measures that are averaged over the pairs of a setup.
        tested: metrics of significance tests; overlap and the curves of the ablation are of the first.
        switched: corpora that words are switched in, with the lexicon of each.
        translating: lexicons that test texts are translated by, with the languages of each.
        learnt: collections that systems learn from, with the systems.
        gold: (gold name, source, target, path from the folder that holds ``results``).
        rows, ablated, reference, compared: the ablation's rows, test set, start to be reached, starts that are to.
        band: resamples behind the intervals of the ablation.
    """

    run: str
    source: str
    known: frozenset[str]
    systems: tuple[str, ...]
    references: tuple[str, ...]
    testsets: Mapping[str, EvaluationSet]
    unspaced: frozenset[str] = frozenset()
    metrics: tuple[str, ...] = METRICS
    bias: tuple[str, ...] = BIAS
    setups: tuple[str, ...] = ()
    tested: tuple[str, ...] = METRICS[:1]
    baseline: str = "zero-shot"
    tests: tuple[str, ...] = ("t",)
    correction: str = "holm"
    families: str = "setup"
    copies: frozenset[str] = frozenset()
    apart: Mapping[str, str] = field(default_factory=dict)
    alpha: float = 0.05
    permutations: int = 100_000
    resamples: int = 10_000
    points: tuple[Point, ...] = ()
    switched: Mapping[str, str] = field(default_factory=dict)
    translating: Mapping[str, Sequence[str]] = field(default_factory=dict)
    learnt: Mapping[str, Sequence[str]] = field(default_factory=dict)
    gold: tuple[tuple[str, str, str, str], ...] = ()
    rows: tuple[Row, ...] = ()
    ablated: str = ""
    reference: str = "ml-cs"
    compared: tuple[str, ...] = ("zero-shot",)
    band: int = 2000

    def same(self, row: Mapping[str, Any]) -> bool:
        """Whether a row of significance.csv compares the baseline's run with itself."""
        return row["system"] in self.copies and {row["query_lang"], row["doc_lang"]} == {self.source}

    @property
    def parallel_pairs(self) -> list[str]:
        """Test sets of language pairs whose documents have one id in all languages."""
        return [name for name, testset in self.testsets.items() if testset.parallel and not testset.mixed]

    def seen(self, testset: str, *sides: str) -> str:
        """Which of the sides (query, document) is in known languages only: both, query, document or none."""
        members = [self.testsets[testset].mixed if side == MIXED else (side,) for side in sides]
        query, document = (self.known.issuperset(languages) for languages in members)
        return "both" if query and document else "query" if query else "document" if document else "none"


def setup(query: str, document: str) -> str:
    """Retrieval in one language, across two, or in mixed ones."""
    return "mlir" if MIXED in (query, document) else "moir" if query == document else "clir"


def read_design(path: Path, root: Path) -> Design:
    """The design in a YAML config; its tables are looked for under ``root``."""
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    languages, evaluate, ablation = config["languages"], config.get("evaluate") or {}, config.get("ablation") or {}
    source = languages.get("source", "en")
    points = tuple(_points(config))
    swept = {name: section["system"] for name, section in (config.get("sweeps") or {}).items()}
    extra = {point.system: f"sweep {point.sweep}" for point in points if point.system not in swept.values()}
    references = tuple(evaluate.get("references", ("random", "bm25")))
    lists = {key: tuple(evaluate[key]) for key in ("metrics", "bias", "setups", "tests") if key in evaluate}
    plain = {
        key: evaluate[key]
        for key in ("baseline", "correction", "families", "alpha", "permutations", "resamples")
        if key in evaluate
    }
    aims = {"reference": ablation.get("reference"), "compared": tuple(ablation.get("compared", ()))}
    vectors = (config.get("vectors") or {}).get("languages", {})
    return Design(
        run=config["run"],
        source=source,
        known=frozenset([source, *languages["seen"]]),
        systems=(*config["systems"], *extra),
        references=references,
        testsets={
            name: _testset(section, config["collections"][section["collection"]], languages, source)
            for name, section in config["testsets"].items()
        },
        unspaced=frozenset(languages.get("unspaced", ())) & frozenset(vectors),
        copies=_copies(config["systems"], plain.get("baseline", "zero-shot")),
        apart=dict.fromkeys(references, "references") | extra,
        points=points,
        switched=_switched(config, points),
        translating=_translating(config),
        learnt=_learnt(config, points),
        gold=tuple(_gold(config, source)),
        rows=tuple(_rows(root / ablation["rows"])) if ablation else (),
        ablated=ablation.get("testset", ""),
        **lists,
        **plain,
        **{key: value for key, value in aims.items() if value},
    )


def _copies(systems: Mapping[str, Any], baseline: str) -> frozenset[str]:
    """Systems with the baseline's model: they differ in what is translated, and the source language never is."""
    models = {name: section.get("model", name) for name, section in systems.items()}
    return frozenset(name for name, model in models.items() if name != baseline and model == models.get(baseline))


def _testset(
    section: Mapping[str, Any], collection: Mapping[str, Any], languages: Mapping[str, Any], source: str
) -> EvaluationSet:
    mixed = section.get("mixed") or ()
    named = {"seen": languages["seen"], "all": [*languages["seen"], *languages.get("unseen", ())]}
    members = named[mixed] if isinstance(mixed, str) else mixed
    return EvaluationSet(
        collection=section["collection"],
        mixed=tuple(dict.fromkeys([source, *members])) if mixed else (),
        every=section.get("pool", "drawn") == "every",
        parallel=section.get("documents", "parallel") == "parallel",
        format=collection["format"],
        relevance=collection.get("relevance", "gold"),
        listed=not section["candidates"].get("all", False),
        asked=section["candidates"].get("query_language", "source"),
        given="run" in section["candidates"],
    )


def _points(config: Mapping[str, Any]) -> Iterator[Point]:
    """Values of sweeps. The one that the swept system has itself is that system; others are named after the value."""
    for name, section in (config.get("sweeps") or {}).items():
        corpus_name = config["systems"][section["system"]]["corpus"]
        corpus = config["corpora"][corpus_name]
        lexicon = corpus.get("lexicon")
        scope, _, inner = str(section["key"]).rpartition(".")
        for value in section["values"]:
            text = str(value).lower() if isinstance(value, bool) else str(value)
            suffix = f"-{name}-{text.replace('.', '-').lower()}"
            if scope:
                own = config["lexicons"][lexicon].get(inner)
                same, new = (not value if inner == "degrade" else own == value), f"{lexicon}{suffix}"
            else:
                same, new = corpus.get(inner) == value, value if inner == "lexicon" else lexicon
            if same:
                yield Point(name, text, section["system"], corpus_name, lexicon)
            else:
                yield Point(name, text, f"{section['system']}{suffix}", f"{corpus_name}{suffix}", new)


def _translating(config: Mapping[str, Any]) -> dict[str, Sequence[str]]:
    named = [section["test"]["translate"] for section in config["systems"].values() if "test" in section]
    return {name: config["lexicons"][name].get("languages", config["languages"]["seen"]) for name in named}


def _learnt(config: Mapping[str, Any], points: tuple[Point, ...]) -> dict[str, list[str]]:
    """Collections in the order of the first system that learns from each; what all start from comes last."""
    found: dict[str, dict[str, None]] = {}
    corpora = {name: section["corpus"] for name, section in config["systems"].items() if "corpus" in section}
    for point in points:
        corpora.setdefault(point.system, corpora[config["sweeps"][point.sweep]["system"]])
    first = config["start"].get("first")
    corpora |= {"start": first["corpus"]} if first else {}
    corpora |= {f"starts.{name}": one["corpus"] for name, one in config.get("starts", {}).items() if "corpus" in one}
    for system, corpus in corpora.items():
        found.setdefault(config["corpora"][corpus]["from"], {})[system] = None
    return {collection: list(systems) for collection, systems in found.items()}


def _switched(config: Mapping[str, Any], points: tuple[Point, ...]) -> dict[str, str]:
    """The corpora that systems train on and that have a lexicon, with it."""
    trained = [section["corpus"] for section in config["systems"].values() if "corpus" in section]
    lexicons = {name: config["corpora"][name].get("lexicon") for name in trained}
    lexicons |= {point.corpus: point.lexicon for point in points}
    return {corpus: lexicon for corpus, lexicon in lexicons.items() if lexicon}


def _gold(config: Mapping[str, Any], source: str) -> Iterator[tuple[str, str, str, str]]:
    for name, pairs in (config.get("gold") or {}).items():
        for pair, path in pairs.items():
            if pair.startswith(f"{source}-"):
                yield name, source, pair.removeprefix(f"{source}-"), path


def _rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines, delimiter="\t"):
            yield Row(row["id"], row["start"], row["language"], int(row["examples"]), int(row["seed"]))
