"""The cache folder of this machine's user: what can be made or fetched again, shared by all runs, safe to delete."""

import os
from collections.abc import Mapping
from pathlib import Path


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """The folder that the environment variable SWITCHRANK_CACHE names, else ``~/.cache/switchrank``."""
    return Path(environment.get("SWITCHRANK_CACHE") or "~/.cache/switchrank").expanduser()
