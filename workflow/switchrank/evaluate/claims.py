"""What papers claim beside what a run says: each claim by comparisons of two systems, with sign, size and interval.

A difference is the mean over language pairs, seeds and queries of ``system - baseline``, from the seeds and pairs that
both have. Its interval is a percentile bootstrap over queries: a query is drawn together with all the pairs that it is
in, and queries of different pairs are drawn apart, so that parallel questions count once and separate ones each for
themselves. Where there are several seeds they are drawn as well, apart from the queries (the pigeonhole bootstrap, Owen
2007, doi:10.1214/07-AOAS122); how far two or three seeds lie apart says little about others. Intervals are not
corrected for the number of claims.

The claims are in ``claims.yaml``.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from switchrank.core.errors import UserError
from switchrank.core.seeds import generator
from switchrank.evaluate.significance import ROUNDING, Floats, Interval, paired_differences, resampled_means
from switchrank.formats.measures import FALLING
from switchrank.formats.tables import METRICS, PER_QUERY, read_table, scan_table

METRIC = "mrr@10"
"""What claims are about unless they say otherwise; every run has it."""
SIDES = {"moir": "MoIR", "clir": "CLIR", "mlir": "MLIR"}
_ALPHA = 0.05
_RESAMPLES = 10_000
_PAIR = ("query_lang", "doc_lang")
Expected = Literal["better", "worse", "equal", "no worse"]
Row = dict[str, Any]


@dataclass(frozen=True)
class Comparison:
    """Two systems, and what is claimed of them.

    Attributes:
        claim: name of the claim that it is part of.
        system: the system of which something is claimed.
        baseline: what it is compared with.
        setup: moir, clir or mlir.
        languages: seen, where both sides are in languages that code-switching used, unseen, where one is not, or all.
        expected: what the system is claimed to be.
        source: where the claim is from.
        published: the difference, if one is told.
        metric: a metric, or a measure of ranks in pools, of which less is better.
    """

    claim: str
    system: str
    baseline: str
    setup: str
    languages: Literal["seen", "unseen", "all"]
    expected: Expected
    source: str
    published: float | None = None
    metric: str = METRIC


@dataclass(frozen=True)
class Claim:
    """A claim in words, the comparisons that it is judged by, and the paper that makes it."""

    text: str
    comparisons: Sequence[Comparison]
    paper: str = ""


@dataclass(frozen=True)
class Run:
    """The scores of a run.

    Attributes:
        name: of the run.
        pairs: ``testset setup query_lang doc_lang seen``, one row per test pair.
        scores: PER_QUERY rows.
    """

    name: str
    pairs: pl.DataFrame
    scores: pl.DataFrame


@cache
def published() -> Mapping[str, Claim]:
    """The claims by name, in the order of the file."""
    import yaml

    given = yaml.safe_load(Path(__file__).with_name("claims.yaml").read_text(encoding="utf-8"))
    claims = {}
    for paper in given.values():
        cited, sections = paper.pop("paper"), paper.pop("claims")
        for name, section in sections.items():
            text, parts = section.pop("text"), section.pop("comparisons")
            comparisons = [Comparison(claim=name, **paper | section | part) for part in parts]
            claims[name] = Claim(text, comparisons, cited)
    return claims


def judgeable(runs: Sequence[Run], claims: Mapping[str, Claim]) -> dict[str, Claim]:
    """The claims of papers of which some run has two systems that are compared."""
    known = [set(run.scores["system"].unique()) for run in runs]
    told = {
        claim.paper
        for claim in claims.values()
        for one in claim.comparisons
        if any({one.system, one.baseline} <= systems for systems in known)
    }
    return {name: claim for name, claim in claims.items() if claim.paper in told}


def read_runs(folders: Sequence[str | Path]) -> list[Run]:
    """The runs whose tables are in ``folders``; tables joined by run hold several.

    Raises:
        UserError: a table is missing, lacks the metric, or two runs have one name.
    """
    runs: dict[str, Run] = {}
    for folder in map(Path, folders):
        metrics = read_table(folder / "metrics.csv", METRICS).filter(metric=METRIC)
        if metrics.is_empty():
            raise UserError(folder / "metrics.csv", "metric", f"no {METRIC}", "evaluate it: the claims are about it")
        scores = _scores(folder)
        for (name,), own in metrics.group_by("run", maintain_order=True):
            if name in runs:
                todo = "give it another name: switchrank evaluate join FOLDER --run-name NAME --out OTHER"
                raise UserError(folder, f"run {name}", "a second one of this name", todo)
            plain = pl.col("system").str.strip_prefix(f"{name}/")
            pairs = own.select("testset", "setup", *_PAIR, "seen").unique(maintain_order=True)
            mine = scores.join(own.select("system").unique(), on="system", how="semi").with_columns(plain)
            runs[str(name)] = Run(str(name), pairs, mine)
    return list(runs.values())


def _scores(folder: Path) -> pl.DataFrame:
    """What claims are about, by query; ranks in pools are in a table of their own, if they were asked for."""
    wanted = {one.metric for claim in published().values() for one in claim.comparisons}
    ranks = folder / "bias_per_query.parquet"
    files = [folder / "per_query.parquet", *([ranks] if ranks.is_file() else [])]
    scores = pl.concat(scan_table(file, PER_QUERY) for file in files)
    return scores.filter(pl.col("metric").is_in(list(wanted))).collect()


def claim_rows(runs: Sequence[Run], claims: Mapping[str, Claim], *, resamples: int = _RESAMPLES) -> list[Row]:
    """CLAIMS rows: by claim, comparison, run and test set; one that says what is missing where a run cannot tell.

    Args:
        runs: of :func:`read_runs`.
        claims: of :func:`published`.
        resamples: of the bootstrap.
    """
    comparisons = [comparison for claim in claims.values() for comparison in claim.comparisons]
    return [
        {"run": run.name} | asdict(comparison) | found
        for comparison in comparisons
        for run in runs
        for found in _found(run, comparison, resamples)
    ]


def _found(run: Run, comparison: Comparison, resamples: int) -> Iterator[Row]:
    """What a run says about a comparison, by test set."""
    seen = pl.col("seen") == "both"
    wanted = {"seen": seen, "unseen": ~seen, "all": pl.lit(True)}[comparison.languages]
    pairs = run.pairs.filter(wanted, setup=comparison.setup)
    missing = _missing(run, comparison, pairs)
    if missing:
        yield {"missing": missing}
        return
    alone = True
    for (testset,), tested in pairs.group_by("testset", maintain_order=True):
        measured = run.scores.filter(testset=testset, metric=comparison.metric)
        scores = measured.join(tested.select(_PAIR), on=_PAIR, how="semi")
        differences = _differences(scores, comparison, f"{run.name} {testset}")
        if len(differences):
            alone = False
            random = generator(0, "claims", str(testset), comparison.setup, comparison.languages)
            yield {"testset": testset} | _measured(differences, comparison, resamples, random)
    if alone:
        yield {"missing": f"{comparison.system} and {comparison.baseline} rank no such pair with the same seed"}


def _missing(run: Run, comparison: Comparison, pairs: pl.DataFrame) -> str | None:
    """Why a run cannot tell, as far as its systems and pairs say."""
    known = set(run.scores["system"].unique())
    lacking = [system for system in (comparison.system, comparison.baseline) if system not in known]
    if lacking:
        return f"no {' and no '.join(lacking)}"
    if pairs.is_empty():
        what = "" if comparison.languages == "all" else f" of {comparison.languages} languages"
        return f"no {SIDES[comparison.setup]} pairs{what}"
    if comparison.metric not in set(run.scores["metric"].unique()):
        key = "setups" if comparison.metric in FALLING else "metrics"
        return f"no {comparison.metric}: add it to evaluate.{key}"
    return None


def _differences(scores: pl.DataFrame, comparison: Comparison, place: str) -> pl.DataFrame:
    """``pair seed qid difference`` over the pairs that both systems rank, and the seeds that both have in all."""
    keys = [*_PAIR, "seed", "qid"]
    sides = [scores.filter(system=system).select(*keys, "value") for system in (comparison.system, comparison.baseline)]
    both = sides[0].join(sides[1], on=keys, suffix="_baseline")
    pair = pl.concat_str(*_PAIR, separator="-")
    both = both.select(pair.alias("pair"), "seed", "qid", "value", "value_baseline")
    both = both.filter(pl.col("pair").n_unique().over("seed") == pl.col("pair").n_unique()).sort("pair", "seed", "qid")
    if (both.group_by("pair", "qid").len()["len"] != both["seed"].n_unique()).any():
        raise UserError("evaluate", place, "seeds cover different queries", "evaluate all seeds again")
    values = paired_differences(both["value"].to_numpy(), both["value_baseline"].to_numpy())
    return both.select("pair", "seed", "qid", difference=pl.Series(values, dtype=pl.Float64))


def _measured(differences: pl.DataFrame, comparison: Comparison, resamples: int, random: np.random.Generator) -> Row:
    seeds, pairs = differences["seed"].n_unique(), differences["pair"].n_unique()
    strata = list(_strata(differences))
    delta = math.fsum(value for part in strata for value in part.ravel()) / seeds
    low, high = bootstrap(strata, resamples=resamples, random=random)
    counts = {"pairs": pairs, "queries": differences["qid"].n_unique(), "seeds": seeds}
    said = verdict(comparison.expected, low, high, falling=comparison.metric in FALLING)
    return {"delta": delta, "low": low, "high": high, "verdict": said} | counts


def _strata(differences: pl.DataFrame) -> Iterator[Floats]:
    """What each query adds to the mean over pairs, ``(seeds, queries)``, by the set of pairs that queries are in."""
    share = 1 / (pl.len().over("pair", "seed") * pl.col("pair").n_unique())
    added = differences.with_columns(added=pl.col("difference") * share)
    queries = added.group_by("seed", "qid", maintain_order=True).agg(
        pl.col("added").sum(), pl.col("pair").str.join(" ")
    )
    for _, part in queries.sort("pair", "seed", "qid").group_by("pair", maintain_order=True):
        yield part["added"].to_numpy().reshape(part["seed"].n_unique(), -1)


def bootstrap(strata: Sequence[Floats], *, resamples: int, random: np.random.Generator) -> Interval:
    """The 95% percentile interval of the mean over seeds of a sum over queries; none where there is but one query.

    Args:
        strata: groups of queries that are drawn apart, float64 of shape ``(seeds, queries)``.
        resamples: how many times queries, and seeds if there are several, are drawn with replacement.
        random: what draws them.
    """
    if sum(part.shape[1] for part in strata) < 2:
        return None, None
    parts = [resampled_means(part, resamples=resamples, random=random) * part.shape[1] for part in strata]
    sums = np.sum(parts, axis=0)
    seeds = sums.shape[1]
    drawn = random.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    low, high = np.quantile((sums * drawn).sum(axis=1) / seeds, [_ALPHA / 2, 1 - _ALPHA / 2])
    return float(low), float(high)


def verdict(expected: Expected, low: float | None, high: float | None, *, falling: bool = False) -> str:
    """What an interval says of a claim: ``agrees``, ``opposite`` (the other sign), ``differs`` (a difference where none
    is claimed) or ``not decided`` (it holds 0, or there is no interval); ``falling`` where less is better."""
    if low is None or high is None:
        return "not decided"
    if falling:
        low, high = -high, -low
    holds_zero = low <= ROUNDING and high >= -ROUNDING
    if expected == "equal":
        return "agrees" if holds_zero else "differs"
    if expected == "no worse":
        return "agrees" if holds_zero or low > 0 else "opposite"
    if holds_zero:
        return "not decided"
    return "agrees" if (low > 0) == (expected == "better") else "opposite"
