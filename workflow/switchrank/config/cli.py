"""``switchrank config``: check a config file, show what it plans, write the generated reference."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from switchrank.core.command import Command, Group
from switchrank.core.errors import UserError, raise_all

if TYPE_CHECKING:
    from switchrank.config.models import Config

ROOT = Path(__file__).parents[3]


def check(*, file: Path) -> None:
    """Check a config file and its pair tables; print what it plans.

    Args:
        file: the YAML file.
    """
    from switchrank.config.load import read_plan, read_yaml, roots_of
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
    for line in _reach(data, plan.config, os.environ):
        print(line)
    raise_all(missing)


def _reach(data: Mapping[str, Any], config: "Config", environment: Mapping[str, str]) -> Iterator[str]:
    """What a config reaches for outside: a line for each host that it asks, then for each variable it reads or sends.

    In ``data``, the config as its file has it, variables are not filled in.
    """
    from switchrank.files.addresses import SEND, host_of, hub_endpoint, is_address, parse_address, sendable, variables
    from switchrank.models.catalogue import entry_of

    hosts = {host_of(download.url, environment) for download in config.downloads.values()}
    models = {model: entry_of(model) for model in config.outside_models.values()}
    named = [model for model, entry in models.items() if not (entry or Path(model).is_dir() or model[:1] in "./~")]
    if named or any(entry.hub for entry in models.values() if entry):
        hosts.add(re.sub(r"^\w+://", "", hub_endpoint(environment)))
    if any(entry.wheel for entry in models.values() if entry):
        hosts.add("the package index of pip")
    yield f"hosts asked: {', '.join(sorted(hosts)) or 'none'}"
    used: dict[str, set[str]] = {}
    for text in _strings(data):
        goal = f"sent to {host_of(parse_address(text).url, environment)}" if is_address(text) else "in a path or name"
        for name in variables(text):
            used.setdefault(name, set()).add(goal)
    listed = sendable(environment)
    for name, goals in sorted(used.items()):
        refused = any(goal.startswith("sent") for goal in goals) and name not in listed
        note = f" (refused: not in {SEND})" if refused else ""
        yield f"variable {name}: {', '.join(sorted(goals))}{note}"


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for part in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(part)


def reference(*, write: bool = False) -> None:
    """Compare schema and key reference with the models.

    Args:
        write: bring them up to date.
    """
    from switchrank.config.reference import update

    stale = update(ROOT, write=write)
    if stale and not write:
        raise UserError(stale[0], "", "differs from the models", "run switchrank config reference --write")


COMMANDS = Group({"check": Command(check, places=["file"]), "reference": Command(reference)})
