"""Tables of several runs as one set: seeds that were run one by one are one run, others stand side by side."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from switchrank.cli import main
from switchrank.core.errors import UserError
from switchrank.core.languages import Languages
from switchrank.evaluate.join import join_tables
from switchrank.evaluate.setups import setups_table
from switchrank.evaluate.tables import Settings, make_tables
from switchrank.formats.tables import (
    BIAS,
    EFFECTS,
    METRICS,
    PER_QUERY,
    QUALITY,
    SETUPS,
    SIGNIFICANCE,
    TESTSETS,
    WARNINGS,
    read_table,
    write_table,
)

FILES = {
    "metrics.csv": METRICS,
    "per_query.parquet": PER_QUERY,
    "significance.csv": SIGNIFICANCE,
    "effects.csv": EFFECTS,
}
SETTINGS = Settings(
    apart={"bm25": "references", "ml-cs-p-0-25": "sweep p"},
    same=frozenset({("zero-shot-tt", "world", "en", "en")}),
    tests=("t", "fisher"),
    correction="bonferroni",
    resamples=200,
    permutations=200,
)
QUICK = Settings(resamples=200, permutations=200)
"""What ``join`` cannot know from tables."""
SYSTEMS = ("zero-shot", "zero-shot-tt", "ml-cs", "ml-cs-p-0-25", "bm25")
"""Not in the order of their names."""


def scores_of(seed, systems=SYSTEMS, queries=12):
    """PER_QUERY rows of one seed, drawn by seed, system and pair."""
    rows = []
    for system in systems:
        for pair in (("en", "en"), ("de", "en")):
            own = "zero-shot" if system == "zero-shot-tt" and pair == ("en", "en") else system
            random = np.random.default_rng([seed, SYSTEMS.index(own), pair == ("en", "en")])
            for metric in ("map", "mrr@10"):
                values = random.random(queries).round(3)
                rows += [(system, "world", *pair, seed, f"q{n:02}", metric, value) for n, value in enumerate(values)]
    return pl.DataFrame(rows, schema=PER_QUERY, orient="row")


@pytest.fixture
def run(tmp_path):
    """Make the tables of a run of some PER_QUERY rows and give their folder."""

    def make(name, scores, **options):
        scores = scores.sort("system", "query_lang", "doc_lang", "seed", "metric", "qid")
        write_table(scores, tmp_path / f"{name}.parquet", PER_QUERY)
        settings = options.pop("settings", SETTINGS)
        folder = tmp_path / name / "tables"
        languages = Languages("en", ("de",))
        make_tables(
            per_query=[tmp_path / f"{name}.parquet"],
            run=name,
            out=folder,
            languages=languages,
            settings=settings,
            systems=options.pop("systems", SYSTEMS[:3]),
        )
        return folder

    return make


def content(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def test_seeds_that_were_run_one_by_one_give_the_bytes_of_one_run_whatever_their_order(run, tmp_path):
    whole = run("whole", pl.concat([scores_of(seed) for seed in (1, 2, 3)]))
    parts = [run(f"part{seed}", scores_of(seed)) for seed in (1, 2, 3)]
    for number, order in enumerate([parts, parts[::-1]]):
        join_tables(folders=order, out=tmp_path / f"joined{number}", run="whole", settings=QUICK)
        assert content(tmp_path / f"joined{number}") == content(whole)


def test_only_the_systems_that_a_claim_compares_may_have_more_seeds(run, tmp_path):
    compared = pl.concat([scores_of(seed, ("zero-shot", "ml-cs")) for seed in (2, 3)])
    more = run("more", compared, settings=replace(SETTINGS, same=frozenset()))
    join_tables(folders=[run("all", scores_of(1)), more], out=tmp_path / "joined", settings=QUICK)
    significance = read_table(tmp_path / "joined" / "significance.csv", SIGNIFICANCE).filter(test="t", doc_lang="en")
    seeds = dict(significance.select("system", "seeds").unique().iter_rows())
    assert seeds == {"ml-cs": 3, "ml-cs-p-0-25": 1, "zero-shot-tt": 1, "bm25": 1}
    metrics = read_table(tmp_path / "joined" / "metrics.csv", METRICS)
    assert metrics["run"].unique().to_list() == ["all+more"]


def test_what_two_runs_have_alike_counts_once(run, tmp_path):
    alone = run("alone", scores_of(1))
    join_tables(folders=[alone, alone], out=tmp_path / "joined", settings=QUICK)
    assert content(tmp_path / "joined") == content(alone)


def table(folder, name, schema, *rows):
    write_table(pl.DataFrame(rows, schema=schema, orient="row"), folder / name, schema)


def test_tables_beside_the_scores_are_joined_and_warnings_found_anew(run, tmp_path):
    parts = [run(f"part{seed}", scores_of(seed)) for seed in (1, 2)]
    for seed, folder in enumerate(parts, 1):
        table(folder, "bias.csv", BIAS, ("ml-cs", "world", "en", "xx", seed, "rankc", seed / 4, 12))
        table(folder, "lexicon_quality.csv", QUALITY, ("clwe", "en", "de", "muse", 0.5, 0.7, 0.6, 1.0, 100))
        about = ("world", "msmarco", "gold", "en", 50, 12, 1.0, 10.0, 1.0, 0.01, "en-en", None)
        table(folder, "testsets.csv", TESTSETS, ("world", *about, seed / 2))
        table(folder, "warnings.csv", WARNINGS, ("chance", "old", "old"))
    join_tables(folders=parts, out=tmp_path / "joined", settings=QUICK)
    assert read_table(tmp_path / "joined" / "bias.csv", BIAS)["value"].to_list() == [0.25, 0.5]
    assert len(read_table(tmp_path / "joined" / "lexicon_quality.csv", QUALITY)) == 1
    assert read_table(tmp_path / "joined" / "testsets.csv", TESTSETS)["translated_recall"].to_list() == [0.5]
    warnings = read_table(tmp_path / "joined" / "warnings.csv", WARNINGS)
    assert warnings.select("kind", "subject").rows() == [("queries", "world")]


def test_runs_side_by_side_keep_their_comparisons_under_their_names(run, tmp_path, capsys):
    parts = [run("small", scores_of(1)), run("large", scores_of(2))]
    join_tables(folders=parts, out=tmp_path / "joined", by="run")
    significance = read_table(tmp_path / "joined" / "significance.csv", SIGNIFICANCE)
    own = read_table(parts[1] / "significance.csv", SIGNIFICANCE)
    large = significance.filter(pl.col("system").str.starts_with("large/"))
    named = ("system", "baseline", "family")
    assert large.drop(named).equals(own.drop(named))
    assert large["baseline"].unique().to_list() == ["large/zero-shot"]
    families = "world clir mrr@10 large", "world clir mrr@10 references large", "same run"
    assert set(families) < set(large["family"])
    assert len(read_table(tmp_path / "joined" / "per_query.parquet", PER_QUERY)) == 2 * len(scores_of(1))
    assert main(["evaluate", "show", "--tables", str(tmp_path / "joined")]) == 0
    shown = capsys.readouterr().out
    assert "large/ml-cs-p-0-25" in shown
    assert "difference to small/zero-shot or large/zero-shot." in shown
    assert "within a test set and setup" in shown


def test_means_by_setup_are_tested_anew_over_all_seeds_and_kept_apart_by_run(run, tmp_path):
    metrics = ["map", "max_rank"]

    def average(folder, scores):
        """What a run with measures of ranks has, the map of a query standing for its worst rank."""
        ranks = scores.filter(metric="map").with_columns(metric=pl.lit("max_rank"), doc_lang=pl.lit("xx"))
        write_table(ranks, folder / "bias_per_query.parquet", PER_QUERY)
        given = [folder / "per_query.parquet", folder / "bias_per_query.parquet"]
        own = replace(SETTINGS, resamples=200)
        setups_table(per_query=given, metrics=metrics, settings=own, systems=SYSTEMS[:3], out=folder / "setups.csv")
        return folder

    parts = [average(run(f"part{seed}", scores_of(seed)), scores_of(seed)) for seed in (1, 2)]
    every = pl.concat([scores_of(seed) for seed in (1, 2)])
    whole = average(run("whole", every), every)
    join_tables(folders=parts, out=tmp_path / "joined", settings=QUICK)
    assert (tmp_path / "joined" / "setups.csv").read_bytes() == (whole / "setups.csv").read_bytes()
    join_tables(folders=parts, out=tmp_path / "apart", by="run")
    apart = read_table(tmp_path / "apart" / "setups.csv", SETUPS)
    assert set(apart["baseline"].drop_nulls()) == {"part1/zero-shot", "part2/zero-shot"}
    assert {"map part1", "max_rank references part2"} < set(apart["family"])


def provenance(folder, config):
    (folder.parent / "provenance.json").write_text(json.dumps({"config": config}))
    return folder


def config(name, seed, **more):
    start = {"tokenizer": {"texts": [f"results/{name}/sources/documents.parquet"]}}
    return {"run": name, "seeds": [seed], "start": start, "systems": {"zero-shot": {"corpus": "english"}}} | more


def test_configs_may_differ_in_seeds_and_in_which_systems_there_are(run, tmp_path, capsys):
    first = provenance(run("first", scores_of(1)), config("first", 1))
    more = {"systems": {"zero-shot": {"corpus": "english"}, "ml-cs": {"corpus": "ml-cs"}}, "sweeps": {"p": {}}}
    second = provenance(run("second", scores_of(2)), config("second", 2, **more))
    join_tables(folders=[first, second], out=tmp_path / "joined", settings=QUICK)
    assert capsys.readouterr().err == ""
    other = config("third", 3, train={"steps": 5})
    third = provenance(run("third", scores_of(3)), other)
    with pytest.raises(UserError, match=r"provenance.json: train: \{\"steps\": 5\}, but nothing in .*first"):
        join_tables(folders=[first, third], out=tmp_path / "joined", settings=QUICK)
    other = config("third", 3, systems={"zero-shot": {"corpus": "sentences"}})
    with pytest.raises(UserError, match=r'systems.zero-shot.corpus: "sentences", but "english" in .*first'):
        join_tables(folders=[first, provenance(third, other)], out=tmp_path / "joined", settings=QUICK)
    (third.parent / "provenance.json").write_text("[]")
    with pytest.raises(UserError, match="not a readable record"):
        join_tables(folders=[first, third], out=tmp_path / "joined", settings=QUICK)
    (third.parent / "provenance.json").unlink()
    join_tables(folders=[first, third], out=tmp_path / "joined", settings=QUICK)
    assert "third/tables: no provenance.json: its config is not compared" in capsys.readouterr().err


def _other_value(scores):
    return scores.with_columns(value=pl.when(qid="q03", system="ml-cs").then(1.0).otherwise("value"))


@pytest.mark.parametrize(
    ("second", "options", "message"),
    [
        (
            _other_value(scores_of(1)),
            {},
            r"part/tables: system ml-cs, testset world, .* seed 1, metric \w+: value .* here, .* in .*first",
        ),
        (scores_of(2, queries=11), {}, r"join: world (en|de)-en: query q11 is in .*first/tables, but not in all"),
        (scores_of(2), {"baseline": "ml-cs"}, "significance.csv: baseline: ml-cs, but zero-shot in .*first"),
        (scores_of(2), {"correction": "holm"}, "correction: holm, but bonferroni in"),
        (scores_of(2), {"families": "run"}, "families: run, but setup in"),
    ],
)
def test_runs_that_do_not_agree_are_told_in_one_line(run, tmp_path, second, options, message):
    usual = {"tests": ("t",), "correction": "bonferroni", "resamples": 20}
    parts = [
        run("first", scores_of(1), settings=Settings(**usual)),
        run("part", second, settings=Settings(**usual | options)),
    ]
    with pytest.raises(UserError, match=message):
        join_tables(folders=parts, out=tmp_path / "joined", settings=QUICK)
    assert not (tmp_path / "joined").exists()


def test_what_cannot_stand_side_by_side_is_told_in_one_line(run, tmp_path):
    parts = [run("one", scores_of(1)), run("two", scores_of(2))]
    out = tmp_path / "joined"
    with pytest.raises(UserError, match=r"run one: a second one of this name: .*--run-name"):
        join_tables(folders=[parts[0], parts[0]], out=out, by="run")
    with pytest.raises(UserError, match="run name: x, but runs are kept apart"):
        join_tables(folders=parts, out=out, by="run", run="x")
    join_tables(folders=parts, out=out, by="run")
    with pytest.raises(UserError, match=r"joined/metrics.csv: of 2 runs: join the tables of each"):
        join_tables(folders=[out], out=tmp_path / "again", by="run")


def test_a_run_gets_another_name_by_joining_it_alone(run, tmp_path, capsys):
    join_tables(folders=[run("one", scores_of(1))], out=tmp_path / "joined", run="other", settings=QUICK)
    assert capsys.readouterr().err == ""
    assert read_table(tmp_path / "joined" / "metrics.csv", METRICS)["run"].unique().to_list() == ["other"]


def test_the_command_replaces_its_own_folder_and_no_other(run, tmp_path, capsys):
    words = ["evaluate", "join", str(run("one", scores_of(1))), "--out", str(tmp_path / "joined"), "--resamples", "20"]
    assert main(words) == 0
    assert main(words) == 0
    (tmp_path / "joined" / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert main(words) == 2
    assert "joined: holds notes.txt, which switchrank did not write there" in capsys.readouterr().err


def test_a_missing_table_is_told_in_one_line(run, tmp_path, capsys):
    folder = run("one", scores_of(1))
    (folder / "effects.csv").unlink()
    assert main(["evaluate", "join", str(folder), "--by", "run", "--out", str(tmp_path / "joined")]) == 2
    assert "effects.csv: no such file: run the stage that makes it" in capsys.readouterr().err
