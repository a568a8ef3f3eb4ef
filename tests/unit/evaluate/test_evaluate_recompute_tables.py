"""The tables of a run that is untidy in every way, against their recomputation: two seeds, candidates that differ from
one query language to the next, several relevant documents in a language or none ranked, words in several spellings."""

import json
from itertools import product

import numpy as np
import polars as pl
import pytest
from tests.recompute import Design, recompute
from tests.recompute.design import EvaluationSet, Point, Row

from switchrank.ablation import rows as ablation_rows
from switchrank.ablation.curves import ablation_table, curve_table, equivalence_table
from switchrank.core.languages import Languages
from switchrank.evaluate.bias import bias_table
from switchrank.evaluate.coverage import coverage_table
from switchrank.evaluate.exposure import exposure_table
from switchrank.evaluate.first_stage import first_stage_table
from switchrank.evaluate.score import evaluate_testset
from switchrank.evaluate.setups import setups_table
from switchrank.evaluate.sweep import sweep_table
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.evaluate.testsets import table_of_testsets
from switchrank.evaluate.warnings import warnings_table
from switchrank.evaluate.why import overlap_table, shift_table
from switchrank.formats.tables import (
    CANDIDATES,
    DOCUMENTS,
    DRAW,
    INSTANCES,
    JUDGEMENTS,
    LEXICON,
    PER_QUERY,
    QUERIES,
    SETUPS,
    WORDS,
    read_table,
    write_table,
)
from switchrank.formats.trec_writing import write_run
from switchrank.lexicon.quality import lexicon_quality

LANGUAGES = ("en", "de", "qac")
QIDS, DOCIDS = [f"q{number}" for number in range(30)], [f"d{number}" for number in range(16)]
WORDSTOCK = ["Straße", "STRASSE", "cafe\u0301", "café", "don't", "3.14", "Ünder", "über", "a", "b", "c", "İstanbul"]
PAIRS = {
    "pairs": [("en", "en"), ("de", "de"), ("en", "de"), ("de", "en"), ("qac", "de"), ("de", "qac")],
    "drawn": [("en", "xx"), ("xx", "en"), ("xx", "xx"), ("de", "xx")],
    "every": [("en", "xx"), ("xx", "en"), ("xx", "xx"), ("de", "xx")],
}
ROWS = [
    Row(f"{start}-{examples}-{seed}", start, "de", examples, seed)
    for (start, counts), seed in product({"zero-shot": (0, 3, 9), "none": (0, 5), "ml-cs": (0,)}.items(), (1, 2))
    for examples in counts
]
DESIGN = Design(
    run="untidy",
    source="en",
    known=frozenset(["en", "de"]),
    setups=("ndcg@10", "max_rank"),
    bias=("rank_distance", "max_rank", "own_language", "rankc", "rank_correlation"),
    systems=("zero-shot", "ml-cs", "ml-cs-p-1-0"),
    references=("random", "bm25"),
    testsets={
        "pairs": EvaluationSet("texts", format="squad", relevance="answer"),
        "drawn": EvaluationSet("texts", mixed=("en", "de", "qac")),
        "every": EvaluationSet("texts", mixed=("en", "de"), every=True, listed=False),
    },
    unspaced=frozenset(["qac"]),
    metrics=("map", "ndcg@10"),
    tested=("ndcg@10",),
    apart={"random": "references", "bm25": "references", "ml-cs-p-1-0": "sweep p"},
    correction="none",
    resamples=1000,
    points=(Point("p", "0.5", "ml-cs", "ml-cs", "titles"), Point("p", "1.0", "ml-cs-p-1-0", "ml-cs-p-1-0", "rest")),
    switched={"ml-cs": "titles", "ml-cs-p-1-0": "rest"},
    gold=(("one", "en", "de", "results/gold.txt"), ("two", "en", "de", "results/other.txt")),
    translating={"titles": ["de"]},
    learnt={"texts": ["zero-shot", "ml-cs", "ml-cs-p-1-0"]},
    rows=tuple(ROWS),
    ablated="pairs",
    compared=("zero-shot", "none"),
)
SETTINGS = Settings(apart=dict(DESIGN.apart), correction="none", resamples=1000)


def put(path, rows, schema):
    """Write rows as a table and give its path."""
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), path, schema)
    return str(path)


def ids_of(testset, language):
    """Documents of one language, or of all: a pool of every document names the language in the id."""
    members = DESIGN.testsets[testset].mixed
    return (
        [f"{one}:{docid}" for one in members for docid in DOCIDS] if (testset, language) == ("every", "xx") else DOCIDS
    )


