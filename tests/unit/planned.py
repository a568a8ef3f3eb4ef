"""A small config with its input files, made up, for the tests of plan and status."""

from __future__ import annotations

import os
import tempfile
from functools import cache
from pathlib import Path

from switchrank.config.load import load_plan
from switchrank.run.plan.jobs import Graph, job_graph

CONFIG = """\
run: mini
seeds: [1, 2]
languages: {source: en, seen: [qaa]}
collections:
  docs:
    format: msmarco
    languages: [en, qaa]
    documents: data/docs.{lang}.tsv
    queries: data/queries.{split}.{lang}.tsv
    judgements: data/qrels.{split}.tsv
    dev: 0.5
    instances: {negatives: 3, rounds: 2, dev_negatives: 9}
lexicons: {gold: {kind: dictionary, path: data/en-qaa.tsv}}
corpora: {english: {from: docs}, ml-cs: {from: docs, lexicon: gold}}
systems: {zero-shot: {corpus: english}, ml-cs: {corpus: ml-cs}}
start: {preset: tiny, tokenizer: {size: 1000, texts: {en: [data/docs.en.tsv]}}}
train: {steps: 100, batch_size: 32, warmup: 10, max_length: 64, eval_every: 50}
testsets: {docs: {collection: docs, pairs: pairs.tsv, candidates: {bm25: 5}}}
"""
PAIRS = "id\tquery\tdocument\town_model\nen-en\ten\ten\tno\nen-qaa\ten\tqaa\tno\n"


def write_inputs(folder: Path) -> Path:
    """The config file, beside its inputs: 10 documents of 40 characters, 4 queries a split of 12."""
    data = folder / "data"
    data.mkdir()
    for lang in ("en", "qaa"):
        (data / f"docs.{lang}.tsv").write_text("".join(f"d{number}\t{'x' * 44}\n" for number in range(10)))
        (data / f"queries.test.{lang}.tsv").write_text("".join(f"q{number}\t{'x' * 16}\n" for number in range(4)))
    (data / "queries.train.en.tsv").write_text("".join(f"t{number}\t{'x' * 16}\n" for number in range(4)))
    for split in ("train", "test"):
        (data / f"qrels.{split}.tsv").write_text("q0 0 d0 1\n")
    (data / "en-qaa.tsv").write_text("house\tabc\n")
    (folder / "pairs.tsv").write_text(PAIRS)
    config = folder / "mini.yaml"
    config.write_text(CONFIG)
    return config


@cache
def jobs_of_config() -> Graph:
    """The jobs of the config as it is; Snakemake is asked once for all tests that change what they cost."""
    here = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            return job_graph(load_plan(write_inputs(Path(folder)), {}))
        finally:
            os.chdir(here)
