"""One set of tables of several runs: seeds that were run one by one, or experiments that are to stand side by side.

Seeds become one run: their rows are put together, and significance is computed anew over all seeds. Experiments stay
apart: each system is named ``run/system``, each lexicon ``run/lexicon``, and every comparison remains the one within
its own run.
"""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from switchrank.core.atomic import atomic_folder
from switchrank.core.errors import UserError
from switchrank.evaluate.setups import setups_table
from switchrank.evaluate.significance import SAME, family, scope_of
from switchrank.evaluate.tables import SETTINGS, Settings, write_tables
from switchrank.evaluate.warnings import warnings_table
from switchrank.formats.tables import (
    BIAS,
    COVERAGE,
    EFFECTS,
    METRICS,
    PER_QUERY,
    QUALITY,
    SETUPS,
    SIGNIFICANCE,
    TESTSETS,
    WARNINGS,
    Schema,
    read_table,
    write_table,
)

By = Literal["seed", "run"]
_PAIR = ("testset", "query_lang", "doc_lang")
_FOLDER = "folder"
"""Column that says which run a row comes from."""
_VALUES = {"run", "setup", "seen", "value", "queries", "p_at_1", "p_at_5", "mrr", "coverage"}
_VALUES |= {"gold_size", "words", "covered", "share"}
"""What is told of something; the other columns of METRICS, PER_QUERY, BIAS, QUALITY and COVERAGE say of what."""
_RANKS = "bias_per_query.parquet"
_OPTIONAL: dict[str, Schema] = {"bias.csv": BIAS, _RANKS: PER_QUERY, "lexicon_quality.csv": QUALITY}
_OPTIONAL |= {"coverage.csv": COVERAGE}
_BY_SYSTEMS = frozenset({"own_recall", "translated_recall"})
"""Columns of TESTSETS that depend on the systems that a run has."""
_SECTIONS = frozenset({"collections", "lexicons", "corpora", "gold", "starts", "systems", "sweeps", "testsets"})
"""Parts of a config that hold entries by name: one run may have some that another lacks."""
_FREE = ("run", "seeds", "ablation")
"""Parts of a config in which runs of one experiment may differ."""


def join_tables(
    *,
    folders: Sequence[str | Path],
    out: str | Path,
    by: By = "seed",
    run: str | None = None,
    settings: Settings = SETTINGS,
    overwrite: bool = False,
) -> None:
    """Make one set of tables of several runs, by the tables of each.

    By seed, runs are seeds of one experiment: what two of them both have must be equal, and counts once; their configs
    (``provenance.json`` beside or in the folder) may differ in ``run``, ``seeds``, ``ablation``, and in which systems,
    lexicons, corpora, test sets and so on they list. Significance and effects are computed anew. By run, each system is
    renamed ``run/system`` and compared within its own run, as there.

    Written are metrics.csv, per_query.parquet, significance.csv, effects.csv, and where the runs have them setups.csv,
    bias.csv, bias_per_query.parquet, lexicon_quality.csv, coverage.csv, warnings.csv and, by seed, testsets.csv. Other
    tables of a run remain with it.

    Args:
        folders: tables/ of each run.
        out: folder to write.
        by: seed, if the runs are seeds of one experiment; run, if they are experiments to be kept apart.
        run: name of the joined run, by seed (default: the names of the runs, joined by +).
        settings: how significance is computed by seed; what is compared is what the tables say.
        overwrite: replace the folder whatever it holds.

    Raises:
        UserError: a table is missing; runs differ in queries, values or settings where they may not; by run, two have
            one name.
    """
    places = [Path(folder) for folder in folders]
    with atomic_folder(out, "joined tables", overwrite=overwrite) as new:
        if by == "seed":
            _check_configs(places)
            _join_seeds(places, new, run, settings)
        elif run is not None:
            raise UserError("join", "run name", f"{run}, but runs are kept apart", "leave it out, or join by seed")
        else:
            _join_runs(places, new)


def _stacked(folders: Sequence[Path], file: str, schema: Schema, *, needed: bool = False) -> pl.DataFrame:
    """A table of all folders, or of those that have it if it is not ``needed``, with the folder of each row."""
    found = [folder for folder in folders if needed or (folder / file).is_file()]
    tables = [read_table(folder / file, schema).with_columns(pl.lit(str(folder)).alias(_FOLDER)) for folder in found]
    return pl.concat(tables) if tables else pl.DataFrame(schema=schema | {_FOLDER: pl.String})


