"""Command line of the benchmarks: each part in a process of its own, ``bench.json`` after each, then the table.

Beside ``bench.json`` lies ``bench.notes.json``: the same rows with what the table tells besides.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.benchmarks.machine import description, threads
from tests.benchmarks.parts import PARTS, SCALES, part
from tests.benchmarks.row import Row, entry, from_record, table

BEGIN, END = "<!-- begin measured: {where} -->", "<!-- end measured: {where} -->"
KINDS = ("amx", "avx512-bf16", "other")
"""Kinds of CPU: figures of one say little of another, so each has a table of its own."""


def main() -> int:
    """Run benchmarks; 0 when all ran, reached or not; 1 when one failed to run."""
    options = _options()
    if options.child:
        Path(options.child).write_text(
            json.dumps([vars(row) for row in part(options.scale, options.only[0])(options.scale)])
        )
        return 0
    if options.scale == "gpu" and not _gpu():
        print("no CUDA device: nothing measured", file=sys.stderr)
        return 75
    records, start = _records(options.out), time.perf_counter()
    failed = [name for name in options.only or PARTS[options.scale] if not _measured(name, options, records)]
    rows = [from_record(record) for record in records]
    print(table(rows), f"all of it: {time.perf_counter() - start:.0f} s", sep="\n")
    if options.write:
        _write(options.write, options.scale, records)
    if failed:
        print(f"failed: {' '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--scale", choices=SCALES, default="small", help="small: 35 minutes on two cores (default)")
    parser.add_argument(
        "--only", nargs="+", metavar="PART", help=f"some of: {' '.join(PARTS['small'])}; lexicon is all of lexicon-*"
    )
    parser.add_argument("--out", type=Path, help="default: results/bench/bench.json, bench-large.json, bench-gpu.json")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the table into this Markdown file, at its marks"
    )
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    known = PARTS[options.scale]
    for name in options.only or []:
        if not named_parts(name, known):
            parser.error(f"no part {name!r} at scale {options.scale}: {' '.join(known)}")
    if options.only:
        options.only = list(dict.fromkeys(part for name in options.only for part in named_parts(name, known)))
    if options.out is None:
        options.out = Path("results/bench") / (
            "bench.json" if options.scale == "small" else f"bench-{options.scale}.json"
        )
    return options


def named_parts(name: str, known: Iterable[str]) -> list[str]:
    """The part of a name; of a name that no part has, all that begin with it and a hyphen."""
    return [name] if name in known else [part for part in known if part.startswith(f"{name}-")]


def _gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _notes(out: Path) -> Path:
    return out.with_suffix(".notes.json")


def _records(out: Path) -> list[dict[str, Any]]:
    return json.loads(_notes(out).read_text(encoding="utf-8")) if _notes(out).exists() else []


def save(records: list[dict[str, Any]], out: Path) -> None:
    """Write the entries of records to ``out``, and all that is known beside it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    for file, rows in ((_notes(out), records), (out, [entry(record) for record in records])):
        file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def _measured(name: str, options: argparse.Namespace, records: list[dict[str, Any]]) -> bool:
    """Run one part in a process of its own and put its records in place of its earlier ones; False if it failed."""
    print(f"{name} ...", flush=True)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "rows.json"
        command = [sys.executable, "-m", "tests.benchmarks", "--scale", options.scale, "--only", name]
        ended = subprocess.run([*command, "--child", str(answer)], env=_environment(), check=False)
        if ended.returncode:
            return False
        rows = [Row(**row) for row in json.loads(answer.read_text())]
    known = description()
    records[:] = [record for record in records if record["part"] != name]
    records += [row.record({"part": name, **known}) for row in rows]
    order = list(PARTS[options.scale])
    records.sort(key=lambda record: order.index(record["part"]))
    save(records, options.out)
    print(table(rows), f"{name}: {time.perf_counter() - start:.0f} s\n", sep="\n", flush=True)
    return True


def _environment() -> dict[str, str]:
    """The same thread pools for both sides, and no network for the peers that would ask a model hub."""
    pools = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "POLARS_MAX_THREADS")
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
    return {**os.environ, **dict.fromkeys(pools, str(threads())), **offline}


def places(scale: str) -> list[str]:
    """The marks of a scale's tables: one for each kind of CPU, one for GPUs."""
    return [scale] if scale == "gpu" else [f"{scale} {kind}" for kind in KINDS]


def _place(scale: str, cpu: str) -> str:
    units = {"amx": "amx_tile", "avx512-bf16": "avx512_bf16"}
    kind = next((kind for kind, unit in units.items() if unit in cpu.split()), "other")
    return scale if scale == "gpu" else f"{scale} {kind}"


def _write(file: Path, scale: str, records: list[dict[str, Any]]) -> None:
    """Put the tables of a scale between their marks in a Markdown file; those of other kinds of CPU stay."""
    text = file.read_text(encoding="utf-8")
    for where in places(scale):
        found = [record for record in records if _place(scale, record["cpu"]) == where]
        if found:
            text = _replaced(text, where, found, file)
    file.write_text(text, encoding="utf-8")


def _replaced(text: str, where: str, records: list[dict[str, Any]], file: Path) -> str:
    begin, end = BEGIN.format(where=where), END.format(where=where)
    head, _, rest = text.partition(begin)
    _, found, tail = rest.partition(end)
    if not found:
        raise SystemExit(f"{file}: no lines '{begin}' and '{end}': add them where the table belongs")
    machines = sorted({f"{r['cpu']}, {r['threads']} threads, commit {r['commit']}" for r in records})
    return f"{head}{begin}\n{'; '.join(machines)}\n\n{table(map(from_record, records))}{end}{tail}"


if __name__ == "__main__":
    sys.exit(main())
