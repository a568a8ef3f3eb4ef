"""What the benchmark of the demo starts from: its world, search task, word vectors and starting model."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from switchrank.config.load import load_config
from switchrank.config.plan import Plan
from switchrank.corpus.instances import Pairing, build_instances
from switchrank.embeddings.read import import_vectors
from switchrank.models.presets import PRESETS
from switchrank.rank.candidates import FirstStage, build_candidates
from switchrank.sources.build import build_collection
from switchrank.sources.world.generate import generate_world
from switchrank.train.start import build_start
from switchrank.train.tokenizer import Sources, build_tokenizer

ROOT = Path(__file__).parents[2]
REDUCED = {"sentences": 5_000, "test_queries": 100}
"""The keys of the world that are smaller than the demo's; only the tokenizer reads the sentences here."""
_NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
"""As ``train.dropout`` of the config says; the peer reads it from the model."""


@dataclass(frozen=True)
class Demo:
    """The inputs and outputs of the stages, in a folder as the modules of the stages expect them."""

    folder: Path

    @cached_property
    def plan(self) -> Plan:
        """The demo's config."""
        return Plan(load_config(ROOT / "config" / "demo.yaml", {}), [ROOT])

    @property
    def seen(self) -> list[str]:
        """The languages of the lexicons."""
        return list(self.plan.config.languages.seen)

    @property
    def settings(self) -> dict[str, Any]:
        """Of training."""
        found: dict[str, Any] = self.plan.config.train.plain()
        return found

    def store(self, language: str) -> Path:
        """Prefix of a vector store."""
        return self.folder / "vectors" / language

    def tested(self) -> list[dict[str, str]]:
        """The test pairs as the ranking rule names them."""
        return [
            {
                "queries": f"{self.folder}/sources/queries-test-{pair.query}.parquet",
                "documents": f"{self.folder}/sources/documents-{pair.document}.parquet",
                "candidates": f"{self.folder}/candidates-{pair.document}.parquet",
                "out": f"{self.folder}/runs/{pair.id}.trec",
            }
            for pair in self.plan.pairs["world"]
        ]

    def judgements(self, language: str) -> Path:
        """Of the test queries."""
        return self.folder / f"sources/judgements-test-{language}.parquet"


def prepare(work: Demo) -> None:
    """Make what the stages start from."""
    plan, folder = work.plan, work.folder
    section, languages = plan.config, list(plan.config.languages.every)
    spec = section.world.plain() | REDUCED | {"languages": languages, "vectors": languages}
    generate_world(spec=spec, out=folder / "world")
    moved = str(folder / "world")
    files = {role: file.replace("results/demo/world", moved) for role, file in plan.collection_files("world").items()}
    build_collection(spec=plan.collection_spec("world"), files=files, out=folder / "sources")
    for language in languages:
        work.store(language).parent.mkdir(exist_ok=True)
        import_vectors(path=folder / f"world/vectors/wiki.multi.{language}.vec", out=work.store(language))
    for table, name in (("queries-train", "queries"), ("documents", "documents")):
        shutil.copy(folder / f"sources/{table}-en.parquet", folder / f"{name}.parquet")
    build_instances(
        queries=folder / "queries.parquet",
        documents=folder / "documents.parquet",
        judgements=folder / "sources/judgements-train-en.parquet",
        out=folder / "instances.parquet",
        pairing=Pairing(**section.collections["world"].instances.plain("dev_negatives")),
    )
    vectors = {language: work.store(language) for language in languages}
    _candidates(work, vectors)
    build_tokenizer(
        Sources(
            texts={language: [folder / f"world/text/{language}.txt"] for language in languages},
            vectors={language: vectors[language] for language in section.languages.unspaced},
            unspaced=section.languages.unspaced,
        ),
        size=section.start.tokenizer.size,
        max_length=work.settings["max_length"],
        out=folder / "tokenizer",
    )
    build_start(
        tokenizer=folder / "tokenizer",
        preset=PRESETS[section.start.preset] | _NO_DROPOUT,
        init=section.start.init,
        vectors=vectors,
        out=folder / "start",
    )


def _candidates(work: Demo, vectors: dict[str, Path]) -> None:
    unspaced = work.plan.config.languages.unspaced
    for language in work.plan.config.languages.every:
        build_candidates(
            queries=work.folder / f"sources/queries-test-{language}.parquet",
            documents=work.folder / f"sources/documents-{language}.parquet",
            judgements=work.judgements(language),
            first_stage=FirstStage(bm25=work.plan.config.testsets["world"].candidates.bm25),
            vocabulary=vectors[language] if language in unspaced else None,
            out=work.folder / f"candidates-{language}.parquet",
        )
