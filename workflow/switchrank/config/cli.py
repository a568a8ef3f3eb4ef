"""``switchrank config``: check a config file, show what it plans, write the generated reference."""

from __future__ import annotations

import os
from pathlib import Path

from switchrank.core.command import Command, Group
from switchrank.core.errors import UserError, raise_all

ROOT = Path(__file__).parents[3]


def check(*, file: Path) -> None:
    """Check a config file and its pair tables; print what it plans.

    Args:
        file: the YAML file.
    """
    from switchrank.config.checked import read_plan, roots_of
    from switchrank.config.load import read_yaml
    from switchrank.config.reach import reach
    from switchrank.run.plan.files import missing_inputs

    data = read_yaml(file)
    plan, mistakes = read_plan(data, file, os.environ, roots_of(file))
    missing = missing_inputs(plan, file, mistakes) if plan else []
    if mistakes or plan is None:
        raise_all([*mistakes, *missing])
        return
    runs = sum(1 for testset in plan.pairs for _ in plan.runs(testset))
    models = len(plan.models) * len(plan.config.seeds)
    rows = f", {len(plan.ablation)} rows of the ablation" if plan.ablation else ""
    print(f"{file}: {len(plan.lexicon_files)} lexicons, {models} models, {runs} runs{rows}")
    for line in reach(data, plan.config, os.environ):
        print(line)
    raise_all(missing)


def reference(*, write: bool = False) -> None:
    """Compare schema and key reference with the models.

    Args:
        write: bring them up to date.
    """
    from switchrank.config.reference import update

    stale = update(ROOT, write=write)
    if stale and not write:
        raise UserError(stale[0], "", "differs from the models", "run switchrank config reference --write")


COMMANDS = Group(
    {
        "check": Command(check, places=["file"]),
        "reference": Command(reference),
    }
)
