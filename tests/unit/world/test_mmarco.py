"""The made-up world in the layout of MS MARCO and mMARCO, under the codes of the fourteen published languages."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import regex

from switchrank.collections.mmarco.names import MMARCO_NAMES
from switchrank.core.ownership import RECORD
from switchrank.embeddings.read import import_vectors
from switchrank.lexicon.induce import induce_lexicon
from switchrank.lexicon.quality import lexicon_quality
from switchrank.lexicon.titles import titles_lexicon
from switchrank.rank.candidates import read_ranking
from switchrank.search.choices import Choice
from switchrank.sources.build import build_collection
from switchrank.sources.world.files import INVENTED, world_outputs
from switchrank.sources.world.generate import generate_world

LANGUAGES = ["en", "de", "it", "nl", "ru", "ar", "fr", "zh", "hi", "id", "ja", "pt", "es", "vi"]
MUSE = LANGUAGES[:6]
DESIGNS = {
    **dict.fromkeys(["de", "nl", "hi", "vi"], "qaa"),
    **dict.fromkeys(["it", "ru", "fr", "id", "pt", "es"], "qad"),
    **dict.fromkeys(["zh", "ja"], "qac"),
    "ar": "qab",
}
TINY: dict[str, Any] = {
    "layout": "mmarco",
    "languages": LANGUAGES,
    "designs": DESIGNS,
    "vectors": MUSE,
    "themes": 8,
    "sentences": 200,
    "train_queries": 60,
    "test_queries": 20,
    "train_distractors": 1,
    "test_distractors": 8,
    "triples": 10,
    "candidates": 50,
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "world"
    generate_world(spec=TINY, out=out)
    return out


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != RECORD
    }


def test_the_folder_is_laid_out_as_the_published_one(world: Path) -> None:
    names = "arabic chinese dutch english french german hindi indonesian italian japanese portuguese russian spanish"
    names = [*names.split(), "vietnamese"]
    found = {path.relative_to(world / "mmarco").as_posix() for path in (world / "mmarco").rglob("*") if path.is_file()}
    assert found == {
        *(f"collections/{name}_collection.tsv" for name in names),
        *(f"queries/train/{name}_queries.train.tsv" for name in names),
        *(f"queries/dev/{name}_queries.dev.small.tsv" for name in names),
        "qrels.train.tsv",
        "qrels.dev.small.tsv",
        "triples.train.ids.small.tsv",
        "runs/run.bm25_english-msmarco.txt",
        "top1000.dev",
    }


def test_every_promised_file_is_there_and_no_other(world: Path) -> None:
    assert set(files(world)) == set(world_outputs(TINY))


def test_the_same_spec_makes_the_same_bytes(world: Path, tmp_path: Path) -> None:
    generate_world(spec=TINY, out=tmp_path / "again")
    assert files(tmp_path / "again") == files(world)


@pytest.mark.parametrize(
    ("folder", "ending", "count"),
    [
        ("collections", "collection.tsv", 60 + 60 + 20 + 160),
        ("queries/train", "queries.train.tsv", 60),
        ("queries/dev", "queries.dev.small.tsv", 20),
    ],
)
def test_all_languages_have_the_same_ids_in_the_same_lines(world: Path, folder: str, ending: str, count: int) -> None:
    ids = None
    for name in MMARCO_NAMES.values():
        table = rows(world / f"mmarco/{folder}/{name}_{ending}")
        assert len(table) == count
        assert all(len(row) == 2 and row[1].strip() for row in table)
        assert ids in (None, [row[0] for row in table])
        ids = [row[0] for row in table]


def test_passage_n_stands_in_line_n(world: Path) -> None:
    table = rows(world / "mmarco/collections/german_collection.tsv")
    assert [row[0] for row in table] == [str(number) for number in range(len(table))]


def test_judgements_are_four_columns_for_every_query_of_their_split(world: Path) -> None:
    for split, folder, called in (("train", "train", "train"), ("dev", "dev", "dev.small")):
        asked = rows(world / f"mmarco/queries/{folder}/english_queries.{called}.tsv")
        judged = rows(world / f"mmarco/qrels.{called}.tsv")
        assert [row[0] for row in judged] == [row[0] for row in asked], split
        assert all(row[1] == "0" and row[3] == "1" and int(row[2]) < 300 for row in judged)


def test_triples_are_query_positive_negative_and_shuffled(world: Path) -> None:
    relevant = {row[0]: row[2] for row in rows(world / "mmarco/qrels.train.tsv")}
    triples = rows(world / "mmarco/triples.train.ids.small.tsv")
    negatives = defaultdict(set)
    for qid, positive, negative in triples:
        assert positive == relevant[qid] != negative
        negatives[qid].add(negative)
    assert {len(found) for found in negatives.values()} == {10}
    assert len(negatives) == 60
    qids = [int(row[0]) for row in triples]
    assert qids != sorted(qids)


def test_more_triples_than_passages_are_as_many_as_there_are(tmp_path: Path) -> None:
    few = {"train_queries": 2, "test_queries": 1, "train_distractors": 0, "test_distractors": 1, "triples": 50}
    generate_world(spec=TINY | few | {"sentences": 1}, out=tmp_path / "world")
    assert len(rows(tmp_path / "world/mmarco/triples.train.ids.small.tsv")) == 2 * 3


def test_both_shapes_of_the_first_stage_hold_the_same_ranking(world: Path) -> None:
    run = read_ranking(world / "mmarco/runs/run.bm25_english-msmarco.txt")
    top = read_ranking(world / "mmarco/top1000.dev")
    assert run.select("qid", "docid").rows() == top.select("qid", "docid").rows()
    assert run.group_by("qid").len()["len"].max() == 50
    relevant = {(row[0], row[2]) for row in rows(world / "mmarco/qrels.dev.small.tsv")}
    assert len(relevant & set(run.select("qid", "docid").rows())) >= 18
    texts = dict(rows(world / "mmarco/collections/english_collection.tsv"))
    asked = dict(rows(world / "mmarco/queries/dev/english_queries.dev.small.tsv"))
    for qid, docid, query, passage in rows(world / "mmarco/top1000.dev"):
        assert (query, passage) == (asked[qid], texts[docid])


def test_each_code_is_written_as_the_language_it_is_made_after(world: Path) -> None:
    scripts = dict(zip(INVENTED, ("Georgian", "Hebrew", "Canadian_Aboriginal", "Tifinagh"), strict=True))
    for language, design in DESIGNS.items():
        text = (world / f"text/{language}.txt").read_text(encoding="utf-8")
        assert not regex.search(rf"[^\p{{Script={scripts[design]}}}\s.,᙮]", text), "no word of the real language"
        assert (" " in text) == (language not in ("zh", "ja"))
        assert bool(regex.search(r"\p{Bidi_Class=R}", text)) == (language == "ar")


def test_languages_of_one_design_share_hardly_any_word(world: Path) -> None:
    words = {language: {word for _, word in rows(world / f"gold/en-{language}.tsv")} for language in DESIGNS}
    for one in words:
        for other in words:
            assert one == other or len(words[one] & words[other]) < 0.05 * len(words[one])


def test_leaving_languages_out_changes_nothing_in_the_others(world: Path, tmp_path: Path) -> None:
    generate_world(spec=TINY | {"languages": ["en", "ru"], "vectors": ["en", "ru"]}, out=tmp_path / "two")
    for name in (
        "text/ru.txt",
        "gold/en-ru.tsv",
        "vectors/wiki.multi.ru.vec",
        "mmarco/collections/russian_collection.tsv",
        "mmarco/triples.train.ids.small.tsv",
        "mmarco/top1000.dev",
    ):
        assert (tmp_path / "two" / name).read_bytes() == (world / name).read_bytes()


def test_vectors_have_a_header_and_a_row_for_every_word(world: Path) -> None:
    for language in MUSE:
        head, *lines = (world / f"vectors/wiki.multi.{language}.vec").read_text(encoding="utf-8").splitlines()
        table = [line.split(" ") for line in lines]
        assert head == f"{len(table)} 64"
        assert {len(row) for row in table} == {65}
        assert len({row[0] for row in table}) == len(table)
        side = 0 if language == "en" else 1
        gold = rows(world / f"gold/en-{'de' if language == 'en' else language}.tsv")
        assert {pair[side] for pair in gold} - {row[0] for row in table} <= {"an"}


@pytest.mark.parametrize("language", MUSE[1:])
def test_vectors_are_aligned_well_but_not_perfectly(world: Path, tmp_path: Path, language: str) -> None:
    for code in ("en", language):
        import_vectors(path=world / f"vectors/wiki.multi.{code}.vec", out=tmp_path / code)
    induce_lexicon(source=tmp_path / "en", target=tmp_path / language, out=tmp_path / "l.parquet", choice=Choice(k=5))
    pair = {"src": "en", "tgt": language}
    lexicon = {"lexicon": "clwe", "path": str(tmp_path / "l.parquet"), **pair}
    gold = {"name": "gold", "path": str(world / f"gold/en-{language}.tsv"), **pair}
    lexicon_quality(lexicons=[lexicon], gold=[gold], out=tmp_path / "q.csv")
    quality = pl.read_csv(tmp_path / "q.csv").row(0, named=True)
    assert 0.6 < quality["p_at_1"] < 0.8
    assert quality["p_at_5"] > 0.85


def test_titles_lead_from_english_to_every_language_of_the_published_lexicons(world: Path, tmp_path: Path) -> None:
    for language in MUSE[1:]:
        titles_lexicon(
            files=[world / "dumps/enwiki-page.sql.gz", world / "dumps/enwiki-langlinks.sql.gz"],
            language=language,
            out=tmp_path / "titles.parquet",
        )
        gold = defaultdict(set)
        for source, target in rows(world / f"gold/en-{language}.tsv"):
            gold[source].add(target)
        found = pl.read_parquet(tmp_path / "titles.parquet").filter(pl.col("source").is_in(list(gold)))
        assert len(found) > 50
        assert np.mean([target in gold[source] for source, target in found.select("source", "target").rows()]) > 0.9


def test_the_layout_is_read_as_a_collection_with_its_triples(world: Path, tmp_path: Path) -> None:
    folder = world / "mmarco"
    roles = {f"documents/{code}": f"collections/{MMARCO_NAMES[code]}_collection.tsv" for code in LANGUAGES}
    roles |= {f"queries/test/{code}": f"queries/dev/{MMARCO_NAMES[code]}_queries.dev.small.tsv" for code in LANGUAGES}
    roles |= {"queries/train/en": "queries/train/english_queries.train.tsv", "judgements/train": "qrels.train.tsv"}
    roles |= {"judgements/test": "qrels.dev.small.tsv", "triples/train": "triples.train.ids.small.tsv"}
    counts = build_collection(
        spec={"format": "msmarco", "languages": LANGUAGES, "dev": 0.1, "triples": True},
        files={role: str(folder / name) for role, name in roles.items()},
        out=tmp_path / "made",
    )
    assert counts["documents"] == dict.fromkeys(LANGUAGES, 300)
    assert counts["queries"] == {"train": 54, "dev": 6, "test": 20}
    assert len(pl.read_parquet(tmp_path / "made/triples-train.parquet")) == 54 * 10
