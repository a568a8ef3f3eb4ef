"""The plan: which files exist, who makes them from what."""

from pathlib import Path

import pytest

from switchrank.config.lexicons import MergedLexicon, VectorSource
from switchrank.config.load import load_config
from switchrank.config.nodes import Ranker
from switchrank.config.plan import Plan
from switchrank.config.reference import SECTIONS, update
from switchrank.config.sections import Section
from switchrank.config.systems import Warmup
from switchrank.core.errors import UserError

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def plan():
    return Plan(load_config(ROOT / "config" / "demo.yaml", {}), [ROOT])


def test_one_model_serves_all_pairs_unless_its_corpus_is_bilingual(plan):
    assert plan.train_pairs("english") == ["en-en"]
    assert plan.train_pairs("ml-cs") == ["xx-xx"]
    assert plan.train_pairs("bl-cs") == ["en-qaa", "qab-qac"]
    assert [pair.id for pair in plan.ranked_pairs(Ranker("bl-cs", "bl-cs", "en-qaa"), "world")] == ["en-qaa"]
    assert len(plan.ranked_pairs(Ranker("ml-cs", "ml-cs", "xx-xx"), "world")) == len(plan.pairs["world"])


def test_translate_test_of_the_baseline_is_the_baseline_where_nothing_is_translated(plan):
    assert plan.same_runs("zero-shot") == [["zero-shot-tt", "world", "en", "en"]]
    assert plan.same_runs("zero-shot-tt") == [["zero-shot", "world", "en", "en"]]
    assert plan.same_runs("ml-cs") == [["ml-cs-tt", "world", "en", "en"]]
    assert plan.same_runs("bl-cs") == plan.same_runs("bm25") == []


def test_unseen_languages_are_never_switched_in(plan):
    assert plan.corpus_languages("wiki-cs", "xx-xx") == ["qaa", "qab", "qac"]
    assert plan.corpus_languages("bl-cs", "qab-qac") == ["qab", "qac"]
    assert plan.corpus_languages("english", "en-en") == []


def test_runs_carry_the_test_pair_and_models_the_training_pair(plan):
    run = next(run for run in plan.runs("world") if run.system == "ml-cs" and run.pair.id == "qaa-en")
    assert (
        plan.run_file(run.system, run.testset, run.pair.id, run.seed)
        == "results/demo/runs/ml-cs/world/qaa-en/seed1.trec"
    )
    assert plan.model_folder("ml-cs", "xx-xx", run.seed) == "results/demo/models/ml-cs/xx-xx/seed1"


def test_reference_rows_are_run_once_whatever_the_seeds(plan):
    runs = [run for run in plan.runs("world") if run.system == "random"]
    assert len(runs) == len(plan.pairs["world"])


def test_files_of_mmarco_are_named_by_language_and_each_split_has_its_own_folder():
    config = load_config(ROOT / "config" / "demo.yaml", {})
    section = config.collections["world"].model_copy(
        update={
            "languages": ["en", "de", "vi"],
            "train_languages": ["de"],
            "documents": "collections/{name}_collection.tsv",
            "queries": {
                "train": "queries/train/{name}_queries.{split}.tsv",
                "test": "queries/dev/{name}_queries.dev.small.tsv",
            },
            "judgements": {"train": "qrels.train.tsv", "test": "qrels.dev.small.tsv"},
            "triples": "triples.train.ids.small.tsv",
            "groups": None,
        }
    )
    plan = Plan(config.model_copy(update={"collections": {"mmarco": section}}), [ROOT])
    assert plan.collection_files("mmarco") == {
        "documents/en": "collections/english_collection.tsv",
        "documents/de": "collections/german_collection.tsv",
        "documents/vi": "collections/vietnamese_collection.tsv",
        "queries/train/en": "queries/train/english_queries.train.tsv",
        "queries/train/de": "queries/train/german_queries.train.tsv",
        "judgements/train": "qrels.train.tsv",
        "queries/test/en": "queries/dev/english_queries.dev.small.tsv",
        "queries/test/de": "queries/dev/german_queries.dev.small.tsv",
        "queries/test/vi": "queries/dev/vietnamese_queries.dev.small.tsv",
        "judgements/test": "qrels.dev.small.tsv",
        "triples/train": "triples.train.ids.small.tsv",
    }


