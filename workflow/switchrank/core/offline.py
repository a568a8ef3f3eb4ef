"""Offline mode: with ``SWITCHRANK_OFFLINE=1`` (or ``HF_HUB_OFFLINE=1``) no server is asked for anything."""

import os
from collections.abc import Mapping

_NAMES = ("SWITCHRANK_OFFLINE", "HF_HUB_OFFLINE")


def is_offline(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether no server may be asked."""
    return any(environment.get(name, "").strip().lower() in {"1", "true", "yes", "on"} for name in _NAMES)