class Untidy:
    """Writes the run's files and lets the library make its tables."""

    def __init__(self, folder):
        self.folder, self.random, self.runs = folder, np.random.default_rng(3), []

    def text(self, language):
        words = self.random.choice(WORDSTOCK, self.random.integers(0, 6))
        return ("" if language == "qac" else " ").join(words) + "."

    def write(self):
        for language in LANGUAGES:
            for name, ids, schema in (("documents", DOCIDS, DOCUMENTS), ("queries-test", QIDS, QUERIES)):
                for kind in ("sources", *(["translated/titles"] if language == "de" else [])):
                    rows = [(one, self.text(language), "") for one in ids]
                    put(self.folder / kind / "texts" / f"{name}-{language}.parquet", rows, schema)
        put(self.folder / "vectors/aligned/qac.words.parquet", [(w, 1.0) for w in WORDSTOCK[2:9]], WORDS)
        np.save(self.folder / "vectors/aligned/qac.npy", np.ones((7, 2), dtype=np.float32))
        for testset, pairs in PAIRS.items():
            self.judge(testset)
            self.list_candidates(testset)
            for query, document in pairs:
                for system, seed in [("random", 1), ("bm25", 1), *product(DESIGN.systems, (1, 2))]:
                    self.rank(system, testset, query, document, seed)
            for kind, ids in (("documents", ids_of(testset, "xx")), ("queries", QIDS)):
                given = [(one, one.split(":")[0] if ":" in one else self.random.choice(LANGUAGES)) for one in ids]
                put(self.folder / "pools" / testset / f"{kind}-draw.parquet", given, DRAW)
        for row in ROWS:
            for query, document in PAIRS["pairs"][:4] if row.examples or row.start == "none" else ():
                self.rank(row.id, "pairs", query, document, row.seed)

    def judge(self, testset):
        for language in (*LANGUAGES, "xx"):
            ids = ids_of(testset, language)
            rows = [
                (qid, docid, int(grade))
                for qid in QIDS[1:]
                for grade, docid in zip((1, 2, 1, 0), self.random.choice(ids, 4, replace=False), strict=True)
            ]
            put(self.judgements(testset, language), rows, JUDGEMENTS)

            if language == "xx":
                texts = [(docid, self.text("en"), "") for docid in ids]
                put(self.folder / "pools" / testset / "documents.parquet", texts, DOCUMENTS)
                put(
                    self.folder / "pools" / testset / "queries.parquet",
                    [(q, self.text("de"), "") for q in QIDS],
                    QUERIES,
                )

    def list_candidates(self, testset):
        """Some documents for each query, relevant or not; one query has none."""
        for language in LANGUAGES if DESIGN.testsets[testset].listed else ():
            rows = [
                (qid, docid, rank)
                for qid in QIDS[:-1]
                for rank, docid in enumerate(self.random.choice(DOCIDS, 5, replace=False), 1)
            ]
            put(self.folder / "testsets" / testset / f"candidates-{language}.parquet", rows, CANDIDATES)

    def judgements(self, testset, language):
        return self.folder / "testsets" / testset / f"judgements-{language}.parquet"

    def rank(self, system, testset, query, document, seed):
        """Candidates of each query by chance, one query without any, scores that tie."""
        rows = [
            (qid, docid, round(self.random.normal(), 1))
            for qid in QIDS[: -self.random.integers(1, 3)]
            for docid in self.random.choice(ids_of(testset, document), self.random.integers(2, 15), replace=False)
        ]
        path = self.folder / "runs" / system / testset / f"{query}-{document}" / f"seed{seed}.trec"
        write_run(pl.DataFrame(rows, schema=["qid", "docid", "score"], orient="row"), path, system)
        labels = {"system": system, "query_lang": query, "doc_lang": document, "seed": seed, "testset": testset}
        self.runs.append({"path": str(path), **labels})

    def score(self, testset, runs, out):
        evaluate_testset(
            runs=[{name: value for name, value in run.items() if name != "testset"} for run in runs],
            judgements={one: self.judgements(testset, one) for one in (*LANGUAGES, "xx")},
            testset=testset,
            metrics=list(DESIGN.metrics),
            out=out,
        )
        return out