def test_every_section_of_a_config_has_its_table_in_the_key_reference():
    def leaves(model):
        return {leaf for part in model.__subclasses__() for leaf in leaves(part)} or {model}

    assert leaves(Section) <= {model for _, model in SECTIONS}


def test_schema_and_key_reference_are_those_of_the_models():
    assert update(ROOT, write=False) == []


@pytest.fixture
def rows(tmp_path):
    """The plan of the whole demo with other rows of the ablation."""

    def rows(*lines):
        table = tmp_path / "rows.tsv"
        table.write_text("\n".join(["id\tstart\tlanguage\texamples\tseed", *lines]) + "\n")
        config = load_config(ROOT / "config" / "demo.yaml", {})
        section = config.ablation.model_copy(update={"rows": str(table)})
        return Plan(config.model_copy(update={"ablation": section}), [ROOT])

    return rows


def test_a_row_without_examples_has_the_runs_of_its_start_if_there_are_all(rows):
    plan = rows(
        *(f"{start}-0\t{start}\tqaa\t0\t1" for start in ("ml-cs", "bl-cs", "none")), "ml-cs-4\tml-cs\tqaa\t4\t1"
    )
    runs = [plan.row_runs(row)["en-qaa"].split("/")[3] for row in plan.ablation]
    assert runs == ["ml-cs", "bl-cs-0", "none-0", "ml-cs-4"]
    assert [plan.shares_runs(row) for row in plan.ablation] == [True, False, False, False]


def test_a_row_starts_from_the_model_that_serves_its_language(rows):
    plan = rows("a\tml-cs\tqac\t16\t1", "b\tbl-cs\tqaa\t0\t1", "c\tnone\tqaa\t4\t1")
    starts = [str(Path(plan.start_of(row)[0]).parent) for row in plan.ablation]
    folder = "results/demo/models"
    assert starts == [f"{folder}/ml-cs/xx-xx/seed1", f"{folder}/bl-cs/en-qaa/seed1", "results/demo/start/initial"]
    assert [pair.id for pair in plan.tested_pairs(plan.ablation[0])] == ["en-en", "qac-qac", "en-qac"]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("a\tbl-cs\tqac\t16\t1", "row a: bl-cs has no model for qac"),
        ("a\tml-cs\tqac\t16\t2", "row a: no model of ml-cs with seed 2: add it to seeds"),
        ("a\tml-cs-tt\tqac\t16\t1", "line 2"),
        ("a\tml-cs\tqax\t16\t1", "line 2"),
    ],
)
def test_a_row_that_cannot_be_made_is_one_line(rows, row, problem):
    with pytest.raises(UserError, match=problem) as caught:
        rows(row).ablation  # noqa: B018
    assert "\n" not in str(caught.value)


@pytest.fixture
def changed(rows):
    """The plan of the demo with other rows of the ablation and other values of some sections."""

    def changed(line, **sections):
        plan = rows(line)
        updates = {
            name: section.model_copy(update=change)
            for name, change in sections.items()
            if (section := getattr(plan.config, name)) is not None
        }
        return Plan(plan.config.model_copy(update=updates), [ROOT])

    return changed


def unlabelled(plan, labels=0.0):
    """A config whose collection sets no labels aside."""
    world = plan.config.collections["world"].model_copy(update={"labels": labels})
    return Plan(plan.config.model_copy(update={"collections": {"world": world}}), [ROOT])


