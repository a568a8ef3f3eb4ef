"""``switchrank config``: check a config file, show what it plans, write the generated reference."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from switchrank.config.checked import read_plan, roots_of
from switchrank.config.load import read_yaml
from switchrank.config.reach import reach
from switchrank.config.reference import update
from switchrank.core.errors import UserError, raise_all
from switchrank.run.plan.inputs import missing_inputs

ROOT = Path(__file__).parents[3]


def register(parser: argparse.ArgumentParser) -> None:
    """Add ``check`` and ``reference``."""
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    check = commands.add_parser("check", help="check a config file and its pair tables; print what it plans")
    check.add_argument("file", type=Path, help="the YAML file")
    check.set_defaults(run=_check)
    reference = commands.add_parser("reference", help="compare schema and key reference with the models")
    reference.add_argument("--write", action="store_true", help="bring them up to date")
    reference.set_defaults(run=_reference)


def _check(arguments: argparse.Namespace) -> None:
    file = arguments.file
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


def _reference(arguments: argparse.Namespace) -> None:
    stale = update(ROOT, write=arguments.write)
    if stale and not arguments.write:
        raise UserError(stale[0], "", "differs from the models", "run switchrank config reference --write")
