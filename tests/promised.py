"""Every byte that equal config, threads, precision and kind of CPU promise to keep, for runs that are compared."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

KINDS = ("lexicons", "corpora", "models", "runs", "tables", "start")


def promised(folder: Path, run: str = "smoke") -> dict[str, bytes]:
    """By name: public files (``train.json`` without ``timing``), starting models, the report's members."""
    results = folder / "results" / run
    files = [file for kind in KINDS for file in (results / kind).rglob("*")]
    content = {}
    for file in sorted(file for file in files if file.is_file() and not file.name.startswith(".")):
        content[file.relative_to(results).as_posix()] = _stable(file.name, file.read_bytes())
    return content | _report(results / "report.zip")


def _stable(name: str, content: bytes) -> bytes:
    if name != "train.json":
        return content
    record = json.loads(content)
    record.pop("timing")
    return json.dumps(record).encode()


def _report(path: Path) -> dict[str, bytes]:
    """Members of the report; of the page around them, which tells when each job ran, the name."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return {f"report.zip/{name}": b"" if name.endswith("/report.html") else data for name, data in members.items()}