def test_labels_from_what_a_start_is_trained_on_are_refused_before_anything_runs(rows):
    line = "a\tml-cs\tqaa\t16\t1"
    with pytest.raises(UserError) as caught:
        unlabelled(rows(line)).ablation  # noqa: B018
    assert str(caught.value).partition(": ")[2] == (
        "row a: ml-cs is trained on world, which its labelled queries come from: set labels: 0.05 in "
        "collections.world, a share that nobody is trained on, or name another collection"
    )
    assert unlabelled(rows(line), labels=0.1).ablation


@pytest.mark.parametrize("line", ["a\tnone\tqaa\t16\t1", "a\tml-cs\tqaa\t0\t1"])
def test_without_training_or_without_labels_nothing_needs_to_be_set_aside(rows, line):
    assert unlabelled(rows(line)).ablation


def test_labelled_queries_come_from_the_split_set_aside_and_are_held_against_all_training_of_their_starts(rows):
    plan = rows("a\tml-cs\tqaa\t16\t1")
    folder = "results/demo/sources/world"
    assert plan.labelled("qaa")["queries"] == f"{folder}/queries-labels-qaa.parquet"
    assert unlabelled(plan).labelled("qaa")["queries"] == f"{folder}/queries-train-qaa.parquet"
    tables = [tables for tables, shared_ids in plan.trained_on("qaa") if shared_ids]
    assert [table["queries"] for table in tables] == [
        f"{folder}/queries-train-{lang}.parquet" for lang in ("en", "qaa")
    ]
    assert {table["instances"] for table in tables} == {"results/demo/instances/world/train.parquet"}
    assert rows("a\tnone\tqaa\t16\t1").trained_on("qaa") == []


def test_the_training_that_all_starts_have_in_common_counts_also_for_none(changed):
    first = Warmup(corpus="english", steps=5)
    plan = changed("a\tnone\tqaa\t16\t1", start={"first": first})
    assert ["/world/" in tables["queries"] for tables, _ in plan.trained_on("qaa")] == [True, True]
    with pytest.raises(UserError, match=r"row a: start\.first is trained on world"):
        unlabelled(plan).ablation  # noqa: B018


def test_a_row_with_too_few_labels_to_hold_some_out_is_one_line(changed):
    with pytest.raises(UserError, match=r"row a: 0\.25 of 3 labelled queries leaves none to judge by: raise"):
        changed("a\tnone\tqaa\t3\t1", ablation={"held_out": 0.25}).ablation  # noqa: B018
    assert changed("a\tnone\tqaa\t4\t1", ablation={"held_out": 0.25}).ablation


def test_a_drawn_pool_keeps_the_candidates_of_the_source_and_a_pool_of_all_has_its_own():
    plan = Plan(load_config(ROOT / "config" / "demo.yaml", {}), [ROOT])
    assert plan.candidates("world-mlir4", "xx") == "results/demo/testsets/world-mlir4/candidates-en.parquet"
    every = plan.candidates("world-every-mlir5", "xx")
    assert every == "results/demo/testsets/world-every-mlir5/candidates-xx.parquet"
    assert plan.judged_languages("world-mlir4") == ["en"]
    assert plan.judged_languages("world-every-mlir5") == ["en", "qaa", "qab", "qac", "qad"]


def test_a_pool_is_asked_in_the_source_and_in_drawn_languages_or_in_every_one_of_its_languages():
    config = load_config(ROOT / "config" / "demo.yaml", {})
    plan = Plan(config, [ROOT])
    assert [pair.id for pair in plan.pairs["world-every-mlir5"]] == ["en-xx", "xx-en", "xx-xx"]
    every = config.testsets["world-every-mlir5"].model_copy(update={"asked": "every"})
    asked = Plan(config.model_copy(update={"testsets": {"world-every-mlir5": every}}), [ROOT])
    pairs = asked.pairs["world-every-mlir5"]
    assert [pair.id for pair in pairs] == ["en-xx", "qaa-xx", "qab-xx", "qac-xx", "qad-xx"]
    assert asked.document_languages("world-every-mlir5") == ["xx"]
    queries = asked.texts("world-every-mlir5", "queries", "qad")
    assert queries == "results/demo/sources/world/queries-test-qad.parquet"