def _once(rows: pl.DataFrame, keys: Sequence[str], compared: Sequence[str]) -> pl.DataFrame:
    """Rows that several folders have in ``compared`` columns are kept once, the first; UserError if values differ."""
    rows = rows.unique(compared, keep="first", maintain_order=True)
    twice = rows.filter(pl.struct(keys).is_duplicated())
    if len(twice):
        first, *_ = alike = twice.filter(pl.struct(keys) == pl.struct(keys).first()).rows(named=True)
        place = ", ".join(f"{key} {first[key]}" for key in keys)
        column = next(name for name in compared if len({row[name] for row in alike}) > 1)
        problem = f"{column} {alike[1][column]} here, {first[column]} in {first[_FOLDER]}"
        raise UserError(alike[1][_FOLDER], place, problem, "join runs of different seeds, or keep them apart by run")
    return rows.drop(_FOLDER)


def _measured_once(rows: pl.DataFrame) -> pl.DataFrame:
    columns = [name for name in rows.columns if name != _FOLDER]
    return _once(rows, [name for name in columns if name not in _VALUES], columns)


def _check_queries(scores: pl.DataFrame) -> None:
    """UserError where runs test a language pair on different queries: their means are of different things."""
    seen = scores.select(*_PAIR, "qid", _FOLDER).unique(maintain_order=True)
    runs = pl.col(_FOLDER).n_unique()
    lacking = seen.filter(runs.over(*_PAIR, "qid") < runs.over(_PAIR))
    if len(lacking):
        row = lacking.row(0, named=True)
        where = f"{row['testset']} {row['query_lang']}-{row['doc_lang']}"
        problem = f"query {row['qid']} is in {row[_FOLDER]}, but not in all of the runs"
        raise UserError("join", where, problem, "test the runs on the same queries, or name their test sets apart")


def _join_seeds(folders: Sequence[Path], new: Path, run: str | None, settings: Settings) -> None:
    stacked = _stacked(folders, "metrics.csv", METRICS, needed=True)
    name = run or "+".join(stacked["run"].unique(maintain_order=True))
    metrics = _measured_once(stacked.with_columns(run=pl.lit(name)))
    scores = _stacked(folders, "per_query.parquet", PER_QUERY, needed=True)
    _check_queries(scores)
    scores = _in_order(_measured_once(scores))
    significance = _stacked(folders, "significance.csv", SIGNIFICANCE, needed=True)
    settings = _declared(significance, settings)
    systems = metrics["system"].unique(maintain_order=True).to_list()
    tested = significance["metric"].unique(maintain_order=True).to_list()
    write_tables(scores, metrics.to_dicts(), out=new, settings=settings, systems=systems, tested=tested)
    for file, schema in _OPTIONAL.items():
        rows = _measured_once(_stacked(folders, file, schema))
        if len(rows):
            write_table(rows, new / file, schema)
    averaged = _stacked(folders, "setups.csv", SETUPS)["metric"].unique(maintain_order=True).to_list()
    if averaged:
        scored = [path for path in (new / "per_query.parquet", new / _RANKS) if path.is_file()]
        options: dict[str, Any] = {"settings": settings, "systems": systems}
        setups_table(per_query=scored, metrics=averaged, out=new / "setups.csv", **options)
    stacked = _stacked(folders, "testsets.csv", TESTSETS)
    if len(stacked):
        compared = [column for column in TESTSETS if column not in _BY_SYSTEMS]
        write_table(_once(stacked, ["testset", "doc_lang"], compared), new / "testsets.csv", TESTSETS)
        coverage = new / "coverage.csv"
        warnings_table(
            per_query=new / "per_query.parquet",
            testsets=new / "testsets.csv",
            coverage=coverage if coverage.is_file() else None,
            references=[system for system, group in settings.apart.items() if group == "references"],
            out=new / "warnings.csv",
        )


def _in_order(scores: pl.DataFrame) -> pl.DataFrame:
    """Test sets and systems as they appear first, and within them the order of :func:`evaluate_testset`."""
    blocks = scores.select("testset", "system").unique(maintain_order=True).with_row_index("block")
    placed = scores.join(blocks, on=["testset", "system"], how="left", maintain_order="left")
    return placed.sort("block", "query_lang", "doc_lang", "seed", "metric", "qid").drop("block")


def _declared(significance: pl.DataFrame, settings: Settings) -> Settings:
    """``settings`` with what SIGNIFICANCE rows say of themselves: baseline, tests, correction, families, groups."""
    labels = ["system", *_PAIR, "family", "baseline", "correction"]
    rows = significance.unique(labels, maintain_order=True).rows(named=True)
    tested = [row for row in rows if row["family"] != SAME]
    groups = {row["system"]: row["family"].removeprefix(family(scope_of(row), row)).strip() for row in tested}
    told: dict[str, Any] = {
        "baseline": _agreed("baseline", ((row["baseline"], row) for row in rows)),
        "correction": _agreed("correction", ((row["correction"], row) for row in rows)),
        "families": _agreed("families", ((scope_of(row), row) for row in tested)),
        "tests": significance["test"].unique(maintain_order=True).to_list(),
    }
    return replace(
        settings,
        apart={system: group for system, group in groups.items() if group},
        same=frozenset((row["system"], *(row[part] for part in _PAIR)) for row in rows if row["family"] == SAME),
        **{name: value for name, value in told.items() if value},
    )