@pytest.fixture(scope="module")
def untidy(tmp_path_factory):
    """The folder of the run with all its tables."""
    folder = tmp_path_factory.mktemp("untidy") / "results" / "untidy"
    made = Untidy(folder)
    made.write()
    main = [run for run in made.runs if run["system"] in (*DESIGN.systems, *DESIGN.references)]
    tables = folder / "tables"
    _main_tables(made, main, tables)
    bias_table(
        runs=[run for run in main if run["system"] != "random"],
        pools={name: _pool(made, name) for name in ("drawn", "every")},
        measures=DESIGN.bias,
        out=tables / "bias.csv",
        per_query_out=tables / "bias_per_query.parquet",
    )
    setups_table(
        per_query=[tables / "per_query.parquet", tables / "bias_per_query.parquet"],
        metrics=DESIGN.setups,
        settings=SETTINGS,
        systems=DESIGN.systems,
        out=tables / "setups.csv",
    )
    _why_tables(made, main, tables)
    _lexicon_tables(folder, tables)
    _tested(made, tables)
    _ablation_tables(made, tables)
    return folder


def _main_tables(made, main, tables):
    scored = [
        made.score(name, [run for run in main if run["testset"] == name], made.folder / "evaluate" / f"{name}.parquet")
        for name in PAIRS
    ]
    make_tables(
        per_query=scored,
        run="untidy",
        out=tables,
        languages=Languages(
            "en", ["de"], ["qac"], {name: given.mixed for name, given in DESIGN.testsets.items() if given.mixed}
        ),
        settings=SETTINGS,
        tested=list(DESIGN.tested),
    )


def _pool(made, testset):
    draws = {kind: made.folder / "pools" / testset / f"{kind}-draw.parquet" for kind in ("documents", "queries")}
    return draws | ({"judgements": made.judgements(testset, "xx")} if testset == "every" else {})


def _why_tables(made, main, tables):
    folder, store = made.folder / "sources" / "texts", str(made.folder / "vectors" / "aligned" / "qac")
    texts = [
        {
            "testset": "pairs",
            "query_lang": query,
            "doc_lang": document,
            "queries": str(folder / f"queries-test-{query}.parquet"),
            "documents": str(folder / f"documents-{document}.parquet"),
            "judgements": str(made.judgements("pairs", document)),
            **({"query_vocabulary": store} if query == "qac" else {}),
            **({"vocabulary": store} if document == "qac" else {}),
        }
        for query, document in PAIRS["pairs"]
    ]
    overlap_table(pairs=texts, per_query=tables / "per_query.parquet", metric="ndcg@10", out=tables / "overlap.csv")
    shift_table(
        runs=[run for run in main if run["testset"] == "pairs" and run["system"] in DESIGN.systems],
        judgements={"pairs": {one: str(made.judgements("pairs", one)) for one in LANGUAGES}},
        out=tables / "shift.csv",
    )


def _lexicon_tables(folder, tables):
    golds = {"one": "STRASSE ulica\nStraße\tul ica\nüber nad\na b\n", "two": "c d\n"}
    for (name, *_, path), text in zip(DESIGN.gold, golds.values(), strict=True):
        (folder.parents[1] / path).write_text(text)
        assert name in golds
    entries = [("strasse", "Ul ica", 2), ("strasse", "x", 1), ("strasse", "ulica", 3), ("a", "B", 1), ("c", "d", 6)]
    for number, name in enumerate(("titles", "rest")):
        rows = [(source, target, 0.5, rank) for source, target, rank in entries[number:]]
        put(folder / "lexicons" / name / "en-de.parquet", rows, LEXICON)
    lexicon_quality(
        lexicons=[
            {"lexicon": name, "src": "en", "tgt": "de", "path": str(folder / "lexicons" / name / "en-de.parquet")}
            for name in ("titles", "rest")
        ],
        gold=[
            {"name": name, "src": "en", "tgt": "de", "path": str(folder.parents[1] / path)}
            for name, _, _, path in DESIGN.gold
        ],
        out=tables / "lexicon_quality.csv",
    )
    _sweep(folder, tables)


def _sweep(folder, tables):
    points = []
    for number, point in enumerate(DESIGN.points):
        stats = _stats(folder, point.corpus)
        stats.parent.mkdir(parents=True)
        stats.write_text(
            '{"query": {"content_tokens": 7, "content_switched": 2,'
            ' "languages": {"de": {"content_switched": 2, "covered": 3}}},'
            ' "passage": {"content_tokens": 13, "content_switched": 0, "languages": {}},'
            f' "total": {{"content_tokens": 20, "content_switched": 2}}, "instances": {number}}}'
        )
        named = {"sweep": point.sweep, "x": point.x, "system": point.system, "lexicon": point.lexicon}
        points.append({**named, "stats": [str(stats)]})
    sweep_table(
        points=points, metrics=tables / "metrics.csv", quality=tables / "lexicon_quality.csv", out=tables / "sweep.csv"
    )


