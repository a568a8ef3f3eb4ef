"""A source language without spaces: its words are found, in hard negatives, token tables and switched corpora."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from switchrank.config.load import check_config
from switchrank.core.errors import UserError
from tests.conftest import Workflow

pytestmark = pytest.mark.slow
R = Path("results/chinese")
CORPUS = R / "corpora/ml-cs/xx-xx/train-00000.parquet"
WORDS = {"天空": "Himmel", "喜欢": "mag", "天天": "täglich", "空空": "leer", "蓝色": "blau", "看着": "sieht"}
DOCUMENTS = {"right": "天空喜欢", "word": "他看着天空，天天看着", "characters": "天天空空", "other": "蓝色"}
CONFIG = """
run: chinese
languages: {source: zh, seen: [de], unspaced: [zh]}
collections:
  own:
    format: msmarco
    languages: [zh]
    splits: [train, test]
    documents: data/documents.tsv
    queries: data/queries.{split}.tsv
    judgements: data/qrels.{split}.tsv
    dev: 0.5
    instances: {negatives: 1, pool: 1, dev_negatives: 1}
vectors:
  languages: {zh: {path: data/zh.vec, aligned: true}, de: {path: data/de.vec, aligned: true}}
lexicons: {clwe: {kind: vectors, criterion: nn, k: 1}}
corpora: {plain: {from: own}, ml-cs: {from: own, lexicon: clwe, p: 1.0}}
systems: {zero-shot: {corpus: plain}, ml-cs: {corpus: ml-cs}}
start: {preset: tiny}
train: {steps: 2, batch_size: 2, warmup: 1}
testsets: {own: {collection: own, pairs: data/pairs.tsv, candidates: {all: true}}}
"""


def vectors(words: list[str]) -> str:
    """Text vectors, one direction for each word."""
    rows = [
        " ".join([word, *(str(int(row == place)) for place in range(len(words)))]) for row, word in enumerate(words)
    ]
    return "\n".join([f"{len(words)} {len(words)}", *rows, ""])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that went as far as its switched corpus."""
    folder = tmp_path_factory.mktemp("chinese")
    files = {
        "documents.tsv": "".join(f"{docid}\t{text}\n" for docid, text in DOCUMENTS.items()),
        "queries.train.tsv": "q1\t天空\nq2\t蓝色\n",
        "queries.test.tsv": "q3\t天空\n",
        "qrels.train.tsv": "q1 0 right 1\nq2 0 other 1\n",
        "qrels.test.tsv": "q3 0 right 1\n",
        "zh.vec": vectors(list(WORDS)),
        "de.vec": vectors(list(WORDS.values())),
        "pairs.tsv": "id\tquery\tdocument\town_model\nzh-zh\tzh\tzh\tno\n",
        "my.yaml": yaml.safe_dump(yaml.safe_load(CONFIG)),
    }
    (folder / "data").mkdir()
    for name, text in files.items():
        (folder / "data" / name).write_text(text, encoding="utf-8")
    Workflow(folder, folder / "data/my.yaml").run(str(CORPUS))
    return folder


def first_query(folder: Path, *names: str) -> pl.DataFrame:
    """What training and development hold of the first query; one of them has the other query."""
    return pl.concat([pl.read_parquet(folder / name) for name in names]).filter(qid="q1")


def test_hard_negatives_share_a_word_with_the_query(made):
    rows = first_query(made / R / "instances/own", "train.parquet", "dev.parquet")
    assert rows["pid"].to_list() == ["right", "word"]


def test_token_tables_hold_words_of_several_characters(made):
    keys = pl.read_parquet(made / R / "tokens/own/unicode/documents/keys.parquet")["key"].to_list()
    assert set(keys) == {*WORDS, "他"}


def test_the_corpus_is_switched_and_its_words_are_parted(made):
    corpus = first_query(made / CORPUS.parent, CORPUS.name, "dev.parquet")
    assert corpus["query"].to_list() == ["Himmel", "Himmel"]
    assert corpus["passage"].to_list() == ["Himmel mag", "他 sieht Himmel，täglich sieht"]


def test_a_source_that_nothing_cuts_into_words_is_told():
    config = yaml.safe_load(CONFIG)
    del config["vectors"], config["start"]
    config |= {"lexicons": {"clwe": {"kind": "dictionary", "path": "data/gold.tsv"}}, "start": {"model": "some/model"}}
    with pytest.raises(UserError) as error:
        check_config(config, "my.yaml", {})
    assert "languages.unspaced: no vectors of zh, by whose words its text is cut: add it under" in str(error.value)
    config["languages"] |= {"segmenters": {"zh": "jieba"}}
    check_config(config, "my.yaml", {})