def _agreed(name: str, found: Iterable[tuple[str, Mapping[str, Any]]]) -> str | None:
    """The one value that rows of all runs have; None without rows."""
    folders: dict[str, str] = {}
    for value, row in found:
        folders.setdefault(value, row[_FOLDER])
    if len(folders) > 1:
        (first, there), (second, here) = list(folders.items())[:2]
        todo = "evaluate the runs alike, or keep them apart by run"
        raise UserError(Path(here, "significance.csv"), name, f"{second}, but {first} in {there}", todo)
    return next(iter(folders), None)


def _join_runs(folders: Sequence[Path], new: Path) -> None:
    within = pl.col(_FOLDER).replace_strict(_names(folders), return_dtype=pl.String)
    changes = {name: pl.concat_str(within, name, separator="/") for name in ("system", "baseline", "lexicon")}
    changes |= {name: pl.concat_str(within, name, separator=": ") for name in ("subject", "warning")}
    family_of_run = pl.concat_str("family", within, separator=" ")
    changes["family"] = pl.when(pl.col("family") == SAME).then("family").otherwise(family_of_run)
    needed = {"metrics.csv": METRICS, "per_query.parquet": PER_QUERY}
    needed |= {"significance.csv": SIGNIFICANCE, "effects.csv": EFFECTS}
    for file, schema in (needed | _OPTIONAL | {"setups.csv": SETUPS, "warnings.csv": WARNINGS}).items():
        rows = _stacked(folders, file, schema, needed=file in needed)
        if schema is PER_QUERY:
            _check_queries(rows)
        if len(rows) or file in needed:
            changed = rows.with_columns(**{name: change for name, change in changes.items() if name in schema})
            write_table(changed, new / file, schema)


def _names(folders: Sequence[Path]) -> dict[str, str]:
    """The name of the run in each folder."""
    names: dict[str, str] = {}
    for folder in folders:
        runs = read_table(folder / "metrics.csv", METRICS)["run"].unique(maintain_order=True).to_list()
        if len(runs) != 1:
            raise UserError(folder / "metrics.csv", "", f"of {len(runs)} runs", "join the tables of each of them")
        if runs[0] in names.values():
            todo = "give it another name: switchrank evaluate join FOLDER --run-name NAME --out OTHER"
            raise UserError(folder, f"run {runs[0]}", "a second one of this name", todo)
        names[str(folder)] = runs[0]
    return names


def _check_configs(folders: Sequence[Path]) -> None:
    """UserError where configs differ in more than runs of one experiment may; one line on stderr for those unknown."""
    first: tuple[Path, dict[str, Any]] | None = None
    for folder in folders:
        records = [place / "provenance.json" for place in (folder, folder.parent)]
        record = next((place for place in records if place.is_file()), None)
        if record is None and len(folders) > 1:
            print(f"{folder}: no provenance.json: its config is not compared with the others", file=sys.stderr)
        if record is None:
            continue
        config = _comparable(record)
        if first is None:
            first = record, config
        found = _difference(first[1], config)
        if found:
            key, value, other = found
            problem = f"{_told(other)}, but {_told(value)} in {first[0]}"
            raise UserError(record, key, problem, "join runs that differ in seeds alone, or keep them apart by run")


def _comparable(record: Path) -> dict[str, Any]:
    """The config of a provenance.json without what may differ, and without the run's name in paths of results."""
    try:
        config = json.loads(record.read_text(encoding="utf-8"))["config"]
        text = json.dumps({key: value for key, value in config.items() if key not in _FREE})
        plain: dict[str, Any] = json.loads(text.replace(f"results/{config['run']}/", "results/"))
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(record, "", "not a readable record of a run", "delete it, or make it again") from error
    return {section: {} for section in _SECTIONS} | plain


def _difference(first: Any, second: Any, key: str = "") -> tuple[str, Any, Any] | None:
    """The first key, in dots, at which two configs differ, and both values; None for one that is not there."""
    if not (isinstance(first, dict) and isinstance(second, dict)):
        return None if first == second else (key, first, second)
    compared = first.keys() & second.keys() if key in _SECTIONS else first.keys() | second.keys()
    parts = (
        _difference(first.get(name), second.get(name), f"{key}.{name}" if key else name) for name in sorted(compared)
    )
    return next(filter(None, parts), None)


def _told(value: Any) -> str:
    return "nothing" if value is None else json.dumps(value, ensure_ascii=False)