def _candidates(made, testset, language):
    """The table of candidates, if there is one: that of English for a pool that is drawn."""
    named = "en" if language == "xx" else language
    path = made.folder / "testsets" / testset / f"candidates-{named}.parquet"
    return str(path) if DESIGN.testsets[testset].listed else None


def _texts(made, testset, kind, language):
    name = "queries-test" if kind == "queries" else kind
    folder = made.folder / ("pools" if language == "xx" else "sources")
    return str(folder / (f"{testset}/{kind}.parquet" if language == "xx" else f"texts/{name}-{language}.parquet"))


def _first_stage(made, testset):
    """The searches of a test set, those of ``pairs`` with texts translated too."""
    cut = {"qac": str(made.folder / "vectors" / "aligned" / "qac")}
    ways = []
    for query, document in PAIRS[testset]:
        part = {"query_lang": query, "doc_lang": document, "judgements": str(made.judgements(testset, document))}
        part["candidates"] = _candidates(made, testset, document)
        texts = {kind: _texts(made, testset, kind, one) for kind, one in (("queries", query), ("documents", document))}
        sides = {"query_vocabulary": cut.get(query), "vocabulary": cut.get(document)}
        own = part | texts | {name: value for name, value in sides.items() if value}
        search = DESIGN.testsets[testset].search(document, "en")
        ways += [own | {"way": "used", "search": search}, own | {"way": "own", "search": f"{query}-{document}"}]
        if testset == "pairs" and {query, document} in ({"en", "de"}, {"de"}):
            moved = {
                kind: path.replace("sources/", "translated/titles/") for kind, path in texts.items() if "-de" in path
            }
            ways.append(part | texts | moved | {"way": "translated", "search": f"{query}-{document} by titles"})
    out = made.folder / "evaluate" / "first-stage" / f"{testset}.parquet"
    first_stage_table(testset=testset, pairs=ways, out=out)
    return str(out)


def _exposure(made, tables):
    rows = [(n, f"t{n}", docid, n % 2) for n, docid in enumerate(made.random.choice(DOCIDS, 20))]
    tested = {
        testset: [
            {
                "documents": _texts(made, testset, "documents", one),
                "judgements": str(made.judgements(testset, "en" if testset == "drawn" else one)),
                "candidates": _candidates(made, testset, "en" if testset == "drawn" else one),
            }
            for one in given.mixed or ("en", "de", "qac")
        ]
        for testset, given in DESIGN.testsets.items()
    }
    instances = put(made.folder / "instances" / "texts" / "train.parquet", rows, INSTANCES)
    documents = _texts(made, "pairs", "documents", "en")
    common = {"training": "texts", "systems": list(DESIGN.systems), "instances": instances, "by": "id"}
    exposure_table(
        pairs=[
            common | {"training_documents": documents, "testset": testset, "tested": parts, "own_ids": False}
            for testset, parts in tested.items()
        ],
        out=tables / "exposure.csv",
    )


def _tested(made, tables):
    """The test sets, and how far two lexicons of German cover their texts and the training text."""
    stages = [_first_stage(made, testset) for testset in PAIRS if DESIGN.testsets[testset].listed]
    _exposure(made, tables)
    table_of_testsets(
        first_stage=stages,
        first_stage_out=tables / "first_stage.csv",
        testsets=[
            {
                "testset": testset,
                "collection": "texts",
                "format": DESIGN.testsets[testset].format,
                "relevance": DESIGN.testsets[testset].relevance,
                "doc_lang": language,
                "documents": _texts(made, testset, "documents", language),
                "judgements": str(made.judgements(testset, language)),
                "candidates": _candidates(made, testset, language),
                "search": DESIGN.testsets[testset].search(language, "en"),
            }
            for testset, pairs in PAIRS.items()
            for language in dict.fromkeys(document for _, document in pairs)
        ],
        out=tables / "testsets.csv",
    )
    texts = []
    for testset, pairs in PAIRS.items():
        mixed = testset != "pairs"
        for side, kind in (("query", "queries"), ("document", "documents")):
            judged = [str(made.judgements(testset, one)) for one in dict.fromkeys(document for _, document in pairs)]
            listed = _candidates(made, testset, "xx" if mixed else "de")
            part = {"testset": testset, "side": side, "texts": _texts(made, testset, kind, "xx" if mixed else "de")}
            part["chosen"] = judged if side == "query" else [listed] if listed else []
            draw = {"draw": str(made.folder / "pools" / testset / f"{kind}-draw.parquet")} if mixed else {}
            texts.append(part | draw)
    lexicons = {name: str(made.folder / "lexicons" / name / "en-de.parquet") for name in ("titles", "rest")}
    coverage_table(
        languages=[{"lang": "de", "lexicons": lexicons, "texts": texts}],
        training=[
            {"lexicon": lexicon, "lang": "de", "corpus": corpus, "stats": [str(_stats(made.folder, corpus))]}
            for corpus, lexicon in DESIGN.switched.items()
        ],
        out=tables / "coverage.csv",
    )
    warnings_table(
        per_query=tables / "per_query.parquet",
        testsets=tables / "testsets.csv",
        coverage=tables / "coverage.csv",
        out=tables / "warnings.csv",
    )