def test_a_merged_lexicon_is_made_of_the_parts_that_have_the_language():
    config = load_config(ROOT / "config" / "demo.yaml", {})
    merged = MergedLexicon(kind="merged", of=["clwe", "titles"], languages=["qaa", "qad"])
    plan = Plan(config.model_copy(update={"lexicons": {**config.lexicons, "all": merged}}), [ROOT])
    folder = "results/demo/lexicons"
    assert plan.merged_files("all", "qaa") == [f"{folder}/clwe/en-qaa.parquet", f"{folder}/titles/en-qaa.parquet"]
    assert plan.merged_files("all", "qad") == [f"{folder}/titles/en-qad.parquet"]


def test_sides_that_are_not_parallel_restrict_pairs_and_choose_the_queries_of_the_first_stage(tmp_path):
    config = load_config(ROOT / "config" / "demo.yaml", {})
    pairs = tmp_path / "pairs.tsv"
    world = config.collections["world"].model_copy(
        update={"languages": ["en", "qaa"], "query_languages": ["qab", "qac"]}
    )

    def plan(row: str, candidates: dict[str, object]) -> Plan:
        pairs.write_text(f"id\tquery\tdocument\town_model\n{row}\tno\n")
        section = config.testsets["world"]
        update = {"pairs": str(pairs), "candidates": type(section.candidates)(**candidates)}
        testsets = {"world": section.model_copy(update=update)}
        return Plan(config.model_copy(update={"collections": {"world": world}, "testsets": testsets}), [ROOT])

    assert plan("qab-qaa\tqab\tqaa", {"bm25": 5, "query_language": "qac"}).first_stage("world", "qaa") == ("qac", "qaa")
    assert plan("qab-qaa\tqab\tqaa", {"all": True}).first_stage("world", "qaa") == ("qab", "qaa")
    with pytest.raises(UserError, match="line 2: the collection has no queries in en: known: qab, qac"):
        plan("en-qaa\ten\tqaa", {"all": True}).pairs  # noqa: B018
    with pytest.raises(UserError, match="line 2: the collection has no documents in qab: known: en, qaa"):
        plan("qac-qab\tqac\tqab", {"all": True}).pairs  # noqa: B018


def test_the_first_stage_asks_in_the_source_or_in_the_document_language(plan):
    assert plan.first_stage("world", "qab") == ("en", "en")


def test_dumps_among_the_texts_become_plain_text_once():
    config = load_config(ROOT / "config" / "demo.yaml", {})
    parts = ["a/enwiki-20250101-pages-articles1.xml-p1p41242.bz2", "wiki.xml", "enwiki.xml-p1p9-shortened.bz2"]
    twice = ["qaa/dump.xml", "qab/dump.xml"]
    source = VectorSource(text=["notes.txt", *parts, *twice])
    vectors = config.vectors.model_copy(update={"languages": {"en": source, "qaa": source}})
    plan = Plan(config.model_copy(update={"vectors": vectors}), [ROOT])
    texts = [f"results/demo/sources/wikitext/{Path(part).name}.txt.gz" for part in parts]
    found = [plan.dumps[dump] for dump in twice]
    assert plan.dumps == dict(zip([*parts, *twice], [*texts, *found], strict=True))
    assert [Path(text).name[8:] for text in found] == ["-dump.xml.txt.gz"] * 2
    assert len(set(found)) == 2
    assert plan.plain(source.text) == ["notes.txt", *texts, *found]


def test_raw_files_are_those_that_no_rule_makes(plan):
    assert plan.raw_files == []
    paper = Plan(load_config(ROOT / "config" / "paper.yaml", {}), [ROOT])
    found = paper.raw_files
    assert "data/mmarco/collections/german_collection.tsv" in found
    assert "data/muse/wiki.multi.de.vec" in found
    assert "data/wikipedia/enwiki-latest-langlinks.sql.gz" in found
    assert len(found) == len(set(found))
    assert not any(path.startswith("results/") for path in found)
