"""The made-up world: what it promises to the stages that read it, checked on what it writes."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import regex

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.sources.world.files import DEFAULTS, complete_spec, world_outputs
from switchrank.sources.world.generate import generate_world
from switchrank.sources.world.languages import DESIGNS, Language, build_language, gold_pairs
from switchrank.sources.world.meanings import Clause, Meanings, Speaker, build_meanings
from switchrank.sources.world.search import build_search
from switchrank.sources.world.vocabulary import english_concepts, themes
from switchrank.text.words import Segmenter, key, split_words

SMALL = {"themes": 5, "sentences": 1500, "train_queries": 150, "test_queries": 30}
SCRIPTS = {"qaa": "Georgian", "qab": "Hebrew", "qac": "Canadian_Aboriginal", "qad": "Tifinagh"}
PAGE_ROW = re.compile(
    r"\((\d+),(\d+),'((?:[^'\\]|\\.)*)',([01]),0,[0-9.e-]+,'\d{14}','\d{14}',\d+,\d+,'wikitext',NULL\)"
)
LINK_ROW = re.compile(r"\((\d+),'([a-z]+)','((?:[^'\\]|\\.)*)'\)")


@cache
def all_meanings() -> Meanings:
    return build_meanings(english_concepts(), 1)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("made") / "world"
    generate_world(spec=SMALL, out=out)
    return out


def words(grammar: Language, clause: Clause) -> list[str]:
    return [word for phrase in grammar.phrases(clause) for word in phrase]


def rows(path: Path) -> list[list[str]]:
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def gold(world: Path, language: str) -> dict[str, set[str]]:
    pairs: defaultdict[str, set[str]] = defaultdict(set)
    for source, target in rows(world / f"gold/en-{language}.tsv"):
        pairs[source].add(target)
    return pairs


def digests(folder: Path) -> dict[str, str]:
    return {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in world_outputs(SMALL)}


def insert_rows(path: Path, table: str, row: re.Pattern[str]) -> list[tuple[str, ...]]:
    """Rows of a dump, checked to make up the INSERT statements without a gap."""
    found: list[tuple[str, ...]] = []
    for line in gzip.decompress(path.read_bytes()).decode().splitlines():
        if line.startswith("INSERT"):
            values = line.removeprefix(f"INSERT INTO `{table}` VALUES ").removesuffix(";")
            matches = list(row.finditer(values))
            assert ",".join(match.group() for match in matches) == values
            found += [match.groups() for match in matches]
    return found


def test_every_promised_file_is_there_and_no_other(world: Path) -> None:
    files = {path.relative_to(world).as_posix() for path in world.rglob("[!.]*") if path.is_file()}
    assert files == set(world_outputs(SMALL))


def test_equal_seeds_make_equal_bytes_and_other_seeds_other_worlds(world: Path, tmp_path: Path) -> None:
    generate_world(spec=SMALL, out=tmp_path / "again")
    assert digests(tmp_path / "again") == digests(world)
    generate_world(spec={**SMALL, "seed": 2}, out=tmp_path / "other")
    assert not set(digests(tmp_path / "other").values()) & set(digests(world).values())


def test_the_default_layout_keeps_its_bytes(world: Path) -> None:
    """The sum is that of the generator before it knew other layouts and codes; worlds of old configs stay as they are.

    Dumps are compared unpacked: the bytes of a gzip stream depend on the version of zlib.
    """
    files = [(world / name).read_bytes() for name in world_outputs(SMALL)]
    everything = b"".join(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for data in files)
    assert hashlib.sha256(everything).hexdigest() == "5c291a5d872d9baa1f0d4e795523860cc32d173af3925c493a3510dfc688b138"


def test_leaving_a_language_out_changes_nothing_in_the_others(world: Path, tmp_path: Path) -> None:
    generate_world(spec={**SMALL, "languages": ["en", "qab"]}, out=tmp_path / "two")
    for name in ("text/en.txt", "text/qab.txt", "msmarco/collection.qab.tsv", "gold/en-qab.tsv"):
        assert (tmp_path / "two" / name).read_bytes() == (world / name).read_bytes()


def test_the_default_english_text_has_three_thousand_words_in_a_zipf_law() -> None:
    concepts = english_concepts()
    meanings = build_meanings(concepts, 1)
    english = build_language("en", meanings, 1)
    grammar = english
    clauses = Speaker(meanings, english.known, generator(1, "test")).clauses(DEFAULTS["sentences"])
    counts = np.array(sorted(Counter(word for clause in clauses for word in words(grammar, clause)).values()))[::-1]
    assert len(counts) >= 3000
    ranks = np.unique(np.geomspace(1, 3000, 60).astype(int))
    slope = np.polyfit(np.log(ranks), np.log(counts[ranks - 1]), 1)[0]
    assert -1.2 < slope < -0.8


def test_no_english_word_of_one_concept_is_a_lemma_of_another() -> None:
    lemmas = Counter(next(iter(word.values())) for concept in english_concepts() for word in concept.words)
    assert not [lemma for lemma, count in lemmas.items() if count > 1]
    assert set(themes()) == {concept.theme for concept in english_concepts()}


@pytest.mark.parametrize(
    ("lemma", "forms"),
    [
        ("fry", ["fries", "fry", "fried", "frying"]),
        ("chop", ["chops", "chop", "chopped", "chopping"]),
        ("bake", ["bakes", "bake", "baked", "baking"]),
        ("teach", ["teaches", "teach", "taught", "teaching"]),
        ("dye", ["dyes", "dye", "dyed", "dyeing"]),
        ("wolf", ["wolf", "wolves", "wolf", "wolves"]),
        ("melody", ["melody", "melodies", "melody", "melodies"]),
        ("fox", ["fox", "foxes", "fox", "foxes"]),
    ],
)
def test_english_inflects_as_english_does(lemma: str, forms: list[str]) -> None:
    assert forms in [list(word.values()) for concept in english_concepts() for word in concept.words]
    assert lemma in forms


@pytest.mark.parametrize("language", SCRIPTS)
def test_an_invented_language_is_written_in_its_own_script_only(world: Path, language: str) -> None:
    foreign = regex.compile(rf"[^\p{{Script={SCRIPTS[language]}}}\s.,᙮]")
    for name in (f"text/{language}.txt", f"msmarco/queries.test.{language}.tsv", f"msmarco/collection.{language}.tsv"):
        texts = (world / name).read_text(encoding="utf-8").splitlines()
        assert not [text for text in texts if foreign.search(text.split("\t")[-1])]


@pytest.mark.parametrize("language", ["qaa", "qab", "qad"])
def test_words_between_spaces_are_words_of_the_common_rule(world: Path, language: str) -> None:
    for text in (world / f"text/{language}.txt").read_text(encoding="utf-8").splitlines():
        words = text.rstrip(".").split(" ")
        assert split_words(text)[0] == words == [key(word) for word in words]


def test_one_language_runs_right_to_left_and_one_has_no_spaces(world: Path) -> None:
    assert regex.search(r"\p{Bidi_Class=R}", (world / "text/qab.txt").read_text(encoding="utf-8"))
    assert " " not in (world / "text/qac.txt").read_text(encoding="utf-8")


def test_unspaced_text_is_cut_into_its_words_by_longest_match() -> None:
    meanings = all_meanings()
    language = build_language("qac", meanings, 1)
    grammar = language
    known = {form for forms in language.words for word in forms for form in word.values()}
    segmenter = Segmenter(known | set(language.particles.values()))
    clauses = Speaker(meanings, language.known, generator(1, "test")).clauses(300)
    assert [segmenter(grammar.sentence(clause))[0] for clause in clauses] == [
        words(grammar, clause) for clause in clauses
    ]


@pytest.mark.parametrize("language", DESIGNS)
def test_a_tenth_of_the_words_has_no_translation_and_some_have_two(language: str) -> None:
    concepts = english_concepts()
    meanings = build_meanings(concepts, 1)
    made = build_language(language, meanings, 1)
    assert 0.07 < 1 - made.known.mean() < 0.13
    assert 0.08 < np.mean([len(words) > 1 for words in made.words]) < 0.15
    translated = {source for source, _ in gold_pairs(build_language("en", meanings, 1), made)}
    lemmas = [next(iter(concept.words[0].values())) for concept in concepts]
    assert 0.87 < np.mean([lemma in translated for lemma in lemmas]) < 0.93


@pytest.mark.parametrize("language", SCRIPTS)
def test_loans_stand_in_translations_but_neither_in_texts_nor_in_the_gold(world: Path, language: str) -> None:
    meanings = build_meanings(tuple(c for c in english_concepts() if c.theme in themes()[:5]), 1)
    made = build_language(language, meanings, 1)
    loans = {
        f for words, known in zip(made.words, made.known, strict=True) if not known for w in words for f in w.values()
    }
    assert not loans & {target for targets in gold(world, language).values() for target in targets}
    if made.rules.spaced:
        assert not loans & set(split_words((world / f"text/{language}.txt").read_text(encoding="utf-8"))[0])
        assert loans & set(split_words((world / f"msmarco/collection.{language}.tsv").read_text(encoding="utf-8"))[0])


def test_gold_words_are_the_words_of_the_texts(world: Path) -> None:
    english = {key(word) for word in split_words((world / "text/en.txt").read_text(encoding="utf-8"))[0]}
    for language in ("qaa", "qab", "qad"):
        pairs = gold(world, language)
        targets = {target for found in pairs.values() for target in found}
        said = set(split_words((world / f"text/{language}.txt").read_text(encoding="utf-8"))[0])
        assert np.mean([word in english for word in pairs]) > 0.9
        assert np.mean([word in said for word in targets]) > 0.9
        assert not english & said


def own_clauses(meanings: Meanings, count: int, part: int) -> list[Clause]:
    known = np.ones(len(meanings.concepts), dtype=bool)
    return Speaker(meanings, known, generator(1, "test", str(part))).own_clauses(count, part, 5)


def test_no_sentence_of_one_language_is_a_translation_of_one_of_another() -> None:
    meanings = all_meanings()
    said = [{frozenset(clause.concepts) for clause in own_clauses(meanings, 2000, part)} for part in range(3)]
    assert all(len(sets) > 1000 for sets in said)
    assert not said[0] & said[1]
    assert not said[1] & said[2]


def test_languages_speak_of_the_same_things_equally_often() -> None:
    meanings = all_meanings()
    counts = np.zeros((2, len(meanings.concepts)))
    for part in range(2):
        for clause in own_clauses(meanings, 10_000, part):
            counts[part, list(clause.concepts)] += 1
    assert np.corrcoef(np.sqrt(counts))[0, 1] > 0.9


def test_collections_and_queries_are_parallel_in_all_languages(world: Path) -> None:
    for name in ("collection.{}.tsv", "queries.train.{}.tsv", "queries.test.{}.tsv"):
        columns = [rows(world / "msmarco" / name.format(language)) for language in DEFAULTS["languages"]]
        ids = [[row[0] for row in table] for table in columns]
        assert all(other == ids[0] for other in ids)
        assert all(len(row) == 2 and row[1].strip() for table in columns for row in table)
    topics = rows(world / "msmarco/topics.tsv")
    assert [row[0] for row in topics] == [row[0] for row in rows(world / "msmarco/collection.en.tsv")]


def test_each_query_has_one_relevant_passage_and_its_number_tells_nothing(world: Path) -> None:
    ids = [row[0] for row in rows(world / "msmarco/collection.en.tsv")]
    for split in ("train", "test"):
        judged = rows(world / f"msmarco/qrels.{split}.tsv")
        assert [row[0] for row in judged] == [row[0] for row in rows(world / f"msmarco/queries.{split}.en.tsv")]
        assert all(row[1] == "0" and row[3] == "1" and row[2] in ids for row in judged)
        places = [ids.index(row[2]) / len(ids) for row in judged]
        assert 0.3 < np.mean(places) < 0.7


def test_only_the_relevant_passage_speaks_of_more_than_half_of_what_a_query_asks() -> None:
    meanings = build_meanings(tuple(c for c in english_concepts() if c.theme in themes()[:6]), 3)
    counts = {"train": 100, "test": 30}
    search = build_search(meanings, seed=3, queries=counts, distractors={"train": 1, "test": 2})
    assert {split: len(asked) for split, asked in search.queries.items()} == counts
    assert len(search.passages) == 100 + 100 + 30 + 60
    trained = [query.concepts for query in search.queries["train"]]
    for query in (query for asked in search.queries.values() for query in asked):
        assert 3 <= len(query.concepts) <= 5
        assert query.concepts <= search.passages[query.passage].concepts
        for number, passage in enumerate(search.passages):
            assert number == query.passage or len(query.concepts & passage.concepts) <= len(query.concepts) // 2
    for query in search.queries["test"]:
        assert not any(query.concepts <= other or other <= query.concepts for other in trained)


def test_no_text_says_all_that_a_test_query_asks(world: Path) -> None:
    pairs = {word: lemma for lemma, word in _lemmas()}
    sentences = [
        {pairs.get(key(word), "") for word in split_words(line)[0]}
        for line in (world / "text/en.txt").read_text(encoding="utf-8").splitlines()
    ]
    for _, query in rows(world / "msmarco/queries.test.en.tsv"):
        wanted = {pairs[word] for word in query.split() if word in pairs}
        assert not any(wanted <= sentence for sentence in sentences)


def _lemmas() -> list[tuple[str, str]]:
    return [
        (f"{number}", form)
        for number, concept in enumerate(english_concepts())
        for word in concept.words
        for form in word.values()
    ]


def test_dumps_have_the_layout_of_mysqldump(world: Path) -> None:
    for table, columns in (
        ("page", ["page_id", "page_namespace", "page_title", "page_is_redirect"]),
        ("langlinks", ["ll_from", "ll_lang", "ll_title"]),
    ):
        text = gzip.decompress((world / f"dumps/enwiki-{table}.sql.gz").read_bytes()).decode()
        assert text.startswith("/*M!999999\\- enable the sandbox mode */")
        created = text[text.index(f"CREATE TABLE `{table}` (") : text.index(") ENGINE=")]
        assert re.findall(r"^  `(\w+)`", created, re.MULTILINE)[: len(columns)] == columns
        assert (world / f"dumps/enwiki-{table}.sql.gz").read_bytes()[4:8] == b"\0\0\0\0", "no time stamp"


def test_title_pairs_are_mostly_right_and_cover_a_part_of_the_gold(world: Path) -> None:
    pages = insert_rows(world / "dumps/enwiki-page.sql.gz", "page", PAGE_ROW)
    titles = {number: title for number, namespace, title, redirect in pages if namespace == "0" and redirect == "0"}
    links = insert_rows(world / "dumps/enwiki-langlinks.sql.gz", "langlinks", LINK_ROW)
    for language in ("qaa", "qad"):
        pairs = gold(world, language)
        linked = [(key(titles[page]), title) for page, code, title in links if code == language and page in titles]
        single = [(source, target) for source, target in linked if source in pairs and " " not in target]
        assert np.mean([target in pairs[source] for source, target in single]) > 0.9
        assert 0.08 < len({source for source, _ in single}) / len(pairs) < 0.3


def test_dumps_hold_what_a_reader_of_dumps_must_survive(world: Path) -> None:
    pages = insert_rows(world / "dumps/enwiki-page.sql.gz", "page", PAGE_ROW)
    links = insert_rows(world / "dumps/enwiki-langlinks.sql.gz", "langlinks", LINK_ROW)
    titles = [title for _, _, title, _ in pages]
    assert all(title[0] == title[0].upper() and " " not in title for title in titles)
    assert {namespace for _, namespace, _, _ in pages} == {"0", "1", "10", "14"}
    assert {redirect for *_, redirect in pages} == {"0", "1"}
    for mark in ("\\'", '\\"', "\\\\", "_("):
        assert any(mark in title for title in titles)
    assert any(title == "" for *_, title in links)
    assert any(" (" in title for *_, title in links)
    assert {number for number, *_ in links} - {number for number, *_ in pages}, "a link to nowhere"


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        ({"seeds": 1}, "seeds"),
        ({"languages": ["qaa", "en"]}, "languages"),
        ({"languages": ["en", "xx"]}, "languages"),
        ({"languages": ["en", "qaa", "qaa"]}, "languages"),
        ({"sentences": 0}, "sentences"),
        ({"themes": "all"}, "themes"),
        ({"themes": 99}, "themes"),
        ({"languages": ["en", "de"]}, "languages"),
        ({"designs": ["de"]}, "designs"),
        ({"designs": {"qaa": "qab"}}, "designs"),
        ({"designs": {"../de": "qab"}}, "designs"),
        ({"designs": {"de": "latin"}}, "designs.de"),
        ({"layout": "marco"}, "layout"),
        ({"layout": "mmarco"}, "languages"),
        ({"layout": "mmarco", "languages": ["en", "sw"], "designs": {"sw": "qaa"}}, "languages"),
        ({"triples": 0}, "triples"),
        ({"candidates": "all"}, "candidates"),
        ({"vectors": ["de"]}, "vectors"),
        ({"vectors": ["en", "en"]}, "vectors"),
    ],
)
def test_a_wrong_spec_is_one_line_and_writes_nothing(spec: dict[str, object], place: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        generate_world(spec=spec, out=tmp_path / "world")
    assert error.value.place == place
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


def test_the_spec_is_completed_and_names_files_without_making_them() -> None:
    assert complete_spec({}) == DEFAULTS
    assert world_outputs({"languages": ["en", "qab"]})[:3] == [
        "text/en.txt",
        "text/qab.txt",
        "dumps/enwiki-page.sql.gz",
    ]


def test_the_command_makes_a_world(tmp_path: Path) -> None:
    arguments = ["--sentences", "50", "--train-queries", "5", "--test-queries", "3", "--out", str(tmp_path / "world")]
    assert main(["sources", "world", *arguments]) == 0
    assert len(rows(tmp_path / "world/msmarco/queries.train.en.tsv")) == 5