def _stats(folder, corpus):
    return folder / "corpora" / corpus / "xx-xx" / "stats.json"


def _train_record(folder, row):
    """What training writes of itself: the best of its last steps was kept, after five passes."""
    told = {"system": row.id, "epochs": 5.0, "kept": 20, "pairs": 32 * 4, "params": {"batch_size": 32}}
    file = folder / "ablation" / "models" / row.id / "train.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(told))
    return file


def _ablation_tables(made, tables):
    """Rows without examples share the runs of the system they start from, but for the untrained model."""
    runs = [
        run | {"system": row.id}
        for row in ROWS
        for run in made.runs
        if run["testset"] == "pairs"
        and run["seed"] == row.seed
        and run["system"] == (row.id if row.examples or row.start == "none" else row.start)
        and {run["query_lang"], run["doc_lang"]} <= {"en", "de"}
    ]
    scored = made.score("pairs", runs, made.folder / "evaluate" / "ablation.parquet")
    given = {"per_query": scored, "rows": [ablation_rows.Row(**vars(row)) for row in ROWS]}
    records = [_train_record(made.folder, row) for row in ROWS if row.examples]
    ablation_table(**given, records=records, out=tables / "ablation.csv")
    curve_table(**given, out=tables / "ablation_curve.csv", metric="ndcg@10")
    aims = {"reference": "ml-cs", "starts": ["zero-shot", "none"]}
    equivalence_table(**given, **aims, out=tables / "equivalence.csv", metric="ndcg@10")


def test_every_table_agrees_with_its_recomputation(untidy):
    assert recompute(untidy, DESIGN, peer="definitions", draws=4000) == []


def test_a_wrong_mean_of_a_setup_and_a_wrong_rank_of_a_query_are_reported(untidy, tmp_path):
    for path in untidy.iterdir():
        if path.name != "tables":
            (tmp_path / path.name).symlink_to(path)
    (tmp_path / "tables").mkdir()
    wrong = {"setups.csv": (SETUPS, "delta"), "bias_per_query.parquet": (PER_QUERY, "value")}
    for name, (schema, column) in wrong.items():
        table = read_table(untidy / "tables" / name, schema).sort(column, descending=True, nulls_last=True)
        first = pl.when(pl.int_range(pl.len()) == 0).then(pl.col(column) + 1).otherwise(pl.col(column))
        write_table(table.with_columns(first), tmp_path / "tables" / name, schema)
    found = recompute(tmp_path, DESIGN, tables=wrong, peer="definitions", draws=4000)
    assert [line.split()[0] for line in found] == list(wrong)
    assert [" delta: " in found[0], " value: " in found[1]] == [True, True]


def test_the_run_is_untidy(untidy):
    """What the tables have to tell apart does occur in them."""
    tables = {path.stem: pl.read_csv(path) for path in (untidy / "tables").glob("*.csv")}
    assert tables["bias"].filter(measure="rankc")["value"].n_unique() > 10
    told = {"rank_distance", "max_rank", "own_language_top10", "own_language_pool", "rankc", "rank_correlation"}
    assert set(tables["bias"]["measure"]) == told
    assert tables["overlap"].select("low", "high").n_unique() == 4
    assert tables["equivalence"]["examples"].n_unique() > 2
    assert set(tables["ablation_curve"]["seeds"]) == {2}
    assert set(tables["metrics"]["seen"]) == {"both", "query", "document", "none"}
