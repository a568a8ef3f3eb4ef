"""What a config reaches for outside: the hosts that it asks, and the environment variables that it reads or sends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from switchrank.config.models import Config
from switchrank.files.addresses import SEND, host_of, hub_endpoint, is_address, parse_address, sendable, variables


def reach(data: Mapping[str, Any], config: Config, environment: Mapping[str, str]) -> Iterator[str]:
    """Lines for people: each host, then each variable.

    Args:
        data: the config as its file has it, variables not filled in.
        config: the same, checked.
        environment: where ``HF_ENDPOINT`` and ``SWITCHRANK_SEND`` come from.
    """
    hosts = {host_of(download.url, environment) for download in config.downloads.values()}
    models = config.outside_models.values()
    if any(not Path(model).is_dir() and not model.startswith((".", "/", "~")) for model in models):
        hosts.add(re.sub(r"^\w+://", "", hub_endpoint(environment)))
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
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _strings(part)
    elif isinstance(value, str):
        yield value
