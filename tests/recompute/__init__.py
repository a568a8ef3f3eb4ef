"""Every number of a finished run's tables worked out again from its TREC runs, texts and lexicons, by other means.

Nothing of the rooms that make the tables is used: what a run was asked for is read from its plain config
(:mod:`tests.recompute.design`), rankings are scored by ir_measures, tests are scipy's, the rest is the definition in
the documentation written down again in plain Python and numpy. Only table schemas are shared.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from tests.recompute.ablation import check_ablation, check_curve, check_equivalence
from tests.recompute.bias import check_bias, check_bias_per_query
from tests.recompute.design import Design, read_design
from tests.recompute.finished import Finished
from tests.recompute.lexicons import check_quality, check_sweep
from tests.recompute.main_text import check_main_text
from tests.recompute.metrics import check_metrics, check_per_query
from tests.recompute.rankings import PEER, by_definition, by_ir_measures
from tests.recompute.setups import check_setups
from tests.recompute.significance import check_effects, check_significance
from tests.recompute.stages import check_exposure, check_first_stage
from tests.recompute.testsets import check_coverage, check_testsets
from tests.recompute.warnings import check_warnings
from tests.recompute.why import check_overlap, check_shift

RANKS = {"rank_distance", "max_rank"}
"""What is averaged by setup from bias_per_query.parquet."""
__all__ = ["PEER", "TABLES", "Design", "by_definition", "by_ir_measures", "read_design", "recompute"]

TABLES: dict[str, tuple[Callable[[Finished], None], Callable[[Design], object]]] = {
    "main.txt": (check_main_text, lambda design: "mrr@10" in design.metrics),
    "metrics.csv": (check_metrics, lambda _: True),
    "per_query.parquet": (check_per_query, lambda _: True),
    "significance.csv": (check_significance, lambda _: True),
    "effects.csv": (check_effects, lambda _: True),
    "setups.csv": (check_setups, lambda design: design.setups),
    "bias.csv": (check_bias, lambda _: True),
    "bias_per_query.parquet": (check_bias_per_query, lambda design: RANKS & set(design.setups)),
    "overlap.csv": (check_overlap, lambda _: True),
    "shift.csv": (check_shift, lambda design: design.parallel_pairs),
    "lexicon_quality.csv": (check_quality, lambda design: design.gold),
    "sweep.csv": (check_sweep, lambda design: design.points),
    "testsets.csv": (check_testsets, lambda _: True),
    "warnings.csv": (check_warnings, lambda _: True),
    "first_stage.csv": (check_first_stage, lambda _: True),
    "exposure.csv": (check_exposure, lambda _: True),
    "coverage.csv": (check_coverage, lambda design: design.switched),
    "ablation.csv": (check_ablation, lambda design: design.rows),
    "ablation_curve.csv": (check_curve, lambda design: design.rows),
    "equivalence.csv": (check_equivalence, lambda design: design.rows),
}
"""What holds each table against the run, and whether a run of that design has it."""


def recompute(
    folder: Path,
    design: Design,
    *,
    tables: Collection[str] | None = None,
    peer: str = PEER,
    draws: int = 20_000,
    tolerance: float = 1e-9,
) -> list[str]:
    """Mismatches between the tables of ``results/<run>/`` and what follows from its files; [] if there are none.

    Args:
        folder: the finished run.
        design: what it was asked for.
        tables: only these; by default all that the design calls for, and then a table that is missing or that the
            design does not call for is a mismatch too.
        peer: key of :data:`tests.recompute.rankings.SCORERS`.
        draws: permutations and resamples for what was drawn; such values agree within
            :data:`tests.recompute.finished.SIGMAS` standard errors of both estimates.
        tolerance: absolute, for everything that has an exact value.

    Returns:
        One line each: table, key of the row, column, the value found and the one recomputed.
    """
    run = Finished(folder, design, peer, draws, tolerance)
    expected = {name for name, (_, called_for) in TABLES.items() if called_for(design)}
    if tables is None:
        found = {path.name for path in (folder / "tables").iterdir() if not path.name.startswith(".")}
        run.wrong.extend(f"{name}: no such table" for name in sorted(expected - found))
        run.wrong.extend(f"{name}: the design calls for no such table" for name in sorted(found - expected))
        tables = expected & found
    for name, (check, _) in TABLES.items():
        if name in tables:
            check(run)
    return run.wrong
