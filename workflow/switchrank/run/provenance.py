"""What a run was made with: no host names, no absolute paths, no times."""

import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

from switchrank.core.atomic import atomic_path
from switchrank.core.digest import PACKAGE, value_digest
from switchrank.core.instructions import kernels, processor

PACKAGES = ["snakemake", "torch", "transformers", "tokenizers", "fasttext-wheel", "faiss-cpu", "ranx", "polars"]
PACKAGES += ["numpy", "bm25s", "scipy", "statsmodels", "matplotlib", "switchrank"]


def write_provenance(*, config: dict[str, Any], out: str | Path) -> None:
    """Write the merged config as given (environment variables unexpanded), its SHA-256, the commit, versions, and the
    instruction sets of the processor that this runs on; each ``train.json`` names those of its own."""
    record = {
        "config": config,
        "config_sha256": value_digest(config),
        "commit": _git("rev-parse", "HEAD"),
        "uncommitted_changes": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in sorted(PACKAGES)},
        "processor": processor() | {"kernels": kernels()},
    }
    with atomic_path(out) as temporary:
        temporary.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _git(*words: str) -> str | None:
    """What git says about the source tree; None where there is no git or no repository."""
    try:
        done = subprocess.run(["git", "-C", PACKAGE, *words], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
